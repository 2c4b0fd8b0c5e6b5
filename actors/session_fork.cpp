// Making a session as a copy of another one: its record, its log page by page, its files one by one, then everything as one
// group of facts.
#include "actors/fork.hpp"
#include "actors/session_core.hpp"

#include <algorithm>
#include <iterator>
#include <memory>

namespace troupe::actors {

using core::errc;

namespace {

constexpr std::uint32_t page_rows = 1'000;
constexpr std::size_t max_facts = 20'000;
constexpr std::size_t max_bytes = 32 << 20;

/// A copy that is being made; shared by the answers it waits for.
struct fork_job : std::enable_shared_from_this<fork_job> {
  session_core::self_pointer self;
  session_core::reply_promise promise;
  core::principal by;
  core::fork_session what;
  core::session_record source;
  core::seq_t read = 0;
  fork_fold fold;
  std::vector<std::pair<core::file_id, core::file_id>> files;
  std::vector<core::event_payload> file_facts;

  fork_job(session_core core, session_core::reply_promise p, core::principal who, core::fork_session c)
      : self(core.self), promise(std::move(p)), by(std::move(who)), what(c), fold(*core.s.services->environment) {}

  void begin() {
    auto missing = "Session not found: " + what.source.str();
    ask_source(core::get_session{what.source}, missing, [missing](fork_job& me, core::answer& a) {
      me.source = std::get<core::session_record>(std::move(a));
      if (!core::may_see(me.by, me.source) || me.source.status == core::session_status::deleted)
        return refuse(me.promise, errc::not_found, missing);
      me.what.at = std::min(me.what.at, me.source.last_seq);
      me.read_on();
    });
  }

  void read_on() {
    if (read >= what.at) return fetch_files();
    self->request(reader(), caf::infinite, read_events{what.source, read, what.at, page_rows})
        .then(
            [job = shared_from_this()](const event_page& page) {
              if (!job->take(page)) return;
              if (page.events.empty()) return job->fetch_files();
              job->read = page.events.back().seq;
              job->read_on();
            },
            [job = shared_from_this()](const caf::error& e) { job->promise.deliver(e); });
  }

  bool take(const event_page& page) {
    for (const auto& e : page.events) fold.take(e);
    if (fold.count() <= max_facts && fold.bytes() <= max_bytes) return true;
    refuse(promise, errc::payload_too_large,
           "The session is too long to be copied: more than " + std::to_string(max_facts) + " facts or " +
               std::to_string(max_bytes) + " bytes; fork it at an earlier message.");
    return false;
  }

  void fetch_files() {
    files = fold.files();
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    fetch_next_file();
  }

  void fetch_next_file() {
    if (file_facts.size() == files.size()) return finish();
    auto [old_id, new_id] = files[file_facts.size()];
    ask_source(
        core::get_file{what.source, old_id}, "File not found: " + old_id.str(), [id = new_id](fork_job& me, core::answer& a) {
          auto& known = std::get<core::file_record>(a);
          known.file.file = id;
          me.file_facts.emplace_back(core::file_added{std::move(known.file), std::move(known.by), std::move(known.data)});
          me.fetch_next_file();
        });
  }

  void finish() {
    session_core core{self};
    if (core.s.phase == session_state::life::retiring)
      return refuse(promise, errc::shutting_down, "The session is leaving its process; try again.");
    if (auto why = core.obstacle(by, what)) return refuse(promise, why->code, std::move(why->text));
    if (core.exists()) return void(promise.deliver(core::command_reply{core::session_opened{false}}));
    if (!self->state.services->config->find_agent(source.project, agent()))
      return refuse(promise, errc::not_found, "The session's agent is no longer configured: " + agent().str());
    session_core::payloads facts;
    facts.emplace_back(
        core::session_created{source.project, agent(), source.dialect, {}, by.id, source.metadata, what.source, fold.upto()});
    if (!source.title.empty()) facts.emplace_back(core::session_updated{core::session_status::active, source.title});
    std::move(file_facts.begin(), file_facts.end(), std::back_inserter(facts));
    std::move(fold.facts().begin(), fold.facts().end(), std::back_inserter(facts));
    core.append(std::move(facts), reply_once_stored(promise, core::session_opened{true}));
  }

  /// Who answered where the copy ends: the source may have been handed over since.
  [[nodiscard]] const core::agent_id& agent() const { return fold.agent().empty() ? source.agent : fold.agent(); }
  [[nodiscard]] const reader_actor& reader() const { return self->state.services->reader_for(what.source); }

  template <class Then>
  void ask_source(core::query question, std::string missing, Then then) {
    self->request(reader(), caf::infinite, ask{std::move(question)})
        .then([job = shared_from_this(), then](core::answer& a) { then(*job, a); },
              [job = shared_from_this(), missing = std::move(missing)](const caf::error& e) {
                if (from_caf(e).code == errc::not_found) return refuse(job->promise, errc::not_found, missing);
                job->promise.deliver(e);
              });
  }
};

}  // namespace

void session_core::on_fork(const core::principal& by, const core::fork_session& c, reply_promise promise) {
  if (exists()) return void(promise.deliver(core::command_reply{core::session_opened{false}}));
  std::make_shared<fork_job>(*this, std::move(promise), by, c)->begin();
}

}  // namespace troupe::actors
