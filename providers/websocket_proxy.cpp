#include "providers/websocket_proxy.hpp"

#include "providers/attachments.hpp"
#include "providers/utf8.hpp"

#include <algorithm>

namespace troupe::providers {

namespace {

constexpr std::string_view default_port = "1080";

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

/// `%41` is `A`; a percent sign that begins nothing stands for itself.
std::string percent_decoded(std::string_view text) {
  auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      auto high = digit(lower(text.substr(i + 1, 1))[0]);
      auto low = digit(lower(text.substr(i + 2, 1))[0]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; });
}

}  // namespace

std::optional<websocket_proxy> websocket_proxy::parse(std::string_view text) {
  if (auto scheme = text.find("://"); scheme != std::string_view::npos) {
    if (lower(text.substr(0, scheme)) != "http") return std::nullopt;
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find_first_of("/?#"));
  websocket_proxy out;
  if (auto at = text.rfind('@'); at != std::string_view::npos) {
    out.credentials = base64(percent_decoded(text.substr(0, at)));
    text.remove_prefix(at + 1);
  }
  // The same host and port as in a URL of the upstream.
  auto address = websocket_url::parse("ws://" + std::string(text));
  if (!address || !is_plain(text)) return std::nullopt;
  out.host = address->host;
  out.port = text.ends_with(":" + address->port) ? address->port : std::string(default_port);
  return out;
}

std::string websocket_proxy::request_to(const websocket_url& upstream) const {
  auto name = upstream.host.find(':') == std::string::npos ? upstream.host : "[" + upstream.host + "]";
  auto target = name + ":" + upstream.port;
  auto out = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\nUser-Agent: troupe\r\n";
  if (!credentials.empty()) out += "Proxy-Authorization: Basic " + credentials + "\r\n";
  return out + "\r\n";
}

bool is_without_proxy(std::string_view no_proxy, std::string_view host) {
  const auto wanted = lower(host);
  while (!no_proxy.empty()) {
    auto entry = lower(no_proxy.substr(0, no_proxy.find_first_of(", ")));
    no_proxy.remove_prefix(std::min(no_proxy.size(), entry.size() + 1));
    if (entry == "*") return true;
    if (entry.starts_with('.')) entry.erase(0, 1);
    if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
    if (entry.empty()) continue;
    if (wanted == entry || wanted.ends_with("." + entry)) return true;
  }
  return false;
}

core::result<std::optional<websocket_proxy>> proxy_for(const websocket_url& upstream, const std::string& configured,
                                                       const environment_lookup& environment) {
  auto wrong = [](const std::string& where) {
    return core::error{core::errc::configuration_error,
                       where + " is not of the form http://HOST[:PORT], the only kind of proxy that kind \"websocket\" takes"};
  };
  if (!configured.empty()) {
    auto proxy = websocket_proxy::parse(configured);
    if (!proxy) return wrong("proxy");
    return proxy;
  }
  auto either = [&](const char* small, const char* large) {
    auto found = environment(small).value_or("");
    return found.empty() ? environment(large).value_or("") : found;
  };
  if (is_without_proxy(either("no_proxy", "NO_PROXY"), upstream.host)) return std::optional<websocket_proxy>{};
  std::string name = upstream.is_secure ? "https_proxy" : "http_proxy";
  auto url = upstream.is_secure ? either("https_proxy", "HTTPS_PROXY") : environment("http_proxy").value_or("");
  if (url.empty()) {
    name = "all_proxy";
    url = either("all_proxy", "ALL_PROXY");
  }
  if (url.empty()) return std::optional<websocket_proxy>{};
  auto proxy = websocket_proxy::parse(url);
  if (!proxy) return wrong("the environment variable " + name);
  return proxy;
}

std::optional<std::string> refusal_of_proxy(std::string_view head) {
  auto line = head.substr(0, head.find_first_of("\r\n"));
  if (!line.starts_with("HTTP/1.")) return "answered no HTTP: " + bounded_text(line, 80);
  auto status = line.size() >= 12 ? line.substr(9, 3) : std::string_view{};
  if (status.starts_with('2')) return std::nullopt;
  auto said = "refused the tunnel: HTTP " + bounded_text(line.substr(std::min<std::size_t>(9, line.size())), 80);
  if (status == "407" || status == "401")
    said += "; give its name and password in the environment (https_proxy=http://name:password@host:port)";
  return said;
}

}  // namespace troupe::providers
