#include "tools/process/program_call.hpp"

#include "tools/process/live_output.hpp"
#include "tools/process/sandbox.hpp"
#include "tools/text.hpp"
#include "tools/workspace.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <utility>

namespace troupe::tools {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kept_errors = 4 << 10;

class program_run : public std::enable_shared_from_this<program_run> {
 public:
  program_run(const process_host& host, program_job job, std::shared_ptr<call_listener> listener)
      : host_(host),
        job_(std::move(job)),
        is_joined_(job_.options.joins_output),
        listener_(std::move(listener)),
        shown_(*host.io, [this](std::string text) { show(std::move(text)); }) {}

  [[nodiscard]] asio::io_context& io() const { return *host_.io; }
  void start() {
    if (given_up_) return;
    if (auto made = workspace::open(job_.workspace); !made) {
      outcome_.end.trouble = made.error().text;
      return finish();
    }
    // The process tells nobody after it is destroyed, and it is ours.
    process_handlers handlers;
    handlers.on_output = [this](std::string_view bytes) { is_joined_ ? take_text(bytes) : take_bytes(bytes); };
    handlers.on_error_output = [this](std::string_view bytes) { take_errors(bytes); };
    handlers.on_end = [this](const process_end& how) {
      outcome_.end = how;
      finish();
    };
    process_ = process::start(host_, std::move(job_.options), std::move(handlers));
    process_->write(std::move(job_.input));
    process_->close_input();
  }
  /// Any thread; nothing is told from now on.
  void give_up() noexcept { given_up_ = true; }
  void end() { process_.reset(); }

 private:
  void take_text(std::string_view bytes) {
    if (outcome_.too_much) return;
    add_text(decoder_.add(bytes));
  }

  void add_text(std::string_view text) {
    auto room = job_.output_bytes - outcome_.output.size();
    auto fits = cut_text(text, room);
    outcome_.output += fits;
    shown_.add(fits);
    if (fits.size() < text.size()) end_for_output();
  }

  void take_bytes(std::string_view bytes) {
    if (outcome_.too_much) return;
    auto room = job_.output_bytes - outcome_.output.size();
    outcome_.output += bytes.substr(0, room);
    if (bytes.size() > room) end_for_output();
  }

  void take_errors(std::string_view bytes) { add_errors(decoder_.add(bytes)); }

  void add_errors(std::string_view text) {
    outcome_.errors += text;
    if (outcome_.errors.size() > 2 * kept_errors) keep_last_errors();
    auto fits = cut_text(text, job_.output_bytes - std::min(errors_shown_, job_.output_bytes));
    errors_shown_ += text.size();
    shown_.add(fits);
  }

  void keep_last_errors() {
    if (outcome_.errors.size() <= kept_errors) return;
    auto from = outcome_.errors.size() - kept_errors;
    while (from < outcome_.errors.size() && (static_cast<unsigned char>(outcome_.errors[from]) & 0xC0U) == 0x80U) ++from;
    outcome_.errors.replace(0, from, "…");
  }

  void end_for_output() {
    outcome_.too_much = true;
    process_->stop(std::chrono::milliseconds{0});
  }

  void show(std::string text) {
    if (!given_up_) listener_->progress(std::move(text));
  }

  void finish() {
    auto self = shared_from_this();
    if (auto last = decoder_.finish(); is_joined_)
      add_last(last);
    else
      add_errors(last);
    keep_last_errors();
    shown_.flush();
    if (!given_up_) listener_->done(job_.judge(outcome_));
    listener_.reset();
    process_.reset();
  }

  void add_last(const std::string& last) {
    if (outcome_.too_much) return;
    if (outcome_.output.size() + last.size() <= job_.output_bytes) {
      outcome_.output += last;
      shown_.add(last);
    }
  }

  process_host host_;
  program_job job_;
  bool is_joined_;
  std::shared_ptr<call_listener> listener_;
  paced_text shown_;
  text_decoder decoder_;
  program_outcome outcome_;
  std::size_t errors_shown_ = 0;
  std::unique_ptr<process> process_;
  std::atomic<bool> given_up_ = false;
};

class program_running final : public running_call {
 public:
  explicit program_running(std::shared_ptr<program_run> run) : run_(std::move(run)) {}
  ~program_running() override {
    run_->give_up();
    // What it is made of belongs to that thread, so the last of it goes there.
    auto& io = run_->io();
    asio::post(io, [run = std::move(run_)] { run->end(); });
  }
  program_running(const program_running&) = delete;
  program_running& operator=(const program_running&) = delete;

 private:
  std::shared_ptr<program_run> run_;
};

std::string seconds_of(const core::tool_config& config) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(config.cpu_limit).count()) + " s";
}

}  // namespace

std::unique_ptr<running_call> run_program(const process_host& host, program_job job, std::shared_ptr<call_listener> listener) {
  auto run = std::make_shared<program_run>(host, std::move(job), std::move(listener));
  asio::post(*host.io, [run] { run->start(); });
  return std::make_unique<program_running>(std::move(run));
}

process_options options_for(const core::tool_config& config, const std::filesystem::path& workspace) {
  process_options out;
  out.folder = workspace;
  out.limits.cpu = std::chrono::ceil<std::chrono::seconds>(config.cpu_limit);
  out.limits.memory_bytes = config.memory_bytes;
  out.limits.file_bytes = max_program_file_bytes;
  out.limits.processes = config.processes;
  out.environment = {{"PATH", std::string(program_path)}, {"LANG", "C.UTF-8"}, {"TMPDIR", "/tmp"}};
  out.environment["HOME"] = config.sandbox ? std::string(sandbox_folder) : workspace.native();
  for (const auto& [name, value] : config.environment) out.environment[name] = value;
  if (config.sandbox) out.sandbox = std::make_unique<sandbox_options>(sandbox_options{workspace, config.network, {}});
  return out;
}

std::string missing_sandbox(const core::tool_config& config, const process_host& host) {
  if (!config.sandbox || host.has_sandbox) return {};
  return "Not run: the tool `" + config.name +
         "` wants a sandbox and this server has none. An operator can install bubblewrap 0.8 or newer and start the server "
         "again "
         "(its log says why it does not work where it is installed), or set `sandbox` to false for this tool, which lets its "
         "programs read and write all that the server may.";
}

std::string describe(const program_outcome& outcome, const core::tool_config& config) {
  const auto& end = outcome.end;
  if (!end.trouble.empty()) return "Failed: " + end.trouble + ".";
  if (outcome.too_much)
    return "Ended: it wrote more than " + std::to_string(config.output_bytes) + " bytes of output (`output_bytes`).";
  if (end.signal == 0) return "Exit status " + std::to_string(end.status) + ".";
  auto* name = sigabbrev_np(end.signal);
  std::string by = "Ended by signal " + std::to_string(end.signal) + (name ? " (SIG" + std::string(name) + ")" : std::string());
  if (end.signal == SIGXCPU) return by + ": it used more than " + seconds_of(config) + " of processor time (`cpu_limit_ms`).";
  if (end.signal == SIGXFSZ) return by + ": it wrote a file of more than " + std::to_string(max_program_file_bytes) + " bytes.";
  if (end.signal == SIGKILL) return by + ": perhaps it used too much memory or processor time.";
  return by + ".";
}

bool has_succeeded(const program_outcome& outcome) {
  return outcome.end.trouble.empty() && outcome.end.status == 0 && outcome.end.signal == 0 && !outcome.too_much;
}

}  // namespace troupe::tools
