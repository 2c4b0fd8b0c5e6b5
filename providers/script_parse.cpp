#include "providers/script.hpp"
#include "providers/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <numeric>
#include <regex>

namespace troupe::providers {

namespace json = boost::json;

namespace {

using std::chrono::milliseconds;
using words = std::initializer_list<std::string_view>;

constexpr std::size_t max_script_bytes = 4 << 20;
constexpr std::size_t max_pattern_bytes = 1024;
constexpr std::int64_t max_delay_ms = 3'600'000;

/// Thrown and caught in this file only.
struct script_fault {
  std::string at;
  std::string text;
};

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      auto above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string unknown(std::string_view word, words allowed) {
  auto shown = bounded_text(word, 64);
  std::vector<std::string_view> sorted(allowed);
  std::stable_sort(sorted.begin(), sorted.end(), [&](auto a, auto b) { return distance(shown, a) < distance(shown, b); });
  std::string out = "unknown word \"" + shown + "\"; allowed here: ";
  for (std::size_t i = 0; i < sorted.size(); ++i) out.append(i == 0 ? "" : ", ").append(sorted[i]);
  return out;
}

/// A JSON value and where it stands.
struct node {
  const json::value& value;
  std::string at;

  [[noreturn]] void fail(std::string text) const { throw script_fault{at.empty() ? "/" : at, std::move(text)}; }

