#include "transport/socketio/socketio_connection.hpp"

#include "transport/net/connection.hpp"
#include "transport/socketio/engineio_packet.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;
using kind = socketio_packet::kind;

socketio_connection::socketio_connection(std::shared_ptr<socketio_registry> registry, std::shared_ptr<engineio_socket> engine)
    : registry_(std::move(registry)),
      engine_(std::move(engine)),
      decoder_(registry_->options.max_attachments, registry_->options.engine.max_payload) {
  registry_->deadlines->schedule(*this, std::chrono::steady_clock::now() + registry_->options.connect_timeout);
}

socketio_connection::~socketio_connection() { registry_->deadlines->schedule(*this, never); }

/// Nobody has joined a namespace in time.
void socketio_connection::on_time(time_point) { break_off("no CONNECT in time"); }

void socketio_connection::on_message(std::string_view message, bool is_text) {
  if (!is_open_) return;
  const auto keep = shared_from_this();
  auto added = is_text ? decoder_.add_text(message) : decoder_.add_binary(message);
  if (!added) return break_off("invalid packet");
  if (*added) handle(std::move(**added));
}

void socketio_connection::handle(socketio_message message) {
  auto& packet = message.packet;
  const auto at = joined_.find(packet.nsp);
  if (at == joined_.end()) {
    if (packet.type == kind::connect) return connect(std::move(packet));
    if (!dismissed_.contains(packet.nsp)) break_off("not connected");
    return;
  }
  const auto socket = at->second;
  switch (packet.type) {
    case kind::connect:
    case kind::connect_error:
      return break_off("already connected");
    case kind::disconnect:
      joined_.erase(at);
      return socket->end();
    case kind::event:
    case kind::binary_event: {
      auto& all = packet.data.get_array();
      const auto& first = all.front();
      auto name = first.is_string() ? std::string(std::string_view(first.get_string())) : json::serialize(first);
      json::array args(std::make_move_iterator(all.begin() + 1), std::make_move_iterator(all.end()));
      return socket->on_event({std::move(name), std::move(args), std::move(message.attachments), packet.id});
    }
    case kind::ack:
    case kind::binary_ack:
      return;  // nothing that we send asks for one
  }
}

void socketio_connection::connect(socketio_packet packet) {
  const auto known = registry_->namespaces.find(packet.nsp);
  if (known == registry_->namespaces.end()) return refuse(std::move(packet.nsp), "Invalid namespace");
  if (joined_.size() >= registry_->options.max_namespaces) return refuse(std::move(packet.nsp), "Too many namespaces");
  const auto socket = std::make_shared<joined_namespace>(shared_from_this(), packet.nsp);
  const auto auth = packet.data.is_object() ? std::move(packet.data.get_object()) : json::object();
  const auto welcome = known->second(socket, auth);
  if (!welcome.owner) return refuse(std::move(packet.nsp), welcome.error.empty() ? "Connection refused" : welcome.error);
  registry_->deadlines->schedule(*this, never);
  dismissed_.erase(packet.nsp);
  joined_.emplace(packet.nsp, socket);
  json::object ids{{"sid", socket->id()}};
  if (!welcome.pid.empty()) ids["pid"] = welcome.pid;
  send({.type = kind::connect, .nsp = std::move(packet.nsp), .id = {}, .data = std::move(ids)});
  socket->open(welcome.owner);
}

void socketio_connection::refuse(std::string nsp, std::string_view why) {
  send({.type = kind::connect_error, .nsp = std::move(nsp), .id = {}, .data = json::object{{"message", why}}});
}

void socketio_connection::send(const socketio_packet& packet, const std::vector<std::string>& attachments) {
  if (!is_open_) return;
  engine_->send_text(encode_socketio(packet));
  for (const auto& data : attachments) engine_->send_binary(data);
}

