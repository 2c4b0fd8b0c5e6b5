#include "tools/http/header_rules.hpp"
#include "tools/http/redirect.hpp"
#include "tools/http/url.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tools;

namespace {

http_url url(std::string_view text) {
  auto out = parse_url(text);
  INFO(text);
  REQUIRE(out.has_value());
  return *out;
}
std::string fault(std::string_view text) {
  auto out = parse_url(text);
  return out ? "<" + out->text + ">" : out.error().text;
}
host_list hosts(const std::vector<std::string>& entries) { return host_list::parse(entries).value(); }

}  // namespace

TEST_CASE("http url: a host reads the same however it is written") {
  for (const char* text : {"http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/",
                           "http://0x7f000001", "HTTP://127.1:80/", "http:///127.0.0.1/", "http://%3127.0.0.1/"}) {
    INFO(text);
    CHECK(url(text).host == "127.0.0.1");
    CHECK(url(text).port == 80);
  }
  CHECK(url("https://EXAMPLE.org./a?b#c").host == "example.org");
  CHECK(url("https://EXAMPLE.org./a?b#c").port == 443);
  CHECK(url("https://example.org/a?b#c").text == "https://example.org/a?b");
  CHECK(url("http://[::1]:8080/").host == "[::1]");
  CHECK(url("http://[0:0::0:1]:8080/").host == "[::1]");
  CHECK(url("http://example.org/\xC3\xA4 b").text == "http://example.org/%c3%a4%20b");
  CHECK_THAT(fault("http://b\xC3\xBC"
                   "cher.example/"),
             Catch::Contains("`xn--`"));
}

TEST_CASE("http url: what is no plain http address is refused by name") {
  for (const char* text : {"file:///etc/passwd", "gopher://127.0.0.1:70/_x", "ftp://example.org/", "dict://example.org",
                           "example.org", "javascript:alert(1)", "//example.org/", "/etc/passwd", ""}) {
    INFO(text << " gave " << fault(text));
    CHECK_THAT(fault(text), Catch::Contains("http:// or https://") || Catch::Contains("cannot be read"));
  }
  CHECK_THAT(fault("file:///etc/passwd"), Catch::Contains("must begin with http:// or https://"));
  for (const char* text : {"http://example.org@127.0.0.1/", "http://user:secret@example.org/", "http://a%40b@example.org/"}) {
    CHECK_THAT(fault(text), Catch::Contains("user name or password"));
    CHECK_THAT(fault(text), !Catch::Contains("secret"));
  }
  CHECK_THAT(fault("http://example.org/\r\nHost: x"), Catch::Contains("control characters"));
  CHECK_THAT(fault(std::string("http://example.org\0.evil/", 25)), Catch::Contains("control characters"));
  CHECK_THAT(fault("http://example.org/" + std::string(9000, 'a')), Catch::Contains("longer than 8192"));
  CHECK_THAT(fault("http://example.org/" + std::string(4000, ' ')), Catch::Contains("longer than 8192"));
  for (const char* text : {"http://", "http://exa mple.org/", "http://[::1/", "http://example.org:99999/", "http://a\\@b/"}) {
    INFO(text);
    CHECK_FALSE(parse_url(text).has_value());
  }
}

TEST_CASE("http hosts: names, addresses and everything below a name") {
  auto some = hosts({"Api.Example.org", "*.example.com", "10.0.0.5", "[::1]"});
  for (const char* host : {"api.example.org", "a.example.com", "a.b.example.com", "10.0.0.5", "[::1]"}) CHECK(some.holds(host));
  for (const char* host :
       {"example.org", "www.example.org", "example.com", "badexample.com", "api.example.org.evil.net", "10.0.0.50"})
    CHECK_FALSE(some.holds(host));
  CHECK(host_list().holds("anything"));
  CHECK(hosts({"0x0a.0.0.5"}).holds(url("http://167772165/").host));
  for (const char* entry :
       {"", "*", "*.", "https://example.org", "example.org:80", "example.org/a", "a.*.org", "a@b", "exa mple", "[::1]:80"}) {
    auto out = host_list::parse({entry});
    INFO(entry);
    REQUIRE_FALSE(out.has_value());
    CHECK(out.error().code == core::errc::configuration_error);
    CHECK_THAT(out.error().text, Catch::Contains("hosts: `" + std::string(entry) + "`"));
  }
}

