#include "app/scenario/remote.hpp"

#include "app/scenario/client_view.hpp"
#include "app/scenario/rest_client.hpp"
#include "app/scenario/session_stream.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <thread>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;
using std::chrono::milliseconds;

namespace {

struct request {
  std::string method;
  std::string path;
  json::object body{};
  std::string content_type{};  ///< of `bytes`, which go in the place of the body
  std::string bytes{};
};

class remote_scene final : public scene {
 public:
  remote_scene(remote_options options, std::unique_ptr<rest_client> http)
      : options_(std::move(options)), http_(std::move(http)) {}

  core::result<void> open() {
    auto project = options_.project;
    if (project.empty()) {
      auto all = http_->call("GET", "/projects");
      if (!all) return all.error();
      if (all->items().empty() || !all->items().front().is_object())
        return error{errc::not_found, options_.url + ": the server has no project; name one with --project"};
      project = rest_answer{200, all->items().front().get_object()}.text("id");
    }
    json::object body;
    if (!options_.agent.empty()) body["agentId"] = options_.agent;
    auto made = http_->call("POST", "/projects/" + percent_encoded(project) + "/sessions", body);
    if (!made) return made.error();
    session_ = made->text("id");
    const auto* last = made->body.if_contains("lastSeq");
    if (made->status >= 300 || session_.empty() || !last || !last->is_int64())
      return error{errc::provider_error, options_.url + ": no session was made: " + json::serialize(made->body)};
    stream_ =
        std::make_unique<session_stream>(http_->url(), http_->token(), session_, static_cast<core::seq_t>(last->get_int64()));
    return {};
  }

  core::result<void> send(core::principal, core::command command) override {
    reply_.reset();
    auto r = request_of(command);
    if (!r) return error{errc::validation_error, "this command has no request of its own; play the scenario without --url"};
    auto got = r->content_type.empty() ? http_->call(r->method, r->path, r->body)
                                       : http_->upload(r->path, r->content_type, std::move(r->bytes));
    if (!got) return got.error();
    reply_ = reply_of(*got, command);
    return defect();
  }

  core::result<void> advance(milliseconds by) override {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(static_cast<double>(by.count()) / options_.speed));
    return defect();
  }

