// Tables of `auth`: who may come in.
#include "app/configuration_fields.hpp"
#include "transport/auth.hpp"

#include <algorithm>
#include <array>

namespace troupe::app {

namespace json = boost::json;
using namespace core;

namespace {

constexpr std::size_t longest_name = 200;  // as in tokens

constexpr std::array<std::string_view, 4> scope_names{"chat", "approve", "read", "admin"};
constexpr std::array<std::uint8_t, 4> scope_bits{scope::chat, scope::approve, scope::read, scope::admin};

std::uint8_t read_scopes(const node& at) {
  std::uint8_t out = 0;
  std::size_t i = 0;
  for (const auto& item : at.array(scope_names.size())) {
    auto word = at.child(std::to_string(i++), item).one_of(scope_names);
    for (std::size_t k = 0; k < scope_names.size(); ++k)
      if (scope_names[k] == word) out |= scope_bits[k];
  }
  // A token without permissions has those of every user.
  if (out == 0) at.fail("needs at least one of chat, approve, read, admin");
  return out;
}

json::value write_scopes(std::uint8_t scopes) {
  json::array out;
  for (std::size_t k = 0; k < scope_names.size(); ++k)
    if ((scopes & scope_bits[k]) != 0) out.emplace_back(scope_names[k]);
  return out;
}

std::string short_text(const node& at) {
  auto text = at.text(longest_name);
  if (text.empty()) at.fail("must not be empty");
  return text;
}

/// Strings of 1 to `longest_name` bytes.
template <class T, auto Access>
constexpr field<T> name(std::string_view key) {
  return {key, [](const node& at, T& to, std::int64_t, std::int64_t) { std::invoke(Access, to) = short_text(at); },
          [](const T& from) -> json::value { return json::value(std::invoke(Access, from)); }};
}

// ---- jwt ----

constexpr std::array<std::string_view, 3> algorithms{"HS256", "HS384", "HS512"};

void read_algorithms(const node& at, document& to, std::int64_t, std::int64_t) {
  auto& out = to.config.auth.algorithms;
  out.clear();
  std::size_t i = 0;
  for (const auto& item : at.array(algorithms.size())) {
    auto entry = at.child(std::to_string(i++), item);
    if (item.is_string())
      for (std::string_view family : {"RS", "ES", "PS", "Ed"})
        if (std::string_view(item.get_string()).starts_with(family))
          entry.fail("public keys are not supported by this build yet; use HS256, HS384 or HS512");
    out.push_back(entry.one_of(algorithms));
  }
  if (out.empty()) at.fail("needs at least one of HS256, HS384, HS512; the first one signs log-ins");
}

constexpr auto issuer = [](auto& d) -> auto& { return d.config.auth.issuer; };
constexpr auto audience = [](auto& d) -> auto& { return d.config.auth.audience; };

constexpr std::array jwt_fields{
    field<document>{"algorithms", read_algorithms,
                    [](const document& d) -> json::value {
                      return json::array(d.config.auth.algorithms.begin(), d.config.auth.algorithms.end());
                    }},
    field<document>{"secret_env",
                    [](const node& at, document& to, std::int64_t, std::int64_t) { to.auth.secret = variable_name(at); }},
    text<document, issuer>("issuer"),
    text<document, audience>("audience"),
    field<document>{"lifetime_s",
                    [](const node& at, document& to, std::int64_t least, std::int64_t most) {
                      to.config.auth.token_lifetime = std::chrono::seconds(at.whole(least, most));
                    },
                    [](const document& d) -> json::value {
                      return json::value(std::chrono::floor<std::chrono::seconds>(d.config.auth.token_lifetime).count());
                    },
                    nullptr, 1, 31'622'400},
};

// ---- api_keys ----

struct key_draft {
  auth_config::api_key key;
  std::string variable;
};

void read_hash(const node& at, key_draft& to, std::int64_t, std::int64_t) {
  auto text = at.text();
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'F' ? char(c + 32) : c; });
  // The text is not repeated: people put the key itself here.
  if (text.size() != 64 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    at.fail("expected the SHA-256 of the key in 64 hex digits, as `printf %s KEY | sha256sum` tells it");
  to.key.hash = std::move(text);
}

constexpr auto key_name = [](auto& k) -> auto& { return k.key.name; };

constexpr std::array key_fields{
    name<key_draft, key_name>("name"),
    field<key_draft>{"key_env",
                     [](const node& at, key_draft& to, std::int64_t, std::int64_t) { to.variable = variable_name(at); }},
    field<key_draft>{"sha256", read_hash, [](const key_draft& k) -> json::value { return json::value(k.key.hash); }},
    field<key_draft>{"scopes",
                     [](const node& at, key_draft& to, std::int64_t, std::int64_t) { to.key.scopes = read_scopes(at); },
                     [](const key_draft& k) -> json::value { return write_scopes(k.key.scopes); }},
};

void read_api_keys(const node& at, document& to, std::int64_t, std::int64_t) {
  to.config.auth.api_keys.clear();
  to.auth.keys.clear();
  std::size_t i = 0;
  for (const auto& item : at.array(max_entries)) {
    auto entry = at.child(std::to_string(i++), item);
    key_draft draft;
    draft.key.scopes = scope::user;
    read_fields<key_draft>(entry, draft, key_fields);
    if (draft.key.name.empty()) entry.fail("needs a \"name\": whom its sessions belong to");
    if (draft.key.hash.empty() == draft.variable.empty())
      entry.fail("needs one of \"key_env\" (the variable that holds the key) and \"sha256\" (the key's hash)");
    to.config.auth.api_keys.push_back(std::move(draft.key));
    to.auth.keys.push_back(std::move(draft.variable));
  }
}

json::value write_api_keys(const document& from) {
  json::array out;
  for (const auto& key : from.config.auth.api_keys) out.push_back(write_fields<key_draft>({key, {}}, key_fields));
  return out;
}

// ---- users ----

using user = auth_config::user;

void read_password_hash(const node& at, user& to, std::int64_t, std::int64_t) {
  to.password_hash = at.text();
  if (!transport::is_password_hash(to.password_hash))
    at.fail("expected a crypt(5) hash such as `mkpasswd -m yescrypt` makes, not a password");
}

constexpr std::array user_fields{
    name<user, &user::id>("id"),
    name<user, &user::username>("username"),
    field<user>{"password_hash", read_password_hash, [](const user& u) -> json::value { return json::value(u.password_hash); }},
    name<user, &user::code>("codigo"),
    field<user>{"roles", [](const node& at, user& to, std::int64_t, std::int64_t) { to.roles = at.texts(20); },
                [](const user& u) -> json::value { return json::array(u.roles.begin(), u.roles.end()); }},
    field<user>{"scopes", [](const node& at, user& to, std::int64_t, std::int64_t) { to.scopes = read_scopes(at); },
                [](const user& u) -> json::value { return write_scopes(u.scopes); }},
};

void check_unique(const node& entry, const std::vector<user>& others, const user& one) {
  for (const auto& other : others) {
    if (other.id == one.id) entry.fail("a user before it has the same id; give each user an \"id\" of its own");
    if (other.username == one.username) entry.fail("a user before it has the same \"username\"");
    if (!one.code.empty() && other.code == one.code) entry.fail("a user before it has the same \"codigo\"");
  }
}

void read_users(const node& at, document& to, std::int64_t, std::int64_t) {
  auto& users = to.config.auth.users;
  users.clear();
  std::size_t i = 0;
  for (const auto& item : at.array(max_entries)) {
    auto entry = at.child(std::to_string(i++), item);
    user one;
    read_fields<user>(entry, one, user_fields);
    if (one.username.empty()) entry.fail("needs a \"username\"");
    if (one.password_hash.empty() && one.code.empty()) entry.fail("needs a \"password_hash\" or a \"codigo\" to log in with");
    if (one.id.empty()) one.id = one.username;
    if (one.roles.empty()) one.roles.emplace_back("user");
    bool is_admin = std::find(one.roles.begin(), one.roles.end(), "admin") != one.roles.end();
    if (one.scopes == 0) one.scopes = is_admin ? scope::all : scope::user;
    check_unique(entry, users, one);
    users.push_back(std::move(one));
  }
}

json::value write_users(const document& from) {
  json::array out;
  for (const auto& one : from.config.auth.users) out.push_back(write_fields<user>(one, user_fields));
  return out;
}

// ---- auth ----

void read_mode(const node& at, document& to, std::int64_t, std::int64_t) {
  constexpr std::array<std::string_view, 2> modes{"none", "required"};
  to.config.auth.required = at.one_of(modes) == "required";
}

constexpr auto insecure = [](auto& d) -> auto& { return d.config.insecure_no_auth; };
constexpr auto whole_document = [](auto& d) -> auto& { return d; };

constexpr std::array auth_fields{
    field<document>{"mode", read_mode,
                    [](const document& d) -> json::value { return json::value(d.config.auth.required ? "required" : "none"); }},
    flag<document, insecure>("insecure_no_auth"),
    object<document, whole_document, jwt_fields>("jwt"),
    field<document>{"api_keys", read_api_keys, write_api_keys},
    field<document>{"users", read_users, write_users},
};

}  // namespace

