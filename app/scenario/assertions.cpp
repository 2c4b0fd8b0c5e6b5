#include "app/scenario/assertions.hpp"

#include <re2/re2.h>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

namespace {

using field_names = std::vector<std::string_view>;
using events = std::vector<json::object>;

constexpr std::size_t max_text = 1 << 20;
constexpr std::size_t max_items = 1'000;
constexpr std::size_t max_shown_evidence = 2'000;

std::string shown_evidence(const json::value& v) {
  auto text = json::serialize(v);
  if (text.size() > max_shown_evidence) text = text.substr(0, max_shown_evidence) + "…";
  return text;
}

std::string_view text_at(const json::object& o, std::string_view key) {
  const auto* v = o.if_contains(key);
  return v && v->is_string() ? std::string_view(v->get_string()) : std::string_view{};
}
bool is(const json::object& e, std::string_view kind) { return text_at(e, "kind") == kind; }

// ---- reading ----

void check_event(const node& at) {
  const auto* kind = at.object().if_contains("kind");
  if (!kind) at.fail("needs \"kind\", one of: " + list_of(event_kinds()));
  (void)at.child("kind", *kind).one_of(event_kinds());
  if (auto wrong = defect_in(at.value)) at.child(wrong->path, at.value).fail(wrong->text);
}

void check_text(const node& at) {
  static const field_names allowed{"equals", "contains", "lacks", "regex", "message"};
  allow_only(at, allowed);
  std::size_t conditions = 0;
  for (const auto& member : at.object()) {
    auto child = at.child(member.key(), member.value());
    (void)child.text(max_text);
    if (member.key() == "regex") {
      json::object pattern{{"$regex", member.value()}};
      if (auto wrong = defect_in(pattern)) child.fail(wrong->text);
    }
    conditions += member.key() == "message" ? 0U : 1U;
  }
  if (conditions == 0) at.fail("needs one of: equals, contains, lacks, regex");
}

void check_bounds(const node& at, field_names allowed) {
  allowed.insert(allowed.end(), {"equals", "at_least", "at_most"});
  allow_only(at, allowed);
  std::size_t bounds = 0;
  for (auto key : {"equals", "at_least", "at_most"})
    if (const auto* v = at.object().if_contains(key)) {
      (void)at.child(key, *v).whole(0, 1'000'000'000'000'000);
      ++bounds;
    }
  if (bounds == 0) at.fail("needs one of: equals, at_least, at_most");
}

void check_calls(const node& at) {
  static const field_names allowed{"tool", "call", "input", "ok", "output"};
  std::size_t i = 0;
  for (const auto& item : at.array(max_items)) {
    auto child = at.child(std::to_string(i++), item);
    if (item.is_string()) continue;
    allow_only(child, allowed);
    if (auto wrong = defect_in(item)) child.child(wrong->path, item).fail(wrong->text);
  }
}

// ---- evaluating ----

assertion_result within(const json::object& bounds, std::int64_t value, std::string_view what) {
  assertion_result out;
  out.came = std::string(what) + " " + std::to_string(value);
  auto bound = [&](std::string_view key) -> std::optional<std::int64_t> {
    const auto* v = bounds.if_contains(key);
    return v ? std::optional(v->to_number<std::int64_t>()) : std::nullopt;
  };
  if (auto v = bound("equals"); v && value != *v) out.wrong = "equals: expected " + std::to_string(*v);
  if (auto v = bound("at_least"); v && value < *v) out.wrong = "at_least: expected " + std::to_string(*v) + " or more";
  if (auto v = bound("at_most"); v && value > *v) out.wrong = "at_most: expected " + std::to_string(*v) + " or less";
  if (out.wrong.empty()) return out;
  out.wrong += ", came " + std::to_string(value);
  auto fitting = bounds;
  for (auto key : {"equals", "at_least", "at_most"})
    if (fitting.contains(key)) fitting[key] = value;
  out.fitting = std::move(fitting);
  return out;
}

/// The text of a message: as it is complete, else as far as it has come.
std::string text_of(const events& past, std::string_view message) {
  std::string out;
  for (const auto& e : past) {
    if (text_at(e, "message") != message) continue;
    if (is(e, "text_delta")) out += text_at(e, "text");
    if (is(e, "message_completed")) out = text_at(e, "content");
  }
  return out;
}

assertion_result evaluate_text(const json::object& body, const events& past, const bindings& bound) {
  assertion_result out;
  std::string message;
  if (auto name = variable_in(text_at(body, "message")); !name.empty()) {
    auto it = bound.find(name);
    if (it == bound.end() || !it->second.is_string())
      return {"$" + std::string(name) + " is not bound by a step before this one", {}, {}};
    message = it->second.get_string();
  } else if (body.contains("message")) {
    message = text_at(body, "message");
  } else {
    for (const auto& e : past)
      if (is(e, "text_delta") || is(e, "message_completed")) message = text_at(e, "message");
  }
  auto text = text_of(past, message);
  out.came = shown_evidence(json::string(text));
  if (auto v = text_at(body, "equals"); body.contains("equals") && text != v) {
    out.wrong = "equals: expected " + shown_evidence(json::string(v));
    auto fitting = body;
    fitting["equals"] = text;
    out.fitting = std::move(fitting);
  }
  if (auto v = text_at(body, "contains"); text.find(v) == std::string::npos)
    out.wrong = "contains: lacks " + shown_evidence(json::string(v));
  if (auto v = text_at(body, "lacks"); body.contains("lacks") && text.find(v) != std::string::npos)
    out.wrong = "lacks: has " + shown_evidence(json::string(v));
  if (body.contains("regex")) {
    bindings none;
    json::object pattern{{"$regex", body.at("regex")}};
    if (match(pattern, json::string(text), none)) out.wrong = "regex: " + shown_evidence(body.at("regex")) + " is not found";
  }
  return out;
}

/// The calls of the run that started last, with their results as far as they have come.
json::array calls_of(const events& past) {
  json::array out;
  for (const auto& e : past) {
    if (is(e, "run_started")) out.clear();
    if (is(e, "tool_started"))
      out.push_back(json::object{{"tool", text_at(e, "tool")},
                                 {"call", text_at(e, "call")},
                                 {"input", e.contains("input") ? e.at("input") : json::value()}});
    if (!is(e, "tool_completed")) continue;
    for (auto& item : out) {
      auto& call = item.get_object();
      if (call.at("call") != json::value(text_at(e, "call")) || call.contains("ok")) continue;
      call["ok"] = e.at("ok");
      call["output"] = text_at(e, "output");
    }
  }
  return out;
}

assertion_result evaluate_calls(const json::array& body, const events& past, bindings& bound) {
  assertion_result out;
  auto came = calls_of(past);
  out.came = shown_evidence(came);
  json::array expected;
  for (const auto& item : body) expected.push_back(item.is_string() ? json::object{{"tool", item}} : item.get_object());
  if (auto wrong = match(expected, came, bound)) {
    out.wrong = (wrong->path.empty() ? "" : wrong->path + ": ") + wrong->text;
    json::array tools;
    for (const auto& call : came) tools.push_back(call.at("tool"));
    out.fitting = std::move(tools);
  }
  return out;
}

assertion_result evaluate_cost(const json::object& body, const events& past) {
  std::int64_t sum = 0;
  for (const auto& e : past)
    if (is(e, "usage_recorded"))
      if (const auto* cost = e.if_contains("cost"); cost && cost->is_number()) sum += cost->to_number<std::int64_t>();
  return within(body, sum, "micro-dollars:");
}

assertion_result evaluate_count(const json::object& body, const events& past, const bindings& bound) {
  auto n = std::count_if(past.begin(), past.end(), [&](const auto& e) {
    auto tried = bound;
    return !match(body.at("of"), e, tried);
  });
  return within(body, n, "such events:");
}

assertion_result evaluate_order(const json::array& body, const events& past, bindings& bound) {
  auto at = past.begin();
  for (std::size_t i = 0; i < body.size(); ++i) {
    while (at != past.end() && match(body[i], *at, bound)) ++at;
    if (at == past.end())
      return {"[" + std::to_string(i) + "]: " + shown_evidence(body[i]) + " did not come" +
                  (i > 0 ? " after the one before it" : ""),
              {},
              {}};
    ++at;
  }
  return {};
}

assertion_result evaluate_none(const json::value& body, const events& past, const bindings& bound) {
  for (const auto& e : past)
    if (auto tried = bound; !match(body, e, tried)) return {"such an event came", shown_evidence(e), {}};
  return {};
}

}  // namespace

void check_assertion(step_verb verb, const node& at) {
  switch (verb) {
    case step_verb::expect_text:
      return check_text(at);
    case step_verb::expect_calls:
      return check_calls(at);
    case step_verb::expect_cost:
      return check_bounds(at, {});
    case step_verb::expect_count: {
      check_bounds(at, {"of"});
      const auto* of = at.object().if_contains("of");
      if (!of) at.fail("needs \"of\", an event");
      return check_event(at.child("of", *of));
    }
    case step_verb::expect_order: {
      std::size_t i = 0;
      for (const auto& item : at.array(max_items)) check_event(at.child(std::to_string(i++), item));
      if (i < 2) at.fail("an order needs two events or more");
      return;
    }
    default:
      return check_event(at);
  }
}

assertion_result evaluate(step_verb verb, const json::value& body, const events& past, bindings& bound) {
  switch (verb) {
    case step_verb::expect_text:
      return evaluate_text(body.get_object(), past, bound);
    case step_verb::expect_calls:
      return evaluate_calls(body.get_array(), past, bound);
    case step_verb::expect_cost:
      return evaluate_cost(body.get_object(), past);
    case step_verb::expect_count:
      return evaluate_count(body.get_object(), past, bound);
    case step_verb::expect_order:
      return evaluate_order(body.get_array(), past, bound);
    default:
      return evaluate_none(body, past, bound);
  }
}

}  // namespace troupe::app
