#include "tools/http/body_text.hpp"
#include "tools/http/response.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tools;
using namespace std::string_literals;
using providers::transfer_result;

namespace {

std::string read(const std::string& bytes, std::string_view type, bool is_cut = false) {
  return text_of_body(bytes, media_type_of(type), is_cut).value_or("<none>");
}

incoming_response came(long status, std::string type, std::string body) {
  incoming_response in;
  in.method = "GET";
  in.url = parse_url("https://example.org/a").value();
  in.status = status;
  in.headers = {{"content-type", type}, {"retry-after", "5"}, {"content-length", "9"}};
  in.content_type = std::move(type);
  in.body = std::move(body);
  return in;
}
exchange_rules rules(bool is_open = true) {
  exchange_rules out;
  out.tool = "t";
  out.is_open = is_open;
  out.time_limit = std::chrono::seconds{30};
  return out;
}

}  // namespace

TEST_CASE("http body: content types are read leniently") {
  auto type = media_type_of("Text/HTML; a=b;CHARSET=\"ISO-8859-1\" ; x");
  CHECK(type.essence == "text/html");
  CHECK(type.charset == "iso-8859-1");
  CHECK(media_type_of("nonsense").essence.empty());
  CHECK(media_type_of("").essence.empty());
  CHECK(media_type_of(";;;=;charset").charset.empty());
  CHECK(media_type_of("application/problem+json").is_json());
  CHECK(media_type_of("image/png").is_file());
  CHECK_FALSE(media_type_of("image/svg+xml").is_file());
}

TEST_CASE("http body: text of every common charset becomes UTF-8") {
  CHECK(read("gr\xC3\xBC\xC3\x9F", "text/plain") == "gr\xC3\xBC\xC3\x9F");
  CHECK(read("\xEF\xBB\xBFgr\xC3\xBC", "text/plain; charset=iso-8859-1") == "gr\xC3\xBC");
  CHECK(read("gr\xFC\xDF", "text/plain; charset=ISO-8859-1") == "gr\xC3\xBC\xC3\x9F");
  CHECK(read("\x80 5", "text/html; charset=windows-1252") == "\xE2\x82\xAC 5");
  CHECK(read("\x93gr\xFC\x94", "text/html") == "\xE2\x80\x9Cgr\xC3\xBC\xE2\x80\x9D");
  CHECK(read("\xFF\xFEg\0\xFC\0"s, "text/plain") == "g\xC3\xBC");
  CHECK(read("\xFE\xFF\0g\0\xFC"s, "text/plain") == "g\xC3\xBC");
  CHECK(read("g\0\xFC\0"s, "text/plain; charset=utf-16") == "g\xC3\xBC");
  CHECK(read("\0g\0\xFC"s, "text/plain; charset=UTF-16BE") == "g\xC3\xBC");
  CHECK(read("\x3D\xD8\0\xDE"s, "text/plain; charset=utf-16le") == "\xF0\x9F\x98\x80");
  CHECK(read("{\"a\":\"\xC3\xBC\"}", "application/json; charset=iso-8859-1") == "{\"a\":\"\xC3\xBC\"}");
  CHECK(read("plain", "") == "plain");
  CHECK(read("plain", "application/octet-stream") == "plain");
  CHECK(read("plain", "text/plain; charset=shift_jis") == "plain");
}

