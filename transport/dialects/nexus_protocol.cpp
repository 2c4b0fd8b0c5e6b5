#include "transport/decision.hpp"
#include "transport/dialects/nexus.hpp"
#include "transport/dialects/nexus_fields.hpp"
#include "transport/json_text.hpp"
#include "transport/rest/attachments.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <deque>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

core::error invalid(std::string text) { return {errc::validation_error, std::move(text)}; }

class nexus_protocol final : public client_protocol {
 public:
  nexus_protocol(client_port& port, nexus_connect connect) : port_(port), connect_(std::move(connect)) {}

  void on_open() override {}

  void on_message(std::string_view message, bool is_text) override {
    if (!resolving_) return take(message, is_text);
    // What comes behind a session's name is meant for that session.
    if (held_.size() == most_held || held_bytes_ + message.size() > port_.config().limits.max_frame_bytes)
      return refuse({errc::rate_limited, "Too much was sent before session.resumed; wait for it."});
    held_bytes_ += message.size();
    held_.emplace_back(message, is_text);
  }

  void on_refused(const core::error& e) override { refuse(e); }

  // Style B clients reconnect only after an unclean close.
  bool on_drain() override {
    send({{"type", "session.draining"}, {"lastSeq", port_.last_seq()}, {"reconnectAfterMs", 1000}});
    return style_b_;
  }

 private:
  using handled = core::result<void>;
  struct handler_row {
    std::string_view type;
    handled (nexus_protocol::*handler)(const json::object&);
    bool is_open_to_all = false;  ///< also to those who have not signed in
  };
  static const std::array<handler_row, 8> table;
  static constexpr std::size_t most_held = 100;

  void take(std::string_view message, bool is_text) {
    if (!is_text) return refuse({errc::parse_error, "A text frame with a JSON object is expected, not a binary frame."});
    auto frame = parse_object(message);
    if (!frame) return refuse(frame.error());
    auto type = string_field(*frame, "type");
    if (!type) return refuse(type.error());
    for (const auto& known : table)
      if (known.type == *type) {
        if (!known.is_open_to_all && !is_somebody())
          return refuse({errc::auth_required, "Send auth with a token or an apiKey first."});
        auto done = (this->*known.handler)(*frame);
        if (!done) refuse(done.error());
        return;
      }
    refuse({errc::unknown_type, "Unknown type \"" + type->substr(0, 64) +
                                    "\"; known: auth, session.create, session.resume, message.send, approval.decide, "
                                    "run.cancel, typing, ping."});
  }

  [[nodiscard]] bool is_somebody() const { return !port_.config().auth.required || port_.principal().scopes != 0; }

  void refuse(const core::error& e) { port_.send(nexus_error(e)); }
  void send(json::object frame) { port_.send(json::serialize(frame)); }

  [[nodiscard]] encoder_kind kind() const { return style_b_ ? encoder_kind::nexus_b : encoder_kind::nexus_a; }

  handled sign_in(const json::object& o) {
    if (!port_.config().auth.required) return {};
    for (std::string_view name : {"apiKey", "token"}) {
      auto credential = string_field(o, name);
      if (!credential) return credential.error();
      if (!credential->empty()) return port_.sign_in(*credential);
    }
    if (is_somebody()) return {};
    return core::error{errc::auth_required, "Credentials are required: send auth with a token or an apiKey."};
  }

  handled auth(const json::object& o) {
    style_b_ = style_b_ || connect_.style_b || o.contains("apiKey");
    if (auto signed_in = sign_in(o); !signed_in) return signed_in.error();
    auto project = string_field(o, "projectId");
    if (!project) return project.error();
    auto agent = string_field(o, "agentId");
    if (!agent) return agent.error();
    auto session = string_field(o, "sessionId");
    if (!session) return session.error();
    auto after = seq_field(o, "afterSeq");
    if (!after) return after.error();
    auto wanted = connect_;
    if (wanted.project.empty()) wanted.project = {*project};
    if (!agent->empty()) wanted.agent = {*agent};
    if (!port_.config().find_agent(wanted.project, wanted.agent)) return unknown_agent(wanted);
    connect_ = std::move(wanted);
    send({{"type", "auth.success"}});
    if (!session->empty()) return follow_existing(*session, *after);
    return {};
  }