field<document> auth_field() { return object<document, whole_document, auth_fields>("auth"); }

void resolve_auth(document& file, const environment_lookup& environment) {
  auto& auth = file.config.auth;
  auto variable = file.auth.secret.value_or(std::string(jwt_secret_variable));
  auth.secret = environment(variable).value_or("");
  if (!auth.required) return;
  if (file.auth.secret && auth.secret.empty())
    throw fault{"/auth/jwt/secret_env",
                "the environment variable " + variable + " is not set; it holds the secret of the tokens"};
  for (std::size_t i = 0; i < auth.api_keys.size(); ++i) {
    const auto& holder = file.auth.keys[i];
    if (holder.empty()) continue;
    auto key = environment(holder);
    if (!key)
      throw fault{"/auth/api_keys/" + std::to_string(i) + "/key_env",
                  "the environment variable " + holder + " is not set; it holds the key"};
    auth.api_keys[i].hash = transport::sha256_hex(*key);
  }
  if (!auth.users.empty() && auth.secret.empty())
    throw fault{"/auth/users", "their log-ins are tokens, which need a secret: set the environment variable " + variable};
  if (auth.secret.empty() && auth.api_keys.empty())
    throw fault{"/auth", "nobody could come in: set the environment variable " + variable +
                             " to the secret of the tokens, or add \"api_keys\""};
}

}  // namespace troupe::app
