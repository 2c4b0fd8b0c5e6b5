#include "bench/load_run.hpp"

#include "bench/process.hpp"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::bench {
namespace {

using micros = std::int64_t;

constexpr std::uint32_t max_in_flight = 256;
constexpr micros second = 1'000'000;
constexpr micros opening_limit = 120 * second;
/// Fewer deltas than this say nothing about their schedule.
constexpr std::size_t min_paced_deltas = 10;

micros now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

/// The text of the first member of that name, raw (escapes kept); empty when there is none. Keys cannot be mistaken for
/// text, because quotes inside text are escaped.
std::string_view text_member(std::string_view json, std::string_view quoted_name) {
  std::size_t at = json.find(quoted_name);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(" :", at + quoted_name.size());
  if (at == std::string_view::npos || json[at] != '"') return {};
  const std::size_t begin = ++at;
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2U : 1U;
  return json.substr(begin, std::min(at, json.size()) - begin);
}

double percentile(std::vector<float>& values, double p) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::ptrdiff_t>(p * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return static_cast<double>(values[static_cast<std::size_t>(rank)]);
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

struct talker {
  client connection;
  std::uint32_t epoll_events = 0;
  bool greeted = false;
  bool in_turn = false;
  bool opened_in_window = false;
  micros started = 0;     ///< of the connection, then of the turn
  std::size_t bytes = 0;  ///< of text in this turn
  /// Paced: of each delta, its arrival minus its place in the schedule. The least of a turn is its zero.
  std::vector<micros> offsets;
};

class load_run {
 public:
  explicit load_run(const options& o) : options_(o), epoll_(::epoll_create1(EPOLL_CLOEXEC)), talkers_(o.connections) {}
  ~load_run() { ::close(epoll_); }
  load_run(const load_run&) = delete;
  load_run& operator=(const load_run&) = delete;

  report run();

 private:
  struct sample {
    micros at = 0;
    std::optional<process_usage> server;
    std::optional<process_usage> self;
  };
  [[nodiscard]] sample take_sample() const { return {now_us(), usage_of(options_.server_pid), usage_of(::getpid())}; }

  bool open_until(std::uint32_t target);
  void pause(micros time);
  void measure();
  void poll(micros until);
  void open(std::size_t index);
  void watch(std::size_t index);
  void on_event(std::size_t index, std::uint32_t events);
  void on_lost(talker& t);
  void on_message(std::size_t index, std::string_view message, micros now);
  void on_greeting(std::size_t index, micros now);
  void start_turn(std::size_t index, micros now);
  void on_delta(talker& t, std::size_t size, micros now);
  void end_turn(std::size_t index, micros now);
  void flush_offsets(talker& t);
  void note_error(std::string_view text);
  [[nodiscard]] report make_report();

  const options options_;
  const int epoll_;
  std::vector<talker> talkers_;
  std::vector<std::string_view> messages_;
  using start = std::pair<micros, std::size_t>;
  std::priority_queue<start, std::vector<start>, std::greater<>> starts_;  ///< paced: first turns still to come
  std::minstd_rand random_{1};

  std::uint32_t target_ = 0;
  std::uint32_t opened_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint32_t settled_ = 0;
  bool measuring_ = false;
  sample begin_;
  sample end_;
  std::int64_t base_rss_ = 0;  ///< idle: with the first tenth of the connections open
  std::uint32_t base_connections_ = 0;

  std::uint64_t turns_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t text_bytes_ = 0;
  std::uint64_t connects_ = 0;
  std::uint64_t wrong_turns_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t lost_ = 0;
  std::string first_error_;
  std::vector<float> turn_ms_;
  std::vector<float> late_ms_;
};

void load_run::note_error(std::string_view text) {
  if (first_error_.empty()) first_error_ = text.substr(0, 300);
}

void load_run::open(std::size_t index) {
  talker& t = talkers_[index];
  t.greeted = false;
  t.epoll_events = 0;
  t.started = now_us();
  t.opened_in_window = measuring_;
  ++in_flight_;
  // Ids of this run only: the server may keep its data from one run to the next.
  const std::string path = options_.path + "load-" + std::to_string(::getpid()) + "-" + std::to_string(index);
  if (!t.connection.open(options_.server, path)) return on_lost(t);
  watch(index);
}

void load_run::watch(std::size_t index) {
  talker& t = talkers_[index];
  const std::uint32_t wanted = EPOLLIN | (t.connection.wants_write() ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (wanted == t.epoll_events) return;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = index;
  ::epoll_ctl(epoll_, t.epoll_events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, t.connection.fd(), &event);
  t.epoll_events = wanted;
}

void load_run::on_lost(talker& t) {
  note_error(t.connection.failure());
  ++lost_;
  if (!t.greeted) --in_flight_;
}

void load_run::on_event(std::size_t index, std::uint32_t events) {
  talker& t = talkers_[index];
  if (t.connection.fd() < 0) return;
  if ((events & EPOLLOUT) != 0 && !t.connection.flush()) return on_lost(t);
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
    messages_.clear();
    if (!t.connection.read(messages_)) return on_lost(t);
    const micros now = now_us();
    for (const std::string_view message : messages_) {
      on_message(index, message, now);
      if (t.connection.fd() < 0 || t.connection.state() != client::phase::open) return;  // closed, or opened again
    }
  }
  watch(index);
}

void load_run::on_message(std::size_t index, std::string_view message, micros now) {
  talker& t = talkers_[index];
  const std::string_view type = text_member(message, R"("type")");
  if (type == "message_chunk") {
    on_delta(t, text_member(message, R"("content")").size(), now);
  } else if (type == "done") {
    end_turn(index, now);
  } else if (type == "connected") {
    if (!t.greeted) on_greeting(index, now);
  } else if (type == "error") {
    ++errors_;
    note_error(message);
  }
}

void load_run::on_greeting(std::size_t index, micros now) {
  talker& t = talkers_[index];
  t.greeted = true;
  --in_flight_;
  switch (options_.what) {
    case mode::connect:
      if (measuring_ && t.opened_in_window) {
        ++connects_;
        turn_ms_.push_back(static_cast<float>(now - t.started) / 1000);
      }
      t.connection.close();
      return open(index);
    case mode::paced:
      // Not in lockstep: the server shall see a steady stream, not a burst every 50 ms.
      ++settled_;
      return starts_.emplace(now + static_cast<micros>(random_() % second), index), void();
    case mode::idle:
      if (options_.touch) return start_turn(index, now);
      ++settled_;
      return;
    case mode::turns:
      ++settled_;
      return start_turn(index, now);
  }
}

void load_run::start_turn(std::size_t index, micros now) {
  talker& t = talkers_[index];
  t.started = now;
  t.in_turn = true;
  t.bytes = 0;
  if (!t.connection.send_text(R"({"message":")" + options_.message + R"("})")) return on_lost(t);
  watch(index);
}

void load_run::on_delta(talker& t, std::size_t size, micros now) {
  const std::size_t before = t.bytes / options_.chunk_bytes;
  t.bytes += size;
  if (!measuring_) return;
  ++frames_;
  text_bytes_ += size;
  if (options_.what != mode::paced) return;
  for (std::size_t k = before; k < t.bytes / options_.chunk_bytes; ++k)
    t.offsets.push_back(now - static_cast<micros>(k) * options_.every_ms * 1000);
}

void load_run::flush_offsets(talker& t) {
  if (t.offsets.size() >= min_paced_deltas) {
    const micros zero = *std::min_element(t.offsets.begin(), t.offsets.end());
    for (const micros offset : t.offsets) late_ms_.push_back(static_cast<float>(offset - zero) / 1000);
  }
  t.offsets.clear();
}

void load_run::end_turn(std::size_t index, micros now) {
  talker& t = talkers_[index];
  if (!t.in_turn) return;
  t.in_turn = false;
  if (options_.expect_bytes != 0 && t.bytes != options_.expect_bytes) {
    ++wrong_turns_;
    note_error("a turn had " + std::to_string(t.bytes) + " bytes of text instead of " + std::to_string(options_.expect_bytes));
  }
  if (measuring_) {
    ++turns_;
    turn_ms_.push_back(static_cast<float>(now - t.started) / 1000);
  }
  flush_offsets(t);
  if (options_.what == mode::idle) {
    ++settled_;
  } else {
    start_turn(index, now);
  }
}

void load_run::poll(micros until) {
  while (opened_ < target_ && in_flight_ < max_in_flight && lost_ == 0) open(opened_++);
  const micros now = now_us();
  while (!starts_.empty() && starts_.top().first <= now) {
    const std::size_t index = starts_.top().second;
    starts_.pop();
    if (talkers_[index].connection.state() == client::phase::open) start_turn(index, now);
  }
  const micros next = starts_.empty() ? until : std::min(until, starts_.top().first);
  std::array<epoll_event, 256> events{};
  const int timeout_ms = static_cast<int>(std::clamp<micros>((next - now + 999) / 1000, 0, 100));
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    on_event(static_cast<std::size_t>(event.data.u64), event.events);
  }
}

bool load_run::open_until(std::uint32_t target) {
  target_ = target;
  const micros limit = now_us() + opening_limit;
  while (settled_ < target && lost_ == 0 && now_us() < limit) poll(limit);
  if (settled_ >= target) return true;
  note_error("not all connections were open within 120 s");
  return false;
}

void load_run::pause(micros time) {
  const micros until = now_us() + time;
  while (now_us() < until) poll(until);
}

void load_run::measure() {
  begin_ = take_sample();
  measuring_ = true;
  pause(options_.seconds * second);
  measuring_ = false;
  end_ = take_sample();
  for (talker& t : talkers_) flush_offsets(t);
}

report load_run::run() {
  const std::uint32_t all = options_.connections;
  if (options_.what == mode::connect) {
    target_ = all;
    pause(options_.warmup_seconds * second);
    measure();
    return make_report();
  }
  bool opened = false;
  if (options_.what == mode::idle && all >= 10) {
    // What the server allocates once is in the first tenth already, so the rest shows the price of a connection.
    opened = open_until(all / 10);
    pause(options_.warmup_seconds * second);
    if (const auto usage = usage_of(options_.server_pid)) base_rss_ = usage->rss_bytes;
    base_connections_ = all / 10;
  }
  opened = open_until(all);
  if (opened) {
    pause(options_.warmup_seconds * second);
    measure();
  }
  return make_report();
}

report load_run::make_report() {
  static constexpr std::array<std::string_view, 4> names{"turns", "paced", "idle", "connect"};
  report r;
  auto& v = r.values;
  v["mode"] = names[static_cast<std::size_t>(options_.what)];
  v["connections"] = options_.connections;
  const double seconds = static_cast<double>(end_.at - begin_.at) / second;
  const double deltas = static_cast<double>(text_bytes_) / options_.chunk_bytes;
  v["seconds"] = rounded(seconds);
  const auto per_second = [&](double count) { return seconds > 0 ? rounded(count / seconds) : 0.0; };
  bool measured = seconds > 0;
  if (options_.what == mode::turns || options_.what == mode::paced) {
    v["turns"] = turns_;
    v["turns_per_s"] = per_second(static_cast<double>(turns_));
    v["deltas_per_s"] = per_second(deltas);
    v["frames_per_s"] = per_second(static_cast<double>(frames_));
    measured = measured && frames_ > 0;
  }
  if (options_.what == mode::turns || options_.what == mode::connect) {
    v["p50_ms"] = rounded(percentile(turn_ms_, 0.50));
    v["p99_ms"] = rounded(percentile(turn_ms_, 0.99));
    measured = measured && !turn_ms_.empty();
  }
  if (options_.what == mode::paced) {
    v["late_p50_ms"] = rounded(percentile(late_ms_, 0.50));
    v["late_p99_ms"] = rounded(percentile(late_ms_, 0.99));
    v["late_max_ms"] = rounded(percentile(late_ms_, 1.0));
    measured = measured && !late_ms_.empty();
  }
  if (options_.what == mode::connect) v["connects_per_s"] = per_second(static_cast<double>(connects_));
  if (begin_.server && end_.server) {
    const auto cpu_us = static_cast<double>(end_.server->cpu_us - begin_.server->cpu_us);
    v["server_cores"] = rounded(cpu_us / static_cast<double>(end_.at - begin_.at));
    if (deltas > 0) v["cpu_us_per_delta"] = rounded(cpu_us / deltas);
    v["server_rss_mib"] = rounded(static_cast<double>(end_.server->rss_bytes) / (1 << 20));
    if (base_rss_ > 0 && options_.connections > base_connections_)
      v["rss_bytes_per_connection"] = (end_.server->rss_bytes - base_rss_) / (options_.connections - base_connections_);
  } else if (options_.server_pid > 0) {
    note_error("the server is gone: no process " + std::to_string(options_.server_pid));
    measured = false;
  }
  if (begin_.self && end_.self)
    v["load_cores"] = rounded(static_cast<double>(end_.self->cpu_us - begin_.self->cpu_us) / (seconds * second));
  v["errors"] = errors_;
  v["lost_connections"] = lost_;
  v["wrong_turns"] = wrong_turns_;
  if (!first_error_.empty()) v["first_error"] = first_error_;
  r.ok = measured && errors_ == 0 && lost_ == 0 && wrong_turns_ == 0;
  return r;
}

}  // namespace

report run_load(const options& o) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < o.connections + 64U)
    return {{{"first_error", "too few file descriptors for so many connections: raise `ulimit -n`"}}, false};
  return load_run{o}.run();
}

}  // namespace troupe::bench
