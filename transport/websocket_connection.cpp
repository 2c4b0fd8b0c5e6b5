#include "transport/websocket_connection.hpp"

#include "transport/corked_stream.hpp"
#include "transport/http_target.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <optional>

namespace troupe::transport {

namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t smallest_read = 512;
constexpr std::size_t largest_read = 64 << 10;
constexpr std::size_t kept_capacity = 4 << 10;

std::string close_frame(std::uint16_t code, std::string_view reason) {
  auto size = std::min<std::size_t>(reason.size(), 123);  // 125 bytes of payload, 2 of them the code (RFC 6455 §5.5)
  while (size > 0 && !is_valid_utf8(reason.substr(0, size))) --size;
  std::string out{'\x88', static_cast<char>(size + 2), static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return out.append(reason.substr(0, size));
}

class beast_connection final : public websocket_connection {
 public:
  explicit beast_connection(connection_parts parts)
      : websocket_connection(std::move(parts)), executor_(core().io.get_executor()), last_read_(steady_clock::now()) {}

  void accept(const std::string& key, std::string early) override;
  void start(std::shared_ptr<peer_owner> owner) override;

  framing frames_as() const noexcept override { return framing::websocket; }
  void send(bytes framed) override;
  void send_text(std::string_view text) override;
  std::size_t queued_bytes() const noexcept override { return out().size(); }
  bool is_congested() const noexcept override { return !is_closed() && is_congested_now(); }
  void close(std::uint16_t code, std::string_view reason) override;
  void drop() override;
  void pause_reading(bool paused) override;
  void post(std::function<void()> f) override {
    boost::asio::post(executor_, [me = shared_from_this(), f = std::move(f)] { guarded(f); });
  }

  void shut_down(std::uint16_t code, const std::string& reason) override { close(code, reason); }

 private:
  using stream = websocket::stream<corked_stream, false>;

  std::shared_ptr<beast_connection> me() { return std::static_pointer_cast<beast_connection>(shared_from_this()); }
  std::shared_ptr<connection> self() override { return me(); }
  bool has_outbound_limit() const noexcept override { return true; }
  void on_outbox_empty() override;
  void on_slow() override;
  time_point on_tick(time_point now) override;
  void on_finished() override { notify_closed(); }

  void read();
  void on_read(error_code ec, std::size_t count);
  void deliver();
  void notify_closed();

  std::optional<stream> stream_;
  std::shared_ptr<peer_owner> owner_;
  boost::asio::io_context::executor_type executor_;
  std::string in_;          ///< the message so far, and room for more
  std::size_t filled_ = 0;  ///< bytes of in_ that are read
  time_point last_read_;
  time_point pinged_at_{};
  bool reading_ = false;
  bool read_ended_ = false;
  bool paused_ = false;
  bool delivering_ = false;  ///< the owner is looking at in_
  bool held_ = false;        ///< a complete message waits for the end of the pause
  bool closing_ = false;     ///< the owner hears of no message any more
  bool dropping_ = false;
  bool was_congested_ = false;
};

void beast_connection::accept(const std::string& key, std::string early) {
  stream_.emplace(*this, std::move(early), [](connection& who, std::size_t count) {
    auto& me = static_cast<beast_connection&>(who);
    if (count == 0 || me.is_closed()) return;
    me.last_read_ = steady_clock::now();
    atomic_counters::add(me.core().counters.bytes_in, count);
  });
  stream_->read_message_max(core().limits.max_frame_bytes);
  // The parser has checked these fields; Beast wants to see them again to compute its answer.
  http::request<http::empty_body> request{http::verb::get, "/", 11};
  request.set(http::field::host, "-");
  request.set(http::field::connection, "upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, key);
  error_code ec;
  stream_->accept(request, ec);
  if (ec) drop();
}

void beast_connection::start(std::shared_ptr<peer_owner> owner) {
  owner_ = std::move(owner);
  if (!owner_) close(1011, "internal error");
  read();
}

void beast_connection::send(bytes framed) {
  queue(std::move(framed));
  was_congested_ = was_congested_ || is_congested();
}

void beast_connection::send_text(std::string_view text) {
  auto framed = std::make_shared<std::string>();
  append_websocket_text(*framed, text);
  send(std::move(framed));
}

void beast_connection::close(std::uint16_t code, std::string_view reason) {
  if (closing_ || is_closed()) return;
  closing_ = true;
  queue(close_frame(code, reason));
  seal();
  if (!read_ended_) read();
}

void beast_connection::drop() {
  if (dropping_ || is_closed()) return;
  closing_ = dropping_ = true;
  seal();
  schedule_flush();
  if (!read_ended_) read();
}

void beast_connection::pause_reading(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  last_read_ = steady_clock::now();
  if (paused || is_closed() || read_ended_) return;
  if (!held_) return read();
  // Not from inside the owner's own call.
  post([self = me()] {
    if (!self->held_ || self->paused_ || self->is_closed()) return;
    self->deliver();
    self->read();
  });
}

void beast_connection::read() {
  if (reading_ || delivering_ || read_ended_ || is_closed() || !stream_) return;
  if ((paused_ || held_) && !closing_) return;
  if (closing_) filled_ = 0;
  reading_ = true;
  const auto room = std::clamp(filled_, smallest_read, largest_read);
  if (in_.size() < filled_ + room) in_.resize(filled_ + room);
  stream_->async_read_some(boost::asio::buffer(in_.data() + filled_, in_.size() - filled_),
                           [self = me()](error_code ec, std::size_t count) { self->on_read(ec, count); });
}

void beast_connection::on_read(error_code ec, std::size_t count) {
  reading_ = false;
  if (is_closed()) return;
  if (ec) {
    read_ended_ = true;
    // Without a Close frame of ours in the outbox the connection broke; there is nobody to say goodbye to.
    if (!out().sealed() || dropping_) return finish();
    closing_ = true;
    notify_closed();
    return end_after_flush();
  }
  filled_ += count;
  if (stream_->is_message_done() && !closing_) {
    held_ = paused_;
    if (!held_) deliver();
  }
  read();
}

void beast_connection::deliver() {
  held_ = false;
  if (closing_) return;
  delivering_ = true;
  try {
    if (auto owner = owner_) owner->on_message({in_.data(), filled_}, stream_->got_text());
  } catch (...) {
    close(1011, "internal error");
  }
  delivering_ = false;
  filled_ = 0;
  if (in_.capacity() > kept_capacity) std::string().swap(in_);
}

void beast_connection::on_outbox_empty() {
  if (std::exchange(was_congested_, false) && !closing_) {
    if (auto owner = owner_) guarded([&] { owner->on_drained(); });
  } else if (dropping_) {
    notify_closed();
    shut_down_sending();
  } else if (closing_ && !read_ended_) {
    set_deadline(steady_clock::now() + closing_time);
  }
}

void beast_connection::on_slow() {
  if (closing_) return finish();
  discard_unsent();
  close(1013, "client reads too slowly");
  set_deadline(steady_clock::now() + closing_time);
}

time_point beast_connection::on_tick(time_point now) {
  const auto limit = core().limits.idle_timeout;
  if (paused_ || closing_) return now + limit / 2;
  const auto quiet = now - last_read_;
  if (quiet >= limit) {
    finish();
    return never;
  }
  if (quiet >= limit / 2 && pinged_at_ <= last_read_) {
    pinged_at_ = now;
    queue(std::string("\x89\x00", 2));
  }
  return last_read_ + (pinged_at_ > last_read_ ? limit : limit / 2);
}

void beast_connection::notify_closed() {
  if (auto owner = std::move(owner_)) guarded([&] { owner->on_closed(); });
}

}  // namespace

std::shared_ptr<websocket_connection> make_websocket_connection(connection_parts parts) {
  return std::make_shared<beast_connection>(std::move(parts));
}

}  // namespace troupe::transport
