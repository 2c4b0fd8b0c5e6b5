#include "transport/gateway.hpp"

#include "transport/actor_link.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <limits>
#include <utility>

namespace troupe::transport {

gateway::gateway(boost::asio::io_context& io, std::unique_ptr<actor_link> link, core::config_ptr config,
                 std::shared_ptr<core::environment> environment, tool_list tools,
                 std::shared_ptr<const core::status_board> health)
    : io_(io),
      link_(std::move(link)),
      config_(std::move(config)),
      environment_(std::move(environment)),
      tools_(std::move(tools)),
      health_(std::move(health)),
      started_at_(environment_->now()),
      auth_(config_->auth, [world = environment_] { return world->now(); }) {}

gateway::~gateway() = default;

void gateway::post(std::function<void()> f) { boost::asio::post(io_, std::move(f)); }

bool gateway::run_aside(std::function<void()> f) {
  if (!link_ || aside_ >= most_aside) return false;
  if (!aside_thread_) aside_thread_ = std::make_unique<boost::asio::thread_pool>(1);
  ++aside_;
  boost::asio::post(*aside_thread_, [this, f = std::move(f)] {
    f();
    --aside_;
  });
  return true;
}

std::uint64_t gateway::on_close(std::function<void()> f) {
  at_close_.emplace(++last_number_, std::move(f));
  return last_number_;
}

void gateway::close() {
  link_ = nullptr;
  for (auto& [number, f] : std::exchange(at_close_, {})) f();
}

template <class T, class Message>
void gateway::call(Message message, then<T> done) {
  if (!link_) {
    done(core::error{core::errc::shutting_down, "The server is shutting down; connect again shortly."});
    return;
  }
  auto& io = io_;
  auto back = std::make_shared<const std::function<void(core::result<T>)>>([&io, done = std::move(done)](core::result<T> r) {
    boost::asio::post(io, [done, r = std::move(r)]() mutable { done(std::move(r)); });
  });
  caf::anon_send(link_->listener, std::move(message), actors::reply_to<T>{std::move(back)});
}

void gateway::submit(core::session_id session, core::principal by, core::command command, then<core::command_reply> done) {
  call(actors::submit{session, std::move(by), std::move(command)}, std::move(done));
}

void gateway::attach(core::session_id session, actors::event_sink_ptr sink, bool must_exist, then<actors::attached> done) {
  call(actors::attach{session, std::move(sink), must_exist}, std::move(done));
}

void gateway::detach(core::session_id session, actors::event_sink_ptr sink) {
  if (link_) caf::anon_send(link_->listener, actors::detach{session, std::move(sink)});
}

void gateway::read_events(core::session_id session, core::seq_t after, then<actors::event_page> done) {
  constexpr core::seq_t end_of_log = std::numeric_limits<std::int64_t>::max();
  call(actors::read_events{session, after, end_of_log, rows_per_page}, std::move(done));
}

void gateway::ask(core::query query, then<core::answer> done) { call(actors::ask{std::move(query)}, std::move(done)); }

void gateway::store_agent(core::agent_version_record version, then<void> done) {
  call<actors::agent_stored>(actors::store_agent{std::move(version)}, [done = std::move(done)](const auto& r) {
    done(r ? core::result<void>() : core::result<void>(r.error()));
  });
}

void gateway::announce(core::session_id session, core::event_payload payload) {
  if (link_) caf::anon_send(link_->listener, actors::announce{session, std::move(payload)});
}

}  // namespace troupe::transport
