#include "app/scenario/received.hpp"

#include "core/event_json.hpp"

#include <algorithm>

namespace troupe::app {

namespace {

const core::text_pieces* pieces_of(const core::event& e) {
  if (const auto* d = e.as<core::text_delta>()) return &d->pieces;
  if (const auto* d = e.as<core::reasoning_delta>()) return &d->pieces;
  return nullptr;
}

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
  all_.push_back(e);
  if (std::find(ignored_.begin(), ignored_.end(), kind) == ignored_.end()) waiting_.push_back(std::move(e));
}

bool received::is_repetition(core::event& e) {
  if (const auto* lost = e.as<core::message_superseded>()) {
    void_text(*lost);
    return true;
  }
  if (const auto* lost = e.as<core::tool_outcome_unknown>()) {
    unknown_.insert(lost->call.str());
    return true;
  }
  if (const auto* card = e.as<core::approval_requested>(); card && card->kind == core::approval_kind::outcome_unknown) {
    if (known_cards_.insert(card->approval).second) cards_.push_back(card->approval);
    return true;
  }
  if (const auto* said = e.as<core::approval_decided>()) return known_cards_.contains(said->approval);
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
  if (e.as<core::run_completed>() || e.as<core::run_failed>() || e.as<core::run_cancelled>()) owed_.clear();
  return false;
}

void received::void_text(const core::message_superseded& lost) {
  // What steps have expected stays: its repetition does not count.
  past_.clear();
  last_past_ = 0;
  std::size_t untaken = 0;
  for (const auto& e : waiting_) untaken += pieces_of(e) && message_of(e) == lost.message && e.first >= lost.from ? 1U : 0U;
  for (auto it = all_.end(); untaken > 0 && it != all_.begin();) {
    --it;
    if (!pieces_of(*it) || message_of(*it) != lost.message) continue;
    it = all_.erase(it);
    --untaken;
  }
  std::erase_if(waiting_,
                [&](core::event& e) { return pieces_of(e) && message_of(e) == lost.message && e.first >= lost.from; });
  for (bool reasoning : {false, true})
    if (auto it = taken_.find({lost.message, reasoning}); it != taken_.end()) owed_[it->first] = it->second;
}

bool received::continues(const core::event& next, const core::event& e) {
  return next.payload.index() == e.payload.index() && message_of(next) == message_of(e);
}

std::optional<core::event> received::next() const {
  if (waiting_.empty()) return std::nullopt;
  auto e = waiting_.front();
  if (auto* pieces = pieces_of(e))
    for (auto it = waiting_.begin() + 1; it != waiting_.end() && continues(*it, e); ++it) {
      pieces->add(*pieces_of(*it));
      e.seq = it->seq;
    }
  return e;
}

std::optional<boost::json::object> received::peek() const {
  auto e = next();
  return e ? std::optional(core::event_to_json(*e)) : std::nullopt;
}

std::optional<boost::json::object> received::take() {
  auto e = next();
  if (!e) return std::nullopt;
  if (auto* pieces = pieces_of(*e)) {
    while (!waiting_.empty() && continues(waiting_.front(), *e)) waiting_.pop_front();
    taken_[{message_of(*e), is_reasoning(*e)}] += pieces->text;
  } else {
    waiting_.pop_front();
  }
  return core::event_to_json(*e);
}

boost::json::object received::take_text(std::size_t bytes) {
  auto e = *next();
  while (!waiting_.empty() && continues(waiting_.front(), e)) waiting_.pop_front();
  auto rest = e;
  auto* pieces = pieces_of(e);
  auto left = pieces->text.substr(bytes);
  auto head = pieces->text.substr(0, bytes);
  // How it was cut is not asked for here.
  *pieces = {};
  pieces->add(head);
  *pieces_of(rest) = {};
  pieces_of(rest)->add(left);
  waiting_.push_front(std::move(rest));
  taken_[{message_of(e), is_reasoning(e)}] += head;
  return core::event_to_json(e);
}

bool received::may_grow() const {
  if (waiting_.empty()) return true;
  auto first = waiting_.front();
  if (!pieces_of(first)) return false;
  return std::all_of(waiting_.begin(), waiting_.end(), [&](const core::event& e) { return continues(e, first); });
}

bool received::is_owed() const {
  return std::any_of(owed_.begin(), owed_.end(), [](const auto& o) { return !o.second.empty(); });
}

const std::vector<boost::json::object>& received::past() {
  // The last one may have grown.
  if (!past_.empty()) past_.pop_back();
  for (auto i = last_past_; i < all_.size();) {
    last_past_ = i;
    auto e = all_[i++];
    if (auto* pieces = pieces_of(e))
      for (; i < all_.size() && continues(all_[i], e); ++i) {
        pieces->add(*pieces_of(all_[i]));
        e.seq = all_[i].seq;
      }
    past_.push_back(core::event_to_json(e));
  }
  return past_;
}

std::vector<boost::json::object> received::rest() const {
  auto copy = *this;
  std::vector<boost::json::object> out;
  while (auto e = copy.take()) out.push_back(std::move(*e));
  return out;
}

}  // namespace troupe::app
