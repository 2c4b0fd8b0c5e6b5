#include "providers/websocket_message.hpp"

#include "providers/attachments.hpp"
#include "providers/wire_json.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace troupe::providers {

namespace json = boost::json;

namespace {

json::string content_of(const core::history_message& message, const model_request& request) {
  auto out = message.content;
  for (const auto& file : message.attachments) {
    auto [use, data] = given(file, request);
    if (!out.empty()) out += "\n\n";
    out += use == attachment_use::text ? inlined(file, *data) : described(file);
  }
  return text_of(out);
}

struct filled_request {
  const model_request& request;
  bool history_has_instructions;
};
using filled_value = std::optional<json::value>;

const core::history_message* newest(const model_request& request) {
  return request.history && !request.history->empty() ? &request.history->back() : nullptr;
}

filled_value content(const filled_request& from) {
  const auto* message = newest(from.request);
  return message == nullptr ? json::value("") : json::value(content_of(*message, from.request));
}

filled_value history(const filled_request& from) {
  json::array out;
  if (from.history_has_instructions && !from.request.instructions.empty())
    out.push_back(json::object{{"role", "system"}, {"content", text_of(from.request.instructions)}});
  const auto* last = newest(from.request);
  if (last == nullptr) return out;
  for (const auto& message : *from.request.history) {
    if (&message == last) break;
    auto text = content_of(message, from.request);
    // A call of a tool that came without a text: this API has no tools.
    if (text.empty() && message.role == core::role::assistant) continue;
    out.push_back(json::object{{"role", core::to_string(message.role)}, {"content", std::move(text)}});
  }
  return out;
}

filled_value temperature(const filled_request& from) {
  if (!from.request.temperature) return std::nullopt;
  return json::value(*from.request.temperature);
}

struct placeholder {
  std::string_view text;
  filled_value (*value)(const filled_request& from);
};
constexpr std::string_view instructions_text = "${instructions}";
constexpr std::array placeholders{
    placeholder{"${content}", content},
    placeholder{"${history}", history},
    placeholder{instructions_text,
                [](const filled_request& from) -> filled_value { return text_of(from.request.instructions); }},
    placeholder{"${model}", [](const filled_request& from) -> filled_value { return text_of(from.request.model); }},
    placeholder{"${thread_id}", [](const filled_request& from) -> filled_value { return text_of(from.request.session.str()); }},
    placeholder{"${temperature}", temperature},
    placeholder{"${max_tokens}", [](const filled_request& from) -> filled_value { return from.request.max_output_tokens; }},
};

const placeholder* find_placeholder(std::string_view text) {
  auto at = std::find_if(placeholders.begin(), placeholders.end(), [&](const auto& p) { return p.text == text; });
  return at == placeholders.end() ? nullptr : &*at;
}

std::string known_placeholders() {
  std::string out;
  for (const auto& p : placeholders) out.append(out.empty() ? "" : ", ").append(p.text);
  return out;
}

/// What is wrong with it, or nothing. `used` learns whether the instructions have a place of their own.
std::optional<std::string> fault_of(const json::value& value, bool& used) {
  if (auto* object = value.if_object()) {
    for (const auto& member : *object)
      if (auto fault = fault_of(member.value(), used)) return fault;
  } else if (auto* array = value.if_array()) {
    for (const auto& element : *array)
      if (auto fault = fault_of(element, used)) return fault;
  } else if (auto* string = value.if_string()) {
    std::string_view text = *string;
    used = used || text == instructions_text;
    if (text.find("${") != std::string_view::npos && find_placeholder(text) == nullptr)
      return "\"" + std::string(text.substr(0, 80)) + "\" is no placeholder; one stands for a whole value and is one of " +
             known_placeholders();
  }
  return std::nullopt;
}

filled_value filled(const json::value& value, const filled_request& from) {
  if (auto* object = value.if_object()) {
    json::object out;
    for (const auto& member : *object)
      if (auto v = filled(member.value(), from)) out.emplace(member.key(), std::move(*v));
    return out;
  }
  if (auto* array = value.if_array()) {
    json::array out;
    for (const auto& element : *array)
      if (auto v = filled(element, from)) out.push_back(std::move(*v));
    return out;
  }
  const auto* string = value.if_string();
  const auto* found = string == nullptr ? nullptr : find_placeholder(*string);
  return found == nullptr ? filled_value(value) : found->value(from);
}

}  // namespace

core::result<message_template> message_template::parse(std::string_view text) {
  auto wrong = [](std::string words) { return core::error{core::errc::configuration_error, std::move(words)}; };
  auto body = object_in(text.empty() ? default_message_template : text);
  if (!body.is_object()) return wrong("expected a JSON object, such as " + std::string(default_message_template));
  bool has_instructions = false;
  if (auto fault = fault_of(body, has_instructions)) return wrong(std::move(*fault));
  return message_template(std::move(body), has_instructions);
}

std::string message_template::fill(const model_request& request) const {
  return json::serialize(*filled(body_, {request, !has_instructions_}));
}

}  // namespace troupe::providers
