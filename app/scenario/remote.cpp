#include "app/scenario/remote.hpp"

#include "app/scenario/client_view.hpp"

#include <httplib.h>
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

constexpr milliseconds poll_every{20};
constexpr int page = 100;

struct answer {
  int status = 0;
  json::object body;
  [[nodiscard]] std::string text(std::string_view key) const {
    const auto* v = body.if_contains(key);
    return v && v->is_string() ? std::string(v->get_string()) : std::string();
  }
};

class remote_scene final : public scene {
 public:
  explicit remote_scene(remote_options options) : options_(std::move(options)), http_(options_.url) {
    http_.set_connection_timeout(10);
    http_.set_read_timeout(30);
    http_.set_keep_alive(true);
  }

  core::result<void> open() {
    auto project = options_.project;
    if (project.empty()) {
      auto all = call("GET", "/projects");
      if (!all) return all.error();
      const auto* items = all->body.if_contains("items");
      if (!items || !items->is_array() || items->get_array().empty() || !items->get_array()[0].is_object())
        return error{errc::not_found, options_.url + ": the server has no project; name one with --project"};
      project = answer{200, items->get_array()[0].get_object()}.text("id");
    }
    json::object body;
    if (!options_.agent.empty()) body["agentId"] = options_.agent;
    auto made = call("POST", "/projects/" + project + "/sessions", body);
    if (!made) return made.error();
    session_ = made->text("id");
    if (session_.empty()) session_ = made->text("sessionId");
    if (made->status >= 300 || session_.empty())
      return error{errc::provider_error, options_.url + ": no session was made: " + json::serialize(made->body)};
    return poll();
  }

  core::result<void> send(core::principal, core::command command) override {
    reply_.reset();
    struct request {
      std::string method, path;
      json::object body;
    };
    auto path = "/sessions/" + session_;
    request r;
    if (const auto* c = std::get_if<core::send_message>(&command)) {
      r = {"POST", path + "/messages", {{"content", c->content}}};
      if (!c->client_message_id.empty()) r.body["clientMessageId"] = c->client_message_id;
      if (c->on_busy) r.body["onBusy"] = core::to_string(*c->on_busy);
    } else if (const auto* d = std::get_if<core::decide_approval>(&command)) {
      auto which = d->approval.is_nil() ? open_approval() : d->approval.str();
      r = {"POST", "/approvals/" + which + "/decide", {{"approved", d->approved}}};
      if (!d->note.empty()) r.body["note"] = d->note;
      if (!d->edited_input.empty()) r.body["editedInput"] = json::parse(d->edited_input);
    } else if (const auto* stop = std::get_if<core::cancel_run>(&command)) {
      r = {"POST", path + "/cancel", {}};
      if (!stop->run.is_nil()) r.body["runId"] = stop->run.str();
    } else if (const auto* out = std::get_if<core::dequeue_message>(&command)) {
      r = {"DELETE", path + "/queue/" + out->message.str(), {}};
    } else if (const auto* status = std::get_if<core::change_status>(&command)) {
      r = {"PATCH", path + "/status", {{"status", core::to_string(status->status)}}};
    } else {
      return error{errc::validation_error, "this command has no request of its own; play the scenario without --url"};
    }
    auto got = call(r.method, r.path, r.body);
    if (!got) return got.error();
    reply_ = reply_of(*got, command);
    return poll();
  }

  core::result<void> advance(milliseconds by) override {
    auto until = std::chrono::steady_clock::now() +
                 std::chrono::duration<double, std::milli>(static_cast<double>(by.count()) / options_.speed);
    while (std::chrono::steady_clock::now() < until) {
      auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
      std::this_thread::sleep_for(std::min(poll_every, std::max(left, milliseconds{1})));
    }
    return poll();
  }

