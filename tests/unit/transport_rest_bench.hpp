// REST on a bench: routes and handlers as the server has them, actors that answer what a test says, no sockets.
#pragma once

#include "tests/unit/transport_chat_stream_bench.hpp"
#include "transport/auth.hpp"
#include "transport/rest/rest.hpp"

namespace troupe::transport_test {

/// What the actors were asked, and what they are to answer.
struct scripted_actors {
  std::function<core::result<core::answer>(const core::query&)> on_ask;
  std::function<core::result<core::command_reply>(const actors::submit&)> on_submit;
  std::vector<core::query> asked;
  std::vector<actors::submit> submitted;

  /// Of the last question of this type.
  template <class T>
  [[nodiscard]] const T& last() const {
    for (auto it = asked.rbegin(); it != asked.rend(); ++it)
      if (const auto* q = std::get_if<T>(&*it)) return *q;
    throw std::runtime_error("it was not asked");
  }
};

inline actors::listener_actor::behavior_type scripted_listener(actors::listener_actor::pointer, scripted_actors* all) {
  return {
      [all](actors::submit& m, const actors::reply_to<core::command_reply>& to) {
        all->submitted.push_back(m);
        (*to.done)(all->on_submit(m));
      },
      [](actors::attach&, const actors::reply_to<actors::attached>&) {},
      [](actors::read_events&, const actors::reply_to<actors::event_page>&) {},
      [all](actors::ask& m, const actors::reply_to<core::answer>& to) {
        all->asked.push_back(m.query);
        (*to.done)(all->on_ask(m.query));
      },
      [](actors::store_agent&, const actors::reply_to<actors::agent_stored>& to) { (*to.done)(actors::agent_stored{}); },
      [](actors::detach&) {},
      [](actors::announce&) {},
  };
}

struct rest_answer {
  int status = 0;
  std::string text;
  boost::json::value body;
};

class kept_exchange final : public transport::http_exchange {
 public:
  void respond(transport::http_response r) override { response = std::move(r); }
  std::shared_ptr<transport::peer> start_stream(std::shared_ptr<transport::peer_owner>,
                                                std::vector<std::pair<std::string, std::string>>) override {
    return nullptr;
  }
  void on_abandoned(std::function<void()>) override {}
  void post(std::function<void()> f) override { f(); }
  std::optional<transport::http_response> response;
};

/// Callers are API keys: `ana` and `eva` are users, `reader` may only read, `root` is an admin.
struct rest_bench {
  rest_bench() {
    auto c = std::make_shared<core::config>(demo_settings());
    c->auth.required = true;
    for (auto [name, scopes] : {std::pair{"ana", core::scope::user}, std::pair{"eva", core::scope::user},
                                std::pair{"reader", core::scope::read}, std::pair{"root", core::scope::all}})
      c->auth.api_keys.push_back({name, transport::sha256_hex(name), scopes});
    system_config.set("scheduler.max-threads", 1);
    system = std::make_unique<caf::actor_system>(system_config);
    way = std::make_unique<transport::gateway>(
        io, std::make_unique<transport::actor_link>(transport::actor_link{system->spawn(scripted_listener, &all)}), c, clock,
        [this] { return tools; }, health);
    hub = std::make_unique<transport::feed_hub>(*way, nullptr, nullptr);
  }
  ~rest_bench() { way->close(); }

  rest_answer operator()(const std::string& method, const std::string& target, const std::string& body = {},
                         const std::string& who = "ana") {
    transport::http_request request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (request.path != target) request.query = target.substr(request.path.size() + 1);
    request.headers = {{"content-type", "application/json"}};
    if (!who.empty()) request.headers.emplace_back("authorization", "Bearer " + who);
    request.body = body;
    auto exchange = std::make_shared<kept_exchange>();
    transport::dispatch(*hub, std::move(request), exchange);
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!exchange->response && std::chrono::steady_clock::now() < limit) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(20));
    }
    REQUIRE(exchange->response.has_value());
    rest_answer out{exchange->response->status, exchange->response->body, nullptr};
    if (!out.text.empty() && exchange->response->content_type == "application/json") out.body = boost::json::parse(out.text);
    return out;
  }

  scripted_actors all;
  std::vector<core::tool_record> tools;
  std::shared_ptr<core::status_board> health = std::make_shared<core::status_board>();
  boost::asio::io_context io;
  caf::actor_system_config system_config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<hand_set_clock> clock = std::make_shared<hand_set_clock>();
  std::unique_ptr<transport::gateway> way;
  std::unique_ptr<transport::feed_hub> hub;
};

}  // namespace troupe::transport_test
