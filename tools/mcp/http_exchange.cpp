#include "tools/mcp/http_exchange.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <charconv>

namespace troupe::tools::mcp {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_refusal = 64 << 10;
constexpr std::size_t max_field = 1'024;
constexpr milliseconds max_retry{10'000};
constexpr milliseconds grace_after_answer{1'000};

bool is_event_stream(std::string_view type) {
  constexpr std::string_view wanted = "text/event-stream";
  return type.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), type.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
         });
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

}  // namespace

void stream_position::feed(std::string_view bytes) {
  for (char c : bytes) {
    if (c == '\n' || c == '\r')
      take_line();
    else if (line_.size() < max_field)
      line_ += c;
  }
}

void stream_position::take_line() {
  std::string_view line = line_;
  auto value = line.substr(std::min(line.find(':'), line.size() - (line.empty() ? 0 : 1)));
  value.remove_prefix(std::min<std::size_t>(value.size(), 1));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (line.empty() && !next_id_.empty()) last_id_ = std::exchange(next_id_, {});
  if (line.starts_with("id:") && line.size() < max_field && is_visible(value)) next_id_ = value;
  if (unsigned ms = 0;
      line.starts_with("retry:") && std::from_chars(value.data(), value.data() + value.size(), ms).ec == std::errc())
    retry_ = std::min<milliseconds>(milliseconds{ms}, max_retry);
  line_.clear();
}

void http_exchange::start(providers::curl_loop& loop, providers::http_request request) {
  loop_ = &loop;
  auto t = loop.start(std::move(request), shared_from_this());
  transfer_ = t;
}

void http_exchange::give_up() {
  is_over_ = true;
  if (auto t = transfer_.lock()) t->cancel();
}

bool http_exchange::on_head(providers::transfer& t, const providers::response_head& head) {
  outcome_.status = head.status;
  bool is_good = head.status >= 200 && head.status < 300;
  outcome_.is_stream = is_good && is_event_stream(head.content_type);
  if (head.status >= 300 && head.status < 400) outcome_.location = t.header("Location");
  if (is_good && !is_over_) on_good_head_(t);
  return !is_over_;
}

bool http_exchange::take(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return true;
  auto messages = parse_messages(text);
  if (!messages) {
    outcome_.trouble = messages.error().text;
    return false;
  }
  for (auto& m : *messages) waiting_.push_back(std::move(m));
  return true;
}

bool http_exchange::on_data(providers::transfer&, std::string_view bytes) {
  if (is_over_) return false;
  if (!outcome_.is_stream) {
    bool is_good = outcome_.status >= 200 && outcome_.status < 300;
    auto limit = is_good ? max_message_bytes : max_refusal;
    bool fits = body_.size() + bytes.size() <= limit;
    if (fits || !is_good) body_.append(bytes.substr(0, limit - body_.size()));
    if (!fits && is_good) outcome_.trouble = "an answer of more than " + std::to_string(limit) + " bytes";
    return fits;
  }
  position_.feed(bytes);
  parser_.feed(bytes);
  while (auto event = parser_.next())
    if (!take(event->data)) return false;
  if (parser_.too_long()) outcome_.trouble = "an event of more than " + std::to_string(max_message_bytes) + " bytes";
  return !parser_.too_long();
}

void http_exchange::on_turn(providers::transfer& t) {
  deliver();
  if (is_answered_) t.limit_silence(grace_after_answer);
}

void http_exchange::on_done(providers::transfer&, const providers::transfer_end& end) {
  outcome_.end = end;
  // Possibly still within start().
  boost::asio::post(loop_->context(), [self = shared_from_this()] { self->finish(); });
}

void http_exchange::deliver() {
  auto messages = std::exchange(waiting_, {});
  for (auto& m : messages) {
    if (is_over_) return;
    bool is_answer = m.is == message::kind::result || m.is == message::kind::error;
    if (is_answer && request_ != 0 && (m.id == request_ || (m.id == 0 && m.is == message::kind::error))) is_answered_ = true;
    on_message_(std::move(m));
  }
}

void http_exchange::finish() {
  if (is_over_) return;
  bool is_good = outcome_.status >= 200 && outcome_.status < 300;
  if (outcome_.is_stream) {
    if (auto event = parser_.finish(); event && outcome_.trouble.empty()) static_cast<void>(take(event->data));
  } else if (is_good && outcome_.end.result == providers::transfer_result::closed) {
    static_cast<void>(take(body_));
  }
  deliver();
  if (is_over_) return;
  is_over_ = true;
  if (!is_good) outcome_.body = std::move(body_);
  on_end_(*this, std::move(outcome_));
}

}  // namespace troupe::tools::mcp
