#include "tests/support/configuration_text.hpp"

#include <boost/json/serialize.hpp>

#include <map>

using namespace troupe;
using namespace troupe::testing;
namespace json = boost::json;

TEST_CASE("configuration: auth has its secrets from the environment", "[app]") {
  auto config = parse_with({{"JWT_SECRET", "s"}, {"CI_KEY", "k"}}, R"({"auth": {"mode": "required",
    "jwt": {"algorithms": ["HS512", "HS256"], "issuer": "i", "audience": "a", "lifetime_s": 60},
    "api_keys": [{"name": "ci", "key_env": "CI_KEY", "scopes": ["read", "admin"]},
                 {"name": "ops", "sha256": "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}],
    "users": [{"username": "ana", "password_hash": "$y$j9T$saltsaltsalt$zQziiNee/3jd.PJJvsNgy7GH5uO3HbsUNcQ3Jsopj2B"},
              {"id": "7", "username": "root", "codigo": "R-1", "roles": ["admin", "x"]},
              {"username": "half", "codigo": "H", "roles": ["admin"], "scopes": ["chat"]}]}})");
  INFO((config ? std::string() : config.error().text));
  REQUIRE(config.has_value());
  const auto& auth = config->auth;
  CHECK(auth.required);
  CHECK(auth.secret == "s");
  CHECK(auth.algorithms == std::vector<std::string>{"HS512", "HS256"});
  CHECK(auth.issuer == "i");
  CHECK(auth.audience == "a");
  CHECK(auth.token_lifetime == std::chrono::seconds(60));
  REQUIRE(auth.api_keys.size() == 2);
  CHECK(auth.api_keys[0].name == "ci");
  CHECK(auth.api_keys[0].hash == "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a");
  CHECK(auth.api_keys[0].scopes == (core::scope::read | core::scope::admin));
  CHECK(auth.api_keys[1].hash == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(auth.api_keys[1].scopes == core::scope::user);
  REQUIRE(auth.users.size() == 3);
  CHECK(auth.users[0].id == "ana");
  CHECK(auth.users[0].roles == std::vector<std::string>{"user"});
  CHECK(auth.users[0].scopes == core::scope::user);
  CHECK(auth.users[1].id == "7");
  CHECK(auth.users[1].code == "R-1");
  CHECK(auth.users[1].scopes == core::scope::all);
  CHECK(auth.users[2].scopes == core::scope::chat);

  auto other = parse_with({{"MINE", "t"}, {"JWT_SECRET", "s"}}, R"({"auth":{"jwt":{"secret_env":"MINE"}}})");
  REQUIRE(other.has_value());
  CHECK_FALSE(other->auth.required);
  CHECK(other->auth.secret == "t");
  CHECK(json::serialize(app::configuration_to_json(*other)).find("\"t\"") == std::string::npos);
}

TEST_CASE("configuration: auth that could let nobody in, or the wrong ones, is refused", "[app]") {
  auto auth = [](const std::string& fields) { return failure(R"({"auth":{)" + fields + "}}"); };
  auto key = [&](const std::string& fields) { return auth(R"("api_keys":[{)" + fields + "}]"); };
  auto user = [&](const std::string& entries) { return auth(R"("users":[)" + entries + "]"); };
  CHECK(has(auth(R"("mode":"required")"), "/auth: nobody could come in: set the environment variable JWT_SECRET"));
  CHECK(has(auth(R"("mode":"required","jwt":{"secret_env":"MINE"})"),
            "/auth/jwt/secret_env: the environment variable MINE is not"));
  CHECK(has(auth(R"("mode":"required","api_keys":[{"name":"ci","key_env":"CI_KEY"}])"),
            "/auth/api_keys/0/key_env: the environment variable CI_KEY is not set"));
  CHECK(has(auth(R"("mode":"required","api_keys":[{"name":"ci","sha256":")" + std::string(64, 'a') +
                 R"("}],"users":[{"username":"u","codigo":"c"}])"),
            "/auth/users: their log-ins are tokens, which need a secret"));
  CHECK(auth(R"("mode":"required","api_keys":[{"name":"ci","sha256":")" + std::string(64, 'a') + R"("}])") == "no error");
  CHECK(has(auth(R"("mode":"on")"), "expected one of none, required"));
  CHECK(has(auth(R"("jwt":{"algorithms":["none"]})"), "/auth/jwt/algorithms/0: expected one of HS256, HS384, HS512"));
  CHECK(has(auth(R"("jwt":{"algorithms":[]})"), "needs at least one"));
  CHECK(has(auth(R"("jwt":{"secret":"x"})"), R"(nearest known one is "secret_env")"));
  auto secret = auth(R"("jwt":{"secret_env":"my secret!"})");
  CHECK(has(secret, "/auth/jwt/secret_env"));
  CHECK(secret.find("my secret") == std::string::npos);
  CHECK(has(key(R"("key_env":"K")"), "needs a \"name\""));
  CHECK(has(key(R"("name":"n")"), "needs one of \"key_env\""));
  CHECK(has(key(R"("name":"n","key_env":"K","sha256":")" + std::string(64, '0') + "\""), "needs one of"));
  auto hash = key(R"("name":"n","sha256":"the-key-itself")");
  CHECK(has(hash, "/auth/api_keys/0/sha256: expected the SHA-256"));
  CHECK(hash.find("itself,") == std::string::npos);
  CHECK(hash.find("the-key") == std::string::npos);
  CHECK(has(key(R"("name":"n","key_env":"K","scopes":[])"), "/scopes: needs at least one of chat, approve, read, admin"));
  CHECK(has(key(R"("name":"n","key_env":"K","scopes":["write"])"), "/scopes/0: expected one of chat, approve, read, admin"));
  CHECK(has(user(R"({"codigo":"c"})"), "/auth/users/0: needs a \"username\""));
  CHECK(has(user(R"({"username":"u"})"), "needs a \"password_hash\" or a \"codigo\""));
  auto password = user(R"({"username":"u","password_hash":"hunter2!"})");
  CHECK(has(password, "/password_hash: expected a crypt(5) hash"));
  CHECK(password.find("hunter2") == std::string::npos);
  CHECK(
      has(user(R"({"username":"u","codigo":"c"},{"username":"u","codigo":"d","id":"x"})"), "/auth/users/1: a user before it"));
  CHECK(has(user(R"({"username":"u","codigo":"c"},{"username":"v","codigo":"c"})"), "the same \"codigo\""));
  CHECK(has(user(R"({"username":"u","codigo":"c","id":"1"},{"username":"v","codigo":"d","id":"1"})"), "the same id"));
  CHECK(has(user(R"({"username":"","codigo":"c"})"), "/username: must not be empty"));
}
