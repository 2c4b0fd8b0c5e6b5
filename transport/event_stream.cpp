#include "transport/event_stream.hpp"

#include "transport/dialects/nexus.hpp"

#include <charconv>

namespace troupe::transport {

namespace {

class stream_owner final : public peer_owner {
 public:
  void on_message(std::string_view, bool) override {}
  void on_drained() override {
    if (follower_) follower_->on_drained();
  }
  void on_closed() override {
    if (follower_) follower_->leave();
  }
  void follow_with(std::shared_ptr<follower> f) { follower_ = std::move(f); }

 private:
  std::shared_ptr<follower> follower_;
};

}  // namespace

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

void stream_events(const rest_call_ptr& call, core::session_id session, event_stream_options options,
                   std::function<void(const std::shared_ptr<peer>&, const core::result<core::session_record>&)> attached) {
  auto start = [call, session, options, attached = std::move(attached)] {
    auto owner = std::make_shared<stream_owner>();
    auto stream = call->exchange->start_stream(owner);
    auto f = std::make_shared<follower>(stream, 0);
    owner->follow_with(f);
    call->hub().follow(f, session, encoder_kind::nexus_a, options.after, options.must_exist,
                       [stream, attached](const core::result<core::session_record>& r) {
                         if (!r) stream->close(1011, r.error().text);
                         if (attached) attached(stream, r);
                       });
  };
  if (!options.must_exist) return start();
  // A stream cannot change its status any more: the session is looked up before it begins.
  call->ask<core::session_record>(core::get_session{session}, [start](const core::session_record&) { start(); });
}

}  // namespace troupe::transport
