// One measurement: opens the connections, drives them from one epoll loop, and reports. Single threaded; blocks until done.
#pragma once

#include "bench/client.hpp"
#include "bench/speech.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>

namespace troupe::bench {

enum class mode : std::uint8_t {
  turns,    ///< every connection sends its next message when the turn before is done
  paced,    ///< the server paces the text; measures how late each delta is
  idle,     ///< opens connections and leaves them alone
  connect,  ///< opens, waits for the greeting, resets, opens again
  watch,    ///< one session: one client speaks, turn after turn, all others only look on, on all dialects in equal parts
};

struct options {
  mode what = mode::turns;
  dialect talks = dialect::conversation;  ///< not in `watch`
  address server;
  std::string label;  ///< of the report; empty: the mode
  std::string message = "bench";
  std::uint32_t connections = 100;  ///< in `watch` those that look on
  std::uint32_t seconds = 10;
  std::uint32_t warmup_seconds = 2;
  std::uint32_t chunk_bytes = 4;   ///< text of one delta; a frame with twice as much counts as two
  std::uint32_t every_ms = 0;      ///< the schedule of the server's deltas; 0: there is none
  std::uint32_t expect_bytes = 0;  ///< text of a whole turn; 0: not checked
  int server_pid = 0;              ///< 0: no processor time and memory in the report
  bool touch = false;              ///< idle: one turn on every connection first
};

struct report {
  boost::json::object values;
  bool ok = false;  ///< something was measured, and nothing went wrong
};

[[nodiscard]] report run_load(const options& o);

}  // namespace troupe::bench
