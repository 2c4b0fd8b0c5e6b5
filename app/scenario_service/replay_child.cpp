#include "app/scenario_service/replay_child.hpp"

#include "providers/utf8.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/json/parse.hpp>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_line = 1 << 20;
constexpr std::size_t kept_errors = 4 << 10;
constexpr std::size_t max_line_depth = 48;
/// Address sanitizers reserve more than any limit.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t memory_bytes = 0;
#else
constexpr std::uint64_t memory_bytes = std::uint64_t{4} << 30;
#endif

class started_child final : public replay_child {
 public:
  started_child(const tools::process_host& host, replay_job job) : job_(std::move(job)), timer_(*host.io) {
    tools::process_options options;
    options.command = {"/proc/self/exe", "replay", "--json", "--files-from", "-"};
    options.command.insert(options.command.end(), job_.arguments.begin(), job_.arguments.end());
    options.folder = job_.folder;
    options.environment = {{"LANG", "C.UTF-8"}, {"TMPDIR", job_.scratch.path().string()}};
    options.limits.memory_bytes = memory_bytes;
    options.limits.file_bytes = 256 << 20;
    options.limits.open_files = 1'024;
    options.limits.niceness = 10;
    tools::process_handlers handlers;
    handlers.on_output = [this](std::string_view bytes) { take(bytes); };
    handlers.on_error_output = [this](std::string_view bytes) {
      errors_ = (errors_ + std::string(bytes)).substr(0, kept_errors);
    };
    handlers.on_end = [this](const tools::process_end& how) { end(how); };
    process_ = tools::process::start(host, std::move(options), std::move(handlers));
    std::string names;
    for (const auto& file : job_.files) names.append(file).append("\n");
    process_->write(std::move(names));
    process_->close_input();
    timer_.expires_after(job_.limit);
    timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](boost::system::error_code cancelled) {
      if (!cancelled && !alive.expired()) give_up("it took longer than " + std::to_string(job_.limit.count()) + " seconds");
    });
  }

  void stop() override { give_up("it was stopped"); }

 private:
  void give_up(std::string why) {
    if (trouble_.empty()) trouble_ = std::move(why);
    process_->stop(std::chrono::milliseconds{0});
  }

  void take(std::string_view bytes) {
    while (trouble_.empty() && !bytes.empty()) {
      auto end = bytes.find('\n');
      line_.append(bytes.substr(0, end));
      if (line_.size() > longest_line)
        return give_up("it wrote a line of more than " + std::to_string(longest_line) + " bytes");
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      boost::system::error_code failure;
      auto value = json::parse(line_, failure, {}, {.max_depth = max_line_depth});
      line_.clear();
      if (failure || !value.is_object()) return give_up("it wrote a line that is no JSON object");
      job_.on_line(std::move(value.as_object()));
    }
  }

  void end(const tools::process_end& how) {
    timer_.cancel();
    auto why = trouble_;
    if (why.empty()) why = how.trouble;
    if (why.empty() && how.signal != 0) why = "it was ended by signal " + std::to_string(how.signal);
    if (why.empty() && how.status > 1) why = providers::to_utf8(errors_);
    auto tell = job_.on_end;                           // which may destroy this
    const int status = why.empty() ? how.status : -1;  // before `why` is moved from: arguments come in any order
    tell(status, std::move(why));
  }

  replay_job job_;
  boost::asio::steady_timer timer_;
  std::string line_;
  std::string errors_;
  std::string trouble_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::unique_ptr<tools::process> process_;
};

}  // namespace

std::unique_ptr<replay_child> replay_child::start(const tools::process_host& host, replay_job job) {
  return std::make_unique<started_child>(host, std::move(job));
}

}  // namespace troupe::app
