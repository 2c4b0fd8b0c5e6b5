// How a client of each dialect talks (docs/protocols.md): where it connects, what it says first, how it asks for a turn, and
// what each message means to a measurement. Pure; what it reads of messages are the first members of that name, never a whole
// parse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::bench {

enum class dialect : std::uint8_t { nexus, chat_room, conversation, agent_stream, chat_events };
inline constexpr std::size_t dialect_count = 5;

enum class part : std::uint8_t {
  speaker,  ///< asks for turns
  watcher,  ///< follows a session that exists
};

enum class meaning : std::uint8_t { other, greeting, delta, end, error };

struct understood {
  meaning what = meaning::other;
  std::string_view text;  ///< of a delta, as it stands in the JSON
  std::string reply;      ///< to send at once, unless it is empty
};

/// What one client says. `session` is the session's UUID where it exists already, else any text.
class speech {
 public:
  speech(dialect d, part p, std::string session) : dialect_(d), part_(p), session_(std::move(session)) {}

  [[nodiscard]] std::string path() const;
  /// The first message, before anything came. Empty: the client waits.
  [[nodiscard]] std::string opening() const;
  /// False: there is no greeting, the open socket is all there is.
  [[nodiscard]] bool is_greeted() const noexcept { return dialect_ != dialect::agent_stream; }
  [[nodiscard]] understood understand(std::string_view message) const;
  /// Asks for a turn; `text` is JSON text without its quotes. Empty where the dialect cannot (chat_events asks over REST).
  [[nodiscard]] std::string turn(std::string_view text) const;

 private:
  [[nodiscard]] understood understand_typed(std::string_view message) const;
  [[nodiscard]] understood understand_socketio(std::string_view message) const;
  [[nodiscard]] std::string joining() const;

  dialect dialect_;
  part part_;
  std::string session_;
};

[[nodiscard]] std::string_view name_of(dialect d) noexcept;

/// Whether speakers of the dialect need sessions made for them before (`POST /chat/conversations`).
[[nodiscard]] inline bool needs_sessions(dialect d) noexcept { return d == dialect::chat_room; }

/// The text of the first member of that name (given with its quotes), raw, escapes kept; empty when there is none. Keys
/// cannot be mistaken for text, because quotes inside text are escaped.
[[nodiscard]] std::string_view text_member(std::string_view json, std::string_view quoted_name);

}  // namespace troupe::bench
