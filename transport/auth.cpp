#include "transport/auth.hpp"

#include "transport/json_text.hpp"
#include "transport/net/http_target.hpp"
#include "transport/net/server.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <crypt.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;
using core::error;
namespace scope = core::scope;

namespace {

constexpr std::size_t longest_token = 8 << 10;
constexpr std::size_t longest_name = 200;
constexpr std::size_t secret_bytes = 32;
/// For `nbf` only: the issuer's clock may be a little ahead of ours. A token that has expired has expired.
constexpr core::millis leeway{1'000};

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 4> permissions{
    {{"chat", scope::chat}, {"approve", scope::approve}, {"read", scope::read}, {"admin", scope::admin}}};

error invalid() { return {errc::auth_failed, "The credentials are not valid; log in again or check the API key."}; }

/// In a time that does not tell where the two differ.
bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(digits[bytes[i] >> 4]);
    out.push_back(digits[bytes[i] & 0xf]);
  }
  return out;
}

/// Empty, so that nothing is signed with it, where the system has no randomness.
std::string random_secret() {
  std::array<unsigned char, secret_bytes> bytes{};
  return RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1 ? hex(bytes.data(), bytes.size()) : std::string();
}

struct jwt_deleter {
  void operator()(jwt_t* token) const noexcept { jwt_free(token); }
};
using jwt_ptr = std::unique_ptr<jwt_t, jwt_deleter>;

struct text_deleter {
  void operator()(char* text) const noexcept { std::free(text); }
};
using c_text = std::unique_ptr<char, text_deleter>;

/// Three parts of base64url, none of them empty (RFC 7515 §3.1).
bool looks_like_jwt(std::string_view token) {
  auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return std::all_of(token.begin(), token.end(), is_part) && std::count(token.begin(), token.end(), '.') == 2 &&
         token.find("..") == std::string_view::npos && token.front() != '.' && token.back() != '.';
}

jwt_ptr decode(const std::string& token, const std::string* key) {
  jwt_t* out = nullptr;
  const auto* bytes = key ? reinterpret_cast<const unsigned char*>(key->data()) : nullptr;
  if (jwt_decode(&out, token.c_str(), bytes, key ? static_cast<int>(key->size()) : 0) != 0) return nullptr;
  return jwt_ptr(out);
}

/// The claims of a token with a good signature by one of the allowed algorithms.
std::optional<json::object> verified_claims(std::string_view token, const core::auth_config& config) {
  if (config.secret.empty() || !looks_like_jwt(token)) return std::nullopt;
  const std::string text(token);
  // First without a key: the header must not choose how its own signature is checked.
  const auto unverified = decode(text, nullptr);
  if (!unverified) return std::nullopt;
  const char* named = jwt_get_header(unverified.get(), "alg");
  const std::string algorithm = named ? named : "";
  if (std::find(config.algorithms.begin(), config.algorithms.end(), algorithm) == config.algorithms.end()) return std::nullopt;
  if (!algorithm.starts_with("HS")) return std::nullopt;  // the only key there is, is a shared secret
  // Extensions that must be understood (RFC 7515 §4.1.11); we know none.
  if (c_text(jwt_get_headers_json(unverified.get(), "crit"))) return std::nullopt;
  const auto verified = decode(text, &config.secret);
  if (!verified || jwt_get_alg(verified.get()) != jwt_str_alg(algorithm.c_str())) return std::nullopt;
  const c_text grants(jwt_get_grants_json(verified.get(), nullptr));
  if (!grants) return std::nullopt;
  auto claims = parse_object(grants.get());
  if (!claims) return std::nullopt;
  return std::move(*claims);
}

/// NumericDate (RFC 7519 §2). Absent is `otherwise`; nothing where it is not a date.
std::optional<core::millis> date_claim(const json::object& claims, std::string_view name, core::millis otherwise) {
  const auto* v = claims.if_contains(name);
  if (!v) return otherwise;
  constexpr double latest = 253'402'300'799;  // of the year 9999
  if (!v->is_number()) return std::nullopt;
  const auto seconds = v->to_number<double>();
  if (!(seconds >= 0)) return std::nullopt;
  return core::millis(static_cast<std::int64_t>(std::min(seconds, latest) * 1000));
}

