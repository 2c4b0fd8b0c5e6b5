#include "tools/http/header_rules.hpp"

#include "tools/text.hpp"

#include <algorithm>
#include <array>

namespace troupe::tools {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// RFC 9110 §7.6.1 and what libcurl and this program write themselves.
constexpr std::array<std::string_view, 12> not_ours{
    "accept-encoding", "connection", "content-length", "cookie2",           "expect", "host", "http2-settings",
    "keep-alive",      "te",         "trailer",        "transfer-encoding", "upgrade"};
constexpr std::array<std::string_view, 4> harmless{"accept", "accept-language", "content-type", "user-agent"};

template <class Names>
bool is_among(const Names& names, std::string_view name) noexcept {
  return std::any_of(names.begin(), names.end(), [&](std::string_view n) { return same_name(n, name); });
}

/// RFC 9110 §5.6.2
bool is_token(std::string_view text) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || marks.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7F); });
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool has_header(const std::vector<http_header>& headers, std::string_view name) noexcept {
  return std::any_of(headers.begin(), headers.end(), [&](const http_header& h) { return same_name(h.name, name); });
}

core::result<void> check_headers(const std::vector<http_header>& headers) {
  auto wrong = [](std::string text) { return core::error{core::errc::validation_error, std::move(text)}; };
  if (headers.size() > max_headers) return wrong("there are more than " + std::to_string(max_headers) + " headers");
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) {
    if (!is_token(name)) return wrong("the header name " + tools::quoted(name) + " has characters that no name may have");
    if (!is_value(value))
      return wrong("the value of the header " + tools::quoted(name) + " has a line break or another control character in it");
    if (is_among(not_ours, name) || same_name(std::string_view(name).substr(0, 6), "proxy-"))
      return wrong("the header " + tools::quoted(name) + " belongs to the connection and cannot be set; leave it out");
    bytes += name.size() + value.size() + 4;
  }
  if (bytes > max_header_bytes)
    return wrong("the headers are larger than " + std::to_string(max_header_bytes) + " bytes together");
  return {};
}

bool is_harmless(std::string_view name) noexcept { return is_among(harmless, name); }

std::string header_line(const http_header& header) {
  bool is_blank = header.value.find_first_not_of(" \t") == std::string::npos;
  return is_blank ? header.name + ";" : header.name + ": " + header.value;
}

}  // namespace troupe::tools
