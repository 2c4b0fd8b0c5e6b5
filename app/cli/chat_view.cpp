#include "app/cli/chat_view.hpp"

#include "app/cli/format.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdio>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t output_columns = 160;

std::string short_value(const json::object& frame, std::string_view key, std::size_t most) {
  const auto* v = frame.if_contains(key);
  if (!v || v->is_null()) return {};
  if (!v->is_object()) return safe_line(text_of(frame, key), most);
  std::string out;
  for (const auto& [name, member] : v->get_object())
    out += (out.empty() ? "" : " ") + std::string(name) + "=" +
           (member.is_string() ? std::string(member.get_string()) : json::serialize(member));
  return safe_line(out, most);
}

}  // namespace

void chat_view::write(std::string_view text, bool is_answer) {
  if (is_answer || to_.is_output) {
    auto away = area_.erase();
    if (!put(away += text)) is_broken_ = true;
    if (to_.is_output) keep_column(text);
    return;
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
}

/// Skips the styles in it.
void chat_view::keep_column(std::string_view written) {
  if (auto feed = written.rfind('\n'); feed != std::string_view::npos) {
    column_ = 0;
    written.remove_prefix(feed + 1);
  }
  while (!written.empty()) {
    auto size = std::max<std::size_t>(character_size(written).value_or(1), 1);
    if (written.front() == '\x1b') {
      written.remove_prefix(std::min(written.find('m'), written.size() - 1) + 1);
      continue;
    }
    if (column_ >= to_.width) column_ = 0;
    auto width = display_width(written.substr(0, size));
    auto next = written.front() == '\t' ? std::min((column_ / 8 + 1) * 8, to_.width - 1) : column_ + width;
    column_ = next > to_.width ? width : next;
    written.remove_prefix(std::min(size, written.size()));
  }
}

void chat_view::end_line() {
  put(area_.erase());
  if (!prompt_.empty())
    put("\r\x1b[K");
  else if (is_in_line_)
    write("\n", true);
  entered();
}

void chat_view::input(const input_line& line, bool is_idle) {
  to_.look_at_size();
  bool goes_on = !is_idle && is_in_line_;
  if (area_.shows(line) && (goes_on || !is_in_line_)) return;
  if (!goes_on) {
    end_line();
    is_answering_ = false;
  }
  auto out = area_.erase();
  // Full to the last column: the next character begins a row, wherever the terminal shows its cursor.
  if (goes_on && column_ >= to_.width) {
    out += "\r\n";
    column_ = 0;
  }
  put(out += area_.draw(line, to_, to_.height, goes_on ? column_ : 0));
}

void chat_view::entered(const input_line& line) {
  end_line();
  is_answering_ = false;
  input_area whole;
  put(whole.draw({line.prompt, line.colour, line.text, line.text.size()}, to_, line.text.size() * 2 + to_.height * 2, 0) +
      "\r\n");
}

void chat_view::clear_screen() {
  put(area_.erase() + "\x1b[H\x1b[2J");
  column_ = 0;
}

void chat_view::note(std::string_view text, style s) { lines(to_.styled(s, safe_line(text)) + "\n"); }

void chat_view::lines(std::string_view text) {
  if (as_json_) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    return;
  }
  end_line();
  is_answering_ = false;
  write(text, false);
}

void chat_view::said(std::string_view who, std::string_view text) {
  lines(to_.styled(style::green, safe_line(who) + "> ") + safe_text(text) + "\n");
}

void chat_view::prompt(std::string_view text) {
  if (as_json_ || !to_.is_input || !to_.is_output) return;
  // Written once: what the person has typed behind it would be gone from the screen.
  if (prompt_ == text) return;
  end_line();
  is_answering_ = false;
  put(text);
  prompt_ = text;
}

void chat_view::delta(std::string_view text) {
  if (!is_answering_) {
    end_line();
    if (to_.is_output) write(to_.styled(style::cyan, safe_line(agent_) + "> "), true);
    is_answering_ = true;
    is_in_line_ = to_.is_output;
  }
  auto safe = filter_.filtered(text);
  if (safe.empty()) return;
  write(safe, true);
  is_in_line_ = safe.back() != '\n';
}

