#include "transport/net/server_core.hpp"

#include "transport/net/connection.hpp"
#include "transport/net/flusher.hpp"

#include <algorithm>

namespace troupe::transport {

using std::chrono::milliseconds;

server_core::server_core(boost::asio::io_context& context, const core::transport_limits& given, server_handlers callbacks)
    : io(context),
      limits(given),
      handlers(std::move(callbacks)),
      flush_turn(boost::asio::use_service<flusher>(context)),
      sweep_timer_(context.get_executor()),
      // Fine enough that no limit is late by more than a quarter.
      sweep_period_(std::clamp(std::min({given.header_timeout, given.idle_timeout / 2, given.slow_client_timeout}) / 4,
                               milliseconds(5), milliseconds(250))) {}

server_core::~server_core() { close_hard(); }

server_core::verdict server_core::judge(const boost::asio::ip::address& from) const {
  if (slots_.size() >= limits.max_connections) return verdict::too_many;
  if (from.is_loopback()) return verdict::welcome;
  auto it = per_address_.find(from);
  return it != per_address_.end() && it->second >= limits.connections_per_address ? verdict::too_many_from_address
                                                                                  : verdict::welcome;
}

void server_core::add(std::shared_ptr<connection> who) {
  who->slot_ = slots_.size();
  if (!who->address().is_loopback()) ++per_address_[who->address()];
  atomic_counters::add(counters.open, 1);
  slots_.push_back({std::chrono::steady_clock::now(), std::move(who)});
  arm_sweep();
}

void server_core::replace(std::size_t slot, std::shared_ptr<connection> next) {
  next->slot_ = slot;
  slots_[slot] = {std::chrono::steady_clock::now(), std::move(next)};
}

void server_core::remove(const connection& who) {
  if (auto it = per_address_.find(who.address()); it != per_address_.end() && --it->second == 0) per_address_.erase(it);
  counters.open.fetch_sub(1, std::memory_order_relaxed);
  const auto slot = who.slot_;
  if (slot + 1 != slots_.size()) {
    slots_[slot] = std::move(slots_.back());
    slots_[slot].who->slot_ = slot;
  }
  slots_.pop_back();
}

void server_core::wake_at(std::size_t slot, time_point when) { slots_[slot].due = std::min(slots_[slot].due, when); }

void server_core::arm_sweep() {
  if (sweep_armed_ || slots_.empty()) return;
  sweep_armed_ = true;
  sweep_timer_.expires_after(sweep_period_);
  sweep_timer_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!self || ec) return;
    self->sweep_armed_ = false;
    self->sweep();
    self->arm_sweep();
  });
}

void server_core::sweep() {
  const auto now = std::chrono::steady_clock::now();
  // A tick may close any connection, and the last slot moves into the gap: one may be skipped until the next sweep.
  for (auto i = slots_.size(); i-- > 0;) {
    if (i >= slots_.size() || slots_[i].due > now) continue;
    slots_[i].due = never;
    auto who = slots_[i].who;
    const auto next = who->tick(now);
    if (!who->is_closed()) wake_at(who->slot_, next);
  }
}

message_deflater& server_core::deflater() {
  if (!deflater_) deflater_ = std::make_unique<message_deflater>();
  return *deflater_;
}

void server_core::close_all(std::uint16_t code, const std::string& reason) {
  // Closing tells nobody at once, so the registry stays as it is.
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].who->shut_down(code, reason);
}

void server_core::close_hard() {
  while (!slots_.empty()) {
    auto last = slots_.back().who;
    last->finish();
  }
}

http_response server_core::error_response(int http_status, core::error why) const {
  http_response answer;
  try {
    answer = handlers.on_http_error(std::move(why));
  } catch (...) {
    answer = {};
    answer.content_type = "text/plain";
    answer.body = "error\n";
  }
  answer.status = http_status;
  return answer;
}

}  // namespace troupe::transport
