#include "tools/mcp/supervisor.hpp"

#include "tools/text.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace troupe::tools::mcp {

namespace {

constexpr std::chrono::milliseconds refresh_pause{1'000};
constexpr std::chrono::milliseconds longest_listen_pause{30'000};

}  // namespace

supervisor::supervisor(core::tool_config config, process_host host, providers::curl_loop& loop, mcp_options options)
    : config_(std::move(config)),
      host_(std::move(host)),
      loop_(loop),
      options_(std::move(options)),
      io_(*host_.io),
      start_timer_(io_),
      probe_timer_(io_),
      refresh_timer_(io_),
      listen_timer_(io_),
      hang_timer_(io_) {}

// ---- any thread ----

void supervisor::on_thread(std::function<void(supervisor&)> f) {
  boost::asio::post(io_, [self = shared_from_this(), f = std::move(f)] { f(*self); });
}

void supervisor::start() {
  on_thread([](supervisor& s) { s.begin(); });
}

std::vector<tool_ptr> supervisor::tools() const {
  std::lock_guard lock(mutex_);
  return tools_;
}

std::string supervisor::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void supervisor::when_ready(std::function<void()> f) {
  {
    std::lock_guard lock(mutex_);
    if (!is_told_) {
      waiters_.push_back(std::move(f));
      return;
    }
  }
  f();
}

void supervisor::tell_waiters() {
  std::vector<std::function<void()>> waiters;
  {
    std::lock_guard lock(mutex_);
    is_told_ = true;
    waiters.swap(waiters_);
  }
  for (auto& f : waiters) f();
}

void supervisor::set_status(std::string text) {
  std::lock_guard lock(mutex_);
  status_ = std::move(text);
}

// ---- the tools' thread ----

std::string supervisor::called() const { return "MCP server " + tools::quoted(config_.name); }

void supervisor::log(std::string_view level, const std::string& text) {
  if (options_.log) options_.log(level, called() + " " + text);
}

void supervisor::after(boost::asio::steady_timer& timer, milliseconds delay, void (supervisor::*f)()) {
  timer.expires_after(delay);
  timer.async_wait([weak = weak_from_this(), &timer, f](boost::system::error_code ec) {
    auto self = weak.lock();
    // Set anew after it had fired already: not yet.
    if (ec || !self || timer.expiry() > clock::now()) return;
    ((*self).*f)();
  });
}

void supervisor::begin() {
  if (is_stopping_) return;
  auto generation = ++generation_;
  session_options options;
  options.server = config_.name;
  options.is_http = !config_.url.empty();
  options.known = known_;
  session_ = std::make_unique<session>(options);
  phase_ = phase::idle;
  ready_since_ = {};
  is_checking_ = false;
  channel_handlers handlers;
  auto weak = weak_from_this();
  handlers.on_message = [weak, generation](message m, std::int64_t origin) {
    if (auto self = weak.lock()) self->on_message(generation, std::move(m), origin);
  };
  handlers.on_request_failed = [weak, generation](std::int64_t request, request_failure failure) {
    if (auto self = weak.lock()) self->on_request_failed(generation, request, failure);
  };
  handlers.on_down = [weak, generation](std::string why) {
    if (auto self = weak.lock()) self->on_down(generation, why);
  };
  handlers.log = [weak](std::string_view level, std::string_view text) {
    if (auto self = weak.lock()) self->log(level, std::string(text));
  };
  channel_ =
      options.is_http ? start_http(config_, loop_, std::move(handlers)) : start_stdio(config_, host_, std::move(handlers));
  session_->start();
  pump();
}

void supervisor::on_message(std::uint64_t generation, message m, std::int64_t origin) {
  if (generation != generation_ || !session_) return;
  last_heard_ = clock::now();
  session_->receive(std::move(m), origin);
  pump();
}

void supervisor::on_request_failed(std::uint64_t generation, std::int64_t request, const request_failure& failure) {
  if (generation != generation_ || !session_) return;
  session_->request_failed(request, failure);
  pump();
}

void supervisor::on_down(std::uint64_t generation, const std::string& why) {
  if (generation != generation_ || !session_) return;
  // Some legacy servers do not survive a request before `initialize`; and a server may have changed its era.
  if (phase_ == phase::probing)
    known_ = era::legacy;
  else if (phase_ == phase::initializing)
    known_ = era::unknown;
  go_down(why);
}

void supervisor::pump() {
  if (is_pumping_) return;
  is_pumping_ = true;
  while (session_) {
    auto out = session_->take();
    if (out.is_empty()) break;
    apply(std::move(out));
  }
  is_pumping_ = false;
  if (session_) follow_phase();
}

void supervisor::apply(session_output out) {
  if (out.tools) take_tools(std::move(*out.tools));
  for (auto& text : out.notes) log("warn", text);
  for (auto& m : out.send)
    if (channel_) channel_->send(std::move(m));
  for (auto request : out.abandon)
    if (channel_) channel_->abandon(request);
  if (out.list_changed)
    after(refresh_timer_,
          std::max(milliseconds{0},
                   std::chrono::duration_cast<milliseconds>(last_listing_ + refresh_pause - clock::now()) + milliseconds{1}),
          &supervisor::on_refresh_time);
  if (out.listen_lost) {
    after(listen_timer_, listen_pause_, &supervisor::on_listen_time);
    listen_pause_ = std::min(listen_pause_ * 2, longest_listen_pause);
  }
  for (auto& event : out.calls) apply(std::move(event));
}

void supervisor::follow_phase() {
  auto now = session_->phase();
  if (now == phase_) return;
  auto before = std::exchange(phase_, now);
  if (now == phase::failed) {
    if (before == phase::initializing) known_ = era::unknown;
    return go_down(session_->failure());
  }
  if (now == phase::probing) after(probe_timer_, options_.probe_limit, &supervisor::on_probe_limit);
  if (before == phase::idle || before == phase::ready) {
    if (now != phase::ready) after(start_timer_, config_.start_timeout, &supervisor::on_start_limit);
  }
  if (now == phase::ready) on_ready();
}

void supervisor::on_ready() {
  probe_timer_.cancel();
  start_timer_.cancel();
  known_ = session_->era();
  ready_since_ = clock::now();
  listen_pause_ = milliseconds{1'000};
  trouble_.clear();
  log("info", "is ready: " + std::to_string(tools().size()) + " tools, MCP " + session_->version());
  channel_->established(session_->era(), session_->version());
  tell_waiters();
  dispatch();
}

void supervisor::on_start_limit() {
  if (!session_ || phase_ == phase::ready) return;
  // What was known does not hold any more, perhaps.
  known_ = era::unknown;
  go_down("it was not ready within " + std::to_string(config_.start_timeout.count()) + " ms (start_timeout_ms), " +
          std::string(to_string(phase_)));
}

void supervisor::on_probe_limit() {
  if (!session_) return;
  session_->probe_expired();
  pump();
}

void supervisor::on_refresh_time() {
  if (!session_) return;
  last_listing_ = clock::now();
  session_->refresh();
  pump();
}

void supervisor::on_listen_time() {
  if (!session_) return;
  session_->listen();
  session_->refresh();  // what changed meanwhile was not told
  pump();
}

void supervisor::drop_channel() {
  ++generation_;
  session_.reset();
  // Not within a call of its own.
  if (channel_) boost::asio::post(io_, [old = std::shared_ptr<channel>(std::move(channel_))] {});
  for (auto* timer : {&start_timer_, &probe_timer_, &refresh_timer_, &listen_timer_, &hang_timer_}) timer->cancel();
}

void supervisor::go_down(std::string why) {
  if (ready_since_ != clock::time_point{} && clock::now() - ready_since_ >= options_.healthy_after) failures_ = 0;
  drop_channel();
  phase_ = phase::idle;
  auto delay = options_.first_backoff;
  for (unsigned i = 0; i < failures_ && delay < options_.longest_backoff; ++i) delay *= 2;
  delay = std::min(delay, options_.longest_backoff);
  ++failures_;
  // Half to whole: servers that fell together do not rise together.
  delay = delay / 2 + milliseconds{std::uniform_int_distribution<std::int64_t>(0, delay.count() / 2)(random_)};
  log("warn", "is down: " + why + "; it is started again in " + std::to_string(delay.count()) + " ms");
  set_status("down: " + why);
  auto lost = std::exchange(open_, {});
  for (auto& [key, call] : lost) fail_lost(*call, why);
  trouble_ = std::move(why);
  for (auto& call : waiting_) wait_for_server(call);
  tell_waiters();
  after(start_timer_, delay, &supervisor::begin);
}

void supervisor::take_tools(listing listed) {
  last_listing_ = clock::now();
  std::map<std::string_view, tool_ptr> known;
  auto before = tools();
  for (const auto& t : before) known.emplace(t->spec().name, t);
  std::vector<tool_ptr> now;
  for (auto& remote : listed.tools) {
    auto spec = spec_of(remote, config_);
    if (auto same = known.find(spec.name);
        same != known.end() && static_cast<const mcp_tool&>(*same->second).remote() == remote) {
      now.push_back(same->second);
      continue;
    }
    auto name = remote.name;
    auto made = std::make_shared<mcp_tool>(std::move(spec), std::move(remote), weak_from_this());
    if (auto good = made->prepare_all(); !good)
      listed.leave_out(name, good.error().text);
    else
      now.push_back(std::move(made));
  }
  std::sort(now.begin(), now.end(), [](const auto& a, const auto& b) { return a->spec().name < b->spec().name; });
  std::string status = "ready";
  if (listed.left_out_count > 0) {
    status += "; " + std::to_string(listed.left_out_count) + " left out";
    for (const auto& reason : listed.left_out) status += "; " + reason;
    log("warn", status);
  }
  std::lock_guard lock(mutex_);
  tools_ = std::move(now);
  status_ = std::move(status);
}

void supervisor::stop(bool at_once, std::function<void()> stopped) {
  on_thread([at_once, stopped = std::move(stopped)](supervisor& s) {
    if (s.is_stopped_) {
      if (stopped) stopped();
      return;
    }
    if (stopped) s.stopped_.push_back(stopped);
    if (std::exchange(s.is_stopping_, true) && !at_once) return;
    auto end = [self = s.shared_from_this()] {
      if (std::exchange(self->is_stopped_, true)) return;
      self->drop_channel();
      for (auto& f : std::exchange(self->stopped_, {})) f();
    };
    s.set_status("stopped");
    s.session_.reset();
    for (auto* timer : {&s.start_timer_, &s.probe_timer_, &s.refresh_timer_, &s.listen_timer_, &s.hang_timer_}) timer->cancel();
    auto open = std::exchange(s.open_, {});
    auto waiting = std::exchange(s.waiting_, {});
    for (auto& [key, call] : open) s.fail_lost(*call, "it is being stopped");
    for (auto& call : waiting) call->finish({false, "The " + s.called() + " is being stopped. The call was not made."});
    s.tell_waiters();
    if (!s.channel_ || at_once) return end();
    s.channel_->close(end);
  });
}

}  // namespace troupe::tools::mcp
