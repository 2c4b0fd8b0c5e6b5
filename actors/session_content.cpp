// What a session holds besides its talk, and changes of what was said: files, reactions, feedback, names, the waiting queue.
#include "actors/session_core.hpp"
#include "providers/utf8.hpp"

#include <algorithm>
#include <numeric>

namespace troupe::actors {

using core::errc;

namespace {

constexpr std::size_t max_name_bytes = 255;
constexpr std::size_t max_participant_bytes = 200;
constexpr std::size_t max_emoji_bytes = 64;
constexpr std::size_t max_reactions = 200;  ///< of one message
constexpr std::size_t max_recent_reactions = 256;
constexpr std::size_t max_note_characters = 2'000;
constexpr std::size_t max_feedback = 500;  ///< of one answer

bool is_over(core::session_status status) {
  return status == core::session_status::closed || status == core::session_status::deleted;
}

bool is_text(std::string_view bytes) {
  return providers::scan_utf8(bytes).valid == bytes.size() &&
         std::none_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

/// Text of several lines, in characters; nothing where it is none.
std::optional<std::size_t> length_of_note(std::string_view note) {
  auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\r' && c != '\t'; };
  if (providers::scan_utf8(note).valid != note.size() || std::any_of(note.begin(), note.end(), is_control)) return std::nullopt;
  return std::count_if(note.begin(), note.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::optional<core::error> defect_of(const core::add_file& c) {
  if (!c.data) return core::error{errc::validation_error, "The file has no content."};
  if (c.name.empty() || c.name.size() > max_name_bytes || !is_text(c.name))
    return core::error{errc::validation_error, "A file's name must be text of 1 to 255 bytes."};
  if (c.content_type.empty() || c.content_type.size() > max_name_bytes || !is_text(c.content_type))
    return core::error{errc::validation_error, "A file's content type must be text of 1 to 255 bytes."};
  return std::nullopt;
}

}  // namespace

// ---- files ----

void session_core::with_files(reply_promise promise, std::function<void()> then) {
  if (s.files_loaded) return then();
  look_up(core::list_files{s.id}, promise, [then = std::move(then)](session_core me, const core::answer& a) {
    if (!me.s.files_loaded) {
      for (const auto& known : std::get<std::vector<core::file_record>>(a)) me.s.files.push_back(known.file);
      me.s.files_loaded = true;
    }
    then();
  });
}

const core::attachment* session_core::find_file(const core::file_id& id) const {
  auto it = std::find_if(s.files.begin(), s.files.end(), [&](const core::attachment& f) { return f.file == id; });
  return it == s.files.end() ? nullptr : &*it;
}

void session_core::on_add_file(const core::principal& by, core::add_file& c, reply_promise promise) {
  if (is_over(s.record.status)) return refuse(promise, errc::session_closed, "The session is closed; create a new one.");
  if (auto why = defect_of(c)) return refuse(promise, why->code, std::move(why->text));
  if (!s.files_loaded)
    return with_files(promise, [self = self, by, c, promise]() mutable { session_core{self}.on_add_file(by, c, promise); });
  const auto& limits = s.services->config->sessions;
  auto size = static_cast<std::int64_t>(c.data->size());
  auto sum = std::accumulate(s.files.begin(), s.files.end(), size, [](auto n, const auto& f) { return n + f.size; });
  auto too_large = [&](const std::string& text) { refuse(promise, errc::payload_too_large, text); };
  if (size > limits.max_file_bytes)
    return too_large("The file has " + std::to_string(size) + " bytes; at most " + std::to_string(limits.max_file_bytes) +
                     " are taken (limits.max_file_bytes).");
  if (s.files.size() >= limits.max_files)
    return too_large("The session has " + std::to_string(s.files.size()) + " files, as many as it may (limits.max_files).");
  if (sum > limits.max_session_bytes)
    return too_large("With this file the session's files would have " + std::to_string(sum) + " bytes; at most " +
                     std::to_string(limits.max_session_bytes) + " are kept (limits.max_session_bytes).");
  core::attachment file{s.services->environment->make<core::file_id>(), std::move(c.name), std::move(c.content_type), size};
  core::file_stored reply{file};
  append({core::file_added{std::move(file), by.id, std::move(c.data)}}, reply_once_stored(promise, std::move(reply)));
}

// ---- reactions ----

void session_core::on_react(const core::principal& by, core::react& c, reply_promise promise) {
  if (c.emoji.empty() || c.emoji.size() > max_emoji_bytes || !is_text(c.emoji))
    return refuse(promise, errc::validation_error, "The emoji must be text of 1 to 64 bytes.");
  auto recent = s.recent_reactions.find({c.message, c.emoji, by.id});
  if (recent != s.recent_reactions.end()) return set_reaction(by, c, recent->second, promise);
  look_up(core::get_message{s.id, c.message}, promise, [by, c, promise](session_core me, const core::answer& a) mutable {
    const auto& reactions = std::get<core::message_record>(a).reactions;
    bool is_there =
        std::any_of(reactions.begin(), reactions.end(), [&](const auto& r) { return r.emoji == c.emoji && r.by == by.id; });
    if (c.added && !is_there && reactions.size() >= max_reactions)
      return refuse(promise, errc::payload_too_large,
                    "The message has " + std::to_string(reactions.size()) + " reactions, as many as it may.");
    // A copy of this command may have come first.
    auto known = me.s.recent_reactions.find({c.message, c.emoji, by.id});
    me.set_reaction(by, c, known == me.s.recent_reactions.end() ? is_there : known->second, promise);
  });
}

void session_core::set_reaction(const core::principal& by, core::react& c, bool is_there, reply_promise promise) {
  if (c.added == is_there) return s.log.when_stored(reply_once_stored(std::move(promise), core::done{}));
  if (s.recent_reactions.size() >= max_recent_reactions) s.recent_reactions.clear();  // the store still knows them
  s.recent_reactions[{c.message, c.emoji, by.id}] = c.added;
  append({core::reaction_changed{c.message, std::move(c.emoji), c.added, by.id, by.name}},
         reply_once_stored(promise, core::done{}));
}

// ---- feedback ----

void session_core::on_rate(const core::principal& by, core::rate_message& c, reply_promise promise) {
  if (auto length = length_of_note(c.note); !length || *length > max_note_characters)
    return refuse(promise, errc::validation_error,
                  "The note must be text of at most " + std::to_string(max_note_characters) + " characters.");
  look_up(core::get_message{s.id, c.message}, promise, [by, c, promise](session_core me, const core::answer& a) mutable {
    const auto& message = std::get<core::message_record>(a);
    if (message.role != core::role::assistant)
      return refuse(promise, errc::not_an_answer,
                    "Only answers take feedback; this message is the " + std::string(core::to_string(message.role)) + "'s.");
    std::pair<core::rating, std::string> was;
    for (const auto& f : message.feedback)
      if (f.by == by.id) was = {f.rating, f.note};
    if (was.first == core::rating::none && c.rating != core::rating::none && message.feedback.size() >= max_feedback)
      return refuse(promise, errc::payload_too_large,
                    "The answer has feedback of " + std::to_string(max_feedback) + " people, as many as it may.");
    // What was said since may not be on disk yet.
    auto known = me.s.recent_feedback.find({c.message, by.id});
    me.set_feedback(by, c, known == me.s.recent_feedback.end() ? was : known->second, promise);
  });
}

void session_core::set_feedback(const core::principal& by, core::rate_message& c,
                                const std::pair<core::rating, std::string>& was, reply_promise promise) {
  if (c.rating == core::rating::none) c.note.clear();
  std::pair now_said{c.rating, c.note};
  if (now_said == was) return s.log.when_stored(reply_once_stored(std::move(promise), core::done{}));
  if (s.recent_feedback.size() >= max_recent_reactions) s.recent_feedback.clear();  // the store still knows them
  s.recent_feedback[{c.message, by.id}] = std::move(now_said);
  append({core::message_feedback{c.message, c.rating, std::move(c.note), by.id}}, reply_once_stored(promise, core::done{}));
}

// ---- the session itself ----

void session_core::on_update(core::update_session& c, reply_promise promise) {
  if (s.record.status == core::session_status::deleted) return refuse(promise, errc::session_closed, "The session is deleted.");
  if (auto why = too_long(c.title.value_or(""), c.metadata.value_or("")))
    return refuse(promise, why->code, std::move(why->text));
  if (c.title && c.title->empty()) return refuse(promise, errc::validation_error, "The title must not be empty.");
  if (c.participants) {
    auto& ids = *c.participants;
    auto most = s.services->config->sessions.max_participants;
    if (ids.size() > most)
      return refuse(promise, errc::validation_error,
                    "A session has at most " + std::to_string(most) + " participants (limits.max_participants); " +
                        std::to_string(ids.size()) + " were given.");
    for (const auto& id : ids)
      if (id.empty() || id.size() > max_participant_bytes || !is_text(id))
        return refuse(promise, errc::validation_error, "A participant's id must be text of 1 to 200 bytes.");
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  bool changes = (c.title && *c.title != s.record.title) || (c.participants && *c.participants != s.record.participants) ||
                 (c.metadata && !c.metadata->empty() && *c.metadata != s.record.metadata);
  if (!changes) return s.log.when_stored(reply_once_stored(std::move(promise), core::done{}));
  append({core::session_updated{s.record.status, c.title.value_or(""), std::move(c.participants), c.metadata.value_or("")}},
         reply_once_stored(promise, core::done{}));
}

void session_core::on_clear(const core::principal& by, reply_promise promise) {
  if (s.record.status == core::session_status::deleted) return refuse(promise, errc::session_closed, "The session is deleted.");
  if (s.run || !s.queue.empty())
    return refuse(promise, errc::busy, "A run is in progress or waits; cancel it, or clear the history after its end.");
  s.recent_messages.clear();
  s.recent_reactions.clear();
  s.recent_feedback.clear();
  append({core::history_cleared{by.id}}, reply_once_stored(promise, core::done{}));
}

void session_core::on_edit(const core::edit_queued& c, reply_promise promise) {
  auto it = std::find_if(s.queue.begin(), s.queue.end(), [&](const auto& q) { return q.message == c.message; });
  if (it == s.queue.end()) return refuse(promise, errc::not_found, "Message not in the queue: " + c.message.str());
  if (c.content && c.content->empty() && it->attachments.empty())
    return refuse(promise, errc::validation_error, "A message needs content or attachments.");
  payloads facts;
  if (c.content && *c.content != it->content) {
    it->content = *c.content;
    facts.emplace_back(core::message_edited{c.message, *c.content});
  }
  auto from = it - s.queue.begin();
  auto to = c.position == 0 ? from : static_cast<std::ptrdiff_t>(std::min<std::size_t>(c.position, s.queue.size())) - 1;
  if (to != from) {
    auto moved = std::move(*it);
    s.queue.erase(it);
    s.queue.insert(s.queue.begin() + to, std::move(moved));
    facts.emplace_back(queue_order());
  }
  if (facts.empty()) return s.log.when_stored(reply_once_stored(std::move(promise), core::done{}));
  append(std::move(facts), reply_once_stored(promise, core::done{}));
}

}  // namespace troupe::actors
