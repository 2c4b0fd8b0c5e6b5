#include "bench/tally.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <unordered_map>

namespace troupe::bench {
namespace {

/// Fewer arrivals than this say nothing about their schedule.
constexpr std::size_t min_arrivals = 10;

double percentile(std::vector<float>& values, double p) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::ptrdiff_t>(p * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return static_cast<double>(values[static_cast<std::size_t>(rank)]);
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

float as_ms(micros time) { return static_cast<float>(time) / 1000; }

}  // namespace

micros now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

std::vector<float> lateness::in_ms() const {
  struct schedule {
    micros zero = 0;
    std::size_t arrivals = 0;
  };
  std::unordered_map<std::uint32_t, schedule> schedules;
  for (const sample& s : samples_) {
    schedule& of = schedules[s.schedule];
    of.zero = of.arrivals == 0 ? s.offset : std::min(of.zero, s.offset);
    ++of.arrivals;
  }
  std::vector<float> late;
  for (const sample& s : samples_) {
    const schedule& of = schedules[s.schedule];
    if (of.arrivals >= min_arrivals) late.push_back(as_ms(s.offset - of.zero));
  }
  return late;
}

tally::sample tally::take_sample() const { return {now_us(), usage_of(options_.server_pid), usage_of(::getpid())}; }

void tally::begin() {
  begin_ = take_sample();
  measuring_ = true;
}

void tally::end() {
  measuring_ = false;
  end_ = take_sample();
}

void tally::note_base(std::uint32_t connections_so_far) {
  if (const auto usage = usage_of(options_.server_pid)) base_rss_ = usage->rss_bytes;
  base_connections_ = connections_so_far;
}

void tally::wrong_turn(std::size_t bytes) {
  ++wrong_turns_;
  note("a turn had " + std::to_string(bytes) + " bytes of text instead of " + std::to_string(options_.expect_bytes));
}

void tally::turn(micros took) {
  if (!measuring_) return;
  ++turns_;
  took_ms_.push_back(as_ms(took));
}

void tally::connect(micros took) {
  if (!measuring_) return;
  ++connects_;
  took_ms_.push_back(as_ms(took));
}

report tally::make_report() {
  static constexpr std::array<std::string_view, 5> names{"turns", "paced", "idle", "connect", "watch"};
  report r;
  auto& v = r.values;
  const bool watch = options_.what == mode::watch;
  const std::string_view what = names[static_cast<std::size_t>(options_.what)];
  v["label"] = options_.label.empty() ? what : options_.label;
  v["mode"] = what;
  v["dialect"] = watch ? "mixed" : name_of(options_.talks);
  v["connections"] = options_.connections;
  const double seconds = static_cast<double>(end_.at - begin_.at) / second;
  v["seconds"] = rounded(seconds);
  const auto per_second = [&](double count) { return seconds > 0 ? rounded(count / seconds) : 0.0; };

  // In `watch` everybody hears the same deltas, the speaker too.
  const double heard = static_cast<double>(text_bytes_) / options_.chunk_bytes;
  const double deltas = watch ? heard / (options_.connections + 1.0) : heard;
  bool measured = seconds > 0;
  if (options_.what == mode::turns || options_.what == mode::paced || watch) {
    v["turns"] = turns_;
    v["turns_per_s"] = per_second(static_cast<double>(turns_));
    v["deltas_per_s"] = per_second(deltas);
    v["frames_per_s"] = per_second(static_cast<double>(frames_));
    measured = measured && frames_ > 0;
  }
  if (options_.what == mode::turns || options_.what == mode::connect) {
    v["p50_ms"] = rounded(percentile(took_ms_, 0.50));
    v["p99_ms"] = rounded(percentile(took_ms_, 0.99));
    measured = measured && !took_ms_.empty();
  }
  if (options_.every_ms > 0) {
    std::vector<float> late_ms = late.in_ms();
    v["late_p50_ms"] = rounded(percentile(late_ms, 0.50));
    v["late_p99_ms"] = rounded(percentile(late_ms, 0.99));
    v["late_max_ms"] = rounded(percentile(late_ms, 1.0));
    measured = measured && !late_ms.empty();
  }
  if (options_.what == mode::connect) v["connects_per_s"] = per_second(static_cast<double>(connects_));
  report_server(v, deltas, measured);
  if (begin_.self && end_.self)
    v["load_cores"] = rounded(static_cast<double>(end_.self->cpu_us - begin_.self->cpu_us) / (seconds * second));
  v["errors"] = errors_;
  v["lost_connections"] = lost_;
  v["wrong_turns"] = wrong_turns_;
  if (!first_error_.empty()) v["first_error"] = first_error_;
  r.ok = measured && errors_ == 0 && lost_ == 0 && wrong_turns_ == 0;
  return r;
}

void tally::report_server(boost::json::object& v, double deltas, bool& measured) {
  if (options_.server_pid <= 0) return;
  if (!begin_.server || !end_.server) {
    note("the server is gone: no process " + std::to_string(options_.server_pid));
    measured = false;
    return;
  }
  const auto cpu_us = static_cast<double>(end_.server->cpu_us - begin_.server->cpu_us);
  v["server_cores"] = rounded(cpu_us / static_cast<double>(end_.at - begin_.at));
  if (deltas > 0) v["cpu_us_per_delta"] = rounded(cpu_us / deltas);
  if (options_.what == mode::watch && frames_ > 0) v["cpu_us_per_frame"] = rounded(cpu_us / static_cast<double>(frames_));
  if (options_.what == mode::turns && turns_ > 0) v["cpu_us_per_turn"] = rounded(cpu_us / static_cast<double>(turns_));
  if (options_.what == mode::connect && connects_ > 0)
    v["cpu_us_per_connect"] = rounded(cpu_us / static_cast<double>(connects_));
  v["server_rss_mib"] = rounded(static_cast<double>(end_.server->rss_bytes) / (1 << 20));
  if (base_rss_ > 0 && options_.connections > base_connections_)
    v["rss_bytes_per_connection"] = (end_.server->rss_bytes - base_rss_) / (options_.connections - base_connections_);
}

}  // namespace troupe::bench
