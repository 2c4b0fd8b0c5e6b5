#include "app/mock/mock_call.hpp"

#include "providers/script.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace troupe::app {

namespace {

constexpr std::string_view json_type = "application/json";

/// The text of a script's `cut`: an end that is no answer of the API but the lack of one.
const std::string& cut_text() {
  static const std::string text = [] {
    auto script = providers::parse_script(R"({"otherwise":[{"cut":true}]})");
    return script ? std::get<providers::say_error>((*script)->otherwise->front()).text : std::string();
  }();
  return text;
}

bool is_cut(const providers::model_output& said) {
  return said.end && said.end->error.code != core::errc::ok && said.end->error.text == cut_text();
}

transport::bytes as_chunk(std::string_view body) {
  std::array<char, 16> size{};
  auto end = std::to_chars(size.data(), size.data() + size.size(), body.size(), 16).ptr;
  auto out = std::make_shared<std::string>(size.data(), end);
  out->append("\r\n").append(body).append("\r\n");
  return out;
}

}  // namespace

transport::http_response error_response(const wire_format& format, const wire_error& why) {
  return {why.status, std::string(json_type), format.error(why), {}};
}

void mock_call::start() {
  auto self = shared_from_this();
  parts_.exchange->on_abandoned([self] { self->stop(); });
  if (parts_.plan.latency.count() == 0) return begin();
  timer_ = parts_.timers->after(parts_.plan.latency, [self] {
    auto fired = std::move(self->timer_);
    if (!self->is_done_) self->begin();
  });
}

void mock_call::begin() {
  if (parts_.plan.status) {
    wire_error why{*parts_.plan.status, "this failure was asked for (troupe mock-model, status)", {}};
    auto response = error_response(*parts_.format, why);
    if (why.status == 429 || why.status == 503 || why.status == 529)
      response.headers.emplace_back("retry-after", std::to_string(parts_.plan.retry_after.count()));
    is_done_ = true;
    return parts_.exchange->respond(std::move(response));
  }
  auto model = parts_.client->start(std::move(parts_.question.request),
                                    [self = shared_from_this()](providers::model_output said) { self->take(std::move(said)); });
  if (!is_done_) model_ = std::move(model);
}

void mock_call::take(providers::model_output said) {
  if (is_done_) return;
  if (!parts_.question.stream) return take_whole(std::move(said));
  const bool cut = is_cut(said);
  const bool is_last = said.end.has_value();
  if (is_last && !cut && !peer_ && said.text.empty() && said.reasoning.empty() && said.end->error.code != core::errc::ok)
    return fail(*said.end);
  if (!peer_) open("text/event-stream; charset=utf-8");
  if (!writer_) writer_ = parts_.format->stream(parts_.identity, parts_.question);
  if (cut) said.end.reset();
  std::string events;
  writer_->add(said, events);
  send(std::move(events));
  if (is_last) close(!cut);
}

void mock_call::take_whole(providers::model_output said) {
  whole_.text.add(said.text);
  whole_.reasoning.add(said.reasoning);
  if (!said.end) return;
  if (is_cut(said)) {
    open(json_type);
    return close(false);
  }
  if (said.end->error.code != core::errc::ok) return fail(*said.end);
  whole_.end = std::move(said.end);
  answer_whole();
}

void mock_call::answer_whole() {
  auto body = parts_.format->whole(parts_.identity, whole_);
  if (parts_.plan.cut_after || parts_.plan.stall_after) {
    open(json_type);
    send(std::move(body));
    return close(true);
  }
  (void)filter_.pass(body);
  is_done_ = true;
  model_.reset();
  parts_.exchange->respond({200, std::string(json_type), std::move(body), {{"request-id", "req_" + parts_.identity.id}}});
}

void mock_call::fail(const providers::model_end& end) {
  auto response = error_response(*parts_.format, wire_error_of(end));
  if (end.retry_after) {
    // The official clients know the exact one, everybody else the other.
    auto ms = end.retry_after->count();
    response.headers.emplace_back("retry-after-ms", std::to_string(ms));
    response.headers.emplace_back("retry-after", std::to_string((ms + 999) / 1000));
  }
  is_done_ = true;
  model_.reset();
  parts_.exchange->respond(std::move(response));
}

void mock_call::open(std::string_view content_type) {
  peer_ = parts_.exchange->start_stream(
      shared_from_this(), {{"Content-Type", std::string(content_type)}, {"request-id", "req_" + parts_.identity.id}});
}

void mock_call::send(std::string bytes) {
  if (is_done_ || !peer_) return;
  auto verdict = filter_.pass(bytes);
  if (!bytes.empty()) peer_->send(as_chunk(bytes));
  if (verdict == body_filter::verdict::cut) return close(false);
  if (verdict != body_filter::verdict::stall) return;
  // The connection keeps this call, and this call the connection, until the client has had enough.
  is_done_ = true;
  if (auto model = std::exchange(model_, nullptr)) model->cancel();
}

void mock_call::close(bool in_order) {
  if (std::exchange(is_done_, true)) return;
  if (auto model = std::exchange(model_, nullptr)) model->cancel();
  auto peer = std::exchange(peer_, nullptr);
  if (!peer) return;
  if (in_order)
    peer->close(0, "");
  else
    peer->drop();
}

void mock_call::stop() {
  is_done_ = true;
  timer_.reset();
  peer_.reset();
  if (auto model = std::exchange(model_, nullptr)) model->cancel();
}

}  // namespace troupe::app
