#include "tools/argument_tests.hpp"

#include "tools/schema.hpp"

#include <openssl/sha.h>
#include <re2/re2.h>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

namespace troupe::tools {

namespace json = boost::json;
using core::argument_test;
using core::errc;
using core::error;
using comparison = argument_test::comparison;

namespace {

constexpr std::size_t max_tests = 32;
constexpr std::size_t max_pattern_bytes = 1'000;
constexpr std::size_t max_pointer_bytes = 1'000;
constexpr std::int64_t max_pattern_memory = 1 << 20;

struct named_comparison {
  std::string_view name;
  comparison is;
};
constexpr std::array<named_comparison, 7> comparisons{{{"equals", comparison::equals},
                                                       {"not_equals", comparison::not_equals},
                                                       {"less", comparison::less},
                                                       {"greater", comparison::greater},
                                                       {"matches", comparison::matches},
                                                       {"present", comparison::present},
                                                       {"absent", comparison::absent}}};

/// Wide enough for every integer and every double.
std::optional<long double> number_of(const json::value& v) {
  if (const auto* i = v.if_int64()) return static_cast<long double>(*i);
  if (const auto* u = v.if_uint64()) return static_cast<long double>(*u);
  if (const auto* d = v.if_double()) return static_cast<long double>(*d);
  return std::nullopt;
}

/// The value in one form. Fractions as far as every reader of JSON keeps them: in a text that is read and written again their
/// last digit may be another one.
void write_canonical(const json::value& v, std::string& out) {
  if (const auto* list = v.if_array()) {
    out += '[';
    for (const auto& item : *list) {
      write_canonical(item, out);
      out += ',';
    }
    out += ']';
  } else if (const auto* members = v.if_object()) {
    std::vector<const json::key_value_pair*> sorted;
    for (const auto& member : *members) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key() < b->key(); });
    out += '{';
    for (const auto* member : sorted) {
      out += json::serialize(json::string(member->key()));
      out += ':';
      write_canonical(member->value(), out);
      out += ',';
    }
    out += '}';
  } else if (const auto* number = v.if_double()) {
    std::array<char, 40> text{};
    bool is_whole = *number == std::floor(*number) && std::abs(*number) < 1e18;
    std::snprintf(text.data(), text.size(), is_whole ? "%.0f" : "%.14g", *number);
    out += text.data();
  } else {
    out += json::serialize(v);
  }
}

/// As JSON means it: 1 is 1.0, the order of members is of no account.
bool same(const json::value& a, const json::value& b) {
  std::string x, y;
  write_canonical(a, x);
  write_canonical(b, y);
  return x == y;
}

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(max_pattern_memory);
  return options;
}

/// Text as it is, anything else as JSON: a pattern may look at numbers too.
bool matches(const json::value& at, const std::string& pattern) {
  RE2 compiled(pattern, quiet());
  if (!compiled.ok()) return false;
  if (const auto* text = at.if_string()) return RE2::PartialMatch({text->data(), text->size()}, compiled);
  return RE2::PartialMatch(json::serialize(at), compiled);
}

const json::value* find(const json::value& in, const std::string& pointer) {
  boost::system::error_code broken;
  return in.find_pointer(pointer, broken);
}

bool holds(const argument_test& test, const json::value& arguments) {
  const auto* at = find(arguments, test.pointer);
  if (test.is == comparison::present) return at != nullptr;
  if (test.is == comparison::absent) return at == nullptr;
  if (test.is == comparison::matches) return at && matches(*at, test.value);
  auto wanted = parse_bounded(test.value, "a test");
  if (!wanted) return false;
  if (!at) return test.is == comparison::not_equals;
  if (test.is == comparison::equals) return same(*at, *wanted);
  if (test.is == comparison::not_equals) return !same(*at, *wanted);
  auto is = number_of(*at);
  auto limit = number_of(*wanted);
  if (!is || !limit) return false;
  return test.is == comparison::less ? *is < *limit : *is > *limit;
}

