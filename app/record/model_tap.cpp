#include "app/record/model_tap.hpp"

namespace troupe::app {

namespace {

class model_tap final : public providers::model_client {
 public:
  model_tap(std::shared_ptr<providers::model_client> to, std::shared_ptr<live_log> log)
      : to_(std::move(to)), log_(std::move(log)) {}

  std::shared_ptr<providers::model_stream> start(providers::model_request request, providers::model_sink sink) override {
    if (request.call_number == 0) return to_->start(std::move(request), std::move(sink));  // no step of the conversation
    auto session = request.session;
    auto place = request.history ? providers::place_of(*request.history) : providers::exchange_place{};
    log_->attempt_begins(session, place);
    auto overhear = [log = log_, session, place = std::move(place), sink = std::move(sink),
                     shown = false](providers::model_output out) mutable {
      shown = shown || !out.text.empty() || !out.reasoning.empty();
      if (out.end && out.end->error.code != core::errc::ok && out.end->retryable && !shown)
        log->attempt_failed(session, std::move(place), out.end->error);
      sink(std::move(out));
    };
    return to_->start(std::move(request), std::move(overhear));
  }

 private:
  std::shared_ptr<providers::model_client> to_;
  std::shared_ptr<live_log> log_;
};

}  // namespace

std::unique_ptr<providers::model_client> tap_model(std::shared_ptr<providers::model_client> to, std::shared_ptr<live_log> log) {
  return std::make_unique<model_tap>(std::move(to), std::move(log));
}

}  // namespace troupe::app
