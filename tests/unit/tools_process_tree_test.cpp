#include "tools/process/pid_limit.hpp"
#include "tools_process_test.hpp"

#include <csignal>

using namespace process_test;

namespace {

/// A child, a child that lost its parent, two in a session of their own that forked twice, one that ignores signals. Each makes
/// a file when it is there; `ready` is said when all are.
constexpr auto family = R"(
  stay=': > up$0; exec sleep $0'
  sh -c "$stay" 1001 &
  (sh -c "$stay" 1002 &)
  setsid sh -c "(setsid sh -c '$stay' 1003 &) ; sh -c '$stay' 1004" &
  (trap "" TERM HUP INT; sh -c "$stay" 1005) &
  for each in 1001 1002 1003 1004 1005; do until [ -e up$each ]; do sleep 0.01; done; done
  echo ready
)";

std::string family_and(const char* then) { return family + std::string(then); }

}  // namespace

TEST_CASE("process: destroying it kills whatever it started") {
  world w;
  auto p = std::make_unique<program>(w, w.shell(family_and("wait")));
  REQUIRE(p->has_said("ready"));
  CHECK(w.until([&] { return marked(w.mark).size() >= 6; }));
  auto began = std::chrono::steady_clock::now();
  p->process.reset();
  CHECK(w.until_gone());
  CHECK(w.until([] { return !has_children(); }));
  WARN("killed in " << std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count()
                    << " ms");
  CHECK_FALSE(p->end);
}

TEST_CASE("process: what a program leaves behind is gone when its end is told, though it held the output open") {
  world w;
  program p(w, w.shell(family_and("exit 4")));
  CHECK(p.ended().status == 4);
  CHECK(p.output == "ready\n");
  CHECK(marked(w.mark).empty());
  CHECK_FALSE(has_children());
}

TEST_CASE("process: who flees by forking all the time is caught") {
  world w;
  program p(w, w.options({"/usr/bin/python3", "-c",
                          "import os\nprint('ready', flush=True)\nos.setsid() if os.fork() == 0 else None\n"
                          "for i in range(200000):\n  if os.fork(): os._exit(0)\n"}));
  REQUIRE(p.has_said("ready"));
  p.process.reset();
  CHECK(w.until_gone());
  CHECK(w.until([] { return !has_children(); }));
}

TEST_CASE("process: a bomb is ended at the number of processes it may have") {
  world w;
  auto options = w.shell("i=0; while [ $i -lt 300 ]; do (setsid sleep 1000 &); i=$((i+1)); done; echo all; sleep 1000");
  options.limits.processes = 20;
  program p(w, std::move(options));
  CHECK(p.ended().trouble.find("more than 20 processes at once") != std::string::npos);
  CHECK(marked(w.mark).empty());

  auto within = w.shell("sleep 0.3 & sleep 0.3 & wait; echo fine");
  within.limits.processes = 3;
  program fine(w, std::move(within));
  CHECK(fine.ended().status == 0);
  CHECK(fine.output == "fine\n");
}

TEST_CASE("process: a bomb that doubles meets the kernel's bound, where there is one") {
  // Without one it would only be counted from outside, and whether that is in time is luck: nothing to try on a machine in use.
  if (!tools::pid_limit(4).holds()) return;
  world w;
  bool boxed = GENERATE(false, true);
  if (boxed && !has_sandbox()) return;
  const std::string bomb = "b() { b | b & }; b; sleep 1000";
  auto options = boxed ? w.boxed(bomb) : w.shell(bomb);
  options.limits.processes = 20;
  program p(w, std::move(options));
  CHECK(p.ended().trouble.find("more than 20 processes at once") != std::string::npos);
  CHECK(marked(w.mark).empty());
}

TEST_CASE("process: when its owner is killed, everything it ran is gone") {
  world w;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  bool boxed = GENERATE(false, true);
  if (boxed && !has_sandbox()) return;
  auto owner = ::fork();
  REQUIRE(owner >= 0);
  if (owner == 0) {
    // A process that owns a program and gets no chance to say good-bye. No assertions here: they belong to the parent.
    boost::asio::io_context io;
    tools::process_host host{&io, {TROUPE_TEST_GUARD}, true};
    tools::process_handlers handlers;
    handlers.on_output = [&](std::string_view) { static_cast<void>(!::write(ends[1], "r", 1)); };
    auto box = "(setsid sleep 1001 &) ; sleep 1002 & (trap '' TERM; sleep 1003) & echo ready; sleep 1004";
    auto p = tools::process::start(host, boxed ? w.boxed(box) : w.shell(family_and("wait")), std::move(handlers));
    io.run();
    ::_exit(0);
  }
  char ready = 0;
  REQUIRE(::read(ends[0], &ready, 1) == 1);
  CHECK(w.until([&] { return marked(w.mark).size() >= 4; }));
  REQUIRE(::kill(owner, SIGKILL) == 0);
  CHECK(w.until_gone());
  REQUIRE(::waitpid(owner, nullptr, 0) == owner);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("process: a guard that is killed takes its program with it") {
  world w;
  program p(w, w.shell("echo $PPID; sleep 1000"));
  REQUIRE(p.has_said("\n"));
  REQUIRE(::kill(static_cast<pid_t>(std::atoi(p.output.c_str())), SIGKILL) == 0);
  CHECK(p.ended().trouble.find("guard") != std::string::npos);
  CHECK_FALSE(has_children());
  for (auto pid : marked(w.mark)) ::kill(pid, SIGKILL);  // what it had started is out of reach: nothing of it was promised
}

TEST_CASE("process: a thousand starts and kills leave no process and no descriptor") {
  world w;
  {
    program warm(w, w.options({"true"}));
    warm.ended();
  }
  auto before = open_descriptors();
  auto began = std::chrono::steady_clock::now();
  for (int round = 0; round < 50; ++round) {
    std::vector<std::unique_ptr<program>> some;
    for (int i = 0; i < 20; ++i) some.push_back(std::make_unique<program>(w, w.options({i % 2 ? "true" : "cat"})));
    if (round % 2)
      for (auto& p : some) p->process->stop(0ms);
    w.io.poll();
    some.clear();
  }
  CHECK(w.until([] { return !has_children(); }));
  CHECK(marked(w.mark).empty());
  CHECK(open_descriptors() == before);
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  WARN("1000 starts and kills took " << took.count() << " ms");
}
