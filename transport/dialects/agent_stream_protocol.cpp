// One client of agent-stream: its frames to turns, one after another, each with a slot of the server's turn gate.
#include "transport/dialects/agent_stream.hpp"
#include "transport/json_text.hpp"
#include "transport/turn_gate.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

/// The run that an event ends, and whether it ended in a failure that ends the socket too.
struct run_end {
  core::run_id run;
  bool failed = false;
  std::string text{};
};

std::optional<run_end> end_of(const core::event& e) {
  if (const auto* x = e.as<core::run_completed>()) return run_end{x->run};
  if (const auto* x = e.as<core::run_cancelled>()) return run_end{x->run};
  if (const auto* x = e.as<core::run_failed>()) return run_end{x->run, x->code != errc::iteration_limit, x->text};
  return std::nullopt;
}

class agent_stream_protocol final : public client_protocol {
 public:
  agent_stream_protocol(client_port& port, agent_stream_connect connect) : port_(port), connect_(std::move(connect)) {}

  void on_open() override {
    agent_ = find_stream_agent(port_.config(), connect_.project, connect_.agent);
    if (!agent_) return leave_with("Agent not found");
    if (connect_.session.empty()) return;
    attaching_ = true;
    port_.resolve(connect_.session, [this](const core::result<core::session_id>& r) {
      if (!r) return leave_with(r.error().text);
      session_ = *r;
      follow(connect_.after, true);
    });
  }

  void on_message(std::string_view message, bool is_text) override {
    if (over_) return;
    if (!is_text) return leave_with("A text frame is expected, not a binary one.");
    pending next;
    auto value = parse_json(message);
    const auto* object = value ? value->if_object() : nullptr;
    if (!object) {
      next.content = std::string(message);
    } else {
      if (const auto* text = object->if_contains("message")) {
        if (!text->is_string()) return leave_with("Field \"message\" must be a string.");
        next.content = std::string(text->get_string());
      }
      const auto* reasoning = object->if_contains("include_reasoning");
      next.quiet = reasoning && reasoning->is_bool() && !reasoning->get_bool();
    }
    if (is_full(next))
      return tell("Too many messages wait (" + std::to_string(waiting_.size()) + "); send the next one after a done.");
    waiting_.push_back(std::move(next));
    go_on();
  }

  void on_refused(const core::error& e) override {
    if (e.code == errc::auth_failed || e.code == errc::auth_required) return leave_with(e.text);
    tell(e.text);
  }

 private:
  struct pending {
    std::string content;
    bool quiet = false;
  };
  /// Of the message at work.
  enum class phase : std::uint8_t { none, waits_for_slot, sent, running };

  /// `limits.max_queue` of the agent, and the size of two frames.
  [[nodiscard]] bool is_full(const pending& next) const {
    auto bytes = next.content.size();
    for (const auto& p : waiting_) bytes += p.content.size();
    return waiting_.size() >= std::max(agent_->limits.max_queue, 1U) ||
           bytes > std::size_t{2} * port_.config().limits.max_frame_bytes;
  }

  void tell(std::string_view text) { port_.send(json::serialize(json::object{{"type", "error"}, {"content", text}})); }

  void leave_with(std::string_view text) {
    tell(text);
    leave();
  }
  void leave() {
    over_ = true;
    waiting_.clear();
    ticket_ = nullptr;
    port_.close(1000, "");
  }

  [[nodiscard]] encoder_kind kind() const { return quiet_ ? encoder_kind::agent_stream_quiet : encoder_kind::agent_stream; }

  void follow(std::optional<core::seq_t> after, bool must_exist) {
    client_port::follow_options options;
    options.kind = kind();
    options.after = after;
    options.must_exist = must_exist;
    options.observe = [this](const core::event& e) { observe(e); };
    options.lost = [this](const core::error& e) { leave_with(e.text); };
    port_.follow(*session_, std::move(options), [this](const core::result<core::session_record>& r) {
      if (!r) return leave_with(r.error().text);
      turn_ = {};  // what goes on here is known from the next event on
      port_.enter_room(*session_);
      if (std::exchange(attaching_, false)) go_on();
    });
  }

