// A chat stream on a bench: a log that a listener actor answers from, sockets that keep what they are sent and can be slow.
#pragma once

#include "tests/unit/transport_dialect_test.hpp"
#include "transport/chat_stream.hpp"

#include <boost/asio/post.hpp>
#include "transport/actor_link.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <mutex>

namespace troupe::transport_test {

class hand_set_clock final : public core::environment {
 public:
  [[nodiscard]] core::millis now() const noexcept override { return core::millis{at.load()}; }
  core::uuid new_uuid() override { return {7, ++ids_}; }
  core::uuid random_uuid() override { return {8, ++ids_}; }
  std::atomic<std::int64_t> at{1'000'000};

 private:
  std::atomic<std::uint64_t> ids_{0};
};

/// What is stored, and what the stream is told of it.
struct stored_chats {
  std::mutex mutex;
  std::map<core::session_id, core::session_record> records;
  std::map<core::session_id, std::vector<core::event>> logs;
  std::uint32_t page_rows = 3;
  std::atomic<int> ends_told{0};
  std::function<void()> after_last_page;  ///< called once, when an end of a log was read and nobody knows it yet

  core::result<core::answer> answer(const core::query& query) {
    std::lock_guard lock(mutex);
    if (const auto* q = std::get_if<core::get_session>(&query)) {
      if (auto it = records.find(q->session); it != records.end()) return core::answer{it->second};
      return core::error{core::errc::not_found, "no such session"};
    }
    if (const auto* q = std::get_if<core::find_run_start>(&query)) {
      core::seq_t found = 0;
      for (const auto& e : logs[q->session])
        if (e.seq <= q->seq && (e.as<core::run_started>() || e.as<core::session_created>())) found = e.seq;
      return core::answer{std::in_place_index<11>, found};
    }
    const auto& q = std::get<core::list_sessions>(query);
    core::page<core::session_record> page;
    bool wants_deleted = q.status == core::session_status::deleted;
    for (const auto& [id, r] : records) {
      if (r.dialect != q.dialect || r.updated_at < q.updated_since) continue;
      if (wants_deleted != (r.status == core::session_status::deleted)) continue;
      if (q.visible_to && r.owner != *q.visible_to) continue;
      if (page.total++ >= q.window.offset && static_cast<std::int64_t>(page.items.size()) < q.window.limit)
        page.items.push_back(r);
    }
    return core::answer{std::move(page)};
  }

  actors::event_page read(const actors::read_events& m) {
    std::lock_guard lock(mutex);
    actors::event_page page;
    for (const auto& e : logs[m.session])
      if (e.seq > m.after && page.events.size() < page_rows)
        page.events.push_back(e.first <= m.after ? core::tail_after(e, m.after) : e);
    return page;
  }
  actors::event_page read_then(const actors::read_events& m) {
    auto page = read(m);
    if (page.events.empty())
      if (auto f = std::exchange(after_last_page, nullptr)) f();
    return page;
  }
};

inline actors::listener_actor::behavior_type chat_listener(actors::listener_actor::pointer, stored_chats* chats) {
  return {
      [](actors::submit&, const actors::reply_to<core::command_reply>&) {},
      [](actors::attach&, const actors::reply_to<actors::attached>&) {},
      [chats](actors::read_events& m, const actors::reply_to<actors::event_page>& to) {
        auto page = chats->read_then(m);
        bool is_end = page.events.empty();
        (*to.done)(std::move(page));
        if (is_end) ++chats->ends_told;
      },
      [chats](actors::ask& m, const actors::reply_to<core::answer>& to) { (*to.done)(chats->answer(m.query)); },
      [](actors::store_agent&, const actors::reply_to<actors::agent_stored>& to) { (*to.done)(actors::agent_stored{}); },
      [](actors::detach&) {},
      [](actors::announce&) {},
  };
}

class kept_socket final : public transport::peer {
 public:
  [[nodiscard]] transport::framing frames_as() const noexcept override { return transport::framing::websocket; }
  void send(transport::bytes framed) override {
    for (auto& p : packets_of(texts_of(*framed))) packets.push_back(std::move(p));
    if (packets.size() >= slow_after) is_slow = true;
  }
  void send_text(std::string_view text) override { packets.push_back(packet_of(text)); }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return 0; }
  [[nodiscard]] bool is_congested() const noexcept override { return is_slow; }
  void close(std::uint16_t code, std::string_view) override { closed = code; }
  void drop() override {}
  void pause_reading(bool) override {}
  void post(std::function<void()> f) override { f(); }

