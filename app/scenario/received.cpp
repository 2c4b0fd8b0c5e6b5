#include "app/scenario/received.hpp"

#include "core/event_json.hpp"

#include <algorithm>

namespace troupe::app {

namespace {

core::text_pieces* pieces_of(core::event& e) {
  if (auto* d = std::get_if<core::text_delta>(&e.payload)) return &d->pieces;
  if (auto* d = std::get_if<core::reasoning_delta>(&e.payload)) return &d->pieces;
  return nullptr;
}

core::message_id message_of(const core::event& e) {
  if (const auto* d = e.as<core::text_delta>()) return d->message;
  if (const auto* d = e.as<core::reasoning_delta>()) return d->message;
  return {};
}

bool is_reasoning(const core::event& e) { return e.as<core::reasoning_delta>() != nullptr; }

}  // namespace

void received::add(std::vector<core::event> events) {
  for (auto& e : events) add_one(std::move(e));
}

void received::add_one(core::event e) {
  if (forgives_restarts_ && is_repetition(e)) return;
  auto kind = core::kind_of(e.payload);
  if (std::find(ignored_.begin(), ignored_.end(), kind) == ignored_.end()) waiting_.push_back(std::move(e));
}

bool received::is_repetition(core::event& e) {
  if (const auto* lost = e.as<core::message_superseded>()) {
    void_text(*lost);
    return true;
  }
  if (const auto* step = e.as<core::step_started>()) return !steps_.emplace(step->run, step->step).second;
  if (auto* pieces = pieces_of(e)) {
    auto& owed = owed_[{message_of(e), is_reasoning(e)}];
    auto n = std::min(owed.size(), pieces->text.size());
    if (n == 0) return false;
    if (pieces->text.compare(0, n, owed, 0, n) != 0 && !defect_)
      defect_ = "a step that ran again said \"" + pieces->text + "\" where it had said \"" + owed + "\" before";
    owed.erase(0, n);
    if (n == pieces->text.size()) return true;
    // What is left is new; how it was cut is lost.
    auto fresh = pieces->text.substr(n);
    *pieces = {};
    pieces->add(fresh);
    return false;
  }
  if (const auto* completed = e.as<core::message_completed>())
    if (auto it = owed_.find({completed->message, false}); it != owed_.end() && !it->second.empty() && !defect_)
      defect_ = "a step that ran again ended without the text \"" + it->second + "\" that it had said before";
  return false;
}

void received::void_text(const core::message_superseded& lost) {
  std::erase_if(waiting_,
                [&](core::event& e) { return pieces_of(e) && message_of(e) == lost.message && e.first >= lost.from; });
  for (bool reasoning : {false, true})
    if (auto it = taken_.find({lost.message, reasoning}); it != taken_.end()) owed_[it->first] = it->second;
}

std::optional<boost::json::object> received::take() {
  if (waiting_.empty()) return std::nullopt;
  auto e = std::move(waiting_.front());
  waiting_.pop_front();
  if (auto* pieces = pieces_of(e)) {
    auto continues = [&] {
      return !waiting_.empty() && waiting_.front().payload.index() == e.payload.index() &&
             message_of(waiting_.front()) == message_of(e);
    };
    while (continues()) {
      pieces->add(*pieces_of(waiting_.front()));
      e.seq = waiting_.front().seq;
      waiting_.pop_front();
    }
    taken_[{message_of(e), is_reasoning(e)}] += pieces->text;
  }
  return core::event_to_json(e);
}

std::vector<boost::json::object> received::rest() const {
  auto copy = *this;
  std::vector<boost::json::object> out;
  while (auto e = copy.take()) out.push_back(std::move(*e));
  return out;
}

}  // namespace troupe::app