  [[nodiscard]] core::error unknown_agent(const nexus_connect& wanted) const {
    if (!wanted.project.empty() && port_.config().projects.count(wanted.project) == 0)
      return {errc::not_found, "Project not found: " + wanted.project.str()};
    return {errc::not_found, port_.config().why_no_agent(wanted.project, wanted.agent)};
  }

  handled create(const json::object& o) {
    auto agent = string_field(o, "agentId");
    if (!agent) return agent.error();
    auto wanted = connect_;
    if (!agent->empty()) wanted.agent = {*agent};
    std::string metadata;
    if (const auto* m = o.if_contains("metadata"); m && !m->is_null()) {
      if (!m->is_object()) return invalid("Field \"metadata\" must be an object.");
      metadata = json::serialize(*m);
    }
    if (!port_.config().find_agent(wanted.project, wanted.agent)) return unknown_agent(wanted);
    connect_ = std::move(wanted);
    return open_new(std::move(metadata));
  }

  /// The session.created frame comes from the log, so that every client sees the same.
  handled open_new(std::string metadata) {
    if (!port_.config().find_agent(connect_.project, connect_.agent)) return unknown_agent(connect_);
    auto left = std::exchange(session_, port_.new_session_id());
    port_.follow(*session_, options(std::nullopt, false),
                 [this, left, id = *session_](const core::result<core::session_record>& r) {
                   if (r) enter(left, id);
                 });
    port_.submit(*session_, core::open_session{connect_.project, connect_.agent, "nexus", {}, std::move(metadata)},
                 [this](const core::result<core::command_reply>& r) {
                   if (!r) refuse(r.error());
                 });
    return {};
  }

  handled resume(const json::object& o) {
    auto session = string_field(o, "sessionId");
    if (!session) return session.error();
    if (session->empty()) return invalid("Field \"sessionId\" is missing.");
    auto after = seq_field(o, "afterSeq");
    if (!after) return after.error();
    return follow_existing(*session, *after);
  }

  handled follow_existing(const std::string& text, std::optional<core::seq_t> after) {
    resolving_ = true;
    port_.resolve(text, [this, after](const core::result<core::session_id>& r) {
      resolving_ = false;
      if (r)
        follow_session(*r, after);
      else
        refuse(r.error());
      take_held();
    });
    return {};
  }

  void take_held() {
    while (!resolving_ && !held_.empty()) {
      auto [message, is_text] = std::move(held_.front());
      held_.pop_front();
      held_bytes_ -= message.size();
      take(message, is_text);
    }
  }

  void follow_session(core::session_id id, std::optional<core::seq_t> after) {
    // At once: a message sent right behind this frame is for that session.
    auto left = std::exchange(session_, id);
    port_.follow(id, options(after, true),
                 [this, id, after, left, seen = port_.last_seq()](const core::result<core::session_record>& r) {
                   if (!r) {
                     // The session that it left goes on where it was.
                     session_ = left;
                     if (left) port_.follow(*left, options(seen, false), [](const core::result<core::session_record>&) {});
                     return refuse(r.error());
                   }
                   send({{"type", "session.resumed"},
                         {"sessionId", id.str()},
                         {"fromSeq", after.value_or(r->last_seq)},
                         {"lastSeq", r->last_seq},
                         {"status", core::to_string(r->status)}});
                   enter(left, id);
                 });
  }

  client_port::follow_options options(std::optional<core::seq_t> after, bool must_exist) {
    client_port::follow_options out;
    out.kind = kind();
    out.after = after;
    out.must_exist = must_exist;
    out.lost = [this](const core::error& e) {
      if (session_) port_.leave_room(*session_);
      session_.reset();
      refuse(e);
    };
    return out;
  }

  /// Into the room of the session it follows now. Who is there before is told to the newcomer; the room hears of it by event.
  void enter(std::optional<core::session_id> left, core::session_id id) {
    if (left && *left != id) port_.leave_room(*left);
    if (session_ != id) return;
    port_.enter_room(id);
    auto users = port_.users_in(id);
    if (users.size() < 2) return;
    json::array all;
    for (const auto& u : users) all.push_back(json::object{{"userId", u.id}, {"username", u.name}});
    send({{"type", "presence"}, {"users", std::move(all)}});
  }

