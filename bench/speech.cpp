#include "bench/speech.hpp"

#include <algorithm>
#include <array>

namespace troupe::bench {
namespace {

constexpr std::array<std::string_view, dialect_count> names{"nexus", "chat-room", "conversation", "agent-stream",
                                                            "chat-events"};

/// What the `type` of a frame, or the name of a Socket.IO event, means, and which member holds a delta's text.
struct word {
  std::string_view name;
  meaning what = meaning::other;
  std::string_view text = {};
};

constexpr std::array nexus_words{word{"message.content_delta", meaning::delta, R"("text")"},
                                 word{"message.complete", meaning::end}, word{"session.resumed", meaning::greeting},
                                 word{"error", meaning::error}};
constexpr std::array conversation_words{word{"message_chunk", meaning::delta, R"("content")"}, word{"done", meaning::end},
                                        word{"connected", meaning::greeting}, word{"error", meaning::error}};
constexpr std::array agent_stream_words{word{"token", meaning::delta, R"("content")"}, word{"done", meaning::end},
                                        word{"error", meaning::error}};
constexpr std::array chat_room_words{word{"chat:streaming", meaning::delta, R"("chunk")"}, word{"chat:complete", meaning::end},
                                     word{"chat:joined", meaning::greeting}, word{"chat:error", meaning::error},
                                     word{"exception", meaning::error}};
constexpr std::array chat_events_words{word{"ai-response-chunk", meaning::delta, R"("chunk")"},
                                       word{"ai-response-end", meaning::end}, word{"error", meaning::error}};

template <std::size_t N>
understood look_up(const std::array<word, N>& words, std::string_view name, std::string_view message) {
  const auto* found = std::find_if(words.begin(), words.end(), [&](const word& w) { return w.name == name; });
  if (found == words.end()) return {};
  understood u{found->what, {}, {}};
  if (u.what == meaning::delta) u.text = text_member(message, found->text);
  if (u.what == meaning::delta && u.text.empty()) u.what = meaning::other;  // the mark behind the last chunk
  return u;
}

}  // namespace

std::string_view name_of(dialect d) noexcept { return names[static_cast<std::size_t>(d)]; }

std::string_view text_member(std::string_view json, std::string_view quoted_name) {
  std::size_t at = json.find(quoted_name);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(" :", at + quoted_name.size());
  if (at == std::string_view::npos || json[at] != '"') return {};
  const std::size_t begin = ++at;
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2U : 1U;
  return json.substr(begin, std::min(at, json.size()) - begin);
}

std::string speech::path() const {
  switch (dialect_) {
    case dialect::nexus:
      return "/ws";
    case dialect::conversation:
      return "/ws/chat/" + session_;
    case dialect::agent_stream:
      return "/api/v1/ws/chat/bench" + (part_ == part::watcher ? "?session=" + session_ : std::string{});
    default:
      return "/socket.io/?EIO=4&transport=websocket";
  }
}

std::string speech::opening() const {
  if (dialect_ != dialect::nexus) return {};
  return part_ == part::watcher ? R"({"type":"auth","sessionId":")" + session_ + R"("})" : R"({"type":"auth"})";
}

std::string speech::joining() const {
  if (dialect_ == dialect::chat_room) return R"(42/chat,["chat:join",{"conversationId":")" + session_ + R"("}])";
  return R"(421["join-chat",{"chatId":")" + session_ + R"("}])";
}

understood speech::understand(std::string_view message) const {
  if (dialect_ == dialect::chat_room || dialect_ == dialect::chat_events) return understand_socketio(message);
  return understand_typed(message);
}

understood speech::understand_typed(std::string_view message) const {
  const std::string_view type = text_member(message, R"("type")");
  switch (dialect_) {
    case dialect::nexus:
      // Who only speaks is greeted when it is let in; who watches, when it is in the session.
      if (type == "auth.success" && part_ == part::speaker) return {meaning::greeting, {}, {}};
      return look_up(nexus_words, type, message);
    case dialect::conversation:
      return look_up(conversation_words, type, message);
    default:
      return look_up(agent_stream_words, type, message);
  }
}

understood speech::understand_socketio(std::string_view message) const {
  if (message.empty()) return {};
  if (message == "2") return {meaning::other, {}, "3"};
  const std::string_view nsp = dialect_ == dialect::chat_room ? "/chat," : "";
  if (message[0] == '0') return {meaning::other, {}, "40" + std::string{nsp}};
  if (message.size() < 2 + nsp.size() || message[0] != '4') return {};
  const std::string_view rest = message.substr(2 + nsp.size());
  switch (message[1]) {
    case '0':
      if (part_ == part::speaker) return {meaning::greeting, {}, {}};
      return {meaning::other, {}, joining()};
    case '2': {
      if (rest.substr(0, 2) != "[\"") return {};
      const std::string_view name = rest.substr(2, rest.find('"', 2) - 2);
      return dialect_ == dialect::chat_room ? look_up(chat_room_words, name, rest) : look_up(chat_events_words, name, rest);
    }
    case '3':
      return {rest.find(R"("error")") == std::string_view::npos ? meaning::greeting : meaning::error, {}, {}};
    default:
      return {meaning::error, {}, {}};
  }
}

std::string speech::turn(std::string_view text) const {
  const std::string quoted = '"' + std::string{text} + '"';
  switch (dialect_) {
    case dialect::nexus:
      return R"({"type":"message.send","content":)" + quoted + "}";
    case dialect::chat_room:
      return R"(42/chat,["chat:send",{"conversationId":")" + session_ + R"(","content":)" + quoted + R"(,"role":"user"}])";
    case dialect::chat_events:
      return {};
    default:
      return R"({"message":)" + quoted + "}";
  }
}

}  // namespace troupe::bench
