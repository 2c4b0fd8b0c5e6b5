#include "tools/http/exchange.hpp"

#include "tools/http/address_rules.hpp"
#include "tools/http/response.hpp"

#include <boost/asio/dispatch.hpp>

#include <algorithm>
#include <atomic>

namespace troupe::tools {

namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;
using providers::transfer_result;

constexpr milliseconds connect_limit{10'000};

class exchange final : public providers::transfer_handler, public std::enable_shared_from_this<exchange> {
 public:
  exchange(providers::curl_loop& loop, std::shared_ptr<const exchange_rules> rules, outgoing_request request,
           std::shared_ptr<call_listener> listener)
      : loop_(loop), rules_(std::move(rules)), request_(std::move(request)), listener_(std::move(listener)) {}

  /// Any thread.
  void begin() {
    boost::asio::dispatch(loop_.context(), [self = shared_from_this()] {
      self->deadline_ = clock::now() + self->rules_->time_limit;
      if (!self->given_up_) self->send();
    });
  }
  /// Any thread.
  void give_up() {
    given_up_ = true;
    boost::asio::dispatch(loop_.context(), [self = shared_from_this()] {
      if (auto t = std::move(self->transfer_)) t->cancel();
      self->listener_.reset();
    });
  }

  bool on_head(providers::transfer& t, const providers::response_head& head) override {
    in_.status = head.status;
    if (is_redirect(head.status)) {
      location_ = t.header("location");
      if (!location_.empty()) return false;  // its body is for people
    }
    in_.content_type = head.content_type;
    for (const auto& name : shown_headers())
      if (auto value = t.header(name); !value.empty()) in_.headers.push_back({name, std::move(value)});
    return true;
  }

  bool on_data(providers::transfer&, std::string_view bytes) override {
    auto taken = bytes.substr(0, rules_->max_body - in_.body.size());
    in_.body += taken;
    in_.is_cut = taken.size() < bytes.size();
    return !in_.is_cut;
  }

  void on_turn(providers::transfer&) override {}

  void on_done(providers::transfer&, const providers::transfer_end& end) override {
    transfer_.reset();
    if (given_up_) return;
    in_.end = end;
    if (end.result == transfer_result::refused) in_.end.result = transfer_result::closed;  // by us: cut, or a redirect
    if (in_.end.result == transfer_result::closed && !location_.empty() && turns_elsewhere()) return send();
    in_.url = request_.url;
    in_.method = request_.method;
    auto listener = std::move(listener_);
    listener->done(result_of(std::move(in_), *rules_));
  }

 private:
  void send() {
    in_.status = 0;
    location_.clear();
    auto left = std::max(milliseconds{1}, std::chrono::duration_cast<milliseconds>(deadline_ - clock::now()));
    providers::http_request out;
    out.url = request_.url.text;
    out.method = request_.method;
    out.body = request_.body;
    out.headers = {"Expect:"};
    for (const auto& h : request_.headers) out.headers.push_back(header_line(h));
    if (!has_header(request_.headers, "accept")) out.headers.emplace_back("Accept: */*");
    if (!has_header(request_.headers, "user-agent")) out.headers.emplace_back("User-Agent: troupe");
    if (!has_header(request_.headers, "content-type")) out.headers.emplace_back("Content-Type:");  // not libcurl's guess
    out.timeouts = {.connect = std::min(connect_limit, left), .first_byte = left, .idle = left, .total = left};
    out.ca_file = rules_->ca_file;
    out.decodes = true;
    out.own_connection = true;
    out.allows = rules_->allows;
    auto t = loop_.start(std::move(out), shared_from_this());
    if (listener_) transfer_ = std::move(t);
  }

  /// False: the redirect ends the call, and `in_` says why.
  bool turns_elsewhere() {
    if (in_.redirects == max_redirects) {
      in_.stopped_by = "there were more than " + std::to_string(max_redirects) + " redirects in a row";
      return false;
    }
    auto next = follow_redirect(request_.url, request_.method, in_.status, location_, rules_->hosts);
    if (!next) {
      in_.stopped_by = next.error().text;
      return false;
    }
    ++in_.redirects;
    request_.url = std::move(next->url);
    request_.method = std::move(next->method);
    if (!next->keeps_body) request_.body.clear();
    std::erase_if(request_.headers, [&](const http_header& h) {
      return (!next->keeps_headers && !is_harmless(h.name)) || (!next->keeps_body && same_name(h.name, "content-type"));
    });
    return true;
  }

  providers::curl_loop& loop_;
  std::shared_ptr<const exchange_rules> rules_;
  outgoing_request request_;
  std::shared_ptr<call_listener> listener_;  ///< empty once it has heard, or shall not
  std::shared_ptr<providers::transfer> transfer_;
  clock::time_point deadline_;
  std::string location_;
  incoming_response in_;
  std::atomic<bool> given_up_{false};
};

class http_call final : public running_call {
 public:
  explicit http_call(std::shared_ptr<exchange> e) : exchange_(std::move(e)) {}
  ~http_call() override { exchange_->give_up(); }

 private:
  std::shared_ptr<exchange> exchange_;
};

}  // namespace

exchange_rules rules_of(const core::tool_config& config, const std::string& name) {
  exchange_rules out;
  out.tool = name;
  if (!config.allow_private) out.allows = [](const sockaddr& address) { return is_public(address); };
  out.ca_file = config.ca_file;
  out.max_body = std::max<std::size_t>(config.output_bytes, 1);
  if (config.time_limit) out.time_limit = *config.time_limit;  // else the caller's limit is the one that ends it
  return out;
}

std::unique_ptr<running_call> start_exchange(providers::curl_loop& loop, std::shared_ptr<const exchange_rules> rules,
                                             outgoing_request request, std::shared_ptr<call_listener> listener) {
  auto e = std::make_shared<exchange>(loop, std::move(rules), std::move(request), std::move(listener));
  e->begin();
  return std::make_unique<http_call>(std::move(e));
}

}  // namespace troupe::tools
