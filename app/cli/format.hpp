// JSON of the REST API as people read it: money, times, amounts, tables. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

struct terminal;

/// A member as text: strings as they are, null and missing ones empty, everything else as JSON. Not yet safe.
[[nodiscard]] std::string text_of(const boost::json::object& o, std::string_view key);
[[nodiscard]] double number_of(const boost::json::object& o, std::string_view key);
[[nodiscard]] std::int64_t integer_of(const boost::json::object& o, std::string_view key);
/// A member that is an object; an empty one where it is none.
[[nodiscard]] const boost::json::object& object_of(const boost::json::object& o, std::string_view key);
[[nodiscard]] const boost::json::array& array_of(const boost::json::object& o, std::string_view key);

/// `$0.2560`; less than a cent to a millionth, which is what is counted in.
[[nodiscard]] std::string money(double usd);
/// `122,000`
[[nodiscard]] std::string amount(std::int64_t n);
/// `2026-11-21 19:31:40` of an ISO time.
[[nodiscard]] std::string short_time(std::string_view iso);
/// `14 ms`, `2.5 s`, `3 min`
[[nodiscard]] std::string duration(std::int64_t ms);
[[nodiscard]] std::string size_of_bytes(std::int64_t bytes);

/// Rows of safe lines under a heading, aligned by width. A heading that begins with `>` is of numbers, which end where it ends.
class table {
 public:
  explicit table(std::vector<std::string> heading);
  void add(std::vector<std::string> row);
  /// A text in the last column is cut to the terminal's width, where there is a terminal; where that is too narrow for the
  /// others, a row takes several lines.
  [[nodiscard]] std::string str(const terminal& to) const;
  /// Columns of its widest line.
  [[nodiscard]] std::size_t width() const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  [[nodiscard]] std::string name_of(std::size_t column) const;
  [[nodiscard]] bool is_number(std::size_t column) const;
  [[nodiscard]] std::string stacked(const terminal& to) const;

  std::vector<std::string> heading_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace troupe::app
