#include "app/mock/wire_format.hpp"

#include "providers/script.hpp"
#include "providers/wire_json.hpp"

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t max_model_name = 256;

}  // namespace

std::variant<wire_question, wire_error> wire_format::read(std::string_view body,
                                                          const std::vector<providers::tool_description>& tools) const {
  try {
    return question_of(body, tools);
  } catch (const wire_fault& f) {
    return f.why;
  }
}

wire_error wire_error_of(const providers::model_end& end) {
  using core::errc;
  wire_error out{end.retryable ? 500 : 400, end.error.text, {}};
  if (end.error.code == errc::rate_limited) out.status = 429;
  if (end.error.code == errc::timeout) out.status = 504;
  if (end.error.code == errc::auth_failed || end.error.code == errc::auth_required) out.status = 401;
  if (end.error.code == errc::forbidden) out.status = 403;
  if (end.error.code == errc::not_found) out.status = 404;
  if (end.error.code == errc::payload_too_large) out.status = 413;
  return out;
}

void for_each_piece(const core::text_pieces& pieces, const std::function<void(std::string_view)>& f) {
  const auto together = pieces.lengths.size() / max_pieces + 1;
  std::size_t begin = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < pieces.lengths.size(); ++i) {
    end += pieces.lengths[i];
    if ((i + 1) % together != 0 && i + 1 != pieces.lengths.size()) continue;
    if (end > begin) f(std::string_view(pieces.text).substr(begin, end - begin));
    begin = end;
  }
}

void for_each_argument_piece(std::string_view arguments, const std::function<void(std::string_view)>& f) {
  constexpr std::uint32_t piece = 16;
  core::text_pieces pieces;
  providers::cut_into_pieces(arguments, piece, pieces);
  for_each_piece(pieces, f);
}

void refuse(std::string place, std::string text) { throw wire_fault{{400, std::move(text), std::move(place)}}; }

json::object body_of(std::string_view body) {
  auto value = providers::object_in(body);
  if (!value.is_object()) refuse("", "the body is not a JSON object, or is nested too deep");
  auto model = providers::text_at(value.get_object(), "model");
  if (model.empty() || model.size() > max_model_name) refuse("model", "model: expected a name");
  return std::move(value.get_object());
}

const json::array& messages_of(const json::object& body) {
  const auto* messages = body.if_contains("messages");
  if (messages == nullptr || !messages->is_array() || messages->get_array().empty())
    refuse("messages", "messages: expected a list with at least one message");
  return messages->get_array();
}

const json::object& message_at(const json::array& messages, std::size_t i) {
  if (!messages[i].is_object()) refuse("messages[" + std::to_string(i) + "]", "a message is an object");
  return messages[i].get_object();
}

std::string content_text(const json::value* content, const std::string& place) {
  if (content == nullptr || content->is_null()) return {};
  if (const auto* text = content->if_string()) return std::string(*text);
  const auto* parts = content->if_array();
  if (parts == nullptr) refuse(place, place + ": expected a string or a list of parts");
  std::string out;
  for (const auto& part : *parts) {
    const auto* object = part.if_object();
    if (object == nullptr || providers::text_at(*object, "type").empty()) refuse(place, place + ": a part needs a type");
    auto text = providers::text_at(*object, "text");
    if (text.empty()) continue;
    if (!out.empty()) out += "\n\n";
    out += text;
  }
  return out;
}

bool flag_at(const json::object& body, std::string_view key) {
  const auto* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return false;
  if (!value->is_bool()) refuse(std::string(key), std::string(key) + ": expected true or false");
  return value->get_bool();
}

void finish_request(providers::model_request& request, std::vector<core::history_message> history) {
  std::vector<core::tool_call_id> open;
  auto refuse_open = [&] {
    if (!open.empty()) refuse("messages", "the tool call " + open.front().str() + " has no result right after its message");
  };
  std::uint32_t answers = 0;
  for (const auto& message : history) {
    if (message.role == core::role::tool) {
      auto at = std::find(open.begin(), open.end(), message.call);
      if (at == open.end())
        refuse("messages", "the tool result " + message.call.str() + " answers no call of the message before it");
      open.erase(at);
      continue;
    }
    refuse_open();
    for (const auto& call : message.calls) open.push_back(call.id);
    if (message.role == core::role::assistant) ++answers;
  }
  refuse_open();
  request.call_number = answers + 1;
  request.history = std::make_shared<const std::vector<core::history_message>>(std::move(history));
}

}  // namespace troupe::app
