#include "transport/dialects/nexus.hpp"

#include "transport/dialects/nexus_fields.hpp"
#include "transport/json_text.hpp"
#include "transport/rest/attachments.hpp"
#include "transport/rest/idempotency.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;

/// Both spellings of every number: real clients read one or the other (PROTOCOLS §1.3).
json::object usage_json(const core::token_usage& tokens, core::micro_usd cost) {
  return {{"promptTokens", tokens.prompt}, {"completionTokens", tokens.completion},
          {"totalTokens", tokens.total()}, {"cost", cost.usd()},
          {"inputTokens", tokens.prompt},  {"outputTokens", tokens.completion},
          {"costUsd", cost.usd()}};
}

namespace {

void put_frame(frame_writer& out, std::string_view type, core::seq_t seq, json::object fields) {
  json::object frame;
  frame.reserve(fields.size() + 2);
  frame["type"] = type;
  for (auto& [key, value] : fields) frame[key] = std::move(value);
  if (seq != 0) frame["seq"] = seq;
  out.frame(json::serialize(frame), seq, type);
}

}  // namespace

class nexus_frames {
 public:
  nexus_encoder& encoder;
  const core::event& e;
  frame_writer& out;

  void put(std::string_view type, json::object fields) const { put_frame(out, type, e.seq, std::move(fields)); }

  void operator()(const core::message_added& m) const {
    json::object fields{
        {"messageId", m.message.str()}, {"role", core::to_string(m.role)}, {"content", m.content}, {"author", m.author}};
    if (!m.author_name.empty()) fields["authorName"] = m.author_name;
    if (!m.client_message_id.empty() && !is_idempotent_id(m.client_message_id)) fields["clientMessageId"] = m.client_message_id;
    if (!m.attachments.empty()) fields["attachments"] = attachments_json(m.attachments);
    put("message.created", std::move(fields));
  }
  void operator()(const core::run_queued& m) const {
    put("message.queued", {{"position", m.position}, {"messageId", m.message.str()}, {"runId", m.run.str()}});
  }
  void operator()(const core::run_dequeued& m) const {
    put("message.dequeued", {{"messageId", m.message.str()}, {"runId", m.run.str()}});
  }
  void operator()(const core::run_started& m) const {
    put("run.started", {{"runId", m.run.str()}, {"messageId", m.reply.str()}, {"traceId", m.trace.value.hex()}});
  }
  void operator()(const core::text_delta& m) const {
    // The hot path: one small frame per piece, written straight into the shared bytes.
    std::string frame;
    std::string_view text = m.pieces.text;
    // Merged deltas are one piece over several seqs: its frame carries the last.
    auto seq = e.seq - m.pieces.lengths.size() + 1;
    for (auto length : m.pieces.lengths) {
      frame.assign(R"({"type":"message.content_delta","text":)");
      append_json_string(frame, text.substr(0, length));
      frame += R"(,"role":"assistant","seq":)";
      append_number(frame, seq);
      frame += '}';
      out.frame(frame, seq, "message.content_delta");
      text.remove_prefix(length);
      ++seq;
    }
  }
  void operator()(const core::message_superseded& m) const {
    if (!m.message.is_nil()) put("message.superseded", {{"messageId", m.message.str()}, {"fromSeq", m.from}});
  }
  void operator()(const core::tool_started& m) const { put("message.tool_start", tool_start_fields(m)); }
  void operator()(const core::tool_progress& m) const {
    put("message.tool_progress", {{"toolCallId", m.call.str()}, {"text", m.text}});
  }
  void operator()(const core::tool_completed& m) const { put("message.tool_complete", tool_complete_fields(m)); }
  void operator()(const core::approval_requested& m) const { put("message.approval_required", approval_card_fields(m)); }
  void operator()(const core::approval_endorsed& m) const {
    put("approval.endorsed", approval_endorsed_fields(encoder.turn_, m));
  }
  void operator()(const core::approval_decided& m) const {
    auto fields = approval_decided_fields(m);
    if (!m.edited_input.empty()) fields["editedInput"] = json_or_string(m.edited_input);
    put("approval.decided", std::move(fields));
  }
  void operator()(const core::cost_alert& m) const {
    put("session.cost_alert",
        {{"currentSpend", m.spend.usd()}, {"budget", m.budget.usd()}, {"percent", m.percent}, {"scope", m.scope}});
  }
  void operator()(const core::run_completed& m) const {
    put("message.complete",
        {{"messageId", m.message.str()}, {"traceId", m.trace.value.hex()}, {"usage", encoder.unreported(m.tokens, m.cost)}});
  }
  void operator()(const core::run_failed& m) const {
    json::object fields{{"code", core::to_string(m.code)}, {"message", m.text}, {"runId", m.run.str()}};
    add_usage(fields, m.run);
    put("error", std::move(fields));
  }
  void operator()(const core::run_cancelled& m) const {
    json::object fields{{"runId", m.run.str()}, {"textKept", m.text_kept}};
    add_usage(fields, m.run);
    put("run.cancelled", std::move(fields));
  }
  void operator()(const core::typing_changed& m) const {
    put("typing", {{"userId", m.user_id}, {"username", m.username}, {"isTyping", m.is_typing}});
  }
  void operator()(const core::presence_changed& m) const {
    json::array users;
    for (const auto& u : m.users) users.push_back(json::object{{"userId", u.id}, {"username", u.name}});
    put("presence", {{"users", std::move(users)}});
  }
  void operator()(const core::reaction_changed& m) const {
    auto who = shown_user(m.by, m.by_name);
    put("message.reaction",
        {{"messageId", m.message.str()}, {"emoji", m.emoji}, {"added", m.added}, {"userId", who.id}, {"username", who.name}});
  }
  void operator()(const core::message_feedback& m) const {
    json::object fields{{"messageId", m.message.str()}, {"rating", nullptr}, {"by", m.by}};
    if (m.rating != core::rating::none) fields["rating"] = core::to_string(m.rating);
    if (!m.note.empty()) fields["note"] = m.note;
    put("message.feedback", std::move(fields));
  }
  void operator()(const core::session_updated& m) const {
    json::object fields{{"status", core::to_string(m.status)}};
    if (!m.title.empty()) fields["title"] = m.title;
    if (m.participants) fields["participants"] = json::array(m.participants->begin(), m.participants->end());
    put("session.updated", std::move(fields));
  }
  void operator()(const core::history_cleared&) const { put("session.cleared", {}); }
  void operator()(const core::message_edited& m) const {
    put("message.edited", {{"messageId", m.message.str()}, {"content", m.content}});
  }
  void operator()(const core::queue_reordered& m) const {
    json::array ids;
    for (const auto& id : m.messages) ids.push_back(json::string(id.str()));
    put("queue.reordered", {{"messageIds", std::move(ids)}});
  }
  void operator()(const core::tool_outcome_unknown& m) const {
    put_in_log("tool.outcome_unknown", {{"runId", m.run.str()}, {"toolCallId", m.call.str()}, {"tool", m.tool}});
  }
  void operator()(const core::grant_given& m) const {
    put_in_log("grant.given",
               {{"grantId", m.grant.str()},
                {"scope", core::to_string(m.scope)},
                {"tool", m.tool},
                {"when", m.when.empty() ? json::value(json::array()) : json_or_string(m.when)},
                {"expiresAt", m.expires_at.count() == 0 ? json::value(nullptr) : json::value(iso_time(m.expires_at))},
                {"approvalId", m.approval.str()},
                {"by", m.by}});
  }
  void operator()(const core::grant_revoked& m) const {
    put_in_log("grant.revoked", {{"grantId", m.grant.str()}, {"by", m.by}});
  }
  void operator()(const core::agent_changed& m) const {
    put_in_log("agent.changed", {{"runId", m.run.str()}, {"agentId", m.agent.str()}, {"note", m.note}});
  }
  void operator()(const core::run_stop_requested& m) const {
    put_in_log("run.stop_requested", {{"runId", m.run.str()}, {"by", m.by}});
  }
  void operator()(const core::session_closed&) const { put_in_log("session.closed", {}); }
  /// The rest has no frame of its own: clients of this dialect see gaps in the seqs (PROTOCOLS §1.5).
  template <class Other>
  void operator()(const Other&) const {}

