#include "app/scenario/client_view.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace troupe::app {

namespace json = boost::json;

namespace {

struct seen_kind {
  std::string_view kind;
  std::array<std::string_view, 5> fields;  ///< besides `kind`; unused ones are empty
};
constexpr std::array<seen_kind, 13> seen_kinds{{{"message_added", {"message", "content", "client_message_id"}},
                                                {"run_queued", {"run", "message", "position"}},
                                                {"run_started", {"run", "reply"}},
                                                {"text_delta", {"text"}},
                                                {"tool_started", {"call", "tool", "input"}},
                                                {"tool_completed", {"call", "tool", "ok", "output"}},
                                                {"approval_requested", {"approval", "call", "tool", "action", "approval_kind"}},
                                                {"approval_decided", {"approval", "decision", "note"}},
                                                {"run_completed", {"message"}},
                                                {"run_failed", {"run", "code", "text"}},
                                                {"run_cancelled", {"run", "text_kept"}},
                                                {"session_updated", {"status"}},
                                                {"history_cleared", {}}}};

const seen_kind* find(std::string_view kind) {
  auto it = std::find_if(seen_kinds.begin(), seen_kinds.end(), [&](const auto& k) { return k.kind == kind; });
  return it == seen_kinds.end() ? nullptr : &*it;
}

struct frame_reader {
  const json::object& frame;

  [[nodiscard]] std::string text(std::string_view key) const {
    const auto* v = frame.if_contains(key);
    return v && v->is_string() ? std::string(v->get_string()) : std::string();
  }
  [[nodiscard]] std::string any(std::string_view key) const {
    const auto* v = frame.if_contains(key);
    if (!v || v->is_null()) return {};
    return v->is_string() ? std::string(v->get_string()) : json::serialize(*v);
  }
  [[nodiscard]] bool flag(std::string_view key) const {
    const auto* v = frame.if_contains(key);
    return v && v->is_bool() && v->get_bool();
  }
  template <class Id>
  [[nodiscard]] Id id(std::string_view key) const {
    return Id::parse(text(key)).value_or(Id{});
  }

  [[nodiscard]] std::optional<core::event_payload> payload() const {
    auto type = text("type");
    if (type == "message.created") {
      core::message_added e;
      e.message = id<core::message_id>("messageId");
      e.content = text("content");
      e.client_message_id = text("clientMessageId");
      return e;
    }
    if (type == "message.queued") {
      const auto* position = frame.if_contains("position");
      auto n = position && position->is_int64() ? static_cast<std::uint32_t>(position->get_int64()) : 0U;
      return core::run_queued{id<core::run_id>("runId"), id<core::message_id>("messageId"), n};
    }
    if (type == "run.started") {
      core::run_started e;
      e.run = id<core::run_id>("runId");
      e.reply = id<core::message_id>("messageId");
      return e;
    }
    if (type == "message.content_delta") {
      core::text_delta e;
      e.pieces.add(text("text"));
      return e;
    }
    if (type == "message.tool_start") {
      core::tool_started e;
      e.call.value = text("toolCallId");
      e.tool = text("tool");
      e.input = any("input");
      return e;
    }
    if (type == "message.tool_complete") {
      core::tool_completed e;
      e.call.value = text("toolCallId");
      e.tool = text("tool");
      e.ok = flag("success");
      e.output = any("output");
      return e;
    }
    return later(type);
  }

  [[nodiscard]] std::optional<core::event_payload> later(const std::string& type) const {
    if (type == "message.approval_required") {
      core::approval_requested e;
      e.approval = id<core::approval_id>("approvalId");
      e.call.value = text("toolCallId");
      e.tool = text("tool");
      e.action = any("action");
      e.kind = core::approval_kind_from(text("kind")).value_or(core::approval_kind::tool);
      return e;
    }
    if (type == "approval.decided") {
      core::approval_decided e;
      e.approval = id<core::approval_id>("approvalId");
      e.decision = core::decision_from(text("decision")).value_or(core::decision::denied);
      e.note = text("note");
      return e;
    }
    if (type == "message.complete") {
      core::run_completed e;
      e.message = id<core::message_id>("messageId");
      return e;
    }
    if (type == "error") {
      core::run_failed e;
      e.run = id<core::run_id>("runId");
      e.code = core::errc_from(text("code"));
      e.text = text("message");
      return e;
    }
    if (type == "run.cancelled") {
      core::run_cancelled e;
      e.run = id<core::run_id>("runId");
      e.text_kept = flag("textKept");
      return e;
    }
    if (type == "session.updated") {
      core::session_updated e;
      e.status = core::session_status_from(text("status")).value_or(core::session_status::active);
      e.title = text("title");
      return e;
    }
    if (type == "session.cleared") return core::history_cleared{};
    return std::nullopt;
  }
};

}  // namespace

bool is_seen_by_clients(std::string_view kind) noexcept { return find(kind) != nullptr; }

bool is_seen_by_clients(step_verb assertion) noexcept {
  return assertion == step_verb::expect_text || assertion == step_verb::expect_calls;
}

json::object as_seen_by_clients(const json::object& expected) {
  json::object out{{"kind", expected.at("kind")}};
  if (const auto* seen = find(std::string_view(expected.at("kind").get_string())))
    for (auto field : seen->fields)
      if (const auto* v = field.empty() ? nullptr : expected.if_contains(field)) out.emplace(field, *v);
  return out;
}

json::object reply_as_seen_by_clients(const json::object& expected, const json::object& came) {
  json::object out;
  for (const auto& field : expected)
    if (came.contains(field.key()) && field.key() != "won" && field.key() != "by" && field.key() != "text")
      out.emplace(field.key(), field.value());
  return out;
}

bool is_incidental(const json::object& event) {
  return event.at("kind") == json::value("session_updated") && event.contains("title");
}

std::optional<core::event> event_of_frame(const json::object& frame) {
  auto payload = frame_reader{frame}.payload();
  if (!payload) return std::nullopt;
  core::seq_t seq = 0;
  if (const auto* v = frame.if_contains("seq"); v && v->is_int64()) seq = static_cast<core::seq_t>(v->get_int64());
  return core::event{seq, seq, core::millis{0}, std::move(*payload)};
}

}  // namespace troupe::app
