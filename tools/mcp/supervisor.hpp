// Keeps one MCP server going: starts it, finds out what it offers, hands calls to it, notices its end, starts it again. The
// first block is for any thread, everything else happens on the tools' thread. Shared by the source and the calls under way.
#pragma once

#include "tools/mcp/call.hpp"
#include "tools/mcp/channel.hpp"
#include "tools/mcp/server.hpp"
#include "tools/mcp/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace troupe::tools::mcp {

class supervisor : public std::enable_shared_from_this<supervisor> {
 public:
  supervisor(core::tool_config config, process_host host, providers::curl_loop& loop, mcp_options options);

  void start();
  void submit(std::shared_ptr<open_call> call);
  void answer(std::shared_ptr<open_call> call, tools::answer a);
  void give_up(std::shared_ptr<open_call> call);
  /// Ends everything; `at_once` without good-byes.
  void stop(bool at_once, std::function<void()> stopped);
  [[nodiscard]] const std::string& name() const noexcept { return config_.name; }
  [[nodiscard]] std::vector<tool_ptr> tools() const;
  [[nodiscard]] std::string status() const;
  void when_ready(std::function<void()> f);

 private:
  using clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;
  using call_ptr = std::shared_ptr<open_call>;

  /// Runs `f` here on the tools' thread, if this still lives then.
  void on_thread(std::function<void(supervisor&)> f);
  void after(boost::asio::steady_timer& timer, milliseconds delay, void (supervisor::*f)());
  /// "MCP server `name`", as texts call it.
  [[nodiscard]] std::string called() const;
  void log(std::string_view level, const std::string& text);
  void set_status(std::string text);
  /// The tools are known, or will not be soon.
  void tell_waiters();

  void begin();
  void on_message(std::uint64_t generation, message m, std::int64_t origin);
  void on_request_failed(std::uint64_t generation, std::int64_t request, const request_failure& failure);
  void on_down(std::uint64_t generation, const std::string& why);
  void pump();
  void apply(session_output out);
  void apply(call_event event);
  void follow_phase();
  void on_ready();
  void go_down(std::string why);
  void take_tools(listing listed);
  void drop_channel();

  void on_start_limit();
  void on_probe_limit();
  void on_refresh_time();
  void on_listen_time();
  void on_hang_limit();

  void take(call_ptr call);
  void dispatch();
  void wait_for_server(const call_ptr& call);
  void check_life();
  void fail_lost(open_call& call, const std::string& why);

  const core::tool_config config_;
  const process_host host_;
  providers::curl_loop& loop_;
  const mcp_options options_;
  boost::asio::io_context& io_;

  mutable std::mutex mutex_;
  std::vector<tool_ptr> tools_;
  std::string status_ = "starting";
  bool is_told_ = false;
  std::vector<std::function<void()>> waiters_;

  std::unique_ptr<session> session_;
  std::unique_ptr<channel> channel_;
  std::uint64_t generation_ = 0;  ///< of the channel; what an older one says does not count
  enum phase phase_ = phase::idle;
  era known_ = era::unknown;
  bool is_pumping_ = false;
  bool is_stopping_ = false;
  bool is_stopped_ = false;
  std::vector<std::function<void()>> stopped_;
  std::string trouble_;  ///< why it is down

  std::map<std::uint64_t, call_ptr> open_;
  std::deque<call_ptr> waiting_;
  std::uint64_t last_key_ = 0;

  unsigned failures_ = 0;
  clock::time_point ready_since_{};
  clock::time_point last_listing_{};
  clock::time_point last_heard_{};
  clock::time_point last_check_{};
  bool is_checking_ = false;
  milliseconds listen_pause_{1'000};
  std::minstd_rand random_{std::random_device{}()};

  boost::asio::steady_timer start_timer_;  ///< limits a start, or waits for the next
  boost::asio::steady_timer probe_timer_;
  boost::asio::steady_timer refresh_timer_;
  boost::asio::steady_timer listen_timer_;
  boost::asio::steady_timer hang_timer_;
};

}  // namespace troupe::tools::mcp
