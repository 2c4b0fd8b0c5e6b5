#include "app/scenario/acceptance.hpp"

#include "core/ids.hpp"
#include "providers/item_places.hpp"

#include <algorithm>
#include <array>

namespace troupe::app {

namespace json = boost::json;

namespace {

/// Differ from run to run, or say nothing to a reader.
constexpr std::array<std::string_view, 13> passing_fields{
    "seq",        "first",   "at", "trace", "config_hash", "queued_at", "started_at", "first_delta_at",
    "expires_at", "lengths", "ms", "agent", "attempts"};

bool is_id(const json::value& v) { return v.is_string() && core::uuid::parse(v.get_string()).has_value(); }

std::string variable_of(const json::value& v, const bindings& bound) {
  for (const auto& [name, value] : bound)
    if (value == v) return "$" + name;
  return {};
}

json::value literal(const json::value& v) {
  if (v.is_string() && v.get_string().starts_with('$')) return json::string("$" + std::string(v.get_string()));
  return v;
}

}  // namespace

json::value accepted(const json::value& expected, const json::value& came, const bindings& bound) {
  bindings tried = bound;
  if (!match(expected, came, tried)) return expected;
  if (expected.is_object() && came.is_object() && !defect_in(expected) &&
      !(expected.get_object().size() == 1 && expected.get_object().begin()->key().starts_with('$'))) {
    json::object out;
    for (const auto& field : expected.get_object()) {
      const auto* value = came.get_object().if_contains(field.key());
      out.emplace(field.key(), value ? accepted(field.value(), *value, bound) : json::value());
    }
    return out;
  }
  if (expected.is_array() && came.is_array()) {
    json::array out;
    const auto& items = came.get_array();
    for (std::size_t i = 0; i < items.size(); ++i)
      out.push_back(i < expected.get_array().size() ? accepted(expected.get_array()[i], items[i], bound) : literal(items[i]));
    return out;
  }
  if (is_id(came))
    if (auto name = variable_of(came, bound); !name.empty()) return json::string(name);
  return literal(came);
}

json::object expectation_for(const json::object& came, const json::object* like, const bindings& bound) {
  if (like && like->at("kind") == came.at("kind")) return accepted(*like, came, bound).get_object();
  json::object out;
  for (const auto& field : came) {
    std::string_view name = field.key();
    if (std::find(passing_fields.begin(), passing_fields.end(), name) != passing_fields.end()) continue;
    if (is_id(field.value())) {
      if (auto variable = variable_of(field.value(), bound); !variable.empty()) out.emplace(name, variable);
    } else {
      out.emplace(name, literal(field.value()));
    }
  }
  return out;
}

std::string with_edits(std::string_view text, const std::vector<step_edit>& edits) {
  auto places = providers::item_places(text, {"steps"});
  std::string out(text);
  // From behind, so that what stands before keeps its place.
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    if (places.empty() || edit->step > places.size()) continue;
    if (edit->what == step_edit::how::insert_before && edit->step == places.size()) {
      out.insert(places.back().end, ",\n    " + edit->text);
      continue;
    }
    if (edit->step >= places.size()) continue;
    const auto& place = places[edit->step];
    auto line = text.rfind('\n', place.begin);
    auto from = line == std::string_view::npos ? 0 : line + 1;
    auto before = text.substr(from, place.begin - from);
    bool is_first_of_line = before.find_first_not_of(" \t") == std::string_view::npos;
    switch (edit->what) {
      case step_edit::how::replace:
        out.replace(place.begin, place.end - place.begin, edit->text);
        break;
      case step_edit::how::insert_before:
        out.insert(place.begin, edit->text + (is_first_of_line ? ",\n" + std::string(before) : std::string(", ")));
        break;
      case step_edit::how::remove: {
        // With the comma and the line behind it.
        auto end = out.find_first_not_of(" \t", place.end);
        bool has_comma = end != std::string::npos && out[end] == ',';
        auto until = has_comma ? end + 1 : place.end;
        auto after = out.find_first_not_of(" \t", until);
        bool ends_line = after != std::string::npos && out[after] == '\n';
        if (is_first_of_line && ends_line)
          out.erase(from, after + 1 - from);
        else
          out.erase(place.begin, until - place.begin);
        break;
      }
    }
  }
  return out;
}

}  // namespace troupe::app
