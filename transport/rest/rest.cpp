#include "transport/rest/rest.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t longest_session_name = 200;

core::error no_session(std::string_view text) {
  return {errc::not_found, "Session not found: " + std::string(text.substr(0, 64))};
}

std::string reason_of(int status) {
  const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  return {reason.data(), reason.size()};
}

/// The scope and the word for it; no scope: any credentials will do.
std::pair<std::uint8_t, std::string_view> scope_of(access needs, bool is_reading) {
  namespace scope = core::scope;
  switch (needs) {
    case access::usual:
      return is_reading ? scope_of(access::read, true) : scope_of(access::chat, false);
    case access::read:
      return {scope::read, "read"};
    case access::chat:
      return {scope::chat, "chat"};
    case access::approve:
      return {scope::approve, "approve"};
    case access::admin:
    case access::operations:
      return {scope::admin, "admin"};
    case access::open:
    case access::known:
      break;
  }
  return {};
}

/// What an actor or a service refuses names the field in its text, where it is about one: `field: …` or `Field "x" …`.
json::object issue_of(std::string_view text) {
  constexpr std::string_view quoted = "Field \"";
  auto is_name = [](std::string_view name) {
    static constexpr std::string_view marks = "_.-[]";
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
    });
  };
  if (auto end = text.find(": "); end != text.npos && is_name(text.substr(0, end)))
    return {{"path", text.substr(0, end)}, {"message", text.substr(end + 2)}};
  if (auto end = text.find("\" ", quoted.size()); text.starts_with(quoted) && end != text.npos)
    return {{"path", text.substr(quoted.size(), end - quoted.size())}, {"message", text.substr(end + 2)}};
  return {{"path", ""}, {"message", text}};
}

http_response json_response(int status, std::string body) {
  return {status, "application/json", std::move(body), {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}}};
}

}  // namespace

rest_call::rest_call(feed_hub& hub, http_request r, std::shared_ptr<http_exchange> e, error_shape shape)
    : request(std::move(r)), exchange(std::move(e)), hub_(hub), shape_(shape) {}

const std::string& rest_call::parameter(std::string_view name) const {
  static const std::string none;
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return none;
}

void rest_call::answer(int status, json::object body) { exchange->respond(json_response(status, json::serialize(body))); }
void rest_call::answer(int status, json::array body) { exchange->respond(json_response(status, json::serialize(body))); }

void rest_call::fail_method(const std::string& allowed) {
  fail({errc::method_not_allowed, request.method.substr(0, 16) + " is not allowed here; use " + allowed + "."}, {},
       {{"Allow", allowed}});
}

void rest_call::fail(const core::error& e, json::value details, std::vector<std::pair<std::string, std::string>> headers) {
  auto response = json_response(core::http_status(e.code), {});
  std::move(headers.begin(), headers.end(), std::back_inserter(response.headers));
  if (response.status == 429 || response.status == 503) response.headers.emplace_back("Retry-After", "1");
  if (response.status == 401)  // RFC 6750 §3
    response.headers.emplace_back("WWW-Authenticate",
                                  e.code == errc::auth_required ? "Bearer" : "Bearer error=\"invalid_token\"");
  json::object body;
  if (shape_ == error_shape::detail) {
    if (response.status == 400) response.status = 422;
    body["detail"] = e.text;
  } else if (shape_ == error_shape::statuscode) {
    body["statusCode"] = response.status;
    body["message"] = e.text;
    body["error"] = reason_of(response.status);
  } else {
    json::object error{{"code", core::to_string(e.code)}, {"message", e.text}};
    if (e.code == errc::validation_error && details.is_null())
      details = json::object{{"issues", json::array{issue_of(e.text)}}};
    if (!details.is_null()) error["details"] = std::move(details);
    body["error"] = std::move(error);
    body["message"] = e.text;
  }
  response.body = json::serialize(body);
  exchange->respond(std::move(response));
}

void rest_call::fail_field(std::string_view path, std::string_view message) {
  json::object issue{{"path", path}, {"message", message}};
  fail_with({errc::validation_error, std::string(path) + ": " + std::string(message)},
            {{"issues", json::array{std::move(issue)}}});
}

void rest_call::fail_field(const field_problem& problem) {
  if (problem.code == errc::validation_error) return fail_field(problem.path, problem.message);
  fail(to_error(problem));
}

std::optional<json::object> rest_call::body_object() {
  auto type = request.header("content-type");
  if (!type.empty() && type.find("json") == std::string_view::npos) {
    fail({errc::unsupported_media_type, "Content-Type must be application/json."});
    return std::nullopt;
  }
  auto object = parse_object(request.body.empty() ? "{}" : request.body);
  if (object) return std::move(*object);
  fail({errc::validation_error, object.error().text});
  return std::nullopt;
}

