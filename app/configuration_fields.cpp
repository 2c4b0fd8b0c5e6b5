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

template <auto Member>
constexpr auto of_transport = [](auto& c) -> auto& {
  return c.limits.*Member;
};
template <auto Member>
constexpr auto of_sessions = [](auto& c) -> auto& {
  return c.sessions.*Member;
};

template <auto Member>
constexpr field<config> transport_limit(std::string_view key, std::int64_t least, std::int64_t most) {
  return number<config, of_transport<Member>>(key, least, most);
}
template <auto Member>
constexpr field<config> session_limit(std::string_view key, std::int64_t least, std::int64_t most) {
  return number<config, of_sessions<Member>>(key, least, most);
}

constexpr std::array server_limit_fields{
    transport_limit<&transport_limits::max_frame_bytes>("max_frame_bytes", 1'024, gib),
    transport_limit<&transport_limits::max_body_bytes>("max_body_bytes", 1'024, gib),
    transport_limit<&transport_limits::max_header_bytes>("max_header_bytes", 1'024, 1 << 20),
    transport_limit<&transport_limits::header_timeout>("header_timeout_ms", 1, hour_ms),
    transport_limit<&transport_limits::idle_timeout>("idle_timeout_ms", 1, week_ms),
    transport_limit<&transport_limits::max_connections>("max_connections", 1, 10'000'000),
    transport_limit<&transport_limits::connections_per_address>("connections_per_address", 1, 10'000'000),
    transport_limit<&transport_limits::messages_per_second>("messages_per_second", 1, 1'000'000),
    transport_limit<&transport_limits::outbound_high_water_bytes>("outbound_high_water_bytes", 1'024, gib),
    transport_limit<&transport_limits::outbound_limit_bytes>("outbound_limit_bytes", 1'024, gib),
    transport_limit<&transport_limits::slow_client_timeout>("slow_client_timeout_ms", 1, hour_ms),
    transport_limit<&transport_limits::session_idle_timeout>("session_idle_timeout_ms", 1, week_ms),
    flag<config, of_transport<&transport_limits::permessage_deflate>>("permessage_deflate"),
    session_limit<&session_limits::max_file_bytes>("max_file_bytes", 1, gib),
    session_limit<&session_limits::max_files>("max_files", 0, 100'000),
    session_limit<&session_limits::max_session_bytes>("max_session_bytes", 1, 4 * gib - 1),
    session_limit<&session_limits::max_participants>("max_participants", 0, 10'000),
    session_limit<&session_limits::agent_stream_turns>("agent_stream_turns", 1, 100'000),
    session_limit<&session_limits::max_rooms>("max_rooms", 1, 10'000),
};

constexpr std::array socketio_fields{
    number<socketio_config, &socketio_config::ping_interval>("ping_interval_ms", 10, hour_ms),
    number<socketio_config, &socketio_config::ping_timeout>("ping_timeout_ms", 10, hour_ms),
    number<socketio_config, &socketio_config::connect_timeout>("connect_timeout_ms", 10, hour_ms),
    number<socketio_config, &socketio_config::max_payload>("max_payload", 1'024, gib),
    flag<socketio_config, &socketio_config::recovery>("recovery"),
    number<socketio_config, &socketio_config::recovery_window>("recovery_window_ms", 0, week_ms),
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

constexpr auto whole_file = [](auto& d) -> auto& { return d; };
constexpr auto settings = [](auto& d) -> auto& { return d.config; };
constexpr auto data_folder = [](auto& d) -> auto& { return d.config.storage.data; };
constexpr auto stored = [](auto& d) -> auto& { return d.config.storage; };
constexpr auto default_project = [](auto& d) -> auto& { return d.config.default_project; };
constexpr auto socketio = [](auto& d) -> auto& { return d.config.socketio; };
constexpr auto io_threads = [](auto& d) -> auto& { return d.config.io_threads; };
constexpr auto workers = [](auto& d) -> auto& { return d.config.workers; };
constexpr auto scenarios = [](auto& d) -> auto& { return d.config.scenarios; };

}  // namespace

std::span<const field<document>> document_fields() {
  static const std::array table{
      field<document>{"listen", read_listen, [](const document& d) -> json::value { return list_of_texts(d.config.listen); }},
      text<document, data_folder>("data"),
      object<document, stored, storage_fields>("storage"),
      text<document, default_project>("default_project"),
      providers_field(),
      prices_field(),
      projects_field(),
      auth_field(),
      object<document, whole_file, cors_fields>("cors"),
      object<document, settings, server_limit_fields>("limits"),
      object<document, socketio, socketio_fields>("socketio"),
      number<document, io_threads>("io_threads", 1, 64),
      number<document, workers>("workers", 0, 256),
      field<document>{"log_level", read_log_level,
                      [](const document& d) -> json::value { return json::value(d.config.log_level); }},
      text<document, scenarios>("scenarios"),
      tools_field(),
      approvals_field(),
      unsupported<document>("tls"),
  };
  return table;
}

}  // namespace troupe::app
