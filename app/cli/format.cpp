#include "app/cli/format.hpp"

#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace troupe::app {

namespace json = boost::json;

namespace {

std::string decimal(double n, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, n);
  return text;
}

}  // namespace

std::string text_of(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  if (!v || v->is_null()) return {};
  return v->is_string() ? std::string(v->get_string()) : json::serialize(*v);
}

double number_of(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  boost::system::error_code failure;
  auto n = v ? v->to_number<double>(failure) : 0.0;
  return failure ? 0.0 : n;
}

std::int64_t integer_of(const json::object& o, std::string_view key) {
  auto n = number_of(o, key);
  return std::abs(n) < 9e15 ? static_cast<std::int64_t>(n) : 0;
}

const json::object& object_of(const json::object& o, std::string_view key) {
  static const json::object none;
  const auto* v = o.if_contains(key);
  return v && v->is_object() ? v->get_object() : none;
}

const json::array& array_of(const json::object& o, std::string_view key) {
  static const json::array none;
  const auto* v = o.if_contains(key);
  return v && v->is_array() ? v->get_array() : none;
}

std::string money(double usd) {
  if (usd == 0) return "$0";
  return "$" + decimal(usd, std::abs(usd) < 0.01 ? 6 : 4);
}

std::string amount(std::int64_t n) {
  auto digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string short_time(std::string_view iso) {
  std::string out(iso.substr(0, 19));
  if (out.size() > 10 && out[10] == 'T') out[10] = ' ';
  return out;
}

std::string duration(std::int64_t ms) {
  if (ms < 1000) return std::to_string(ms) + " ms";
  if (ms < 120'000) return decimal(static_cast<double>(ms) / 1000, 1) + " s";
  auto minutes = ms / 60'000;
  return minutes < 120 ? std::to_string(minutes) + " min" : std::to_string(minutes / 60) + " h";
}

std::string size_of_bytes(std::int64_t bytes) {
  auto n = static_cast<double>(bytes);
  if (bytes < 1024) return std::to_string(bytes) + " B";
  if (bytes < 1 << 20) return decimal(n / 1024, 1) + " KiB";
  if (bytes < 1 << 30) return decimal(n / (1 << 20), 1) + " MiB";
  return decimal(n / (1 << 30), 2) + " GiB";
}

table::table(std::vector<std::string> heading) : heading_(std::move(heading)) {}

void table::add(std::vector<std::string> row) {
  for (auto& cell : row) cell = safe_line(cell);
  row.resize(heading_.size());
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> table::widths() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < heading_.size(); ++i) {
    auto width = display_width(name_of(i));
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    out.push_back(width);
  }
  return out;
}

std::size_t table::width() const {
  std::size_t out = 0;
  for (auto width : widths()) out += width + 2;
  return out < 2 ? 0 : out - 2;
}

std::string table::name_of(std::size_t column) const {
  const auto& name = heading_[column];
  return name.substr(is_number(column) ? 1 : 0);
}

bool table::is_number(std::size_t column) const { return heading_[column].starts_with('>'); }

/// The first cell is a line of its own, the others follow with their names.
std::string table::stacked(const terminal& to) const {
  std::string out;
  for (const auto& row : rows_) {
    out += to.styled(style::bold, safe_line(row[0], to.width));
    std::size_t used = to.width;
    for (std::size_t i = 1; i < row.size(); ++i) {
      if (row[i].empty()) continue;
      auto name = name_of(i);
      if (!name.empty()) name += ' ';
      auto cell = safe_line(row[i], to.width - std::min(to.width - 10, display_width(name) + 2));
      auto width = display_width(name) + display_width(cell);
      bool fits = used + 2 + width <= to.width;
      out += fits ? "  " : "\n  ";
      out += to.styled(style::dim, name) + cell;
      used = (fits ? used : 0) + 2 + width;
    }
    out += "\n";
  }
  return out;
}

std::string table::str(const terminal& to) const {
  auto all = widths();
  // Texts at the end are cut, down to some words; numbers never.
  constexpr std::size_t least_text = 16;
  auto last = heading_.size() - 1;
  auto least = width() - all[last] + (is_number(last) ? all[last] : std::min(all[last], least_text));
  if (to.is_output && least > to.width) return stacked(to);
  auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    std::size_t used = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      auto cell = cells[i];
      if (i == last && !is_number(i) && to.is_output) cell = safe_line(cell, to.width - used);
      std::string blanks(all[i] - std::min(all[i], display_width(cell)), ' ');
      out += is_number(i) ? blanks + cell : i == last ? cell : cell + blanks;
      if (i != last) out += "  ";
      used += all[i] + 2;
    }
    return out;
  };
  std::vector<std::string> names;
  for (std::size_t i = 0; i < heading_.size(); ++i) names.push_back(name_of(i));
  auto out = to.styled(style::bold, line(names)) + "\n";
  for (const auto& row : rows_) out += line(row) + "\n";
  return out;
}

}  // namespace troupe::app