  handled send_message(const json::object& o) {
    core::send_message command;
    const auto* content = o.if_contains("content");
    if (!content || !content->is_string() || content->get_string().empty())
      return invalid("Field \"content\" must be a non-empty string.");
    command.content = std::string(content->get_string());
    auto attachments = attachments_field(o);
    if (!attachments) return attachments.error();
    command.attachments = std::move(*attachments);
    auto client_id = string_field(o, "clientMessageId");
    if (!client_id) return client_id.error();
    command.client_message_id = std::move(*client_id);
    auto on_busy = string_field(o, "onBusy");
    if (!on_busy) return on_busy.error();
    if (!on_busy->empty()) {
      command.on_busy = core::busy_policy_from(*on_busy);
      if (!command.on_busy) return invalid("Field \"onBusy\" must be queue, reject or interrupt.");
    }
    if (!session_)
      if (auto opened = open_new({}); !opened) return opened;
    submit(std::move(command));
    return {};
  }

  handled decide(const json::object& o) {
    auto text = string_field(o, "approvalId");
    if (!text) return text.error();
    if (text->empty()) return invalid("Field \"approvalId\" is missing.");
    auto id = core::approval_id::parse(*text);
    if (!id) return core::error{errc::not_found, "Approval not found: " + text->substr(0, 64)};
    field_problem problem;
    auto given = read_decision(o, problem);
    if (!given) return to_error(problem);
    given->what.approval = *id;
    port_.find_approval(*id, [this, given = std::move(*given)](const core::result<core::approval_record>& known) {
      if (!known) return refuse(known.error());
      field_problem misfit;
      auto command = decision_on(*known, given, port_.principal(), misfit);
      if (!command) return refuse(to_error(misfit));
      port_.submit(known->session, std::move(*command), [this](const core::result<core::command_reply>& r) {
        if (!r) return refuse(r.error());
        const auto* settled = std::get_if<core::approval_settled>(&*r);
        if (!settled || settled->won || settled->is_pending) return;  // the event tells everybody
        json::object frame{{"type", "approval.decided"}};
        for (auto& [key, value] : approval_decided_fields(*settled)) frame[key] = std::move(value);
        send(std::move(frame));
      });
    });
    return {};
  }

  handled cancel(const json::object& o) {
    auto run = string_field(o, "runId");
    if (!run) return run.error();
    core::cancel_run command;
    if (!run->empty()) {
      auto id = core::run_id::parse(*run);
      if (!id) return core::error{errc::not_found, "Run not in progress: " + run->substr(0, 64)};
      command.run = *id;
    }
    if (!session_) return core::error{errc::not_found, "No session: send session.create or message.send first."};
    submit(command);
    return {};
  }

  handled typing(const json::object& o) {
    const auto* is_typing = o.if_contains("isTyping");
    if (!is_typing || !is_typing->is_bool()) return invalid("Field \"isTyping\" must be true or false.");
    auto who = shown_user(port_.principal());
    if (session_)
      port_.announce(*session_, core::typing_changed{who.id, who.name, is_typing->get_bool(), port_.connection_id()});
    return {};
  }

  handled ping(const json::object&) {
    send({{"type", "pong"}});
    return {};
  }

  void submit(core::command command) {
    port_.submit(*session_, std::move(command), [this](const core::result<core::command_reply>& r) {
      if (!r) refuse(r.error());
    });
  }

  client_port& port_;
  nexus_connect connect_;
  bool style_b_ = false;
  std::optional<core::session_id> session_;
  bool resolving_ = false;  ///< the name of a session that is to be followed
  std::deque<std::pair<std::string, bool>> held_;
  std::size_t held_bytes_ = 0;
};

const std::array<nexus_protocol::handler_row, 8> nexus_protocol::table{{
    {"auth", &nexus_protocol::auth, true},
    {"session.create", &nexus_protocol::create},
    {"session.resume", &nexus_protocol::resume},
    {"message.send", &nexus_protocol::send_message},
    {"approval.decide", &nexus_protocol::decide},
    {"run.cancel", &nexus_protocol::cancel},
    {"typing", &nexus_protocol::typing},
    {"ping", &nexus_protocol::ping, true},
}};

}  // namespace

std::unique_ptr<client_protocol> make_nexus(client_port& port, nexus_connect connect) {
  return std::make_unique<nexus_protocol>(port, std::move(connect));
}

}  // namespace troupe::transport
