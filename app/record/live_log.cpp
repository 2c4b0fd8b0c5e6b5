#include "app/record/live_log.hpp"

#include <algorithm>

namespace troupe::app {

namespace {

/// Of all sessions together, refused texts included.
constexpr std::size_t max_held_bytes = 32 << 20;
constexpr std::size_t max_sessions = 100'000;

/// Refusals that follow from the conversation: a replay of it refuses too.
bool is_of_the_conversation(core::errc code) {
  using core::errc;
  return code == errc::busy || code == errc::queue_full || code == errc::session_closed || code == errc::approval_not_pending;
}

bool was_refused(const core::result<core::command_reply>& reply) {
  if (!reply) return is_of_the_conversation(reply.error().code);
  if (const auto* accepted = std::get_if<core::message_accepted>(&*reply)) return accepted->repeated;
  const auto* settled = std::get_if<core::approval_settled>(&*reply);
  return settled && !settled->won;
}

std::size_t size_of(const core::command& command) {
  if (const auto* c = std::get_if<core::send_message>(&command)) return c->content.size() + c->client_message_id.size();
  if (const auto* c = std::get_if<core::decide_approval>(&command)) return c->note.size() + c->edited_input.size();
  if (const auto* c = std::get_if<core::edit_queued>(&command)) return c->content ? c->content->size() : 0;
  return 0;
}

}  // namespace

void live_log::shown(core::session_id session, core::seq_t upto) {
  std::lock_guard lock(mutex_);
  if (sessions_.size() >= max_sessions && !sessions_.contains(session)) return;
  auto& position = sessions_[session].position;
  position = std::max(position, upto);
}

core::seq_t live_log::position(core::session_id session) const {
  std::lock_guard lock(mutex_);
  auto it = sessions_.find(session);
  return it == sessions_.end() ? 0 : it->second.position;
}

void live_log::answered(core::session_id session, core::seq_t asked_after, const core::principal& by,
                        const core::command& command, const core::result<core::command_reply>& reply) {
  // The bytes of a file that nobody took are nothing to keep.
  if (!was_refused(reply) || std::holds_alternative<core::add_file>(command)) return;
  auto size = sizeof(refused_command) + size_of(command);
  std::lock_guard lock(mutex_);
  auto it = sessions_.find(session);
  // Where in its log it stood nobody knows while the session has shown nothing.
  if (it == sessions_.end() || it->second.position == 0 || bytes_ + size > max_held_bytes) return;
  bytes_ += size;
  it->second.is_read = false;
  it->second.notes.refused.push_back({asked_after, it->second.position, now_(), by, command, reply});
}

void live_log::attempt_begins(core::session_id session, const providers::exchange_place& place) {
  std::lock_guard lock(mutex_);
  auto it = sessions_.find(session);
  if (it == sessions_.end() || it->second.notes.attempts.empty()) return;
  auto& last = it->second.notes.attempts.back();
  last.was_repeated = last.was_repeated || (last.place.turn == place.turn && last.place.step == place.step);
}

void live_log::attempt_failed(core::session_id session, providers::exchange_place place, core::error error) {
  auto size = sizeof(failed_attempt) + place.user.size() + error.text.size();
  std::lock_guard lock(mutex_);
  if (bytes_ + size > max_held_bytes || (sessions_.size() >= max_sessions && !sessions_.contains(session))) return;
  bytes_ += size;
  sessions_[session].notes.attempts.push_back({now_(), std::move(place), std::move(error), false});
}

live_notes live_log::notes(core::session_id session) {
  std::lock_guard lock(mutex_);
  auto it = sessions_.find(session);
  if (it == sessions_.end()) return {};
  it->second.is_read = true;
  return it->second.notes;
}

std::vector<core::session_id> live_log::unread() const {
  std::lock_guard lock(mutex_);
  std::vector<core::session_id> out;
  for (const auto& [session, known] : sessions_)
    if (!known.is_read) out.push_back(session);
  return out;
}

}  // namespace troupe::app