  core::result<std::optional<milliseconds>> advance_to_next(milliseconds most) override {
    auto from = std::chrono::steady_clock::now();
    stream_->wait(most);
    if (auto found = defect(); !found) return found.error();
    return std::optional(std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - from));
  }

  core::result<void> restart() override { return no("restart"); }
  core::result<void> crash() override { return no("crash"); }
  void crash_before(std::string) override {}
  [[nodiscard]] bool awaits_crash() const noexcept override { return false; }
  [[nodiscard]] std::vector<core::event> take_events() override {
    std::vector<core::event> out;
    for (const auto& frame : stream_->take())
      if (auto e = event_of_frame(frame); e && !e->as<core::message_superseded>()) out.push_back(std::move(*e));
    return out;
  }
  [[nodiscard]] const std::optional<reply>& last_reply() const noexcept override { return reply_; }
  [[nodiscard]] std::uint32_t starts() const noexcept override { return 1; }
  [[nodiscard]] bool is_remote() const noexcept override { return true; }

 private:
  [[nodiscard]] error no(const std::string& what) const {
    return {errc::validation_error,
            "a running server does not " + what + " for a scenario; say why under \"skip\": {\"url\": …}"};
  }
  [[nodiscard]] core::result<void> defect() const {
    if (auto failure = stream_->failure()) return *failure;
    return {};
  }

  static json::object remember_body(const core::remember_options& o) {
    json::object out{{"scope", core::to_string(o.scope)}};
    if (!o.when.empty()) out["when"] = json::parse(o.when);
    if (o.lifetime.count() > 0) out["expiresInMs"] = o.lifetime.count();
    return out;
  }

  std::optional<request> request_of(const core::command& command) {
    const auto path = "/sessions/" + session_;
    if (const auto* c = std::get_if<core::send_message>(&command)) {
      request r{"POST", path + "/messages", {{"content", c->content}}};
      if (!c->client_message_id.empty()) r.body["clientMessageId"] = c->client_message_id;
      if (c->on_busy) r.body["onBusy"] = core::to_string(*c->on_busy);
      json::array files;
      for (const auto& file : c->attachments) files.push_back(json::string(file.str()));
      if (!files.empty()) r.body["attachments"] = std::move(files);
      return r;
    }
    if (const auto* d = std::get_if<core::decide_approval>(&command)) {
      auto which = d->approval.is_nil() ? open_approval() : d->approval.str();
      request r{"POST", "/approvals/" + which + "/decide", {{"approved", d->approved}}};
      if (!d->note.empty()) r.body["note"] = d->note;
      if (!d->edited_input.empty()) r.body["editedInput"] = json::parse(d->edited_input);
      if (d->remember) r.body["remember"] = remember_body(*d->remember);
      return r;
    }
    if (const auto* stop = std::get_if<core::cancel_run>(&command)) {
      request r{"POST", path + "/cancel"};
      if (!stop->run.is_nil()) r.body["runId"] = stop->run.str();
      return r;
    }
    if (const auto* gone = std::get_if<core::dequeue_message>(&command))
      return request{"DELETE", path + "/queue/" + gone->message.str()};
    if (const auto* edit = std::get_if<core::edit_queued>(&command)) {
      request r{"PATCH", path + "/queue/" + edit->message.str()};
      if (edit->content) r.body["content"] = *edit->content;
      if (edit->position > 0) r.body["position"] = edit->position;
      return r;
    }
    if (const auto* file = std::get_if<core::add_file>(&command))
      return request{"POST", path + "/files?name=" + percent_encoded(file->name), {}, file->content_type, *file->data};
    if (const auto* status = std::get_if<core::change_status>(&command))
      return request{"PATCH", path + "/status", {{"status", core::to_string(status->status)}}};
    return std::nullopt;
  }

  std::string open_approval() {
    auto got = http_->call("GET", "/approvals?status=pending&sessionId=" + session_);
    if (!got || got->items().empty() || !got->items().back().is_object()) return {};
    return rest_answer{200, got->items().back().get_object()}.text("id");
  }

  static reply reply_of(const rest_answer& got, const core::command& command) {
    if (got.status >= 400) {
      const auto* inner = got.body.if_contains("error");
      auto told = inner && inner->is_object() ? rest_answer{got.status, inner->get_object()} : got;
      return error{core::errc_from(told.text("code")), told.text("message")};
    }
    if (std::holds_alternative<core::send_message>(command)) {
      core::message_accepted out;
      out.run = core::run_id::parse(got.text("runId")).value_or(core::run_id{});
      out.message = core::message_id::parse(got.text("messageId")).value_or(core::message_id{});
      if (const auto* position = got.body.if_contains("position"); position && position->is_int64())
        out.position = static_cast<std::uint32_t>(position->get_int64());
      return core::command_reply{out};
    }
    if (std::holds_alternative<core::decide_approval>(command)) {
      core::approval_settled out;
      out.approval = core::approval_id::parse(got.text("id")).value_or(core::approval_id{});
      out.decision = core::decision_from(got.text("status")).value_or(core::decision::denied);
      out.note = got.text("note");
      out.won = true;
      return core::command_reply{out};
    }
    if (std::holds_alternative<core::add_file>(command)) return core::command_reply{core::file_stored{attachment_of(got.body)}};
    return core::command_reply{core::done{}};
  }

  remote_options options_;
  std::unique_ptr<rest_client> http_;
  std::string session_;
  std::unique_ptr<session_stream> stream_;
  std::optional<reply> reply_;
};

}  // namespace

core::result<std::unique_ptr<scene>> open_remote(const remote_options& options) {
  auto http = rest_client::open(options.url, options.token);
  if (!http) return http.error();
  auto out = std::make_unique<remote_scene>(options, std::move(*http));
  if (auto opened = out->open(); !opened) return opened.error();
  return std::unique_ptr<scene>(std::move(out));
}

}  // namespace troupe::app
