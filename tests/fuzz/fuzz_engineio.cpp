// Engine.IO: packets, payloads and frames as text, and a server that is asked over HTTP in any order. Each line of the input
// is a step: `P` posts the rest to a session, `G` polls it, `S` sends the rest to it, `C` closes it, `Q` asks with the rest as
// query, `W` does so as an upgrade; anything else is looked at as packets and as frames.
#include "tests/fuzz/fuzz.hpp"
#include "transport/socketio/engineio_packet.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace troupe::transport;
using namespace troupe::fuzzing;

namespace {

/// One request; whatever the server does, it is answered at most once.
class asked final : public http_exchange {
 public:
  void respond(http_response answer) override {
    require(answers++ == 0, "a request is answered once");
    require(
        answer.status == 200 || answer.status == 204 || answer.status == 400 || answer.status == 413 || answer.status == 503,
        "the status is one of the protocol's");
    body = std::move(answer.body);
  }
  std::shared_ptr<peer> start_stream(std::shared_ptr<peer_owner>, std::vector<std::pair<std::string, std::string>>) override {
    return nullptr;
  }
  void on_abandoned(std::function<void()>) override {}
  void post(std::function<void()>) override {}
  int answers = 0;
  std::string body;
};

/// Sends everything back, and hears its end once and last.
struct echo final : peer_owner {
  explicit echo(std::shared_ptr<engineio_socket> s) : to(std::move(s)) {}
  void on_message(std::string_view message, bool is_text) override {
    require(to != nullptr, "nothing is heard after the end");
    if (is_text)
      to->send_text(message);
    else
      to->send_binary(message);
  }
  void on_drained() override { require(to != nullptr, "nothing is heard after the end"); }
  void on_closed() override {
    require(to != nullptr, "the end is heard once");
    to.reset();
  }
  std::shared_ptr<engineio_socket> to;
};

void check_texts(std::string_view text) {
  std::string storage;
  for (std::size_t at = 0; at <= text.size();) {
    const auto packet = decode_engineio(take_engineio_packet(text, at), storage);
    if (!packet || packet->is_text) continue;
    std::string encoded;
    append_engineio_binary(encoded, packet->data);
    std::string again;
    const auto decoded = decode_engineio(encoded, again);
    require(decoded && decoded->data == packet->data, "binary survives its text");
  }
  std::size_t at = 0;
  while (const auto payload = take_websocket_text(text, at)) require(at <= text.size(), "a frame lies inside its bytes");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  boost::asio::io_context io{1};
  std::shared_ptr<echo> owner;
  engineio_options options;
  options.max_payload = 1024;
  options.max_sessions = 4;
  options.outbound_limit_bytes = 4096;
  options.high_water_bytes = 512;
  const auto server = engineio_server::make(io, options, [&](std::shared_ptr<engineio_socket> s) {
    owner = std::make_shared<echo>(std::move(s));
    return owner;
  });
  auto ask = [&](std::string method, std::string query, std::string_view body) {
    http_request request;
    request.method = std::move(method);
    request.query = std::move(query);
    request.body = body;
    auto exchange = std::make_shared<asked>();
    server->on_request(std::move(request), exchange);
    return exchange;
  };
  const auto opened = ask("GET", "EIO=4&transport=polling", {});
  require(opened->answers == 1 && opened->body.starts_with("0{\"sid\":\""), "a session opens");
  const auto sid = opened->body.substr(9, opened->body.find('"', 9) - 9);
  const auto query = "EIO=4&transport=polling&sid=" + sid;
  for (int steps = 0; !rest.empty() && steps < 64; ++steps) {
    auto line = take_until(rest, '\n');
    const char step = line.empty() ? ' ' : line.front();
    const auto what = line.substr(std::min<std::size_t>(1, line.size()));
    switch (step) {
      case 'P':
        ask("POST", query, what);
        break;
      case 'G':
        ask("GET", query, {});
        break;
      case 'S':
        if (owner->to) owner->to->send(std::make_shared<const std::string>(what));
        break;
      case 'C':
        if (owner->to) owner->to->close(1000, what);
        break;
      case 'Q':
        ask("GET", std::string(what), {});
        break;
      case 'W': {
        http_request request;
        request.method = "GET";
        request.query = what;
        const auto decided = server->on_upgrade(request);
        require(decided.accept || decided.refusal.status >= 400, "an upgrade is accepted or refused");
        break;
      }
      default:
        check_texts(line);
    }
    require(server->size() <= options.max_sessions, "sessions keep their number");
    io.restart();
    io.poll();
  }
  return 0;
}