  core::result<std::optional<milliseconds>> advance_to_next(milliseconds most) override {
    auto from = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::min(poll_every, most));
    if (auto polled = poll(); !polled) return polled.error();
    return std::optional(std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - from));
  }

  core::result<void> restart() override { return no("restart"); }
  core::result<void> crash() override { return no("crash"); }
  void crash_before(std::string) override {}
  [[nodiscard]] bool awaits_crash() const noexcept override { return false; }
  [[nodiscard]] std::vector<core::event> take_events() override { return std::exchange(events_, {}); }
  [[nodiscard]] const std::optional<reply>& last_reply() const noexcept override { return reply_; }
  [[nodiscard]] std::uint32_t starts() const noexcept override { return 1; }
  [[nodiscard]] bool is_remote() const noexcept override { return true; }

 private:
  [[nodiscard]] error no(const std::string& what) const {
    return {errc::validation_error,
            "a running server does not " + what + " for a scenario; say why under \"skip\": {\"url\": …}"};
  }

  core::result<answer> call(const std::string& method, const std::string& path, const json::object& body = {}) {
    httplib::Request request;
    request.method = method;
    request.path = "/api/v1" + path;
    request.headers = {{"Accept", "application/json"}};
    if (!options_.token.empty()) request.headers.emplace("Authorization", "Bearer " + options_.token);
    if (method != "GET") {
      request.body = json::serialize(body);
      request.headers.emplace("Content-Type", "application/json");
    }
    auto got = http_.send(request);
    if (!got)
      return error{errc::provider_error,
                   options_.url + ": " + httplib::to_string(got.error()) + "; is the server running there?"};
    boost::system::error_code failure;
    auto value = json::parse(got->body.empty() ? "{}" : got->body, failure);
    if (failure || !value.is_object())
      return error{errc::provider_error,
                   options_.url + request.path + ": answered " + std::to_string(got->status) + " without JSON"};
    if (got->status == 401 || got->status == 403 || got->status == 429)
      return error{errc::auth_failed, options_.url + request.path + ": " + std::to_string(got->status) + " " + got->body};
    return answer{got->status, std::move(value.get_object())};
  }

  core::result<void> poll() {
    for (;;) {
      auto got =
          call("GET", "/sessions/" + session_ + "/events?limit=" + std::to_string(page) + "&after=" + std::to_string(seen_));
      if (!got) return got.error();
      const auto* items = got->body.if_contains("items");
      if (got->status != 200 || !items || !items->is_array())
        return error{errc::provider_error, options_.url + ": the events cannot be read: " + json::serialize(got->body)};
      core::seq_t last = seen_;
      for (const auto& item : items->get_array()) {
        const auto* frame = item.if_object();
        const auto* seq = frame ? frame->if_contains("seq") : nullptr;
        if (!seq || !seq->is_int64()) continue;
        last = std::max(last, static_cast<core::seq_t>(seq->get_int64()));
        if (auto e = event_of_frame(*frame)) events_.push_back(std::move(*e));
      }
      bool is_full = items->get_array().size() >= static_cast<std::size_t>(page);
      // Frames of one event share its seq: a page may not end between them.
      if (is_full && last == seen_) return {};
      seen_ = last;
      if (!is_full) return {};
    }
  }

  std::string open_approval() {
    auto got = call("GET", "/approvals?status=pending&sessionId=" + session_);
    if (!got) return {};
    const auto* items = got->body.if_contains("items");
    if (!items || !items->is_array() || items->get_array().empty() || !items->get_array().back().is_object()) return {};
    return answer{200, items->get_array().back().get_object()}.text("id");
  }

  static reply reply_of(const answer& got, const core::command& command) {
    if (got.status >= 400) {
      const auto* inner = got.body.if_contains("error");
      auto told = inner && inner->is_object() ? answer{got.status, inner->get_object()} : got;
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
    return core::command_reply{core::done{}};
  }

  remote_options options_;
  httplib::Client http_;
  std::string session_;
  core::seq_t seen_ = 0;
  std::vector<core::event> events_;
  std::optional<reply> reply_;
};

}  // namespace

core::result<std::unique_ptr<scene>> open_remote(const remote_options& options) {
  if (!options.url.starts_with("http://"))
    return error{errc::configuration_error, "--url " + options.url + ": expected http://HOST:PORT"};
  auto out = std::make_unique<remote_scene>(options);
  if (auto opened = out->open(); !opened) return opened.error();
  (void)out->take_events();
  return std::unique_ptr<scene>(std::move(out));
}

}  // namespace troupe::app
