// One socket that takes the events of every chat (chat_stream.hpp): either live, or reading what it missed. Then each chat that
// has news is read from the log, one after another, while those it is level with go on live. Owned by its connection and the
// stream; io thread only.
#pragma once

#include "transport/chat_stream.hpp"

#include <deque>

namespace troupe::transport {

class chat_stream::member : public std::enable_shared_from_this<chat_stream::member> {
 public:
  member(chat_stream& stream, std::shared_ptr<peer> to, std::function<const core::principal&()> who)
      : stream_(stream), peer_(std::move(to)), who_(std::move(who)) {}

 private:
  friend class chat_stream;

  struct place {
    core::seq_t seq = 0;  ///< the last that was sent; 0: whatever came before `since` was
    bool behind = false;
    bool again = false;  ///< more came while the log was being read
  };
  /// The chat that is being read.
  struct reading {
    core::session_id session;
    std::unique_ptr<encoder> own;
    core::seq_t from = 0;  ///< what `own` has seen
    int steps_back = 0;    ///< runs looked at for one that began before `since`
  };

  void take(news& n);
  /// `was_away`: chats without a place may have news that the stream does not tell.
  void resume_from(const offsets& chats, core::millis at, bool was_away);
  void go_on();

  void mark_behind(core::session_id session);
  void discover(std::int64_t from, bool deleted);
  void on_discovered(const core::page<core::session_record>& page, std::int64_t from, bool deleted);
  void read(core::session_id session);
  void on_session(core::result<core::session_record> r);
  void find_start(core::seq_t upto);
  void on_start(core::result<core::seq_t> start);
  void read_page();
  void on_page(const actors::event_page& page);
  void on_end_of_log();
  void skip_chat();
  void become_live();
  void send(const bytes& framed, core::session_id session);
  [[nodiscard]] core::millis since() const { return at_ - chat_stream_quiet; }
  /// Asks for a T and goes on with it, unless this member has left or begun anew meanwhile.
  template <class T>
  void ask(core::query query, void (member::*then)(core::result<T>));

  chat_stream& stream_;  ///< valid until this member is gone
  std::shared_ptr<peer> peer_;
  std::function<const core::principal&()> who_;
  bool gone_ = false;
  bool live_ = true;
  std::map<core::session_id, core::seq_t> ahead_;  ///< read from the log, still to come from the stream

  // while not live
  core::millis at_{0};  ///< when it was level with every chat that has no place
  std::map<core::session_id, place> places_;
  std::deque<core::session_id> todo_;  ///< places that are behind
  std::optional<reading> reading_;     ///< the first of them
  bool busy_ = false;                  ///< an answer is on its way
  bool discovered_ = false;
  std::uint32_t round_ = 0;  ///< counts the times it fell behind, so that an answer to an earlier question is known as such
};

}  // namespace troupe::transport
