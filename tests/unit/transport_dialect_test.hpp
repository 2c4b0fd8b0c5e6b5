// A dialect on a bench: events in as the log gives them, frames out as text; a client port that records what is asked.
#pragma once

#include "core/config.hpp"
#include "transport/dialects/dialect.hpp"
#include "transport/turn_gate.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <initializer_list>
#include <set>
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

/// A Socket.IO event as a server sends it: `2/chat,["name",{…},"offset"]`, with or without the Engine.IO `4` before it.
struct packet {
  std::string name;
  boost::json::value payload;
  std::string offset;  ///< empty: it carries none
};
inline packet packet_of(std::string_view text) {
  auto args = boost::json::parse(boost::json::string_view(text).substr(text.find('['))).as_array();
  packet out{std::string(args.at(0).as_string()), args.size() > 1 ? args[1] : boost::json::value(), {}};
  if (args.size() > 2) out.offset = std::string(args[2].as_string());
  return out;
}
inline std::vector<packet> packets_of(const std::vector<std::string>& texts) {
  std::vector<packet> out;
  for (const auto& text : texts) out.push_back(packet_of(text));
  return out;
}
inline words names_of(const std::vector<packet>& packets) {
  words out;
  for (const auto& p : packets) out.push_back(p.name);
  return out;
}

/// The session that a stage plays.
inline const core::session_id stage_session{{1, 2}};

/// Feeds payloads with rising seqs to an encoder; typing and presence have none.
class stage {
 public:
  explicit stage(transport::encoder_kind kind) : stage(transport::make_encoder(kind, stage_session)) {}
  explicit stage(std::unique_ptr<transport::encoder> e) : encoder_(std::move(e)) {}

  std::vector<std::string> operator()(core::event_payload payload) {
    auto span = core::seq_t{1};
    if (const auto* d = std::get_if<core::text_delta>(&payload)) span = d->pieces.lengths.size();
    if (const auto* d = std::get_if<core::reasoning_delta>(&payload)) span = d->pieces.lengths.size();
    bool is_transient =
        std::holds_alternative<core::typing_changed>(payload) || std::holds_alternative<core::presence_changed>(payload);
    core::event e{is_transient ? 0 : seq_ + 1, is_transient ? 0 : seq_ + span, core::millis{0}, std::move(payload)};
    if (!is_transient) seq_ += span;
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
  /// What comes of it on Socket.IO.
  std::vector<packet> packets(core::event_payload payload) { return packets_of((*this)(std::move(payload))); }
  words names(core::event_payload payload) { return names_of(packets(std::move(payload))); }
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
  void acknowledge(std::uint64_t ack_id, boost::json::array args) override { acks.emplace_back(ack_id, std::move(args)); }
  void close(std::uint16_t code, std::string_view) override { closed = code; }
  void disconnect() override { disconnected = true; }
  void follow(core::session_id session, follow_options options, then<core::session_record> attached) override {
    if (!options.alongside) following.clear();
    following.insert(session);
    followed.emplace_back(session, options);
    on_attached = std::move(attached);
  }
  void unfollow(core::session_id session) override {
    following.erase(session);
    unfollowed.push_back(session);
  }
  void follow_all_chats(std::string_view offset) override { all_chats.emplace_back(offset); }
  void unfollow_all_chats() override { all_chats.clear(); }
  void watch_conversations() override { ++watching; }
  [[nodiscard]] bool follows(core::session_id session) const override { return following.count(session) != 0; }
  void submit(core::session_id session, core::command command, then<core::command_reply> done) override {
    submitted.emplace_back(session, std::move(command));
    on_done = std::move(done);
  }
  void ask(core::query query, then<core::answer> done) override {
    queries.push_back(std::move(query));
    on_answer = std::move(done);
  }
  void find_approval(core::approval_id approval, then<core::approval_record> found) override {
    asked.push_back(approval);
    on_found = std::move(found);
  }
  void resolve(std::string_view text, then<core::session_id> found) override {
    resolved.emplace_back(text);
    if (auto id = core::session_id::parse(text)) return found(*id);
    on_resolved = std::move(found);
  }
  void announce(core::session_id session, core::event_payload payload) override {
    announced_in.push_back(session);
    announced.push_back(std::move(payload));
  }
  void enter_room(core::session_id session) override { entered.push_back(session); }
  void leave_room(core::session_id session) override { left.push_back(session); }
  [[nodiscard]] std::vector<core::presence_changed::user> users_in(core::session_id) const override { return users; }
  [[nodiscard]] core::seq_t last_seq() const override { return 7; }
  core::session_id new_session_id() override { return {{9, ++made}}; }
  [[nodiscard]] core::millis now() const override { return clock; }
  [[nodiscard]] const core::config& config() const override { return settings; }
  [[nodiscard]] const core::principal& principal() const override { return who; }
  core::result<void> sign_in(std::string_view credential) override {
    credentials.emplace_back(credential);
    if (sign_in_error) return *sign_in_error;
    return {};
  }
  [[nodiscard]] std::uint64_t connection_id() const override { return 5; }
  [[nodiscard]] transport::turn_gate& turns() override { return *gate; }

  /// What was sent since the last look, as Socket.IO events.
  std::vector<packet> take_packets() { return packets_of(std::exchange(sent, {})); }
  /// The last follow's answer.
  void attach(core::result<core::session_record> r) {
    if (!r && !followed.empty()) following.erase(followed.back().first);
    std::exchange(on_attached, nullptr)(std::move(r));
  }

  core::config settings;
  core::principal who{"u1", "Ana"};
  core::millis clock{1000};
  std::optional<core::error> sign_in_error;
  std::shared_ptr<transport::turn_gate> gate = std::make_shared<transport::turn_gate>(5);
  std::vector<core::presence_changed::user> users;

  std::vector<std::string> sent;
  std::vector<std::pair<std::uint64_t, boost::json::array>> acks;
  std::uint16_t closed = 0;
  bool disconnected = false;
  std::vector<std::pair<core::session_id, follow_options>> followed;
  std::vector<core::session_id> unfollowed;
  std::set<core::session_id> following;
  std::vector<std::string> all_chats;
  int watching = 0;
  std::vector<std::pair<core::session_id, core::command>> submitted;
  std::vector<core::query> queries;
  std::vector<core::approval_id> asked;
  std::vector<std::string> resolved;
  std::vector<core::session_id> announced_in;
  std::vector<core::event_payload> announced;
  std::vector<core::session_id> entered;
  std::vector<core::session_id> left;
  std::vector<std::string> credentials;
  then<core::session_record> on_attached;
  then<core::command_reply> on_done;
  then<core::answer> on_answer;
  then<core::approval_record> on_found;
  then<core::session_id> on_resolved;
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
