// One JSON message per line on the stdin and stdout of a program under the guard.
#include "tools/mcp/channel.hpp"
#include "tools/text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdlib>
#include <filesystem>

namespace troupe::tools::mcp {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_unwritten = 32 << 20;
constexpr std::size_t max_log_line = 1'000;
constexpr std::uint64_t max_log_bytes = 1 << 20;  // of one run of the program; the rest is dropped
constexpr std::size_t max_rubbish = 1'000;        // lines in a row
constexpr milliseconds time_to_leave{2'000};      // after stdin has closed, before SIGTERM
constexpr milliseconds time_to_die{1'000};        // after SIGTERM, before SIGKILL

/// What programs need to find themselves at home; everything else of our environment stays with us.
std::map<std::string, std::string> environment_for(const core::tool_config& config) {
  auto out = config.environment;
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"})
    if (const char* value = std::getenv(name)) out.emplace(name, value);
  out.emplace("PATH", "/usr/local/bin:/usr/bin:/bin");
  return out;
}

class stdio_channel final : public channel {
 public:
  stdio_channel(const process_host& host, channel_handlers handlers)
      : io_(*host.io), handlers_(std::move(handlers)), leave_timer_(io_) {}

  void start(const core::tool_config& config, const process_host& host) {
    process_options options;
    options.command = config.command;
    std::error_code ignored;
    options.folder = std::filesystem::current_path(ignored);
    options.environment = environment_for(config);
    options.limits.open_files = 4'096;
    process_handlers on;
    on.on_output = [this](std::string_view bytes) { take_output(bytes); };
    on.on_error_output = [this](std::string_view bytes) { take_log(bytes); };
    on.on_end = [this](const process_end& end) { on_end(end); };
    process_ = process::start(host, std::move(options), std::move(on));
  }

  void send(outgoing m) override {
    if (is_down_ || closed_) return;
    if (process_->unwritten() > max_unwritten) {
      boost::asio::post(io_, [weak = std::weak_ptr<char>(alive_), this] {
        if (!weak.expired()) go_down("it does not read what it is sent");
      });
      return;
    }
    process_->write(std::move(m.text) + "\n");
  }

  void abandon(std::int64_t) override {}
  void established(era, const std::string&) override {}

  void close(std::function<void()> closed) override {
    closed_ = std::move(closed);
    if (has_ended_) return finish_close();
    process_->close_input();
    leave_timer_.expires_after(time_to_leave);
    leave_timer_.async_wait([weak = std::weak_ptr<char>(alive_), this](boost::system::error_code ec) {
      if (!ec && !weak.expired()) process_->stop(time_to_die);
    });
  }

 private:
  void take_output(std::string_view bytes) {
    if (is_down_ || closed_) return;
    std::weak_ptr<char> weak = alive_;
    while (!bytes.empty()) {
      auto end = bytes.find('\n');
      auto part = bytes.substr(0, end);
      if (line_.size() + part.size() > max_message_bytes)
        return go_down("it sent a line of more than " + std::to_string(max_message_bytes) + " bytes");
      if (end == std::string_view::npos) {
        line_.append(part);
        return;
      }
      bytes.remove_prefix(end + 1);
      if (line_.empty()) {
        take_line(part);
      } else {
        line_.append(part);
        auto line = std::exchange(line_, {});
        take_line(line);
      }
      if (weak.expired() || is_down_) return;
    }
  }

  void take_line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return;
    auto messages = parse_messages(line);
    if (!messages) {
      if (++rubbish_ > max_rubbish) return go_down("it sent " + std::to_string(max_rubbish) + " lines that are no messages");
      if (rubbish_ <= 3)
        handlers_.log("warn", "sent a line that is no message (" + messages.error().text + "): " + quoted(line, 200));
      return;
    }
    rubbish_ = 0;
    std::weak_ptr<char> weak = alive_;
    for (auto& m : *messages) {
      handlers_.on_message(std::move(m), 0);
      if (weak.expired() || is_down_) return;
    }
  }

  /// stderr is a log and nothing else.
  void take_log(std::string_view bytes) {
    if (logged_ > max_log_bytes) return;
    logged_ += bytes.size();
    for (char c : bytes) {
      if (c != '\n' && log_line_.size() < max_log_line) log_line_ += c;
      if (c != '\n') continue;
      if (!log_line_.empty()) handlers_.log("debug", "says: " + quoted(log_line_, max_log_line));
      last_words_ = std::exchange(log_line_, {});
    }
    if (logged_ > max_log_bytes) handlers_.log("debug", "says more than is logged");
  }

  void on_end(const process_end& end) {
    has_ended_ = true;
    if (closed_) return finish_close();
    if (!end.trouble.empty()) return go_down(end.trouble);
    auto why = end.signal != 0 ? "it was ended by signal " + std::to_string(end.signal)
                               : "it ended with exit status " + std::to_string(end.status);
    const auto& words = log_line_.empty() ? last_words_ : log_line_;
    if (!words.empty()) why += "; its last words: " + quoted(words, 300);
    go_down(std::move(why));
  }

  /// The owner drops this channel later, never within the call.
  void go_down(std::string why) {
    if (std::exchange(is_down_, true)) return;
    if (!closed_) handlers_.on_down(std::move(why));
  }

  void finish_close() {
    leave_timer_.cancel();
    boost::asio::post(io_, std::exchange(closed_, [] {}));
  }

  boost::asio::io_context& io_;
  channel_handlers handlers_;
  boost::asio::steady_timer leave_timer_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  std::string line_;
  std::string log_line_;
  std::string last_words_;
  std::uint64_t logged_ = 0;
  std::size_t rubbish_ = 0;
  bool is_down_ = false;
  bool has_ended_ = false;
  std::function<void()> closed_;
  std::unique_ptr<process> process_;  ///< last: it goes first
};

}  // namespace

std::unique_ptr<channel> start_stdio(const core::tool_config& config, const process_host& host, channel_handlers handlers) {
  auto out = std::make_unique<stdio_channel>(host, std::move(handlers));
  out->start(config, host);
  return out;
}

}  // namespace troupe::tools::mcp