 private:
  /// What is known by now: the bill of a cancelled model call comes later.
  void add_usage(json::object& fields, const core::run_id& run) const {
    const auto& turn = encoder.turn_;
    if (run == turn.run) fields["usage"] = encoder.unreported(turn.tokens, turn.cost);
  }
  void put_in_log(std::string_view type, json::object fields) const {
    if (encoder.style_ == nexus_style::log) put(type, std::move(fields));
  }
};

void nexus_encoder::encode(const core::event& e, frame_writer& out) {
  turn_.apply(e);
  if (e.as<core::run_started>()) {
    reported_ = {};
    reported_cost_ = {};
    parked_ = false;
  }
  if (const auto* created = e.as<core::session_created>()) {
    put_frame(out, "session.created", e.seq, {{"sessionId", session_.str()}, {"agentId", created->agent.str()}});
    return;
  }
  std::visit(nexus_frames{*this, e, out}, e.payload);
  bool parked = turn_.is_parked();
  if (parked && !parked_ && style_ == nexus_style::b) complete(e, out);
  parked_ = parked;
}

void nexus_encoder::complete(const core::event& e, frame_writer& out) {
  put_frame(out, "message.complete", e.seq,
            {{"messageId", turn_.reply.str()},
             {"traceId", turn_.trace.value.hex()},
             {"usage", unreported(turn_.tokens, turn_.cost)}});
  reported_ = turn_.tokens;
  reported_cost_ = turn_.cost;
}

json::object nexus_encoder::unreported(const core::token_usage& tokens, core::micro_usd cost) const {
  return usage_json({tokens.prompt - reported_.prompt, 0, tokens.completion - reported_.completion}, cost - reported_cost_);
}

void nexus_encoder::encode_open_cards(frame_writer& out) {
  for (const auto& open : turn_.open_approvals) put_frame(out, "message.approval_required", 0, open_card_fields(turn_, open));
}

std::string nexus_error(const core::error& e) {
  return json::serialize(json::object{{"type", "error"}, {"code", core::to_string(e.code)}, {"message", e.text}});
}

}  // namespace troupe::transport
