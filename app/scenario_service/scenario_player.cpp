#include "app/scenario_service/scenario_player.hpp"

#include "app/record/json_view.hpp"
#include "app/scenario_service/session_scenario.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

namespace troupe::app {

namespace asio = boost::asio;
namespace json = boost::json;
using core::errc;
using core::error;
using transport::scenario_entry;
using transport::scenario_result;
using transport::scenario_run;
using transport::scenario_run_status;

namespace {

constexpr int max_recording = 2;
/// Texts and divergences of one run, together.
constexpr std::size_t max_kept_bytes = 8 << 20;

error closed() { return {errc::shutting_down, "The server is about to stop."}; }

std::vector<std::string> texts_of(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* v = o.if_contains(key); v && v->is_array())
    for (const auto& item : v->get_array())
      if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

scenario_entry entry_of(const json::object& line) {
  json_view fields{line};
  scenario_entry out{fields.text("file"), fields.text("description"), texts_of(line, "tags"), {}, fields.text("problem")};
  for (const auto& [mode, reason] : fields.object("skip"))
    if (reason.is_string()) out.skip.emplace(mode, reason.get_string());
  return out;
}

scenario_result result_of(const json::object& line) {
  json_view fields{line};
  scenario_result out;
  out.file = fields.text("file");
  out.verdict = fields.text("verdict");
  out.seconds = static_cast<double>(fields.whole("ms")) / 1'000;
  out.events = fields.whole("events");
  out.boundaries = fields.whole("boundaries");
  out.hash = fields.text("hash");
  out.text = fields.text("text");
  out.divergence = fields.object("divergence");
  return out;
}

bool has_all(const std::vector<std::string>& tags, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const std::string& tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); });
}

std::vector<std::string> arguments_of(const transport::scenario_request& r) {
  if (r.restart_every_step) return {"--restart-every-step"};
  if (!r.crash_at.empty()) return {"--crash-at", r.crash_at};
  return {};
}

}  // namespace

scenario_player::scenario_player(scenario_player_options options)
    : options_(std::move(options)), hidden_(redaction::of_process(options_.config.get())) {
  std::error_code ignored;
  if (!options_.scratch.empty()) std::filesystem::remove_all(options_.scratch, ignored);
}

core::result<temporary_folder> scenario_player::make_scratch() const {
  std::error_code failure;
  std::filesystem::create_directories(options_.scratch, failure);  // a failure is told by the next line
  return temporary_folder::make(options_.scratch, "run");
}

