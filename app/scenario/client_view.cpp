#include "app/scenario/client_view.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <span>

namespace troupe::app {

namespace json = boost::json;

namespace {

struct seen_kind {
  std::string_view kind;
  std::array<std::string_view, 5> fields;  ///< besides `kind`; unused ones are empty
};
constexpr std::array<seen_kind, 17> seen_kinds{{{"message_added", {"message", "content", "client_message_id", "attachments"}},
                                                {"message_edited", {"message", "content"}},
                                                {"queue_reordered", {"messages"}},
                                                {"run_queued", {"run", "message", "position"}},
                                                {"run_dequeued", {"run", "message"}},
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
                                                {"session_closed", {}},
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
  [[nodiscard]] std::int64_t whole(std::string_view key) const {
    const auto* v = frame.if_contains(key);
    return v && v->is_int64() ? v->get_int64() : 0;
  }
  template <class Id>
  [[nodiscard]] Id id(std::string_view key) const {
    return Id::parse(text(key)).value_or(Id{});
  }
  [[nodiscard]] std::vector<core::attachment> attachments() const {
    std::vector<core::attachment> out;
    const auto* list = frame.if_contains("attachments");
    if (!list || !list->is_array()) return out;
    for (const auto& item : list->get_array())
      if (const auto* file = item.if_object()) out.push_back(attachment_of(*file));
    return out;
  }

  [[nodiscard]] std::optional<core::event_payload> payload() const {
    auto type = text("type");
    if (type == "message.created") {
      core::message_added e;
      e.message = id<core::message_id>("messageId");
      e.content = text("content");
      e.client_message_id = text("clientMessageId");
      e.role = core::role_from(text("role")).value_or(core::role::user);
      e.author = text("author");
      e.attachments = attachments();
      return e;
    }
    if (type == "message.queued") {
      return core::run_queued{id<core::run_id>("runId"), id<core::message_id>("messageId"),
                              static_cast<std::uint32_t>(whole("position"))};
    }
    if (type == "run.started") {
      core::run_started e;
      e.run = id<core::run_id>("runId");
      e.reply = id<core::message_id>("messageId");
      e.trace = trace();
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
      e.ms = whole("durationMs");
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
      e.risk = text("riskLevel");
      e.expires_at = time_of(text("expiresAt")).value_or(core::millis{0});
      return e;
    }
    if (type == "approval.decided") {
      core::approval_decided e;
      e.approval = id<core::approval_id>("approvalId");
      e.decision = core::decision_from(text("decision")).value_or(core::decision::denied);
      e.by = text("resolvedBy");
      e.note = text("note");
      return e;
    }
    if (type == "message.complete") {
      core::run_completed e;
      e.message = id<core::message_id>("messageId");
      e.trace = trace();
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
    return of_the_queue(type);
  }

  [[nodiscard]] std::optional<core::event_payload> of_the_queue(const std::string& type) const {
    if (type == "message.dequeued") return core::run_dequeued{id<core::run_id>("runId"), id<core::message_id>("messageId")};
    if (type == "session.closed") return core::session_closed{};
    if (type == "message.edited") {
      core::message_edited e;
      e.message = id<core::message_id>("messageId");
      e.content = text("content");
      return e;
    }
    if (type == "queue.reordered") {
      core::queue_reordered e;
      if (const auto* list = frame.if_contains("messageIds"); list && list->is_array())
        for (const auto& item : list->get_array())
          if (item.is_string()) e.messages.push_back(core::message_id::parse(item.get_string()).value_or(core::message_id{}));
      return e;
    }
    if (type == "message.superseded") {
      core::message_superseded e;
      e.message = id<core::message_id>("messageId");
      e.from = static_cast<core::seq_t>(whole("fromSeq"));
      return e;
    }
    return std::nullopt;
  }

  /// 32 hex digits on the wire.
  [[nodiscard]] core::trace_id trace() const {
    auto hex = text("traceId");
    if (hex.size() != 32) return {};
    for (auto at : {20U, 16U, 12U, 8U}) hex.insert(at, 1, '-');
    return core::trace_id::parse(hex).value_or(core::trace_id{});
  }
};

}  // namespace

core::attachment attachment_of(const json::object& file) {
  frame_reader from{file};
  core::attachment out;
  out.file = from.id<core::file_id>("fileId");
  out.name = from.text("name");
  out.content_type = from.text("contentType");
  out.size = from.whole("size");
  return out;
}

std::optional<core::millis> time_of(const std::string& text) {
  std::tm parts{};
  int ms = 0;
  int read = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
                  &parts.tm_min, &parts.tm_sec, &ms, &read) != 7 ||
      static_cast<std::size_t>(read) != text.size())
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return core::millis{std::int64_t{::timegm(&parts)} * 1'000 + ms};
}

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
