#include "providers/sse_parser.hpp"
#include "providers/utf8.hpp"

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

using namespace troupe::providers;

namespace {

using events = std::vector<std::pair<std::string, std::string>>;

struct outcome {
  events seen;
  bool too_long = false;
  bool operator==(const outcome&) const = default;
};

/// Each part in storage of its own, so that a view which outlives its part shows under the sanitizer.
outcome parse(const std::vector<std::string>& parts, std::size_t max_line = 64) {
  sse_parser parser(max_line);
  outcome out;
  for (const auto& part : parts) {
    std::string own(part);
    parser.feed(own);
    while (auto event = parser.next()) out.seen.emplace_back(event->name, event->data);
  }
  if (auto event = parser.finish()) out.seen.emplace_back(event->name, event->data);
  out.too_long = parser.too_long();
  return out;
}

void check_every_cut(const std::string& bytes, const outcome& expected) {
  CAPTURE(bytes);
  CHECK(parse({bytes}).seen == expected.seen);
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    CAPTURE(i);
    CHECK(parse({bytes.substr(0, i), bytes.substr(i)}) == expected);
  }
  std::vector<std::string> single;
  for (char c : bytes) single.emplace_back(1, c);
  CHECK(parse(single) == expected);
}

}  // namespace

TEST_CASE("sse_parser: events are the same wherever their bytes are cut") {
  check_every_cut("data: one\n\ndata:two\n\n", {{{"", "one"}, {"", "two"}}});
  check_every_cut("data: a\r\n\r\ndata: b\r\rdata: c\n\n", {{{"", "a"}, {"", "b"}, {"", "c"}}});
  check_every_cut("data: first\ndata: second\ndata:\n\n", {{{"", "first\nsecond\n"}}});
  check_every_cut(": a comment\nevent: error\nid: 7\nretry: 1\ndata: x\n\ndata: y\n\n", {{{"error", "x"}, {"", "y"}}});
  check_every_cut(
      "\xEF\xBB\xBF"
      "data: after a mark\n\n",
      {{{"", "after a mark"}}});
  check_every_cut("event: ping\n\n\n\ndata:  two spaces\n\n", {{{"", " two spaces"}}});
  check_every_cut("data: caf\xC3\xA9\n\n", {{{"", "caf\xC3\xA9"}}});
  check_every_cut("data\n\ndataset: x\n\n", {{{"", ""}}});
}

TEST_CASE("sse_parser: whole lines count at the end, half a line does not") {
  check_every_cut("data: [DONE]\n", {{{"", "[DONE]"}}});
  check_every_cut("data: one\n\ndata: tw", {{{"", "one"}}});
}

TEST_CASE("sse_parser: a line or an event over the limit is refused wherever it is cut") {
  auto filler = std::string(70, 'x');
  check_every_cut("data: ok\n\ndata: " + filler + "\n\n", {{{"", "ok"}}, true});
  check_every_cut("data: " + filler.substr(0, 40) + "\ndata: " + filler.substr(0, 40) + "\n\n", {{}, true});
}

TEST_CASE("sse_parser: an endless line keeps no more than the limit in memory") {
  sse_parser parser(64);
  std::string part(60, 'x');
  for (int i = 0; i < 3; ++i) {
    parser.feed(part);
    CHECK_FALSE(parser.next());
  }
  CHECK(parser.too_long());
}

TEST_CASE("utf8: valid, cut and invalid bytes are told apart") {
  struct row {
    std::string bytes;
    std::size_t valid;
    bool truncated;
  };
  const std::vector<row> rows{
      {"", 0, false},
      {"plain ascii, longer than a word", 31, false},
      {"caf\xC3\xA9", 5, false},
      {"12345678\xE2\x82\xAC", 11, false},
      {"a\xE2\x82", 1, true},
      {"a\xF0\x9F\x98", 1, true},
      {"a\xF0\x9F\x98\x80", 5, false},
      {"\xC0\x80", 0, false},          // overlong
      {"\xE0\x80\x80", 0, false},      // overlong
      {"\xED\xA0\x80", 0, false},      // surrogate
      {"\xF4\x90\x80\x80", 0, false},  // above U+10FFFF
      {"\xF5", 0, false},
      {"a\x80", 1, false},
      {"\xE2(\xAC", 0, false},
  };
  for (const auto& r : rows) {
    CAPTURE(r.bytes);
    auto scan = scan_utf8(r.bytes);
    CHECK(scan.valid == r.valid);
    CHECK(scan.truncated == r.truncated);
  }
}

TEST_CASE("utf8: the gate lets whole characters through, wherever they are cut") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
  utf8_gate gate;
  std::string out;
  for (char c : text) {
    auto before = out.size();
    REQUIRE(gate.feed({&c, 1}, out));
    CHECK(scan_utf8(std::string_view(out).substr(before)).valid == out.size() - before);
  }
  CHECK(out == text);
  CHECK_FALSE(gate.has_partial());
  REQUIRE(gate.feed("\xE2\x82", out));
  CHECK(gate.has_partial());
  CHECK_FALSE(gate.feed("(", out));
}

TEST_CASE("utf8: bounded text is cut between characters and stays on one line") {
  CHECK(bounded_text("short", 10) == "short");
  CHECK(bounded_text("two\nlines\x7F", 20) == "two lines ");
  CHECK(bounded_text("abc\xE2\x82\xAC", 4) == "abc…");
  CHECK(to_utf8("a\x80"
                "b\xE2\x82") ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD");
}
