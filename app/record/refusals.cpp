#include "app/record/refusals.hpp"

#include "app/record/exchange_log.hpp"
#include "providers/utf8.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <set>

namespace troupe::app {

namespace json = boost::json;
using core::errc;

namespace {

/// The state of a session behind one of its events.
struct moment {
  core::seq_t seq = 0;
  bool is_busy = false;
  bool is_closed = false;
  bool ends_group = true;  ///< what follows came later
};

std::vector<moment> moments_of(const std::vector<core::event>& log) {
  std::vector<moment> out;
  moment now;
  std::set<core::run_id> waiting;
  bool is_running = false;
  for (std::size_t i = 0; i < log.size(); ++i) {
    const auto& e = log[i];
    if (const auto* queued = e.as<core::run_queued>()) waiting.insert(queued->run);
    if (const auto* gone = e.as<core::run_dequeued>()) waiting.erase(gone->run);
    if (const auto* started = e.as<core::run_started>()) {
      waiting.erase(started->run);
      is_running = true;
    }
    if (e.as<core::run_completed>() || e.as<core::run_failed>() || e.as<core::run_cancelled>()) is_running = false;
    if (const auto* updated = e.as<core::session_updated>()) now.is_closed = updated->status != core::session_status::active;
    now.seq = e.seq;
    now.is_busy = is_running || !waiting.empty();
    now.ends_group = i + 1 == log.size() || log[i + 1].at != e.at;
    out.push_back(now);
  }
  return out;
}

bool explains(const moment& m, const refused_command& r) {
  if (!r.reply.has_error()) return true;
  auto code = r.reply.error().code;
  if (code == errc::busy || code == errc::queue_full) return m.is_busy;
  return code != errc::session_closed || m.is_closed;
}

json::value literal(const std::string& text) { return literal_value(json::string(providers::to_utf8(text))); }

std::optional<json::object> message_of(const core::send_message& c, const refused_command& r, expectation_names& names) {
  json::object out{{"message", literal(c.content)}};
  if (!c.client_message_id.empty()) out.emplace("id", literal(c.client_message_id));
  bool is_busy = r.reply.has_error() && r.reply.error().code == errc::busy;
  if (is_busy)
    out.emplace("on_busy", "reject");
  else if (c.on_busy)
    out.emplace("on_busy", core::to_string(*c.on_busy));
  json::array files;
  for (const auto& file : c.attachments) {
    if (!names.knows(file.str())) return std::nullopt;
    files.push_back(json::string(names.variable(file.str())));
  }
  if (!files.empty()) out.emplace("attachments", std::move(files));
  return out;
}

std::optional<json::object> decision_of(const core::decide_approval& c, expectation_names& names) {
  json::object out;
  auto& which = out[c.approved ? "approve" : "deny"];
  if (c.approval.is_nil())
    which = true;
  else if (names.knows(c.approval.str()))
    which = names.variable(c.approval.str());
  else
    return std::nullopt;
  if (!c.note.empty()) out.emplace("note", literal(c.note));
  boost::system::error_code failure;
  auto edited = c.edited_input.empty() ? json::value() : json::parse(c.edited_input, failure, {}, {.max_depth = 32});
  if (failure) return std::nullopt;
  if (!edited.is_null() && c.approved) out.emplace("edited_input", std::move(edited));
  return out;
}

json::object answer_of(const refused_command& r, expectation_names& names) {
  if (!r.reply) return {{"error", core::to_string(r.reply.error().code)}};
  json::object out;
  if (const auto* accepted = std::get_if<core::message_accepted>(&*r.reply)) {
    out.emplace("repeated", true);
    if (names.knows(accepted->message.str())) out.emplace("message", names.variable(accepted->message.str()));
  } else if (const auto* settled = std::get_if<core::approval_settled>(&*r.reply)) {
    out.emplace("won", false);
    out.emplace("decision", core::to_string(settled->decision));
  }
  return out;
}

}  // namespace

std::vector<core::seq_t> places_of(const std::vector<refused_command>& refused, const std::vector<core::event>& log) {
  const auto all = moments_of(log);
  auto behind = [&](core::seq_t seq) {
    return std::upper_bound(all.begin(), all.end(), seq, [](core::seq_t s, const moment& m) { return s < m.seq; });
  };
  std::vector<core::seq_t> out;
  for (const auto& r : refused) {
    const auto last = behind(r.answered_after);
    auto place = r.answered_after;
    bool is_found = last != all.begin() && explains(*std::prev(last), r);
    // The session decided before its answer was here, and before what it had decided was shown.
    for (auto it = last; !is_found && it != all.begin() && std::prev(it)->seq >= r.asked_after;) {
      --it;
      is_found = it->ends_group && explains(*it, r);
      if (is_found) place = it->seq;
    }
    for (auto it = last; !is_found && it != all.end(); ++it) {
      is_found = it->ends_group && explains(*it, r);
      if (is_found) place = it->seq;
    }
    out.push_back(place);
  }
  return out;
}

std::optional<std::pair<json::object, json::object>> steps_of(const refused_command& refused, expectation_names& names) {
  std::optional<json::object> sent;
  if (const auto* message = std::get_if<core::send_message>(&refused.command)) sent = message_of(*message, refused, names);
  if (const auto* decision = std::get_if<core::decide_approval>(&refused.command)) sent = decision_of(*decision, names);
  if (const auto* status = std::get_if<core::change_status>(&refused.command))
    sent = json::object{{"status", core::to_string(status->status)}};
  if (std::holds_alternative<core::clear_history>(refused.command)) sent = json::object{{"clear", true}};
  if (!sent) return std::nullopt;
  return std::pair{std::move(*sent), answer_of(refused, names)};
}

}  // namespace troupe::app
