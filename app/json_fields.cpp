#include "app/json_fields.hpp"

#include <algorithm>
#include <numeric>

namespace troupe::app {

namespace json = boost::json;

namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      auto changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string list_of(std::span<const std::string_view> words) {
  std::string out;
  for (auto word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

std::string_view kind_of(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  word = word.substr(0, 64);  // longer ones are near nothing
  auto found =
      std::min_element(words.begin(), words.end(), [&](auto a, auto b) { return distance(word, a) < distance(word, b); });
  return found == words.end() ? std::string_view() : *found;
}

std::string name_of(const node& parent, std::string_view key) {
  bool is_good = !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
  if (!is_good) parent.child(key, parent.value).fail("a name here has 1 to 64 letters, digits, `-`, `_` or `.`");
  return std::string(key);
}

void unknown_key(const node& at, std::string_view key, std::span<const std::string_view> known) {
  at.child(key, at.value)
      .fail("unknown key; the nearest known one is \"" + std::string(nearest(key, known)) + "\" (known: " + list_of(known) +
            ")");
}

void node::fail(std::string text) const { throw fault{pointer, std::move(text)}; }

void node::expected(std::string_view what) const {
  auto got = std::string(kind_of(value));
  if (value.is_int64()) got = std::to_string(value.get_int64());
  fail("expected " + std::string(what) + ", got " + got);
}

node node::child(std::string_view key, const json::value& v) const {
  std::string at = pointer + "/";
  for (char c : key.substr(0, 100)) at += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return {v, std::move(at)};
}

const json::object& node::object() const {
  if (!value.is_object()) expected("an object");
  return value.get_object();
}

const json::array& node::array(std::size_t most) const {
  if (!value.is_array()) expected("a list");
  if (value.get_array().size() > most) fail("has more than " + std::to_string(most) + " items");
  return value.get_array();
}

std::string node::text(std::size_t most) const {
  if (!value.is_string()) expected("a string");
  if (value.get_string().size() > most) fail("is longer than " + std::to_string(most) + " bytes");
  return std::string(value.get_string());
}

bool node::boolean() const {
  if (!value.is_bool()) expected("true or false");
  return value.get_bool();
}

std::int64_t node::whole(std::int64_t least, std::int64_t most) const {
  if (!value.is_int64() || value.get_int64() < least || value.get_int64() > most)
    expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return value.get_int64();
}

double node::number(double least, double most) const {
  boost::system::error_code none;
  auto v = value.is_number() ? value.to_number<double>(none) : least - 1;
  if (!(v >= least && v <= most)) {
    auto bound = [](double d) { return std::to_string(static_cast<std::int64_t>(d)); };
    expected("a number from " + bound(least) + " to " + bound(most));
  }
  return v;
}

std::string node::one_of(std::span<const std::string_view> words) const {
  auto word = value.is_string() ? std::string_view(value.get_string()) : std::string_view();
  if (!value.is_string()) expected("one of " + list_of(words));
  if (std::find(words.begin(), words.end(), word) == words.end())
    fail("expected one of " + list_of(words) + "; the nearest is \"" + std::string(nearest(word, words)) + "\"");
  return std::string(word);
}

std::vector<std::string> node::texts(std::size_t most) const {
  std::vector<std::string> out;
  std::size_t i = 0;
  for (const auto& item : array(most)) out.push_back(child(std::to_string(i++), item).text(1024));
  return out;
}

}  // namespace troupe::app
