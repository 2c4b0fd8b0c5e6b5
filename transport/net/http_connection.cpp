#include "transport/net/http_connection.hpp"

#include "transport/net/http_response.hpp"
#include "transport/net/http_target.hpp"
#include "transport/net/sse_connection.hpp"
#include "transport/net/websocket_connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>

namespace troupe::transport {

using core::errc;
using std::chrono::steady_clock;

namespace {

/// Pipelined input beyond this waits in the kernel.
constexpr std::size_t read_ahead = 64 << 10;

/// A list may be spread over several fields (RFC 9110 §5.2).
std::string joined_values(const http_request& request, std::string_view name) {
  std::string out;
  for (const auto& [key, value] : request.headers)
    if (equal_ignoring_case(key, name)) out.append(out.empty() ? "" : ", ").append(value);
  return out;
}

}  // namespace

/// The handler's end of one request. May be dropped on any thread.
class http_connection::exchange final : public http_exchange {
 public:
  explicit exchange(std::shared_ptr<http_connection> to) : to_(std::move(to)) {}
  ~exchange() override {
    if (is_answered_ || to_->is_closed()) return;
    guarded([&] {
      boost::asio::post(to_->executor(), [to = to_] {
        if (!to->is_closed()) to->answer(to->internal_error());
      });
    });
  }

  void respond(http_response response) override {
    if (std::exchange(is_answered_, true)) return;
    abandoned_ = nullptr;
    to_->answer(std::move(response));
  }
  std::shared_ptr<peer> start_stream(std::shared_ptr<peer_owner> owner,
                                     std::vector<std::pair<std::string, std::string>> headers) override {
    if (std::exchange(is_answered_, true)) return nullptr;
    abandoned_ = nullptr;
    return to_->start_stream(std::move(owner), headers);
  }
  void on_abandoned(std::function<void()> f) override {
    if (is_answered_) return;
    abandoned_ = std::move(f);
    if (to_->is_client_gone()) boost::asio::post(to_->executor(), [me = shared()] { me->abandon(); });
  }
  void post(std::function<void()> f) override {
    boost::asio::post(to_->executor(), [me = shared(), f = std::move(f)] { guarded(f); });
  }
  void abandon() {
    if (auto f = std::exchange(abandoned_, nullptr)) guarded(f);
  }

 private:
  std::shared_ptr<exchange> shared() { return std::static_pointer_cast<exchange>(shared_from_this()); }

