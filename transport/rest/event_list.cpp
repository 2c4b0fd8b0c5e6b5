#include "transport/rest/event_list.hpp"

#include <algorithm>

namespace troupe::transport {

namespace {

class event_list : public std::enable_shared_from_this<event_list> {
 public:
  event_list(rest_call_ptr call, core::session_id session, core::seq_t after, core::window w)
      : call_(std::move(call)),
        session_(session),
        after_(after),
        window_(w),
        encoder_(make_encoder(encoder_kind::nexus_log, session)) {}

  /// The run that holds `after` is read from its beginning, so that the encoder knows what came before.
  void start() {
    call_->exchange->on_abandoned([weak = weak_from_this()] {
      if (auto me = weak.lock()) me->is_abandoned_ = true;
    });
    call_->ask<core::seq_t>(core::find_run_start{session_, after_}, [me = shared_from_this()](core::seq_t start) {
      me->read_from_ = start == 0 ? 0 : std::min(start - 1, me->after_);
      me->read();
    });
  }

 private:
  void read() {
    call_->way().read_events(session_, read_from_, [me = shared_from_this()](const core::result<actors::event_page>& page) {
      if (me->is_abandoned_) return;
      if (!page) return me->call_->fail(page.error());
      me->take(page->events);
    });
  }

  void take(const std::vector<core::event>& events) {
    frame_writer nowhere(framing::lines);
    frame_writer out(framing::lines);
    for (const auto& e : events) {
      if (e.first <= after_) encoder_->encode(core::head_upto(e, after_), nowhere);
      if (e.seq > after_) encoder_->encode(e.first <= after_ ? core::tail_after(e, after_) : e, out);
      nowhere.discard();
      read_from_ = e.seq;
    }
    if (!out.empty()) keep(*out.take());
    // A short page is the end: a run that goes on could be read for ever.
    if (events.size() >= gateway::rows_per_page) return read();
    call_->answer(200, list_of(std::move(items_), total_, window_));
  }

  void keep(std::string_view lines) {
    while (!lines.empty()) {
      auto end = std::min(lines.find('\n'), lines.size() - 1);
      if (total_ >= window_.offset && total_ - window_.offset < window_.limit)
        items_.push_back(json_or_string(lines.substr(0, end)));
      ++total_;
      lines.remove_prefix(end + 1);
    }
  }

  rest_call_ptr call_;
  core::session_id session_;
  core::seq_t after_;
  core::window window_;
  std::unique_ptr<encoder> encoder_;
  core::seq_t read_from_ = 0;
  bool is_abandoned_ = false;
  boost::json::array items_;
  std::int64_t total_ = 0;
};

}  // namespace

void list_events(const rest_call_ptr& call, core::session_id session, core::seq_t after, core::window w) {
  std::make_shared<event_list>(call, session, after, w)->start();
}

}  // namespace troupe::transport
