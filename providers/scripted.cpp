#include "providers/scripted.hpp"

#include "providers/script.hpp"

#include <mutex>
#include <optional>

namespace troupe::providers {

namespace {

using std::chrono::milliseconds;

bool is_empty(const model_output& out) { return out.text.empty() && out.reasoning.empty() && !out.end; }

class scripted_stream final : public model_stream, public std::enable_shared_from_this<scripted_stream> {
 public:
  scripted_stream(script_player player, model_sink sink, core::timer_service& timers)
      : player_(std::move(player)), sink_(std::move(sink)), timers_(timers) {}

  void cancel() override {
    std::unique_ptr<core::timer> dropped;
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    dropped.swap(timer_);
  }

  void wait(milliseconds delay) {
    std::lock_guard lock(mutex_);
    if (cancelled_) return;
    timer_ = timers_.after(delay, [self = shared_from_this()] { self->go_on(); });
  }

 private:
  void go_on() {
    std::unique_ptr<core::timer> fired;  // holds this stream: gone only when all is done
    {
      std::lock_guard lock(mutex_);
      if (cancelled_) return;
      fired.swap(timer_);
    }
    auto self = shared_from_this();
    model_output out;
    auto delay = player_->play(out);
    if (!delay) player_.reset();
    if (!is_empty(out)) sink_(std::move(out));
    if (delay) wait(*delay);
  }

  std::optional<script_player> player_;  ///< used by one thread at a time: the caller's, then the timer's
  model_sink sink_;
  core::timer_service& timers_;
  std::mutex mutex_;
  std::unique_ptr<core::timer> timer_;
  bool cancelled_ = false;
};

class ended_stream final : public model_stream {
 public:
  void cancel() override {}
};

class scripted_client final : public model_client {
 public:
  scripted_client(script_ptr rules, core::timer_service& timers) : script_(std::move(rules)), timers_(timers) {}

  std::shared_ptr<model_stream> start(model_request request, model_sink sink) override {
    return play_script(script_, std::move(request), std::move(sink), timers_);
  }

 private:
  script_ptr script_;
  core::timer_service& timers_;
};

}  // namespace

std::shared_ptr<model_stream> play_script(const script_ptr& script, model_request request, model_sink sink,
                                          core::timer_service& timers) {
  static const auto ended = std::make_shared<ended_stream>();
  std::optional<script_player> player(std::in_place, script, request);
  model_output out;
  auto delay = player->play(out);
  if (!delay) {
    // Whoever hears the end may go on writing the history: it is let go of first.
    player.reset();
    request = {};
  }
  if (!is_empty(out)) sink(std::move(out));
  if (!delay) return ended;
  auto stream = std::make_shared<scripted_stream>(std::move(*player), std::move(sink), timers);
  stream->wait(*delay);
  return stream;
}

core::result<std::unique_ptr<model_client>> make_scripted(const core::provider_config& config, core::timer_service& timers) {
  auto rules = parse_script(config.script);
  if (!rules) return core::error{rules.error().code, "provider \"" + config.id.str() + "\": script: " + rules.error().text};
  return std::unique_ptr<model_client>(std::make_unique<scripted_client>(std::move(*rules), timers));
}

}  // namespace troupe::providers