  std::shared_ptr<http_connection> to_;
  std::function<void()> abandoned_;
  bool is_answered_ = false;
};

http_connection::http_connection(connection_parts parts, std::string remote_address)
    : connection(std::move(parts)), remote_address_(std::move(remote_address)), executor_(core().io.get_executor()) {}

void http_connection::start() {
  set_deadline(steady_clock::now() + core().limits.header_timeout);
  wait_readable();
}

void http_connection::refuse(int http_status, core::error why) {
  state_ = state::ended;
  write(core().error_response(http_status, std::move(why)), {});
  end_after_flush();
  set_deadline(steady_clock::now() + closing_time);
}

void http_connection::shut_down(std::uint16_t, const std::string&) {
  last_request_ = true;
  if (state_ == state::reading) end_after_flush();
}

void http_connection::on_readable() {
  std::array<char, 32768> space;
  const auto count = receive(space.data(), space.size());
  if (count == -2) return finish();
  if (count == 0) {
    // Perhaps only the client's sending half is closed: what it asked for is still answered.
    input_ended_ = true;
    abandon();
  } else if (count > 0) {
    in_.append(space.data(), static_cast<std::size_t>(count));
  }
  process();
}

void http_connection::on_outbox_empty() {
  if (state_ == state::reading) process();
}

void http_connection::process() {
  if (processing_ || is_closed()) return;
  processing_ = true;
  while (state_ == state::reading && !is_ending() && !is_closed() && !is_congested_now() && process_one()) {
  }
  processing_ = false;
  if (is_closed()) return;
  if (unread() == 0)
    std::string().swap(in_);
  else
    in_.erase(0, position_);
  position_ = 0;
  if (input_ended_ && state_ == state::reading && !is_congested_now()) return end_after_flush();
  if (!input_ended_ && state_ != state::ended && unread() < read_ahead) wait_readable();
}

/// True when there may be more to do at once.
bool http_connection::process_one() {
  if (!parser_) {
    // Some clients end a body with a line break that they do not count (RFC 9112 §2.2).
    while (in_.compare(position_, 2, "\r\n") == 0) position_ += 2;
    if (unread() == 0 || (unread() == 1 && in_.back() == '\r')) return false;
    parser_ = std::make_unique<http_parser>(core().limits);
    set_deadline(steady_clock::now() + core().limits.header_timeout);
  }
  const auto step = parser_->feed(std::string_view(in_).substr(position_));
  position_ += step.consumed;
  switch (step.result) {
    case http_parser::status::need_more:
      if (unread() < read_ahead) return false;
      fail({400, {errc::parse_error, "request: a chunk header or trailer is too long; send smaller ones"}});
      return false;
    case http_parser::status::failed:
      fail(parser_->why_failed());
      return false;
    case http_parser::status::head_complete:
      traits_ = parser_->traits();
      traits_.keep_alive = traits_.keep_alive && !last_request_;
      set_deadline(steady_clock::now() + core().limits.idle_timeout);
      if (parser_->expects_continue() && unread() == 0) queue(std::string("HTTP/1.1 100 Continue\r\n\r\n"));
      return true;
    case http_parser::status::complete:
      set_deadline(never);
      state_ = state::busy;
      if (parser_->websocket_key())
        open_websocket();
      else
        dispatch();
      return true;
  }
  return false;
}

void http_connection::dispatch() {
  auto request = parser_->take_request();
  parser_.reset();
  request.remote_address = remote_address_;
  request.is_loopback = address().is_loopback();
  auto under_way = std::make_shared<exchange>(shared_from_this());
  exchange_ = under_way;
  try {
    core().handlers.on_request(std::move(request), under_way);
  } catch (...) {
    if (!is_closed()) under_way->respond(internal_error());
  }
}

void http_connection::open_websocket() {
  auto request = parser_->take_request();
  request.remote_address = remote_address_;
  request.is_loopback = address().is_loopback();
  const auto key = *parser_->websocket_key();
  upgrade decided;
  try {
    decided = core().handlers.on_upgrade(request);
  } catch (...) {
    decided.accept = nullptr;
    decided.refusal = internal_error();
  }
  if (!decided.accept) return answer(std::move(decided.refusal));
  if (last_request_)
    return answer(core().error_response(503, {errc::shutting_down, "server: is shutting down; try again later"}));
  auto& shared = core();
  auto early = in_.substr(position_);
  const auto slot = this->slot();
  std::optional<deflate_parameters> deflate;
  if (shared.limits.permessage_deflate && decided.may_compress)
    deflate = negotiate_deflate(joined_values(request, "sec-websocket-extensions"));
  auto next = std::make_shared<websocket_connection>(release(), deflate);
  shared.replace(slot, next);
  next->accept(key, std::move(early));
  std::shared_ptr<peer_owner> owner;
  guarded([&] { owner = decided.accept(next); });
  next->start(std::move(owner));
}

std::shared_ptr<peer> http_connection::start_stream(std::shared_ptr<peer_owner> owner,
                                                    const std::vector<std::pair<std::string, std::string>>& headers) {
  if (is_client_gone()) {
    if (!is_closed()) finish();
    return make_closed_stream(executor_, std::move(owner));
  }
  auto& shared = core();
  const auto slot = this->slot();
  auto next = std::make_shared<sse_connection>(release(), traits_, std::move(owner), !has_content_type(headers));
  shared.replace(slot, next);
  next->start(stream_head(headers, traits_));
  if (last_request_) next->close(1001, "");
  return next;
}

void http_connection::answer(http_response response) {
  if (is_closed() || state_ != state::busy) return;
  traits_.keep_alive = traits_.keep_alive && !last_request_;
  const bool keep_alive = traits_.keep_alive;
  write(std::move(response), traits_);
  parser_.reset();
  exchange_.reset();
  if (!keep_alive) {
    state_ = state::ended;
    return end_after_flush();
  }
  state_ = state::reading;
  set_deadline(steady_clock::now() + core().limits.idle_timeout);
  process();
}

void http_connection::write(http_response response, const request_traits& to) {
  auto head = response_head(response, to);
  const bool has_body = !to.is_head && may_have_body(response.status);
  constexpr std::size_t worth_copying = 4096;
  if (has_body && response.body.size() <= worth_copying) head.append(response.body);
  queue(std::move(head));
  if (has_body && response.body.size() > worth_copying) queue(std::move(response.body));
}

void http_connection::fail(const http_parser::failure& why) {
  auto response = core().error_response(why.http_status, why.why);
  if (!why.header.empty()) response.headers.emplace_back(why.header, why.header_value);
  request_traits to;
  to.is_head = parser_ && parser_->has_head() && parser_->traits().is_head;
  write(std::move(response), to);
  state_ = state::ended;
  parser_.reset();
  end_after_flush();
}

void http_connection::on_deadline() {
  // While an answer is being taken the client is not idle; one that stops taking it is slow.
  if (!out().empty()) return set_deadline(steady_clock::now() + core().limits.idle_timeout);
  // Silence between requests, or an end that takes too long, needs no words.
  if (state_ != state::reading || !parser_ || is_ending()) return finish();
  const auto what = parser_->has_head() ? "request body: did not arrive in time (idle_timeout_ms)"
                                        : "request header: did not arrive in time (header_timeout_ms)";
  fail({408, {errc::timeout, std::string(what) + "; send it faster"}});
}

void http_connection::abandon() {
  if (auto under_way = exchange_.lock()) under_way->abandon();
}

void http_connection::on_finished() {
  state_ = state::ended;
  abandon();
}

}  // namespace troupe::transport
