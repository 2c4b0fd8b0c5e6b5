// The steps of a recording while they are written, and the clock of the replay, which they move. Owned by the writer of a
// recording.
#pragma once

#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace troupe::app {

class recording_steps {
 public:
  /// The replay begins at this moment of the recorded time.
  void begin_at(core::millis t) noexcept { begin_ = t; }
  [[nodiscard]] core::millis begun_at() const noexcept { return begin_; }
  /// When it came, from the beginning.
  [[nodiscard]] core::millis recorded(const core::event& e) const { return e.at - begin_; }
  [[nodiscard]] core::millis clock() const noexcept { return clock_; }
  /// Of the last command; before the first: -1.
  [[nodiscard]] core::millis commanded_at() const noexcept { return commanded_at_; }

  void advance_to(core::millis t);
  /// What `who` sent when `e` came of it.
  void command(boost::json::object what, const std::string& who, const core::event& e);
  void add(const boost::json::object& step);

  /// JSON texts.
  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

 private:
  core::millis begin_{0};
  core::millis clock_{0};
  core::millis commanded_at_{-1};
  std::vector<std::string> lines_;
};

/// JSON text of a log as a value; what is none, or nested too deep, as the text it is.
[[nodiscard]] boost::json::value embedded(const std::string& text);

}  // namespace troupe::app
