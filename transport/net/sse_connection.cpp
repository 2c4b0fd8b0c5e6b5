#include "transport/net/sse_connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::transport {

namespace {

/// Proxies commonly give up on a connection that was silent for 30 to 60 s.
constexpr std::chrono::milliseconds longest_silence{15'000};

class closed_stream final : public peer {
 public:
  explicit closed_stream(const boost::asio::io_context::executor_type& executor) : executor_(executor) {}
  framing frames_as() const noexcept override { return framing::sse; }
  void send(bytes) override {}
  void send_text(std::string_view) override {}
  std::size_t queued_bytes() const noexcept override { return 0; }
  bool is_congested() const noexcept override { return false; }
  void close(std::uint16_t, std::string_view) override {}
  void drop() override {}
  void pause_reading(bool) override {}
  void post(std::function<void()> f) override {
    boost::asio::post(executor_, [me = shared_from_this(), f = std::move(f)] { guarded(f); });
  }

 private:
  boost::asio::io_context::executor_type executor_;
};

}  // namespace

std::string without_chunks(std::string_view chunks) {
  std::string out;
  while (!chunks.empty()) {
    std::size_t size = 0;
    const auto head = std::from_chars(chunks.data(), chunks.data() + chunks.size(), size, 16);
    const auto begin = static_cast<std::size_t>(head.ptr - chunks.data()) + 2;
    if (head.ec != std::errc{} || begin > chunks.size() || size > chunks.size() - begin) break;
    out.append(chunks.substr(begin, size));
    chunks.remove_prefix(std::min(begin + size + 2, chunks.size()));
  }
  return out;
}

std::shared_ptr<peer> make_closed_stream(const boost::asio::io_context::executor_type& executor,
                                         std::shared_ptr<peer_owner> owner) {
  auto closed = std::make_shared<closed_stream>(executor);
  closed->post([owner = std::move(owner)] { owner->on_closed(); });
  return closed;
}

sse_connection::sse_connection(connection_parts parts, const request_traits& to, std::shared_ptr<peer_owner> owner,
                               bool is_commented)
    : connection(std::move(parts)),
      owner_(std::move(owner)),
      executor_(core().io.get_executor()),
      comment_period_(std::min(longest_silence, core().limits.idle_timeout / 2)),
      chunked_(to.is_http_1_1),
      commented_(is_commented),
      has_body_(!to.is_head) {}

void sse_connection::start(std::string head) {
  queue(std::move(head));
  if (has_body_)
    wait_readable();
  else
    end_after_flush();
}

void sse_connection::send(bytes framed) {
  if (is_closed() || out().sealed()) return;
  if (chunked_)
    queue(std::move(framed));
  else
    queue(without_chunks(*framed));
  was_congested_ = was_congested_ || is_congested_now();
}

void sse_connection::send_text(std::string_view text) {
  auto framed = std::make_shared<std::string>();
  append_sse_event(*framed, 0, "message", text);
  send(std::move(framed));
}

void sse_connection::close(std::uint16_t, std::string_view) {
  if (is_closed() || is_ending()) return;
  if (chunked_ && has_body_) queue(std::string("0\r\n\r\n"));
  end_after_flush();
}

void sse_connection::post(std::function<void()> f) {
  boost::asio::post(executor_, [me = shared_from_this(), f = std::move(f)] { guarded(f); });
}

void sse_connection::on_readable() {
  std::array<char, 512> scrap;
  const auto count = receive(scrap.data(), scrap.size());
  if (count == 0 || count == -2) return finish();
  wait_readable();
}

void sse_connection::on_outbox_empty() {
  if (is_ending()) return notify_closed();
  if (!was_congested_) return;
  was_congested_ = false;
  if (auto owner = owner_) guarded([&] { owner->on_drained(); });
}

time_point sse_connection::on_tick(time_point now) {
  if (is_ending() || !commented_) return never;
  if (now - last_sent() < comment_period_) return last_sent() + comment_period_;
  if (out().empty()) {
    std::string comment;
    append_sse_comment(comment, "keep-alive");
    queue(chunked_ ? std::move(comment) : without_chunks(comment));
  }
  return now + comment_period_;
}

void sse_connection::notify_closed() {
  if (auto owner = std::move(owner_)) guarded([&] { owner->on_closed(); });
}

}  // namespace troupe::transport