  /// An object without other keys than these.
  void expect_object(words allowed) const {
    if (!value.is_object()) fail("expected an object");
    for (const auto& member : value.get_object())
      if (std::find(allowed.begin(), allowed.end(), std::string_view(member.key())) == allowed.end())
        fail(unknown(member.key(), allowed));
  }
  [[nodiscard]] std::string child(std::string_view key) const { return at + "/" + std::string(key); }
  [[nodiscard]] std::optional<node> find(std::string_view key) const {
    auto* found = value.get_object().if_contains(key);
    if (found == nullptr) return std::nullopt;
    return node{*found, child(key)};
  }
  [[nodiscard]] std::string text() const {
    if (!value.is_string()) fail("expected a string");
    return std::string(value.get_string());
  }
  [[nodiscard]] bool boolean() const {
    if (!value.is_bool()) fail("expected true or false");
    return value.get_bool();
  }
  [[nodiscard]] std::int64_t number(std::int64_t least, std::int64_t most) const {
    if (!value.is_int64() || value.get_int64() < least || value.get_int64() > most)
      fail("expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return value.get_int64();
  }
  [[nodiscard]] milliseconds delay() const { return milliseconds{number(0, max_delay_ms)}; }
  template <class F>
  void each(F&& f) const {
    if (!value.is_array()) fail("expected a list");
    std::size_t i = 0;
    for (const auto& item : value.get_array()) f(node{item, child(std::to_string(i++))});
  }
};

script_text read_text(const node& at, std::string_view text, std::size_t groups) {
  script_text out;
  std::string constant;
  while (true) {
    auto open = text.find("${");
    if (open == std::string_view::npos) break;
    if (open > 0 && text[open - 1] == '$') {  // `$${` stands for `${`
      constant.append(text.substr(0, open - 1)).append("${");
      text.remove_prefix(open + 2);
      continue;
    }
    auto close = text.find('}', open);
    if (close == std::string_view::npos) at.fail("\"${\" without its \"}\"; write $${ for the characters themselves");
    auto word = text.substr(open + 2, close - open - 2);
    constant.append(text.substr(0, open));
    script_text::part part{std::move(constant), script_text::source::user, 0};
    constant.clear();
    std::size_t number = 0;
    auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
    if (word == "result") {
      part.from = script_text::source::result;
    } else if (parsed.ec == std::errc{} && parsed.ptr == word.data() + word.size()) {
      if (number < 1 || number > groups)
        at.fail("${" + bounded_text(word, 64) + "}: the patterns of this rule have " + std::to_string(groups) + " groups");
      part.from = script_text::source::group;
      part.group = number - 1;
    } else if (word != "user") {
      at.fail(unknown(word, {"user", "result", "1", "2"}));
    }
    out.parts.push_back(std::move(part));
    text.remove_prefix(close + 1);
  }
  out.tail = constant.append(text);
  return out;
}

script_pattern read_pattern(const node& at) {
  auto text = at.text();
  if (text.size() > max_pattern_bytes) at.fail("a pattern may have " + std::to_string(max_pattern_bytes) + " bytes at most");
  try {
    return script_pattern(text);
  } catch (const std::regex_error& e) {
    at.fail("not a regular expression that this build can match (" + std::string(e.what()) + ")");
  }
}

script_when read_when(const node& at) {
  at.expect_object({"user", "call", "after", "tool", "result"});
  script_when out;
  if (auto user = at.find("user")) out.user = read_pattern(*user);
  if (auto result = at.find("result")) out.result = read_pattern(*result);
  if (auto call = at.find("call")) out.call = static_cast<std::uint32_t>(call->number(1, 1'000'000'000));
  if (auto tool = at.find("tool"); tool && (out.tool = tool->text()).empty()) tool->fail("expected the name of a tool");
  if (auto after = at.find("after")) {
    auto word = after->text();
    if (word != "user" && word != "tool") after->fail(unknown(word, {"user", "tool"}));
    out.after = word == "user" ? core::role::user : core::role::tool;
    if (word == "user" && (!out.tool.empty() || out.result))
      after->fail("never true together with \"tool\" or \"result\", which need \"after\": \"tool\"");
  }
  return out;
}

say_pieces read_pieces(const node& at, std::string_view verb, std::size_t groups) {
  say_pieces out;
  out.is_reasoning = verb == "reasoning";
  auto source = *at.find(verb);
  auto add = [&](const node& text) { out.texts.push_back(read_text(text, text.text(), groups)); };
  if (verb != "stream" && verb != "repeat" && source.value.is_array())
    source.each(add);
  else
    add(source);
  if (verb == "stream") out.chunk = 4;
  if (auto chunk = at.find("chunk")) out.chunk = static_cast<std::uint32_t>(chunk->number(1, 1 << 20));
  if (auto times = at.find("times")) out.times = static_cast<std::uint32_t>(times->number(1, 1'000'000));
  if (auto every = at.find("every_ms")) out.every = every->delay();

  if (!std::all_of(out.texts.begin(), out.texts.end(), [](const auto& text) { return text.is_constant(); })) return out;
  std::size_t size = 0;
  for (const auto& text : out.texts) size += text.tail.size();
  if (size * out.times > script::max_answer)
    at.fail("more than " + std::to_string(script::max_answer) + " bytes in one answer");
  for (std::uint32_t n = 0; n < out.times; ++n) {
    for (const auto& text : out.texts) {
      if (out.chunk > 0)
        cut_into_pieces(text.tail, out.chunk, out.fixed);
      else if (!text.tail.empty())
        out.fixed.add(text.tail);
    }
  }
  out.texts.clear();
  return out;
}

say_tool read_tool(const node& at, std::size_t groups) {
  say_tool out;
  out.tool = at.find("tool")->text();
  if (out.tool.empty()) at.find("tool")->fail("expected the name of a tool");
  if (auto id = at.find("id")) out.id = id->text();
  auto arguments = at.find("arguments");
  if (!arguments) {
    out.arguments.tail = "{}";
  } else if (arguments->value.is_string()) {
    out.is_json = false;
    out.arguments = read_text(*arguments, arguments->text(), groups);
  } else if (arguments->value.is_object()) {
    out.arguments = read_text(*arguments, json::serialize(arguments->value), groups);
  } else {
    arguments->fail("expected an object, or a string that is sent as it is");
  }
  return out;
}

say_usage read_usage(const node& at) {
  at.expect_object({"prompt", "cached_prompt", "completion"});
  auto count = [&](std::string_view key) {
    auto found = at.find(key);
    return found ? found->number(0, 1'000'000'000) : 0;
  };
  say_usage out{{count("prompt"), count("cached_prompt"), count("completion")}};
  if (out.tokens.cached_prompt > out.tokens.prompt) at.fail("\"prompt\" includes \"cached_prompt\" and cannot be less");
  return out;
}

say_error read_error(const node& at) {
  if (at.value.is_string()) return {at.text(), false, std::nullopt, core::errc::provider_error};
  at.expect_object({"text", "code", "retryable", "retry_after_ms"});
  say_error out;
  auto text = at.find("text");
  if (!text) at.fail("an error needs a \"text\"");
  out.text = text->text();
  if (auto code = at.find("code")) {
    out.code = core::errc_from(code->text());
    if (out.code == core::errc::ok || core::to_string(out.code) != code->text())
      code->fail("expected the code of an error (docs/errors.md), e.g. PROVIDER_ERROR, TIMEOUT or RATE_LIMITED");
  }
  if (auto retryable = at.find("retryable")) out.retryable = retryable->boolean();
  if (auto after = at.find("retry_after_ms")) out.retry_after = after->delay();
  return out;
}

script_step read_step(const node& at, std::size_t groups) {
  at.expect_object({"text", "stream", "repeat", "reasoning", "delay_ms", "tool", "usage", "error", "cut", "finish", "chunk",
                    "times", "every_ms", "arguments", "id"});
  // Each kind of step and the words that may stand beside its verb.
  auto has = [&](std::string_view verb, words allowed) {
    if (!at.find(verb)) return false;
    at.expect_object(allowed);
    return true;
  };
  if (has("text", {"text", "every_ms"})) return read_pieces(at, "text", groups);
  if (has("stream", {"stream", "chunk", "every_ms"})) return read_pieces(at, "stream", groups);
  if (has("repeat", {"repeat", "times", "every_ms"})) return read_pieces(at, "repeat", groups);
  if (has("reasoning", {"reasoning", "every_ms"})) return read_pieces(at, "reasoning", groups);
  if (has("delay_ms", {"delay_ms"})) return say_delay{at.find("delay_ms")->delay()};
  if (has("tool", {"tool", "arguments", "id"})) return read_tool(at, groups);
  if (has("usage", {"usage"})) return read_usage(*at.find("usage"));
  if (has("error", {"error"})) return read_error(*at.find("error"));
  if (has("cut", {"cut"})) {
    if (!at.find("cut")->boolean()) at.find("cut")->fail("expected true");
    return say_error{"the upstream closed before its end marker", true, std::nullopt, core::errc::provider_error};
  }
  if (has("finish", {"finish"})) {
    auto finish = *at.find("finish");
    auto reason = core::finish_reason_from(finish.text());
    if (!reason) finish.fail(unknown(finish.text(), {"stop", "length", "tool_calls", "content_filter"}));
    return say_finish{*reason};
  }
  at.fail("a step needs one of: text, stream, repeat, reasoning, delay_ms, tool, usage, error, cut, finish");
}

std::vector<script_step> read_steps(const node& at, std::size_t groups) {
  std::vector<script_step> out;
  bool has_ended = false;
  at.each([&](const node& item) {
    if (has_ended) item.fail("never reached: the step before it ends the answer");
    out.push_back(read_step(item, groups));
    has_ended = std::holds_alternative<say_error>(out.back());
  });
  return out;
}

script_rule read_rule(const node& at) {
  at.expect_object({"when", "say"});
  script_rule out;
  if (auto when = at.find("when")) out.when = read_when(*when);
  auto say = at.find("say");
  if (!say) at.fail("a rule needs \"say\", a list of steps");
  auto groups = (out.when.user ? out.when.user->group_count() : 0) + (out.when.result ? out.when.result->group_count() : 0);
  out.say = read_steps(*say, groups);
  return out;
}

json::value read_json(std::string_view text) {
  if (text.size() > max_script_bytes) throw script_fault{"/", "more than " + std::to_string(max_script_bytes) + " bytes"};
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  json::parser parser({}, options);
  boost::system::error_code ec;
  auto good = parser.write_some(text.data(), text.size(), ec);
  if (!ec && good < text.size()) ec = json::make_error_code(json::error::extra_data);
  if (ec) {
    auto before = text.substr(0, good);
    auto line = 1 + std::count(before.begin(), before.end(), '\n');
    throw script_fault{"line " + std::to_string(line), "not JSON (" + ec.message() + ")"};
  }
  return parser.release();
}

}  // namespace

core::result<script_ptr> parse_script(std::string_view text) {
  try {
    auto value = read_json(text);
    node root{value, {}};
    root.expect_object({"rules", "otherwise"});
    auto out = std::make_shared<script>();
    if (auto rules = root.find("rules")) rules->each([&](const node& rule) { out->rules.push_back(read_rule(rule)); });
    if (auto otherwise = root.find("otherwise")) out->otherwise = read_steps(*otherwise, 0);
    if (out->rules.empty() && !out->otherwise) root.fail("a script needs \"rules\" or \"otherwise\"");
    return script_ptr(std::move(out));
  } catch (const script_fault& f) {
    return core::error{core::errc::configuration_error, f.at + ": " + f.text};
  } catch (const boost::system::system_error& e) {
    return core::error{core::errc::configuration_error, "not JSON (" + e.code().message() + ")"};
  }
}

}  // namespace troupe::providers