std::string scenario_player::folder() const {
  auto path = options_.folder.lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

void scenario_player::close() {
  {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  std::promise<void> gone;
  asio::post(*options_.host.io, [&] {
    player_.reset();
    end_listing(closed());
    gone.set_value();
  });
  gone.get_future().wait();
}

// ---- the list ----

void scenario_player::list(then<entries> done) {
  {
    std::lock_guard lock(mutex_);
    if (!is_closed_) {
      waiting_.push_back(std::move(done));
      done = nullptr;
      if (waiting_.size() > 1) return;  // one list for all who ask meanwhile
    }
  }
  if (done) return done(closed());
  options_.run_blocking([me = shared_from_this()] {
    asio::post(*me->options_.host.io, [me, found = list_corpus(me->options_.folder)] { me->begin_listing(found); });
  });
}

void scenario_player::begin_listing(core::result<corpus> found) {
  if (!found) return end_listing(found.error());
  entries refused;
  for (auto& [file, reason] : found->refused) refused.push_back({std::move(file), {}, {}, {}, std::move(reason)});
  auto with_refused = [refused = std::move(refused)](entries told) {
    told.insert(told.end(), refused.begin(), refused.end());
    return told;
  };
  if (found->files.empty()) return end_listing(with_refused({}));
  if (kept_ && kept_->stamps == found->stamps) return end_listing(with_refused(kept_->told));
  kept_.reset();
  bool is_late = false;
  {
    std::lock_guard lock(mutex_);
    is_late = is_closed_;
  }
  if (is_late) return end_listing(closed());
  auto scratch = make_scratch();
  if (!scratch) return end_listing(scratch.error());
  listed_.clear();
  replay_job job;
  job.arguments = {"--list"};
  job.folder = options_.folder;
  job.files = std::move(found->files);
  job.scratch = std::move(*scratch);
  job.limit = list_limit;
  job.on_line = [this](const json::object& line) { listed_.push_back(entry_of(line)); };
  job.on_end = [this, stamps = std::move(found->stamps), with_refused = std::move(with_refused),
                now = std::filesystem::file_time_type::clock::now()](int status, const std::string& trouble) {
    auto told = std::exchange(listed_, {});
    if (status != 0 && status != 1)
      return end_listing(error{errc::internal_error, "The scenarios could not be listed: " + trouble});
    keep_list(stamps, told, now);
    end_listing(with_refused(std::move(told)));
  };
  lister_ = replay_child::start(options_.host, std::move(job));
}

void scenario_player::keep_list(std::vector<file_stamp> stamps, const entries& told,
                                std::filesystem::file_time_type looked_at) {
  std::size_t bytes = 0;
  for (const auto& e : told) {
    bytes += sizeof e + e.file.size() + e.description.size() + e.problem.size();
    for (const auto& tag : e.tags) bytes += sizeof tag + tag.size();
    for (const auto& [mode, why] : e.skip) bytes += 2 * sizeof mode + mode.size() + why.size();
  }
  bool are_settled =
      std::all_of(stamps.begin(), stamps.end(), [&](const file_stamp& s) { return s.written + settled_after <= looked_at; });
  if (bytes <= max_kept_list && are_settled) kept_ = kept_list{std::move(stamps), told};
}

void scenario_player::end_listing(const core::result<entries>& told) {
  lister_.reset();
  auto sorted = told;
  if (sorted) std::sort(sorted->begin(), sorted->end(), [](const auto& a, const auto& b) { return a.file < b.file; });
  std::vector<then<entries>> waiting;
  {
    std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const auto& f : waiting) f(sorted);
}

// ---- runs ----

core::result<scenario_player::choice> scenario_player::choose(const transport::scenario_request& request, const entries& all) {
  choice out;
  auto take = [&](const scenario_entry& e) {
    if (!has_all(e.tags, request.tags)) return;
    e.problem.empty() ? out.files.push_back(e.file) : out.broken.push_back(e);
  };
  if (!request.files) {
    for (const auto& e : all) take(e);
  } else {
    auto wanted = *request.files;
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    for (const auto& file : wanted) {
      auto found = std::find_if(all.begin(), all.end(), [&](const auto& e) { return e.file == file; });
      if (found == all.end()) return error{errc::validation_error, "files: the folder has no scenario " + file.substr(0, 200)};
      take(*found);
    }
  }
  if (out.files.empty() && out.broken.empty())
    return error{errc::validation_error, "There is no scenario to play: the folder has none that fits."};
  return out;
}

void scenario_player::start(transport::scenario_request request, then<scenario_run> done) {
  auto refusal = [&]() -> std::optional<error> {
    std::lock_guard lock(mutex_);
    if (is_closed_) return closed();
    if (is_taken_) return error{errc::scenario_run_active, "A run of scenarios is going on; wait for its end, or stop it."};
    is_taken_ = true;
    is_stopped_ = false;
    return std::nullopt;
  }();
  if (refusal) return done(*refusal);
  scenario_run run;
  run.id = options_.environment->random_uuid().str();
  run.started_at = options_.environment->now();
  run.request = std::move(request);
  list([me = shared_from_this(), run = std::move(run), done = std::move(done)](const core::result<entries>& all) {
    auto chosen = all ? choose(run.request, *all) : core::result<choice>(all.error());
    if (chosen) return me->begin_run(run, std::move(*chosen), done);
    me->give_up_slot();
    done(chosen.error());
  });
}

void scenario_player::give_up_slot() {
  std::lock_guard lock(mutex_);
  is_taken_ = false;
}

void scenario_player::begin_run(scenario_run run, choice chosen, const then<scenario_run>& done) {
  run.total = chosen.files.size() + chosen.broken.size();
  bool is_late = false;
  {
    std::lock_guard lock(mutex_);
    is_late = is_closed_;
    if (runs_.size() == max_runs) runs_.pop_back();
    runs_.push_front(run);
    order_ = chosen.files;
    played_ = 0;
    kept_bytes_ = 0;
    for (auto& e : chosen.broken) keep({std::move(e.file), "failed", 0, 0, 0, {}, std::move(e.problem), {}});
    set_current();
    run = runs_.front();
    run.results.clear();
  }
  if (is_late) return done(closed());
  spdlog::info("scenarios started run={} files={}", run.id, run.total);
  done(run);
  if (chosen.files.empty()) return end_run(1, {});
  auto scratch = make_scratch();
  if (!scratch) return end_run(-1, scratch.error().text);
  replay_job job;
  job.arguments = arguments_of(run.request);
  job.folder = options_.folder;
  job.files = std::move(chosen.files);
  job.scratch = std::move(*scratch);
  job.limit = run_limit;
  job.on_line = [this](json::object line) { take(std::move(line)); };
  job.on_end = [this](int status, const std::string& trouble) { end_run(status, trouble); };
  player_ = replay_child::start(options_.host, std::move(job));
}

void scenario_player::take(json::object line) {
  auto result = result_of(line);
  std::lock_guard lock(mutex_);
  ++played_;
  keep(std::move(result));
  set_current();
}

void scenario_player::keep(scenario_result result) {
  auto& run = runs_.front();
  if (result.verdict == "passed")
    ++run.passed;
  else if (result.verdict == "skipped")
    ++run.skipped;
  else
    ++run.failed;
  auto size = result.text.size() + json::serialize(result.divergence).size();
  if (kept_bytes_ + size > max_kept_bytes) {
    result.text = "What came of it is left out: this run has more to tell than is kept. Play the file alone.";
    result.divergence.clear();
  } else {
    kept_bytes_ += size;
  }
  run.results.push_back(std::make_shared<const scenario_result>(std::move(result)));
}

void scenario_player::set_current() { runs_.front().current = played_ < order_.size() ? order_[played_] : std::string(); }

void scenario_player::end_run(int status, const std::string& trouble) {
  player_.reset();
  std::lock_guard lock(mutex_);
  auto& run = runs_.front();
  if (status >= 0 && run.done() == run.total) {
    run.status = scenario_run_status::completed;
  } else if (is_stopped_) {
    run.status = scenario_run_status::cancelled;
  } else {
    run.status = scenario_run_status::failed;
    run.problem = trouble.empty() ? "it ended before all scenarios were played" : trouble;
  }
  run.ended_at = options_.environment->now();
  run.current.clear();
  is_taken_ = false;
  spdlog::info("scenarios ended run={} passed={} failed={} skipped={} of={} problem=\"{}\"", run.id, run.passed, run.failed,
               run.skipped, run.total, run.problem);
}

std::vector<scenario_run> scenario_player::runs() const {
  std::lock_guard lock(mutex_);
  std::vector<scenario_run> out(runs_.begin(), runs_.end());
  for (auto& run : out) run.results.clear();
  return out;
}

std::optional<scenario_run> scenario_player::find(const std::string& id) const {
  std::lock_guard lock(mutex_);
  auto found = std::find_if(runs_.begin(), runs_.end(), [&](const auto& run) { return run.id == id; });
  return found == runs_.end() ? std::nullopt : std::optional(*found);
}

std::optional<std::string> scenario_player::active() const {
  std::lock_guard lock(mutex_);
  if (runs_.empty() || runs_.front().status != scenario_run_status::running) return std::nullopt;
  return runs_.front().id;
}

void scenario_player::stop(const std::string& id) {
  {
    std::lock_guard lock(mutex_);
    if (runs_.empty() || runs_.front().id != id || runs_.front().status != scenario_run_status::running) return;
    is_stopped_ = true;
  }
  asio::post(*options_.host.io, [me = shared_from_this(), id] {
    if (me->player_ && me->active() == id) me->player_->stop();
  });
}

// ---- a session as a scenario ----

void scenario_player::record(core::session_id session, then<std::string> done) {
  if (recording_.fetch_add(1) >= max_recording) {
    --recording_;
    return done(error{errc::rate_limited, "Other sessions are being made into scenarios; try again in a moment."});
  }
  options_.run_blocking([me = shared_from_this(), session, done = std::move(done)] {
    auto made = [&]() -> core::result<std::string> {
      try {
        auto queries = me->options_.open_queries();
        if (!queries) return queries.error();
        return scenario_of_session(**queries, session, *me->options_.config, me->options_.tools.get(), me->hidden_);
      } catch (const std::exception& e) {
        return error{errc::internal_error, std::string("The session could not be told as a scenario: ") + e.what()};
      }
    }();
    --me->recording_;
    done(std::move(made));
  });
}

}  // namespace troupe::app