core::result<argument_test> read_test(const json::value& item, const std::string& place) {
  auto broken = [&](const std::string& why) { return error{errc::validation_error, place + ": " + why}; };
  const auto* members = item.if_object();
  if (!members) return broken(R"(expected an object such as {"argument": "/path", "matches": "^tmp/"})");
  argument_test test;
  bool is_told = false;
  for (const auto& member : *members) {
    std::string_view name(member.key().data(), member.key().size());
    if (name == "argument") {
      const auto* pointer = member.value().if_string();
      if (!pointer || pointer->size() > max_pointer_bytes || (!pointer->empty() && pointer->front() != '/'))
        return broken("`argument` must be a JSON pointer such as /path, or empty for all arguments");
      test.pointer.assign(pointer->data(), pointer->size());
      continue;
    }
    const auto* known = std::find_if(comparisons.begin(), comparisons.end(), [&](const auto& c) { return c.name == name; });
    if (known == comparisons.end())
      return broken("unknown member `" + std::string(name.substr(0, 40)) +
                    "`; there are argument, equals, not_equals, less, greater, matches, present and absent");
    if (std::exchange(is_told, true)) return broken("one comparison per test; write two tests");
    test.is = known->is;
    const auto& value = member.value();
    if (test.is == comparison::present || test.is == comparison::absent) {
      if (!value.is_bool() || !value.get_bool()) return broken("`" + std::string(name) + "` must be true");
    } else if (test.is == comparison::matches) {
      const auto* pattern = value.if_string();
      if (!pattern || pattern->size() > max_pattern_bytes)
        return broken("`matches` must be a regular expression of at most " + std::to_string(max_pattern_bytes) + " bytes");
      test.value.assign(pattern->data(), pattern->size());
      if (RE2 compiled(test.value, quiet()); !compiled.ok())
        return broken("the regular expression is broken: " + compiled.error());
    } else {
      if (test.is != comparison::equals && test.is != comparison::not_equals && !number_of(value))
        return broken("`" + std::string(name) + "` must be a number");
      test.value = json::serialize(value);
    }
  }
  if (!is_told) return broken("say how to compare: equals, not_equals, less, greater, matches, present or absent");
  return test;
}

}  // namespace

bool fits(const std::vector<argument_test>& tests, const json::object& arguments) {
  if (tests.empty()) return true;
  const json::value all(arguments);
  return std::all_of(tests.begin(), tests.end(), [&](const argument_test& test) { return holds(test, all); });
}

core::result<std::vector<argument_test>> argument_tests_from(std::string_view json_text) {
  auto parsed = parse_bounded(json_text, "the tests on arguments");
  if (!parsed) return error{errc::validation_error, parsed.error().text};
  const auto* list = parsed->if_array();
  if (!list || list->size() > max_tests)
    return error{errc::validation_error,
                 "the tests on arguments must be a list of at most " + std::to_string(max_tests) + " objects"};
  std::vector<argument_test> out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto test = read_test((*list)[i], "/" + std::to_string(i));
    if (!test) return test.error();
    out.push_back(std::move(*test));
  }
  return out;
}

std::string to_text(const std::vector<argument_test>& tests) {
  json::array out;
  for (const auto& test : tests) {
    json::object item{{"argument", test.pointer}};
    auto name = comparisons[static_cast<std::size_t>(test.is)].name;
    if (test.is == comparison::present || test.is == comparison::absent) {
      item[name] = true;
    } else if (test.is == comparison::matches) {
      item[name] = test.value;
    } else {
      auto value = parse_bounded(test.value, "a test");
      item[name] = value ? std::move(*value) : json::value(nullptr);
    }
    out.emplace_back(std::move(item));
  }
  return json::serialize(out);
}

std::vector<argument_test> exactly(const json::object& arguments) {
  return {{"", comparison::equals, json::serialize(arguments)}};
}

std::string arguments_hash(const json::object& arguments) {
  std::string text;
  write_canonical(json::value(arguments), text);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (auto byte : digest) {
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

}  // namespace troupe::tools
