// The calls of a session: begin, progress, questions of the server in both eras, the end.
#include "tools/mcp/session.hpp"
#include "tools/schema.hpp"
#include "tools/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace troupe::tools::mcp {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_rounds = 10;
constexpr std::size_t max_open_questions = 8;
constexpr std::size_t max_reports = 1'000;  // of progress, of one call; the rest is dropped
constexpr std::size_t max_report = 1'000;
constexpr std::size_t max_question = 4'000;
constexpr std::size_t max_form = 64 << 10;
constexpr std::size_t max_url = 2'000;
constexpr std::string_view no_fields = R"({"type":"object","properties":{}})";

bool is_web_address(std::string_view url) {
  return (url.starts_with("https://") || url.starts_with("http://")) && url.size() <= max_url &&
         std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::string_view host_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  return url;
}

json::object action(std::string_view what) {
  json::object out;
  out.emplace("action", what);
  return out;
}

/// Without the exponent that JSON would have.
std::string number_text(const json::value& v) {
  std::array<char, 40> out{};
  auto size = std::snprintf(out.data(), out.size(), "%.10g", v.to_number<double>());
  return {out.data(), static_cast<std::size_t>(size)};
}

}  // namespace

session::call* session::call_of(std::int64_t id) {
  for (auto& [key, c] : calls_)
    if (c.id == id) return &c;
  return nullptr;
}

void session::send_call(call& c) {
  json::object meta = c.request.meta;
  json::object params;
  params.emplace("name", c.request.tool);
  params.emplace("arguments", c.request.arguments);
  if (!c.answers.empty()) params.emplace("inputResponses", std::exchange(c.answers, {}));
  if (c.state) params.emplace("requestState", *std::exchange(c.state, {}));
  meta.emplace("progressToken", last_id_ + 1);  // the id of the request: never the same twice
  params.emplace("_meta", std::move(meta));
  c.id = send_request(purpose::call, "tools/call", std::move(params), &c);
}

void session::begin(call_request request) {
  auto key = request.key;
  auto& c = calls_[key];
  c.request = std::move(request);
  send_call(c);
}

void session::cancel(std::uint64_t key) {
  auto found = calls_.find(key);
  if (found == calls_.end()) return;
  auto c = std::move(found->second);
  calls_.erase(found);
  for (auto& open : c.open)
    if (!open.peer_id.is_null()) send_raw(result_text(std::move(open.peer_id), action("cancel")), "elicitation/create");
  if (requests_.erase(c.id) == 0) return;
  if (options_.is_http) out_.abandon.push_back(c.id);
  if (options_.is_http && era_ == era::modern) return;  // closing the stream says it
  json::object params;
  params.emplace("requestId", c.id);
  params.emplace("reason", "the caller gave the call up");
  send_notification("notifications/cancelled", std::move(params));
}

void session::end_call(call& c, call_event::kind how, std::string text, json::object result) {
  auto key = c.request.key;
  for (auto& open : c.open)
    if (!open.peer_id.is_null()) send_raw(result_text(std::move(open.peer_id), action("cancel")), "elicitation/create");
  calls_.erase(key);
  call_event event;
  event.key = key;
  event.is = how;
  event.text = std::move(text);
  event.result = std::move(result);
  out_.calls.push_back(std::move(event));
}

void session::on_call_result(call& c, message m) {
  auto type = text_at(m.result, "resultType");
  if (type == "input_required") return on_input_required(c, m.result);
  if (!type.empty() && type != "complete")
    return end_call(c, call_event::kind::lost, "it answered with a result of the unknown type " + quoted(type, 40));
  end_call(c, call_event::kind::result, {}, std::move(m.result));
}

void session::on_progress(const json::object& params) {
  const auto* token = params.if_contains("progressToken");
  if (token == nullptr || !token->is_int64()) return;
  auto* c = call_of(token->get_int64());
  if (c == nullptr || ++c->reports > max_reports) return;
  std::string text;
  if (const auto* done = params.if_contains("progress"); done != nullptr && done->is_number()) text = number_text(*done);
  if (const auto* total = params.if_contains("total"); total != nullptr && total->is_number())
    text += " of " + number_text(*total);
  if (auto said = readable(text_at(params, "message"), max_report); !said.empty()) text += (text.empty() ? "" : ": ") + said;
  if (text.empty()) return;
  call_event event;
  event.key = c->request.key;
  event.is = call_event::kind::progress;
  event.text = std::move(text);
  out_.calls.push_back(std::move(event));
}

// ---- questions ----

