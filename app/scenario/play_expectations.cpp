// What is expected against what comes, and how a difference is told.
#include "app/scenario/acceptance.hpp"
#include "app/scenario/assertions.hpp"
#include "app/scenario/client_view.hpp"
#include "app/scenario/play.hpp"
#include "providers/utf8.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t max_shown = 2'000;
constexpr std::size_t max_listed = 40;
/// How many steps before and behind the one that failed are shown.
constexpr std::size_t context = 3;

json::object reply_to_json(const scene::reply& reply) {
  if (!reply) return {{"error", core::to_string(reply.error().code)}, {"text", reply.error().text}};
  struct writer {
    json::object operator()(const core::done&) const { return {{"done", true}}; }
    json::object operator()(const core::session_opened& r) const { return {{"created", r.created}}; }
    json::object operator()(const core::message_accepted& r) const {
      json::object out{{"run", r.run.str()}, {"message", r.message.str()}, {"position", r.position}};
      if (r.repeated) out["repeated"] = true;
      return out;
    }
    json::object operator()(const core::file_stored& r) const { return {{"file", r.file.file.str()}}; }
    json::object operator()(const core::approval_settled& r) const {
      return {{"approval", r.approval.str()},
              {"decision", core::to_string(r.decision)},
              {"by", r.by},
              {"note", r.note},
              {"won", r.won}};
    }
  };
  return std::visit(writer{}, *reply);
}

}  // namespace

std::string shown(const json::value& v) {
  auto text = json::serialize(v);
  return text.size() > max_shown ? providers::bounded_text(text, max_shown) : text;
}

std::string_view play::expected_kind() const {
  return step_->verb == step_verb::expect ? std::string_view(step_->body.at("kind").get_string()) : std::string_view{};
}

bool play::is_passed_over() const {
  auto kind = expected_kind();
  if (is_remote_ && !is_seen_by_clients(kind)) return true;
  if (!is_forgiving_) return false;
  const auto* about = step_->body.get_object().if_contains("approval_kind");
  return kind == "message_superseded" || kind == "tool_outcome_unknown" || (about && *about == json::value("outcome_unknown"));
}

void play::expect() {
  if (is_passed_over()) return;
  auto expected = is_remote_ ? as_seen_by_clients(step_->body.get_object()) : step_->body;
  if (is_remote_ && expected_kind() == "text_delta") return expect_shown_text(expected);
  for (waited_ = milliseconds{0};;) {
    if (is_remote_) take_shown_text();
    auto came = received_.peek();
    if (came && takes(expected, *came)) return;
    if (is_disturbed() && received_.may_grow() && wait_for_more()) continue;
    if (options_.accept) return accept(came);
    differ(expected, came);
  }
}

bool play::takes(const json::value& expected, const json::object& came) {
  if (!match(wanted_of(expected, came), came, bound_)) {
    pass(*received_.take());
    return true;
  }
  if (!is_disturbed()) return false;
  // More of a text may have come than this step is about.
  const auto* text = expected.get_object().if_contains("text");
  const auto* longer = came.if_contains("text");
  if (!text || !longer || !text->is_string() || !longer->is_string() || expected.get_object().contains("lengths")) return false;
  std::string_view head = text->get_string();
  std::string_view all = longer->get_string();
  if (head.starts_with('$') || head.size() >= all.size() || !all.starts_with(head)) return false;
  auto first = came;
  first["text"] = head;
  if (match(expected, first, bound_)) return false;
  pass(received_.take_text(head.size()));
  return true;
}

void play::take_shown_text() {
  while (auto came = received_.peek()) {
    auto kind = std::string_view(came->at("kind").get_string());
    if (kind == "text_delta") {
      shown_text_ += std::string_view(came->at("text").get_string());
      (void)received_.take();
    } else {
      if (kind == "run_completed" && expected_kind() == kind && !shown_text_.empty())
        fail("  expected: no more text before the run's end\n  came:     " + shown(json::string(shown_text_)),
             {{"came", json::object{{"kind", "text_delta"}, {"text", shown_text_}}},
              {"why", "no more text was expected before the run's end"}});
      if (kind == "run_cancelled" || kind == "run_failed") shown_text_.clear();
      return;
    }
  }
}

