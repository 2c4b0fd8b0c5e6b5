// One acquaintance with an MCP server, without any I/O: which era it speaks, what it offers, the calls under way. Messages and
// events go in, what is to be sent and what callers must hear comes out of `take()`. Owned by the server (server.cpp), its
// thread.
#pragma once

#include "tools/mcp/listing.hpp"
#include "tools/mcp/message.hpp"
#include "tools/tool.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools::mcp {

inline constexpr std::string_view modern_version = "2026-07-28";
/// Newest first.
inline constexpr std::string_view legacy_versions[] = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};

enum class era : std::uint8_t { unknown, modern, legacy };
enum class phase : std::uint8_t { idle, probing, initializing, listing, ready, failed };
[[nodiscard]] std::string_view to_string(phase p) noexcept;

struct session_options {
  std::string server;  ///< its name, as questions and failures call it
  bool is_http = false;
  era known = era::unknown;  ///< what an earlier session found out; legacy servers are not probed again
};

/// One message to send.
struct outgoing {
  std::string text;
  std::int64_t request = 0;  ///< its id where it is a request
  std::string method;
  std::string name;     ///< of the tool, in a call
  std::string version;  ///< MCP-Protocol-Version; empty before it is agreed on
  bool is_modern = false;
  std::vector<std::string> headers;  ///< more of them, `Name: value`
};

struct call_request {
  std::uint64_t key = 0;  ///< of the caller; never used twice
  std::string tool;
  boost::json::object arguments;
  std::string owner;                 ///< whose call it is: questions never cross from one owner to another
  boost::json::object meta;          ///< more members for `_meta`
  std::vector<std::string> headers;  ///< for modern HTTP
};

struct call_event {
  enum class kind : std::uint8_t {
    progress,  ///< `text`
    question,  ///< `ask`: session::answer is called with this key, once
    result,    ///< ends the call: `result` is the server's
    refused,   ///< ends the call: it had no effect, or the server says so in `text`
    lost,      ///< ends the call: nobody knows what became of it; `text` says why
    again,     ///< ends the call here: it never ran and may be begun anew
  };
  std::uint64_t key = 0;
  kind is = kind::progress;
  std::string text{};
  tools::question ask{};
  boost::json::object result{};
};

/// How a request over HTTP came to nothing.
struct request_failure {
  enum class kind : std::uint8_t {
    unreachable,  ///< it was never sent
    refused,      ///< the server answered with an HTTP status
    lost,         ///< it was sent, and no answer came
    no_session,   ///< the server does not know our session (any more)
  };
  kind is = kind::lost;
  std::string text;
  bool is_current = true;  ///< no_session: and a new one has not begun since
};

struct session_output {
  std::vector<outgoing> send;
  std::vector<std::int64_t> abandon;  ///< requests whose response streams are to be closed
  std::vector<call_event> calls;
  std::optional<listing> tools;    ///< all of them, as they are now
  std::vector<std::string> notes;  ///< for the log
  bool list_changed = false;       ///< call refresh() when it suits
  bool listen_lost = false;        ///< call listen() when it suits

  [[nodiscard]] bool is_empty() const noexcept;
};

class session {
 public:
  explicit session(session_options options);

  void start();
  /// The server did not answer the probe in time.
  void probe_expired();
  /// `origin`: the request whose response stream brought it; 0 where there is only one stream.
  void receive(message m, std::int64_t origin);
  void request_failed(std::int64_t request, const request_failure& failure);

  /// Only when `ready`.
  void begin(call_request request);
  void answer(std::uint64_t key, tools::answer a);
  /// No event of this call follows.
  void cancel(std::uint64_t key);
  void refresh();
  void listen();
  /// Asks for a sign of life: any message counts.
  void check();

  [[nodiscard]] session_output take();
  [[nodiscard]] enum phase phase() const noexcept { return phase_; }
  [[nodiscard]] enum era era() const noexcept { return era_; }
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  /// Why it failed.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  [[nodiscard]] std::size_t open_calls() const noexcept { return calls_.size(); }

 private:
  enum class purpose : std::uint8_t { discover, initialize, list, listen, check, call };
  /// A question of the server that waits for a person.
  struct asked {
    std::string name;            ///< modern: its key in inputRequests
    boost::json::value peer_id;  ///< legacy: of the request to answer
    bool is_url = false;
    tools::question ask;
  };
  struct call {
    call_request request;
    std::int64_t id = 0;
    std::size_t rounds = 0;
    std::size_t reports = 0;
    bool is_asking = false;
    std::deque<asked> open;
    boost::json::object answers;              ///< modern: given so far in this round
    std::optional<boost::json::value> state;  ///< modern: to be sent back as it is
  };
  using calls = std::map<std::uint64_t, call>;

  void fail(std::string why);
  std::int64_t send_request(purpose why, std::string_view method, boost::json::object params, const call* of = nullptr);
  void send_raw(std::string text, std::string_view method);
  void send_notification(std::string_view method, boost::json::object params);
  void send_discover();
  void send_initialize();
  void send_list(std::string_view cursor);
  void send_call(call& c);

  void on_result(purpose why, std::int64_t id, message m);
  void on_error(purpose why, std::int64_t id, const message& m);
  void on_discovered(const boost::json::object& result);
  void choose_version(const boost::json::value* versions);
  void on_initialized(const boost::json::object& result);
  void begin_listing(const boost::json::object* capabilities);
  void on_page(const boost::json::object& page);
  void on_list_error(const message& m);
  void finish_listing();

  void on_peer_request(message m, std::int64_t origin);
  void on_notification(const message& m);
  void on_progress(const boost::json::object& params);
  void on_call_result(call& c, message m);
  void on_input_required(call& c, const boost::json::object& result);
  void end_call(call& c, call_event::kind how, std::string text, boost::json::object result = {});
  void ask_next(call& c);
  [[nodiscard]] call* call_of(std::int64_t id);
  [[nodiscard]] call* call_to_ask(std::int64_t origin);
  /// The question in an `elicitation/create`; an error's text goes back to the server.
  [[nodiscard]] core::result<asked> question_of(const boost::json::object& params) const;

  session_options options_;
  enum phase phase_ = phase::idle;
  enum era era_ = era::unknown;
  std::string version_;
  std::string failure_;
  session_output out_;

  std::int64_t last_id_ = 0;
  std::map<std::int64_t, purpose> requests_;
  calls calls_;

  std::optional<boost::json::object> late_discovery_;
  bool probed_again_ = false;
  bool announces_changes_ = false;
  bool is_listing_ = false;
  bool list_again_ = false;
  std::size_t pages_ = 0;
  std::set<std::string, std::less<>> cursors_;
  listing listing_;
  std::int64_t listen_id_ = 0;
};

}  // namespace troupe::tools::mcp
