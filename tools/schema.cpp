#include "tools/schema.hpp"

#include "tools/text.hpp"

#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::array unchecked_keywords{"pattern", "format", "contentEncoding", "contentMediaType"};
constexpr std::array maps_of_schemas{"properties", "definitions", "$defs", "dependentSchemas"};
constexpr std::size_t max_findings = 3;

/// Walks schemas only: a property that is called `pattern` is not the keyword.
void drop_unchecked_keywords(json::value& value) {
  if (auto* list = value.if_array()) {
    for (auto& item : *list) drop_unchecked_keywords(item);
    return;
  }
  auto* object = value.if_object();
  if (!object) return;
  for (const char* keyword : unchecked_keywords) object->erase(keyword);
  if (object->erase("patternProperties") > 0) object->erase("additionalProperties");
  for (auto& member : *object) {
    auto key = member.key();
    if (key == "enum" || key == "const" || key == "default" || key == "examples") continue;
    bool is_map = false;
    for (const char* name : maps_of_schemas) is_map = is_map || key == name;
    if (!is_map)
      drop_unchecked_keywords(member.value());
    else if (auto* schemas = member.value().if_object())
      for (auto& s : *schemas) drop_unchecked_keywords(s.value());
  }
}

/// True where following `$ref` and the keywords that apply a schema to the same value comes back to where it began:
/// valijson would never end. `seen` holds false while a node is on the way, true once it is known to end.
bool refers_to_itself(const json::value& node, const json::value& root, std::map<const json::value*, bool>& seen) {
  if (const auto* list = node.if_array())
    return std::any_of(list->begin(), list->end(), [&](const auto& item) { return refers_to_itself(item, root, seen); });
  const auto* object = node.if_object();
  if (!object) return false;
  if (auto [at, is_new] = seen.emplace(&node, false); !is_new) return !at->second;
  if (const auto* ref = object->if_contains("$ref"); ref && ref->is_string() && ref->get_string().starts_with('#')) {
    boost::system::error_code none;
    const auto* target = root.find_pointer(std::string_view(ref->get_string()).substr(1), none);
    if (target && refers_to_itself(*target, root, seen)) return true;
  }
  for (const char* keyword : {"allOf", "anyOf", "oneOf", "not", "if", "then", "else"})
    if (const auto* more = object->if_contains(keyword); more && refers_to_itself(*more, root, seen)) return true;
  seen[&node] = true;
  return false;
}

bool has_endless_reference(const json::value& node, const json::value& root, std::map<const json::value*, bool>& seen) {
  auto below = [&](const json::value& v) { return has_endless_reference(v, root, seen); };
  if (const auto* list = node.if_array()) return std::any_of(list->begin(), list->end(), below);
  const auto* object = node.if_object();
  if (!object) return false;
  if (refers_to_itself(node, root, seen)) return true;
  return std::any_of(object->begin(), object->end(), [&](const auto& member) { return below(member.value()); });
}

std::string_view kind_name(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "a value";
}

std::string type_text(const json::value& type) {
  if (const auto* one = type.if_string()) return std::string(*one);
  std::string out;
  if (const auto* several = type.if_array())
    for (const auto& t : *several) out += (out.empty() ? "" : " or ") + type_text(t);
  return out;
}

/// What a schema asks for, in words: `string`, `one of ["a","b"]`, `object with path, content?`.
std::string expectation(const json::value& node) {
  const auto* s = node.if_object();
  if (!s) return {};
  if (const auto* choices = s->if_contains("enum")) return "one of " + std::string(cut_text(json::serialize(*choices), 200));
  if (const auto* only = s->if_contains("const")) return std::string(cut_text(json::serialize(*only), 200));
  std::string out;
  if (const auto* type = s->if_contains("type")) out = type_text(*type);
  const auto* properties = s->if_contains("properties");
  if (properties && properties->is_object()) {
    std::string names;
    const auto* required = s->if_contains("required");
    for (const auto& p : properties->get_object()) {
      bool must = false;
      if (required && required->is_array())
        for (const auto& r : required->get_array()) must = must || r == p.key();
      names += (names.empty() ? "" : ", ") + std::string(p.key()) + (must ? "" : "?");
    }
    out += names.empty() ? " without properties" : " with " + names;
  }
  for (const char* bound : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
                            "maxLength", "minItems", "maxItems"})
    if (const auto* v = s->if_contains(bound)) out += ", " + std::string(bound) + " " + json::serialize(*v);
  return std::string(cut_text(out, 400));
}

struct place {
  std::string pointer;
  const json::value* value = nullptr;   ///< null: not there
  const json::value* schema = nullptr;  ///< null: described by a keyword that is not followed here
};

