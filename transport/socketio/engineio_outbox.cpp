#include "transport/socketio/engineio_outbox.hpp"

#include "transport/socketio/engineio_packet.hpp"

namespace troupe::transport {

namespace {

constexpr std::size_t item_cost = 64;

bytes shared(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

std::size_t base64_size(std::size_t size) { return 1 + (size + 2) / 3 * 4; }

}  // namespace

void engineio_outbox::push_framed(bytes frames) { push(form::framed, std::move(frames)); }
void engineio_outbox::push_packet(std::string packet) { push(form::packet, shared(std::move(packet))); }
void engineio_outbox::push_binary(std::string data) { push(form::binary, shared(std::move(data))); }

void engineio_outbox::push(form how, bytes data) {
  size_ += data->size() + item_cost;
  items_.push_back({how, 0, std::move(data)});
}

std::string engineio_outbox::take_payload(std::size_t limit) {
  std::string out;
  bool is_first = true;
  auto has_room = [&](std::size_t more) { return is_first || out.size() + 1 + more <= limit; };
  auto separate = [&] {
    if (!std::exchange(is_first, false)) out.push_back(engineio_separator);
  };
  std::size_t done = 0;
  for (bool is_full = false; done < items_.size() && !is_full; done += is_full ? 0 : 1) {
    auto& next = items_[done];
    const std::string& data = *next.data;
    switch (next.how) {
      case form::packet:
        is_full = !has_room(data.size());
        if (is_full) break;
        separate();
        out.append(data);
        break;
      case form::binary:
        is_full = !has_room(base64_size(data.size()));
        if (is_full) break;
        separate();
        append_engineio_binary(out, data);
        break;
      case form::framed:
        for (auto at = next.at; auto packet = take_websocket_text(data, at); next.at = at) {
          is_full = !has_room(packet->size());
          if (is_full) break;
          separate();
          out.append(*packet);
        }
        break;
    }
    if (!is_full) size_ -= data.size() + item_cost;
  }
  if (done == items_.size())
    std::vector<item>().swap(items_);
  else
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(done));
  return out;
}

void engineio_outbox::move_to(peer& websocket) {
  auto items = std::exchange(items_, {});
  size_ = 0;
  for (auto& next : items) {
    switch (next.how) {
      case form::packet:
        websocket.send_text(*next.data);
        break;
      case form::binary:
        websocket.send_binary(*next.data);
        break;
      case form::framed:
        websocket.send(next.at == 0 ? std::move(next.data) : shared(next.data->substr(next.at)));
        break;
    }
  }
}

}  // namespace troupe::transport
