#include "providers/websocket_call.hpp"

#include <boost/asio/dispatch.hpp>

#include <algorithm>
#include <utility>

namespace troupe::providers {

namespace asio = boost::asio;

namespace {
constexpr std::chrono::milliseconds closing_grace{1'000};  // for the closing handshake
}

websocket_call::websocket_call(std::shared_ptr<const http_api> to, asio::io_context& io, stream_options options,
                               model_sink sink)
    : parser_(std::move(options)), api_(std::move(to)), io_(io), timer_(io), sink_(std::move(sink)) {}

void websocket_call::begin() {
  if (cancelled_) return;
  started_ = clock::now();
  enter(phase::connecting);
  connect();
}

void websocket_call::cancel() {
  if (cancelled_.exchange(true)) return;
  asio::dispatch(io_, [self = shared_from_this()] { self->drop(); });
}

void websocket_call::enter(phase next) {
  phase_ = next;
  last_byte_ = clock::now();
  watch();
}

/// Bytes just note the time: the timer moves when it fires too early.
void websocket_call::note_bytes() {
  if (phase_ == phase::waiting) return enter(phase::streaming);
  last_byte_ = clock::now();
}

void websocket_call::fail(transfer_result result, std::string text) {
  fail(failure_of({result, std::move(text)}, api_->timeouts));
}

void websocket_call::fail(call_failure failure) {
  if (is_over()) return;
  parser_.fail(std::move(failure.error), failure.retryable, pending_);
  deliver();
}

void websocket_call::deliver() {
  if (is_over() || (pending_.text.empty() && !pending_.end)) return;
  auto out = std::exchange(pending_, {});
  if (!out.end) return sink_(std::move(out));
  over_ = true;
  if (out.end->error.code != core::errc::ok) {
    out.end->error.text = "provider \"" + api_->name + "\": " + without_key(std::move(out.end->error.text), api_->key);
    out.end->retry_after = retry_after_;
    drop();
  }
  auto sink = std::exchange(sink_, nullptr);  // what it holds, this call perhaps, is free after the end
  sink(std::move(out));
}

void websocket_call::drop() noexcept {
  over_ = true;
  timer_.cancel();
  close_socket();
}

websocket_call::clock::time_point websocket_call::silence_ends() const {
  switch (phase_) {
    case phase::connecting:
      return last_byte_ + api_->timeouts.connect;
    case phase::waiting:
      return last_byte_ + api_->timeouts.first_byte;
    case phase::streaming:
      return last_byte_ + api_->timeouts.idle;
    default:
      return last_byte_ + closing_grace;
  }
}

void websocket_call::watch() {
  timer_.expires_at(std::min(silence_ends(), started_ + api_->timeouts.total));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->on_time();
  });
}

void websocket_call::on_time() {
  if (phase_ == phase::closing) return drop();
  if (is_over()) return;
  auto now = clock::now();
  if (now >= started_ + api_->timeouts.total) return fail(transfer_result::total_timeout);
  if (now < silence_ends()) return watch();
  fail(phase_ == phase::connecting ? transfer_result::connect_timeout
       : phase_ == phase::waiting  ? transfer_result::first_byte_timeout
                                   : transfer_result::idle_timeout);
}

}  // namespace troupe::providers
