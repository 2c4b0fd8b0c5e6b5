// Tables that say which keys a JSON object may have, how each is read into a struct and how it is written back. A key
// that is in no table is an error, and the tables can be listed. Used at start-up and on reload only, on one thread.
// What is wrong is thrown as `fault` and ends in the function that started the reading.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace troupe::app {

struct fault {
  std::string pointer;
  std::string text;
};

/// A JSON value and where it stands.
struct node {
  const boost::json::value& value;
  std::string pointer;

  [[noreturn]] void fail(std::string text) const;
  /// "expected X, got a string".
  [[noreturn]] void expected(std::string_view what) const;
  [[nodiscard]] node child(std::string_view key, const boost::json::value& v) const;

  [[nodiscard]] const boost::json::object& object() const;
  [[nodiscard]] const boost::json::array& array(std::size_t most) const;
  [[nodiscard]] std::string text(std::size_t most = 64 << 10) const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::int64_t whole(std::int64_t least, std::int64_t most) const;
  [[nodiscard]] double number(double least, double most) const;
  /// One of `words`; anything else names the nearest.
  [[nodiscard]] std::string one_of(std::span<const std::string_view> words) const;
  [[nodiscard]] std::vector<std::string> texts(std::size_t most) const;
};

/// The word of `words` with the fewest edits to `word` (Levenshtein); empty when there are none.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

/// `key` where it is fit to stand in URLs, logs and the database; else a fault.
[[nodiscard]] std::string name_of(const node& parent, std::string_view key);

template <class T>
struct field {
  std::string_view key;
  void (*read)(const node& at, T& to, std::int64_t least, std::int64_t most) = nullptr;
  /// Null: not written; another key carries the value.
  boost::json::value (*write)(const T& from) = nullptr;
  /// Adds the keys below this one; null: none.
  void (*list)(const std::string& pointer, std::vector<std::string>& out) = nullptr;
  std::int64_t least = 0;
  std::int64_t most = 0;
  bool is_supported = true;
};

[[noreturn]] void unknown_key(const node& at, std::string_view key, std::span<const std::string_view> known);

/// Every key must be in the table. `null` is the same as leaving the key out.
template <class T>
void read_fields(const node& at, T& to, std::span<const field<T>> table) {
  for (const auto& member : at.object()) {
    const field<T>* found = nullptr;
    for (const auto& f : table)
      if (f.key == member.key()) found = &f;
    if (!found) {
      std::vector<std::string_view> known;
      for (const auto& f : table)
        if (f.is_supported) known.push_back(f.key);
      unknown_key(at, member.key(), known);
    }
    if (!member.value().is_null()) found->read(at.child(member.key(), member.value()), to, found->least, found->most);
  }
}

template <class T>
boost::json::object write_fields(const T& from, std::span<const field<T>> table) {
  boost::json::object out;
  for (const auto& f : table)
    if (f.write) out[f.key] = f.write(from);
  return out;
}

template <class T>
void list_fields(const std::string& pointer, std::span<const field<T>> table, std::vector<std::string>& out) {
  for (const auto& f : table) {
    if (!f.is_supported) continue;
    auto at = pointer + "/" + std::string(f.key);
    out.push_back(at);
    if (f.list) f.list(at, out);
  }
}

// Makers of the usual fields. `Access` is a member pointer or a lambda that gives the place in T.

/// Whole numbers; a duration is written in milliseconds and its key ends in `_ms`.
template <class T, auto Access>
constexpr field<T> number(std::string_view key, std::int64_t least, std::int64_t most) {
  return {key,
          [](const node& at, T& to, std::int64_t lowest, std::int64_t highest) {
            auto& place = std::invoke(Access, to);
            place = static_cast<std::remove_cvref_t<decltype(place)>>(at.whole(lowest, highest));
          },
          [](const T& from) -> boost::json::value {
            const auto& place = std::invoke(Access, from);
            if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(place)>>)
              return boost::json::value(place);
            else
              return boost::json::value(place.count());
          },
          nullptr,
          least,
          most};
}

/// Strings and name ids.
template <class T, auto Access>
constexpr field<T> text(std::string_view key) {
  return {key,
          [](const node& at, T& to, std::int64_t, std::int64_t) {
            auto& place = std::invoke(Access, to);
            place = std::remove_cvref_t<decltype(place)>{at.text()};
          },
          [](const T& from) -> boost::json::value {
            const auto& place = std::invoke(Access, from);
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(place)>, std::string>)
              return boost::json::value(place);
            else
              return boost::json::value(place.str());
          }};
}

template <class T, auto Access>
constexpr field<T> flag(std::string_view key) {
  return {key, [](const node& at, T& to, std::int64_t, std::int64_t) { std::invoke(Access, to) = at.boolean(); },
          [](const T& from) -> boost::json::value { return boost::json::value(std::invoke(Access, from)); }};
}

/// An object with a table of its own.
template <class T, auto Access, const auto& Table>
constexpr field<T> object(std::string_view key) {
  using inner = std::remove_cvref_t<std::invoke_result_t<decltype(Access), T&>>;
  return {key,
          [](const node& at, T& to, std::int64_t, std::int64_t) { read_fields<inner>(at, std::invoke(Access, to), Table); },
          [](const T& from) -> boost::json::value { return write_fields<inner>(std::invoke(Access, from), Table); },
          [](const std::string& pointer, std::vector<std::string>& out) { list_fields<inner>(pointer, Table, out); }};
}

/// A key of the documented configuration that this build does not know what to do with yet.
template <class T>
constexpr field<T> unsupported(std::string_view key) {
  return {
      .key = key,
      .read = [](const node& at, T&, std::int64_t, std::int64_t) { at.fail("is not supported by this build yet; remove it"); },
      .is_supported = false};
}

}  // namespace troupe::app