void socketio_connection::dismiss(const joined_namespace& which) {
  const auto at = joined_.find(which.nsp());
  if (at == joined_.end() || at->second.get() != &which) return;
  send({.type = kind::disconnect, .nsp = which.nsp(), .id = {}, .data = nullptr});
  dismissed_.insert(which.nsp());
  leaving_.push_back(std::move(at->second));
  joined_.erase(at);
  // Not from inside the owner's own call.
  engine_->post([me = shared_from_this()] { me->end_leaving(); });
}

void socketio_connection::end_leaving() {
  for (const auto& socket : std::exchange(leaving_, {})) socket->end();
}

void socketio_connection::pause_reading(bool paused) {
  pauses_ += paused ? 1 : -1;
  engine_->pause_reading(pauses_ > 0);
}

void socketio_connection::break_off(std::string_view why) {
  if (is_open_) engine_->close(1002, why);
}

std::vector<std::shared_ptr<joined_namespace>> socketio_connection::all() const {
  std::vector<std::shared_ptr<joined_namespace>> out;
  for (const auto& [nsp, socket] : joined_) out.push_back(socket);
  return out;
}

void socketio_connection::on_drained() {
  for (const auto& socket : all()) socket->on_drained();
}

void socketio_connection::on_closed() {
  const auto keep = shared_from_this();
  is_open_ = false;
  registry_->deadlines->schedule(*this, never);
  const auto sockets = all();
  joined_.clear();
  end_leaving();
  for (const auto& socket : sockets) socket->end();
}

joined_namespace::joined_namespace(std::shared_ptr<socketio_connection> connection, std::string nsp)
    : connection_(std::move(connection)), nsp_(std::move(nsp)), id_(random_engineio_id()) {}

void joined_namespace::open(std::shared_ptr<socketio_owner> owner) {
  owner_ = owner;
  is_open_ = true;
  owner->on_open();
}

void joined_namespace::on_event(socketio_event event) {
  if (const auto to = owner_; to && is_open_) to->on_event(std::move(event));
}

void joined_namespace::on_drained() {
  if (const auto to = owner_; to && is_open_) guarded([&] { to->on_drained(); });
}

void joined_namespace::end() {
  pause_reading(false);
  is_open_ = false;
  has_ended_ = true;
  if (const auto to = std::move(owner_)) guarded([&] { to->on_closed(); });
}

void joined_namespace::put(kind type, kind with_attachments, std::optional<std::uint64_t> id, json::array args,
                           const std::vector<std::string>& attachments) {
  socketio_packet packet{.type = attachments.empty() ? type : with_attachments,
                         .nsp = nsp_,
                         .id = id,
                         .data = std::move(args),
                         .attachments = static_cast<std::uint32_t>(attachments.size())};
  if (is_open_) connection_->send(packet, attachments);
}

void joined_namespace::emit(std::string_view name, json::array args, std::vector<std::string> attachments) {
  args.insert(args.begin(), json::value(json::string(name)));
  put(kind::event, kind::binary_event, std::nullopt, std::move(args), attachments);
}

void joined_namespace::acknowledge(std::uint64_t ack_id, json::array args, std::vector<std::string> attachments) {
  put(kind::ack, kind::binary_ack, ack_id, std::move(args), attachments);
}

void joined_namespace::disconnect() {
  if (!is_open_) return;
  connection_->dismiss(*this);
  pause_reading(false);
  is_open_ = false;
  has_ended_ = true;
}

void joined_namespace::send(bytes framed) {
  if (is_open_) connection_->engine().send(std::move(framed));
}

void joined_namespace::send_text(std::string_view text) {
  if (is_open_) connection_->engine().send_text(text);
}

void joined_namespace::send_binary(std::string_view data) {
  if (is_open_) connection_->engine().send_binary(data);
}

void joined_namespace::close(std::uint16_t code, std::string_view reason) {
  if (!has_ended_) connection_->engine().close(code, reason);
}

void joined_namespace::drop() {
  if (!has_ended_) connection_->engine().drop();
}

void joined_namespace::pause_reading(bool paused) {
  if (is_paused_ == paused || has_ended_) return;
  is_paused_ = paused;
  connection_->pause_reading(paused);
}

}  // namespace troupe::transport
