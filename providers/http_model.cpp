#include "providers/http_model.hpp"

#include "providers/call_failure.hpp"
#include "providers/curl_loop.hpp"
#include "providers/utf8.hpp"

#include <atomic>
#include <fstream>

namespace troupe::providers {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_error_body = 16 << 10;
constexpr std::size_t max_drain = 4 << 10;         // after the end, before the connection counts as not reusable
constexpr milliseconds grace_after_finish{2'000};  // for usage and [DONE], where a server leaves the connection open
constexpr milliseconds grace_after_end{1'000};

bool is_event_stream(std::string_view type) {
  constexpr std::string_view wanted = "text/event-stream";
  if (type.size() < wanted.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if ((type[i] | 0x20) != (wanted[i] | 0x20)) return false;
  return type.size() == wanted.size() || type[wanted.size()] == ';' || type[wanted.size()] == ' ';
}

class http_call final : public model_stream, public transfer_handler {
 public:
  http_call(std::shared_ptr<const http_api> to, stream_options options, model_sink sink)
      : to_(std::move(to)), parser_(to_->parser(std::move(options))), sink_(std::move(sink)) {}

  /// Before the call is handed out.
  void runs_as(const std::shared_ptr<transfer>& t) { transfer_ = t; }

  void cancel() override {
    cancelled_ = true;
    if (auto t = transfer_.lock()) t->cancel();
  }

  bool on_head(transfer&, const response_head& head) override {
    status_ = head.status;
    retry_after_ = head.retry_after;
    if (is_refusal()) return true;  // the body says why
    if (head.content_type.empty() || is_event_stream(head.content_type)) return true;
    fail(core::errc::provider_error,
         "answered with " + bounded_text(head.content_type, 80) + " instead of text/event-stream; is base_url right?", false);
    return false;
  }

  bool on_data(transfer& t, std::string_view bytes) override {
    if (is_refusal()) {
      error_body_.append(bytes.substr(0, max_error_body - error_body_.size()));
      return error_body_.size() < max_error_body;
    }
    if (parser_->has_ended()) {
      drained_ += bytes.size();
      return drained_ <= max_drain;
    }
    bool had_finish = parser_->has_finish_reason();
    parser_->feed(bytes, pending_);
    if (pending_.end && pending_.end->error.code != core::errc::ok) return false;
    if (parser_->has_ended())
      t.limit_silence(std::min(grace_after_end, to_->timeouts.idle));
    else if (!had_finish && parser_->has_finish_reason())
      t.limit_silence(std::min(grace_after_finish, to_->timeouts.idle));
    return true;
  }

  void on_turn(transfer&) override { deliver(); }

  void on_done(transfer&, const transfer_end& end) override {
    if (is_refusal())
      fail(failure_of_status(status_, error_body_));
    else if (end.result == transfer_result::closed)
      parser_->close(pending_);
    else
      fail(failure_of(end, to_->timeouts));
    deliver();
  }

 private:
  [[nodiscard]] bool is_refusal() const noexcept { return status_ < 200 || status_ >= 300; }

  void fail(core::errc code, std::string text, bool retryable) {
    parser_->fail({code, "the upstream " + std::move(text)}, retryable, pending_);
  }

  void fail(call_failure failure) { parser_->fail(std::move(failure.error), failure.retryable, pending_); }

  void deliver() {
    if (cancelled_) return;
    if (pending_.text.empty() && pending_.reasoning.empty() && !pending_.end && !pending_.usage) return;
    auto out = std::move(pending_);
    pending_ = {};
    if (out.end && out.end->error.code != core::errc::ok) {
      out.end->error.text = "provider \"" + to_->name + "\": " + without_key(std::move(out.end->error.text), to_->key);
      out.end->retry_after = retry_after_;
    }
    if (!out.end) return sink_(std::move(out));
    auto sink = std::move(sink_);  // what it holds, this call perhaps, is free after the end
    sink_ = nullptr;
    sink(std::move(out));
  }

  std::shared_ptr<const http_api> to_;
  std::unique_ptr<stream_parser> parser_;
  model_sink sink_;
  std::weak_ptr<transfer> transfer_;
  std::atomic<bool> cancelled_{false};
  model_output pending_;
  long status_ = 200;
  std::optional<milliseconds> retry_after_;
  std::string error_body_;
  std::size_t drained_ = 0;
};

class http_model final : public model_client {
 public:
  http_model(http_api api, curl_loop& loop) : to_(std::make_shared<const http_api>(std::move(api))), loop_(loop) {}

  std::shared_ptr<model_stream> start(model_request request, model_sink sink) override {
    http_request http;
    http.url = to_->url;
    http.headers = {"Content-Type: application/json", "Accept: text/event-stream", "Expect:", "User-Agent: troupe"};
    http.headers.insert(http.headers.end(), to_->headers.begin(), to_->headers.end());
    http.body = to_->body(request);
    http.timeouts = to_->timeouts;
    http.ca_file = to_->ca_file;
    http.proxy = to_->proxy;
    stream_options options;
    options.tools = std::move(request.tools);
    options.call_number = request.call_number;
    auto call = std::make_shared<http_call>(to_, std::move(options), std::move(sink));
    call->runs_as(loop_.start(std::move(http), call));
    return call;
  }

 private:
  std::shared_ptr<const http_api> to_;
  curl_loop& loop_;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

}  // namespace

core::result<http_api> http_api_of(const core::provider_config& config, const environment_lookup& environment,
                                   std::string_view example) {
  auto wrong = [&](std::string text) {
    return core::error{core::errc::configuration_error, "provider \"" + config.id.str() + "\": " + std::move(text)};
  };
  http_api to;
  to.name = config.id.str();
  to.timeouts = config.timeouts;
  to.proxy = config.proxy;
  auto base = trimmed(config.base_url);
  while (base.ends_with('/')) base.remove_suffix(1);
  // The example's scheme is the one with TLS; its plain form is one letter shorter.
  auto tls = std::string(example.substr(0, example.find("://")));
  auto plain = tls.substr(0, tls.size() - 1);
  if (!base.starts_with(plain + "://") && !base.starts_with(tls + "://"))
    return wrong("base_url must begin with " + plain + ":// or " + tls + "://, as in \"" + std::string(example) + "\"");
  to.url = base;
  for (auto limit : {config.timeouts.connect, config.timeouts.first_byte, config.timeouts.idle, config.timeouts.total})
    if (limit <= milliseconds{0}) return wrong("every one of timeouts_ms must be above 0");
  if (!config.ca_file.empty()) {
    if (!std::ifstream(config.ca_file).good())
      return wrong("ca_file " + config.ca_file + " cannot be read; check the path and its permissions");
    to.ca_file = config.ca_file;
  }
  if (config.api_key_env.empty()) return to;
  to.key = trimmed(environment(config.api_key_env).value_or(""));
  if (to.key.empty())
    return wrong("the environment variable " + config.api_key_env +
                 " is not set; export it with the API key, or set api_key_env to \"\" if the server needs none");
  for (char c : to.key)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F)
      return wrong("the environment variable " + config.api_key_env + " holds characters that no API key has");
  return to;
}

std::unique_ptr<model_client> make_http_model(http_api api, curl_loop& loop) {
  return std::make_unique<http_model>(std::move(api), loop);
}

}  // namespace troupe::providers
