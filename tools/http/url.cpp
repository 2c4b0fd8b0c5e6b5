#include "tools/http/url.hpp"

#include "tools/text.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace troupe::tools {

namespace {

using core::errc;
using core::error;

struct handle_deleter {
  void operator()(CURLU* handle) const noexcept { curl_url_cleanup(handle); }
};
using url_handle = std::unique_ptr<CURLU, handle_deleter>;

error wrong(std::string text) { return {errc::validation_error, std::move(text)}; }

bool has_controls(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

std::string part_of(CURLU* handle, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(handle, part, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return text;
}

/// `text` put on top of what the handle holds: an absolute URL, or one relative to it.
core::result<http_url> read(CURLU* handle, std::string_view text) {
  if (text.size() > max_url_bytes) return wrong("the URL is longer than " + std::to_string(max_url_bytes) + " bytes");
  if (has_controls(text)) return wrong("the URL " + tools::quoted(text) + " has control characters in it");
  auto code = curl_url_set(handle, CURLUPART_URL, std::string(text).c_str(), CURLU_DISALLOW_USER | CURLU_URLENCODE);
  constexpr const char* schemes = "must begin with http:// or https://";
  if (code == CURLUE_USER_NOT_ALLOWED)
    return wrong("the URL holds a user name or password, which is not allowed; send an Authorization header instead");
  if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME)
    return wrong("the URL " + tools::quoted(text) + " " + schemes);
  if (code != CURLUE_OK) return wrong("the URL " + tools::quoted(text) + " cannot be read: " + curl_url_strerror(code));

  curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  http_url out;
  out.scheme = lower(part_of(handle, CURLUPART_SCHEME, 0));
  if (out.scheme != "http" && out.scheme != "https") return wrong("the URL " + tools::quoted(text) + " " + schemes);
  out.host = lower(part_of(handle, CURLUPART_HOST, 0));
  while (out.host.ends_with('.')) out.host.pop_back();
  auto port = part_of(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  out.port = static_cast<std::uint16_t>(std::strtoul(port.c_str(), nullptr, 10));
  out.text = part_of(handle, CURLUPART_URL, 0);
  if (std::any_of(out.host.begin(), out.host.end(), [](char c) { return (c & 0x80) != 0; }))
    return wrong("the host " + tools::quoted(out.host) + " is not in ASCII; write it in its `xn--` form");
  if (out.host.empty() || out.text.empty()) return wrong("the URL " + tools::quoted(text) + " names no host");
  if (out.text.size() > max_url_bytes) return wrong("the URL is longer than " + std::to_string(max_url_bytes) + " bytes");
  return out;
}

}  // namespace

core::result<http_url> parse_url(std::string_view text) {
  url_handle handle(curl_url());
  if (!handle) return error{errc::internal_error, "out of memory"};
  return read(handle.get(), text);
}

core::result<http_url> resolve_url(const http_url& base, std::string_view location) {
  url_handle handle(curl_url());
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, base.text.c_str(), 0) != CURLUE_OK)
    return error{errc::internal_error, "the URL it came from cannot be read"};
  return read(handle.get(), location);
}

core::result<host_list> host_list::parse(const std::vector<std::string>& entries) {
  host_list out;
  for (const auto& entry : entries) {
    std::string_view name = entry;
    bool is_below = name.starts_with("*.");
    if (is_below) name.remove_prefix(2);
    bool is_bracketed = name.starts_with('[') && name.ends_with(']');
    bool is_plain = !name.empty() && name.find_first_of(is_bracketed ? "/@?#*% " : "/@?#*%: ") == std::string_view::npos;
    auto url = is_plain ? parse_url("http://" + std::string(name) + "/") : core::result<http_url>(wrong(""));
    if (!url)
      return error{errc::configuration_error, "hosts: " + tools::quoted(entry) +
                                                  " is no host; write a name such as `api.example.org`, or `*.example.org` for "
                                                  "all names below one, without scheme, port and path"};
    out.entries_.push_back((is_below ? "." : "") + url->host);
  }
  return out;
}

bool host_list::holds(std::string_view host) const noexcept {
  if (entries_.empty()) return true;
  return std::any_of(entries_.begin(), entries_.end(), [&](const std::string& entry) {
    return entry.starts_with('.') ? host.size() > entry.size() && host.ends_with(entry) : host == entry;
  });
}

}  // namespace troupe::tools
