#include "actors/fork.hpp"

#include <iterator>
#include <utility>

namespace troupe::actors {

struct fork_fold::taker {
  fork_fold& f;
  core::seq_t seq;

  void operator()(const core::session_created& e) const { f.agent_ = f.latest_agent_ = e.agent; }
  void operator()(const core::message_added& e) const { f.waiting_.insert_or_assign(e.message, e); }
  void operator()(const core::message_edited& e) const {
    if (auto it = f.waiting_.find(e.message); it != f.waiting_.end()) it->second.content = e.content;
  }
  void operator()(const core::run_dequeued& e) const { f.waiting_.erase(e.message); }
  void operator()(const core::history_cleared&) const {
    f.done_.clear();
    f.done_bytes_ = 0;
    f.agent_ = f.latest_agent_;
    f.upto_ = seq;
  }

  void operator()(core::run_started e) const {
    f.running_.clear();
    f.running_bytes_ = 0;
    f.run_ = e.run;
    f.new_run_ = f.environment_.make<core::run_id>();
    f.new_trace_ = core::trace_id{f.environment_.random_uuid()};
    if (auto it = f.waiting_.find(e.message); it != f.waiting_.end()) {
      auto said = std::move(it->second);
      f.waiting_.erase(it);
      said.message = f.renamed(f.messages_, said.message);
      said.client_message_id.clear();
      for (auto& file : said.attachments) file.file = f.renamed(f.files_, file.file);
      auto size = said.content.size();
      keep(std::move(said), size);
    }
    e.run = f.new_run_;
    e.message = f.renamed(f.messages_, e.message);
    e.reply = f.renamed(f.messages_, e.reply);
    e.trace = f.new_trace_;
    keep(std::move(e), 0);
  }
  void operator()(core::step_started e) const {
    if (!is_mine(e.run)) return;
    e.message = f.renamed(f.messages_, e.message);
    keep(std::move(e), 0);
  }
  void operator()(core::message_completed e) const {
    if (!is_mine(e.run)) return;
    e.message = f.renamed(f.messages_, e.message);
    auto size = e.content.size();
    for (const auto& call : e.calls) size += call.arguments.size();
    keep(std::move(e), size);
  }
  void operator()(core::history_compacted e) const {
    if (!is_mine(e.run)) return;
    auto size = e.summary.size();
    keep(std::move(e), size);
  }
  void operator()(core::tool_started e) const {
    if (!is_mine(e.run)) return;
    e.child = {};  // it belongs to the source, and so does what allowed the call
    e.allowed_by = {};
    auto size = e.input.size();
    keep(std::move(e), size);
  }
  // A long output stays where it is: who asks the copy for it gets it from there (storage/tool_outputs.hpp).
  void operator()(core::tool_completed e) const {
    if (!is_mine(e.run)) return;
    e.child_tokens = {};
    e.child_cost = {};
    auto size = e.output.size();
    keep(std::move(e), size);
  }
  void operator()(core::tool_outcome_unknown e) const {
    if (is_mine(e.run)) keep(std::move(e), 0);
  }
  void operator()(core::approval_requested e) const {
    if (!is_mine(e.run) || !e.origin.is_nil()) return;  // questions of sub-agents are not of this conversation
    e.approval = f.renamed(f.approvals_, e.approval);
    auto size = e.action.size() + e.prompt.size() + e.schema.size();
    keep(std::move(e), size);
  }
  void operator()(core::approval_endorsed e) const {
    if (!is_mine(e.run) || !f.approvals_.contains(e.approval)) return;
    e.approval = f.renamed(f.approvals_, e.approval);
    auto size = e.edited_input.size() + e.note.size();
    keep(std::move(e), size);
  }
  void operator()(core::approval_decided e) const {
    if (!is_mine(e.run) || !f.approvals_.contains(e.approval)) return;
    e.approval = f.renamed(f.approvals_, e.approval);
    auto size = e.edited_input.size() + e.note.size() + e.answer.size();
    keep(std::move(e), size);
  }
  void operator()(core::agent_changed e) const {
    f.latest_agent_ = e.agent;
    if (!is_mine(e.run)) return;
    auto size = e.note.size();
    keep(std::move(e), size);
  }

  void operator()(core::run_completed e) const {
    if (!is_mine(e.run)) return;
    e.message = f.renamed(f.messages_, e.message);
    e.trace = f.new_trace_;
    e.tokens = {};  // what it cost was paid by the source
    e.cost = {};
    end(std::move(e));
  }
  void operator()(core::run_failed e) const {
    if (is_mine(e.run)) end(std::move(e));
  }
  void operator()(core::run_cancelled e) const {
    if (is_mine(e.run)) end(std::move(e));
  }
  template <class Other>
  void operator()(const Other&) const {}

  [[nodiscard]] bool is_mine(const core::run_id& run) const { return !f.run_.is_nil() && run == f.run_; }
  template <class Fact>
  void keep(Fact fact, std::size_t bytes) const {
    if constexpr (requires { fact.run; }) fact.run = f.new_run_;
    f.running_.emplace_back(std::move(fact));
    f.running_bytes_ += bytes;
  }
  template <class Fact>
  void end(Fact fact) const {
    keep(std::move(fact), 0);
    std::move(f.running_.begin(), f.running_.end(), std::back_inserter(f.done_));
    f.running_.clear();
    f.done_bytes_ += std::exchange(f.running_bytes_, 0);
    f.run_ = {};
    f.upto_ = seq;
  }
};

void fork_fold::take(const core::event& e) { std::visit(taker{*this, e.seq}, e.payload); }

std::vector<std::pair<core::file_id, core::file_id>> fork_fold::files() const {
  std::vector<std::pair<core::file_id, core::file_id>> out;
  for (const auto& fact : done_)
    if (const auto* said = std::get_if<core::message_added>(&fact))
      for (const auto& file : said->attachments)
        for (const auto& [old_id, new_id] : files_)
          if (new_id == file.file) out.emplace_back(old_id, new_id);
  return out;
}

}  // namespace troupe::actors
