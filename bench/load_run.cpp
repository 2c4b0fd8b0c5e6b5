#include "bench/load_run.hpp"

#include "bench/conversations.hpp"
#include "bench/tally.hpp"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <queue>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::bench {
namespace {

constexpr std::uint32_t max_in_flight = 256;
constexpr micros opening_limit = 120 * second;

struct member {
  explicit member(speech s) : says(std::move(s)) {}

  speech says;
  client connection;
  std::uint32_t epoll_events = 0;
  bool greeted = false;
  bool in_turn = false;
  bool opened_in_window = false;
  bool settled = false;        ///< watch: has seen a whole turn
  micros started = 0;          ///< of the connection, then of the turn
  std::size_t bytes = 0;       ///< of text in this turn
  std::uint32_t schedule = 0;  ///< of this turn
};

class load_run {
 public:
  explicit load_run(const options& o) : options_(o), epoll_(::epoll_create1(EPOLL_CLOEXEC)), tally_(options_) {}
  ~load_run() { ::close(epoll_); }
  load_run(const load_run&) = delete;
  load_run& operator=(const load_run&) = delete;

  report run();

 private:
  [[nodiscard]] bool cast();
  bool open_until(std::uint32_t target);
  void pause(micros time);
  void poll(micros until);
  void open(std::size_t index);
  void watch(std::size_t index);
  void on_event(std::size_t index, std::uint32_t events);
  void on_open(std::size_t index);
  void on_lost(member& m);
  void on_message(std::size_t index, std::string_view message, micros now);
  void on_greeting(std::size_t index, micros now);
  void say(std::size_t index, std::string_view text);
  void start_turn(std::size_t index, micros now);
  void on_delta(member& m, std::size_t size, micros now);
  void end_turn(std::size_t index, micros now);
  [[nodiscard]] bool is_watcher(std::size_t index) const { return options_.what == mode::watch && index > 0; }

  const options options_;
  const int epoll_;
  tally tally_;
  std::deque<member> members_;  ///< watch: the first one speaks
  std::vector<std::string_view> messages_;
  using start = std::pair<micros, std::size_t>;
  std::priority_queue<start, std::vector<start>, std::greater<>> starts_;  ///< paced: first turns still to come
  std::minstd_rand random_{1};

