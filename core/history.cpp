#include "core/history.hpp"

#include <algorithm>
#include <atomic>
#include <set>

namespace troupe::core {

struct history_fold {
  history& h;

  void operator()(const message_added& e) const {
    if (e.role != role::user) return;  // instructions come from the agent, not from the log
    h.waiting_.push_back({e.message, {role::user, e.content, {}, {}, true, e.attachments}});
  }
  void operator()(const message_edited& e) const {
    if (auto it = find_waiting(e.message); it != h.waiting_.end()) it->message.content = e.content;
  }
  void operator()(const run_started& e) const {
    h.close_open_calls();
    h.run_ = e.run;
    h.is_running_ = true;
    h.run_begin_ = h.messages_->size();
    auto it = find_waiting(e.message);
    if (it == h.waiting_.end()) return;
    h.writable().push_back(std::move(it->message));
    h.waiting_.erase(it);
  }
  void operator()(const run_dequeued& e) const {
    if (auto it = find_waiting(e.message); it != h.waiting_.end()) h.waiting_.erase(it);
  }
  void operator()(const step_started&) const { h.close_open_calls(); }
  void operator()(const message_completed& e) const {
    h.close_open_calls();
    if (h.messages_->empty()) return;  // a conversation begins with its user
    history_message message{role::assistant, e.content, {}, {}, true};
    for (const auto& call : e.calls)
      if (!call.id.empty() && !asks(message, call.id)) message.calls.push_back(call);
    if (!message.content.empty() || !message.calls.empty()) drop_refused_answer();
    if (message.calls.empty()) {
      if (!message.content.empty()) h.writable().push_back(std::move(message));
      return;
    }
    for (const auto& call : message.calls) {
      h.open_.push_back(h.open_.size() + 1);
      h.exchange_.push_back({role::tool, std::string(missing_result_text), {}, call.id, false});
    }
    h.exchange_.insert(h.exchange_.begin(), std::move(message));
  }
  void operator()(const tool_completed& e) const {
    auto it = std::find_if(h.open_.begin(), h.open_.end(), [&](std::size_t at) { return h.exchange_[at].call == e.call; });
    if (it == h.open_.end()) return;
    h.exchange_[*it].content = e.output;
    h.exchange_[*it].ok = e.ok;
    h.open_.erase(it);
    if (h.open_.empty()) h.close_open_calls();
  }
  // What waits stays, and so does the exchange that goes on, if there is one: it begins with its user.
  void operator()(const history_cleared&) const {
    auto& all = h.writable();
    auto begin = all.begin() + static_cast<std::ptrdiff_t>(std::min(h.run_begin_, all.size()));
    if (h.is_running_ && begin != all.end() && begin->role == role::user) {
      all.erase(all.begin(), begin);
    } else {
      all.clear();
      h.exchange_.clear();
      h.open_.clear();
    }
    h.run_begin_ = 0;
  }
  void operator()(const history_compacted& e) const {
    auto replaced = std::min<std::size_t>(e.replaced, std::min(h.run_begin_, h.messages_->size()));
    // Exchanges are not cut in two, whatever the event says.
    while (replaced > 0 && replaced < h.messages_->size() && (*h.messages_)[replaced].role != role::user) --replaced;
    if (replaced == 0) return;
    auto& all = h.writable();
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(replaced));
    all.insert(all.begin(), {role::user, std::string(summary_prefix) + e.summary, {}, {}, true});
    h.run_begin_ -= replaced - 1;
  }
  void operator()(const run_completed& e) const { end(e.run); }
  void operator()(const run_failed& e) const { end(e.run); }
  void operator()(const run_cancelled& e) const { end(e.run); }
  template <class Other>
  void operator()(const Other&) const {}

  // A run goes on behind a plain answer only where that one was of no use (actors/agent_loop_model.cpp).
  void drop_refused_answer() const {
    const auto& all = *h.messages_;
    if (h.is_running_ && all.size() > h.run_begin_ + 1 && all.back().role == role::assistant && all.back().calls.empty())
      h.writable().pop_back();
  }
  // A queued run may be cancelled while another one waits for its tools.
  void end(run_id run) const {
    if (run != h.run_) return;
    h.close_open_calls();
    h.is_running_ = false;
  }
  static bool asks(const history_message& message, const tool_call_id& id) {
    return std::any_of(message.calls.begin(), message.calls.end(), [&](const tool_call& c) { return c.id == id; });
  }
  std::vector<history::waiting_message>::iterator find_waiting(message_id id) const {
    return std::find_if(h.waiting_.begin(), h.waiting_.end(), [&](const auto& w) { return w.id == id; });
  }
};

void history::apply(const event& e) { std::visit(history_fold{*this}, e.payload); }

std::shared_ptr<const std::vector<history_message>> history::snapshot() { return messages_; }

void history::clear() { *this = history{}; }

void history::close_open_calls() {
  if (!exchange_.empty()) {
    auto& all = writable();
    std::move(exchange_.begin(), exchange_.end(), std::back_inserter(all));
  }
  exchange_.clear();
  open_.clear();
}

std::vector<history_message>& history::writable() {
  if (messages_.use_count() > 1) {
    messages_ = std::make_shared<std::vector<history_message>>(*messages_);
  } else {
    // The last other holder may have read on another thread just now.
    std::atomic_thread_fence(std::memory_order_acquire);
  }
  return *messages_;
}

std::string defect_of(const std::vector<history_message>& messages) {
  bool begun = false;
  std::set<tool_call_id> open;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& m = messages[i];
    auto at = "message " + std::to_string(i + 1) + ": ";
    if (m.role != role::tool && !open.empty()) return at + "call " + open.begin()->str() + " has no result before it";
    if (m.role != role::assistant && !m.calls.empty()) return at + "only an assistant may call tools";
    if (m.role != role::tool && !m.call.empty()) return at + "only a tool result may answer a call";
    if (m.role != role::user && !m.attachments.empty()) return at + "only a user may attach files";
    if (m.role == role::system) {
      if (begun) return at + "a system message after the conversation began";
      continue;
    }
    if (!begun && m.role != role::user) return at + "the conversation does not begin with a user message";
    begun = true;
    if (m.role == role::assistant) {
      if (m.content.empty() && m.calls.empty()) return at + "an assistant message with neither text nor calls";
      for (const auto& call : m.calls) {
        if (call.id.empty()) return at + "a call without an id";
        if (!open.insert(call.id).second) return at + "call " + call.id.str() + " is asked twice";
      }
    } else if (m.role == role::tool && open.erase(m.call) == 0) {
      return at + "the result answers no open call: " + m.call.str();
    }
  }
  if (!open.empty()) return "call " + open.begin()->str() + " has no result at the end";
  return {};
}

}  // namespace troupe::core
