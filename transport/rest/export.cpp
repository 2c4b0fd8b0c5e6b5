// A session as one JSON document (PROTOCOLS §1.6, export): what its other endpoints tell in pages. Written as text while it
// is read, so that a long log is never a tree in memory.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t most_bytes = 64 << 20;
constexpr std::int64_t rows = 100;

class session_export : public std::enable_shared_from_this<session_export> {
 public:
  session_export(rest_call_ptr call, core::session_record session)
      : call_(std::move(call)),
        session_(std::move(session)),
        encoder_(make_encoder(encoder_kind::nexus_log, session_.id)),
        out_(R"({"format":"troupe-session","version":1,"exportedAt":)") {}

  void start() {
    call_->exchange->on_abandoned([weak = weak_from_this()] {
      if (auto me = weak.lock()) me->is_over_ = true;
    });
    append(json::string(iso_time(call_->way().environment().now())));
    out_ += R"(,"session":)";
    append(session_json(session_));
    call_->ask<std::vector<core::tool_call_record>>(core::list_tool_calls{session_.id},
                                                    [me = shared_from_this()](std::vector<core::tool_call_record> results) {
                                                      me->results_ = std::move(results);
                                                      me->begin("messages");
                                                      me->read_messages();
                                                    });
  }

 private:
  void append(const json::value& value) { out_ += json::serialize(value); }
  void item(const json::value& value) {
    if (has_items_) out_ += ',';
    has_items_ = true;
    append(value);
  }
  void begin(std::string_view list) {
    out_.append(",\"").append(list).append("\":[");
    has_items_ = false;
    read_ = 0;
  }

  /// False where there is no use in going on; the call is answered then.
  bool goes_on() {
    if (is_over_ || out_.size() <= most_bytes) return !is_over_;
    is_over_ = true;
    call_->fail({errc::payload_too_large, "The session is larger than " + std::to_string(most_bytes) +
                                              " bytes as one document; read its messages and events in pages."});
    return false;
  }

  /// Takes a page of a list; true when it was the last.
  template <class T, class F>
  bool take(const core::page<T>& page, F as_json) {
    for (const auto& record : page.items) item(as_json(record));
    read_ += static_cast<std::int64_t>(page.items.size());
    return page.items.empty() || read_ >= page.total;
  }

  void read_messages() {
    using page_type = core::page<core::message_record>;
    call_->ask<page_type>(core::list_messages{session_.id, {rows, read_}}, [me = shared_from_this()](const page_type& page) {
      for (auto& message : messages_json(page.items, me->results_)) me->item(message);
      me->read_ += static_cast<std::int64_t>(page.items.size());
      if (!me->goes_on()) return;
      if (!page.items.empty() && me->read_ < page.total) return me->read_messages();
      me->out_ += ']';
      me->read_queue();
    });
  }

  void read_queue() {
    begin("queue");
    using queue = std::vector<core::session_state::queued>;
    call_->ask<queue>(core::list_queue{session_.id}, [me = shared_from_this()](const queue& waiting) {
      for (std::size_t i = 0; i < waiting.size(); ++i) me->item(queued_json(waiting[i], i + 1));
      me->out_ += ']';
      me->begin("approvals");
      me->read_approvals();
    });
  }

  void read_approvals() {
    core::list_approvals question;
    question.session = session_.id;
    question.window = {rows, read_};
    call_->ask<core::page<core::approval_record>>(std::move(question),
                                                  [me = shared_from_this()](const core::page<core::approval_record>& page) {
                                                    bool is_last = me->take(page, approval_json);
                                                    if (!me->goes_on()) return;
                                                    if (!is_last) return me->read_approvals();
                                                    me->out_ += ']';
                                                    me->begin("traces");
                                                    me->read_traces();
                                                  });
  }

  void read_traces() {
    core::list_traces question;
    question.session = session_.id;
    question.window = {rows, read_};
    call_->ask<core::page<core::span_record>>(
        std::move(question), [me = shared_from_this()](const core::page<core::span_record>& page) {
          bool is_last = me->take(page, [&](const core::span_record& root) { return trace_json(root, me->session_.project); });
          if (!me->goes_on()) return;
          if (!is_last) return me->read_traces();
          me->out_ += ']';
          me->read_files();
        });
  }

  void read_files() {
    begin("files");
    using files = std::vector<core::file_record>;
    call_->ask<files>(core::list_files{session_.id}, [me = shared_from_this()](const files& all) {
      for (const auto& f : all) me->item(file_json(f));
      me->out_ += ']';
      me->begin("events");
      me->read_events(0);
    });
  }

  /// As GET …/events lists them.
  void read_events(core::seq_t after) {
    call_->way().read_events(session_.id, after, [me = shared_from_this()](const core::result<actors::event_page>& page) {
      if (me->is_over_) return;
      if (!page) return me->call_->fail(page.error());
      frame_writer lines(framing::lines);
      for (const auto& e : page->events) me->encoder_->encode(e, lines);
      if (!lines.empty()) me->take_lines(*lines.take());
      if (!me->goes_on()) return;
      // A short page is the end: a run that goes on could be read for ever.
      if (page->events.size() >= gateway::rows_per_page) return me->read_events(page->events.back().seq);
      me->out_ += "]}";
      me->answer();
    });
  }

  void take_lines(std::string_view lines) {
    while (!lines.empty()) {
      auto end = std::min(lines.find('\n'), lines.size());
      if (has_items_) out_ += ',';
      has_items_ = true;
      out_.append(lines.substr(0, end));
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
  }

  void answer() {
    is_over_ = true;
    http_response r;
    r.body = std::move(out_);
    r.headers = {{"Content-Disposition", "attachment; filename=\"session-" + session_.id.str() + ".json\""},
                 {"X-Content-Type-Options", "nosniff"},
                 {"Cache-Control", "no-store"}};
    call_->exchange->respond(std::move(r));
  }

  rest_call_ptr call_;
  core::session_record session_;
  std::unique_ptr<encoder> encoder_;
  std::vector<core::tool_call_record> results_;
  std::string out_;
  bool has_items_ = false;  ///< in the list that is being written
  bool is_over_ = false;
  std::int64_t read_ = 0;  ///< rows of that list
};

}  // namespace

/// GET /sessions/{id}/export
void get_export(const rest_call_ptr& call) {
  call->find_session([call](core::session_record s) { std::make_shared<session_export>(call, std::move(s))->start(); });
}

}  // namespace troupe::transport
