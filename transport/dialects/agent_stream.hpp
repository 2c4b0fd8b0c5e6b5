// The `agent-stream` dialect (PROTOCOLS §3): tokens, tool_start, tool_end and done on /api/v1/ws/chat/{agent_id}. A socket is
// a session of its own unless it names one. Its turns run one after another, and only so many at once on the whole server
// (transport/turn_gate.hpp). Calls that run in parallel are shown one after another.
#pragma once

#include "core/turn.hpp"
#include "transport/dialects/dialect.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace troupe::transport {

class agent_stream_encoder final : public encoder {
 public:
  explicit agent_stream_encoder(bool with_reasoning) : with_reasoning_(with_reasoning) {}
  void encode(const core::event& e, frame_writer& out) override;
  void encode_open_cards(frame_writer& out) override;

 private:
  friend struct agent_stream_frames;
  void show_calls(core::seq_t seq, frame_writer& out);
  void show_done(core::seq_t seq, frame_writer& out);

  bool with_reasoning_;
  core::turn turn_;
  std::size_t next_call_ = 0;  ///< index in turn_.calls of the one on show
  bool is_call_shown_ = false;
  std::set<core::approval_id> questions_shown_;  ///< of this run
  core::token_usage reported_;                   ///< of this run, in earlier `done` frames
  bool parked_ = false;                          ///< `done` was sent because a person must decide
};

struct agent_stream_connect {
  std::string agent;                   ///< as the path has it
  core::project_id project;            ///< where agents are looked up
  std::string session;                 ///< from `?session=`, by any of its names; empty: a new one
  std::optional<core::seq_t> after{};  ///< from `?afterSeq=`, of that session
};

[[nodiscard]] std::unique_ptr<client_protocol> make_agent_stream(client_port& port, agent_stream_connect connect);

/// An agent by its id in `project`, or as `project/agent`; nothing where there is none.
[[nodiscard]] std::shared_ptr<const core::agent_config> find_stream_agent(const core::config& config,
                                                                          const core::project_id& project,
                                                                          std::string_view agent);

/// The line that stands for an approval, for which this dialect has no frame.
[[nodiscard]] std::string approval_line(const core::approval_requested& a);

}  // namespace troupe::transport
