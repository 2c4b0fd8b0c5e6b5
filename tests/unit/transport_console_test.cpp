// The console's files out of their pack: what is answered, and that a damaged pack is refused instead of read past its end.
#include "transport/rest/console.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace troupe;
using transport::console;

namespace {

const std::string page_and_script =
    R"([{"path":"/index.html","type":"text/html","etag":"p1","plain":[0,4]},)"
    R"({"path":"/assets/a.js","type":"text/javascript","etag":"s1","plain":[4,6],"gzip":[10,2],"br":[12,1]}])";

std::string pack_of(const std::string& index, const std::string& bytes) {
  std::string out;
  for (auto shift : {0U, 8U, 16U, 24U}) out += static_cast<char>(index.size() >> shift & 0xFFU);
  return out + index + bytes;
}

transport::http_request request_of(std::string path, std::vector<std::pair<std::string, std::string>> headers = {}) {
  transport::http_request out;
  out.method = "GET";
  out.path = std::move(path);
  out.headers = std::move(headers);
  return out;
}

std::string header_of(const transport::http_response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

}  // namespace

TEST_CASE("console: the page is asked for every time, its files never again") {
  const auto pack = pack_of(page_and_script, "<h1>scriptzzb");
  auto files = console::open(pack).value();
  auto page = files->answer(request_of("/")).value();
  CHECK(page.body == "<h1>");
  CHECK(page.content_type == "text/html");
  CHECK(header_of(page, "Cache-Control") == "no-cache");
  CHECK(header_of(page, "Content-Security-Policy").find("unsafe") == std::string::npos);
  auto script = files->answer(request_of("/assets/a.js")).value();
  CHECK(script.body == "script");
  CHECK(header_of(script, "Cache-Control") == "public, max-age=31536000, immutable");
  CHECK_FALSE(files->answer(request_of("/assets/b.js")));
}

TEST_CASE("console: a file comes as the client can read it, or not at all where it has it") {
  const auto pack = pack_of(page_and_script, "<h1>scriptzzb");
  auto files = console::open(pack).value();
  auto with = [&](std::string codings) {
    return files->answer(request_of("/assets/a.js", {{"accept-encoding", codings}})).value();
  };
  CHECK(with("gzip, br").body == "b");
  CHECK(header_of(with("gzip, br"), "Content-Encoding") == "br");
  CHECK(with("gzip").body == "zz");
  CHECK(with("br;q=0, gzip;q=0.5").body == "zz");
  CHECK(with("identity").body == "script");
  CHECK(header_of(with("identity"), "Content-Encoding").empty());
  auto known = files->answer(request_of("/assets/a.js", {{"if-none-match", "\"s1\""}})).value();
  CHECK(known.status == 304);
  CHECK(known.body.empty());
  CHECK(files->answer(request_of("/assets/a.js", {{"if-none-match", "\"s0\""}})).value().status == 200);
}

TEST_CASE("console: none is built in, or its pack is damaged") {
  CHECK(console::open("").value() == nullptr);
  const std::string out_of_range = R"([{"path":"/index.html","type":"t","etag":"e","plain":[0,9]}])";
  const std::string overflow = R"([{"path":"/index.html","type":"t","etag":"e","plain":[18446744073709551615,2]}])";
  const std::string no_page = R"([{"path":"/a.js","type":"t","etag":"e","plain":[0,1]}])";
  for (const auto& pack : {std::string("abc"), std::string("\xFF\xFF\xFF\x7F", 4), pack_of("nonsense", ""), pack_of("{}", ""),
                           pack_of("[]", ""), pack_of(out_of_range, "abc"), pack_of(overflow, "abc"), pack_of(no_page, "abc")})
    CHECK(console::open(pack).error().code == core::errc::configuration_error);
}

TEST_CASE("console: which codings a client takes") {
  CHECK(transport::accepts_coding("gzip, deflate, br", "br"));
  CHECK(transport::accepts_coding("GZIP", "gzip"));
  CHECK(transport::accepts_coding(" gzip ;q=0.001", "gzip"));
  CHECK_FALSE(transport::accepts_coding("gzip;q=0", "gzip"));
  CHECK_FALSE(transport::accepts_coding("gzip;q=0.000", "gzip"));
  CHECK_FALSE(transport::accepts_coding("xgzip, gzipx", "gzip"));
  CHECK_FALSE(transport::accepts_coding("", "gzip"));
}
