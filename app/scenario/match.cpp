#include "app/scenario/match.hpp"

#include <re2/re2.h>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t max_shown_value = 400;

std::string json_excerpt(const json::value& v) {
  auto text = json::serialize(v);
  if (text.size() > max_shown_value) text = text.substr(0, max_shown_value) + "…";
  return text;
}

mismatch differs(const std::string& path, const json::value& expected, const json::value& actual) {
  return {path, "expected " + json_excerpt(expected) + ", came " + json_excerpt(actual)};
}

std::string joined(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

/// The word and value of `{"$word": …}`, or null.
const json::key_value_pair* directive_of(const json::value& v) {
  const auto* object = v.if_object();
  if (!object || object->size() != 1 || !object->begin()->key().starts_with('$')) return nullptr;
  return object->begin();
}

RE2 pattern_of(const json::value& v) {
  RE2::Options options;
  options.set_log_errors(false);
  return RE2(re2::StringPiece(v.get_string().data(), v.get_string().size()), options);
}

using found = std::optional<mismatch>;

found match_at(const json::value& expected, const json::value& actual, bindings& bound, const std::string& path);

found match_text(const json::value& expected, const json::value& actual, bindings& bound, const std::string& path) {
  std::string_view text = expected.get_string();
  auto name = variable_in(text);
  if (name.empty()) {
    if (text.starts_with("$$")) text.remove_prefix(1);
    if (actual.is_string() && actual.get_string() == text) return std::nullopt;
    return differs(path, expected, actual);
  }
  auto [it, is_new] = bound.emplace(std::string(name), actual);
  if (is_new || it->second == actual) return std::nullopt;
  return mismatch{path, std::string(text) + " is " + json_excerpt(it->second) + ", came " + json_excerpt(actual)};
}

found match_object(const json::value& expected, const json::value& actual, bindings& bound, const std::string& path) {
  if (!actual.is_object()) return differs(path, expected, actual);
  for (const auto& field : expected.get_object()) {
    auto at = joined(path, field.key());
    const auto* value = actual.get_object().if_contains(field.key());
    if (field.value().is_null()) {
      if (value && !value->is_null()) return mismatch{at, "expected none, came " + json_excerpt(*value)};
      continue;
    }
    if (!value) return mismatch{at, "expected " + json_excerpt(field.value()) + ", there is no such field"};
    if (auto wrong = match_at(field.value(), *value, bound, at)) return wrong;
  }
  return std::nullopt;
}

found match_array(const json::value& expected, const json::value& actual, bindings& bound, const std::string& path) {
  if (!actual.is_array()) return differs(path, expected, actual);
  const auto& want = expected.get_array();
  const auto& have = actual.get_array();
  for (std::size_t i = 0; i < std::min(want.size(), have.size()); ++i)
    if (auto wrong = match_at(want[i], have[i], bound, path + "[" + std::to_string(i) + "]")) return wrong;
  if (want.size() == have.size()) return std::nullopt;
  return mismatch{path, "expected " + std::to_string(want.size()) + " items, came " + std::to_string(have.size()) + ": " +
                            json_excerpt(actual)};
}

found match_at(const json::value& expected, const json::value& actual, bindings& bound, const std::string& path) {
  if (const auto* directive = directive_of(expected)) {
    if (directive->key() == "$any") return std::nullopt;
    auto subject = actual.is_string() ? std::string(actual.get_string()) : json::serialize(actual);
    if (RE2::PartialMatch(subject, pattern_of(directive->value()))) return std::nullopt;
    return differs(path, expected, actual);
  }
  if (expected.is_string()) return match_text(expected, actual, bound, path);
  if (expected.is_object()) return match_object(expected, actual, bound, path);
  if (expected.is_array()) return match_array(expected, actual, bound, path);
  if (expected == actual) return std::nullopt;
  return differs(path, expected, actual);
}

}  // namespace

std::string_view variable_in(std::string_view text) noexcept {
  if (text.size() < 2 || text[0] != '$') return {};
  auto name = text.substr(1);
  auto is_fit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return std::all_of(name.begin(), name.end(), is_fit) ? name : std::string_view{};
}

found match(const json::value& expected, const json::value& actual, bindings& bound) {
  auto tried = bound;
  auto wrong = match_at(expected, actual, tried, {});
  if (!wrong) bound = std::move(tried);
  return wrong;
}

found defect_in(const json::value& expected) {
  if (const auto* directive = directive_of(expected)) {
    if (directive->key() == "$any") {
      if (directive->value() != json::value(true)) return mismatch{"$any", "expected true"};
      return std::nullopt;
    }
    if (directive->key() != "$regex")
      return mismatch{std::string(directive->key()), "unknown word; allowed here: $any, $regex"};
    if (!directive->value().is_string()) return mismatch{"$regex", "expected a pattern in a string"};
    if (auto pattern = pattern_of(directive->value()); !pattern.ok())
      return mismatch{"$regex", "is not a pattern that RE2 knows: " + pattern.error()};
    return std::nullopt;
  }
  if (const auto* object = expected.if_object()) {
    for (const auto& field : *object)
      if (auto wrong = defect_in(field.value())) return mismatch{joined(std::string(field.key()), wrong->path), wrong->text};
  } else if (const auto* array = expected.if_array()) {
    for (const auto& item : *array)
      if (auto wrong = defect_in(item)) return wrong;
  }
  return std::nullopt;
}

}  // namespace troupe::app
