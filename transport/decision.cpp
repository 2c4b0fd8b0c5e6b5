#include "transport/decision.hpp"

#include "transport/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t longest_note = 4'096;
constexpr std::size_t longest_hash = 128;
constexpr std::size_t longest_pattern = 1'000;
constexpr std::size_t most_tests = 20;
constexpr std::int64_t longest_memory_ms = 315'360'000'000;  // ten years
constexpr std::string_view comparisons = "equals, not_equals, less, greater, matches, present or absent";

using problem_ref = field_problem&;

bool fail(problem_ref p, std::string path, std::string message) {
  p = {std::move(path), std::move(message), errc::validation_error};
  return false;
}

const json::value* member(const json::object& o, std::string_view name) {
  const auto* v = o.if_contains(name);
  return v && !v->is_null() ? v : nullptr;
}

bool read_text(const json::object& o, std::string_view name, std::size_t longest, std::string& out, problem_ref p) {
  const auto* v = member(o, name);
  if (!v) return true;
  if (!v->is_string() || v->get_string().size() > longest)
    return fail(p, std::string(name), "must be a string of at most " + std::to_string(longest) + " bytes");
  out = std::string(v->get_string());
  return true;
}

/// Null where it is absent.
bool read_object(const json::object& o, std::string_view name, std::string_view what, std::string& out, problem_ref p) {
  const auto* v = member(o, name);
  if (!v) return true;
  if (!v->is_object()) return fail(p, std::string(name), std::string(what));
  out = json::serialize(*v);
  return true;
}

bool check_comparison(std::string_view name, const json::value& v, const std::string& path, problem_ref p) {
  if (name == "less" || name == "greater") return v.is_number() || fail(p, path, "must be a number");
  if (name == "present" || name == "absent") return v == true || fail(p, path, "must be true");
  if (name == "matches")
    return (v.is_string() && v.get_string().size() <= longest_pattern) ||
           fail(p, path, "must be a regular expression of at most " + std::to_string(longest_pattern) + " bytes");
  return name == "equals" || name == "not_equals" ||
         fail(p, path, "is not known here; a test has argument, and one of " + std::string(comparisons));
}

/// One of the tests of `when`; whether a pattern is one the session finds out.
bool check_test(const json::value& v, const std::string& path, problem_ref p) {
  const auto* test = v.if_object();
  if (!test) return fail(p, path, "must be an object with argument, and one of " + std::string(comparisons));
  const auto* pointer = test->if_contains("argument");
  if (!pointer || !pointer->is_string() || (!pointer->get_string().empty() && pointer->get_string().front() != '/'))
    return fail(p, path + ".argument", "must be a JSON pointer such as /path, or \"\" for all arguments");
  if (test->size() != 2) return fail(p, path, "must have argument and one of " + std::string(comparisons));
  return std::all_of(test->begin(), test->end(), [&](const auto& m) {
    std::string_view name = m.key();
    return name == "argument" || check_comparison(name, m.value(), path + "." + std::string(name.substr(0, 64)), p);
  });
}

bool read_when(const json::value& v, given_decision& out, problem_ref p) {
  const auto* tests = v.if_array();
  if (!tests || tests->size() > most_tests)
    return fail(p, "remember.when", "must be a list of at most " + std::to_string(most_tests) + " tests");
  for (std::size_t i = 0; i < tests->size(); ++i)
    if (!check_test((*tests)[i], "remember.when[" + std::to_string(i) + "]", p)) return false;
  out.remembers_exactly = false;
  out.what.remember->when = json::serialize(*tests);
  return true;
}

bool read_memory(const json::object& o, given_decision& out, problem_ref p) {
  for (const auto& m : o)
    if (m.key() != "scope" && m.key() != "when" && m.key() != "expiresInMs")
      return fail(p, "remember." + std::string(m.key().substr(0, 64)), "is not known; known are scope, when and expiresInMs");
  auto& memory = *out.what.remember;
  if (const auto* v = member(o, "scope")) {
    auto scope = v->is_string() ? core::grant_scope_from(std::string_view(v->get_string())) : std::nullopt;
    if (!scope) return fail(p, "remember.scope", "must be session, agent or project");
    memory.scope = *scope;
  }
  if (const auto* v = member(o, "expiresInMs")) {
    boost::system::error_code not_whole;
    auto ms = v->to_number<std::int64_t>(not_whole);
    if (not_whole || ms < 1 || ms > longest_memory_ms)
      return fail(p, "remember.expiresInMs", "must be a whole number from 1 to " + std::to_string(longest_memory_ms));
    memory.lifetime = std::chrono::milliseconds{ms};
  }
  const auto* when = member(o, "when");
  return !when || read_when(*when, out, p);
}

