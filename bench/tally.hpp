// What one measurement counted, and its report: rates, percentiles, what the server's process cost. Owned by load_run.
#pragma once

#include "bench/load_run.hpp"
#include "bench/process.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::bench {

using micros = std::int64_t;
inline constexpr micros second = 1'000'000;

[[nodiscard]] micros now_us();

/// Arrivals against schedules of equal steps. A schedule's zero is the earliest of its arrivals, so what is measured is how
/// much later than the best the others were.
class lateness {
 public:
  /// `offset`: the arrival minus its place in the schedule.
  void note(std::uint32_t schedule, micros offset) { samples_.push_back({schedule, offset}); }
  /// Of all schedules that have enough arrivals to say anything, in milliseconds.
  [[nodiscard]] std::vector<float> in_ms() const;

 private:
  struct sample {
    std::uint32_t schedule = 0;
    micros offset = 0;
  };
  std::vector<sample> samples_;
};

class tally {
 public:
  explicit tally(const options& o) : options_(o) {}

  void begin();
  void end();
  [[nodiscard]] bool measuring() const noexcept { return measuring_; }
  /// What the server allocates once is in the first connections already: the rest shows the price of one.
  void note_base(std::uint32_t connections_so_far);

  void error(std::string_view text) {
    ++errors_;
    note(text);
  }
  void lost(std::string_view why) {
    ++lost_;
    note(why);
  }
  void wrong_turn(std::size_t bytes);
  /// Keeps the first of all texts.
  void note(std::string_view text) {
    if (first_error_.empty()) first_error_ = text.substr(0, 300);
  }
  [[nodiscard]] bool any_lost() const noexcept { return lost_ > 0; }

  // The rest counts only between begin() and end().
  void delta(std::size_t bytes) {
    if (!measuring_) return;
    ++frames_;
    text_bytes_ += bytes;
  }
  void turn(micros took);
  void connect(micros took);
  lateness late;

  [[nodiscard]] report make_report();

 private:
  struct sample {
    micros at = 0;
    std::optional<process_usage> server;
    std::optional<process_usage> self;
  };
  [[nodiscard]] sample take_sample() const;
  void report_server(boost::json::object& v, double deltas, bool& measured);

  const options& options_;
  bool measuring_ = false;
  sample begin_;
  sample end_;
  std::int64_t base_rss_ = 0;
  std::uint32_t base_connections_ = 0;
  std::uint64_t turns_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t text_bytes_ = 0;
  std::uint64_t connects_ = 0;
  std::uint64_t wrong_turns_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t lost_ = 0;
  std::string first_error_;
  std::vector<float> took_ms_;
};

}  // namespace troupe::bench