core::result<session::asked> session::question_of(const json::object& params) const {
  asked out;
  auto mode = text_at(params, "mode");
  out.ask.text =
      "The MCP server " + tools::quoted(options_.server) + " asks: " + readable(text_at(params, "message"), max_question);
  if (mode == "url") {
    auto url = text_at(params, "url");
    if (!is_web_address(url))
      return error{errc::validation_error,
                   "`url` must be an http or https address of at most " + std::to_string(max_url) + " ASCII characters"};
    out.is_url = true;
    out.ask.text +=
        "\nIt wants a person to open a page of " + quoted(host_of(url), 200) + " and to confirm here: " + std::string(url);
    out.ask.schema = no_fields;
    return out;
  }
  if (!mode.empty() && mode != "form") return error{errc::validation_error, "modes are `form` and `url`"};
  const auto* form = object_at(params, "requestedSchema");
  if (form == nullptr) return error{errc::validation_error, "`requestedSchema` is missing"};
  out.ask.schema = json::serialize(*form);
  if (out.ask.schema.size() > max_form)
    return error{errc::validation_error, "`requestedSchema` has more than " + std::to_string(max_form) + " bytes"};
  if (auto compiled = schema::compile(out.ask.schema); !compiled)
    return error{errc::validation_error, "`requestedSchema`: " + compiled.error().text};
  return out;
}

void session::ask_next(call& c) {
  if (c.is_asking || c.open.empty()) return;
  c.is_asking = true;
  call_event event;
  event.key = c.request.key;
  event.is = call_event::kind::question;
  event.ask = c.open.front().ask;
  out_.calls.push_back(std::move(event));
}

void session::on_input_required(call& c, const json::object& result) {
  if (++c.rounds > max_rounds)
    return end_call(c, call_event::kind::refused, "it asked for more input " + std::to_string(max_rounds) + " times");
  c.id = 0;
  if (const auto* state = result.if_contains("requestState")) c.state = *state;
  const auto* wanted = object_at(result, "inputRequests");
  if (wanted == nullptr || wanted->empty()) {
    if (!c.state) return end_call(c, call_event::kind::refused, "it asked for input without saying which");
    return send_call(c);
  }
  if (wanted->size() > max_open_questions)
    return end_call(c, call_event::kind::refused,
                    "it asked more than " + std::to_string(max_open_questions) + " questions at once");
  for (const auto& one : *wanted) {
    const auto* request = one.value().if_object();
    auto method = request == nullptr ? std::string_view() : text_at(*request, "method");
    if (method != "elicitation/create")
      return end_call(c, call_event::kind::refused,
                      "it asked its client for " + quoted(method) + ", which this server does not offer");
    const auto* params = object_at(*request, "params");
    auto question =
        params == nullptr ? core::result<asked>(error{errc::validation_error, "`params` is missing"}) : question_of(*params);
    if (!question) return end_call(c, call_event::kind::refused, "it asked something wrong: " + question.error().text);
    question->name = one.key();
    c.open.push_back(std::move(*question));
  }
  ask_next(c);
}

void session::answer(std::uint64_t key, tools::answer a) {
  auto found = calls_.find(key);
  if (found == calls_.end() || !found->second.is_asking) return;
  auto& c = found->second;
  auto question = std::move(c.open.front());
  c.open.pop_front();
  c.is_asking = false;
  auto said = action(a.accepted ? "accept" : "decline");
  if (a.accepted && !question.is_url) said.emplace("content", std::move(a.content));
  if (!question.peer_id.is_null()) {
    send_raw(result_text(std::move(question.peer_id), std::move(said)), "elicitation/create");
  } else {
    c.answers.emplace(question.name, std::move(said));
    if (c.open.empty()) return send_call(c);
  }
  ask_next(c);
}

/// Legacy stdio does not say for which call a question is. One of another owner must not see it.
session::call* session::call_to_ask(std::int64_t origin) {
  if (origin != 0)
    if (auto* c = call_of(origin)) return c;
  if (calls_.empty()) return nullptr;
  const auto& owner = calls_.begin()->second.request.owner;
  for (const auto& [key, c] : calls_)
    if (c.request.owner != owner) return nullptr;
  return &calls_.rbegin()->second;
}

void session::on_peer_request(message m, std::int64_t origin) {
  if (options_.is_http && era_ == era::modern) return;  // not allowed there, and neither are answers
  if (m.method == "ping") return send_raw(result_text(std::move(m.peer_id), {}), m.method);
  if (m.method != "elicitation/create" || phase_ != phase::ready)
    return send_raw(error_text(std::move(m.peer_id), rpc::method_not_found, "this client does not offer " + m.method),
                    m.method);
  auto* c = call_to_ask(origin);
  if (c == nullptr || c->open.size() >= max_open_questions) {
    out_.notes.push_back(c == nullptr ? "asked a person something, and it is not clear for which call; the answer was `cancel`"
                                      : "asks too many questions at once; the answer was `cancel`");
    return send_raw(result_text(std::move(m.peer_id), action("cancel")), m.method);
  }
  auto question = question_of(m.params);
  if (!question) return send_raw(error_text(std::move(m.peer_id), rpc::invalid_params, question.error().text), m.method);
  question->peer_id = std::move(m.peer_id);
  c->open.push_back(std::move(*question));
  ask_next(*c);
}

}  // namespace troupe::tools::mcp
