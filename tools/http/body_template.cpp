#include "tools/http/body_template.hpp"

#include "tools/schema.hpp"
#include "tools/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <optional>

namespace troupe::tools {

namespace json = boost::json;

namespace {

/// `name` of `${name}`; empty: the text is no placeholder.
std::string_view name_in(std::string_view text) noexcept {
  if (!text.starts_with("${") || !text.ends_with('}')) return {};
  auto name = text.substr(2, text.size() - 3);
  return name.find_first_of("{}$") == std::string_view::npos ? name : std::string_view{};
}

std::string pointer_token(std::string_view key) {
  std::string out = "/";
  for (char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

/// What is wrong with it, or nothing.
std::optional<std::string> fault_of(const json::value& value, const std::string& place,
                                    std::set<std::string, std::less<>>& names) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object)
      if (auto fault = fault_of(member.value(), place + pointer_token(member.key()), names)) return fault;
  } else if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      if (auto fault = fault_of((*array)[i], place + "/" + std::to_string(i), names)) return fault;
  } else if (const auto* string = value.if_string()) {
    std::string_view text = *string;
    if (text.find("${") == std::string_view::npos) return std::nullopt;
    auto name = name_in(text);
    if (name.empty())
      return "body, at " + tools::quoted(place.empty() ? "/" : place) + ": " + tools::quoted(text) +
             " is no placeholder; \"${name}\" stands for a whole value, with nothing around it";
    names.emplace(name);
  }
  return std::nullopt;
}

std::optional<json::value> filled(const json::value& value, const json::object& arguments) {
  if (const auto* object = value.if_object()) {
    json::object out;
    for (const auto& member : *object)
      if (auto v = filled(member.value(), arguments)) out.emplace(member.key(), std::move(*v));
    return out;
  }
  if (const auto* array = value.if_array()) {
    json::array out;
    for (const auto& element : *array)
      if (auto v = filled(element, arguments)) out.push_back(std::move(*v));
    return out;
  }
  const auto* string = value.if_string();
  auto name = string == nullptr ? std::string_view{} : name_in(*string);
  if (name.empty()) return value;
  const auto* argument = arguments.if_contains(name);
  if (argument == nullptr) return std::nullopt;
  return *argument;
}

}  // namespace

core::result<body_template> body_template::parse(std::string_view text) {
  auto wrong = [](std::string what) { return core::error{core::errc::configuration_error, std::move(what)}; };
  auto parsed = parse_bounded(text, "the template");
  if (!parsed) return wrong("body: " + parsed.error().text);
  body_template out;
  if (auto fault = fault_of(*parsed, "", out.names_)) return wrong(std::move(*fault));
  out.body_ = std::move(*parsed);
  return out;
}

std::string body_template::fill(const json::object& arguments) const {
  auto body = filled(body_, arguments);
  return json::serialize(body ? *body : json::value(nullptr));
}

}  // namespace troupe::tools