/// A string, or a whole number as text; "" for anything else.
std::string text_claim(const json::object& claims, std::string_view name) {
  const auto* v = claims.if_contains(name);
  if (!v) return {};
  if (v->is_int64()) return std::to_string(v->get_int64());
  if (v->is_uint64()) return std::to_string(v->get_uint64());
  if (!v->is_string() || v->get_string().size() > longest_name) return {};
  return std::string(v->get_string());
}

/// Is `wanted` the claim, or one of its list?
bool has_text(const json::object& claims, std::string_view name, std::string_view wanted) {
  const auto* v = claims.if_contains(name);
  if (!v) return false;
  auto is_it = [&](const json::value& one) { return one.is_string() && std::string_view(one.get_string()) == wanted; };
  if (!v->is_array()) return is_it(*v);
  const auto& list = v->get_array();
  return std::any_of(list.begin(), list.end(), is_it);
}

/// `permissions` say it all where there are any; else a role `admin` may everything, and everybody else what users may.
std::uint8_t scopes_of(const json::object& claims) {
  const auto* given = claims.if_contains("permissions");
  const bool is_empty = !given || given->is_null() || (given->is_array() && given->get_array().empty());
  if (is_empty) return has_text(claims, "roles", "admin") ? scope::all : scope::user;
  std::uint8_t out = 0;
  for (const auto& [name, bit] : permissions)
    if (has_text(claims, "permissions", name)) out |= bit;
  return out;
}

}  // namespace

authenticator::authenticator(core::auth_config config, std::function<core::millis()> now)
    : config_(std::move(config)), now_(std::move(now)) {
  // Without auth log-ins still work, so that clients which begin with one do.
  if (!config_.required && config_.secret.empty()) config_.secret = random_secret();
}

core::principal authenticator::anonymous() const {
  core::principal out;
  if (config_.required) out.scopes = 0;
  return out;
}

core::result<core::principal> authenticator::of_request(const http_request& request) const {
  std::string_view given = request.header("authorization");
  if (given.empty()) return of_token(request.query_value("token"));
  constexpr std::string_view scheme = "Bearer";
  if (equal_ignoring_case(given.substr(0, scheme.size()), scheme) && given.size() > scheme.size() &&
      given[scheme.size()] == ' ') {
    given.remove_prefix(scheme.size());
    given.remove_prefix(std::min(given.find_first_not_of(' '), given.size()));
  }
  return of_token(given);
}

core::result<core::principal> authenticator::of_token(std::string_view token) const {
  if (!config_.required) {
    auto out = anonymous();
    // Only the name that somebody logged in under; it opens and closes nothing.
    if (auto named = token.empty() ? core::result<core::principal>(invalid()) : of_jwt(token)) out.name = named->name;
    return out;
  }
  if (token.empty())
    return error{errc::auth_required, "Credentials are missing; send \"Authorization: Bearer TOKEN\" or ?token=TOKEN."};
  if (token.size() > longest_token) return invalid();
  const auto hash = sha256_hex(token);
  const core::auth_config::api_key* found = nullptr;
  for (const auto& key : config_.api_keys)
    if (same(key.hash, hash)) found = &key;
  if (found) return core::principal{found->name, found->name, found->scopes, core::millis{0}};
  return of_jwt(token);
}

