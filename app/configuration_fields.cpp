// Tables of what is not providers or projects.
#include "app/configuration_fields.hpp"

#include <array>
#include <charconv>

namespace troupe::app {

namespace json = boost::json;
using namespace core;

namespace {

json::value list_of_texts(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

constexpr std::int64_t gib = std::int64_t{1} << 30;

constexpr std::array transport_fields{
    number<transport_limits, &transport_limits::max_frame_bytes>("max_frame_bytes", 1'024, gib),
    number<transport_limits, &transport_limits::max_body_bytes>("max_body_bytes", 1'024, gib),
    number<transport_limits, &transport_limits::max_header_bytes>("max_header_bytes", 1'024, 1 << 20),
    number<transport_limits, &transport_limits::header_timeout>("header_timeout_ms", 1, hour_ms),
    number<transport_limits, &transport_limits::idle_timeout>("idle_timeout_ms", 1, week_ms),
    number<transport_limits, &transport_limits::max_connections>("max_connections", 1, 10'000'000),
    number<transport_limits, &transport_limits::connections_per_address>("connections_per_address", 1, 10'000'000),
    number<transport_limits, &transport_limits::messages_per_second>("messages_per_second", 1, 1'000'000),
    number<transport_limits, &transport_limits::outbound_high_water_bytes>("outbound_high_water_bytes", 1'024, gib),
    number<transport_limits, &transport_limits::outbound_limit_bytes>("outbound_limit_bytes", 1'024, gib),
    number<transport_limits, &transport_limits::slow_client_timeout>("slow_client_timeout_ms", 1, hour_ms),
    number<transport_limits, &transport_limits::session_idle_timeout>("session_idle_timeout_ms", 1, week_ms),
};

void read_synchronous(const node& at, storage_config& to, std::int64_t, std::int64_t) {
  constexpr std::array<std::string_view, 2> words{"full", "normal"};
  to.full_sync = at.one_of(words) == "full";
}

constexpr std::array storage_fields{
    field<storage_config>{"synchronous", read_synchronous,
                          [](const storage_config& s) -> json::value { return json::value(s.full_sync ? "full" : "normal"); }},
    number<storage_config, &storage_config::readers>("readers", 1, 64),
};

void read_auth_mode(const node& at, config&, std::int64_t, std::int64_t) {
  constexpr std::array<std::string_view, 2> modes{"none", "required"};
  if (at.one_of(modes) == "required") at.fail("\"required\" is not supported by this build yet; it serves without auth only");
}

constexpr std::array auth_fields{
    field<config>{"mode", read_auth_mode, [](const config&) -> json::value { return json::value("none"); }},
    flag<config, &config::insecure_no_auth>("insecure_no_auth"),
    unsupported<config>("jwt"),
    unsupported<config>("api_keys"),
};

void read_origins(const node& at, document& to, std::int64_t, std::int64_t) {
  to.has_origins = true;
  to.config.cors_origins.clear();
  std::size_t i = 0;
  for (auto& origin : at.texts(max_entries)) {
    auto entry = at.child(std::to_string(i++), at.value);
    if (origin.ends_with('/')) origin.pop_back();
    auto scheme = origin.find("://");
    if (scheme == std::string::npos || scheme == 0 || scheme + 3 == origin.size() ||
        origin.find_first_of("/*? ", scheme + 3) != std::string::npos)
      entry.fail("expected an origin such as http://localhost:3000 (scheme, host and port only)");
    to.config.cors_origins.push_back(std::move(origin));
  }
}

constexpr std::array cors_fields{
    field<document>{"origins", read_origins,
                    [](const document& d) -> json::value { return list_of_texts(d.config.cors_origins); }},
};

void check_address(const node& at, const std::string& address) {
  auto colon = address.rfind(':');
  auto port = colon == std::string::npos ? std::string_view() : std::string_view(address).substr(colon + 1);
  auto host = std::string_view(address).substr(0, colon == std::string::npos ? 0 : colon);
  bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  unsigned number = 0;
  auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || port.empty() || problem != std::errc{} || end != port.data() + port.size() || number > 65'535 ||
      (!is_bracketed && host.find(':') != std::string_view::npos))
    at.fail("expected HOST:PORT such as 127.0.0.1:8080 or [::1]:8080");
}

void read_listen(const node& at, document& to, std::int64_t, std::int64_t) {
  if (!at.value.is_string() && !at.value.is_array()) at.expected("HOST:PORT or a list of them");
  to.config.listen = at.value.is_string() ? std::vector{at.text()} : at.texts(16);
  if (to.config.listen.empty()) at.fail("needs at least one HOST:PORT");
  std::size_t i = 0;
  for (const auto& address : to.config.listen)
    check_address(at.value.is_array() ? at.child(std::to_string(i++), at.value) : at, address);
}

void read_log_level(const node& at, document& to, std::int64_t, std::int64_t) {
  constexpr std::array<std::string_view, 6> levels{"trace", "debug", "info", "warn", "error", "off"};
  to.config.log_level = at.one_of(levels);
}

void read_tool_sources(const node& at, document&, std::int64_t, std::int64_t) {
  if (!at.object().empty())
    at.child(at.object().begin()->key(), at.value)
        .fail("tools of kind http, mcp and command are not supported by this build yet");
}

}  // namespace

std::span<const field<document>> document_fields() {
  static const std::array table{
      field<document>{"listen", read_listen, [](const document& d) -> json::value { return list_of_texts(d.config.listen); }},
      text < document, [](auto& d) -> auto& {return d.config.storage.data;
}
> ("data"), object < document, [](auto& d) -> auto& { return d.config.storage; }
, storage_fields > ("storage"), text < document, [](auto& d) -> auto& { return d.config.default_project; }
> ("default_project"), providers_field(), prices_field(), projects_field(), object < document, [](auto& d) -> auto& {
  return d.config;
}
, auth_fields > ("auth"), object < document, [](auto& d) -> auto& { return d; }
, cors_fields > ("cors"), object < document, [](auto& d) -> auto& { return d.config.limits; }
, transport_fields > ("limits"), number < document, [](auto& d) -> auto& { return d.config.io_threads; }
> ("io_threads", 1, 64), number < document, [](auto& d) -> auto& { return d.config.workers; }
> ("workers", 0, 256),
    field<document>{"log_level", read_log_level,
                    [](const document& d) -> json::value { return json::value(d.config.log_level); }},
    field<document>{.key = "tools", .read = read_tool_sources, .is_supported = false}, unsupported<document>("tls"),
};  // namespace troupe::app
return table;
}

}  // namespace troupe::app
