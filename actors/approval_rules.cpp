#include "actors/approval_rules.hpp"

#include "tools/argument_tests.hpp"
#include "tools/schema.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::actors {

namespace json = boost::json;
using core::approval_kind;
using core::decision;
using core::errc;
using core::error;
using core::outcome_choice;

namespace {

constexpr std::size_t max_note_bytes = 4'000;

error invalid(std::string text) { return {errc::validation_error, std::move(text)}; }

core::result<json::object> object_from(const std::string& text, const std::string& what) {
  auto value = tools::parse_bounded(text, what);
  if (!value) return invalid(value.error().text);
  if (!value->is_object()) return invalid(what + " must be a JSON object.");
  return std::move(value->get_object());
}

/// What has no place in a decision about this.
std::optional<error> misplaced(const core::approval_requested& request, const core::decide_approval& said) {
  auto is = [&](approval_kind k) { return request.kind == k; };
  if (!said.edited_input.empty() && is(approval_kind::outcome_unknown))
    return invalid("The call may have run already: its arguments cannot be edited.");
  if (said.choice != outcome_choice::none && !is(approval_kind::outcome_unknown))
    return invalid("Only for a call whose outcome is not known may be chosen between retry, done and failed.");
  if (!said.answer.empty() && !is(approval_kind::input)) return invalid("This is no question: it takes no answer.");
  if (said.note.size() > max_note_bytes)
    return invalid("The note has " + std::to_string(said.note.size()) + " bytes; at most " + std::to_string(max_note_bytes) +
                   " are kept.");
  return std::nullopt;
}

std::optional<error> cannot_remember(const core::approval_requested& request, const core::decide_approval& said,
                                     const core::principal& by) {
  if (request.kind != approval_kind::tool || !said.approved) return invalid("Only the approval of a call can be remembered.");
  if (!request.origin.is_nil())
    return invalid("This was asked in the session of another agent (" + request.origin.str() +
                   "): it can be remembered there.");
  if (request.deciders > 1 || !request.not_by.empty())
    return invalid(
        "This tool's calls need two people, or somebody else than who asked for them, each time; they are not remembered.");
  if (said.remember->scope != core::grant_scope::session && !by.may(core::scope::admin))
    return error{errc::forbidden, "Only those with the scope \"admin\" may have an approval remembered beyond its session."};
  if (said.remember->lifetime.count() < 0) return invalid("The lifetime of a remembered approval must not be negative.");
  return std::nullopt;
}

core::result<core::grant_given> grant_of(const core::approval_requested& request, const core::decide_approval& said,
                                         const core::principal& by, const json::object& arguments, core::millis now) {
  core::grant_given grant;
  grant.scope = said.remember->scope;
  grant.tool = request.tool;
  if (said.remember->when.empty()) {
    grant.when = tools::to_text(tools::exactly(arguments));
  } else {
    auto tests = tools::argument_tests_from(said.remember->when);
    if (!tests) return invalid("The conditions of what is remembered: " + tests.error().text);
    grant.when = tools::to_text(*tests);
  }
  if (said.remember->lifetime.count() != 0) grant.expires_at = now + said.remember->lifetime;
  grant.by = by.id;
  grant.approval = request.approval;
  return grant;
}

core::result<std::string> answer_of(const core::approval_requested& request, const core::decide_approval& said) {
  // Clients without a field for answers edit the input.
  const auto& text = !said.answer.empty() ? said.answer : said.edited_input;
  auto answer = object_from(text.empty() ? "{}" : text, "the answer");
  if (!answer) return answer.error();
  auto schema = tools::schema::compile(request.schema);
  if (!schema) return invalid("The question cannot be answered: its schema is broken. Deny it.");
  if (auto good = schema->check(*answer); !good)
    return invalid((text.empty() ? "An answer is needed: " : "The answer does not fit: ") + good.error().text);
  return json::serialize(*answer);
}

}  // namespace

proposal proposal::of(const core::approval_requested& request) {
  proposal out;
  out.arguments_hash = request.arguments_hash;
  if (out.arguments_hash.empty())  // asked by an older version
    if (auto arguments = object_from(request.action, "the arguments")) out.arguments_hash = tools::arguments_hash(*arguments);
  return out;
}

bool proposal::endorse(const std::string& who, const std::string& edit, const std::string& hash) {
  if (!edit.empty() && hash != arguments_hash) {
    by.clear();
    edited_input = edit;
    arguments_hash = hash;
  }
  if (std::find(by.begin(), by.end(), who) != by.end()) return false;
  by.push_back(who);
  return true;
}

void proposal::endorse(const core::approval_endorsed& known) {
  std::string hash;
  if (auto arguments = object_from(known.edited_input, "the arguments"); !known.edited_input.empty() && arguments)
    hash = tools::arguments_hash(*arguments);
  endorse(known.by, hash.empty() ? std::string() : known.edited_input, hash);
}

core::result<settlement> settlement_of(const core::approval_requested& request, const proposal& standing,
                                       const core::decide_approval& said, const core::principal& by,
                                       const std::function<tools::tool_ptr()>& find_tool, core::millis now) {
  if (!request.not_by.empty() && by.id == request.not_by)
    return error{errc::forbidden, "The call serves your own message: somebody else must decide (not_requester)."};
  if (!said.arguments_hash.empty() && said.arguments_hash != standing.arguments_hash)
    return error{errc::approval_not_pending, "The arguments are not the ones you looked at; look at the approval again."};
  if (auto why = misplaced(request, said)) return *why;

  settlement out;
  auto& d = out.decided;
  d.run = request.run;
  d.approval = request.approval;
  d.call = request.call;
  d.decision = said.approved ? decision::approved : decision::denied;
  d.by = by.id;
  d.note = said.note;
  if (request.kind == approval_kind::outcome_unknown) {
    d.choice = said.choice;
    if (d.choice == outcome_choice::none) d.choice = said.approved ? outcome_choice::retry : outcome_choice::failed;
    d.decision = d.choice == outcome_choice::failed ? decision::denied : decision::approved;
  }
  if (d.decision == decision::approved && request.kind != approval_kind::input) {
    d.edited_input = standing.edited_input;
    d.arguments_hash = standing.arguments_hash;
  }
  if (d.decision == decision::approved && request.kind == approval_kind::input) {
    auto answer = answer_of(request, said);
    if (!answer) return answer.error();
    d.answer = std::move(*answer);
  } else if (d.decision == decision::approved && !said.edited_input.empty()) {
    auto tool = find_tool();
    if (!tool)
      return invalid("The tool " + request.tool +
                     " is not there now: edited arguments cannot be checked. Approve or deny it as it is.");
    auto arguments = tool->check(said.edited_input);
    if (!arguments) return invalid("The edited arguments cannot be used: " + arguments.error().text);
    d.edited_input = json::serialize(*arguments);
    d.arguments_hash = tools::arguments_hash(*arguments);
  }
  if (said.remember) {
    if (auto why = cannot_remember(request, said, by)) return *why;
    auto arguments = object_from(d.edited_input.empty() ? request.action : d.edited_input, "the arguments");
    if (!arguments) return arguments.error();
    auto grant = grant_of(request, said, by, *arguments, now);
    if (!grant) return grant.error();
    out.grant = std::move(*grant);
  }
  return out;
}

core::approval_decided expiry_of(const core::approval_requested& request) {
  core::approval_decided d;
  d.run = request.run;
  d.approval = request.approval;
  d.call = request.call;
  d.decision = decision::expired;
  if (request.kind == approval_kind::outcome_unknown) d.choice = outcome_choice::failed;
  return d;
}

}  // namespace troupe::actors