void play::expect_shown_text(const json::value& expected) {
  const auto* text = expected.get_object().if_contains("text");
  for (waited_ = milliseconds{0};;) {
    take_shown_text();
    if (!text) return;
    bool is_plain = text->is_string() && !text->get_string().starts_with('$');
    if (is_plain && shown_text_.starts_with(std::string_view(text->get_string()))) {
      shown_text_.erase(0, text->get_string().size());
      return;
    }
    if (!is_plain && !shown_text_.empty() && !received_.empty() && !match(*text, json::string(shown_text_), bound_))
      return shown_text_.clear();
    if (received_.empty() && wait_for_more()) continue;
    fail(before() + "  expected: " + shown(expected) + "\n  came:     " + shown(json::string(shown_text_)) +
             listed(received_.rest(), context),
         {{"expected", expected},
          {"came", json::object{{"kind", "text_delta"}, {"text", shown_text_}}},
          {"path", "text"},
          {"cameNext", events_to_json(received_.rest(), context)}});
  }
}

json::value play::wanted_of(const json::value& expected, const json::object& came) const {
  if (came.at("kind") != json::value("tool_completed") || expected.at("kind") != json::value("tool_completed")) return expected;
  const auto* call = came.if_contains("call");
  if (!call || !received_.is_unknown(call->get_string())) return expected;
  json::object out;
  for (auto key : {"kind", "run", "call", "tool"})
    if (const auto* v = expected.get_object().if_contains(key)) out.emplace(key, *v);
  return out;
}

void play::pass(const json::object& came) {
  passed_.push_back({step_->line, came});
  if (passed_.size() > context) passed_.pop_front();
}

void play::differ(const json::value& expected, const std::optional<json::object>& came) {
  std::string text = before() + "  expected: " + shown(expected) + "\n  came:     " + (came ? shown(*came) : "nothing");
  json::object parts{{"expected", expected}, {"came", came ? json::value(*came) : json::value(nullptr)}};
  if (came) {
    auto tried = bound_;
    if (auto wrong = match(expected, *came, tried)) {
      text += difference(*wrong);
      parts["path"] = wrong->path;
      parts["why"] = wrong->text;
    }
  } else {
    text += reply_note();
  }
  json::array next_expected;
  for (auto i = number_; i < std::min(scenario_.steps.size(), number_ + context); ++i) {
    const auto& next = scenario_.steps[i];
    if (next.verb != step_verb::expect) break;
    text += "\n  then expected, line " + std::to_string(next.line) + ": " + shown(next.body);
    next_expected.push_back(json::object{{"line", next.line}, {"expect", bounded_value(next.body)}});
  }
  if (came) (void)received_.take();
  parts["expectedNext"] = std::move(next_expected);
  parts["cameNext"] = events_to_json(received_.rest(), context);
  fail(text + listed(received_.rest(), context), std::move(parts));
}

void play::expect_reply() {
  const auto& reply = last_reply();
  if (!reply && options_.crash_at > 0) return;  // the crash swallowed it
  if (!reply)
    fail("  expected: " + shown(step_->body) + "\n  came:     no answer", {{"expected", step_->body}, {"came", nullptr}});
  reply_is_checked_ = true;
  auto came = reply_to_json(*reply);
  auto expected = is_remote_ ? reply_as_seen_by_clients(step_->body.get_object(), came) : step_->body;
  auto wrong = match(expected, came, bound_);
  if (!wrong) return;
  if (options_.accept) return edit(step_edit::how::replace, "reply", accepted(step_->body, came, bound_));
  fail("  expected: " + shown(step_->body) + "\n  came:     " + shown(came) + difference(*wrong),
       {{"expected", step_->body}, {"came", came}, {"path", wrong->path}, {"why", wrong->text}});
}

void play::check() {
  if (is_remote_ && !is_seen_by_clients(step_->verb)) return;
  for (waited_ = milliseconds{0};;) {
    while (received_.take()) continue;
    auto found = evaluate(step_->verb, step_->body, received_.past(), bound_);
    if (found.wrong.empty()) return;
    if (is_disturbed() && wait_for_more()) continue;
    if (options_.accept && found.fitting) return edit(step_edit::how::replace, to_string(step_->verb), *found.fitting);
    fail("  expected: " + shown(step_->body) + "\n  came:     " + (found.came.empty() ? "nothing like it" : found.came) +
             "\n  differs:  " + found.wrong + reply_note(),
         {{"expected", step_->body},
          {"came", found.came.empty() ? json::value(nullptr) : json::value(found.came)},
          {"why", found.wrong}});
  }
}

