#include "transport/dialects/chat_events.hpp"

#include "transport/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

/// What a client wrote, as an error repeats it: its beginning, cut between characters.
std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 64;
  if (text.size() <= longest) return std::string(text);
  auto end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

class chat_events_protocol final : public client_protocol {
 public:
  explicit chat_events_protocol(client_port& port) : port_(port) {}

  void on_open() override {
    if (resume_.empty()) return port_.follow_all_chats(offset_);
    for (const auto& [session, seq] : std::exchange(resume_, {}))
      join(session, {}, seq, [this, chat = chat_id_of(session)](const core::error* e) {
        if (e) refuse(chat, *e);
      });
  }

  void on_message(std::string_view, bool) override {}

  void on_event(socketio_event event) override {
    auto chat = chat_of(event);
    auto answer = [this, ack = event.ack_id, chat = chat.value_or("")](const core::error* e) {
      if (e) refuse(chat, *e);
      if (ack) port_.acknowledge(*ack, {outcome(chat, e)});
    };
    bool joins = event.name == "join-chat";
    if (!joins && event.name != "leave-chat") {
      // Clients of this dialect never emit: what they do emit is not for us, and only an answer that they wait for matters.
      core::error unknown{errc::unknown_type, "Unknown event: " + shortened(event.name)};
      if (event.ack_id) port_.acknowledge(*event.ack_id, {outcome({}, &unknown)});
      return;
    }
    if (!chat) {
      core::error bad{errc::validation_error, event.name + ": chatId must be a non-empty string"};
      return answer(&bad);
    }
    core::result<std::optional<core::seq_t>> after{std::nullopt};
    if (const auto* object = event.args.front().if_object()) after = seq_field(*object, "afterSeq");
    if (!after) {
      auto bad = after.error();
      return answer(&bad);
    }
    port_.resolve(*chat, [this, joins, chat = *chat, after = *after, answer](const core::result<core::session_id>& r) {
      if (!r) {
        auto error = not_found_as(chat, r.error());
        return answer(&error);
      }
      if (joins) return join(*r, chat, after, answer);
      leave(*r);
      answer(nullptr);
    });
  }

  void on_refused(const core::error& e) override { refuse({}, e); }

  /// The chats that were joined; none: every chat.
  [[nodiscard]] std::optional<std::string> recovery_state() const override {
    offsets all;
    for (const auto& session : joined_) all.emplace_back(session, 0);
    return to_text(all);
  }

  bool recover(const std::optional<std::string>& state, std::string_view offset) override {
    auto everything = chat_stream_place_from(offset);
    auto places = offsets_from(offset);
    // Without a state the offset alone tells; with one the two must belong together.
    if (state ? state->empty() : everything.has_value()) {
      auto oldest = port_.now() - std::chrono::duration_cast<core::millis>(port_.config().socketio.recovery_window);
      if (!everything || everything->at > port_.now() || everything->at < oldest) return false;
      offset_ = std::string(offset);
      return true;
    }
    if (!places) return false;
    if (state) {
      auto joined = offsets_from(*state);
      if (!joined) return false;
      for (const auto& place : *joined) {
        auto known = std::find_if(places->begin(), places->end(), [&](const auto& p) { return p.first == place.first; });
        if (known == places->end()) return false;
        resume_.push_back(*known);
      }
    } else {
      resume_ = std::move(*places);
    }
    return true;
  }

 private:
  using answer_fn = std::function<void(const core::error*)>;

  /// `chatId` of `{chatId}`, or the plain string.
  static std::optional<std::string> chat_of(const socketio_event& event) {
    if (event.args.empty()) return std::nullopt;
    const auto* value = &event.args.front();
    if (const auto* object = value->if_object()) value = object->if_contains("chatId");
    if (!value || !value->is_string() || value->get_string().empty()) return std::nullopt;
    return std::string(value->get_string());
  }

  static core::error not_found_as(std::string_view chat, const core::error& e) {
    if (e.code != errc::not_found) return e;
    return {errc::not_found, "Chat not found: " + shortened(chat)};
  }

  static json::object outcome(std::string_view chat, const core::error* e) {
    json::object out{{"status", e ? "error" : "ok"}};
    if (!chat.empty()) out["chatId"] = shortened(chat);
    if (e) out["message"] = e->text;
    return out;
  }

  void join(core::session_id session, const std::string& chat, std::optional<core::seq_t> after, answer_fn answer) {
    port_.unfollow_all_chats();
    auto name = chat.empty() ? chat_id_of(session) : chat;
    client_port::follow_options options;
    options.kind = encoder_kind::chat_events;
    options.after = after;
    options.alongside = true;
    options.lost = [this, session, name](const core::error& e) {
      std::erase(joined_, session);
      refuse(name, not_found_as(name, e));
    };
    port_.follow(session, std::move(options),
                 [this, session, name, answer = std::move(answer)](const core::result<core::session_record>& r) {
                   auto refusal = !r ? not_found_as(name, r.error()) : core::error{errc::not_found, "Chat not found: " + name};
                   if (!r || r->status == core::session_status::deleted) {
                     if (r) port_.unfollow(session);
                     return answer(&refusal);
                   }
                   if (std::find(joined_.begin(), joined_.end(), session) == joined_.end()) joined_.push_back(session);
                   answer(nullptr);
                 });
  }

  /// Who has left the last chat is told of every chat again.
  void leave(core::session_id session) {
    if (!port_.follows(session)) return;
    port_.unfollow(session);
    std::erase(joined_, session);
    if (joined_.empty()) port_.follow_all_chats({});
  }

  void refuse(std::string_view chat, const core::error& e) {
    json::object payload{{"error", e.text}, {"errorCode", core::to_string(e.code)}};
    if (!chat.empty()) payload["chatId"] = shortened(chat);
    port_.send(event_packet("/", "error", json::serialize(payload)));
  }

  client_port& port_;
  std::string offset_;  ///< from where to go on, of every chat
  offsets resume_;      ///< from where to go on, of those that were joined
  std::vector<core::session_id> joined_;
};

}  // namespace

std::unique_ptr<client_protocol> make_chat_events(client_port& port) { return std::make_unique<chat_events_protocol>(port); }

}  // namespace troupe::transport
