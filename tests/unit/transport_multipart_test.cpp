#include "transport/rest/multipart.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace troupe::transport;

namespace {

const std::string form = "multipart/form-data; boundary=xyz";

std::string part(const std::string& disposition, const std::string& data, const std::string& more = {}) {
  return "--xyz\r\nContent-Disposition: form-data; " + disposition + "\r\n" + more + "\r\n" + data + "\r\n";
}

}  // namespace

TEST_CASE("multipart: fields and files, in order, byte for byte") {
  std::string bytes("a\0\r\n--xy\r\nb", 11);
  auto body = part("name=\"note\"", "hello") + part("name=\"file\"; filename=\"a.png\"", bytes, "Content-Type: image/png\r\n") +
              "--xyz--\r\n";
  auto parts = parse_form_data(form, body);
  REQUIRE(parts.has_value());
  REQUIRE(parts->size() == 2);
  CHECK(parts->at(0).name == "note");
  CHECK_FALSE(parts->at(0).has_filename);
  CHECK(parts->at(0).data == "hello");
  CHECK(parts->at(1).filename == "a.png");
  CHECK(parts->at(1).content_type == "image/png");
  CHECK(parts->at(1).data == bytes);
}

TEST_CASE("multipart: how clients write it") {
  SECTION("a quoted boundary, text before and behind, spaces behind a boundary") {
    auto parts =
        parse_form_data("multipart/form-data; charset=utf-8; boundary=\"x y\"",
                        "preamble\r\n--x y  \r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--x y--\r\nepilogue");
    REQUIRE(parts.has_value());
    CHECK(parts->at(0).data == "1");
  }
  SECTION("an empty file") {
    auto parts = parse_form_data(form, part("name=\"f\"; filename=\"empty\"", "") + "--xyz--");
    REQUIRE(parts.has_value());
    CHECK(parts->at(0).data.empty());
    CHECK(parts->at(0).has_filename);
  }
  SECTION("no parts at all") {
    auto parts = parse_form_data(form, "--xyz--\r\n");
    REQUIRE(parts.has_value());
    CHECK(parts->empty());
  }
  SECTION("names with folders, quotes and other alphabets") {
    struct row {
      const char* written;
      const char* name;
    };
    auto r = GENERATE(values<row>({{R"(filename="C:\dir\a.txt")", "a.txt"},
                                   {R"(filename="../../etc/passwd")", "passwd"},
                                   {R"(filename="a\"b.txt")", "a\"b.txt"},
                                   {R"(filename="a%22b.txt")", "a\"b.txt"},
                                   {R"(filename="a;b=c.txt")", "a;b=c.txt"},
                                   {R"(filename=plain.txt)", "plain.txt"},
                                   {R"(filename="ñandú 鳥.txt")", "ñandú 鳥.txt"},
                                   {R"(filename="")", ""}}));
    auto parts = parse_form_data(form, part(std::string("name=\"f\"; ") + r.written, "1") + "--xyz--");
    REQUIRE(parts.has_value());
    CHECK(parts->at(0).filename == r.name);
    CHECK(parts->at(0).has_filename);
  }
}

TEST_CASE("multipart: what cannot be read is refused") {
  struct row {
    const char* why;
    std::string type;
    std::string body;
  };
  auto r = GENERATE(values<row>(
      {{"no boundary", "multipart/form-data", "--xyz--"},
       {"a boundary that is too long", "multipart/form-data; boundary=" + std::string(71, 'x'), "--xyz--"},
       {"a boundary that is not in the body", form, "hello"},
       {"no closing boundary", form, part("name=\"a\"", "1")},
       {"a boundary inside a line", form, "--xyzz\r\n\r\n"},
       {"a part without a name", form, "--xyz\r\nContent-Type: text/plain\r\n\r\n1\r\n--xyz--"},
       {"a part without fields", form, "--xyz\r\n\r\n1\r\n--xyz--"},
       {"a line that is no field", form, "--xyz\r\nnonsense\r\n\r\n1\r\n--xyz--"},
       {"fields without end", form, "--xyz\r\nContent-Disposition: form-data; name=a"},
       {"fields that are too long", form, part("name=\"a\"; x=\"" + std::string(5000, 'y') + "\"", "1") + "--xyz--"}}));
  INFO(r.why);
  auto parts = parse_form_data(r.type, r.body);
  REQUIRE_FALSE(parts.has_value());
  CHECK(parts.error().code == troupe::core::errc::validation_error);
}

TEST_CASE("multipart: the number of parts is bounded") {
  std::string body;
  for (std::size_t i = 0; i < most_form_parts; ++i) body += part("name=\"a\"", "1");
  CHECK(parse_form_data(form, body + "--xyz--").has_value());
  CHECK_FALSE(parse_form_data(form, body + part("name=\"a\"", "1") + "--xyz--").has_value());
}

TEST_CASE("multipart: only multipart/form-data counts, in any case") {
  CHECK(is_form_data("multipart/form-data; boundary=x"));
  CHECK(is_form_data("Multipart/Form-Data"));
  CHECK_FALSE(is_form_data("multipart/mixed; boundary=x"));
  CHECK_FALSE(is_form_data(""));
}
