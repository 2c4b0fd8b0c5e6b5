#include "transport/net/http_target.hpp"
#include "transport/net/server.hpp"
#include "transport/net/utf8.hpp"

#include <algorithm>

namespace troupe::transport {

namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

core::error bad_target(std::string_view what) { return {core::errc::validation_error, "request target: " + std::string(what)}; }

/// The raw value of the first parameter with this name, or nothing.
std::optional<std::string_view> find_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), true) == name) return pair.substr(std::min(equals + 1, pair.size()));
  }
  return std::nullopt;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

bool is_valid_utf8(std::string_view text) noexcept {
  utf8_checker checker;
  return checker.take(text) && checker.is_complete();
}

core::result<http_target> parse_target(std::string_view target) {
  if (target == "*") return http_target{"*", {}};
  if (target.empty()) return bad_target("is empty; send a path that starts with /");
  if (target.front() != '/') {
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos ||
        !(equal_ignoring_case(target.substr(0, scheme), "http") || equal_ignoring_case(target.substr(0, scheme), "https")))
      return bad_target("is neither a path nor an http URL; send a path that starts with /");
    target.remove_prefix(scheme + 3);
    target.remove_prefix(std::min(target.find_first_of("/?#"), target.size()));
  }
  if (target.find('#') != std::string_view::npos) return bad_target("holds a fragment; leave out # and what follows");
  const auto mark = std::min(target.find('?'), target.size());
  auto path = percent_decode(target.substr(0, mark), false);
  if (!path) return bad_target("holds a % that two hex digits do not follow; write a percent sign as %25");
  if (path->find('\0') != std::string::npos) return bad_target("holds a NUL byte; remove %00");
  if (!is_valid_utf8(*path)) return bad_target("is not UTF-8 after percent-decoding; encode the path as UTF-8");
  if (path->empty()) *path = "/";
  return http_target{std::move(*path), std::string(target.substr(std::min(mark + 1, target.size())))};
}

std::string_view http_request::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers)
    if (equal_ignoring_case(key, name)) return value;
  return {};
}

std::string http_request::query_value(std::string_view name) const {
  auto raw = find_parameter(query, name);
  if (!raw) return {};
  auto value = percent_decode(*raw, true);
  // What cannot be text is treated as absent: it must not travel into JSON, logs or the database.
  if (!value || value->find('\0') != std::string::npos || !is_valid_utf8(*value)) return {};
  return std::move(*value);
}

bool http_request::has_query(std::string_view name) const { return find_parameter(query, name).has_value(); }

}  // namespace troupe::transport