/// valijson's context is `<root>`, then `[name]` per level.
place find_place(const std::vector<std::string>& context, const json::value& value, const json::value& schema) {
  place at{"", &value, &schema};
  for (std::size_t i = 1; i < context.size(); ++i) {
    const auto& step = context[i];
    auto name = step.size() >= 2 ? std::string_view(step).substr(1, step.size() - 2) : std::string_view();
    at.pointer += '/';
    for (char c : name) at.pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    const auto* in_schema = at.schema ? at.schema->if_object() : nullptr;
    at.schema = nullptr;
    if (at.value && at.value->is_array()) {
      if (in_schema) at.schema = in_schema->if_contains("items");
      auto index = std::stoul(std::string(name));
      at.value = index < at.value->get_array().size() ? &at.value->get_array()[index] : nullptr;
    } else {
      const auto* properties = in_schema ? in_schema->if_contains("properties") : nullptr;
      if (properties && properties->is_object()) at.schema = properties->get_object().if_contains(name);
      at.value = at.value && at.value->is_object() ? at.value->get_object().if_contains(name) : nullptr;
    }
  }
  return at;
}

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

std::string finding_text(const valijson::ValidationResults::Error& finding, const json::value& value,
                         const json::value& schema) {
  auto at = find_place(finding.context, value, schema);
  auto out = at.pointer.empty() ? std::string("at the top: ") : "at " + quoted(at.pointer, 200) + ": ";
  auto wanted = at.schema ? expectation(*at.schema) : std::string();
  // Where the schema says it, its words are better than valijson's sentence about the keyword.
  if (starts_with(finding.description, "Missing required"))
    out += "m" + finding.description.substr(1, finding.description.size() - 2);
  else if (starts_with(finding.description, "Object contains a property"))  // …: 'name'.
    out += "unknown property " + finding.description.substr(finding.description.find(": '") + 2, 100);
  else if (wanted.empty())
    out += cut_text(finding.description, 200);
  else
    out += "does not fit";
  if (!wanted.empty()) out += "; expected " + wanted;
  if (at.value) out += ", got " + std::string(kind_name(*at.value));
  return out;
}

}  // namespace

core::result<json::value> parse_bounded(std::string_view text, std::string_view what) {
  if (text.size() > max_json_bytes)
    return error{errc::payload_too_large, std::string(what) + " has " + std::to_string(text.size()) + " bytes; at most " +
                                              std::to_string(max_json_bytes) + " are taken"};
  json::parse_options options;
  options.max_depth = max_json_depth;
  json::parser parser({}, options);
  boost::system::error_code failure;
  auto consumed = parser.write_some(text.data(), text.size(), failure);
  if (!failure && consumed < text.size()) failure = make_error_code(json::error::extra_data);
  if (failure) {
    auto reason = failure == json::error::too_deep ? "nested deeper than " + std::to_string(max_json_depth) + " levels"
                                                   : failure.message();
    return error{errc::parse_error,
                 std::string(what) + " is not valid JSON: " + reason + " at byte " + std::to_string(consumed)};
  }
  return parser.release();
}

struct schema::impl {
  json::value text;
  valijson::Schema compiled;
};

schema::schema(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
schema::~schema() = default;
schema::schema(schema&&) noexcept = default;
schema& schema::operator=(schema&&) noexcept = default;

core::result<schema> schema::compile(std::string_view text) try {
  auto parsed = parse_bounded(text, "the parameter schema");
  if (!parsed) return error{errc::configuration_error, parsed.error().text};
  auto made = std::make_unique<impl>();
  made->text = std::move(*parsed);
  const auto* object = made->text.if_object();
  const auto* type = object ? object->if_contains("type") : nullptr;
  if (!type || *type != "object")
    return error{errc::configuration_error, "the parameter schema must be a JSON object with \"type\": \"object\""};
  drop_unchecked_keywords(made->text);
  std::map<const json::value*, bool> seen;
  if (has_endless_reference(made->text, made->text, seen))
    return error{errc::configuration_error, "the parameter schema has a $ref that leads back to itself"};
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::BoostJsonAdapter(made->text), made->compiled);
  return schema(std::move(made));
} catch (const std::exception& e) {
  return error{errc::configuration_error, "the parameter schema is not a JSON Schema: " + std::string(e.what())};
}

core::result<void> schema::check(const json::value& value) const try {
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(impl_->compiled, valijson::adapters::BoostJsonAdapter(value), &results)) return {};
  std::string text;
  std::size_t count = 0;
  // First the causes; "Failed to validate against …" only repeats them one level up.
  for (bool causes : {true, false}) {
    for (const auto& finding : results) {
      if (starts_with(finding.description, "Failed to validate") == causes) continue;
      if (++count > max_findings) break;
      text += (text.empty() ? "" : ". ") + finding_text(finding, value, impl_->text);
    }
    if (count > 0) break;
  }
  if (count > max_findings) text += ". And more";
  return error{errc::validation_error, text};
} catch (const std::exception& e) {
  return error{errc::validation_error, "could not be checked against the schema: " + std::string(e.what())};
}

}  // namespace troupe::tools
