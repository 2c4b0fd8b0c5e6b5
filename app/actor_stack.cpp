#include "app/actor_stack.hpp"

#include "actors/directory.hpp"
#include "actors/listener.hpp"
#include "actors/persistence.hpp"
#include "actors/provider.hpp"
#include "actors/reader.hpp"

#include <caf/scoped_actor.hpp>

namespace troupe::app {

core::result<std::unique_ptr<actor_stack>> actor_stack::start(caf::actor_system& system, actor_stack_parts parts) {
  std::unique_ptr<actor_stack> stack(new actor_stack(system, std::move(parts)));
  auto& p = stack->parts_;
  auto services = std::make_shared<actors::services>();
  services->config = p.config;
  services->environment = p.environment;
  services->tools = p.tools;
  services->workspaces = p.workspaces;
  services->run_blocking = p.run_blocking;
  services->spending = std::make_shared<actors::spend_ledger>(p.config);
  services->watchers = p.watchers;
  services->health = p.health;

  std::vector<std::shared_ptr<storage::queries>> connections;
  for (std::uint32_t i = 0; i < std::max(1U, p.config->storage.readers); ++i) {
    auto queries = p.store->open_queries();
    if (!queries) return queries.error();
    connections.push_back(std::move(*queries));
  }
  try {
    for (const auto& day : connections.front()->usage_since(actors::spend_ledger::horizon(p.environment->now())))
      services->spending->load(day.project, day.agent, day.day, day.cost);
    for (auto& grant : connections.front()->grants_in_force(p.environment->now())) services->grants->add(std::move(grant));
  } catch (const core::bad_result& e) {
    return core::error{core::errc::storage_unavailable,
                       std::string("reading what was spent this month and which approvals are remembered: ") + e.what()};
  }
  actors::persistence_options persistence_options;
  persistence_options.on_fatal = p.on_fatal;
  auto* journal = &p.store->writer();
  // Only here is it decided which actors have threads of their own.
  if (p.detached) {
    services->persistence = system.spawn<caf::detached>(actors::persistence, persistence_options, journal);
    for (auto& c : connections) services->readers.push_back(system.spawn<caf::detached>(actors::reader, c));
  } else {
    services->persistence = system.spawn(actors::persistence, persistence_options, journal);
    for (auto& c : connections) services->readers.push_back(system.spawn(actors::reader, c));
  }
  for (const auto& [id, client] : p.clients) {
    actors::provider_options options;
    options.name = id.str();
    options.board = p.health;
    if (auto it = p.config->providers.find(id); it != p.config->providers.end()) {
      options.max_concurrent = it->second.max_concurrent;
      options.max_retries = it->second.max_retries;
      options.breaker_failures = it->second.breaker_failures;
      options.breaker_open = it->second.breaker_open;
    }
    services->providers.emplace(id, system.spawn(actors::provider, options, p.environment, client));
  }
  stack->services_ = services;
  stack->directory_ = system.spawn(actors::directory, stack->services_);
  return stack;
}

actor_stack::~actor_stack() {
  if (!stopped_) stop([] {});
}

actors::listener_actor actor_stack::spawn_listener() {
  listeners_.push_back(system_.spawn(actors::listener, services_, directory_));
  return listeners_.back();
}

std::size_t actor_stack::resume(const std::vector<core::session_id>& in_flight) {
  for (const auto& id : in_flight) caf::anon_send(directory_, actors::load_session{id});
  return in_flight.size();
}

void actor_stack::stop(const std::function<void()>& settle) {
  if (stopped_) return;
  stopped_ = true;
  caf::scoped_actor self{system_};
  auto end_and_wait = [&](const auto& handle) {
    auto watched = caf::actor_cast<caf::actor>(handle);
    self->monitor(watched);
    caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    settle();
    bool down = false;
    self->receive([&](const caf::down_msg&) { down = true; }, caf::after(std::chrono::seconds(10)) >> [] {});
    return down;
  };
  for (auto& l : listeners_) end_and_wait(l);
  listeners_.clear();
  end_and_wait(directory_);  // ends after every session has
  directory_ = actors::directory_actor();
  for (const auto& [id, provider] : services_->providers) end_and_wait(provider);
  end_and_wait(services_->persistence);
  for (const auto& reader : services_->readers) end_and_wait(reader);
  services_ = nullptr;
  parts_.clients.clear();
}

}  // namespace troupe::app