  /// Takes up the next message, unless one is at work or somebody else's run is going on in this session: a slot is not held
  /// while a message waits behind another's run.
  void go_on() {
    if (over_ || attaching_ || phase_ != phase::none || waiting_.empty() || turn_.active) return;
    phase_ = phase::waits_for_slot;
    auto turn = ++turns_;
    auto mine = port_.turns().enter(port_.connection_id(), [this](std::unique_ptr<turn_gate::slot> s) {
      slot_ = std::move(s);
      begin();
    });
    if (turn == turns_ && phase_ == phase::waits_for_slot) ticket_ = std::move(mine);
  }

  void begin() {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    phase_ = phase::sent;
    bool other_frames = next.quiet != quiet_;
    quiet_ = next.quiet;
    if (!session_) {
      session_ = port_.new_session_id();
      follow(std::nullopt, false);
      open();
    } else if (other_frames) {
      follow(port_.last_seq(), true);
    }
    if (over_) return;
    core::send_message command;
    command.content = std::move(next.content);
    command.on_busy = core::busy_policy::queue;
    port_.submit(*session_, std::move(command), [this](const core::result<core::command_reply>& r) {
      if (over_) return;
      if (!r) return refused(r.error());
      accepted(std::get<core::message_accepted>(*r));
    });
  }

  void open() {
    core::open_session command;
    command.project = agent_->project;
    command.agent = agent_->id;
    command.dialect = "agent-stream";
    port_.submit(*session_, std::move(command), [this](const core::result<core::command_reply>& r) {
      if (!r) refusal_ = r.error().text;
    });
  }

  void refused(const core::error& e) {
    // Without its session the message fails too: what kept the session from being made is the reason.
    auto why = std::exchange(refusal_, {});
    if (!why.empty()) {
      port_.unfollow(*session_);
      port_.leave_room(*session_);
      session_.reset();
    }
    tell(why.empty() ? e.text : why);
    end_turn();
  }

  void accepted(const core::message_accepted& reply) {
    run_ = reply.run;
    is_queued_ = reply.position != 0;
    phase_ = phase::running;
    for (const auto& end : std::exchange(ended_, {}))
      if (end.run == run_) return finish(end, true);
    keep_slot();
  }

  void observe(const core::event& e) {
    if (over_) return;
    turn_.apply(e);
    if (const auto* gone = e.as<core::run_dequeued>(); gone && phase_ == phase::running && gone->run == run_) {
      tell("The message was taken out of the queue.");
      return end_turn();
    }
    if (auto end = end_of(e)) {
      if (phase_ == phase::sent) ended_.push_back(*end);
      // A client that lags would miss the frame when the socket closes.
      if (phase_ == phase::running && end->run == run_) return finish(*end, port_.last_seq() >= e.seq);
    } else if (phase_ == phase::running) {
      keep_slot();
    }
    go_on();
  }

  /// A slot is held while the run goes on: not while it waits in the session's queue, nor while a person must decide.
  void keep_slot() {
    bool rests = turn_.run == run_ ? turn_.is_parked() : is_queued_;
    if (rests)
      slot_ = nullptr;
    else if (!slot_)
      slot_ = port_.turns().enter_now(port_.connection_id());
  }

  void finish(const run_end& end, bool was_shown) {
    if (!end.failed) return end_turn();
    if (!was_shown) tell(end.text);
    slot_ = nullptr;
    leave();
  }

  void end_turn() {
    phase_ = phase::none;
    ended_.clear();
    ticket_ = nullptr;
    slot_ = nullptr;
    go_on();
  }

  client_port& port_;
  agent_stream_connect connect_;
  std::shared_ptr<const core::agent_config> agent_;
  std::optional<core::session_id> session_;
  bool attaching_ = false;  ///< to the session that the URL names
  bool quiet_ = false;
  bool over_ = false;
  std::deque<pending> waiting_;
  phase phase_ = phase::none;
  core::turn turn_;             ///< of the session, whoever asked for it
  std::uint64_t turns_ = 0;     ///< messages taken up so far
  core::run_id run_;            ///< of the message at work, once it was accepted
  bool is_queued_ = false;      ///< it came behind another run of its session
  std::vector<run_end> ended_;  ///< seen between sending and acceptance
  std::string refusal_;         ///< of the new session
  turn_gate::ticket ticket_;
  std::unique_ptr<turn_gate::slot> slot_;
};

}  // namespace

std::unique_ptr<client_protocol> make_agent_stream(client_port& port, agent_stream_connect connect) {
  return std::make_unique<agent_stream_protocol>(port, std::move(connect));
}

}  // namespace troupe::transport
