#include "app/cli/chat.hpp"

#include "app/cli/chat_view.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/format.hpp"
#include "app/cli/help.hpp"
#include "app/cli/line_input.hpp"
#include "app/cli/live_events.hpp"
#include "app/cli/outcome.hpp"
#include "app/cli/question.hpp"
#include "app/cli/stop_request.hpp"
#include "app/scenario/rest_client.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <set>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;
using std::chrono::steady_clock;

namespace {

/// Two Ctrl-C within it leave.
constexpr std::chrono::seconds twice_within{3};
/// Messages of a session that is taken up again: so many are shown, out of so many that are looked at.
constexpr std::int64_t past_shown = 10;
constexpr std::int64_t past_read = 100;

constexpr std::string_view help =
    "  /stop            stops the answer; so does Ctrl-C\n"
    "  /approvals       asks again what waits for you\n"
    "  /cost            what this session has spent\n"
    "  /session         its id, to come back with: troupe chat --session ID\n"
    "  /quit            leaves; so do Ctrl-D and Ctrl-C twice\n"
    "  //text           sends /text\n"
    "A message that is sent while an answer comes waits for its turn.\n";

class conversation {
 public:
  conversation(const chat_options& options, remote_api server)
      : options_(options), server_(std::move(server)), view_(terminal::of_process(), options.json) {
    is_interactive_ = view_.screen().is_input && !options.json && options.message.empty();
    for (const auto& word : options.message) once_ += (once_.empty() ? "" : " ") + word;
  }

  int run();

 private:
  core::result<void> begin();
  core::result<core::seq_t> take_up();
  core::result<json::array> last_messages();
  error with_choices(error e);
  void greet(const json::object& agent);
  void on_frame(const json::object& frame);
  void on_line(const std::string& line);
  void on_command(std::string_view name);
  void on_answer(const std::string& line);
  void on_ctrl_c();
  void on_end_of_run(const std::string& run, bool is_good);
  void on_message(const json::object& frame);
  void send(const std::string& text);
  void stop_run();
  void on_stop_answered();
  void ask(json::object card);
  void close_question(const std::string& id);
  void ask_pending();
  void feed();
  void prompt();
  input_line asked_line(std::string text) const;
  core::result<double> session_cost();
  bool can_ask() const { return view_.screen().is_input && view_.screen().is_output && !options_.json; }
  /// Nothing runs, and nothing of this process waits to.
  bool is_idle() const { return !is_running_ && own_runs_.empty(); }