void play::expect_quiet() {
  if (options_.accept)
    while (auto came = received_.take()) edit(step_edit::how::insert_before, "expect", expectation_for(*came, nullptr, bound_));
  if (is_remote_) {
    take_shown_text();
    drop_unseen();
  }
  // A call that a restart cut short ends at once: what follows may come before a command that came later then, and that has no
  // event of its own.
  bool is_early = is_disturbed() && is_refused_here();
  if (!received_.empty() && !is_early)
    fail("  expected: nothing more before this step" + listed(received_.rest(), max_listed),
         {{"came", bounded_value(received_.rest().front())},
          {"why", "nothing more was expected before this step"},
          {"cameNext", events_to_json(received_.rest(), max_listed)}});
  if (reply_is_checked_) return;
  if (!last_reply()) fail("the command before this step got no answer");
  if (*last_reply()) return;
  if (options_.accept) {
    reply_is_checked_ = true;
    return edit(step_edit::how::insert_before, "reply", reply_to_json(*last_reply()));
  }
  fail("the command before this step was refused and no step expects it" + reply_note());
}

bool play::is_refused_here() const {
  if (step_->verb != step_verb::send || number_ >= scenario_.steps.size()) return false;
  const auto& next = scenario_.steps[number_];
  if (next.verb != step_verb::reply) return false;
  const auto& answer = next.body.get_object();
  const auto* won = answer.if_contains("won");
  return answer.contains("error") || answer.contains("repeated") || (won && *won == json::value(false));
}

void play::drop_unseen() {
  while (auto came = received_.peek()) {
    if (is_seen_by_clients(std::string_view(came->at("kind").get_string())) && !is_incidental(*came)) return;
    (void)received_.take();
  }
}

void play::edit(step_edit::how what, std::string_view verb, const json::value& body) {
  outcome_.edits.push_back({number_ - 1, what, json::serialize(json::object{{verb, body}})});
}

void play::accept(const std::optional<json::object>& came) {
  auto fits = [&](const json::value& expected, const json::object& e) {
    auto tried = bound_;
    return !match(expected, e, tried) || (expected.at("kind") == e.at("kind") && step_->body.at("kind") != came->at("kind"));
  };
  bool another_fits = false;
  for (auto i = number_; came && i < scenario_.steps.size() && scenario_.steps[i].verb == step_verb::expect; ++i)
    another_fits = another_fits || fits(scenario_.steps[i].body, *came);
  if (!came) return edit(step_edit::how::remove, "expect", nullptr);
  auto rest = received_.rest();
  rest.erase(rest.begin());
  bool comes_later = std::any_of(rest.begin(), rest.end(), [&](const auto& e) { return fits(step_->body, e); });
  if (another_fits && !comes_later) return edit(step_edit::how::remove, "expect", nullptr);
  if (comes_later) {
    edit(step_edit::how::insert_before, "expect", expectation_for(*came, nullptr, bound_));
    (void)received_.take();
    return expect();
  }
  auto changed = expectation_for(*came, &step_->body.get_object(), bound_);
  edit(step_edit::how::replace, "expect", changed);
  (void)match(changed, *came, bound_);
  pass(*received_.take());
}

std::string play::before() const {
  std::string out;
  for (const auto& p : passed_) out += "  after     line " + std::to_string(p.line) + ": " + shown(p.event) + "\n";
  return out;
}

std::string play::reply_note() const {
  const auto& reply = last_reply();
  if (reply_is_checked_ || !reply || *reply) return {};
  return "\n  answer:   " + shown(reply_to_json(*reply));
}

std::string play::difference(const mismatch& wrong) {
  return "\n  differs:  " + (wrong.path.empty() ? std::string() : wrong.path + ": ") + wrong.text;
}

std::string play::listed(const std::vector<json::object>& events, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(events.size(), most); ++i) out += "\n  then came: " + shown(events[i]);
  if (events.size() > most) out += "\n  and " + std::to_string(events.size() - most) + " more";
  return out;
}

void play::fail(const std::string& text, json::object parts) const {
  auto number = std::min(number_, scenario_.steps.size());
  auto where = scenario_.file + ":" + std::to_string(step_->line) + ": step " + std::to_string(number) + " (" +
               std::string(to_string(step_->verb)) + ")";
  json::object out{{"line", step_->line}, {"step", number}, {"verb", to_string(step_->verb)}};
  if (parts.empty()) parts["why"] = providers::bounded_text(text, max_shown);
  for (auto& [name, value] : parts) {
    if (name == "path" && value.as_string().empty()) continue;
    // Explanations cut values where they are too long, perhaps within a character.
    if (name == "why") value = providers::to_utf8(value.as_string());
    out[name] = name == "expected" || name == "came" ? bounded_value(value) : std::move(value);
  }
  out["before"] = passed_to_json(passed_);
  for (auto list : {"expectedNext", "cameNext"})
    if (!out.contains(list)) out[list] = json::array();
  throw failed{where + (text.starts_with("  ") ? "\n" : ": ") + text, std::move(out)};
}

}  // namespace troupe::app
