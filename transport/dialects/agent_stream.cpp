#include "transport/dialects/agent_stream.hpp"

#include "transport/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::string_view token_head = R"({"type":"token","content":)";

void put_token(frame_writer& out, core::seq_t seq, std::string_view text) {
  if (text.empty()) return;
  std::string frame(token_head);
  append_json_string(frame, text);
  frame += '}';
  out.frame(frame, seq, "token");
}

/// The hot path: one small frame per piece, written straight into the shared bytes.
void put_tokens(frame_writer& out, core::seq_t seq, const core::text_pieces& pieces) {
  std::string frame;
  std::string_view text = pieces.text;
  for (auto length : pieces.lengths) {
    if (length == 0) continue;
    frame.assign(token_head);
    append_json_string(frame, text.substr(0, length));
    frame += '}';
    out.frame(frame, seq, "token");
    text.remove_prefix(length);
  }
}

void put_done(frame_writer& out, core::seq_t seq, const core::token_usage& tokens) {
  put(out, seq, "done",
      {{"tokens", {{"prompt", tokens.prompt}, {"completion", tokens.completion}, {"total", tokens.total()}}}});
}

/// What a client reads of a call's outcome.
std::string result_of(const core::turn_call& call) {
  if (call.ok) return call.output;
  constexpr std::string_view unknown = "Tool not found";
  if (call.output.starts_with(unknown)) return std::string(unknown);
  return "Error: " + call.output;
}

std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

}  // namespace

std::string approval_line(const core::approval_requested& a) {
  auto path = "POST /api/v1/approvals/" + a.approval.str();
  auto rest = "; the answer goes on here.]\n";
  switch (a.kind) {
    case core::approval_kind::outcome_unknown:
      return "\n[It is not known whether " + a.tool + " was carried out with " + a.action +
             ". Say retry, done or failed in the console, or with " + path + R"(/decide {"choice": "retry"})" + rest;
    case core::approval_kind::input:
      return "\n[" + a.tool + " asks: " + on_one_line(a.prompt) + " Answer it in the console, or with " + path +
             R"(/decide {"answer": {…}})" + rest;
    case core::approval_kind::tool:
      break;
  }
  return "\n[" + a.tool + " waits for approval of " + a.action + (a.deciders > 1 ? " by two people" : "") +
         ". Decide it in the console, or with " + path + "/approve or /deny" + rest;
}

struct agent_stream_frames {
  agent_stream_encoder& c;
  const core::event& e;
  frame_writer& out;

  void operator()(const core::run_started&) const {
    c.next_call_ = 0;
    c.is_call_shown_ = false;
    c.questions_shown_.clear();
    c.reported_ = {};
    c.parked_ = false;
  }
  void operator()(const core::text_delta& d) const { put_tokens(out, e.seq, d.pieces); }
  void operator()(const core::reasoning_delta& d) const {
    if (c.with_reasoning_) put_tokens(out, e.seq, d.pieces);
  }
  void operator()(const core::run_completed&) const { c.show_done(e.seq, out); }
  void operator()(const core::run_failed& f) const {
    if (f.code != errc::iteration_limit) return put(out, e.seq, "error", {{"content", f.text}});
    put_token(out, e.seq, "\n" + f.text + "\n");
    c.show_done(e.seq, out);
  }
  void operator()(const core::run_cancelled& x) const {
    if (x.run == c.turn_.run) c.show_done(e.seq, out);
  }
  template <class Other>
  void operator()(const Other&) const {}
};

void agent_stream_encoder::encode(const core::event& e, frame_writer& out) {
  turn_.apply(e);
  // Calls and results first: the end of a turn comes after what it closes.
  show_calls(e.seq, out);
  std::visit(agent_stream_frames{*this, e, out}, e.payload);
  bool parks = turn_.is_parked();
  if (parks && !parked_) show_done(e.seq, out);
  parked_ = parks;
}

void agent_stream_encoder::show_calls(core::seq_t seq, frame_writer& out) {
  for (; next_call_ < turn_.calls.size(); ++next_call_, is_call_shown_ = false) {
    const auto& call = turn_.calls[next_call_];
    if (!std::exchange(is_call_shown_, true)) put(out, seq, "tool_start", {{"tool", call.tool}, {"input", call.input}});
    for (const auto& open : turn_.open_approvals)
      if (open.call == call.id && questions_shown_.insert(open.approval).second) put_token(out, seq, approval_line(open));
    if (!call.settled) return;
    put(out, seq, "tool_end", {{"result", result_of(call)}});
  }
}

void agent_stream_encoder::show_done(core::seq_t seq, frame_writer& out) {
  put_done(out, seq, {turn_.tokens.prompt - reported_.prompt, 0, turn_.tokens.completion - reported_.completion});
  reported_ = turn_.tokens;
}

void agent_stream_encoder::encode_open_cards(frame_writer& out) {
  for (const auto& open : turn_.open_approvals) put_token(out, 0, approval_line(open));
  if (turn_.is_parked()) put_done(out, 0, {});
}

std::shared_ptr<const core::agent_config> find_stream_agent(const core::config& config, const core::project_id& project,
                                                            std::string_view agent) {
  if (agent.empty()) return nullptr;  // to the configuration that is the default agent
  if (auto found = config.find_agent(project, {std::string(agent)})) return found;
  auto slash = agent.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == agent.size()) return nullptr;
  return config.find_agent({std::string(agent.substr(0, slash))}, {std::string(agent.substr(slash + 1))});
}

}  // namespace troupe::transport
