#include "transport/json_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>

namespace troupe::transport {

using core::errc;

void append_json_string(std::string& out, std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  out.push_back('"');
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, from, i - from);
    from = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out.push_back(hex[c >> 4]);
        out.push_back(hex[c & 15]);
    }
  }
  out.append(text, from, text.size() - from);
  out.push_back('"');
}

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

core::result<boost::json::value> parse_json(std::string_view text) {
  boost::json::stream_parser parser({}, {.max_depth = 64});
  boost::system::error_code error;
  auto used = parser.write_some(text, error);
  if (!error && used < text.size()) error = boost::json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) return core::error{errc::parse_error, "Not JSON at byte " + std::to_string(used) + ": " + error.message()};
  return parser.release();
}

core::result<boost::json::object> parse_object(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return value.error();
  if (auto* object = value->if_object()) return std::move(*object);
  return core::error{errc::parse_error, "A JSON object is expected."};
}

boost::json::value json_or_string(std::string_view text) {
  if (auto value = parse_json(text)) return std::move(*value);
  return boost::json::string(text);
}

boost::json::value output_value(std::string_view text) {
  if (!text.empty() && (text.front() == '{' || text.front() == '['))
    if (auto value = parse_json(text)) return std::move(*value);
  return boost::json::string(text);
}

std::string iso_time(core::millis at) {
  auto seconds = static_cast<std::time_t>(at.count() / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> out;
  auto n = std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  auto ms = std::to_string(1000 + at.count() % 1000).substr(1);
  return std::string(out.data(), n) + "." + ms + "Z";
}

std::optional<core::millis> time_from(std::string_view text) {
  auto digits = [&](std::size_t at, std::size_t count, std::int64_t least, std::int64_t most) -> std::optional<std::int64_t> {
    if (at + count > text.size()) return std::nullopt;
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + at + count, value);
    if (error != std::errc{} || end != text.data() + at + count || value < least || value > most) return std::nullopt;
    return value;
  };
  constexpr std::int64_t latest = 253'402'300'799'999;  // the end of 9999
  if (text.find_first_not_of("0123456789") == text.npos) {
    auto ms = digits(0, text.size(), 0, latest);
    return ms ? std::optional(core::millis{*ms}) : std::nullopt;
  }
  constexpr std::string_view form = "####-##-##T##:##:##.###Z";
  constexpr std::array<std::size_t, 3> lengths{10, 20, 24};  // a date; with seconds; with milliseconds
  if (std::find(lengths.begin(), lengths.end(), text.size()) == lengths.end()) return std::nullopt;
  auto fits = [&](std::size_t i) {
    auto expected = text.size() == 20 && i == 19 ? 'Z' : form[i];
    return expected == '#' ? text[i] >= '0' && text[i] <= '9' : text[i] == expected;
  };
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!fits(i)) return std::nullopt;
  auto year = digits(0, 4, 1970, 9999);
  auto month = digits(5, 2, 1, 12);
  auto day = digits(8, 2, 1, 31);
  if (!year || !month || !day) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                   std::chrono::month{static_cast<unsigned>(*month)},
                                   std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  core::millis out = std::chrono::sys_days(date).time_since_epoch();
  if (text.size() == lengths[0]) return out;
  auto hour = digits(11, 2, 0, 23);
  auto minute = digits(14, 2, 0, 59);
  auto second = digits(17, 2, 0, 59);
  if (!hour || !minute || !second) return std::nullopt;
  out += std::chrono::hours{*hour} + std::chrono::minutes{*minute} + std::chrono::seconds{*second};
  return text.size() == lengths[2] ? out + core::millis{digits(20, 3, 0, 999).value_or(0)} : out;
}

core::result<std::string> string_field(const boost::json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  if (!v || v->is_null()) return std::string{};
  if (!v->is_string()) return core::error{errc::validation_error, "Field \"" + std::string(name) + "\" must be a string."};
  return std::string(v->get_string());
}

core::result<std::optional<core::seq_t>> seq_field(const boost::json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  if (!v || v->is_null()) return std::optional<core::seq_t>{};
  if (v->is_int64() && v->get_int64() >= 0) return std::optional{static_cast<core::seq_t>(v->get_int64())};
  return core::error{errc::validation_error, "Field \"" + std::string(name) + "\" must be a non-negative integer."};
}

}  // namespace troupe::transport