std::optional<std::string> rest_call::body_string(const json::object& body, std::string_view name, bool required) {
  const auto* v = body.if_contains(name);
  if (!v || v->is_null()) {
    if (!required) return std::string{};
    fail_field(name, "is required");
    return std::nullopt;
  }
  if (!v->is_string() || (required && v->get_string().empty())) {
    fail_field(name, required ? "must be a non-empty string" : "must be a string");
    return std::nullopt;
  }
  return std::string(v->get_string());
}

std::optional<std::int64_t> rest_call::number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                              std::int64_t most) {
  auto text = request.query_value(name);
  if (text.empty()) return otherwise;
  std::int64_t out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc{} && end == text.data() + text.size() && out >= least && out <= most) return out;
  fail_field(name, "must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<core::window> rest_call::window() {
  constexpr core::window usual;
  auto limit = number("limit", usual.limit, 1, 100);
  if (!limit) return std::nullopt;
  auto offset = number("offset", usual.offset, 0, std::int64_t{1} << 40);
  if (!offset) return std::nullopt;
  return core::window{*limit, *offset};
}

bool rest_call::admit(access needs) {
  auto who = way().auth().of_request(request);
  if (who) who_ = std::move(*who);
  if (needs == access::open || (needs == access::operations && request.is_loopback)) return true;
  if (!who) {
    fail(who.error());
    return false;
  }
  const auto [scope, name] = scope_of(needs, request.method == "GET" || request.method == "HEAD");
  if (who_.may(scope)) return true;
  fail(core::error{errc::forbidden, "These credentials do not allow this; it needs the scope " + std::string(name) + "."});
  return false;
}

std::optional<std::string> rest_call::visible_to() const {
  return who_.may(core::scope::admin) ? std::nullopt : std::optional(who_.id);
}

void rest_call::resolve(std::string text, std::function<void(core::session_id)> then) {
  if (auto id = core::session_id::parse(text)) return then(*id);
  if (text.empty() || text.size() > longest_session_name) return fail(no_session(text));
  core::resolve_session question{config().default_project, text};
  way().ask(std::move(question),
            [me = shared_from_this(), text = std::move(text), then = std::move(then)](const core::result<core::answer>& r) {
              if (r) return then(std::get<core::session_id>(*r));
              me->fail(r.error().code == errc::not_found ? no_session(text) : r.error());
            });
}

void rest_call::find_session(std::string text, std::function<void(core::session_record)> then) {
  auto missing = no_session(text);
  resolve(std::move(text), [me = shared_from_this(), missing = std::move(missing), then = std::move(then)](
                               core::session_id id) mutable { me->see_session(id, std::move(missing), std::move(then)); });
}

void rest_call::see_session(core::session_id session, core::error otherwise, std::function<void(core::session_record)> then) {
  way().ask(core::get_session{session},
            [me = shared_from_this(), otherwise = std::move(otherwise), then = std::move(then)](core::result<core::answer> r) {
              if (!r) return me->fail(r.error().code == errc::not_found ? otherwise : r.error());
              auto& found = std::get<core::session_record>(*r);
              if (found.status == core::session_status::deleted || !core::may_see(me->who_, found)) return me->fail(otherwise);
              then(std::move(found));
            });
}

void rest_call::submit(core::session_id session, core::command command, std::function<void(core::command_reply)> then) {
  way().submit(session, who_, std::move(command),
               [me = shared_from_this(), then = std::move(then)](core::result<core::command_reply> r) {
                 if (!r) return me->fail(r.error());
                 then(std::move(*r));
               });
}

bool rest_call::wants_event_stream() const {
  return request.header("accept").find("text/event-stream") != std::string_view::npos;
}

json::object list_of(json::array items, std::int64_t total, core::window w) {
  json::object out;
  out["data"] = items;
  out["items"] = std::move(items);
  out["total"] = total;
  out["limit"] = w.limit;
  out["offset"] = w.offset;
  return out;
}

void answer_nothing(const rest_call_ptr& call) { call->exchange->respond({204, "", "", {{"Cache-Control", "no-store"}}}); }

void answer_list(const rest_call_ptr& call, json::array all) {
  auto w = call->window();
  if (!w) return;
  const auto total = static_cast<std::int64_t>(all.size());
  json::array part;
  for (auto i = w->offset; i < total && i - w->offset < w->limit; ++i)
    part.push_back(std::move(all[static_cast<std::size_t>(i)]));
  call->answer(200, list_of(std::move(part), total, *w));
}

const core::project_config* project_parameter(const rest_call_ptr& call) {
  const auto& projects = call->config().projects;
  auto it = projects.find({call->parameter("p")});
  if (it != projects.end()) return &it->second;
  call->fail({errc::not_found, "Project not found: " + call->parameter("p").substr(0, 64)});
  return nullptr;
}

}  // namespace troupe::transport
