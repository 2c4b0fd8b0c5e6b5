#include "tests/unit/transport_dialect_test.hpp"
#include "transport/dialects/socketio_frames.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::transport;
using transport_test::texts_of;
using transport_test::words;

namespace {

const core::session_id a{{0x11, 0x22}};
const core::session_id b{{0x33, 0x44}};
const std::string a_text = a.str();

words put(std::string_view nsp, std::string_view name, std::string_view payload, core::seq_t seq) {
  frame_writer out(framing::websocket);
  put_event(out, nsp, name, payload, a, seq);
  return texts_of(*out.take());
}

}  // namespace

TEST_CASE("socketio frames: an event is an Engine.IO message with its place as the last argument") {
  CHECK(put("/", "n", R"({"x":1})", 7) == words{R"(42["n",{"x":1},")" + a_text + R"(:7"])"});
  CHECK(put("/chat", "n", R"({"x":1})", 7) == words{R"(42/chat,["n",{"x":1},")" + a_text + R"(:7"])"});
  CHECK(put("/", "a\"b", "", 7) == words{R"(42["a\"b",")" + a_text + R"(:7"])"});
}

TEST_CASE("socketio frames: what is not stored carries no place") {
  CHECK(put("/", "n", R"({"x":1})", 0) == words{R"(42["n",{"x":1}])"});
  CHECK(event_packet("/", "n", R"({"x":1})") == R"(2["n",{"x":1}])");
  CHECK(event_packet("/chat", "n", "") == R"(2/chat,["n"])");
}

TEST_CASE("socketio frames: places as text come back") {
  offsets places{{a, 1}, {b, 18446744073709551615u}};
  auto text = to_text(places);
  CHECK(text == a_text + ":1," + b.str() + ":18446744073709551615");
  CHECK(offsets_from(text) == places);
  CHECK(to_text(offsets{}).empty());
  CHECK(offsets_from(a_text + ":1," + a_text + ":9") == offsets{{a, 1}});
}

TEST_CASE("socketio frames: what is no list of places is nothing") {
  const std::string bad[] = {"",
                             ",",
                             "x",
                             "7",
                             a_text,
                             a_text + ":",
                             a_text + ":-1",
                             a_text + ":1x",
                             a_text + ": 1",
                             a_text + ":1,",
                             "," + a_text + ":1",
                             a_text + ":18446744073709551616",
                             a_text.substr(1) + ":1",
                             a_text + ":1,at:5"};
  for (const auto& text : bad) {
    INFO(text);
    CHECK(!offsets_from(text).has_value());
  }
  std::string many;
  for (std::uint64_t i = 0; i <= 1000; ++i) many += (i == 0 ? "" : ",") + core::session_id{{1, i}}.str() + ":1";
  CHECK(!offsets_from(many).has_value());
  CHECK(offsets_from(many.substr(0, many.rfind(',')))->size() == 1000);
}

TEST_CASE("socketio frames: other places go behind an event's own, whatever the length of the frame") {
  for (std::size_t length : {0u, 20u, 60u, 100u, 125u, 500u, 65'500u, 70'000u}) {
    auto payload = R"({"x":")" + std::string(length, 'y') + R"("})";
    frame_writer out(framing::websocket);
    put_event(out, "/", "one", payload, a, 7);
    put_event(out, "/", "none", payload, a, 0);
    put_event(out, "/", "two", payload, a, 8);
    auto others = to_text({{b, 3}});
    auto packets = texts_of(*with_other_offsets(*out.take(), others));
    REQUIRE(packets.size() == 3);
    CHECK(packets[0] == R"(42["one",)" + payload + ",\"" + a_text + ":7," + others + "\"]");
    CHECK(packets[1] == R"(42["none",)" + payload + "]");
    CHECK(packets[2] == R"(42["two",)" + payload + ",\"" + a_text + ":8," + others + "\"]");
  }
}

TEST_CASE("socketio frames: without other places, and in what is no frame, nothing changes") {
  frame_writer out(framing::websocket);
  put_event(out, "/", "n", R"({"x":1})", a, 7);
  auto framed = out.take();
  CHECK(*with_other_offsets(*framed, "") == *framed);
  CHECK(with_other_offsets("", "x")->empty());
  for (std::size_t cut = 1; cut < framed->size(); ++cut) CHECK(with_other_offsets(framed->substr(0, cut), "x") != nullptr);
}