  std::uint32_t target_ = 0;
  std::uint32_t opened_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint32_t settled_ = 0;
  std::uint32_t schedules_ = 0;
};

/// Who speaks and who looks on, in which sessions.
bool load_run::cast() {
  const bool one_session = options_.what == mode::watch;
  const std::uint32_t count = options_.connections + (one_session ? 1U : 0U);
  made_conversations made;
  if (one_session || (options_.what != mode::connect && needs_sessions(options_.talks))) {
    made = make_conversations(options_.server, one_session ? 1 : count);
    if (!made.failure.empty()) {
      tally_.note(made.failure);
      return false;
    }
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    // The one who speaks in `watch` hears the session as a watcher does.
    if (one_session)
      members_.emplace_back(speech{static_cast<dialect>(i == 0 ? 0 : (i - 1) % dialect_count), part::watcher, made.ids[0]});
    else  // Ids of this run only: the server may keep its data from one run to the next.
      members_.emplace_back(
          speech{options_.talks, part::speaker,
                 made.ids.empty() ? "load-" + std::to_string(::getpid()) + "-" + std::to_string(i) : made.ids[i]});
  }
  return true;
}

void load_run::open(std::size_t index) {
  member& m = members_[index];
  m.greeted = false;
  m.epoll_events = 0;
  m.started = now_us();
  m.opened_in_window = tally_.measuring();
  ++in_flight_;
  if (!m.connection.open(options_.server, m.says.path())) return on_lost(m);
  watch(index);
}

void load_run::watch(std::size_t index) {
  member& m = members_[index];
  const std::uint32_t wanted = EPOLLIN | (m.connection.wants_write() ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (wanted == m.epoll_events) return;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = index;
  ::epoll_ctl(epoll_, m.epoll_events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, m.connection.fd(), &event);
  m.epoll_events = wanted;
}

void load_run::on_lost(member& m) {
  tally_.lost(m.connection.failure());
  if (!m.greeted) --in_flight_;
}

void load_run::on_event(std::size_t index, std::uint32_t events) {
  member& m = members_[index];
  if (m.connection.fd() < 0) return;
  if ((events & EPOLLOUT) != 0 && !m.connection.flush()) return on_lost(m);
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
    messages_.clear();
    const bool was_open = m.connection.state() == client::phase::open;
    if (!m.connection.read(messages_)) return on_lost(m);
    if (!was_open && m.connection.state() == client::phase::open) on_open(index);
    const micros now = now_us();
    for (const std::string_view message : messages_) {
      on_message(index, message, now);
      if (m.connection.fd() < 0 || m.connection.state() != client::phase::open) return;  // closed, or opened again
    }
  }
  if (m.connection.fd() >= 0) watch(index);
}

void load_run::on_open(std::size_t index) {
  member& m = members_[index];
  const std::string opening = m.says.opening();
  if (!opening.empty()) say(index, opening);
  if (!m.says.is_greeted()) on_greeting(index, now_us());
}

void load_run::say(std::size_t index, std::string_view text) {
  member& m = members_[index];
  if (!m.connection.send_text(text)) return on_lost(m);
  watch(index);
}

void load_run::on_message(std::size_t index, std::string_view message, micros now) {
  member& m = members_[index];
  const understood u = m.says.understand(message);
  if (!u.reply.empty()) say(index, u.reply);
  switch (u.what) {
    case meaning::delta:
      return on_delta(m, u.text.size(), now);
    case meaning::end:
      return end_turn(index, now);
    case meaning::greeting:
      if (!m.greeted) on_greeting(index, now);
      return;
    case meaning::error:
      return tally_.error(message);
    case meaning::other:
      return;
  }
}

void load_run::on_greeting(std::size_t index, micros now) {
  member& m = members_[index];
  m.greeted = true;
  --in_flight_;
  switch (options_.what) {
    case mode::connect:
      if (m.opened_in_window) tally_.connect(now - m.started);
      m.connection.close();
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
      ++settled_;  // turns begin when all are there: some servers take nobody more while they are busy
      return;
    case mode::watch:
      // Some dialects do not say when one is in the session: whoever has heard a whole turn is.
      if (opened_ == members_.size() && in_flight_ == 0) start_turn(0, now);
      return;
  }
}

void load_run::start_turn(std::size_t index, micros now) {
  member& m = members_[index];
  m.started = now;
  m.in_turn = true;
  m.bytes = 0;
  m.schedule = ++schedules_;
  say(index, m.says.turn(options_.message));
}

void load_run::on_delta(member& m, std::size_t size, micros now) {
  if (m.bytes == 0) m.schedule = options_.what == mode::watch ? schedules_ : m.schedule;
  const std::size_t before = m.bytes / options_.chunk_bytes;
  m.bytes += size;
  tally_.delta(size);
  if (options_.every_ms == 0 || !tally_.measuring()) return;
  for (std::size_t k = before; k < m.bytes / options_.chunk_bytes; ++k)
    tally_.late.note(m.schedule, now - static_cast<micros>(k) * options_.every_ms * 1000);
}

void load_run::end_turn(std::size_t index, micros now) {
  member& m = members_[index];
  if (!is_watcher(index) && !std::exchange(m.in_turn, false)) return;
  const std::size_t bytes = std::exchange(m.bytes, 0);
  const bool is_whole = options_.expect_bytes == 0 || bytes == options_.expect_bytes;
  if (options_.what == mode::watch && !m.settled) {
    m.settled = is_whole;
    settled_ += is_whole ? 1U : 0U;
  } else if (!is_whole) {
    tally_.wrong_turn(bytes);
  }
  if (is_watcher(index)) return;
  tally_.turn(now - m.started);
  if (options_.what == mode::idle) {
    ++settled_;
  } else {
    start_turn(index, now);
  }
}

void load_run::poll(micros until) {
  while (opened_ < target_ && in_flight_ < max_in_flight && !tally_.any_lost()) open(opened_++);
  const micros now = now_us();
  while (!starts_.empty() && starts_.top().first <= now) {
    const std::size_t index = starts_.top().second;
    starts_.pop();
    if (members_[index].connection.state() == client::phase::open) start_turn(index, now);
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
  while (settled_ < target && !tally_.any_lost() && now_us() < limit) poll(limit);
  if (settled_ >= target) return true;
  tally_.note("not all connections were open within 120 s");
  return false;
}

void load_run::pause(micros time) {
  const micros until = now_us() + time;
  while (now_us() < until) poll(until);
}

report load_run::run() {
  if (!cast()) return tally_.make_report();
  const auto all = static_cast<std::uint32_t>(members_.size());
  bool opened = true;
  if (options_.what == mode::connect) {
    target_ = all;
  } else {
    if (options_.what == mode::idle && all >= 10) {
      open_until(all / 10);
      pause(options_.warmup_seconds * second);
      tally_.note_base(all / 10);
    }
    opened = open_until(all);
    for (std::size_t i = 0; opened && options_.what == mode::turns && i < members_.size(); ++i) start_turn(i, now_us());
  }
  if (opened) {
    pause(options_.warmup_seconds * second);
    tally_.begin();
    pause(options_.seconds * second);
    tally_.end();
  }
  return tally_.make_report();
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
