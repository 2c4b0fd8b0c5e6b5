#include "tools/calculator.hpp"

#include "tools/builtin.hpp"
#include "tools/text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

namespace troupe::tools {

using core::errc;
using core::error;

namespace {

struct one_argument {
  std::string_view name;
  double (*apply)(double);
};
constexpr std::array functions{
    one_argument{"sqrt", [](double x) { return std::sqrt(x); }},
    one_argument{"abs", [](double x) { return std::abs(x); }},
    one_argument{"round", [](double x) { return std::round(x); }},
    one_argument{"floor", [](double x) { return std::floor(x); }},
    one_argument{"ceil", [](double x) { return std::ceil(x); }},
    one_argument{"ln", [](double x) { return std::log(x); }},
    one_argument{"log", [](double x) { return std::log10(x); }},
    one_argument{"exp", [](double x) { return std::exp(x); }},
    one_argument{"sin", [](double x) { return std::sin(x); }},
    one_argument{"cos", [](double x) { return std::cos(x); }},
    one_argument{"tan", [](double x) { return std::tan(x); }},
};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Recursive descent over the text; the first failure stays and every rule then unwinds with 0.
class parser {
 public:
  explicit parser(std::string_view text) : text_(text) {}

  core::result<double> run() {
    auto value = sum();
    peek();
    if (!failure_ && at_ < text_.size()) fail("this cannot be read");
    if (failure_) return *failure_;
    return value;
  }

 private:
  struct nesting {
    parser& p;
    explicit nesting(parser& owner) : p(owner) {
      if (++p.depth_ > max_expression_depth) p.fail("nested too deeply (at most " + std::to_string(max_expression_depth) + ")");
    }
    ~nesting() { --p.depth_; }
    nesting(const nesting&) = delete;
    nesting& operator=(const nesting&) = delete;
  };

  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool take(char c) {
    if (failure_ || peek() != c) return false;
    ++at_;
    return true;
  }

  void fail(std::string reason) { fail(std::move(reason), at_); }
  void fail(std::string reason, std::size_t place) {
    if (failure_) return;
    reason += place < text_.size() ? " at character " + std::to_string(place + 1) + ": " + quoted(text_.substr(place), 24)
                                   : std::string(" at the end");
    failure_ = error{errc::validation_error, std::move(reason)};
  }

  double finite(double value, std::size_t place) {
    if (std::isnan(value)) fail("there is no real result", place);
    if (std::isinf(value)) fail("the result is too large", place);
    return failure_ ? 0 : value;
  }

  double sum() {
    nesting level(*this);
    auto value = product();
    while (!failure_) {
      auto place = at_;
      if (take('+'))
        value = finite(value + product(), place);
      else if (take('-'))
        value = finite(value - product(), place);
      else
        break;
    }
    return value;
  }

  double product() {
    auto value = signed_power();
    while (!failure_) {
      peek();
      auto place = at_;
      if (take('*')) {
        value = finite(value * signed_power(), place);
      } else if (take('/') || take('%')) {
        auto divisor = signed_power();
        if (divisor == 0) fail("division by zero", place);
        value = finite(text_[place] == '/' ? value / divisor : std::fmod(value, divisor), place);
      } else {
        break;
      }
    }
    return value;
  }

  double signed_power() {
    bool negative = false;
    for (;;) {
      if (take('-'))
        negative = !negative;
      else if (!take('+'))
        break;
    }
    auto value = power();
    return negative ? -value : value;
  }

  double power() {
    nesting level(*this);
    auto base = primary();
    peek();
    auto place = at_;
    if (!take('^')) return base;
    auto exponent = signed_power();
    if (base == 0 && exponent < 0) fail("division by zero", place);
    return finite(std::pow(base, exponent), place);
  }

  double primary() {
    auto c = peek();
    if (failure_) return 0;
    if (is_digit(c) || c == '.') return number();
    if (is_letter(c)) return name();
    if (!take('(')) {
      fail(c == '\0' ? "a number is missing" : "a number was expected");
      return 0;
    }
    auto value = sum();
    if (!take(')')) fail("a `)` is missing");
    return value;
  }

  double number() {
    double value = 0;
    auto [end, problem] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (problem == std::errc::result_out_of_range)
      fail("the number is too large or too small");
    else if (problem != std::errc{})
      fail("a number was expected");
    else
      at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  double name() {
    auto start = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    auto word = text_.substr(start, at_ - start);
    if (word == "pi") return std::numbers::pi;
    if (word == "e") return std::numbers::e;
    bool is_min = word == "min", is_max = word == "max";
    const one_argument* function = nullptr;
    for (const auto& f : functions)
      if (f.name == word) function = &f;
    if (!function && !is_min && !is_max) {
      fail("unknown name (known: pi, e, sqrt, abs, min, max, round, floor, ceil, ln, log, exp, sin, cos, tan)", start);
      return 0;
    }
    if (!take('(')) {
      fail("a `(` is missing after " + std::string(word));
      return 0;
    }
    std::vector<double> values{sum()};
    while (take(',')) values.push_back(sum());
    if (!take(')')) fail("a `)` is missing");
    if (failure_) return 0;
    if (is_min || is_max) {
      auto best = values.front();
      for (auto v : values) best = is_min ? std::min(best, v) : std::max(best, v);
      return best;
    }
    if (values.size() != 1) {
      fail(std::string(word) + " takes one number", start);
      return 0;
    }
    if ((word == "ln" || word == "log") && values[0] == 0) fail("there is no real result", start);
    return finite(function->apply(values[0]), start);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::optional<error> failure_;
};

class calculator_tool final : public tool {
 public:
  calculator_tool()
      : tool({.name = "calculator",
              .description = "Computes an arithmetic expression: + - * / % ^, parentheses, sqrt abs min max round floor ceil "
                             "ln log (base 10) "
                             "exp sin cos tan (radians), pi, e. Example: (2 + 3) * sqrt(16).",
              .parameters = R"({"type":"object","properties":{"expression":{"type":"string","minLength":1,"maxLength":1000}},)"
                            R"("required":["expression"],"additionalProperties":false})",
              .effect = core::effect::read_only,
              .mode = tool_mode::instant}) {}

  tool_result run(const tool_context&, const boost::json::object& arguments) const override {
    auto value = evaluate(arguments.at("expression").as_string());
    if (!value) return {false, value.error().text};
    return {true, number_text(*value)};
  }
};

}  // namespace

core::result<double> evaluate(std::string_view expression) {
  if (expression.size() > max_expression_bytes)
    return error{errc::validation_error, "the expression has " + std::to_string(expression.size()) + " bytes; at most " +
                                             std::to_string(max_expression_bytes) + " are taken"};
  return parser(expression).run();
}

std::string number_text(double value) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  char text[64];
  auto* end = text + sizeof text;
  if (std::abs(value) <= exact && value == std::trunc(value))
    return {text, std::to_chars(text, end, static_cast<std::int64_t>(value)).ptr};
  return {text, std::to_chars(text, end, value, std::chars_format::general, 15).ptr};
}

std::unique_ptr<tool> make_calculator() { return std::make_unique<calculator_tool>(); }

}  // namespace troupe::tools
