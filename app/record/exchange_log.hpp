// One model call of a recording while it is read from the log: its pieces with the pauses before them, and its end. Owned by
// the writer of a recording.
#pragma once

#include "core/event.hpp"
#include "providers/recorded.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace troupe::app {

class exchange_log {
 public:
  exchange_log(providers::exchange_place place, core::millis asked) : place_(std::move(place)), last_(asked) {}

  void text(const core::text_pieces& pieces, bool is_reasoning, core::millis at);
  void completed(const core::message_completed& e, core::millis at);
  void usage(const core::token_usage& tokens);
  void failed(core::errc code, const std::string& text, core::millis at);
  /// One that was tried again, before anything was said.
  void attempt_failed(core::errc code, const std::string& text);
  [[nodiscard]] std::size_t attempts_failed() const noexcept { return failed_attempts_.size(); }
  /// The upstream had more to say, and nobody waited for it.
  void hung();

  [[nodiscard]] bool is_over() const noexcept { return is_over_; }
  [[nodiscard]] boost::json::object to_json() &&;

 private:
  struct piece {
    std::string text;
    bool is_reasoning = false;
    std::int64_t after_ms = 0;
  };
  [[nodiscard]] std::int64_t pause_before(core::millis at);
  void flush();

  providers::exchange_place place_;
  core::millis last_;
  std::vector<piece> pieces_;
  boost::json::array say_;
  boost::json::array failed_attempts_;
  std::optional<core::token_usage> usage_;
  bool is_over_ = false;
};

/// A value that reads as itself in a scenario: texts that begin with a dollar are no variables.
[[nodiscard]] boost::json::value literal_value(const boost::json::value& v);

}  // namespace troupe::app
