// The title of a session that nobody named: its first words, and where the agent is configured so, a model's.
#include "actors/context.hpp"
#include "actors/first_words.hpp"
#include "actors/session_core.hpp"
#include "actors/title_writer.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

/// What chat rooms call a session that has no name yet; others leave the name empty. The first exchange gives it one.
constexpr std::string_view untitled = "New Conversation";

/// How much of the conversation the writer of a title reads.
constexpr std::size_t max_titled_bytes = 4'000;
constexpr std::size_t max_titled_messages = 8;

/// The beginning of what the user said first.
std::string title_from(const core::history& history) {
  for (const auto& message : history.messages())
    if (message.role == core::role::user)
      if (auto title = first_words(message.content, max_given_title); !title.empty()) return title;
  return {};
}

}  // namespace

void session_core::add_title(const core::run_id& run, const core::history& history, payloads& facts) {
  if (s.record.title != untitled && !s.record.title.empty()) return;
  auto config = agent();
  // Whoever calls it so wants a title.
  if (config && config->titles == core::title_source::none && s.record.title != untitled) return;
  bool asks = config && config->titles == core::title_source::model && s.record.depth == 0;
  auto first = title_from(history);
  if (first.empty()) return;
  // From here on it has a title, on disk: whatever becomes of the call, it is not made again.
  facts.emplace_back(core::session_updated{s.record.status, first});
  if (!asks || s.title_writer || s.services->providers.count(config->provider) == 0) return;
  auto spend = s.record.cost + cost_in(facts);
  if (config->limits.budget && spend >= *config->limits.budget) return;
  if (s.services->spending->reached(s.record.project, s.record.agent, now())) return;
  const auto& messages = history.messages();
  auto count = std::min(messages.size(), max_titled_messages);
  title_order order{std::move(config), s.id, run, transcript_of(messages, count, max_titled_bytes)};
  s.title_writer = self->spawn(title_writer, s.services, std::move(order));
  self->request(s.title_writer, caf::infinite, write_title{})
      .then([self = self, first](written_title& m) { session_core{self}.on_title(first, m); },
            [self = self, first](const caf::error&) {
              written_title none;
              session_core{self}.on_title(first, none);
            });
}

void session_core::on_title(const std::string& first, written_title& m) {
  if (s.phase == session_state::life::retiring) return;
  s.title_writer = nullptr;
  s.last_activity = now();
  payloads facts;
  if (m.usage) facts.emplace_back(std::move(*m.usage));
  add_alerts(facts);
  // Somebody may have named it meanwhile, or ended it.
  bool is_open = s.record.status == core::session_status::active || s.record.status == core::session_status::paused;
  if (is_open && !m.title.empty() && m.title != first && s.record.title == first)
    facts.emplace_back(core::session_updated{s.record.status, std::move(m.title)});
  if (!facts.empty()) append(std::move(facts));
}

void session_core::drop_title_writer() {
  if (s.title_writer) self->send_exit(s.title_writer, caf::exit_reason::kill);
  s.title_writer = nullptr;
}

}  // namespace troupe::actors
