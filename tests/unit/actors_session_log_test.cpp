#include "actors/session_log.hpp"

#include <catch2/catch.hpp>

#include <deque>

using namespace troupe;
using namespace troupe::actors;

namespace {

/// A store that answers when the test says so.
struct log_fixture {
  struct request {
    storage::append what;
    session_log::stored_fn done;
  };
  session_log log;
  std::deque<request> asked;
  std::vector<core::event> shown;
  core::seq_t durable = 0;
  core::seq_t reserved = 0;

  explicit log_fixture(core::seq_t last = 0, core::seq_t reserve = 0) : durable(last), reserved(reserve) {
    log.open({{1, 1}}, last, reserve,
             {[this](storage::append a, session_log::stored_fn done) {
                asked.push_back({std::move(a), std::move(done)});
              },
              [this](const core::event_batch_ptr& b) { show(*b); }, [] { return core::millis{5}; }});
  }
  void show(const core::event_batch& batch) {
    for (const auto& e : batch.events) {
      // The promises of the log, checked at the moment they could be broken.
      CHECK(e.first == (shown.empty() ? e.first : shown.back().seq + 1));
      CHECK(e.seq <= reserved);
      if (core::is_durable_before_visible(e.payload)) CHECK(e.seq <= durable);
      shown.push_back(e);
    }
  }
  /// The oldest request is on disk.
  void store_one() {
    auto r = std::move(asked.front());
    asked.pop_front();
    for (const auto& e : r.what.batch->events) {
      CHECK(e.first == durable + 1);
      durable = e.seq;
    }
    if (r.what.reserve) reserved = *r.what.reserve;
    r.done(nullptr);
  }
  void store_all() {
    while (!asked.empty()) store_one();
  }
  void fail_one() {
    auto r = std::move(asked.front());
    asked.pop_front();
    core::error e{core::errc::storage_unavailable, "disk full"};
    r.done(&e);
  }
  void text(std::string_view piece, core::message_id m = {{2, 1}}) {
    core::text_pieces pieces;
    pieces.add(piece);
    log.stream(m, std::move(pieces), {});
  }
  [[nodiscard]] std::size_t shown_count() const { return shown.size(); }
};

core::event_payload fact(std::uint64_t n = 1) { return core::run_cancelled{{{7, n}}, {}, false}; }

}  // namespace

TEST_CASE("session log: a fact is shown after its commit, and its sender is told") {
  log_fixture f;
  bool told = false;
  auto batch = f.log.append({fact()}, [&](const core::error* e) { told = e == nullptr; });
  CHECK(batch->events.front().seq == 1);
  CHECK(f.shown.empty());
  CHECK_FALSE(told);
  f.store_all();
  CHECK(told);
  CHECK(f.shown.size() == 1);
  CHECK(f.log.published() == 1);
}

TEST_CASE("session log: text is shown at once where seqs are reserved, and stored merged") {
  log_fixture f;
  (void)f.log.append({fact()});
  f.store_all();
  f.text("a");
  f.text("b");
  CHECK(f.shown_count() == 3);
  CHECK(f.asked.empty());
  CHECK(f.log.has_unsaved_text());
  f.log.save_text();
  REQUIRE(f.asked.size() == 1);
  const auto& row = f.asked.front().what.batch->events.front();
  CHECK(row.first == 2);
  CHECK(row.seq == 3);
  CHECK(row.as<core::text_delta>()->pieces.text == "ab");
  f.store_all();
  CHECK(f.shown_count() == 3);
}

TEST_CASE("session log: text waits behind a fact that is not on disk yet") {
  log_fixture f;
  (void)f.log.append({fact()});
  f.store_all();
  (void)f.log.append({fact(2)});
  f.text("a");
  CHECK(f.shown_count() == 1);
  f.store_all();
  CHECK(f.shown_count() == 3);
}

