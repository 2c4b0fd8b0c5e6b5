#include "actors/breaker.hpp"

#include <cstdio>

namespace troupe::actors {

namespace {

std::string utc(core::millis at) {
  using namespace std::chrono;
  sys_time<milliseconds> time{milliseconds{at.count()}};
  auto day = floor<days>(time);
  year_month_day date{day};
  hh_mm_ss clock{floor<seconds>(time - day)};
  char out[40];
  std::snprintf(out, sizeof(out), "%04d-%02u-%02uT%02d:%02d:%02dZ", int{date.year()}, unsigned{date.month()},
                unsigned{date.day()}, static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return out;
}

}  // namespace

bool breaker::is_over(core::millis now) const noexcept {
  // A wall clock that was set back must not keep it open.
  return now - opened_at_ >= open_for_ || now < opened_at_;
}

bool breaker::refuses(core::millis now) const noexcept {
  return (state_ == state::open && !is_over(now)) || (state_ == state::half_open && probe_is_out_);
}

breaker::admission breaker::admit(core::millis now) noexcept {
  if (refuses(now)) return admission::refused;
  if (state_ == state::closed) return admission::pass;
  state_ = state::half_open;
  probe_is_out_ = true;
  return admission::probe;
}

void breaker::answered() noexcept {
  state_ = state::closed;
  probe_is_out_ = false;
  failures_ = 0;
  last_error_.clear();
}

void breaker::failed(core::millis now, std::string_view error) {
  if (limit_ == 0 || state_ == state::open) return;  // stragglers do not prolong it
  if (failures_++ == 0) failing_since_ = now;
  last_error_ = error;
  if (state_ == state::closed && failures_ < limit_) return;
  state_ = state::open;
  probe_is_out_ = false;
  opened_at_ = now;
}

void breaker::probe_lost() noexcept { probe_is_out_ = false; }

std::string breaker::refusal(std::string_view provider) const {
  auto out = "provider \"" + std::string(provider) + "\" is not asked for now: it has failed " + std::to_string(failures_) +
             " times in a row since " + utc(failing_since_) + "; ";
  out += state_ == state::half_open ? std::string("one call is trying it at this moment")
                                    : "it is tried again at " + utc(opened_at_ + open_for_);
  return out + ". Its last error: " + last_error_;
}

}  // namespace troupe::actors
