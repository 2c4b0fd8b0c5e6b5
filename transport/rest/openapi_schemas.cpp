#include "transport/rest/openapi_schemas.hpp"

#include "core/error.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;

namespace {

struct named_type {
  std::string_view name;
  std::string_view type;
  std::string_view format;
  std::string_view pattern;
};
constexpr std::array named_types{
    named_type{"string", "string", {}, {}},
    named_type{"integer", "integer", {}, {}},
    named_type{"number", "number", {}, {}},
    named_type{"boolean", "boolean", {}, {}},
    named_type{"object", "object", {}, {}},
    named_type{"any", {}, {}, {}},
    named_type{"uuid", "string", "uuid", {}},
    named_type{"time", "string", "date-time", {}},
    named_type{"date", "string", "date", {}},
    named_type{"trace", "string", {}, "^[0-9a-f]{32}$"},
    named_type{"chatid", "string", {}, "^[0-9a-f]{24}$"},
};

json::object reference_to(std::string_view schema) { return {{"$ref", "#/components/schemas/" + std::string(schema)}}; }

json::object one_of_these(std::string_view words) {
  json::array values;
  while (!words.empty()) {
    auto end = std::min(words.find('|'), words.size());
    values.push_back(json::string(words.substr(0, end)));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return {{"type", "string"}, {"enum", std::move(values)}};
}

json::object plain_type(std::string_view word) {
  if (word.starts_with('=')) return {{"const", word.substr(1)}};
  if (word.find('|') != word.npos) return one_of_these(word);
  if (!word.empty() && word.front() >= 'A' && word.front() <= 'Z') return reference_to(word);
  for (const auto& known : named_types) {
    if (known.name != word) continue;
    json::object out;
    if (!known.type.empty()) out["type"] = known.type;
    if (!known.format.empty()) out["format"] = known.format;
    if (!known.pattern.empty()) out["pattern"] = known.pattern;
    return out;
  }
  throw std::invalid_argument("openapi: not a type: " + std::string(word));
}

json::object or_null(json::object schema) {
  if (schema.empty()) return schema;
  auto* type = schema.if_contains("type");
  if (!type) return {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
  *type = json::array{*type, "null"};
  if (auto* values = schema.if_contains("enum")) values->as_array().emplace_back(nullptr);
  return schema;
}

json::object typed(std::string_view word) {
  if (word.ends_with('?')) return or_null(typed(word.substr(0, word.size() - 1)));
  if (word.ends_with("[]")) return {{"type", "array"}, {"items", typed(word.substr(0, word.size() - 2))}};
  return plain_type(word);
}

json::object expanded_text(std::string_view text) {
  auto end = std::min(text.find(' '), text.size());
  auto out = typed(text.substr(0, end));
  if (end < text.size()) out["description"] = text.substr(end + 1);
  return out;
}

const json::value* members_of(const json::object& o) {
  const auto* record = o.if_contains("record");
  return record ? record : o.if_contains("input");
}

void add_members(json::object& out, const json::object& shorthand, const json::object& all) {
  if (const auto* base = shorthand.if_contains("extends"))
    add_members(out, all.at(std::string_view(base->as_string())).as_object(), all);
  for (const auto& [key, value] : members_of(shorthand)->as_object()) {
    std::string_view name = key;
    bool is_optional = name.ends_with('?');
    if (is_optional) name.remove_suffix(1);
    out["properties"].as_object()[name] = expanded_schema(value, all);
    if (!is_optional) out["required"].as_array().emplace_back(name);
  }
}

bool holds_schemas(std::string_view keyword) { return keyword == "oneOf" || keyword == "anyOf" || keyword == "allOf"; }

json::object expanded_object(const json::object& shorthand, const json::object& all) {
  json::object out;
  if (members_of(shorthand)) {
    out = {{"type", "object"}, {"properties", json::object()}, {"required", json::array()}};
    add_members(out, shorthand, all);
    if (out.at("required").as_array().empty()) out.erase("required");
    if (shorthand.contains("record")) out["additionalProperties"] = false;
  }
  for (const auto& [key, value] : shorthand) {
    if (key == "record" || key == "input" || key == "extends") continue;
    if (holds_schemas(key)) {
      json::array parts;
      for (const auto& part : value.as_array()) parts.push_back(expanded_schema(part, all));
      out[key] = std::move(parts);
    } else {
      out[key] = key == "items" || key == "additionalProperties" ? expanded_schema(value, all) : value;
    }
  }
  return out;
}

/// `message.tool_start` is EventMessageToolStart.
std::string event_schema_name(std::string_view type) {
  std::string out = "Event";
  bool is_start = true;
  for (char c : type) {
    if (c != '.' && c != '_') out += is_start ? static_cast<char>(c - 'a' + 'A') : c;
    is_start = c == '.' || c == '_';
  }
  return out;
}

void add_events(json::object& out, const json::object& all) {
  json::array choices;
  json::object mapping;
  const auto events = json::parse(openapi_event_schemas());
  for (const auto& [type, written] : events.as_object()) {
    auto shorthand = written.as_object();
    json::object members{{"type", "=" + std::string(type)}};
    for (const auto& [name, value] : shorthand.at("record").as_object()) members[name] = value;
    shorthand["record"] = std::move(members);
    auto name = event_schema_name(type);
    choices.push_back(reference_to(name));
    mapping[type] = "#/components/schemas/" + name;
    out[name] = expanded_schema(shorthand, all);
  }
  out["Event"] = {
      {"description", "An event of a session. `seq` increases within the session; events that are not stored have none."},
      {"oneOf", std::move(choices)},
      {"discriminator", {{"propertyName", "type"}, {"mapping", std::move(mapping)}}}};
}

json::object error_codes() {
  json::array codes;
  for (int i = 1; i < core::errc_count; ++i) codes.push_back(json::string(core::to_string(static_cast<core::errc>(i))));
  return {{"type", "string"}, {"enum", std::move(codes)}};
}

}  // namespace

json::value expanded_schema(const json::value& shorthand, const json::object& all) {
  if (shorthand.is_string()) return expanded_text(shorthand.get_string());
  if (shorthand.is_object()) return expanded_object(shorthand.get_object(), all);
  return shorthand;
}

json::object openapi_schemas() {
  json::object all;
  for (auto text : {openapi_session_schemas(), openapi_approval_schemas(), openapi_server_schemas(), openapi_dialect_schemas(),
                    openapi_scenario_schemas()}) {
    const auto some = json::parse(text);
    for (const auto& [name, shorthand] : some.as_object())
      if (!all.emplace(name, shorthand).second) throw std::invalid_argument("openapi: two schemas named " + std::string(name));
  }
  json::object out;
  for (const auto& [name, shorthand] : all) out[name] = expanded_schema(shorthand, all);
  add_events(out, all);
  out["ErrorCode"] = error_codes();
  return out;
}

}  // namespace troupe::transport
