#include "tools/mcp/session.hpp"

#include "tools/text.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>

// | phase        | what comes                                   | next         |
// |--------------|----------------------------------------------|--------------|
// | idle         | start, era unknown or modern                 | probing      |
// | idle         | start, era legacy                            | initializing |
// | probing      | discovery, or -32022, with our version       | listing      |
// | probing      | the same with legacy versions only           | initializing |
// | probing      | the same with neither; -32020, -32021        | failed       |
// | probing      | any other error, an HTTP refusal, 2 s        | initializing |
// | initializing | result with a version of ours                | listing      |
// | initializing | -32022 that names our modern version         | probing      |
// | initializing | an error, and the probe's late answer        | listing      |
// | initializing | another version, any other error             | failed       |
// | listing      | the last page; no tools offered              | ready        |
// | listing      | an error                                     | failed       |
// | ready        | the HTTP session is gone                     | initializing |
// | any          | the server cannot be reached, before `ready` | failed       |

namespace troupe::tools::mcp {

namespace json = boost::json;

namespace {

constexpr std::string_view client_version = "0.1.0";

json::object client_info() {
  json::object out;
  out.emplace("name", "troupe");
  out.emplace("version", client_version);
  return out;
}

/// What a server may ask of us: forms, and people to open a page. No sampling, no roots.
json::object client_capabilities() {
  json::object modes;
  modes.emplace("form", json::object());
  modes.emplace("url", json::object());
  json::object out;
  out.emplace("elicitation", std::move(modes));
  return out;
}

void add_modern_meta(json::object& params) {
  auto* meta = params.if_contains("_meta");
  if (meta == nullptr) meta = &params.emplace("_meta", json::object()).first->value();
  auto& object = meta->get_object();
  object.emplace("io.modelcontextprotocol/protocolVersion", modern_version);
  object.emplace("io.modelcontextprotocol/clientCapabilities", client_capabilities());
  object.emplace("io.modelcontextprotocol/clientInfo", client_info());
}

bool is_text(const json::value& v, std::string_view text) {
  const auto* string = v.if_string();
  return string != nullptr && std::string_view(*string) == text;
}

bool is_legacy_version(std::string_view version) {
  return std::find(std::begin(legacy_versions), std::end(legacy_versions), version) != std::end(legacy_versions);
}

}  // namespace

std::string_view to_string(phase p) noexcept {
  constexpr std::array<std::string_view, 6> names{"idle", "probing", "initializing", "listing", "ready", "failed"};
  return names.at(static_cast<std::size_t>(p));
}

bool session_output::is_empty() const noexcept {
  return send.empty() && abandon.empty() && calls.empty() && !tools && notes.empty() && !list_changed && !listen_lost;
}

session::session(session_options options) : options_(std::move(options)) {}

session_output session::take() { return std::exchange(out_, {}); }

void session::start() {
  if (options_.known == era::legacy)
    send_initialize();
  else
    send_discover();
}

void session::fail(std::string why) {
  phase_ = phase::failed;
  failure_ = std::move(why);
}

// ---- sending ----

std::int64_t session::send_request(purpose why, std::string_view method, json::object params, const call* of) {
  auto id = ++last_id_;
  bool is_modern = why == purpose::discover || (why != purpose::initialize && era_ == era::modern);
  if (is_modern) add_modern_meta(params);
  outgoing m;
  m.text = request_text(id, method, std::move(params));
  m.request = id;
  m.method = method;
  m.is_modern = is_modern;
  m.version = is_modern ? std::string(modern_version) : why == purpose::initialize ? std::string() : version_;
  if (of != nullptr) {
    m.name = of->request.tool;
    if (is_modern) m.headers = of->request.headers;
  }
  requests_.emplace(id, why);
  out_.send.push_back(std::move(m));
  return id;
}

void session::send_raw(std::string text, std::string_view method) {
  outgoing m;
  m.text = std::move(text);
  m.method = method;
  m.version = version_;
  m.is_modern = era_ == era::modern;
  out_.send.push_back(std::move(m));
}

void session::send_notification(std::string_view method, json::object params) {
  send_raw(notification_text(method, std::move(params)), method);
}

void session::send_discover() {
  phase_ = phase::probing;
  send_request(purpose::discover, "server/discover", {});
}

void session::send_initialize() {
  phase_ = phase::initializing;
  era_ = era::unknown;
  version_.clear();
  json::object params;
  params.emplace("protocolVersion", legacy_versions[0]);
  params.emplace("capabilities", client_capabilities());
  params.emplace("clientInfo", client_info());
  send_request(purpose::initialize, "initialize", std::move(params));
}

void session::send_list(std::string_view cursor) {
  is_listing_ = true;
  json::object params;
  if (!cursor.empty()) params.emplace("cursor", cursor);
  send_request(purpose::list, "tools/list", std::move(params));
}

// ---- finding the era ----

void session::probe_expired() {
  if (phase_ != phase::probing) return;
  for (const auto& [id, why] : requests_)
    if (why == purpose::discover && options_.is_http) out_.abandon.push_back(id);
  if (probed_again_) return fail("it does not answer server/discover");
  send_initialize();
}

void session::on_discovered(const json::object& result) {
  if (phase_ == phase::initializing) {  // slower than the probe waits: it counts if the handshake is refused
    late_discovery_ = result;
    return;
  }
  if (phase_ != phase::probing) return;
  const auto* versions = result.if_contains("supportedVersions");
  if (versions == nullptr || !versions->is_array()) return send_initialize();
  for (const auto& v : versions->get_array())
    if (is_text(v, modern_version)) {
      era_ = era::modern;
      version_ = modern_version;
      return begin_listing(object_at(result, "capabilities"));
    }
  choose_version(versions);
}

/// The server does not speak our modern version, and says what it speaks.
void session::choose_version(const json::value* versions) {
  std::string spoken;
  if (versions != nullptr && versions->is_array())
    for (const auto& v : versions->get_array()) {
      if (!v.is_string()) continue;
      std::string_view text(v.get_string());
      if (is_legacy_version(text)) return send_initialize();
      if (spoken.size() < 200) spoken += (spoken.empty() ? "" : ", ") + quoted(text, 40);
    }
  fail("it speaks MCP " + (spoken.empty() ? "of unknown versions" : spoken) + "; this server speaks " +
       std::string(modern_version) + " and " + std::string(legacy_versions[3]) + " to " + std::string(legacy_versions[0]));
}

void session::on_initialized(const json::object& result) {
  if (phase_ != phase::initializing) return;
  auto version = text_at(result, "protocolVersion");
  if (!is_legacy_version(version))
    return fail("it answered initialize with protocol version " + quoted(version, 40) + "; this server speaks " +
                std::string(legacy_versions[3]) + " to " + std::string(legacy_versions[0]) + " that way");
  era_ = era::legacy;
  version_ = version;
  send_notification("notifications/initialized", {});
  begin_listing(object_at(result, "capabilities"));
}

// ---- its tools ----

void session::begin_listing(const json::object* capabilities) {
  const auto* offers = capabilities == nullptr ? nullptr : object_at(*capabilities, "tools");
  const auto* changes = offers == nullptr ? nullptr : offers->if_contains("listChanged");
  announces_changes_ = changes != nullptr && *changes == true;
  phase_ = phase::listing;
  is_listing_ = list_again_ = false;
  if (offers == nullptr) {
    listing_ = {};
    return finish_listing();
  }
  refresh();
}

void session::refresh() {
  if (phase_ != phase::listing && phase_ != phase::ready) return;
  if (is_listing_) {
    list_again_ = true;
    return;
  }
  listing_ = {};
  cursors_.clear();
  pages_ = 0;
  send_list({});
}

void session::on_page(const json::object& page) {
  const auto* tools = page.if_contains("tools");
  if (tools != nullptr && tools->is_array())
    for (const auto& item : tools->get_array()) listing_.add(item, options_.is_http && era_ == era::modern);
  auto next = text_at(page, "nextCursor");
  if (next.empty()) return finish_listing();
  if (++pages_ >= max_pages || listing_.tools.size() >= max_tools) {
    listing_.cut("the list has more than " + std::to_string(max_pages) + " pages or " + std::to_string(max_tools) + " tools");
    return finish_listing();
  }
  if (!cursors_.emplace(next).second) {
    listing_.cut("the list goes in a circle");
    return finish_listing();
  }
  send_list(next);
}

void session::on_list_error(const message& m) {
  if (m.code == rpc::method_not_found) {
    listing_ = {};
    return finish_listing();
  }
  is_listing_ = false;
  if (phase_ == phase::listing) return fail("it refused tools/list: " + m.text);
  out_.notes.push_back("refused tools/list: " + m.text);
}

void session::finish_listing() {
  is_listing_ = false;
  bool is_first = phase_ == phase::listing;
  phase_ = phase::ready;
  out_.tools = std::exchange(listing_, {});
  cursors_.clear();
  if (is_first && era_ == era::modern && announces_changes_) listen();
  if (std::exchange(list_again_, false)) out_.list_changed = true;
}

void session::listen() {
  if (phase_ != phase::ready || era_ != era::modern || listen_id_ != 0) return;
  json::object wanted;
  wanted.emplace("toolsListChanged", true);
  json::object params;
  params.emplace("notifications", std::move(wanted));
  listen_id_ = send_request(purpose::listen, "subscriptions/listen", std::move(params));
}

void session::check() {
  if (era_ == era::modern)
    send_request(purpose::check, "server/discover", {});
  else
    send_request(purpose::check, "ping", {});
}

// ---- receiving ----

void session::receive(message m, std::int64_t origin) {
  if (phase_ == phase::failed || phase_ == phase::idle) return;
  if (m.is == message::kind::request) return on_peer_request(std::move(m), origin);
  if (m.is == message::kind::notification) return on_notification(m);
  // Over HTTP a refusal may come without an id: it belongs to what was asked there.
  auto id = m.id == 0 && m.is == message::kind::error ? origin : m.id;
  auto found = requests_.find(id);
  if (found == requests_.end()) return;  // late, repeated, or never asked
  auto why = found->second;
  requests_.erase(found);
  if (m.is == message::kind::result)
    on_result(why, id, std::move(m));
  else
    on_error(why, id, m);
}

void session::on_result(purpose why, std::int64_t id, message m) {
  switch (why) {
    case purpose::discover:
      return on_discovered(m.result);
    case purpose::initialize:
      return on_initialized(m.result);
    case purpose::list:
      return on_page(m.result);
    case purpose::listen:
      listen_id_ = 0;
      out_.listen_lost = true;
      return;
    case purpose::check:
      return;
    case purpose::call:
      if (auto* c = call_of(id)) on_call_result(*c, std::move(m));
      return;
  }
}

void session::on_error(purpose why, std::int64_t id, const message& m) {
  const auto* data = m.data.if_object();
  const auto* supported = data == nullptr ? nullptr : data->if_contains("supported");
  bool speaks_modern = false;
  if (m.code == rpc::unsupported_version && supported != nullptr && supported->is_array())
    for (const auto& v : supported->get_array()) speaks_modern = speaks_modern || is_text(v, modern_version);
  switch (why) {
    case purpose::discover:
      if (phase_ != phase::probing) return;
      if (m.code == rpc::unsupported_version) return choose_version(supported);
      if (m.code == rpc::header_mismatch || m.code == rpc::missing_capability)
        return fail("it refused server/discover: " + m.text);
      return send_initialize();
    case purpose::initialize:
      if (late_discovery_) {
        phase_ = phase::probing;
        return on_discovered(*std::exchange(late_discovery_, {}));
      }
      if (speaks_modern && !probed_again_) {
        probed_again_ = true;
        return send_discover();
      }
      return fail("it refused initialize: " + m.text);
    case purpose::list:
      return on_list_error(m);
    case purpose::listen:
      // It announced changes and refuses to tell them: asking again changes nothing.
      listen_id_ = 0;
      out_.notes.push_back("refused subscriptions/listen: " + m.text);
      return;
    case purpose::check:
      return;
    case purpose::call:
      break;
  }
  auto* c = call_of(id);
  if (c == nullptr) return;
  auto text = m.text + " (error " + std::to_string(m.code) + ")";
  if (m.code == rpc::header_mismatch) {
    out_.list_changed = true;  // its schema wants other headers than the one we know
    text += "; its tools are being listed anew, so the call may be made again";
  } else if (m.code == rpc::missing_capability) {
    text += "; it wants of its client what this server does not offer";
  } else if (m.code == rpc::url_elicitation_required && data != nullptr) {
    if (const auto* pages = data->if_contains("elicitations"); pages != nullptr && pages->is_array())
      for (std::size_t i = 0; i < std::min<std::size_t>(pages->get_array().size(), 5); ++i)
        if (const auto* page = pages->get_array()[i].if_object())
          text += "\nA person has to open " + readable(text_at(*page, "url"), 2'000) +
                  " first: " + readable(text_at(*page, "message"), 500);
  }
  end_call(*c, call_event::kind::refused, std::move(text));
}

void session::request_failed(std::int64_t request, const request_failure& failure) {
  using kind = request_failure::kind;
  if (failure.is == kind::no_session && failure.is_current && phase_ == phase::ready) {
    is_listing_ = false;
    for (auto it = requests_.begin(); it != requests_.end();)
      it = it->second == purpose::list ? requests_.erase(it) : std::next(it);
    send_initialize();
  }
  auto found = requests_.find(request);
  if (found == requests_.end()) return;
  auto why = found->second;
  requests_.erase(found);
  switch (why) {
    case purpose::discover:
      if (phase_ != phase::probing) return;
      return failure.is == kind::unreachable ? fail(failure.text) : send_initialize();
    case purpose::initialize:
      if (late_discovery_) {
        phase_ = phase::probing;
        return on_discovered(*std::exchange(late_discovery_, {}));
      }
      return fail(failure.text);
    case purpose::list:
      is_listing_ = false;
      if (phase_ == phase::listing) return fail(failure.text);
      out_.notes.push_back("did not list its tools: " + failure.text);
      return;
    case purpose::listen:
      listen_id_ = 0;
      out_.listen_lost = true;
      return;
    case purpose::check:
      return;
    case purpose::call:
      break;
  }
  if (auto* c = call_of(request))
    end_call(*c,
             failure.is == kind::lost         ? call_event::kind::lost
             : failure.is == kind::no_session ? call_event::kind::again
                                              : call_event::kind::refused,
             failure.text);
}

void session::on_notification(const message& m) {
  if (m.method == "notifications/progress") return on_progress(m.params);
  if (m.method == "notifications/tools/list_changed") {
    if (phase_ == phase::listing)
      list_again_ = true;
    else if (phase_ == phase::ready)
      out_.list_changed = true;
    return;
  }
  if (m.method != "notifications/cancelled" || listen_id_ == 0) return;
  if (const auto* id = m.params.if_contains("requestId"); id != nullptr && *id == listen_id_) {
    requests_.erase(listen_id_);
    listen_id_ = 0;
    out_.listen_lost = true;
  }
}

}  // namespace troupe::tools::mcp