TEST_CASE("session log: the first text of a new session waits for its reserve") {
  log_fixture f;
  f.text("a");
  CHECK(f.shown.empty());
  f.store_all();
  CHECK(f.shown_count() == 1);
}

TEST_CASE("session log: a long stream never shows a seq that is not reserved, whenever the disk answers") {
  for (std::size_t lag : {0U, 1U, 3U, 1000U}) {
    log_fixture f;
    (void)f.log.append({fact()});
    f.store_all();
    for (int i = 0; i < 30'000; ++i) {
      f.text("x");
      while (f.asked.size() > lag) f.store_one();
    }
    f.log.save_text();
    f.store_all();
    CHECK(f.shown_count() == 30'001);
    CHECK(f.durable == 30'001);
  }
}

TEST_CASE("session log: text of two messages and reasoning keep their order and their own rows") {
  log_fixture f(0, 100'000);
  core::text_pieces thought, word;
  thought.add("hm");
  word.add("yes");
  f.log.stream({{2, 1}}, word, thought);
  f.text("other", {{2, 2}});
  f.log.save_text();
  f.store_all();
  REQUIRE(f.shown_count() == 3);
  CHECK(f.shown[0].as<core::reasoning_delta>());
  CHECK(f.shown[1].as<core::text_delta>()->pieces.text == "yes");
  CHECK(f.shown[2].as<core::text_delta>()->message == core::message_id{{2, 2}});
}

TEST_CASE("session log: after a crash the seqs that may have been seen are spent by one fact") {
  log_fixture f(10, 50);
  auto batch = f.log.append_spanning(core::message_superseded{}, 50);
  CHECK(batch->events.front().first == 11);
  CHECK(batch->events.front().seq == 50);
  CHECK(f.log.append({fact()})->events.front().seq == 51);
  f.store_all();
  CHECK(f.log.published() == 51);
}

TEST_CASE("session log: after a failed commit nothing more is shown and everybody is told") {
  log_fixture f;
  (void)f.log.append({fact()});
  f.store_all();
  int failures = 0;
  auto count = [&](const core::error* e) { failures += e && e->code == core::errc::storage_unavailable ? 1 : 0; };
  (void)f.log.append({fact(2)}, count);
  (void)f.log.append({fact(3)}, count);
  f.log.when_stored(count);
  f.fail_one();
  CHECK(f.log.has_failed());
  while (!f.asked.empty()) f.fail_one();  // a store refuses what follows a loss
  CHECK(failures == 3);
  (void)f.log.append({fact(4)}, count);
  CHECK(failures == 4);
  f.text("late");
  CHECK(f.shown_count() == 1);
}

TEST_CASE("session log: who waits for storage is told when all of it is on disk") {
  log_fixture f(0, 100'000);
  bool told = false;
  f.text("a");
  f.log.when_stored([&](const core::error*) { told = true; });
  CHECK_FALSE(told);
  f.store_all();
  CHECK(told);
  told = false;
  f.log.when_stored([&](const core::error*) { told = true; });
  CHECK(told);
}

TEST_CASE("session log: a clean stop stores its text and gives the unused seqs back") {
  log_fixture f;
  (void)f.log.append({fact()});
  f.store_all();
  f.text("a");
  bool told = false;
  f.log.release([&](const core::error* e) { told = e == nullptr; });
  f.store_all();
  CHECK(told);
  CHECK(f.durable == 2);
  CHECK(f.reserved == 2);
}

TEST_CASE("session log: text is shown only after its step is on disk, so that a crash can revoke it by name") {
  log_fixture f(4, 5000);
  f.log.append({core::step_started{{{7, 1}}, 1, {{2, 1}}, "p", "m"}});
  f.text("Let me look. ");
  CHECK(f.shown_count() == 0);
  f.store_one();
  REQUIRE(f.shown_count() == 2);
  CHECK(f.shown[1].as<core::text_delta>() != nullptr);
}
