// The steps of a scenario: which words each may have.
#include "app/scenario/assertions.hpp"
#include "app/scenario/match.hpp"
#include "app/scenario/scenario.hpp"
#include "core/command.hpp"
#include "tools/base64.hpp"

#include <algorithm>
#include <array>

namespace troupe::app {

namespace {

constexpr std::size_t max_text_bytes = 1 << 20;
/// A file of that size in base64.
constexpr std::size_t max_encoded_bytes = max_text_bytes / 3 * 4 + 4;
constexpr std::size_t max_attachments = 10;
constexpr std::size_t max_conditions = 100;
constexpr std::int64_t max_position = 100'000;
constexpr std::int64_t longest_advance_ms = 366LL * 24 * 3'600'000;

constexpr std::array<std::string_view, 12> verb_names{"send",        "reply",        "expect",       "advance_ms",
                                                      "restart",     "crash",        "expect_text",  "expect_calls",
                                                      "expect_cost", "expect_count", "expect_order", "expect_none"};

using allowed_words = std::vector<std::string_view>;

template <std::size_t... I>
allowed_words kinds_of(std::index_sequence<I...>) {
  return {core::kind_of(core::event_payload(std::in_place_index<I>))...};
}

/// A text, or a variable's name.
void must_be_text(const node& at) { (void)at.text(max_text_bytes); }

void must_be_true(const node& at) {
  if (!at.boolean()) at.fail("expected true");
}

constexpr std::array<std::string_view, 3> choices{"retry", "done", "failed"};

void check_remembered(const node& at) {
  allow_only(at, {"scope", "when", "expires_in_ms"});
  constexpr std::array<std::string_view, 3> scopes{"session", "agent", "project"};
  const auto& o = at.object();
  if (const auto* scope = o.if_contains("scope")) (void)at.child("scope", *scope).one_of(scopes);
  if (const auto* when = o.if_contains("when")) (void)at.child("when", *when).array(max_conditions);
  if (const auto* ms = o.if_contains("expires_in_ms")) (void)at.child("expires_in_ms", *ms).whole(1, longest_advance_ms);
}

/// What stands beside a verb and is no text of its own.
bool check_detail(const node& at, std::string_view key) {
  if (key == "edited_input" || key == "answer") return true;
  if (key == "choice") return !at.one_of(choices).empty();
  if (key == "position") return at.whole(1, max_position) > 0;
  if (key == "attachments") return void(at.texts(max_attachments)), true;
  if (key == "remember") return check_remembered(at), true;
  if (key != "base64") return false;
  if (!tools::from_base64(at.text(max_encoded_bytes))) at.fail("expected the bytes of the file in base64");
  return true;
}

void check_send(const node& at) {
  enum class value : std::uint8_t { text, text_or_true, always_true };
  struct command {
    std::string_view verb;
    allowed_words allowed;
    value takes = value::text;
  };
  static const std::array<command, 10> commands{
      {{"message", {"message", "id", "on_busy", "attachments"}},
       {"edit", {"edit", "content", "position"}},
       {"file", {"file", "type", "text", "base64"}},
       {"approve", {"approve", "note", "edited_input", "choice", "answer", "remember"}, value::text_or_true},
       {"deny", {"deny", "note", "choice"}, value::text_or_true},
       {"revoke", {"revoke"}},
       {"cancel", {"cancel"}, value::text_or_true},
       {"dequeue", {"dequeue"}},
       {"status", {"status"}},
       {"clear", {"clear"}, value::always_true}}};
  allowed_words known;
  for (const auto& c : commands) {
    known.push_back(c.verb);
    const auto* given = at.object().if_contains(c.verb);
    if (!given) continue;
    allow_only(at, c.allowed);
    for (const auto& member : at.object()) {
      auto child = at.child(member.key(), member.value());
      if (check_detail(child, member.key())) continue;
      bool is_verb = member.key() == c.verb;
      if (is_verb && (c.takes == value::always_true || (c.takes == value::text_or_true && member.value().is_bool())))
        must_be_true(child);
      else
        must_be_text(child);
    }
    if (c.verb == "file" && at.object().contains("text") == at.object().contains("base64"))
      at.fail("a file needs \"text\" or \"base64\", and not both");
    if (c.verb == "edit" && !at.object().contains("content") && !at.object().contains("position"))
      at.fail("an edit needs \"content\" or \"position\"");
    if (c.verb == "status" && !core::session_status_from(given->get_string()))
      at.child("status", *given).fail("expected one of active, paused, closed, deleted");
    if (const auto* busy = at.object().if_contains("on_busy"); busy && !core::busy_policy_from(busy->get_string()))
      at.child("on_busy", *busy).fail("expected one of queue, reject, interrupt, steer, merge");
    return;
  }
  at.fail("a command needs one of: " + list_of(known));
}

void check_expectation(const node& at) {
  if (auto wrong = defect_in(at.value)) at.child(wrong->path, at.value).fail(wrong->text);
}

void check_body(step_verb verb, const node& at) {
  switch (verb) {
    case step_verb::send:
      return check_send(at);
    case step_verb::advance:
      return void(at.whole(0, longest_advance_ms));
    case step_verb::restart:
      return must_be_true(at);
    case step_verb::reply:
      allow_only(at, {"done", "created", "run", "message", "position", "approval", "decision", "by", "note", "won", "file",
                      "repeated", "error", "text"});
      return check_expectation(at);
    case step_verb::expect: {
      const auto* kind = at.object().if_contains("kind");
      if (!kind) at.fail("needs \"kind\", one of: " + list_of(event_kinds()));
      (void)at.child("kind", *kind).one_of(event_kinds());
      return check_expectation(at);
    }
    case step_verb::crash:
      if (at.value.is_bool()) return must_be_true(at);
      allow_only(at, {"before"});
      if (const auto* kind = at.object().if_contains("before")) return void(at.child("before", *kind).one_of(event_kinds()));
      at.fail("expected true, or {\"before\": kind of an event}");
    default:
      return check_assertion(verb, at);
  }
}

}  // namespace

std::string_view to_string(step_verb v) noexcept { return verb_names[static_cast<std::size_t>(v) % verb_names.size()]; }

const std::vector<std::string_view>& event_kinds() {
  static const allowed_words all = kinds_of(std::make_index_sequence<std::variant_size_v<core::event_payload>>());
  return all;
}

void allow_only(const node& at, const allowed_words& allowed) {
  for (const auto& member : at.object())
    if (std::find(allowed.begin(), allowed.end(), member.key()) == allowed.end()) unknown_key(at, member.key(), allowed);
}

std::string list_of(const allowed_words& all) {
  std::string out;
  for (auto word : all) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

scenario_step read_step(const node& at) {
  static const allowed_words verbs(verb_names.begin(), verb_names.end());
  scenario_step out;
  std::size_t found = 0;
  for (const auto& member : at.object()) {
    if (member.key() == "as") continue;
    auto verb = std::find(verbs.begin(), verbs.end(), member.key());
    if (verb == verbs.end()) unknown_key(at, member.key(), verbs);
    ++found;
    out.verb = static_cast<step_verb>(verb - verbs.begin());
    out.body = member.value();
    check_body(out.verb, at.child(member.key(), member.value()));
  }
  if (found != 1) at.fail("a step has one of: " + list_of(verbs));
  if (const auto* as = at.object().if_contains("as")) {
    if (out.verb != step_verb::send) at.child("as", *as).fail("only a \"send\" has a sender");
    out.as = at.child("as", *as).text(256);
  }
  return out;
}

}  // namespace troupe::app
