// A dialect's protocol on a bench: a client's messages, one per line, to a port whose answers the lines choose. A line that
// begins with `!` is answered with an error, one with `?` not at all.
#pragma once

#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/transport_dialect_test.hpp"
#include "transport/json_text.hpp"
#include "transport/net/http_target.hpp"

#include <memory>
#include <string>
#include <utility>

namespace troupe::fuzzing {

class dialect_bench {
 public:
  dialect_bench() { port_.settings = transport_test::demo_settings(); }
  dialect_bench(const dialect_bench&) = delete;
  dialect_bench& operator=(const dialect_bench&) = delete;

  [[nodiscard]] transport::client_port& port() noexcept { return port_; }

  void open(std::unique_ptr<transport::client_protocol> protocol) {
    protocol_ = std::move(protocol);
    protocol_->on_open();
    answer(true);
  }
  /// For WebSocket dialects, whose frames are JSON texts.
  void play_messages(std::string_view lines) {
    play(lines, [this](std::string_view line) {
      protocol_->on_message(line, true);
      check_frames();
    });
  }
  /// For Socket.IO dialects: a line is `["name",…]`; what is not comes as an event of that name.
  void play_events(std::string_view lines) {
    play(lines, [this](std::string_view line) {
      transport::socketio_event event;
      event.name = std::string(line.substr(0, 64));
      if (line.size() % 2 == 0) event.ack_id = line.size();
      if (auto parsed = transport::parse_json(line); parsed && parsed->is_array() && !parsed->get_array().empty()) {
        event.args = parsed->get_array();
        if (event.args.front().is_string()) event.name = std::string(event.args.front().get_string());
        event.args.erase(event.args.begin());
      }
      protocol_->on_event(std::move(event));
      for (const auto& sent : port_.sent) require(transport::is_valid_utf8(sent), "a packet is UTF-8");
      port_.sent.clear();
      if (const auto state = protocol_->recovery_state()) require(state->size() < (1 << 20), "a client's state is bounded");
    });
  }

 private:
  template <class F>
  void play(std::string_view lines, F&& give) {
    for (int i = 0; i < 100 && !lines.empty(); ++i) {
      auto line = take_until(lines, '\n');
      const char how = line.empty() ? ' ' : line.front();
      if (how == '!' || how == '?') line.remove_prefix(1);
      if (!transport::is_valid_utf8(line)) continue;  // the socket refuses it
      give(line);
      if (how != '?') answer(how != '!');
    }
    protocol_->on_refused({core::errc::rate_limited, "too fast"});
    (void)protocol_->on_drain();
  }
  void check_frames() {
    for (const auto& sent : port_.sent)
      require(transport::is_valid_utf8(sent) && transport::parse_object(sent).has_value(), "a frame is a JSON object in UTF-8");
    port_.sent.clear();
  }
  /// Answers what the protocol waits for; each answer may make it ask again.
  void answer(bool well) {
    const core::error no{core::errc::not_found, "Session not found."};
    for (int i = 0; i < 4; ++i) {
      if (auto f = std::exchange(port_.on_resolved, nullptr)) well ? f(core::session_id{{1, 2}}) : f(no);
      if (auto f = std::exchange(port_.on_attached, nullptr)) well ? f(record()) : f(no);
      if (auto f = std::exchange(port_.on_done, nullptr)) well ? f(reply()) : f(no);
      if (auto f = std::exchange(port_.on_found, nullptr)) well ? f(core::approval_record{}) : f(no);
      if (auto f = std::exchange(port_.on_answer, nullptr)) f(no);
    }
  }
  /// Of the kind that the last command gets.
  [[nodiscard]] core::command_reply reply() const {
    const auto& command = port_.submitted.back().second;
    if (std::holds_alternative<core::open_session>(command)) return core::session_opened{};
    if (std::holds_alternative<core::send_message>(command)) return core::message_accepted{};
    if (std::holds_alternative<core::decide_approval>(command)) return core::approval_settled{};
    return core::done{};
  }
  static core::session_record record() {
    core::session_record out;
    out.id = {{1, 2}};
    out.project = {"demo"};
    out.agent = {"guide"};
    out.last_seq = 3;
    return out;
  }

  transport_test::recording_port port_;
  std::unique_ptr<transport::client_protocol> protocol_;
};

}  // namespace troupe::fuzzing