void chat_view::tool_start(const json::object& frame) {
  auto room = to_.is_output ? to_.width - std::min<std::size_t>(to_.width - 20, 24) : output_columns;
  auto input = short_value(frame, "input", room);
  lines(to_.styled(style::cyan, "  > " + safe_line(text_of(frame, "tool"))) + (input.empty() ? "" : " ") + input + "\n");
}

void chat_view::tool_end(const json::object& frame) {
  bool is_ok = text_of(frame, "success") == "true";
  auto head = "  " + std::string(is_ok ? "+ " : "x ") + safe_line(text_of(frame, "tool")) + (is_ok ? "" : " failed");
  auto cost = number_of(frame, "cost");
  lines(to_.styled(is_ok ? style::green : style::red, head) + " " +
        to_.styled(style::dim, duration(integer_of(frame, "durationMs")) + (cost == 0 ? "" : ", " + money(cost))) + " " +
        short_value(frame, "output", output_columns) + "\n");
}

void chat_view::cost(const json::object& usage, double session_cost, double budget) {
  auto text = "  " + amount(integer_of(usage, "totalTokens")) + " tokens (" + amount(integer_of(usage, "promptTokens")) +
              " in, " + amount(integer_of(usage, "completionTokens")) + " out), " + money(number_of(usage, "cost")) +
              "; session " + money(session_cost);
  if (budget > 0) text += " of " + money(budget);
  note(text);
}

void chat_view::show_past(const json::object& message) {
  auto text = text_of(message, "content");
  auto author = text_of(message, "authorName");
  bool is_user = text_of(message, "role") == "user";
  if (!text.empty())
    lines(to_.styled(is_user ? style::green : style::cyan,
                     safe_line(is_user ? (author.empty() ? "you" : author) : agent_) + "> ") +
          safe_text(text) + "\n");
  for (const auto& call : array_of(message, "toolCalls"))
    note("  " + text_of(call.as_object(), "tool") + " " + text_of(call.as_object(), "input"));
}

void chat_view::show(const json::object& frame) {
  if (as_json_) {
    if (!put(area_.erase() + json::serialize(frame) + "\n")) is_broken_ = true;
    return;
  }
  auto type = text_of(frame, "type");
  if (type == "message.content_delta") {
    delta(text_of(frame, "text"));
  } else if (type == "message.tool_start") {
    tool_start(frame);
  } else if (type == "message.tool_progress") {
    note("    " + text_of(frame, "text"));
  } else if (type == "message.tool_complete") {
    tool_end(frame);
  } else if (type == "message.superseded") {
    note("the server was restarted: what it said last is void, and comes again", style::yellow);
  } else if (type == "message.queued") {
    note("waits for its turn, number " + text_of(frame, "position"));
  } else if (type == "session.cost_alert") {
    note("! spent " + text_of(frame, "percent") + " % of the budget of this " + text_of(frame, "scope") + ": " +
             money(number_of(frame, "currentSpend")) + " of " + money(number_of(frame, "budget")),
         style::yellow);
  } else if (type == "approval.endorsed") {
    note("approved by " + text_of(frame, "endorsedBy") + "; " + text_of(frame, "requiredApprovals") + " people must approve");
  } else if (type == "approval.decided") {
    auto by = text_of(frame, "resolvedBy");
    auto what = text_of(frame, "choice").empty() ? text_of(frame, "decision") : text_of(frame, "choice");
    auto reason = text_of(frame, "note");
    note("  " + what + (by.empty() ? "" : " by " + by) + (reason.empty() ? "" : ": " + reason));
  } else if (type == "agent.changed") {
    agent_ = text_of(frame, "agentId");
    note("from here on the agent " + agent_ + " answers");
  } else if (type == "grant.given") {
    note("  remembered: " + text_of(frame, "tool") + " asks no more in this " + text_of(frame, "scope") +
         " (troupe approvals revoke " + text_of(frame, "grantId") + ")");
  } else if (type == "session.cleared") {
    note("the history was cleared");
  } else if (type == "run.cancelled") {
    note("stopped", style::yellow);
  } else if (type == "error") {
    note("! " + text_of(frame, "message") + " (" + text_of(frame, "code") + ")", style::red);
  }
}

}  // namespace troupe::app
