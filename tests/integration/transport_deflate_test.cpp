// permessage-deflate (RFC 7692) over raw sockets: its negotiation, its examples, the Autobahn cases 12 and 13, and abuse.
#include "tests/support/echo_server.hpp"
#include "transport/net/websocket_deflate.hpp"

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/beast/zlib/inflate_stream.hpp>
#include <catch2/catch.hpp>

#include <fstream>
#include <vector>

using namespace troupe;
using namespace troupe::testing;

namespace {

namespace zlib = boost::beast::zlib;

constexpr std::string_view tail("\x00\x00\xff\xff", 4);

/// The client's half: its compressor keeps its window over messages unless told to forget.
class zlib_client {
 public:
  explicit zlib_client(int window_bits = 15) { deflater_.reset(6, window_bits, 8, zlib::Strategy::normal); }

  std::string compress(std::string_view message) {
    if (message.empty()) return std::string(1, '\0');  // RFC 7692 §7.2.3.6
    std::string out(message.size() * 2 + 100, '\0');
    zlib::z_params z;
    z.next_in = message.data();
    z.avail_in = message.size();
    z.next_out = out.data();
    z.avail_out = out.size();
    boost::system::error_code ec;
    deflater_.write(z, zlib::Flush::sync, ec);
    if (ec) throw std::runtime_error("zlib_client: " + ec.message());
    out.resize(z.total_out - tail.size());
    return out;
  }
  void forget() { deflater_.reset(); }

  std::string inflate(const std::string& payload, std::size_t size) {
    const auto in = payload + std::string(tail);
    std::string out(size + 1, '\0');
    zlib::z_params z;
    z.next_in = in.data();
    z.avail_in = in.size();
    z.next_out = out.data();
    z.avail_out = out.size();
    boost::system::error_code ec;
    inflater_.write(z, zlib::Flush::sync, ec);
    if (ec) throw std::runtime_error("zlib_client: " + ec.message());
    out.resize(z.total_out);
    return out;
  }
  void inflate_within(int bits) { inflater_.reset(bits); }

 private:
  zlib::deflate_stream deflater_;
  zlib::inflate_stream inflater_;
};

std::string compressed_frame(int opcode, std::string_view payload, bool fin = true) {
  auto out = masked_frame(opcode, payload, fin);
  out[0] = static_cast<char>(out[0] | 0x40);
  return out;
}

/// The value of Sec-WebSocket-Extensions in the 101 answer to these header lines; empty without one.
std::string open_with(tcp_client& client, const std::string& header_lines) {
  auto request = tcp_client::upgrade_request();
  request.insert(request.size() - 2, header_lines);
  client.send(request);
  const auto head = client.read_until("\r\n\r\n");
  if (head.find(" 101 ") == head.npos) throw std::runtime_error("no upgrade: " + head);
  const std::string name = "Sec-WebSocket-Extensions: ";
  const auto at = head.find(name);
  return at == head.npos ? std::string() : head.substr(at + name.size(), head.find("\r\n", at) - at - name.size());
}

std::string offer(const std::string& value) { return "Sec-WebSocket-Extensions: " + value + "\r\n"; }

/// Text that deflate makes smaller, but not by much.
std::string prose(std::size_t size) {
  std::string out;
  unsigned state = 7;
  while (out.size() < size) {
    state = state * 1664525U + 1013904223U;
    out += "word" + std::to_string(state >> 20) + " ";
  }
  out.resize(size);
  return out;
}

std::size_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  in >> total >> resident;
  return resident * 4096;
}

}  // namespace

