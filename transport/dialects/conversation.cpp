#include "transport/dialects/conversation.hpp"

#include "transport/decision.hpp"
#include "transport/dialects/nexus_fields.hpp"
#include "transport/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

std::string card_text(const core::approval_requested& a) {
  switch (a.kind) {
    case core::approval_kind::input:
      return a.prompt.empty() ? a.tool + " necesita una respuesta" : a.prompt;
    case core::approval_kind::outcome_unknown:
      return "No se sabe si " + a.tool + " llegó a ejecutarse: repetir (retry), darla por hecha (done) o por fallida (failed)";
    case core::approval_kind::tool:
      break;
  }
  return "Se requiere aprobación para ejecutar " + a.tool;
}

void put_card(frame_writer& out, core::seq_t seq, const core::approval_requested& a) {
  json::object fields{
      {"tool", a.tool},          {"arguments", json_or_string(a.action)}, {"tool_call_id", a.call.str()},   {"tool_id", a.tool},
      {"message", card_text(a)}, {"approval_id", a.approval.str()},       {"kind", core::to_string(a.kind)}};
  if (a.kind == core::approval_kind::outcome_unknown) fields["choices"] = outcome_choices();
  if (!a.schema.empty()) fields["schema"] = json_or_string(a.schema);
  if (a.deciders > 1) fields["required_approvals"] = a.deciders;
  put(out, seq, "approval_required", std::move(fields));
}

void put_error(frame_writer& out, core::seq_t seq, std::string_view text) {
  put(out, seq, "error", {{"error", text}, {"message", text}});
}

}  // namespace

struct conversation_frames {
  conversation_encoder& c;
  const core::event& e;
  frame_writer& out;

  void operator()(const core::run_started&) const {
    c.text_.clear();
    c.step_text_at_ = 0;
    c.next_call_ = 0;
    c.is_call_shown_ = false;
    c.cards_shown_.clear();
    c.parked_ = false;
  }
  void operator()(const core::step_started& s) const {
    c.step_text_at_ = c.text_.size();
    put(out, e.seq, "thinking",
        {{"iteration", s.step}, {"message", "Pensando… (iteración " + std::to_string(s.step) + ")"}, {"content", ""}});
  }
  void operator()(const core::text_delta& d) const {
    c.text_ += d.pieces.text;
    std::string frame;
    std::string_view text = d.pieces.text;
    for (auto length : d.pieces.lengths) {
      frame.assign(R"({"type":"message_chunk","content":)");
      append_json_string(frame, text.substr(0, length));
      frame += '}';
      out.frame(frame, e.seq, "message_chunk");
      text.remove_prefix(length);
    }
  }
  // Its clients clear the text on the `thinking` that follows.
  void operator()(const core::message_superseded& m) const {
    if (!m.message.is_nil()) c.text_.resize(std::min(c.step_text_at_, c.text_.size()));
  }
  void operator()(const core::run_queued&) const {
    if (!c.parked_) return;
    c.encode_open_cards(out);
    c.show_done(e.seq, out);
  }
  void operator()(const core::run_completed&) const {
    c.show_message(e.seq, out);
    c.show_done(e.seq, out);
  }
  void operator()(const core::run_failed& f) const {
    if (f.code == errc::iteration_limit) {
      c.text_ += c.text_.empty() ? f.text : "\n\n" + f.text;
      c.show_message(e.seq, out);
    } else {
      put_error(out, e.seq, f.text);
    }
    c.show_done(e.seq, out);
  }
  void operator()(const core::run_cancelled&) const {
    if (!c.text_.empty()) c.show_message(e.seq, out);
    c.show_done(e.seq, out);
  }
  template <class Other>
  void operator()(const Other&) const {}
};

void conversation_encoder::encode(const core::event& e, frame_writer& out) {
  turn_.apply(e);
  // Calls and results first: the end of a turn comes after what it closes.
  show_calls(e.seq, out);
  std::visit(conversation_frames{*this, e, out}, e.payload);
  bool parks = turn_.is_parked();
  if (parks && !parked_) {
    if (!text_.empty()) show_message(e.seq, out);
    show_done(e.seq, out);
  }
  parked_ = parks;
}

void conversation_encoder::show_calls(core::seq_t seq, frame_writer& out) {
  for (; next_call_ < turn_.calls.size(); ++next_call_, is_call_shown_ = false) {
    const auto& call = turn_.calls[next_call_];
    if (!std::exchange(is_call_shown_, true))
      put(out, seq, "tool_call",
          {{"tool", call.tool}, {"arguments", json_or_string(call.input)}, {"tool_call_id", call.id.str()}});
    // A call may ask more than once: may it run, what did it do, what does it need to know.
    for (const auto& open : turn_.open_approvals)
      if (open.call == call.id && cards_shown_.insert(open.approval).second) put_card(out, seq, open);
    if (!call.settled) return;
    auto output = output_value(call.output);
    put(out, seq, "tool_result",
        {{"tool", call.tool},
         {"tool_call_id", call.id.str()},
         {"success", call.ok},
         {"result", call.ok ? std::move(output) : json::value(nullptr)},
         {"error", call.ok ? json::value(nullptr) : json::value(call.output)},
         {"arguments", json_or_string(call.input)}});
  }
}

void conversation_encoder::show_message(core::seq_t seq, frame_writer& out) {
  put(out, seq, "message", {{"content", text_}});
  text_.clear();
  step_text_at_ = 0;
}

void conversation_encoder::show_done(core::seq_t seq, frame_writer& out) {
  put(out, seq, "done", {{"iterations", turn_.step}});
}

void conversation_encoder::encode_open_cards(frame_writer& out) {
  for (const auto& open : turn_.open_approvals) put_card(out, 0, open);
}

