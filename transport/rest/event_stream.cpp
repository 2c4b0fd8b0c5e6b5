#include "transport/rest/event_stream.hpp"

#include "transport/dialects/nexus.hpp"

#include <charconv>

namespace troupe::transport {

void event_stream::end() {
  auto close = [to = to_] { to->close(1000, ""); };
  if (follower_)
    follower_->when_level(close);
  else
    close();
}

void event_stream::on_drained() {
  if (follower_) follower_->on_drained();
}

void event_stream::on_closed() {
  if (auto left = std::exchange(follower_, nullptr)) left->leave();
}

std::optional<std::optional<core::seq_t>> requested_after(const rest_call_ptr& call) {
  std::string text(call->request.header("last-event-id"));
  if (text.empty()) text = call->request.query_value("after");
  if (text.empty()) return std::optional<core::seq_t>{};
  core::seq_t after = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), after);
  if (error == std::errc{} && end == text.data() + text.size()) return std::optional{after};
  call->fail_field("after", "must be the seq of an event (Last-Event-ID or ?after=)");
  return std::nullopt;
}

void stream_events(
    const rest_call_ptr& call, core::session_id session, event_stream_options options,
    std::function<void(const std::shared_ptr<event_stream>&, const core::result<core::session_record>&)> attached) {
  auto start = [call, session, options, attached = std::move(attached)] {
    auto stream = std::make_shared<event_stream>();
    auto to = stream->to_ = call->exchange->start_stream(stream);
    auto f = stream->follower_ = std::make_shared<follower>(to, 0, call->principal());
    client_port::follow_options follow;
    follow.kind = options.kind;
    follow.after = options.after;
    follow.must_exist = options.must_exist;
    follow.lost = [to](const core::error& e) { to->close(1008, e.text); };
    call->hub().follow(f, {session, std::move(follow), [stream, attached](const core::result<core::session_record>& r) {
                             if (!r) stream->to_->close(1011, r.error().text);
                             if (attached) attached(stream, r);
                           }});
  };
  if (!options.must_exist) return start();
  // A stream cannot change its status any more: the session is looked up before it begins.
  call->ask<core::session_record>(core::get_session{session}, [start](const core::session_record&) { start(); });
}

}  // namespace troupe::transport
