#include "actors/call_inbox.hpp"

#include "providers/utf8.hpp"
#include "tools/text.hpp"

namespace troupe::actors {

namespace {

constexpr std::string_view more_note = "\n[more output follows; it is not shown while the call runs]\n";
/// Of a question: text and schema.
constexpr std::size_t max_question_bytes = 64 << 10;

std::string plain(std::string text) {
  if (tools::is_plain_text(text)) return text;
  text = providers::to_utf8(text);
  for (auto& c : text)
    if (c == '\0') c = ' ';
  return text;
}

}  // namespace

call_inbox::call_inbox(core::tool_call_id call, const tool_invocation_actor& to)
    : call_(std::move(call)), to_(caf::actor_cast<caf::strong_actor_ptr>(to).get()) {}

template <class Message>
void call_inbox::post(Message m) const {
  if (auto to = to_.lock()) caf::anon_send(caf::actor_cast<tool_invocation_actor>(to), std::move(m));
}

void call_inbox::progress(std::string text) {
  if (text.empty()) return;
  bool wakes = false;
  {
    std::lock_guard lock(mutex_);
    if (is_over_) return;
    text = plain(std::move(text));
    auto before = waiting_.size();
    auto part = tools::cut_text(text, max_shown_bytes - taken_in_);
    taken_in_ += part.size();
    waiting_ += part;
    if (part.size() < text.size()) {
      waiting_ += more_note;
      is_over_ = true;
    }
    wakes = before == 0 || (before < full_bytes && waiting_.size() >= full_bytes);
  }
  if (wakes) post(tool_output{call_, {}});
}

void call_inbox::ask(tools::question q) {
  core::approval_requested what;
  what.kind = core::approval_kind::input;
  what.prompt = plain(std::move(q.text));
  what.schema = std::move(q.schema);
  if (what.prompt.size() > max_question_bytes) what.prompt = std::string(tools::cut_text(what.prompt, max_question_bytes));
  if (what.schema.size() > max_question_bytes) what.schema = "too long";  // not a schema: it is declined
  post(tool_question{call_, std::move(what)});
}

void call_inbox::done(tools::tool_result result) {
  post(tool_outcome{call_, result.ok, plain(std::move(result.output)), 0, std::move(result.files)});
}

bool call_inbox::is_full() const {
  std::lock_guard lock(mutex_);
  return waiting_.size() >= full_bytes;
}

std::string call_inbox::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

}  // namespace troupe::actors