TEST_CASE("deflate: the 101 answer carries what was agreed") {
  echo_server server;
  struct negotiation {
    std::string headers;
    std::string answer;
  };
  const std::string plain = "permessage-deflate";
  const std::vector<negotiation> cases{
      {"", ""},
      {offer("x-webkit-deflate-frame"), ""},
      {offer(plain), plain},
      {offer("PerMessage-Deflate"), plain},
      {offer(plain + "; client_max_window_bits"), plain},
      {offer(plain + "; client_max_window_bits=10"), plain + "; client_max_window_bits=10"},
      {offer(plain + "; client_max_window_bits=\"10\""), plain + "; client_max_window_bits=10"},
      {offer(plain + "; server_max_window_bits=9"), plain + "; server_max_window_bits=9"},
      {offer(plain + "; server_max_window_bits=15"), plain},
      {offer(plain + ";server_no_context_takeover ; client_no_context_takeover"),
       plain + "; server_no_context_takeover; client_no_context_takeover"},
      {offer("foo; bar=1, " + plain), plain},
      {offer("foo") + offer(plain), plain},
      // The first offer cannot be met, the second can.
      {offer(plain + "; server_max_window_bits=8, " + plain), plain},
      {offer(plain + "; server_max_window_bits=10, " + plain), plain + "; server_max_window_bits=10"},
      // Declined: unknown, repeated, with a value too many or too few, out of range.
      {offer(plain + "; unknown"), ""},
      {offer(plain + "; server_max_window_bits"), ""},
      {offer(plain + "; server_max_window_bits=7"), ""},
      {offer(plain + "; server_max_window_bits=16"), ""},
      {offer(plain + "; server_max_window_bits=010"), ""},
      {offer(plain + "; client_max_window_bits=7"), ""},
      {offer(plain + "; server_no_context_takeover=1"), ""},
      {offer(plain + "; client_no_context_takeover; client_no_context_takeover"), ""},
      {offer(plain + "; server_max_window_bits=10; server_max_window_bits=10"), ""},
      {offer(plain + "; =1"), ""},
      {offer(plain + " " + plain), ""}};
  for (const auto& c : cases) {
    INFO(c.headers);
    tcp_client client(server.url());
    CHECK(open_with(client, c.headers) == c.answer);
    client.send_text("works");
    CHECK(client.read_frame().payload == "works");
  }
}

TEST_CASE("deflate: without permission in the configuration it is not agreed, and RSV1 fails") {
  auto limits = echo_limits();
  limits.permessage_deflate = false;
  echo_server server(limits);
  tcp_client client(server.url());
  CHECK(open_with(client, offer("permessage-deflate")).empty());
  client.send(compressed_frame(1, "\xf2\x48\xcd\xc9\xc9\x07"));
  CHECK(hear(client) == "close 1002");
}

TEST_CASE("deflate: the examples of RFC 7692 section 7.2.3 are understood") {
  using std::string_literals::operator""s;
  echo_server server;
  tcp_client client(server.url());
  open_with(client, offer("permessage-deflate"));
  client.send(compressed_frame(1, "\xf2\x48\xcd\xc9\xc9\x07\x00"s));
  client.send(compressed_frame(1, "\xf2\x00\x11\x00\x00"s));  // refers to the message before
  client.send(compressed_frame(1, "\xf2\x48\xcd"s, false) + masked_frame(9, "between") + masked_frame(0, "\xc9\xc9\x07\x00"s));
  client.send(compressed_frame(1, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s));          // a stored block
  client.send(compressed_frame(1, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s));                      // a final block
  client.send(compressed_frame(1, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s));  // two blocks
  client.send(compressed_frame(1, "\x00"s) + masked_frame(1, "plain") + close_frame(1000));
  CHECK(hear(client) ==
        "text Hello, text Hello, pong between, text Hello, text Hello, text Hello, text Hello, text , text plain, close 1000");
}

TEST_CASE("autobahn 12 and 13: compressed messages of every size come back, compressed where it pays") {
  echo_server server;
  struct setting {
    std::string parameters;
    int server_bits = 15;
    int client_bits = 15;
    bool forgets = false;
  };
  const std::vector<setting> settings{{""},
                                      {"; client_no_context_takeover; server_no_context_takeover", 15, 15, true},
                                      {"; server_max_window_bits=9; client_max_window_bits=9", 9, 9},
                                      {"; server_max_window_bits=12", 12, 15}};
  for (const auto& s : settings) {
    tcp_client client(server.url());
    REQUIRE_FALSE(open_with(client, offer("permessage-deflate" + s.parameters)).empty());
    zlib_client z(s.client_bits);
    z.inflate_within(s.server_bits);
    for (const std::size_t size : {0U, 16U, 64U, 255U, 256U, 1024U, 4096U, 8192U, 16384U, 32768U, 65536U, 131072U, 1000000U})
      for (int round = 0; round < 3; ++round) {
        INFO(s.parameters << " " << size);
        const auto message = prose(size);
        auto payload = z.compress(message);
        if (s.forgets) z.forget();
        // 12.x in one frame, 13.x in fragments.
        if (round < 2) {
          client.send(compressed_frame(1 + round, payload));
        } else {
          std::string sent;
          for (std::size_t at = 0; at == 0 || at < payload.size(); at += 1000)
            sent += at == 0 ? compressed_frame(1, payload.substr(0, 1000), payload.size() <= 1000)
                            : masked_frame(0, std::string_view(payload).substr(at, 1000), at + 1000 >= payload.size());
          client.send(sent);
        }
        const auto start = client.read_exactly(1);
        const bool is_compressed = (start[0] & 0x40) != 0;
        CHECK((start[0] & 0x0f) == (round == 1 ? 2 : 1));
        CHECK(is_compressed == (size >= 256));
        const auto back = client.read_payload();
        CHECK((is_compressed ? z.inflate(back, size) : back) == message);
        if (is_compressed) CHECK(back.size() < size);
      }
  }
}