TEST_CASE("http body: broken text is mended where it says it is text, and else no text") {
  CHECK(read("a\xFF"
             "b",
             "text/plain; charset=utf-8") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(read("{\"a\":\"\xFF\"}", "application/json") == "{\"a\":\"\xEF\xBF\xBD\"}");
  CHECK(read("a\xFF"
             "b",
             "application/octet-stream") == "<none>");
  CHECK(read("a\xFF"
             "b",
             "") == "<none>");
  CHECK(read("\x82\xA0", "text/plain; charset=shift_jis") == "<none>");
  CHECK(read("a\0b"s, "text/plain") == "<none>");
  CHECK(read("a\0\xFF"s, "text/plain; charset=utf-8") == "<none>");
  CHECK(read("g\0\xD8"s, "text/plain; charset=utf-16le") == "<none>");
}

TEST_CASE("http body: a cut never leaves half a character") {
  CHECK(read("a\xE2\x82", "text/plain; charset=utf-8", true) == "a");
  CHECK(read("a\xE2\x82\xAC", "text/plain; charset=utf-8", true) == "a\xE2\x82\xAC");
  CHECK(read("a\xE2\x82", "", true) == "a");
  CHECK(read("a\xE2\x82", "") == "<none>");
  CHECK(read("\xFF\xFEg\0\xFC"s, "", true) == "g");
  CHECK(read("\xFF\xFEg\0\x3D\xD8"s, "", true) == "g");
  CHECK(read("\xFE\xFF\0g\xD8\x3D"s, "", true) == "g");
  CHECK(read("\xFF\xFE", "", true).empty());
}

TEST_CASE("http result: status, headers, body, the body alone for a declared tool") {
  auto open = result_of(came(200, "text/plain", "hello"), rules());
  CHECK(open.ok);
  CHECK(open.output == "HTTP 200\ncontent-type: text/plain\nretry-after: 5\n\nhello");
  CHECK(result_of(came(200, "text/plain", "hello"), rules(false)).output == "hello");
  CHECK(result_of(came(204, "", ""), rules(false)).output == "HTTP 204\n");

  auto missing = result_of(came(404, "application/json", "{\"e\":1}"), rules(false));
  CHECK_FALSE(missing.ok);
  CHECK(missing.output == "HTTP 404\n\n{\"e\":1}");

  auto moved = came(200, "text/plain", "hello");
  moved.redirects = 1;
  CHECK_THAT(result_of(moved, rules()).output, Catch::Contains("redirected to: https://example.org/a\n"));
  CHECK_THAT(result_of(moved, rules(false)).output, !Catch::Contains("example.org"));

  auto head = came(200, "text/plain", "");
  head.method = "HEAD";
  CHECK_THAT(result_of(head, rules()).output, Catch::Contains("content-length: 9\n"));
  auto rude = came(200, "text/plain", "x");
  rude.headers = {{"etag", "\x1B[31m\xFF" + std::string(9000, 'e')}};
  CHECK_THAT(result_of(rude, rules()).output, Catch::StartsWith("HTTP 200\netag: ?[31m?eee"));
  CHECK(result_of(rude, rules()).output.size() < 600);
}

TEST_CASE("http result: pictures and documents are files, other bytes are named") {
  auto png = "\x89PNG\r\n\x1A\n\0\0"s;
  auto picture = result_of(came(200, "image/png", png), rules());
  REQUIRE(picture.files.size() == 1);
  CHECK(picture.files[0].name == "response.png");
  CHECK(picture.files[0].content_type == "image/png");
  CHECK(picture.files[0].bytes == png);
  CHECK_THAT(picture.output, Catch::EndsWith("(The body is attached: image/png, 10 bytes.)"));

  auto cut = came(200, "image/png", png);
  cut.is_cut = true;
  auto refused = result_of(cut, rules());
  CHECK(refused.files.empty());
  CHECK_THAT(refused.output, Catch::Contains("a PNG image, more than 10 bytes"));
  CHECK(result_of(came(500, "image/png", png), rules()).files.empty());

  auto zip = result_of(came(200, "application/zip", "PK\x03\x04\0\xFF"s), rules());
  CHECK(zip.ok);
  CHECK_THAT(zip.output, Catch::Contains("not text") && Catch::Contains("a ZIP archive") && Catch::Contains("6 bytes") &&
                             Catch::Contains("`application/zip`"));
}

TEST_CASE("http result: a cut body says so and stays in its bounds") {
  auto in = came(200, "text/plain", std::string(100, 'x'));
  in.is_cut = true;
  auto few = rules();
  few.max_body = 100;
  CHECK_THAT(result_of(in, few).output, Catch::EndsWith("xxx\n(cut: the body is longer than the 100 bytes that `t` gives)"));
  // One byte of windows-1252 may become three.
  auto wide = came(200, "text/plain", std::string(100, '\x80'));
  CHECK(result_of(wide, few).output.size() < 300);
  CHECK_THAT(result_of(wide, few).output, Catch::Contains("(cut:"));
}

TEST_CASE("http result: what went wrong is named, and whether the server may have acted") {
  struct row {
    transfer_result how;
    const char* text;
    bool is_open_question;
  };
  for (const auto& r :
       {row{transfer_result::forbidden_address, "`allow_private`", false},
        row{transfer_result::unreachable, "cannot be reached: because", false},
        row{transfer_result::untrusted, "`ca_file`", false}, row{transfer_result::bad_request, "cannot be sent", false},
        row{transfer_result::connect_timeout, "did not accept a connection", false},
        row{transfer_result::total_timeout, "within 30000 ms, the time limit of `t`", true},
        row{transfer_result::broken, "broke before the response was whole", true}}) {
    for (const char* method : {"GET", "POST"}) {
      auto in = came(0, "", "");
      in.end = {r.how, "because"};
      in.method = method;
      auto out = result_of(in, rules());
      INFO(out.output);
      CHECK_FALSE(out.ok);
      CHECK_THAT(out.output, Catch::Contains(r.text) && Catch::Contains("`example.org:443`"));
      bool asks = out.output.find("is not known") != std::string::npos;
      CHECK(asks == (r.is_open_question && method == "POST"s));
    }
  }
  auto half = came(200, "text/plain; charset=utf-8", "hel\xC3");
  half.end = {transfer_result::broken, "reset"};
  auto out = result_of(half, rules());
  CHECK_FALSE(out.ok);
  CHECK_THAT(out.output, Catch::Contains("broke before") && Catch::Contains("HTTP 200\n") && Catch::EndsWith("\n\nhel"));
}
