#include "tools/process/process.hpp"

#include "tools/process/guard_protocol.hpp"
#include "tools/process/launch.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <limits>
#include <optional>
#include <system_error>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::tools {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;

namespace {

constexpr std::size_t read_bytes = 64 << 10;

/// What a program is: alive until its guard is, also when nobody wants to know any more.
class child : public std::enable_shared_from_this<child> {
 public:
  child(asio::io_context& io, process_handlers handlers)
      : io_(io),
        handlers_(std::make_shared<process_handlers>(std::move(handlers))),
        control_(io),
        input_(io),
        output_{stream_descriptor(io), false},
        errors_{stream_descriptor(io), true} {}

  ~child() {
    if (guard_ > 0) ::waitpid(guard_, nullptr, WNOHANG);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  void start(const process_host& host, const process_options& options) {
    limits_ = options.limits;
    name_ = options.command.empty() ? "" : options.command.front();
    folder_ = options.folder.native();
    auto begun = launch(host, options);
    if (!begun.trouble.empty()) {
      asio::post(io_, [self = shared_from_this(), trouble = std::move(begun.trouble)] { self->end({-1, 0, trouble}); });
      return;
    }
    guard_ = begun.guard;
    control_.assign(begun.control.release());
    input_.assign(begun.input.release());
    output_.from.assign(begun.output.release());
    if (begun.errors.is_open()) errors_.from.assign(begun.errors.release());
    listen_control();
    listen(output_);
    listen(errors_);
  }

  void abandon() {
    handlers_.reset();
    input_.close();
    output_.from.close();
    errors_.from.close();
    if (control_.is_open()) ::shutdown(control_.native_handle(), SHUT_WR);
  }

  void write(std::string bytes) {
    if (closes_input_ || !input_.is_open() || bytes.empty()) return;
    unwritten_ += bytes.size();
    queue_.push_back(std::move(bytes));
    pump();
  }

  void close_input() {
    closes_input_ = true;
    pump();
  }

  [[nodiscard]] std::size_t unwritten() const noexcept { return unwritten_; }

  void pause_output(bool paused) {
    if (std::exchange(is_paused_, paused) == paused || paused) return;
    for (auto* from : {&output_, &errors_}) guard_gone_ ? drain(*from) : listen(*from);
  }

  void stop(std::chrono::milliseconds grace) {
    if (!control_.is_open()) return;
    auto most = std::chrono::milliseconds{std::numeric_limits<int>::max()};
    guard_command command{static_cast<std::uint32_t>(std::clamp(grace, std::chrono::milliseconds{0}, most).count())};
    ::send(control_.native_handle(), &command, sizeof command, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

 private:
  struct source {
    stream_descriptor from;
    bool is_errors;
    bool is_waiting = false;
  };

  void listen_control() {
    control_.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](error_code problem) {
      if (problem) return;
      guard_report report;
      auto got = ::recv(self->control_.native_handle(), &report, sizeof report, MSG_DONTWAIT);
      if (got == static_cast<ssize_t>(sizeof report)) self->report_ = report;
      if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return self->listen_control();
      self->on_guard_gone();
    });
  }

  /// It has closed its end, so it is ending, and with it the whole tree has. What the pipes hold now is all there will be, even
  /// if somebody else has got hold of their other ends.
  void on_guard_gone() {
    control_.close();
    ::waitpid(std::exchange(guard_, -1), nullptr, 0);
    guard_gone_ = true;
    drop_input();
    drain(output_);
    drain(errors_);
  }

  void listen(source& s) {
    if (!s.from.is_open() || s.is_waiting || is_paused_) return;
    s.is_waiting = true;
    s.from.async_wait(stream_descriptor::wait_read, [self = shared_from_this(), &s](error_code problem) {
      s.is_waiting = false;
      if (!problem) self->read(s);
    });
  }

  void drain(source& s) {
    asio::post(io_, [self = shared_from_this(), &s] { s.from.is_open() ? self->read(s) : self->finish(); });
  }

  void read(source& s) {
    if (!s.from.is_open() || is_paused_) return;
    std::array<char, read_bytes> buffer;
    auto got = ::read(s.from.native_handle(), buffer.data(), buffer.size());
    bool is_dry = got < 0 && (errno == EAGAIN || errno == EINTR);
    if (got > 0) {
      auto handlers = handlers_;
      const auto& tell = s.is_errors ? handlers->on_error_output : handlers->on_output;
      if (tell) tell({buffer.data(), static_cast<std::size_t>(got)});
      if (!handlers_) return;
    } else if (!is_dry || guard_gone_) {
      s.from.close();
      return finish();
    }
    guard_gone_ ? drain(s) : listen(s);
  }

  void finish() {
    if (!guard_gone_ || output_.from.is_open() || errors_.from.is_open() || !handlers_) return;
    end(report_ ? end_of(*report_) : process_end{-1, 0, "the guard of `" + name_ + "` was ended by somebody else"});
  }

  void end(process_end how) {
    auto handlers = std::exchange(handlers_, nullptr);
    if (handlers && handlers->on_end) handlers->on_end(how);
  }

  [[nodiscard]] process_end end_of(const guard_report& report) const {
    process_end out{report.status, report.signal, {}};
    switch (report.trouble) {
      case guard_trouble::none:
        break;
      case guard_trouble::fork:
        out.trouble = "`" + name_ + "` could not be started: " + message_of(report.problem);
        break;
      case guard_trouble::limits:
        out.trouble = "the limits of `" + name_ + "` could not be set: " + message_of(report.problem);
        break;
      case guard_trouble::folder:
        out.trouble = "`" + name_ + "` cannot run in the folder " + folder_ + ": " + message_of(report.problem);
        break;
      case guard_trouble::program:
        out.trouble = "`" + name_ + "` cannot be run: " + message_of(report.problem);
        break;
      case guard_trouble::too_many_processes:
        out.trouble = "`" + name_ + "` was ended: it had more than " + std::to_string(limits_.processes) +
                      " processes at once (`processes`)";
        break;
    }
    return out;
  }

  void pump() {
    if (is_writing_ || !input_.is_open()) return;
    if (queue_.empty()) {
      if (closes_input_) input_.close();
      return;
    }
    is_writing_ = true;
    const auto& front = queue_.front();
    input_.async_write_some(asio::buffer(front.data() + written_, front.size() - written_),
                            [self = shared_from_this()](error_code problem, std::size_t n) { self->on_written(problem, n); });
  }

  void on_written(error_code problem, std::size_t n) {
    is_writing_ = false;
    if (problem || !input_.is_open()) return drop_input();
    unwritten_ -= n;
    written_ += n;
    if (written_ == queue_.front().size()) {
      queue_.pop_front();
      written_ = 0;
    }
    pump();
  }

  /// It takes no more. A write under way keeps its bytes until it is told.
  void drop_input() {
    input_.close();
    unwritten_ = 0;
    if (!is_writing_) queue_.clear();
  }

  asio::io_context& io_;
  std::shared_ptr<process_handlers> handlers_;  ///< null: nobody listens, or all was told
  process_limits limits_;
  std::string name_;
  std::string folder_;
  stream_descriptor control_;
  stream_descriptor input_;
  source output_;
  source errors_;
  pid_t guard_ = -1;
  bool guard_gone_ = false;
  std::optional<guard_report> report_;
  bool is_paused_ = false;
  std::deque<std::string> queue_;
  std::size_t written_ = 0;  ///< of the queue's first
  std::size_t unwritten_ = 0;
  bool is_writing_ = false;
  bool closes_input_ = false;
};

class started_process final : public process {
 public:
  explicit started_process(std::shared_ptr<child> c) : child_(std::move(c)) {}
  ~started_process() override { child_->abandon(); }
  started_process(const started_process&) = delete;
  started_process& operator=(const started_process&) = delete;

  void write(std::string bytes) override { child_->write(std::move(bytes)); }
  void close_input() override { child_->close_input(); }
  std::size_t unwritten() const noexcept override { return child_->unwritten(); }
  void pause_output(bool paused) override { child_->pause_output(paused); }
  void stop(std::chrono::milliseconds grace) override { child_->stop(grace); }

 private:
  std::shared_ptr<child> child_;
};

/// A program may end before it has read what we write to it.
void ignore_broken_pipes() {
  struct sigaction now {};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

std::unique_ptr<process> process::start(const process_host& host, process_options options, process_handlers handlers) {
  static const bool once = (ignore_broken_pipes(), true);
  static_cast<void>(once);
  auto c = std::make_shared<child>(*host.io, std::move(handlers));
  c->start(host, options);
  return std::make_unique<started_process>(std::move(c));
}

}  // namespace troupe::tools
