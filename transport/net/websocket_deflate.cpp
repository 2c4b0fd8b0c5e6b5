#include "transport/net/websocket_deflate.hpp"

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/beast/zlib/inflate_stream.hpp>

#include <algorithm>
#include <array>

namespace troupe::transport {

namespace zlib = boost::beast::zlib;
using boost::system::error_code;

namespace {

/// What a sender cuts off and a receiver puts back (RFC 7692 §7.2.1).
constexpr std::string_view tail("\x00\x00\xff\xff", 4);
constexpr int largest_window = 15;
constexpr int fast_level = 3;
constexpr int memory_level = 8;
constexpr int between_blocks = 128;  ///< bit of z_params::data_type

}  // namespace

struct message_inflater::impl {
  zlib::inflate_stream stream;
  bool is_between_blocks = true;
  bool is_fresh = true;  ///< nothing was read since the stream began anew
};

message_inflater::message_inflater(bool keeps_context) : impl_(std::make_unique<impl>()), keeps_context_(keeps_context) {
  impl_->stream.reset(largest_window);
}

message_inflater::~message_inflater() = default;

message_inflater::outcome message_inflater::write(std::string_view piece, std::string& out, std::size_t limit) {
  std::array<char, 16384> space;
  zlib::z_params z;
  z.next_in = piece.data();
  z.avail_in = piece.size();
  for (;;) {
    const auto waiting = z.avail_in;
    z.next_out = space.data();
    z.avail_out = space.size();
    error_code ec;
    impl_->stream.write(z, zlib::Flush::sync, ec);
    const auto made = space.size() - z.avail_out;
    if (ec && ec != zlib::error::need_buffers && ec != zlib::error::end_of_stream) return outcome::bad_data;
    if (made > 0 || z.avail_in < waiting) {
      impl_->is_between_blocks = (z.data_type & between_blocks) != 0;
      impl_->is_fresh = false;
    }
    out.append(space.data(), made);
    if (out.size() > limit) return outcome::too_big;
    if (ec == zlib::error::end_of_stream) {
      // A final block ends the stream but not the message (RFC 7692 §7.2.3.4).
      impl_->stream.reset(largest_window);
      impl_->is_between_blocks = impl_->is_fresh = true;
    } else if (z.avail_out > 0) {
      return z.avail_in == 0 ? outcome::ok : outcome::bad_data;
    }
    if (z.avail_in == 0 && z.avail_out > 0) return outcome::ok;
  }
}

message_inflater::outcome message_inflater::finish(std::string& out, std::size_t limit) {
  auto result = outcome::ok;
  if (!impl_->is_fresh) {
    result = write(tail, out, limit);
    if (result == outcome::ok && !impl_->is_between_blocks) result = outcome::bad_data;
  }
  if (!keeps_context_) {
    impl_->stream.reset(largest_window);
    impl_->is_between_blocks = impl_->is_fresh = true;
  }
  return result;
}

struct message_deflater::impl {
  zlib::deflate_stream stream;
  int window_bits = 0;
};

message_deflater::message_deflater() : impl_(std::make_unique<impl>()) {}

message_deflater::~message_deflater() = default;

std::string message_deflater::compress(std::string_view message, int window_bits) {
  if (std::exchange(impl_->window_bits, window_bits) != window_bits) {
    impl_->stream.clear();
    impl_->stream.reset(fast_level, window_bits, memory_level, zlib::Strategy::normal);
  } else {
    impl_->stream.reset();
  }
  // Room for one byte less than the message and the tail: more is of no use.
  std::string out(message.size() + tail.size(), '\0');
  zlib::z_params z;
  z.next_in = message.data();
  z.avail_in = message.size();
  z.next_out = out.data();
  z.avail_out = out.size();
  error_code ec;
  impl_->stream.write(z, zlib::Flush::sync, ec);
  if (ec || z.avail_in > 0 || z.avail_out == 0 || z.total_out < tail.size()) return {};
  out.resize(z.total_out - tail.size());
  return out;
}

}  // namespace troupe::transport
