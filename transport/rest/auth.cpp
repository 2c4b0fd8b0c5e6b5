// Log-ins over REST: with a password in chat-room (PROTOCOLS §5), with a code in chat-events (§4). Without auth every name
// logs in, because clients of both begin with it.
#include "transport/rest/rest_handlers.hpp"

#include "transport/auth.hpp"

#include <algorithm>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;
using account = core::auth_config::user;

namespace {

constexpr std::size_t longest_login_field = 200;

/// One that exists without auth: everybody owns everything, under the name they give.
account nameless(const std::string& name) { return {name, name, {}, name, {"user"}, core::scope::user}; }

/// Whose credentials the call has: as configured, or as a token of another issuer tells.
account caller(const rest_call_ptr& call) {
  const auto& who = call->principal();
  const auto& auth = call->way().auth();
  if (!auth.is_required()) return nameless(who.name.empty() ? "anonymous" : who.name);
  if (const auto* known = auth.user_by_id(who.id)) return *known;
  return {who.id, who.name, {}, {}, {who.may(core::scope::admin) ? "admin" : "user"}, who.scopes};
}

json::object account_json(const account& user) {
  return {{"id", user.id}, {"username", user.username}, {"roles", json::array(user.roles.begin(), user.roles.end())}};
}

json::object code_user(const account& user) {
  return {{"id", user.id},
          {"nombre", user.username},
          {"rol", user.roles.empty() ? "user" : user.roles.front()},
          {"codigo", user.code}};
}

/// 401 without a word about which half was wrong.
void refuse(const rest_call_ptr& call) { call->fail({errc::auth_failed, "Invalid credentials"}); }

/// The token; empty, and the call is answered, where none can be made.
std::string token_for(const rest_call_ptr& call, const account& user) {
  auto token = call->way().auth().sign(user);
  if (token.empty()) call->fail({errc::internal_error, "No token can be signed; the server needs a JWT secret."});
  return token;
}

void answer_login(const rest_call_ptr& call, const account& user) {
  if (auto token = token_for(call, user); !token.empty())
    call->answer(201, json::object{{"access_token", std::move(token)}, {"user", account_json(user)}});
}

/// A name to log in with; answers the call where there is none.
std::optional<std::string> name_field(const rest_call_ptr& call, const json::object& body, std::string_view field) {
  auto name = call->body_string(body, field, true);
  if (!name || name->size() <= longest_login_field) return name;
  call->fail_field(field, "must have at most " + std::to_string(longest_login_field) + " bytes");
  return std::nullopt;
}

}  // namespace

/// POST /auth/login {username, password}
void post_login(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  auto name = name_field(call, *body, "username");
  if (!name) return;
  auto password = call->body_string(*body, "password", true);
  if (!password) return;
  if (!call->way().auth().is_required()) return answer_login(call, nameless(*name));
  // Only the check of the password leaves this thread; the call comes back whole, so that it ends here too.
  auto& way = call->way();
  auto check = [&way, mine = call, name = std::move(*name), password = std::move(*password)]() mutable {
    const auto* user = way.auth().log_in(name, password);
    way.post([mine = std::move(mine), user] { user ? answer_login(mine, *user) : refuse(mine); });
  };
  if (!way.run_aside(std::move(check))) call->fail({errc::rate_limited, "Too many log-ins at once; try again in a second."});
}

/// GET /auth/profile, GET /auth/me
void get_profile(const rest_call_ptr& call) { call->answer(200, account_json(caller(call))); }

/// POST /api/v1/auth/login {codigo}
void post_code_login(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  for (const auto& member : *body)
    if (member.key() != "codigo")
      return call->fail_field(std::string_view(member.key()).substr(0, 64), "is not a field of this request");
  if (const auto* code = body->if_contains("codigo"); code && code->is_int64())
    (*body)["codigo"] = std::to_string(code->get_int64());
  auto code = name_field(call, *body, "codigo");
  if (!code) return;
  const auto& auth = call->way().auth();
  const auto* known = auth.is_required() ? auth.user_by_code(*code) : nullptr;
  if (auth.is_required() && !known) return refuse(call);
  const auto user = known ? *known : nameless(*code);
  if (auto token = token_for(call, user); !token.empty())
    call->answer(200, json::object{{"accessToken", std::move(token)}, {"user", code_user(user)}});
}

/// GET /api/v1/auth/profile
void get_code_profile(const rest_call_ptr& call) { call->answer(200, code_user(caller(call))); }

}  // namespace troupe::transport