  chat_options options_;
  remote_api server_;
  chat_view view_;
  interrupts ctrl_c_;
  line_input input_;
  std::unique_ptr<live_events> live_;
  std::unique_ptr<stop_request> stopping_;  ///< null: none is on its way
  std::string session_;
  double budget_ = 0;
  std::string once_;
  bool is_interactive_ = false;
  bool is_running_ = false;
  std::string run_;
  std::vector<std::string> own_;    ///< clientMessageIds of this process
  std::set<std::string> own_runs_;  ///< that have not ended
  std::deque<question> questions_;
  bool is_asking_ = false;  ///< the line that is being edited answers a question
  std::string draft_;       ///< the other one
  std::optional<steady_clock::time_point> last_ctrl_c_;
  bool is_lost_ = false;
  bool is_leaving_ = false;
  int status_ = 0;
};

core::result<void> conversation::begin() {
  core::result<core::seq_t> after = take_up();
  if (!after) return after.error();
  live_ = std::make_unique<live_events>(options_, session_, *after);
  return {};
}

/// What there is, where what was asked for is not.
error conversation::with_choices(error e) {
  if (e.code != errc::not_found || !options_.session.empty()) return e;
  bool is_agent = e.text.starts_with("Agent ");
  auto all = server_.list(is_agent ? "/projects/" + percent_encoded(options_.project) + "/agents" : "/projects", 20);
  if (!all || all->items.empty()) return e;
  e.text += is_agent ? "; the agents of " + options_.project + ": " : "; the projects: ";
  for (const auto& item : all->items)
    if (item.is_object()) e.text += (e.text.ends_with(": ") ? "" : ", ") + safe_line(text_of(item.get_object(), "id"));
  return e;
}

/// Makes the session, or finds it and shows its end; the seq to go on from.
core::result<core::seq_t> conversation::take_up() {
  core::result<json::object> session = error{};
  if (options_.session.empty()) {
    auto project = server_.project_or_first(options_.project);
    if (!project) return project.error();
    options_.project = *project;
    json::object body;
    if (!options_.agent.empty()) body["agentId"] = options_.agent;
    session = server_.post("/projects/" + percent_encoded(*project) + "/sessions", body);
  } else {
    session = server_.get("/sessions/" + percent_encoded(options_.session));
  }
  if (!session) return with_choices(session.error());
  session_ = text_of(*session, "id");
  auto agent_id = text_of(*session, "agentId");
  view_.set_agent(agent_id);
  auto agent =
      server_.get("/projects/" + percent_encoded(text_of(*session, "projectId")) + "/agents/" + percent_encoded(agent_id));
  if (agent) {
    if (auto name = text_of(*agent, "name"); !name.empty()) view_.set_agent(name);
    budget_ = number_of(object_of(*agent, "limits"), "budgetUsd");
  }
  greet(agent ? *agent : json::object{});
  auto after = static_cast<core::seq_t>(integer_of(*session, "lastSeq"));
  if (!is_interactive_) return after;
  auto all = last_messages();
  if (!all) return all.error();
  auto runs = server_.list("/sessions/" + session_ + "/traces", 1);
  if (!runs) return runs.error();
  // A run that goes on is shown from its beginning, out of the log: its messages are not shown as past.
  std::string live_run;
  if (!runs->items.empty() && text_of(runs->items.front().get_object(), "endedAt").empty())
    live_run = text_of(runs->items.front().get_object(), "runId");
  std::vector<const json::object*> past;
  for (const auto& v : *all) {
    if (!v.is_object()) continue;
    const auto& m = v.get_object();
    if (!live_run.empty() && text_of(m, "runId") == live_run)
      after = std::min(after, static_cast<core::seq_t>(std::max<std::int64_t>(integer_of(m, "seq"), 1) - 1));
    else
      past.push_back(&m);
  }
  auto shown = std::min<std::size_t>(past.size(), past_shown);
  for (auto it = past.end() - static_cast<std::ptrdiff_t>(shown); it != past.end(); ++it) view_.show_past(**it);
  for (const auto* m : past)
    if (input_.editor() && text_of(*m, "role") == "user") input_.editor()->remember(text_of(*m, "content"));
  return after;
}

core::result<json::array> conversation::last_messages() {
  auto path = "/sessions/" + session_ + "/messages";
  auto count = server_.get(path + "?limit=1");
  if (!count) return count.error();
  auto offset = std::max<std::int64_t>(0, integer_of(*count, "total") - past_read);
  auto last = server_.get(path + "?limit=" + std::to_string(past_read) + "&offset=" + std::to_string(offset));
  if (!last) return last.error();
  return array_of(*last, "items");
}

void conversation::greet(const json::object& agent) {
  if (!is_interactive_) return;
  const auto& to = view_.screen();
  view_.lines(to.styled(style::bold, safe_line(view_.agent())) +
              to.styled(style::dim, " at " + safe_line(server_.url()) + ", session " + session_) + "\n" +
              to.styled(style::dim, "Type a message. /help tells more. Ctrl-C stops an answer, twice leaves.") + "\n");
  if (!options_.session.empty()) return;
  std::string starters;
  for (const auto& item : array_of(agent, "starters"))
    if (item.is_string()) starters += (starters.empty() ? "To begin with: " : " · ") + safe_line(item.get_string());
  if (!starters.empty()) view_.lines(to.styled(style::dim, wrapped(starters, to.width)) + "\n");
}

core::result<double> conversation::session_cost() {
  auto session = server_.get("/sessions/" + session_);
  if (!session) return session.error();
  return number_of(object_of(*session, "usage"), "cost");
}

void conversation::ask(json::object card) {
  question q(std::move(card));
  if (std::any_of(questions_.begin(), questions_.end(), [&](const question& other) { return other.id() == q.id(); })) return;
  if (!options_.json) view_.lines(q.text(view_.screen()));
  if (can_ask()) {
    input_.begin_editing();
    questions_.push_back(std::move(q));
    return;
  }
  status_ = failed({errc::busy, "a decision is needed: troupe approvals decide " + q.id() +
                                    " --approve (or --deny); then go on with troupe chat --session " + session_},
                   options_.json);
  is_leaving_ = true;
}

void conversation::close_question(const std::string& id) {
  // An answer that was begun is no answer to the next one.
  if (is_asking_ && !questions_.empty() && questions_.front().id() == id && input_.editor()) input_.editor()->replace({});
  std::erase_if(questions_, [&](const question& q) { return q.id() == id; });
}

/// Those that were left open, too.
void conversation::ask_pending() {
  auto all = server_.list("/approvals?status=pending&sessionId=" + session_, 20);
  if (!all) return view_.note("! " + all.error().text, style::red);
  if (all->items.empty()) return view_.note("nothing waits for a decision");
  // Oldest first, as they were asked.
  for (auto it = all->items.rbegin(); it != all->items.rend(); ++it) ask(it->get_object());
}

void conversation::on_end_of_run(const std::string& run, bool is_good) {
  bool was_own = own_runs_.erase(run) != 0;
  if (run == run_) is_running_ = false;
  if (is_good) return;
  questions_.clear();
  if (!is_interactive_ && was_own) status_ = 1;
}

void conversation::on_message(const json::object& frame) {
  if (options_.json) return view_.show(frame);
  auto id = text_of(frame, "clientMessageId");
  bool is_own = !id.empty() && std::find(own_.begin(), own_.end(), id) != own_.end();
  if (is_own || !is_interactive_ || text_of(frame, "role") != "user") return;
  auto name = text_of(frame, "authorName");
  view_.said(name.empty() ? "(from elsewhere)" : name, text_of(frame, "content"));
}

void conversation::on_frame(const json::object& frame) {
  auto type = text_of(frame, "type");
  if (type == "message.created") return on_message(frame);
  if (type == "run.started") {
    is_running_ = true;
    run_ = text_of(frame, "runId");
  }
  // In a pipe, what others ask meanwhile is not the answer.
  bool is_meant = is_interactive_ || own_runs_.count(run_) != 0 || own_runs_.count(text_of(frame, "runId")) != 0;
  if (is_meant || options_.json) view_.show(frame);
  if (type == "message.approval_required" && is_meant) return ask(frame);
  if (type == "approval.decided") return close_question(text_of(frame, "approvalId"));
  if (type == "run.cancelled" || (type == "error" && frame.contains("runId")))
    return on_end_of_run(text_of(frame, "runId"), false);
  if (type != "message.complete") return;
  on_end_of_run(run_, true);
  if (options_.json || !is_meant) return;
  auto total = session_cost();
  view_.cost(object_of(frame, "usage"), total ? *total : number_of(object_of(frame, "usage"), "cost"), budget_);
}

void conversation::send(const std::string& text) {
  auto id = "troupe-chat-" + session_ + "-" + std::to_string(own_.size()) + "-" +
            std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  own_.push_back(id);
  auto sent = server_.post("/sessions/" + session_ + "/messages", {{"content", text}, {"clientMessageId", id}});
  if (sent) {
    own_runs_.insert(text_of(*sent, "runId"));
    return;
  }
  if (!is_interactive_) {
    status_ = failed(sent.error(), options_.json);
    is_leaving_ = true;
    return;
  }
  view_.note("! not sent: " + sent.error().text, style::red);
}

void conversation::stop_run() {
  if (!stopping_) stopping_ = std::make_unique<stop_request>(options_, session_);
}

void conversation::on_stop_answered() {
  auto failure = stopping_->failure();
  stopping_.reset();
  // It may have ended by itself meanwhile.
  if (failure && failure->code != errc::not_found) view_.note("! not stopped: " + failure->text, style::red);
}

void conversation::on_command(std::string_view name) {
  if (name == "/help") return view_.lines(help);
  if (name == "/stop") return is_running_ ? stop_run() : view_.note("nothing runs");
  if (name == "/approvals") return ask_pending();
  if (name == "/session") return view_.note(session_);
  if (name == "/cost") {
    auto cost = session_cost();
    if (!cost) return view_.note("! " + cost.error().text, style::red);
    return view_.note("session " + money(*cost) + (budget_ > 0 ? " of " + money(budget_) : ""));
  }
  if (name == "/quit" || name == "/exit") {
    is_leaving_ = true;
    return;
  }
  view_.note("there is no " + std::string(name) + "; /help lists what there is");
}

void conversation::on_answer(const std::string& line) {
  auto& q = questions_.front();
  auto reply = q.take(line);
  if (!reply.shown.empty()) view_.lines(reply.shown);
  if (!reply.complaint.empty()) view_.note(reply.complaint);
  if (!reply.draft.empty() && input_.editor())
    input_.editor()->replace(std::move(reply.draft));
  else if (!reply.draft.empty() && reply.complaint.empty())
    view_.note("now: " + reply.draft);
  if (reply.is == question::reply::what::more) return;
  if (reply.is == question::reply::what::later) {
    view_.note("left open; /approvals asks again");
    questions_.pop_front();
    return;
  }
  auto decided = server_.post("/approvals/" + percent_encoded(q.id()) + "/decide", reply.body);
  if (decided) {
    questions_.pop_front();
    return;
  }
  view_.note("! " + decided.error().text, style::red);
  if (decided.error().code == errc::validation_error)
    q.start_over();
  else
    questions_.pop_front();
}

void conversation::on_line(const std::string& line) {
  if (input_.editor())
    view_.entered(asked_line(line));
  else
    view_.entered();
  last_ctrl_c_.reset();
  if (!questions_.empty()) return on_answer(line);
  if (input_.editor()) input_.editor()->remember(line);
  if (line.find_first_not_of(" \t") == std::string::npos) return;
  if (is_interactive_ && line.starts_with("//")) return send(line.substr(1));
  if (is_interactive_ && line.starts_with('/'))
    return on_command(std::string_view(line).substr(0, line.find_last_not_of(" \t") + 1));
  send(line);
}

void conversation::on_ctrl_c() {
  auto now = steady_clock::now();
  bool is_second = last_ctrl_c_ && now - *last_ctrl_c_ < twice_within;
  last_ctrl_c_ = now;
  if (is_second || (!is_interactive_ && !is_running_)) {
    if (is_running_) view_.note("the answer goes on in the server; come back with: troupe chat --session " + session_);
    if (!is_interactive_) status_ = 1;
    is_leaving_ = true;
    return;
  }
  if (is_running_) return stop_run();
  if (auto* editor = input_.editor(); editor && !editor->text().empty()) {
    view_.entered(asked_line(editor->replace({}) + "^C"));
    last_ctrl_c_.reset();
    return;
  }
  view_.note("Ctrl-C again leaves");
}

/// The next of what was given on the command line or in a pipe, when the one before it is done.
void conversation::feed() {
  if (is_interactive_ || !is_idle() || is_leaving_ || (!questions_.empty())) return;
  if (!options_.message.empty()) {
    if (own_.empty() && once_ != "-") return send(once_);
    if (own_.empty() && input_.is_open()) return;
    if (own_.empty() && !input_.whole().empty()) return send(input_.whole());
    if (own_.empty()) status_ = failed({errc::validation_error, "there is no message on stdin"}, options_.json);
    is_leaving_ = true;
    return;
  }
  if (auto line = input_.next())
    on_line(*line);
  else if (!input_.is_open())
    is_leaving_ = true;
}

input_line conversation::asked_line(std::string text) const {
  auto size = text.size();
  if (!questions_.empty()) return {questions_.front().prompt(), style::yellow, std::move(text), size};
  return {"you> ", style::green, std::move(text), size};
}

void conversation::prompt() {
  if (auto* editor = input_.editor()) {
    // What was being typed is a message, not the answer to a question that came in between.
    bool was_asking = std::exchange(is_asking_, !questions_.empty());
    if (was_asking != is_asking_) {
      auto typed = editor->replace(std::exchange(draft_, {}));
      if (is_asking_) draft_ = std::move(typed);
    }
    if (editor->take_clear_screen()) view_.clear_screen();
    bool is_shown = is_asking_ || (is_interactive_ && (is_idle() || !editor->text().empty()));
    if (!is_shown) return view_.no_input();
    auto line = asked_line(editor->text());
    line.cursor = editor->cursor();
    return view_.input(line, is_asking_ || is_idle());
  }
  if (!questions_.empty()) return view_.prompt(view_.screen().styled(style::yellow, questions_.front().prompt()));
  if (is_interactive_ && is_idle()) view_.prompt(view_.screen().styled(style::green, "you> "));
}

int conversation::run() {
  bool reads_whole = once_ == "-";
  if (is_interactive_ && view_.screen().is_output) input_.begin_editing();
  if (auto begun = begin(); !begun) return failed(begun.error(), options_.json);
  if (reads_whole) input_.read_whole();
  bool needs_input = options_.message.empty() || reads_whole || can_ask();
  feed();
  prompt();
  while (!is_leaving_) {
    std::array<pollfd, 4> ready{{{live_->fd(), POLLIN, 0},
                                 {ctrl_c_.fd(), POLLIN, 0},
                                 {needs_input && input_.is_open() ? input_.fd() : -1, POLLIN, 0},
                                 {stopping_ ? stopping_->fd() : -1, POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), -1);
    if (ctrl_c_.take()) on_ctrl_c();
    if (stopping_ && (ready[3].revents & POLLIN) != 0) on_stop_answered();
    if ((ready[2].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0) input_.read();
    // Before what has come meanwhile: nobody answers a question that was not on the screen yet.
    while (is_interactive_ || !questions_.empty()) {
      auto line = input_.next();
      if (!line) break;
      on_line(*line);
    }
    for (const auto& frame : live_->take()) on_frame(frame);
    if (auto failure = live_->failure()) {
      view_.no_input();
      return failed(*failure, options_.json);
    }
    if (live_->is_lost() != is_lost_) {
      is_lost_ = !is_lost_;
      view_.note(is_lost_ ? "the connection is lost; trying again" : "connected again", style::yellow);
    }
    if (is_interactive_ && !input_.is_open()) is_leaving_ = true;
    if (view_.is_broken()) {
      // Nobody reads the answers: no more is asked.
      status_ = 1;
      is_leaving_ = true;
    }
    feed();
    if (!is_leaving_) prompt();
  }
  if (is_interactive_)
    view_.lines(view_.screen().styled(style::dim, "come back with: troupe chat --session " + session_) + "\n");
  return status_;
}

}  // namespace

int chat(const chat_options& options) {
  if (!options.message.empty() && std::all_of(options.message.begin(), options.message.end(), [](const std::string& word) {
        return word.find_first_not_of(" \t\n") == std::string::npos;
      }))
    return wrong_usage({errc::validation_error, "the message is empty; `-` reads one from stdin"}, options.json);
  auto server = remote_api::open(options);
  if (!server) return failed(server.error(), options.json);
  return conversation(options, std::move(*server)).run();
}

}  // namespace troupe::app
