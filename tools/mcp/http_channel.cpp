// Streamable HTTP: a POST per message, answers as JSON or as an event stream. In the legacy era also a session of the server,
// a stream of its own messages (GET), and streams that go on where they broke (Last-Event-ID).
#include "tools/mcp/channel.hpp"
#include "tools/mcp/http_exchange.hpp"
#include "tools/text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <map>

namespace troupe::tools::mcp {

namespace {

using providers::transfer_result;
using std::chrono::milliseconds;

constexpr milliseconds connect_limit{5'000};
constexpr milliseconds request_limit{std::chrono::hours{24}};  // callers give up earlier, each by its own limit
constexpr milliseconds notification_limit{10'000};
constexpr milliseconds farewell_limit{2'000};
constexpr milliseconds first_pause{1'000};
constexpr milliseconds longest_pause{30'000};
constexpr std::size_t max_resumed = 5;
constexpr std::size_t max_session = 1'024;
constexpr std::size_t max_shown = 300;

class http_channel final : public channel {
 public:
  http_channel(const core::tool_config& config, providers::curl_loop& loop, channel_handlers handlers)
      : config_(config), loop_(loop), handlers_(std::move(handlers)), stream_timer_(loop.context()) {}

  ~http_channel() override {
    for (auto& [serial, e] : open_) e->give_up();
  }

  void send(outgoing m) override {
    if (closed_) return;
    auto request = request_for("POST", m.version, m.request == 0 ? notification_limit : request_limit);
    request.headers.push_back("Content-Type: application/json");
    request.headers.push_back("Accept: application/json, text/event-stream");
    request.headers.push_back("Expect:");
    if (m.is_modern) {
      request.headers.push_back("Mcp-Method: " + header_value(m.method));
      if (!m.name.empty()) request.headers.push_back("Mcp-Name: " + header_value(m.name));
      request.headers.insert(request.headers.end(), m.headers.begin(), m.headers.end());
    }
    bool is_beginning = m.method == "initialize";
    if (is_beginning) session_.clear();
    auto session = m.is_modern ? std::string() : session_;
    if (!session.empty()) request.headers.push_back("Mcp-Session-Id: " + session);
    // libcurl repeats a request where a kept connection turns out to be dead; a call may not be made twice.
    request.own_connection = m.method == "tools/call";
    request.body = std::move(m.text);
    auto e = exchange(
        m.request, [this](http_exchange& which, http_exchange::outcome o) { on_answered(which, std::move(o)); },
        [this, is_beginning](providers::transfer& t) {
          if (is_beginning) take_session(t.header("Mcp-Session-Id"));
        });
    e->session = std::move(session);
    e->start(loop_, std::move(request));
  }

  void abandon(std::int64_t request) override {
    for (auto it = open_.begin(); it != open_.end(); ++it)
      if (it->second->request() == request) {
        it->second->give_up();
        open_.erase(it);
        return;
      }
  }

  void established(era how, const std::string& version) override {
    version_ = version;
    pause_ = first_pause;
    has_listened_ = has_stream_ = false;
    if (how == era::legacy) listen({});
  }

  void close(std::function<void()> closed) override {
    closed_ = std::move(closed);
    stream_timer_.cancel();
    for (auto& [serial, e] : open_) e->give_up();
    open_.clear();
    if (session_.empty()) return finish_close();
    auto request = request_for("DELETE", version_, farewell_limit);
    request.headers.push_back("Mcp-Session-Id: " + session_);
    auto e = exchange(0, [this](http_exchange&, http_exchange::outcome) { finish_close(); });
    e->start(loop_, std::move(request));
  }

 private:
  using exchange_ptr = std::shared_ptr<http_exchange>;

  /// A new one, known until it ends.
  exchange_ptr exchange(std::int64_t id, http_exchange::end_function on_end, http_exchange::head_function on_head = {}) {
    auto serial = ++last_serial_;
    auto e = std::make_shared<http_exchange>(
        id, [this, id](message m) { handlers_.on_message(std::move(m), id); },
        on_head ? std::move(on_head) : [](providers::transfer&) {},
        [this, serial, end = std::move(on_end)](http_exchange& which, http_exchange::outcome o) {
          auto kept = open_.extract(serial);
          end(which, std::move(o));
        });
    open_.emplace(serial, e);
    return e;
  }

  providers::http_request request_for(std::string method, const std::string& version, milliseconds limit) {
    providers::http_request out;
    out.url = config_.url;
    out.method = std::move(method);
    out.ca_file = config_.ca_file;
    out.timeouts = {connect_limit, limit, limit, limit};
    out.headers.push_back("User-Agent: troupe");
    if (!version.empty()) out.headers.push_back("MCP-Protocol-Version: " + version);
    for (const auto& [name, value] : config_.headers) out.headers.push_back(name + ": " + value);
    return out;
  }

  void take_session(std::string id) {
    bool is_good = id.size() <= max_session && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (is_good)
      session_ = std::move(id);
    else
      handlers_.log("warn", "gave a session id that is none");
  }

  /// What a server says that knows our session no more. Older ones answer 400 and say so in words.
  bool has_lost_session(const http_exchange& e, const http_exchange::outcome& o) const {
    if (e.session.empty()) return false;
    if (o.status == 404) return true;
    return o.status == 400 && (o.body.find("session") != std::string::npos || o.body.find("Session") != std::string::npos);
  }

  void lose_session(std::int64_t request, const http_exchange& e) {
    bool is_current = e.session == session_;
    if (is_current) session_.clear();
    handlers_.on_request_failed(request,
                                {request_failure::kind::no_session, "the server has forgotten the session", is_current});
  }

  void on_answered(http_exchange& e, http_exchange::outcome o) {
    if (e.is_answered()) return;
    auto id = e.request();
    bool has_no_session = has_lost_session(e, o);
    if (e.resumed > 0 && (has_no_session || o.status < 200 || o.status >= 300)) {
      // The rest cannot be had. The call itself was made: it is neither refused nor to be made again.
      if (has_no_session) lose_session(0, e);
      return report(id, {request_failure::kind::lost, "the connection broke, and the rest of the answer cannot be had"});
    }
    if (has_no_session) return lose_session(id, e);
    bool is_good = o.status >= 200 && o.status < 300;
    if (!is_good && o.status != 0) {
      if (id != 0)
        if (auto said = parse_messages(o.body); said && said->front().is == message::kind::error) {
          said->front().id = id;  // whatever it wrote there, this is what it answers
          return handlers_.on_message(std::move(said->front()), id);
        }
      return report(id, failure_of_status(o));
    }
    if (id == 0) {
      if (!is_good) handlers_.log("warn", "did not take a notification: " + text_of(o));
      return;
    }
    if (is_good && o.is_stream && o.trouble.empty() && !e.session.empty() && !e.position().last_id().empty() &&
        e.resumed < max_resumed)
      return resume(e);
    report(id, failure_of_transfer(o));
  }

  void report(std::int64_t id, request_failure failure) {
    if (id != 0)
      handlers_.on_request_failed(id, std::move(failure));
    else
      handlers_.log("warn", "did not take a notification: " + failure.text);
  }

  static std::string text_of(const http_exchange::outcome& o) {
    if (!o.trouble.empty()) return o.trouble;
    switch (o.end.result) {
      case transfer_result::closed:
        return "its answer ended without a result";
      case transfer_result::first_byte_timeout:
      case transfer_result::idle_timeout:
      case transfer_result::total_timeout:
        return "it did not answer in time";
      default:
        return o.end.text.empty() ? "the connection broke" : "the connection failed: " + quoted(o.end.text, max_shown);
    }
  }

  static request_failure failure_of_status(const http_exchange::outcome& o) {
    auto text = "it answered with HTTP status " + std::to_string(o.status);
    if (!o.location.empty()) text += ", a redirect to " + quoted(o.location, max_shown) + "; put the right address into `url`";
    if (!o.body.empty()) text += ": " + quoted(o.body, max_shown);
    // 5xx also comes from what stands between us and a server that did what it was asked.
    return {o.status >= 500 ? request_failure::kind::lost : request_failure::kind::refused, std::move(text)};
  }

  static request_failure failure_of_transfer(const http_exchange::outcome& o) {
    auto how = request_failure::kind::lost;
    for (auto never_sent : {transfer_result::unreachable, transfer_result::connect_timeout, transfer_result::untrusted,
                            transfer_result::bad_request, transfer_result::forbidden_address})
      if (o.end.result == never_sent) how = request_failure::kind::unreachable;
    return {how, (how == request_failure::kind::unreachable ? "it cannot be reached; " : "") + text_of(o)};
  }

  /// Asks for what a broken stream still had to say.
  void resume(http_exchange& e) {
    auto id = e.request();
    auto next = exchange(id, [this](http_exchange& which, http_exchange::outcome o) { on_answered(which, std::move(o)); });
    next->session = e.session;
    next->resumed = e.resumed + 1;
    auto timer = std::make_shared<boost::asio::steady_timer>(loop_.context(), e.position().retry());
    timer->async_wait([timer, this, weak = std::weak_ptr(next), from = e.position().last_id()](boost::system::error_code) {
      auto which = weak.lock();
      if (!which || which->is_given_up()) return;
      which->start(loop_, stream_request(which->session, from));
    });
  }

  providers::http_request stream_request(const std::string& session, const std::string& from) {
    auto request = request_for("GET", version_, request_limit);
    request.headers.push_back("Accept: text/event-stream");
    if (!session.empty()) request.headers.push_back("Mcp-Session-Id: " + session);
    if (!from.empty()) request.headers.push_back("Last-Event-ID: " + from);
    return request;
  }

  /// The stream of what the server says by itself. It need not have one.
  void listen(const std::string& from) {
    if (auto old = stream_.lock()) {
      old->give_up();
      std::erase_if(open_, [&](const auto& entry) { return entry.second == old; });
    }
    bool has_gap = std::exchange(has_listened_, true) && from.empty();
    auto e = exchange(
        0, [this](http_exchange& which, http_exchange::outcome o) { on_stream_end(which, o); },
        [this, has_gap](providers::transfer&) {
          pause_ = first_pause;
          has_stream_ = true;
          if (has_gap)
            boost::asio::post(loop_.context(), [this, weak = std::weak_ptr<char>(alive_)] {
              if (!weak.expired()) tell_of_change();
            });
        });
    e->session = session_;
    stream_ = e;
    e->start(loop_, stream_request(session_, from));
  }

  void on_stream_end(http_exchange& e, const http_exchange::outcome& o) {
    // Servers without such a stream say 405, or 404, which means another thing where there was one.
    if (has_stream_ && has_lost_session(e, o)) return lose_session(0, e);
    bool is_good = o.status >= 200 && o.status < 300;
    if (!is_good && o.status != 0 && o.status < 500) return;
    if (is_good && !o.is_stream) return;
    auto wait = is_good ? std::max(e.position().retry(), milliseconds{100}) : pause_;
    if (!is_good || e.position().last_id().empty()) {
      wait = std::max(wait, pause_);
      pause_ = std::min(pause_ * 2, longest_pause);
    }
    stream_timer_.expires_after(wait);
    stream_timer_.async_wait([this, weak = std::weak_ptr<char>(alive_), from = e.position().last_id(),
                              session = e.session](boost::system::error_code ec) {
      if (!ec && !weak.expired() && !closed_ && session == session_) listen(from);
    });
  }

  /// What it said while nobody listened is lost; its tools may be others now.
  void tell_of_change() {
    message m;
    m.method = "notifications/tools/list_changed";
    if (!closed_) handlers_.on_message(std::move(m), 0);
  }

  void finish_close() {
    session_.clear();
    boost::asio::post(loop_.context(), std::exchange(closed_, [] {}));
  }

  const core::tool_config& config_;
  providers::curl_loop& loop_;
  channel_handlers handlers_;
  boost::asio::steady_timer stream_timer_;
  std::map<std::uint64_t, exchange_ptr> open_;
  std::uint64_t last_serial_ = 0;
  std::weak_ptr<http_exchange> stream_;
  bool has_listened_ = false;
  bool has_stream_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  std::string session_;
  std::string version_;
  milliseconds pause_ = first_pause;
  std::function<void()> closed_;
};

}  // namespace

std::unique_ptr<channel> start_http(const core::tool_config& config, providers::curl_loop& loop, channel_handlers handlers) {
  return std::make_unique<http_channel>(config, loop, std::move(handlers));
}

}  // namespace troupe::tools::mcp