// ---- client frames ----

namespace {

class conversation_protocol final : public client_protocol {
 public:
  conversation_protocol(client_port& port, conversation_connect connect)
      : port_(port), connect_(std::move(connect)), session_(session_of_conversation(connect_.project, connect_.conversation)) {}

  void on_open() override {
    port_.send(json::serialize(
        json::object{{"type", "connected"}, {"conversation_id", connect_.conversation}, {"message", "Conexión establecida"}}));
    if (!is_short_id(connect_.conversation)) return follow();
    // 24 hex digits are another dialect's name for a session, where there is one.
    resolving_ = true;
    port_.resolve(connect_.conversation, [this](const core::result<core::session_id>& r) {
      resolving_ = false;
      if (r) session_ = *r;
      follow();
      for (auto held = std::exchange(held_, {}); const auto& [message, is_text] : held) take(message, is_text);
    });
  }

  void on_message(std::string_view message, bool is_text) override {
    if (!resolving_) return take(message, is_text);
    constexpr std::size_t most_held = 20;
    if (held_.size() == most_held) return refuse("Too many messages before the conversation was found; slow down.");
    held_.emplace_back(message, is_text);
  }

  void on_refused(const core::error& e) override { refuse(e.text); }

 private:
  static constexpr std::string_view nothing_pending = "No approval is pending in this conversation.";

  [[nodiscard]] static bool is_short_id(std::string_view text) {
    return text.size() == 24 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  }

  void follow() {
    client_port::follow_options options;
    options.kind = encoder_kind::conversation;
    options.after = connect_.after;
    options.must_exist = false;
    options.lost = [this](const core::error& e) { refuse(e.text); };
    port_.follow(session_, std::move(options), [this](const core::result<core::session_record>& r) {
      if (!r) return refuse(r.error().text);
      exists_ = exists_ || !r->project.empty();
      port_.enter_room(session_);
    });
  }

  void take(std::string_view message, bool is_text) {
    auto frame =
        is_text ? parse_object(message) : core::error{errc::parse_error, "A text frame with a JSON object is expected."};
    if (!frame) {
      // Only undecodable frames close a socket here: its clients have no reconnect (PROTOCOLS §2).
      refuse(frame.error().text);
      return port_.close(1000, "undecodable frame");
    }
    if (const auto* type = frame->if_contains("type"); type && type->is_string() && type->get_string() == "approval_response")
      return decide(*frame);
    const auto* text = frame->if_contains("message");
    if (!text || !text->is_string() || text->get_string().empty())
      return refuse("Field \"message\" must be a non-empty string.");
    if (!exists_)
      port_.submit(session_, core::open_session{connect_.project, connect_.agent, "conversation", connect_.conversation, {}},
                   [this](const core::result<core::command_reply>& r) {
                     exists_ = exists_ || r.has_value();
                     if (!r) refuse(r.error().text);
                   });
    core::send_message command{std::string(text->get_string()), {}, core::busy_policy::queue};
    port_.submit(session_, std::move(command), [this](const core::result<core::command_reply>& r) {
      if (!r && r.error().code != errc::not_found) refuse(r.error().text);
    });
  }

  void decide(const json::object& o) {
    auto call = string_field(o, "tool_call_id");
    if (!call) return refuse(call.error().text);
    field_problem problem;
    auto given = read_decision(o, problem);
    if (!given) return refuse(to_error(problem).text);
    given->what.call = {std::move(*call)};
    const auto& d = given->what;
    bool needs_card = d.remember || !d.answer.empty() || !d.edited_input.empty() || d.choice != core::outcome_choice::none;
    if (!needs_card) return submit(std::move(given->what));
    core::list_approvals open;
    open.status = "pending";
    open.session = session_;
    open.window.limit = 100;
    port_.ask(std::move(open), [this, given = std::move(*given)](const core::result<core::answer>& r) {
      if (!r) return refuse(r.error().text);
      const auto* card = card_of(std::get<core::page<core::approval_record>>(*r).items, given.what.call);
      if (!card) return refuse(nothing_pending);
      field_problem misfit;
      auto command = decision_on(*card, given, port_.principal(), misfit);
      if (!command) return refuse(to_error(misfit).text);
      submit(std::move(*command));
    });
  }

  /// The oldest of that call, or of all.
  static const core::approval_record* card_of(const std::vector<core::approval_record>& open, const core::tool_call_id& call) {
    const core::approval_record* found = nullptr;
    for (const auto& a : open)
      if ((call.empty() || a.call == call) && (!found || a.created_at < found->created_at)) found = &a;
    return found;
  }

  void submit(core::decide_approval command) {
    port_.submit(session_, std::move(command), [this](const core::result<core::command_reply>& r) {
      if (!r) return refuse(r.error().code == errc::not_found ? nothing_pending : r.error().text);
    });
  }

  void refuse(std::string_view text) {
    port_.send(json::serialize(json::object{{"type", "error"}, {"error", text}, {"message", text}}));
  }

  client_port& port_;
  conversation_connect connect_;
  core::session_id session_;
  bool exists_ = false;
  bool resolving_ = false;
  std::vector<std::pair<std::string, bool>> held_;
};

}  // namespace

core::session_id session_of_conversation(const core::project_id& project, std::string_view conversation) {
  if (auto id = core::session_id::parse(conversation)) return *id;
  return {core::uuid_of_name(project.str() + "/conversation/" + std::string(conversation))};
}

std::unique_ptr<client_protocol> make_conversation(client_port& port, conversation_connect connect) {
  return std::make_unique<conversation_protocol>(port, std::move(connect));
}

}  // namespace troupe::transport
