// The calls that a supervisor has under way, and those that wait for their turn or for the server.
#include "tools/mcp/content.hpp"
#include "tools/mcp/supervisor.hpp"
#include "tools/text.hpp"

#include <algorithm>

namespace troupe::tools::mcp {

namespace {

constexpr int max_attempts = 3;

}  // namespace

void supervisor::submit(call_ptr call) {
  on_thread([call = std::move(call)](supervisor& s) { s.take(call); });
}

void supervisor::take(call_ptr call) {
  if (call->is_over) return;
  if (is_stopping_) return call->finish({false, "The " + called() + " has been stopped. The call was not made."});
  if (waiting_.size() >= options_.calls_waiting)
    return call->finish({false, "The " + called() + " has " + std::to_string(waiting_.size()) +
                                    " calls waiting already. The call was not made; try again later."});
  call->key = ++last_key_;
  waiting_.push_back(call);
  if (phase_ != phase::ready) wait_for_server(call);
  dispatch();
}

void supervisor::dispatch() {
  while (session_ && phase_ == phase::ready && session_->phase() == phase::ready && !waiting_.empty() &&
         open_.size() < options_.calls_at_once) {
    auto call = std::move(waiting_.front());
    waiting_.pop_front();
    call->patience.reset();
    if (call->is_over) continue;
    ++call->attempts;
    call->begun = clock::now();
    open_.emplace(call->key, call);
    call_request request;
    request.key = call->key;
    request.tool = call->tool->remote().name;
    request.arguments = call->arguments;
    request.owner = call->owner;
    request.meta = call->meta;
    request.headers = header_lines(call->tool->remote(), call->arguments);
    session_->begin(std::move(request));
  }
  pump();
}

void supervisor::wait_for_server(const call_ptr& call) {
  if (call->patience) return;
  call->patience.emplace(io_);
  call->patience->expires_after(options_.patience);
  call->patience->async_wait([weak = weak_from_this(), waiting = std::weak_ptr(call)](boost::system::error_code ec) {
    auto self = weak.lock();
    auto which = waiting.lock();
    if (ec || !self || !which) return;
    auto at = std::find(self->waiting_.begin(), self->waiting_.end(), which);
    if (at == self->waiting_.end() || self->phase_ == phase::ready) return;
    self->waiting_.erase(at);
    which->finish({false, "The " + self->called() +
                              " is not running: " + (self->trouble_.empty() ? "it is still starting" : self->trouble_) +
                              ". It is being started again. The call was not made; it may be made later."});
  });
}

void supervisor::answer(call_ptr call, tools::answer a) {
  on_thread([call = std::move(call), a = std::move(a)](supervisor& s) {
    if (call->is_over || !s.session_) return;
    s.session_->answer(call->key, a);
    s.pump();
  });
}

void supervisor::give_up(call_ptr call) {
  on_thread([call = std::move(call)](supervisor& s) {
    std::erase(s.waiting_, call);
    if (s.open_.erase(call->key) == 0 || !s.session_) return;
    s.session_->cancel(call->key);
    s.check_life();
    s.dispatch();
  });
}

/// A program that answers nothing any more would fail every call from now on. Calls that began before the question may keep it
/// busy; those that came later wait behind whatever hangs.
void supervisor::check_life() {
  if (!config_.url.empty() || is_checking_ || phase_ != phase::ready) return;
  is_checking_ = true;
  last_check_ = clock::now();
  session_->check();
  after(hang_timer_, options_.hang_limit, &supervisor::on_hang_limit);
}

void supervisor::on_hang_limit() {
  if (!session_) return;
  if (last_heard_ >= last_check_) {
    is_checking_ = false;
    return;
  }
  for (const auto& [key, call] : open_)
    if (call->begun < last_check_) return after(hang_timer_, options_.hang_limit, &supervisor::on_hang_limit);
  go_down("it does not react any more");
}

void supervisor::fail_lost(open_call& call, const std::string& why) {
  auto text = "The " + called() + " did not finish the call: " + why + ".";
  text += call.tool->spec().effect == core::effect::once
              ? " Whether it had its effect is unknown: find out before calling it again."
              : " It may be called again.";
  call.finish({false, std::move(text)});
}

void supervisor::apply(call_event event) {
  auto found = open_.find(event.key);
  if (found == open_.end()) return;
  auto call = found->second;
  using kind = call_event::kind;
  if (event.is == kind::progress || event.is == kind::question) {
    if (call->is_over) return;
    if (event.is == kind::progress)
      call->listener->progress(std::move(event.text));
    else
      call->listener->ask(std::move(event.ask));
    return;
  }
  open_.erase(found);
  switch (event.is) {
    case kind::result:
      call->finish(result_of(event.result, call->tool->output()));
      break;
    case kind::refused:
      call->finish({false, "The " + called() + " did not carry out the call: " + event.text + "."});
      break;
    case kind::lost:
      fail_lost(*call, event.text);
      break;
    default:  // again
      if (call->attempts >= max_attempts) {
        call->finish({false, "The " + called() + " did not carry out the call: " + event.text + "."});
        break;
      }
      waiting_.push_front(call);
      wait_for_server(call);
  }
  if (!waiting_.empty()) on_thread([](supervisor& s) { s.dispatch(); });
}

}  // namespace troupe::tools::mcp
