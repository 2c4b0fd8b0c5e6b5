#include "app/record/recorder.hpp"

#include "core/environment.hpp"

#include <spdlog/spdlog.h>

namespace troupe::app {

namespace {

/// Times of text that are kept, of all sessions together; later text is timed by the log.
constexpr std::size_t max_delta_times = 1'000'000;

}  // namespace

core::result<std::shared_ptr<recorder>> recorder::open(recorder_options options, std::unique_ptr<storage::queries> queries) {
  std::error_code failure;
  std::filesystem::create_directories(options.folder, failure);
  if (failure || !std::filesystem::is_directory(options.folder))
    return core::error{core::errc::configuration_error,
                       "--record " + options.folder.string() +
                           ": is no folder that can be made: " + (failure ? failure.message() : "something else is there")};
  auto probe = options.folder / ".troupe-record";
  if (auto written = write_file(probe, {}); !written)
    return core::error{core::errc::configuration_error, "--record " + written.error().text};
  std::filesystem::remove(probe, failure);
  std::shared_ptr<recorder> out(new recorder(std::move(options), std::move(queries)));
  out->thread_ = std::thread([me = out.get()] { me->work(); });
  return out;
}

recorder::recorder(recorder_options options, std::unique_ptr<storage::queries> queries)
    : options_(std::move(options)), hidden_(redaction::of_process(options_.config.get())), queries_(std::move(queries)) {
  live_ = std::make_shared<live_log>([clock = core::system_environment()] { return clock->now(); });
}

recorder::~recorder() { stop(); }

void recorder::watch(std::map<std::string, std::vector<actors::event_sink_ptr>>& watchers) {
  for (const auto* dialect : core::all_dialects) watchers[dialect].push_back(shared_from_this());
}

void recorder::deliver(core::event_batch_ptr batch) noexcept {
  try {
    if (!batch->events.empty() && !batch->events.back().is_transient()) live_->shown(batch->session, batch->events.back().seq);
    std::lock_guard lock(mutex_);
    bool has_end = false;
    for (const auto& e : batch->events) {
      if (e.is_transient()) continue;
      touched_.insert(batch->session);
      if ((e.as<core::text_delta>() || e.as<core::reasoning_delta>()) && time_count_ < max_delta_times) {
        times_[batch->session].emplace(e.first, e.at);
        ++time_count_;
      }
      has_end = has_end || e.as<core::run_completed>() || e.as<core::run_failed>() || e.as<core::run_cancelled>() ||
                e.as<core::session_closed>();
    }
    if (has_end && ended_.insert(batch->session).second) wakes_.notify_one();
  } catch (const std::bad_alloc&) {
    // A recording is no reason to end the server; the file comes with the next run.
  }
}

void recorder::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wakes_.wait(lock, [this] { return is_stopping_ || !ended_.empty(); });
    if (is_stopping_) {
      ended_.insert(touched_.begin(), touched_.end());
      for (const auto& session : live_->unread()) ended_.insert(session);
    }
    if (ended_.empty()) return;
    auto session = *ended_.begin();
    ended_.erase(session);
    touched_.erase(session);
    lock.unlock();
    write(session);
    lock.lock();
  }
}

void recorder::write(const core::session_id& session) {
  text_times times;
  {
    std::lock_guard lock(mutex_);
    if (auto it = times_.find(session); it != times_.end()) times = it->second;
  }
  auto fail = [&](const core::error& e) { spdlog::error("recorder failed session={} error=\"{}\"", session.str(), e.text); };
  auto log = read_log(*queries_, session, times);
  if (!log) return fail(log.error());
  recording_source source;
  source.agent = agent_of(*log, *options_.config);
  source.files = read_files(*queries_, *log, session);
  source.notes = live_->notes(session);
  source.log = std::move(*log);
  source.tools = options_.tools.get();
  source.made_by = options_.made_by;
  auto text = make_recording(std::move(source), hidden_);
  if (!text) return spdlog::debug("recorder skipped session={} reason=\"{}\"", session.str(), text.error().text);
  auto file = options_.folder / (session.str() + ".json");
  if (auto written = write_file(file, *text); !written) return fail(written.error());
  spdlog::info("recorder wrote session={} bytes={}", session.str(), text->size());
}

void recorder::stop() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wakes_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace troupe::app
