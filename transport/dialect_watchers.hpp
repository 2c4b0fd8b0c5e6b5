// Sinks that get the events of every session of a dialect. Made before the actors, which are given them as services; started
// once there is a gateway, stopped before it closes.
#pragma once

#include "transport/chat_stream.hpp"
#include "transport/conversation_watch.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::transport {

struct dialect_watchers {
  explicit dialect_watchers(boost::asio::io_context& io)
      : chats(std::make_shared<chat_stream>(io)), conversations(std::make_shared<conversation_watch>(io)) {}

  std::shared_ptr<chat_stream> chats;
  std::shared_ptr<conversation_watch> conversations;

  [[nodiscard]] std::map<std::string, std::vector<actors::event_sink_ptr>> sinks() const {
    return {{"chat-events", {chats}}, {"chat-room", {conversations}}};
  }
  void start(gateway& way) {
    chats->start(way);
    conversations->start(way);
  }
  void stop() {
    chats->stop();
    conversations->stop();
  }
};

}  // namespace troupe::transport
