// A dialect on a bench: events in as the log gives them, frames out as text; a client port that records what is asked.
#pragma once

#include "core/config.hpp"
#include "transport/dialects/dialect.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace troupe::transport_test {

using words = std::vector<std::string>;

inline const core::run_id run{{1, 1}};
inline const core::message_id question{{2, 1}};
inline const core::message_id reply{{3, 1}};

inline core::text_pieces pieces(std::initializer_list<std::string_view> parts) {
  core::text_pieces out;
  for (auto p : parts) out.add(p);
  return out;
}

/// The payloads of the WebSocket text frames in `framed` (unmasked, unfragmented).
inline std::vector<std::string> texts_of(std::string_view framed) {
  std::vector<std::string> out;
  while (framed.size() >= 2) {
    auto length = static_cast<std::size_t>(static_cast<unsigned char>(framed[1]));
    std::size_t header = 2;
    if (length >= 126) {
      std::size_t bytes = length == 126 ? 2 : 8;
      length = 0;
      for (std::size_t i = 0; i < bytes; ++i) length = length << 8 | static_cast<unsigned char>(framed[2 + i]);
      header += bytes;
    }
    out.emplace_back(framed.substr(header, length));
    framed.remove_prefix(header + length);
  }
  return out;
}

/// Feeds payloads with rising seqs to an encoder.
class stage {
 public:
  explicit stage(transport::encoder_kind kind) : encoder_(transport::make_encoder(kind, core::session_id{{1, 2}})) {}

  std::vector<std::string> operator()(core::event_payload payload) {
    auto span = core::seq_t{1};
    if (const auto* d = std::get_if<core::text_delta>(&payload)) span = d->pieces.lengths.size();
    core::event e{seq_ + 1, seq_ + span, core::millis{0}, std::move(payload)};
    seq_ += span;
    transport::frame_writer out(transport::framing::websocket);
    encoder_->encode(e, out);
    return texts_of(*out.take());
  }
  /// The `type` of each frame.
  std::vector<std::string> types(core::event_payload payload) {
    std::vector<std::string> out;
    for (const auto& text : (*this)(std::move(payload)))
      out.emplace_back(boost::json::parse(text).as_object().at("type").as_string());
    return out;
  }
  [[nodiscard]] core::seq_t seq() const noexcept { return seq_; }
  std::vector<std::string> open_cards() {
    transport::frame_writer out(transport::framing::websocket);
    encoder_->encode_open_cards(out);
    return texts_of(*out.take());
  }

 private:
  std::unique_ptr<transport::encoder> encoder_;
  core::seq_t seq_ = 0;
};

/// Records what a protocol asks; answers only where a test says so.
class recording_port final : public transport::client_port {
 public:
  void send(std::string_view json) override { sent.emplace_back(json); }
  void close(std::uint16_t code, std::string_view) override { closed = code; }
  void follow(core::session_id session, follow_options options, then<core::session_record> attached) override {
    followed.emplace_back(session, options);
    on_attached = std::move(attached);
  }
  void submit(core::session_id session, core::command command, then<core::command_reply> done) override {
    submitted.emplace_back(session, std::move(command));
    on_done = std::move(done);
  }
  void find_approval(core::approval_id approval, then<core::approval_record> found) override {
    asked.push_back(approval);
    on_found = std::move(found);
  }
  void announce(core::session_id, core::event_payload payload) override { announced.push_back(std::move(payload)); }
  [[nodiscard]] core::seq_t last_seq() const override { return 7; }
  core::session_id new_session_id() override { return {{9, ++made}}; }
  [[nodiscard]] const core::config& config() const override { return settings; }
  [[nodiscard]] const core::principal& principal() const override { return who; }
  [[nodiscard]] std::uint64_t connection_id() const override { return 5; }

  core::config settings;
  core::principal who{"u1", "Ana"};
  std::vector<std::string> sent;
  std::uint16_t closed = 0;
  std::vector<std::pair<core::session_id, follow_options>> followed;
  std::vector<std::pair<core::session_id, core::command>> submitted;
  std::vector<core::approval_id> asked;
  std::vector<core::event_payload> announced;
  then<core::session_record> on_attached;
  then<core::command_reply> on_done;
  then<core::approval_record> on_found;
  std::uint64_t made = 0;
};

/// A configuration with project `demo`, agent `guide`.
inline core::config demo_settings() {
  core::config c;
  c.default_project = {"demo"};
  auto agent = std::make_shared<core::agent_config>();
  agent->id = {"guide"};
  agent->project = {"demo"};
  core::project_config project;
  project.id = {"demo"};
  project.default_agent = {"guide"};
  project.agents.emplace(agent->id, agent);
  c.projects.emplace(project.id, project);
  return c;
}

}  // namespace troupe::transport_test