TEST_CASE("http redirect: methods and bodies change as RFC 9110 says") {
  struct row {
    long status;
    const char* method;
    const char* becomes;
    bool keeps_body;
  };
  for (const auto& r : {row{301, "GET", "GET", true}, row{301, "POST", "GET", false}, row{302, "POST", "GET", false},
                        row{302, "PUT", "PUT", true}, row{303, "POST", "GET", false}, row{303, "DELETE", "GET", false},
                        row{303, "HEAD", "HEAD", true}, row{307, "POST", "POST", true}, row{308, "PATCH", "PATCH", true}}) {
    INFO(r.status << " " << r.method);
    CHECK(is_redirect(r.status));
    auto next = follow_redirect(url("http://example.org/a/b"), r.method, r.status, "../c", {});
    REQUIRE(next.has_value());
    CHECK(next->method == r.becomes);
    CHECK(next->keeps_body == r.keeps_body);
    CHECK(next->keeps_headers);
    CHECK(next->url.text == "http://example.org/c");
  }
  for (long status : {200L, 300L, 304L, 305L, 306L, 309L, 404L}) CHECK_FALSE(is_redirect(status));
}

TEST_CASE("http redirect: headers stay within their origin, and some ways are not gone") {
  auto from = url("https://example.org/a");
  auto to = [&](const char* location, const host_list& list = {}) { return follow_redirect(from, "GET", 302, location, list); };
  CHECK(to("https://example.org:443/b")->keeps_headers);
  CHECK(to("//EXAMPLE.org/b")->keeps_headers);
  CHECK_FALSE(to("https://example.org:444/b")->keeps_headers);
  CHECK_FALSE(to("https://www.example.org/b")->keeps_headers);
  CHECK_FALSE(follow_redirect(url("http://example.org/a"), "GET", 302, "https://example.org/a", {})->keeps_headers);

  auto refused = [&](const char* location, const host_list& list = {}) {
    auto out = to(location, list);
    return out ? "<" + out->url.text + ">" : out.error().text;
  };
  CHECK_THAT(refused("http://example.org/"), Catch::Contains("from https to http"));
  CHECK_THAT(refused("file:///etc/passwd"), Catch::Contains("http:// or https://"));
  CHECK_THAT(refused("https://user@example.org/"), Catch::Contains("user name or password"));
  CHECK_THAT(refused("https://other.org/", hosts({"example.org"})), Catch::Contains("`other.org` is not among the hosts"));
  CHECK(to("https://example.org/b", hosts({"example.org"})).has_value());
}

TEST_CASE("http headers: only what a request may say of itself") {
  auto fault_of = [](const std::vector<http_header>& headers) {
    auto fit = check_headers(headers);
    return fit ? std::string() : fit.error().text;
  };
  CHECK(fault_of({{"Authorization", "Bearer x"}, {"X-Empty", ""}, {"accept", "a\tb"}, {"X-\x60", "\xC3\xA4"}}).empty());
  for (const char* name : {"Host", "content-length", "Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade",
                           "Keep-Alive", "Proxy-Authorization", "proxy-x", "Cookie2", "Expect", "Accept-Encoding"})
    CHECK_THAT(fault_of({{name, "x"}}), Catch::Contains("`" + std::string(name) + "` belongs to the connection"));
  for (const char* name : {"", "a b", "a:b", "a\r\nb", "\xC3\xA4"})
    CHECK_THAT(fault_of({{name, "x"}}), Catch::Contains("header name"));
  for (const auto& value :
       {std::string("secret\r\nX: y"), std::string("secret\n"), std::string("secret\0", 7), std::string("secret\x7F")}) {
    CHECK_THAT(fault_of({{"X-A", value}}), Catch::Contains("`X-A` has a line break"));
    CHECK_THAT(fault_of({{"X-A", value}}), !Catch::Contains("secret"));
  }
  CHECK_THAT(fault_of(std::vector<http_header>(65, {"a", "b"})), Catch::Contains("more than 64"));
  CHECK_THAT(fault_of({{"a", std::string(16 << 10, 'x')}}), Catch::Contains("larger than 16384"));
  CHECK(header_line({"A", "b"}) == "A: b");
  CHECK(header_line({"A", " "}) == "A;");
  CHECK((is_harmless("Accept") && is_harmless("content-type") && !is_harmless("Cookie") && !is_harmless("X-Key")));
}