TEST_CASE("deflate: what does not get smaller is sent as it is, and shared bytes too") {
  echo_server server;
  tcp_client client(server.url());
  open_with(client, offer("permessage-deflate"));
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 5000; ++i) noise.push_back(static_cast<char>((state = state * 1664525U + 1013904223U) >> 24));
  client.send(masked_frame(2, noise));
  CHECK(client.read_frame().payload == noise);
}

TEST_CASE("deflate: damaged, cut and wrongly marked data fail the connection") {
  using std::string_literals::operator""s;
  echo_server server;
  struct abuse {
    std::string name;
    std::string sent;
    std::string heard;
  };
  const std::vector<abuse> cases{
      {"an invalid block type", compressed_frame(1, "\xff\xff\xff\xff"), "close 1007"},
      {"cut inside a block", compressed_frame(1, "\xf2\x48\xcd"), "close 1007"},
      {"a stored block with a wrong length", compressed_frame(1, "\x00\x05\x00\xfa\x00Hello\x00"s), "close 1007"},
      {"a distance before the beginning", compressed_frame(1, "\xf2\x00\x11\x00\x00"s), "close 1007"},
      {"invalid UTF-8 inside", compressed_frame(1, "\x00\x02\x00\xfd\xff\xff\xfe\x00"s), "close 1007"},
      {"invalid UTF-8 inside, in an unfinished message", compressed_frame(1, "\x00\x02\x00\xfd\xff\xff\xfe\x00"s, false),
       "close 1007"},
      {"RSV1 on a continuation", compressed_frame(1, "\xf2", false) + compressed_frame(0, "\x48"), "close 1002"},
      {"RSV1 on a ping", compressed_frame(9, ""), "close 1002"},
      {"RSV1 on a close", compressed_frame(8, ""), "close 1002"}};
  for (const auto& c : cases) {
    INFO(c.name);
    tcp_client client(server.url());
    open_with(client, offer("permessage-deflate"));
    client.send(c.sent);
    CHECK(hear(client) == c.heard);
  }
}

TEST_CASE("deflate: a zip bomb is closed with 1009 while memory stays bounded") {
  auto limits = echo_limits();
  limits.max_frame_bytes = 1 << 20;
  echo_server server(limits);
  tcp_client client(server.url());
  open_with(client, offer("permessage-deflate"));
  zlib_client z;
  const auto bomb = z.compress(std::string(64 << 20, 'b'));
  REQUIRE(bomb.size() < (1 << 20));
  const auto before = resident_bytes();
  client.send(compressed_frame(1, bomb));
  CHECK(hear(client) == "close 1009");
  CHECK(resident_bytes() < before + (16 << 20));
  // Exactly at the limit it is no bomb.
  tcp_client honest(server.url());
  open_with(honest, offer("permessage-deflate"));
  zlib_client other;
  honest.send(compressed_frame(2, other.compress(std::string(1 << 20, 'b'))));
  CHECK((honest.read_exactly(1)[0] & 0x7f) == 0x42);
  tcp_client over(server.url());
  open_with(over, offer("permessage-deflate"));
  zlib_client third;
  over.send(compressed_frame(2, third.compress(std::string((1 << 20) + 1, 'b'))));
  CHECK(hear(over) == "close 1009");
}

TEST_CASE("deflate: a piece that goes on for ever without output is no message, and a close ends it") {
  echo_server server;
  tcp_client client(server.url());
  open_with(client, offer("permessage-deflate"));
  std::string empty_blocks;
  for (int i = 0; i < 10000; ++i) empty_blocks.append("\x00\x00\x00\xff\xff", 5);
  client.send(compressed_frame(1, empty_blocks, false) + close_frame(1000));
  CHECK(hear(client) == "close 1000");
}