  std::vector<packet> packets;
  std::size_t slow_after = static_cast<std::size_t>(-1);
  bool is_slow = false;
  int closed = 0;

  [[nodiscard]] std::string last_offset() const {
    for (auto it = packets.rbegin(); it != packets.rend(); ++it)
      if (!it->offset.empty()) return it->offset;
    return {};
  }
};

/// Packets as `chat name chunk`, by chat: between two chats any order will do.
using transcript = std::map<std::string, words>;
inline transcript transcript_of(const std::vector<packet>& packets, std::size_t from = 0) {
  transcript out;
  for (std::size_t i = from; i < packets.size(); ++i) {
    const auto& o = packets[i].payload.as_object();
    auto text = [&](const char* key) { return o.contains(key) ? std::string(o.at(key).as_string()) : std::string(); };
    auto chat = packets[i].name == "chat-created" ? std::string(o.at("chat").at("id").as_string()) : text("chatId");
    out[chat].push_back(packets[i].name + " " + text("chunk"));
  }
  return out;
}
inline transcript joined(transcript a, const transcript& b) {
  for (const auto& [chat, said] : b) a[chat].insert(a[chat].end(), said.begin(), said.end());
  return a;
}

struct chat_bench {
  explicit chat_bench(bool auth = false) {
    auto c = std::make_shared<core::config>(demo_settings());
    c->auth.required = auth;
    c->auth.secret = "a secret that is long enough for HS256";
    config = c;
    system_config.set("scheduler.max-threads", 1);
    system = std::make_unique<caf::actor_system>(system_config);
    start();
  }
  ~chat_bench() { halt(); }

  /// A process begins: what was stored is still there.
  void start() {
    way = std::make_unique<transport::gateway>(
        io, std::make_unique<transport::actor_link>(transport::actor_link{system->spawn(chat_listener, &chats)}), config,
        clock);
    stream = std::make_shared<transport::chat_stream>(io);
    stream->start(*way);
  }
  void halt() {
    stream->stop();
    stream = nullptr;
    way->close();
    io.restart();
    io.poll();
    way = nullptr;
  }

  struct socket {
    std::shared_ptr<kept_socket> peer = std::make_shared<kept_socket>();
    std::shared_ptr<core::principal> who = std::make_shared<core::principal>();
    std::shared_ptr<transport::chat_stream::member> member;
  };
  socket join(const std::string& offset = {}, core::principal who = {}) {
    socket s;
    *s.who = std::move(who);
    s.member = stream->join(
        s.peer, [known = s.who]() -> const core::principal& { return *known; }, offset);
    return s;
  }

  /// Stores these facts of a chat, and shows them where somebody is there to see.
  core::event_batch_ptr say(core::session_id session, std::vector<core::event_payload> facts, bool show = true) {
    auto batch = std::make_shared<core::event_batch>();
    batch->session = session;
    {
      std::lock_guard lock(chats.mutex);
      auto& log = chats.logs[session];
      auto& record = chats.records[session];
      record.id = session;
      for (auto& f : facts) {
        auto last = log.empty() ? 0 : log.back().seq;
        auto span = core::seq_t{1};
        if (const auto* d = std::get_if<core::text_delta>(&f)) span = d->pieces.lengths.size();
        core::event e{last + 1, last + span, clock->now(), std::move(f)};
        if (const auto* made = e.as<core::session_created>()) {
          record.dialect = made->dialect;
          record.owner = made->owner;
        }
        if (const auto* updated = e.as<core::session_updated>()) record.status = updated->status;
        record.updated_at = e.at;
        record.last_seq = e.seq;
        log.push_back(e);
        batch->events.push_back(std::move(e));
      }
    }
    if (show && stream) stream->deliver(batch);
    return batch;
  }
  void pass(std::int64_t ms) { clock->at += ms; }

  /// Runs what is to run until `done`; fails when that takes seconds.
  template <class F>
  void until(F done) {
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(20));
      if (std::chrono::steady_clock::now() > limit) FAIL("what was waited for did not come in a minute");
    }
  }
  /// Shows what was said so far.
  void settle() {
    bool over = false;
    boost::asio::post(io, [&over] { over = true; });
    until([&] { return over; });
  }

  stored_chats chats;
  boost::asio::io_context io;
  caf::actor_system_config system_config;
  std::unique_ptr<caf::actor_system> system;
  core::config_ptr config;
  std::shared_ptr<hand_set_clock> clock = std::make_shared<hand_set_clock>();
  std::unique_ptr<transport::gateway> way;
  std::shared_ptr<transport::chat_stream> stream;
};

}  // namespace troupe::transport_test
