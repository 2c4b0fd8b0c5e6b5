// The fields of every event kind, told once for all codecs (core/event_json.cpp): what a field is called and what sort
// of value it holds. A writer or reader supplies one function per sort. Pure.
#pragma once

#include "core/event.hpp"

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace troupe::core {

BOOST_DESCRIBE_STRUCT(session_created, (),
                      (project, agent, dialect, alias, owner, metadata, forked_from, forked_at, parent, parent_call, depth))
BOOST_DESCRIBE_STRUCT(message_added, (), (message, role, content, author, client_message_id, author_name, attachments, options))
BOOST_DESCRIBE_STRUCT(run_queued, (), (run, message, position))
BOOST_DESCRIBE_STRUCT(run_started, (), (run, message, reply, trace, agent, config_hash, queued_at))
BOOST_DESCRIBE_STRUCT(step_started, (), (run, step, message, provider, model))
BOOST_DESCRIBE_STRUCT(text_delta, (), (message, pieces))
BOOST_DESCRIBE_STRUCT(reasoning_delta, (), (message, pieces))
BOOST_DESCRIBE_STRUCT(message_superseded, (), (message, from))
BOOST_DESCRIBE_STRUCT(message_completed, (), (run, step, message, content, calls, finish, cut))
BOOST_DESCRIBE_STRUCT(tool_started, (), (run, call, tool, input, effect, child, allowed_by))
BOOST_DESCRIBE_STRUCT(tool_progress, (), (call, text))
BOOST_DESCRIBE_STRUCT(tool_completed, (), (run, call, tool, ok, output, ms, output_bytes, child_tokens, child_cost))
BOOST_DESCRIBE_STRUCT(tool_outcome_unknown, (), (run, call, tool))
BOOST_DESCRIBE_STRUCT(approval_requested, (),
                      (run, approval, call, tool, action, kind, risk, expires_at, arguments_hash, prompt, schema, deciders,
                       not_by, origin, origin_approval))
BOOST_DESCRIBE_STRUCT(approval_decided, (),
                      (run, approval, call, decision, by, note, edited_input, choice, answer, arguments_hash))
BOOST_DESCRIBE_STRUCT(approval_endorsed, (), (run, approval, call, by, note, edited_input, arguments_hash))
BOOST_DESCRIBE_STRUCT(grant_given, (), (grant, scope, tool, when, expires_at, by, approval))
BOOST_DESCRIBE_STRUCT(grant_revoked, (), (grant, by))
BOOST_DESCRIBE_STRUCT(agent_changed, (), (run, agent, note))
BOOST_DESCRIBE_STRUCT(run_stop_requested, (), (run, by))
BOOST_DESCRIBE_STRUCT(usage_recorded, (),
                      (run, step, provider, model, tokens, cost, estimated, started_at, first_delta_at, attempts))
BOOST_DESCRIBE_STRUCT(cost_alert, (), (scope, spend, budget, percent))
BOOST_DESCRIBE_STRUCT(run_completed, (), (run, message, trace, tokens, cost, steps))
BOOST_DESCRIBE_STRUCT(run_failed, (), (run, code, text, steps))
BOOST_DESCRIBE_STRUCT(run_cancelled, (), (run, by, text_kept))
BOOST_DESCRIBE_STRUCT(run_dequeued, (), (run, message))
BOOST_DESCRIBE_STRUCT(session_updated, (), (status, title, participants, metadata))
BOOST_DESCRIBE_STRUCT(session_closed, (), ())
BOOST_DESCRIBE_STRUCT(message_edited, (), (message, content))
BOOST_DESCRIBE_STRUCT(queue_reordered, (), (messages))
BOOST_DESCRIBE_STRUCT(reaction_changed, (), (message, emoji, added, by, by_name))
BOOST_DESCRIBE_STRUCT(message_feedback, (), (message, rating, note, by))
BOOST_DESCRIBE_STRUCT(file_added, (), (file, by))  // its data goes to a table of its own
BOOST_DESCRIBE_STRUCT(history_cleared, (), (by))
BOOST_DESCRIBE_STRUCT(history_compacted, (), (run, replaced, summary))
BOOST_DESCRIBE_STRUCT(typing_changed, (), (user_id, username, is_typing))
BOOST_DESCRIBE_STRUCT(presence_changed, (), ())  // transient: told to those who are there, never kept

/// Name of the I-th kind.
template <std::size_t I>
inline const std::string_view kind_name = kind_of(event_payload(std::in_place_index<I>));

/// Strings that hold JSON; `kind` of an approval is stored as `approval_kind`, because `kind` names the event.
constexpr bool is_json_text(std::string_view name) {
  return name == "input" || name == "action" || name == "metadata" || name == "edited_input" || name == "options" ||
         name == "schema" || name == "when" || name == "answer";
}
constexpr const char* stored_name(const char* name) { return std::string_view(name) == "kind" ? "approval_kind" : name; }

inline bool enum_from(std::string_view t, role& v) {
  auto r = role_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, effect& v) {
  auto r = effect_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, approval_kind& v) {
  auto r = approval_kind_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, decision& v) {
  auto r = decision_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, session_status& v) {
  auto r = session_status_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, finish_reason& v) {
  auto r = finish_reason_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, rating& v) {
  auto r = rating_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, outcome_choice& v) {
  auto r = outcome_choice_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, grant_scope& v) {
  auto r = grant_scope_from(t);
  return r && (v = *r, true);
}
inline bool enum_from(std::string_view t, errc& v) {
  v = errc_from(t);
  return to_string(v) == t;
}

/// 16 hex digits, because a JSON number cannot carry 64 bits to every reader.
inline std::string hash_text(std::uint64_t hash) { return uuid{0, hash}.hex().substr(16); }

inline bool hash_from(std::string_view text, std::uint64_t& hash) {
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  return ec == std::errc{} && end == text.data() + text.size();
}

template <class Tag>
bool id_from(std::string_view text, uuid_id<Tag>& id) {
  std::string canonical(text);
  if (canonical.size() == 32)  // trace ids
    for (std::size_t at : {8U, 13U, 18U, 23U}) canonical.insert(at, 1, '-');
  auto parsed = uuid_id<Tag>::parse(canonical);
  return parsed && (id = *parsed, true);
}

template <class W>
void write_item(W& w, const tool_call& call) {
  w.text("id", call.id.value);
  w.text("tool", call.tool);
  w.text("arguments", call.arguments);
}
template <class W>
void write_item(W& w, const attachment& a) {
  if (!a.file.is_nil()) w.text("file", a.file.str());
  w.text("name", a.name);
  w.text("content_type", a.content_type);
  w.integer("size", a.size);
}

template <class R>
bool read_item(R& r, tool_call& call) {
  return r.text("id", call.id.value) && r.text("tool", call.tool) && r.text("arguments", call.arguments);
}
template <class R>
bool read_item(R& r, attachment& a) {
  std::string file;
  return r.text("file", file) && (file.empty() || id_from(file, a.file)) && r.text("name", a.name) &&
         r.text("content_type", a.content_type) && r.whole("size", a.size);
}

/// Fields that most events of their kind lack: they are written only where they say something.
template <class T>
bool is_left_out(std::string_view name, const T& v) {
  if constexpr (std::is_same_v<T, std::uint32_t>) return (name == "depth" && v == 0) || (name == "deciders" && v == 1);
  if constexpr (std::is_same_v<T, std::uint64_t>) return name == "forked_at" && v == 0;
  if constexpr (std::is_same_v<T, std::int64_t>) return name == "output_bytes" && v == 0;
  if constexpr (std::is_same_v<T, micro_usd>) return name == "child_cost" && v.value == 0;
  if constexpr (std::is_same_v<T, token_usage>) return name == "child_tokens" && v == token_usage{};
  if constexpr (std::is_same_v<T, outcome_choice>) return v == outcome_choice::none;
  return false;
}

template <class W, class T>
void write_field(W& w, const char* name, const T& v) {
  if (is_left_out(name, v)) return;
  if constexpr (std::is_same_v<T, std::string>) {
    is_json_text(name) ? w.json_text(name, v) : w.text(name, v);
  } else if constexpr (std::is_same_v<T, bool>) {
    w.boolean(name, v);
  } else if constexpr (std::is_enum_v<T>) {
    w.text(stored_name(name), to_string(v));
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    std::string_view(name) == "config_hash" ? w.text(name, hash_text(v)) : w.natural(name, v);
  } else if constexpr (std::is_integral_v<T>) {
    w.integer(name, v);
  } else if constexpr (std::is_same_v<T, trace_id>) {
    if (!v.is_nil()) w.text(name, v.value.hex());
  } else if constexpr (requires { v.value.is_nil(); }) {
    if (!v.is_nil()) w.text(name, v.str());
  } else if constexpr (std::is_same_v<T, micro_usd>) {
    w.integer(name, v.value);
  } else if constexpr (std::is_same_v<T, millis>) {
    w.integer(name, v.count());
  } else if constexpr (std::is_same_v<T, token_usage>) {
    w.tokens(name, v);
  } else if constexpr (std::is_same_v<T, text_pieces>) {
    w.pieces(v);
  } else if constexpr (std::is_same_v<T, std::optional<std::vector<std::string>>>) {
    if (v) w.strings(name, *v);
  } else if constexpr (std::is_same_v<T, std::vector<message_id>>) {
    std::vector<std::string> ids;
    for (const auto& id : v) ids.push_back(id.str());
    w.strings(name, ids);
  } else if constexpr (std::is_same_v<T, attachment>) {
    w.item(name, v);
  } else if constexpr (requires { v.front(); }) {
    if (!v.empty()) w.items(name, v);
  } else {
    w.text(name, v.value);  // name_id
  }
}

template <class R, class T>
bool read_field(R& r, const char* name, T& v) {
  if constexpr (std::is_same_v<T, std::string>) {
    return is_json_text(name) ? r.json_text(name, v) : r.text(name, v);
  } else if constexpr (std::is_same_v<T, bool>) {
    return r.boolean(name, v);
  } else if constexpr (std::is_enum_v<T>) {
    std::string text;
    return r.text(stored_name(name), text) && (text.empty() || enum_from(text, v) || r.failed(stored_name(name)));
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (std::string_view(name) != "config_hash") return r.whole(name, v);
    std::string text;
    return r.text(name, text) && (text.empty() || hash_from(text, v) || r.failed(name));
  } else if constexpr (std::is_integral_v<T>) {
    return r.whole(name, v);
  } else if constexpr (requires { v.value.is_nil(); }) {
    std::string text;
    return r.text(name, text) && (text.empty() || id_from(text, v) || r.failed(name));
  } else if constexpr (std::is_same_v<T, micro_usd>) {
    return r.whole(name, v.value);
  } else if constexpr (std::is_same_v<T, millis>) {
    std::int64_t count = v.count();
    return r.whole(name, count) && (v = millis(count), true);
  } else if constexpr (std::is_same_v<T, token_usage>) {
    return r.tokens(name, v);
  } else if constexpr (std::is_same_v<T, text_pieces>) {
    return r.pieces(v);
  } else if constexpr (std::is_same_v<T, std::optional<std::vector<std::string>>>) {
    return r.strings(name, v);
  } else if constexpr (std::is_same_v<T, std::vector<message_id>>) {
    std::optional<std::vector<std::string>> ids;
    if (!r.strings(name, ids)) return false;
    for (const auto& id : ids.value_or(std::vector<std::string>{}))
      if (!id_from(id, v.emplace_back())) return r.failed(name);
    return true;
  } else if constexpr (std::is_same_v<T, attachment>) {
    return r.item(name, v);
  } else if constexpr (requires { v.front(); }) {
    return r.items(name, v);
  } else {
    return r.text(name, v.value);
  }
}

template <class W, class E>
void write_fields(W& w, const E& e) {
  boost::mp11::mp_for_each<boost::describe::describe_members<E, boost::describe::mod_public>>(
      [&](auto d) { write_field(w, d.name, e.*d.pointer); });
}

template <class R, class E>
bool read_fields(R& r, E& e) {
  bool good = true;
  boost::mp11::mp_for_each<boost::describe::describe_members<E, boost::describe::mod_public>>(
      [&](auto d) { good = good && read_field(r, d.name, e.*d.pointer); });
  return good;
}

}  // namespace troupe::core