core::result<core::principal> authenticator::of_jwt(std::string_view token) const {
  if (token.size() > longest_token) return invalid();
  const auto claims = verified_claims(token, config_);
  if (!claims) return invalid();
  const auto now = now_();
  const auto expires = date_claim(*claims, "exp", core::millis{0});
  const auto begins = date_claim(*claims, "nbf", core::millis{0});
  if (!expires || !begins) return invalid();
  if (claims->contains("exp") && now >= *expires) return error{errc::auth_failed, "The token has expired; log in again."};
  if (now + leeway < *begins) return error{errc::auth_failed, "The token is not valid yet; check the clocks."};
  if (!config_.issuer.empty() && text_claim(*claims, "iss") != config_.issuer) return invalid();
  if (!config_.audience.empty() && !has_text(*claims, "aud", config_.audience)) return invalid();
  // Nobody without a name: the empty one is the owner of sessions that were made without auth.
  auto id = text_claim(*claims, "sub");
  if (id.empty()) return invalid();
  auto name = text_claim(*claims, "username");
  if (name.empty()) name = text_claim(*claims, "name");
  if (name.empty()) name = id;
  return core::principal{std::move(id), std::move(name), scopes_of(*claims), *expires};
}

const authenticator::account* authenticator::log_in(std::string_view username, const std::string& password) const {
  const account* found = nullptr;
  const account* any = nullptr;
  for (const auto& user : config_.users) {
    if (user.password_hash.empty()) continue;
    any = &user;
    if (user.username == username) found = &user;
  }
  if (!any) return nullptr;
  const bool is_right = password_matches(password, (found ? found : any)->password_hash);
  return found && is_right ? found : nullptr;
}

const authenticator::account* authenticator::user_by_code(std::string_view code) const {
  const account* found = nullptr;
  for (const auto& user : config_.users)
    if (!user.code.empty() && same(user.code, code)) found = &user;
  return found;
}

const authenticator::account* authenticator::user_by_id(std::string_view id) const {
  auto it = std::find_if(config_.users.begin(), config_.users.end(), [&](const account& user) { return user.id == id; });
  return it == config_.users.end() ? nullptr : &*it;
}

std::string authenticator::sign(const account& who) const {
  if (config_.secret.empty() || config_.algorithms.empty()) return {};
  const auto now = std::chrono::floor<std::chrono::seconds>(now_());
  const auto lifetime = std::chrono::ceil<std::chrono::seconds>(config_.token_lifetime);
  json::array allowed;
  for (const auto& [name, bit] : permissions)
    if ((who.scopes & bit) != 0) allowed.emplace_back(name);
  json::object claims{{"sub", who.id},
                      {"username", who.username},
                      {"roles", json::array(who.roles.begin(), who.roles.end())},
                      {"permissions", std::move(allowed)},
                      {"iat", now.count()},
                      {"exp", (now + lifetime).count()}};
  if (!config_.issuer.empty()) claims["iss"] = config_.issuer;
  if (!config_.audience.empty()) claims["aud"] = config_.audience;
  jwt_t* made = nullptr;
  if (jwt_new(&made) != 0) return {};
  const jwt_ptr token(made);
  const auto* key = reinterpret_cast<const unsigned char*>(config_.secret.data());
  const auto algorithm = jwt_str_alg(config_.algorithms.front().c_str());
  if (jwt_add_grants_json(made, json::serialize(claims).c_str()) != 0 ||
      jwt_set_alg(made, algorithm, key, static_cast<int>(config_.secret.size())) != 0)
    return {};
  const c_text text(jwt_encode_str(made));
  return text ? std::string(text.get()) : std::string();
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return hex(digest.data(), digest.size());
}

bool password_matches(const std::string& password, const std::string& hash) {
  // crypt(3) takes C strings: what follows a NUL would not count.
  if (password.size() > CRYPT_MAX_PASSPHRASE_SIZE || password.find('\0') != std::string::npos) return false;
  const auto work = std::make_unique<crypt_data>();
  const char* made = crypt_rn(password.c_str(), hash.c_str(), work.get(), static_cast<int>(sizeof(crypt_data)));
  const bool is_same = made && same(made, hash);
  OPENSSL_cleanse(work.get(), sizeof(crypt_data));
  return is_same;
}

bool is_password_hash(const std::string& text) {
  return text.size() < CRYPT_OUTPUT_SIZE && crypt_checksalt(text.c_str()) == CRYPT_SALT_OK;
}

}  // namespace troupe::transport
