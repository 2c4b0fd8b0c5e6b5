#include "transport/auth.hpp"
#include "transport/net/server.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <catch2/catch.hpp>

#include <array>
#include <initializer_list>
#include <string>

using namespace troupe;
using core::errc;
using transport::authenticator;
namespace scope = core::scope;

namespace {

constexpr std::string_view secret = "a secret of more than thirty-two bytes";
constexpr std::int64_t now_s = 1'700'000'000;

std::string base64url(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned rest = 0;
  int bits = 0;
  for (char c : bytes) {
    rest = rest << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out.push_back(letters[rest >> (bits - 6) & 63]);
  }
  if (bits > 0) out.push_back(letters[rest << (6 - bits) & 63]);
  return out;
}

/// Signed here, by other code than what is tested.
std::string token(std::string_view claims, std::string_view header = R"({"alg":"HS256","typ":"JWT"})",
                  std::string_view key = secret, const EVP_MD* digest = EVP_sha256()) {
  auto text = base64url(header) + "." + base64url(claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(digest, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       mac.data(), &size);
  return text + "." + base64url({reinterpret_cast<const char*>(mac.data()), size});
}

std::string until(std::int64_t exp) { return token(R"({"sub":"u","exp":)" + std::to_string(exp) + "}"); }
std::string from(std::int64_t nbf) { return token(R"({"sub":"u","nbf":)" + std::to_string(nbf) + "}"); }

core::auth_config required() {
  core::auth_config config;
  config.required = true;
  config.secret = secret;
  return config;
}

authenticator made(core::auth_config config, core::millis now = core::millis(now_s * 1000)) {
  return {std::move(config), [now] { return now; }};
}

errc code_of(const core::result<core::principal>& r) { return r ? errc::ok : r.error().code; }

transport::http_request request(std::string_view authorization, std::string query = {}) {
  transport::http_request r;
  if (!authorization.empty()) r.headers.emplace_back("authorization", authorization);
  r.query = std::move(query);
  return r;
}

// Of "correct horse", with the fewest rounds that crypt(5) allows.
const std::string password_hash =
    "$6$rounds=1000$saltsalt$4GMtaIz3E1AdDi2SmCokEW0ehi.HdxNDcL3fGE1XXuzvo6kbx7UOloZKONqEk5H3JrQA4NOfU8BmqFPrpGqwA1";

core::auth_config with_users() {
  auto config = required();
  config.users.push_back({"1", "ana", password_hash, "A-17", {"teacher"}, scope::user});
  config.users.push_back({"2", "root", {}, "R-1", {"admin"}, scope::all});
  return config;
}

}  // namespace

TEST_CASE("credentials: a token's claims become the principal") {
  struct row {
    std::string_view claims;
    std::string_view id, name;
    std::uint8_t scopes;
  };
  for (const auto& r : std::initializer_list<row>{
           {R"({"sub":"u1"})", "u1", "u1", scope::user},
           {R"({"sub":"u1","username":"Ana","name":"x"})", "u1", "Ana", scope::user},
           {R"({"sub":"u1","name":"Ana"})", "u1", "Ana", scope::user},
           {R"({"sub":42,"username":"n"})", "42", "n", scope::user},
           {R"({"sub":"u1","roles":["user"],"permissions":[]})", "u1", "u1", scope::user},
           {R"({"sub":"u1","permissions":null})", "u1", "u1", scope::user},
           {R"({"sub":"u1","roles":["admin"]})", "u1", "u1", scope::all},
           {R"({"sub":"u1","roles":"admin"})", "u1", "u1", scope::all},
           {R"({"sub":"u1","roles":["administrator"]})", "u1", "u1", scope::user},
           {R"({"sub":"u1","permissions":["read"]})", "u1", "u1", scope::read},
           {R"({"sub":"u1","permissions":["read","chat"],"roles":["admin"]})", "u1", "u1", scope::read | scope::chat},
           {R"({"sub":"u1","permissions":["approve","fly"]})", "u1", "u1", scope::approve},
           {R"({"sub":"u1","permissions":["admin"]})", "u1", "u1", scope::admin},
           {R"({"sub":"u1","permissions":["fly"]})", "u1", "u1", 0},
           {R"({"sub":"u1","permissions":7})", "u1", "u1", 0},
       }) {
    INFO(r.claims);
    auto who = made(required()).of_token(token(r.claims));
    REQUIRE(who.has_value());
    CHECK(who->id == r.id);
    CHECK(who->name == r.name);
    CHECK(who->scopes == r.scopes);
    CHECK(who->expires_at.count() == 0);
  }
}

TEST_CASE("credentials: a token that is not right is refused") {
  const std::string claims = R"({"sub":"u"})";
  const auto good = token(claims);
  REQUIRE(made(required()).of_token(good).has_value());
  const auto payload = good.find('.') + 1;
  const auto signature = good.rfind('.') + 1;
  auto with = [&](std::size_t at, char c) {
    auto changed = good;
    changed[at] = changed[at] == c ? static_cast<char>(c + 1) : c;
    return changed;
  };
  const auto none = base64url(R"({"alg":"none","typ":"JWT"})") + "." + base64url(claims) + ".";
  for (const auto& [what, text] : std::initializer_list<std::pair<const char*, std::string>>{
           {"alg none", none},
           {"alg none with a signature", token(claims, R"({"alg":"none"})")},
           {"alg none, the signature of another", none + good.substr(signature)},
           {"alg NONE", token(claims, R"({"alg":"NONE"})")},
           {"an algorithm that is not allowed", token(claims, R"({"alg":"HS512"})", secret, EVP_sha512())},
           {"an algorithm in other letters", token(claims, R"({"alg":"hs256"})")},
           {"a public key's algorithm, signed with the secret", token(claims, R"({"alg":"RS256"})")},
           {"no algorithm", token(claims, R"({"typ":"JWT"})")},
           {"an algorithm that is no text", token(claims, R"({"alg":1})")},
           {"an extension that must be understood", token(claims, R"({"alg":"HS256","crit":["x"],"x":1})")},
           {"another secret", token(claims, R"({"alg":"HS256"})", "another secret")},
           {"no secret", token(claims, R"({"alg":"HS256"})", "")},
           {"a changed payload", with(payload + 3, 'x')},
           {"a changed signature", with(signature + 3, 'x')},
           {"a cut signature", good.substr(0, good.size() - 4)},
           {"no signature", good.substr(0, signature)},
           {"two parts", good.substr(0, signature - 1)},
           {"four parts", good + ".x"},
           {"a part that is empty", "." + good},
           {"padding", good + "="},
           {"a space", good + " "},
           {"a NUL behind it", good + std::string(1, '\0')},
           {"claims that are no object", token("[1]")},
           {"claims that are no JSON", token("{")},
           {"no subject", token(R"({"username":"u"})")},
           {"an empty subject", token(R"({"sub":""})")},
           {"a subject that is an object", token(R"({"sub":{}})")},
           {"a subject that is a fraction", token(R"({"sub":1.5})")},
           {"a subject that is true", token(R"({"sub":true})")},
           {"a subject longer than any", token(R"({"sub":")" + std::string(201, 'x') + R"("})")},
           {"an expiry that is a text", token(R"({"sub":"u","exp":"1800000000"})")},
           {"an expiry that is null", token(R"({"sub":"u","exp":null})")},
           {"an expiry below zero", token(R"({"sub":"u","exp":-1})")},
           {"an expiry of zero", until(0)},
           {"a beginning that is a text", token(R"({"sub":"u","nbf":"0"})")},
           {"a token longer than any", token(R"({"sub":"u","x":")" + std::string(9'000, 'x') + R"("})")},
           {"dots", ".."},
           {"a word", "word"},
       }) {
    INFO(what);
    CHECK(code_of(made(required()).of_token(text)) == errc::auth_failed);
  }
}

TEST_CASE("credentials: without a secret no token is right, not even one that was signed with nothing") {
  auto config = required();
  config.secret.clear();
  CHECK(code_of(made(config).of_token(token(R"({"sub":"u"})", R"({"alg":"HS256"})", ""))) == errc::auth_failed);
  CHECK(made(config).sign({"u", "u", {}, {}, {}, scope::user}).empty());
}

TEST_CASE("credentials: every allowed algorithm is taken, and no other") {
  auto config = required();
  config.algorithms = {"HS384", "HS512"};
  const std::string claims = R"({"sub":"u"})";
  CHECK(made(config).of_token(token(claims, R"({"alg":"HS384"})", secret, EVP_sha384())).has_value());
  CHECK(made(config).of_token(token(claims, R"({"alg":"HS512"})", secret, EVP_sha512())).has_value());
  CHECK(code_of(made(config).of_token(token(claims))) == errc::auth_failed);
}

TEST_CASE("credentials: a token holds from nbf, give or take a second, to exp") {
  auto auth = made(required());
  auto who = auth.of_token(until(now_s + 1));
  REQUIRE(who.has_value());
  CHECK(who->expires_at == core::millis((now_s + 1) * 1000));
  CHECK(code_of(auth.of_token(until(now_s))) == errc::auth_failed);
  CHECK(code_of(auth.of_token(until(now_s - 3'600))) == errc::auth_failed);
  CHECK(auth.of_token(token(R"({"sub":"u","exp":1700000000.5})")).has_value());
  CHECK(auth.of_token(token(R"({"sub":"u","exp":1e300})"))->expires_at.count() > now_s * 1000);
  CHECK(auth.of_token(from(now_s)).has_value());
  CHECK(auth.of_token(from(now_s + 1)).has_value());
  CHECK(code_of(auth.of_token(from(now_s + 2))) == errc::auth_failed);
}

TEST_CASE("credentials: issuer and audience count where they are configured") {
  auto config = required();
  config.issuer = "https://id.example";
  config.audience = "troupe";
  auto auth = made(config);
  auto verdict = [&](std::string_view rest) {
    return code_of(auth.of_token(token(R"({"sub":"u")" + std::string(rest) + "}")));
  };
  CHECK(verdict(R"(,"iss":"https://id.example","aud":"troupe")") == errc::ok);
  CHECK(verdict(R"(,"iss":"https://id.example","aud":["other","troupe"])") == errc::ok);
  CHECK(verdict(R"(,"iss":"https://id.example","aud":["other"])") == errc::auth_failed);
  CHECK(verdict(R"(,"iss":"https://id.example")") == errc::auth_failed);
  CHECK(verdict(R"(,"iss":"https://evil.example","aud":"troupe")") == errc::auth_failed);
  CHECK(verdict(R"(,"aud":"troupe")") == errc::auth_failed);
  CHECK(made(required()).of_token(token(R"({"sub":"u","iss":"any","aud":"any"})")).has_value());
}

TEST_CASE("credentials: an API key is its owner, within its scopes") {
  auto config = required();
  config.api_keys = {{"ci", transport::sha256_hex("key-one"), scope::read},
                     {"ops", transport::sha256_hex("k.e.y"), scope::all}};
  auto auth = made(config);
  auto ci = auth.of_token("key-one");
  REQUIRE(ci.has_value());
  CHECK(ci->id == "ci");
  CHECK(ci->scopes == scope::read);
  CHECK(ci->expires_at.count() == 0);
  CHECK(auth.of_token("k.e.y")->id == "ops");
  for (const char* wrong : {"key-two", "key-on", "key-one ", "KEY-ONE"})
    CHECK(code_of(auth.of_token(wrong)) == errc::auth_failed);
  // The hash in the configuration is not the key.
  CHECK(code_of(auth.of_token(transport::sha256_hex("key-one"))) == errc::auth_failed);
}

TEST_CASE("credentials: they come in the Authorization header, else in the query") {
  auto auth = made(required());
  const auto good = token(R"({"sub":"u"})");
  for (const auto& header : {"Bearer " + good, "bearer " + good, "BEARER   " + good, good}) {
    INFO(header);
    CHECK(auth.of_request(request(header))->id == "u");
  }
  CHECK(auth.of_request(request("", "a=b&token=" + good))->id == "u");
  CHECK(auth.of_request(request("Bearer " + good, "token=wrong"))->id == "u");
  CHECK(code_of(auth.of_request(request("Bearer wrong", "token=" + good))) == errc::auth_failed);
  CHECK(code_of(auth.of_request(request("Basic dTpw"))) == errc::auth_failed);
  CHECK(code_of(auth.of_request(request("Bearer"))) == errc::auth_failed);
  CHECK(code_of(auth.of_request(request(""))) == errc::auth_required);
  CHECK(code_of(auth.of_request(request("", "token="))) == errc::auth_required);
  CHECK(code_of(auth.of_token("")) == errc::auth_required);
}

TEST_CASE("credentials: with auth nobody may do nothing, without it everybody may do everything") {
  auto nobody = made(required()).anonymous();
  for (auto bit : {scope::chat, scope::approve, scope::read, scope::admin}) CHECK_FALSE(nobody.may(bit));

  auto open = made({});
  for (const auto& who : {open.of_token(""), open.of_token("wrong"), open.of_request(request("Basic x")),
                          open.of_request(request("Bearer " + token(R"({"sub":"u","username":"Ana"})")))}) {
    REQUIRE(who.has_value());
    CHECK(who->id.empty());
    CHECK(who->name.empty());
    CHECK(who->may(scope::admin));
    CHECK(who->expires_at.count() == 0);
  }
}

TEST_CASE("credentials: without auth a log-in gives its name, and nothing else") {
  auto open = made({});
  auto named = open.of_token(open.sign({"Ana", "Ana", {}, "Ana", {"user"}, scope::user}));
  REQUIRE(named.has_value());
  CHECK(named->id.empty());
  CHECK(named->name == "Ana");
  CHECK(named->may(scope::admin));
  // Each process has a secret of its own, unless one is configured.
  CHECK(made({}).of_token(open.sign({"Ana", "Ana", {}, {}, {}, scope::user}))->name.empty());
}

TEST_CASE("credentials: a token made here is taken here, until its lifetime is over") {
  auto config = with_users();
  config.issuer = "us";
  config.audience = "us too";
  config.algorithms = {"HS512", "HS256"};
  config.token_lifetime = core::millis(60'000);
  for (const auto& user : config.users) {
    auto text = made(config).sign(user);
    auto who = made(config).of_token(text);
    REQUIRE(who.has_value());
    CHECK(who->id == user.id);
    CHECK(who->name == user.username);
    CHECK(who->scopes == user.scopes);
    CHECK(who->expires_at == core::millis((now_s + 60) * 1000));
    CHECK(code_of(made(config, core::millis((now_s + 60) * 1000)).of_token(text)) == errc::auth_failed);
    auto other = config;
    other.secret = "another secret";
    CHECK(code_of(made(other).of_token(text)) == errc::auth_failed);
  }
}

TEST_CASE("log-in: the right password of a user who has one, and nothing else") {
  auto auth = made(with_users());
  const auto* ana = auth.log_in("ana", "correct horse");
  REQUIRE(ana != nullptr);
  CHECK(ana->id == "1");
  for (const auto& [name, password] :
       std::initializer_list<std::pair<const char*, std::string>>{{"ana", "correct hors"},
                                                                  {"ana", ""},
                                                                  {"ana", std::string("correct horse\0x", 15)},
                                                                  {"ana", password_hash},
                                                                  {"ana", std::string(100'000, 'x')},
                                                                  {"Ana", "correct horse"},
                                                                  {"bob", "correct horse"},
                                                                  {"root", ""},
                                                                  {"root", "correct horse"},
                                                                  {"", "correct horse"}}) {
    INFO(name << " " << password.substr(0, 40));
    CHECK(auth.log_in(name, password) == nullptr);
  }
  CHECK(made(required()).log_in("ana", "correct horse") == nullptr);
}

TEST_CASE("log-in: a code finds its user") {
  auto auth = made(with_users());
  REQUIRE(auth.user_by_code("A-17") != nullptr);
  CHECK(auth.user_by_code("A-17")->id == "1");
  CHECK(auth.user_by_code("A-1") == nullptr);
  CHECK(auth.user_by_code("") == nullptr);
  CHECK(auth.user_by_id("2")->username == "root");
  CHECK(auth.user_by_id("3") == nullptr);
}

TEST_CASE("password hashes: formats of today are known, everything else is not") {
  CHECK(transport::is_password_hash(password_hash));
  CHECK(transport::is_password_hash("$y$j9T$saltsaltsalt$"));
  for (const char* text : {"", "*", "!", "x", "hunter2", "$", "$9$x$y", "ab", "correct horse battery staple"})
    CHECK_FALSE(transport::is_password_hash(text));
  CHECK_FALSE(transport::is_password_hash("$6$" + std::string(1'000, 'x')));
}

TEST_CASE("sha256: the digest of the standard's example") {
  CHECK(transport::sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
