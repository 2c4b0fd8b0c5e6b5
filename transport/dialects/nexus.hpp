// The native dialect (PROTOCOLS §1): events to `message.*`, `run.*`, … frames with their seq, client frames to commands.
#pragma once

#include "core/turn.hpp"
#include "transport/dialects/dialect.hpp"

#include <boost/json/object.hpp>

namespace troupe::transport {

enum class nexus_style : std::uint8_t {
  a,
  b,    ///< these clients show an approval only when a message.complete arrives, so a parked run completes a message
  log,  ///< style A, and frames for what no client shows; GET …/events
};

class nexus_encoder final : public encoder {
 public:
  nexus_encoder(core::session_id session, nexus_style style) : session_(session), style_(style) {}
  void encode(const core::event& e, frame_writer& out) override;
  void encode_open_cards(frame_writer& out) override;

 private:
  friend class nexus_frames;
  void complete(const core::event& e, frame_writer& out);
  /// `usage` of a run without what earlier message.complete frames told.
  [[nodiscard]] boost::json::object unreported(const core::token_usage& tokens, core::micro_usd cost) const;

  core::session_id session_;
  core::turn turn_;
  nexus_style style_;
  bool parked_ = false;
  core::token_usage reported_;  ///< of this run, in earlier message.complete frames
  core::micro_usd reported_cost_;
};

struct nexus_connect {
  core::project_id project;  ///< from the URL; may be empty
  core::agent_id agent;
  bool style_b = false;  ///< connected at /api/v1/ws
};

[[nodiscard]] std::unique_ptr<client_protocol> make_nexus(client_port& port, nexus_connect connect);

/// `usage` as every frame and REST reply has it: all numbers, in both spellings.
[[nodiscard]] boost::json::object usage_json(const core::token_usage& tokens, core::micro_usd cost);

/// The `error` frame.
[[nodiscard]] std::string nexus_error(const core::error& e);

}  // namespace troupe::transport
