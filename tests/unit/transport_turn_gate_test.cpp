#include "transport/turn_gate.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using troupe::transport::turn_gate;

namespace {

/// Asks for turns and keeps what it gets.
struct bench {
  std::shared_ptr<turn_gate> gate;
  std::string order;
  std::vector<std::unique_ptr<turn_gate::slot>> held;

  explicit bench(std::uint32_t slots) : gate(std::make_shared<turn_gate>(slots)) {}
  turn_gate::ticket ask(std::uint64_t socket, char name) {
    return gate->enter(socket, [this, name](std::unique_ptr<turn_gate::slot> s) {
      order += name;
      held.push_back(std::move(s));
    });
  }
  void end(std::size_t i) { held[i] = nullptr; }
};

}  // namespace

TEST_CASE("turn gate: as many as there are slots go at once, the next waits for one to end") {
  bench b(2);
  auto a = b.ask(1, 'a');
  auto c = b.ask(2, 'b');
  auto d = b.ask(3, 'c');
  CHECK(b.order == "ab");
  CHECK(b.gate->waiting() == 1);
  b.end(0);
  CHECK(b.order == "abc");
  CHECK(b.gate->waiting() == 0);
}

TEST_CASE("turn gate: sockets with fewer turns under way go first, then those who came first") {
  bench b(2);
  auto t1 = b.ask(1, 'a');
  auto t2 = b.ask(2, 'b');
  auto t3 = b.ask(1, 'c');
  auto t4 = b.ask(1, 'd');
  auto t5 = b.ask(3, 'e');
  auto t6 = b.ask(4, 'f');
  b.end(1);  // socket 1 has one under way, 3 and 4 none
  CHECK(b.order == "abe");
  b.end(0);  // nobody has, but 3: 1 came before 4
  CHECK(b.order == "abec");
  b.end(2);  // 1 has one again
  CHECK(b.order == "abecf");
  b.end(3);
  CHECK(b.order == "abecfd");
}

TEST_CASE("turn gate: who drops its ticket leaves the queue") {
  bench b(1);
  auto a = b.ask(1, 'a');
  auto c = b.ask(2, 'b');
  auto d = b.ask(3, 'c');
  c = nullptr;
  CHECK(b.gate->waiting() == 1);
  b.end(0);
  CHECK(b.order == "ac");
}

TEST_CASE("turn gate: those who left take no memory while nothing comes free") {
  bench b(1);
  auto a = b.ask(1, 'a');
  for (std::uint64_t i = 0; i < 10'000; ++i) CHECK(b.ask(i, 'x'));
  CHECK(b.gate->waiting() == 0);
  auto last = b.ask(2, 'b');
  b.end(0);
  CHECK(b.order == "ab");
}

TEST_CASE("turn gate: a decision sets a run going where no slot is free, and the next waits for both") {
  bench b(1);
  auto a = b.ask(1, 'a');
  auto decided = b.gate->enter_now(2);
  auto c = b.ask(3, 'b');
  b.end(0);
  CHECK(b.order == "a");
  decided = nullptr;
  CHECK(b.order == "ab");
}

TEST_CASE("turn gate: a slot that is given back inside a grant serves the next after it, not inside it") {
  auto gate = std::make_shared<turn_gate>(1);
  std::string order;
  auto held = gate->enter_now(9);
  auto a = gate->enter(1, [&](std::unique_ptr<turn_gate::slot> s) {
    order += "(a";
    s = nullptr;
    order += ")";
  });
  auto b = gate->enter(2, [&](std::unique_ptr<turn_gate::slot>) { order += "(b)"; });
  held = nullptr;
  CHECK(order == "(a)(b)");
}

TEST_CASE("turn gate: slots may outlive the gate") {
  auto gate = std::make_shared<turn_gate>(1);
  auto held = gate->enter_now(1);
  auto waits = gate->enter(2, [](std::unique_ptr<turn_gate::slot>) { FAIL("nobody is left to grant it"); });
  gate = nullptr;
  held = nullptr;
  CHECK(waits);
}
