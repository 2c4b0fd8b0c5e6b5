#include "transport/rest/multipart.hpp"

#include "transport/net/http_target.hpp"

#include <algorithm>

namespace troupe::transport {

namespace {

constexpr std::size_t longest_part_header = 4096;
constexpr std::size_t longest_boundary = 70;  // RFC 2046 §5.1.1

core::error bad_form(std::string_view what) {
  return {core::errc::validation_error, "multipart/form-data: " + std::string(what)};
}

std::string_view trim(std::string_view text) {
  auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes one `token` or `"quoted"` value off `rest`.
std::string take_value(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    auto value = rest.substr(0, std::min(rest.find(';'), rest.size()));
    rest.remove_prefix(value.size());
    return std::string(trim(value));
  }
  std::string out;
  std::size_t i = 1;
  for (; i < rest.size() && rest[i] != '"'; ++i) {
    // Only these two are escaped: a Windows path holds bare backslashes.
    if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;
    out += rest[i];
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return out;
}

/// Browsers write a quote in a name as %22 (WHATWG HTML, multipart/form-data encoding).
std::string plain_name(std::string name) {
  constexpr std::string_view quote = "%22";
  for (auto at = name.find(quote); at != std::string::npos; at = name.find(quote, at + 1)) name.replace(at, quote.size(), "\"");
  return name.substr(name.find_last_of("/\\") + 1);
}

/// A part's header fields; an error text, or nothing.
std::string_view read_fields(std::string_view fields, form_part& part) {
  while (!fields.empty()) {
    auto end = std::min(fields.find("\r\n"), fields.size());
    auto line = fields.substr(0, end);
    fields.remove_prefix(std::min(end + 2, fields.size()));
    auto colon = line.find(':');
    if (colon == std::string_view::npos) return "a part has a header line without a colon";
    auto field = line.substr(0, colon);
    auto value = trim(line.substr(colon + 1));
    if (equal_ignoring_case(field, "content-type")) part.content_type = std::string(value);
    if (!equal_ignoring_case(field, "content-disposition")) continue;
    part.name = header_parameter(value, "name");
    part.filename = plain_name(header_parameter(value, "filename"));
    part.has_filename = value.find("filename=") != std::string_view::npos;
  }
  if (part.name.empty()) return "a part has no name in its Content-Disposition";
  return {};
}

}  // namespace

bool is_form_data(std::string_view content_type) {
  return equal_ignoring_case(trim(content_type.substr(0, content_type.find(';'))), "multipart/form-data");
}

std::string header_parameter(std::string_view header, std::string_view name) {
  auto semicolon = header.find(';');
  auto rest = semicolon == std::string_view::npos ? std::string_view{} : header.substr(semicolon);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the semicolon, or whatever stands behind a value
    auto stop = std::min(rest.find_first_of(";="), rest.size());
    auto key = trim(rest.substr(0, stop));
    rest.remove_prefix(stop);
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    auto value = take_value(rest);
    if (equal_ignoring_case(key, name)) return value;
    rest.remove_prefix(std::min(rest.find(';'), rest.size()));
  }
  return {};
}

core::result<std::vector<form_part>> parse_form_data(std::string_view content_type, std::string_view body) {
  auto boundary = header_parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > longest_boundary)
    return bad_form("Content-Type must name a boundary of 1 to 70 characters");
  const auto delimiter = "\r\n--" + boundary;
  // The first delimiter may stand at the very beginning; what is before it is not ours.
  std::size_t at = 0;
  if (body.starts_with(std::string_view(delimiter).substr(2))) {
    at = delimiter.size() - 2;
  } else {
    at = body.find(delimiter);
    if (at == std::string_view::npos) return bad_form("the boundary is not in the body");
    at += delimiter.size();
  }
  std::vector<form_part> parts;
  for (;;) {
    auto rest = body.substr(at);
    if (rest.starts_with("--")) return parts;
    while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
    if (!rest.starts_with("\r\n")) return bad_form("a boundary is not followed by the end of its line");
    if (parts.size() == most_form_parts) return bad_form("there are more than " + std::to_string(most_form_parts) + " parts");
    // A part without fields has its blank line at once.
    auto head_end = rest.substr(0, longest_part_header + 4).find("\r\n\r\n");
    if (head_end == std::string_view::npos) return bad_form("the header fields of a part do not end within 4096 bytes");
    form_part part;
    if (auto problem = read_fields(head_end == 0 ? std::string_view{} : rest.substr(2, head_end - 2), part); !problem.empty())
      return bad_form(problem);
    auto data_at = static_cast<std::size_t>(rest.data() - body.data()) + head_end + 4;
    // The delimiter's line break may be the one that ends the fields of an empty part.
    auto data_end = body.find(delimiter, data_at - 2);
    if (data_end == std::string_view::npos) return bad_form("the body ends inside a part; its closing boundary is missing");
    part.data = body.substr(data_at, data_end < data_at ? 0 : data_end - data_at);
    parts.push_back(std::move(part));
    at = data_end + delimiter.size();
  }
}

}  // namespace troupe::transport
