#include "app/record/recording_steps.hpp"

#include "providers/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace troupe::app {

namespace json = boost::json;

void recording_steps::advance_to(core::millis t) {
  if (t <= clock_) return;
  add({{"advance_ms", (t - clock_).count()}});
  clock_ = t;
}

void recording_steps::command(json::object what, const std::string& who, const core::event& e) {
  advance_to(recorded(e));
  json::object step{{"send", std::move(what)}};
  if (!who.empty()) step.emplace("as", who);
  add(step);
  commanded_at_ = clock_;
}

void recording_steps::add(const json::object& step) { lines_.push_back(json::serialize(step)); }

json::value embedded(const std::string& text) {
  boost::system::error_code failure;
  auto value = json::parse(text, failure, {}, {.max_depth = 32});
  return failure ? json::value(json::string(providers::to_utf8(text))) : value;
}

}  // namespace troupe::app