bool read_remember(const json::object& o, given_decision& out, problem_ref p) {
  const auto* v = member(o, "remember");
  if (!v || *v == false) return true;
  out.what.remember = core::remember_options{};
  out.remembers_exactly = true;
  if (*v == true) return true;
  if (const auto* object = v->if_object()) return read_memory(*object, out, p);
  return fail(p, "remember", "must be true, or an object with scope, when and expiresInMs");
}

/// One of approved, choice and answer; a person who answers may say approved too.
bool read_verdict(const json::object& o, core::decide_approval& out, problem_ref p) {
  const auto* approved = member(o, "approved");
  const auto* choice = member(o, "choice");
  const auto* answer = member(o, "answer");
  if (approved && !approved->is_bool()) return fail(p, "approved", "must be true or false");
  if (!approved && !choice && !answer)
    return fail(p, "approved", "must be true or false; or send choice (retry, done or failed), or answer");
  if (choice && (approved || answer)) return fail(p, "choice", "must come without approved and answer");
  if (choice) {
    auto known = choice->is_string() ? core::outcome_choice_from(std::string_view(choice->get_string())) : std::nullopt;
    if (!known || known == core::outcome_choice::none) return fail(p, "choice", "must be retry, done or failed");
    out.choice = *known;
  }
  if (answer && approved && !approved->get_bool()) return fail(p, "answer", "must come without approved false");
  if (!read_object(o, "answer", "must be an object that fits the schema of the question", out.answer, p)) return false;
  out.approved = approved ? approved->get_bool() : out.choice != core::outcome_choice::failed;
  return true;
}

}  // namespace

core::error to_error(const field_problem& problem) {
  return {problem.code, "Field \"" + problem.path + "\" " + problem.message + "."};
}

std::optional<given_decision> read_decision(const json::object& o, field_problem& problem) {
  given_decision out;
  bool is_read = read_verdict(o, out.what, problem) && read_text(o, "note", longest_note, out.what.note, problem) &&
                 read_object(o, "editedInput", "must be an object", out.what.edited_input, problem) &&
                 read_text(o, "argumentsHash", longest_hash, out.what.arguments_hash, problem) &&
                 read_remember(o, out, problem);
  if (!is_read) return std::nullopt;
  if (out.what.remember && !out.what.approved) {
    fail(problem, "remember", "goes with an approval only");
    return std::nullopt;
  }
  return out;
}

std::optional<core::decide_approval> decision_on(const core::approval_record& approval, given_decision given,
                                                 const core::principal& by, field_problem& problem) {
  using core::approval_kind;
  auto& d = given.what;
  auto refuse = [&](std::string path, std::string message) {
    fail(problem, std::move(path), std::move(message));
    return std::nullopt;
  };
  if (d.choice != core::outcome_choice::none && approval.kind != approval_kind::outcome_unknown)
    return refuse("choice", "is for calls whose outcome is unknown; send approved");
  if (!d.answer.empty() && approval.kind != approval_kind::input) return refuse("answer", "is for questions; send approved");
  if (!d.edited_input.empty() && approval.kind != approval_kind::tool)
    return refuse("editedInput", "is for calls that have not begun; send approved without it");
  if (d.remember && approval.kind != approval_kind::tool) return refuse("remember", "is for approvals of tool calls");
  if (d.remember && d.remember->scope != core::grant_scope::session && !by.may(core::scope::admin)) {
    // It would decide for sessions that are somebody else's.
    problem = {"remember.scope", "needs the scope admin for more than this session", errc::forbidden};
    return std::nullopt;
  }
  if (given.remembers_exactly) {
    auto arguments = json_or_string(d.edited_input.empty() ? approval.action : d.edited_input);
    d.remember->when = json::serialize(json::array{json::object{{"argument", ""}, {"equals", std::move(arguments)}}});
  }
  if (d.approval.is_nil()) d.approval = approval.id;
  return std::move(d);
}

}  // namespace troupe::transport
