// What the storage tests share: temporary folders, and sessions whose logs are written the way the actors write them.
#pragma once

#include "storage/store.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace storage_test {

using namespace troupe;
using namespace troupe::core;

class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "troupe-storage-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string database() const { return path_ + "/troupe.db"; }

 private:
  std::string path_;
};

inline std::unique_ptr<storage::store> open_store(const std::string& folder) {
  storage_config config;
  config.data = folder;
  config.full_sync = false;
  return std::move(storage::store::open(config)).value();
}

inline uuid next_uuid() {
  static std::uint64_t n = 0;
  return {0x0190000000007000ULL, 0x8000000000000000ULL | ++n};
}
template <class Id>
Id make() {
  return Id{next_uuid()};
}

/// 2025-01-01T00:00:00Z
inline constexpr millis new_year{1'735'689'600'000};

/// One session's log in the making: collects events until they are committed.
class session_log {
 public:
  session_id id = make<session_id>();
  project_id project{"demo"};
  seq_t seq = 0;
  millis now = new_year;
  std::vector<event> all;

  explicit session_log(std::string project_name = "demo", std::string dialect = "nexus", std::string owner = "ann")
      : project{std::move(project_name)} {
    add(session_created{project, {"writer"}, std::move(dialect), "alias", std::move(owner), R"({"k":1})"});
  }
  event& add(event_payload payload, std::size_t seqs = 1) {
    now += millis(10);
    event e{seq + 1, seq + seqs, now, std::move(payload)};
    seq += seqs;
    waiting_.push_back(e);
    all.push_back(std::move(e));
    return all.back();
  }
  /// After a change of the last event in `all`.
  void rewrite_last() { waiting_.back() = all.back(); }
  storage::append take(std::optional<seq_t> reserve = {}) {
    auto batch = std::make_shared<event_batch>();
    batch->session = id;
    batch->events = std::exchange(waiting_, {});
    return {batch, reserve};
  }
  [[nodiscard]] bool has_waiting() const noexcept { return !waiting_.empty(); }

  message_id user(const std::string& text, const std::string& client_id = {}) {
    auto m = make<message_id>();
    add(message_added{m, role::user, text, "ann", client_id});
    return m;
  }
  run_id start(message_id m, trace_id trace = {next_uuid()}) {
    auto r = make<run_id>();
    add(run_started{r, m, make<message_id>(), trace, {"writer"}, 7, millis(0)});
    return r;
  }
  message_id step(run_id r, std::uint32_t n) {
    auto m = make<message_id>();
    add(step_started{r, n, m, "local", "qwen3"});
    return m;
  }
  void text(message_id m, std::vector<std::string> pieces) {
    text_delta d{m, {}};
    for (const auto& p : pieces) d.pieces.add(p);
    add(std::move(d), pieces.size());
  }
  void usage(run_id r, std::uint32_t step, std::int64_t cost = 450) {
    add(usage_recorded{r, step, "local", "qwen3", {120, 20, 30}, {cost}, false, now - millis(5), now - millis(2), 1});
  }
  /// Message, model call with a tool call, the tool, a second model call, the end.
  run_id whole_turn(const std::string& question = "What time is it?", trace_id trace = {next_uuid()}) {
    auto r = start(user(question), trace);
    auto first = step(r, 1);
    add(message_completed{r, 1, first, "", {{{"call_1"}, "clock", R"({"zone":"UTC"})"}}, finish_reason::tool_calls, false});
    usage(r, 1);
    add(tool_started{r, {"call_1"}, "clock", R"({"zone":"UTC"})", effect::read_only});
    add(tool_completed{r, {"call_1"}, "clock", true, "12:00", 3});
    auto second = step(r, 2);
    text(second, {"It ", "is ", "noon", "."});
    add(message_completed{r, 2, second, "It is noon.", {}, finish_reason::stop, false});
    usage(r, 2);
    add(run_completed{r, second, trace, {240, 40, 60}, {900}, 2});
    return r;
  }

 private:
  std::vector<event> waiting_;
};

inline void commit(storage::store& s, session_log& log, std::optional<seq_t> reserve = {}) {
  auto a = log.take(reserve);
  auto done = s.writer().commit({&a, 1});
  INFO((done.has_error() ? done.error().text : std::string()));
  REQUIRE(done.has_value());
}

inline std::vector<std::string> findings_of(const std::string& folder) {
  auto report = storage::check(folder);
  REQUIRE(report.has_value());
  std::vector<std::string> out;
  for (const auto& f : report->findings) out.push_back(f.subject + ": " + f.text);
  return out;
}

}  // namespace storage_test
