#include "tools_process_test.hpp"

#include "tools/process/sandbox.hpp"

#include <fcntl.h>
#include <csignal>

using namespace process_test;

TEST_CASE("process: exit status and signals are told, after the output") {
  world w;
  program seven(w, w.shell("echo out; echo err >&2; exit 7"));
  seven.process->close_input();
  CHECK(seven.ended().status == 7);
  CHECK(seven.end->signal == 0);
  CHECK(seven.end->trouble.empty());
  CHECK(seven.output == "out\n");
  CHECK(seven.errors == "err\n");

  program killed(w, w.shell("kill -SEGV $$"));
  CHECK(killed.ended().status == -1);
  CHECK(killed.end->signal == SIGSEGV);

  auto joined = w.shell("echo 1; echo 2 >&2; echo 3; echo 4 >&2");
  joined.joins_output = true;
  program both(w, std::move(joined));
  CHECK(both.ended().status == 0);
  CHECK(both.output == "1\n2\n3\n4\n");
  CHECK(both.errors.empty());
}

TEST_CASE("process: arguments arrive as they are, without a shell") {
  world w;
  std::vector<std::string> arguments{"a b", "it's \"quoted\"", "two\nlines", "$(touch made)", "`touch made`", "*",
                                     "",    "; touch made",    "ñ"};
  std::vector<std::string> command{"printf", "%s\\0"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  program p(w, w.options(std::move(command)));
  CHECK(p.ended().status == 0);
  std::string expected;
  for (const auto& text : arguments) expected.append(text) += '\0';
  CHECK(p.output == expected);
  CHECK_FALSE(fs::exists(w.folder / "made"));
}

TEST_CASE("process: nothing of ours is inherited") {
  world w;
  REQUIRE(::setenv("TROUPE_TEST_SECRET", "hidden", 1) == 0);
  int leaking = ::open("/dev/null", O_RDONLY);  // without close-on-exec
  REQUIRE(leaking >= 0);
  program environment(w, w.options({"env"}));
  program descriptors(w, w.options({"ls", "/proc/self/fd"}));
  auto before = std::signal(SIGHUP, SIG_IGN);
  program status(w, w.options({"grep", "-E", "^(SigBlk|SigIgn|NoNewPrivs)", "/proc/self/status"}));
  std::signal(SIGHUP, before);
  program where(w, w.options({"pwd"}));
  program ids(w, w.shell("cut -d' ' -f5,6 /proc/$$/stat; echo $$"));
  CHECK(environment.ended().status == 0);
  CHECK(environment.output == "PATH=/usr/local/bin:/usr/bin:/bin\n" + w.mark + "\n");
  CHECK(descriptors.ended().status == 0);
  CHECK(descriptors.output == "0\n1\n2\n3\n");  // 3: the folder it lists
  CHECK(status.ended().status == 0);
  CHECK(status.output.find("NoNewPrivs:\t1\n") != std::string::npos);
  CHECK(status.output.find("SigBlk:\t0000000000000000\n") != std::string::npos);
  // Of the 31 signals that have names; two more are the C library's own.
  CHECK(std::stoull(status.output.substr(status.output.find("SigIgn:") + 7), nullptr, 16) % (1ULL << 31) == 0);
  CHECK(where.ended().status == 0);
  CHECK(where.output == w.folder.string() + "\n");
  CHECK(ids.ended().status == 0);
  auto line = ids.output.substr(0, ids.output.find('\n')), pid = ids.output.substr(line.size() + 1);
  pid.pop_back();
  CHECK(line == pid + " " + pid);  // leads a group and a session of its own
  ::close(leaking);
  ::unsetenv("TROUPE_TEST_SECRET");
}

TEST_CASE("process: the secrets of its environment are in nobody's arguments") {
  world w;
  auto options = w.boxed("echo ready; read x");
  if (!has_sandbox()) options.sandbox = nullptr;
  options.environment["API_KEY"] = "very-secret-value";
  program p(w, std::move(options));
  REQUIRE(p.has_said("ready"));
  std::size_t seen = 0;
  for (auto pid : marked(w.mark)) {
    ++seen;
    CHECK(content_of("/proc/" + std::to_string(pid) + "/cmdline").find("very-secret") == std::string::npos);
  }
  CHECK(seen > 0);
  auto children = content_of("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  CHECK(content_of("/proc/" + std::to_string(std::atoi(children.c_str())) + "/cmdline") ==
        std::string(TROUPE_TEST_GUARD) + '\0');
}

TEST_CASE("process: all of a large input arrives, and its output comes back") {
  world w;
  program p(w, w.options({"cat"}));
  std::string sent;
  for (int i = 0; i < 20; ++i) {
    std::string part(100'000, static_cast<char>('a' + i));
    sent += part;
    p.process->write(part);
  }
  CHECK(p.process->unwritten() > 0);
  p.process->close_input();
  p.process->write("too late");
  CHECK(p.ended().status == 0);
  CHECK(p.process->unwritten() == 0);
  CHECK(p.output.size() == sent.size());
  CHECK(p.output == sent);
}

TEST_CASE("process: a program that reads nothing of its input harms nobody") {
  world w;
  program p(w, w.options({"true"}));
  p.process->write(std::string(4 << 20, 'x'));
  p.process->close_input();
  CHECK(p.ended().status == 0);
  CHECK(p.process->unwritten() == 0);
}

TEST_CASE("process: output is told while it runs") {
  world w;
  program p(w, w.shell("echo one; read x; echo \"two $x\""));
  REQUIRE(p.has_said("one\n"));
  CHECK_FALSE(p.end);
  p.process->write("more\n");
  REQUIRE(p.has_said("two more\n"));
  CHECK(p.ended().status == 0);
}

TEST_CASE("process: paused output waits in the program") {
  world w;
  program p(w, w.shell("head -c 60000 /dev/zero; touch ready; head -c 300000 /dev/zero"));
  p.process->pause_output(true);
  REQUIRE(w.until([&] { return fs::exists(w.folder / "ready"); }));
  w.io.poll();
  CHECK(p.output.empty());
  p.process->pause_output(false);
  CHECK(p.ended().status == 0);
  CHECK(p.output.size() == 360'000);

  program ends(w, w.shell("echo last words"));
  ends.process->pause_output(true);
  REQUIRE(w.until_gone());
  w.io.poll();
  CHECK_FALSE(ends.end);
  ends.process->pause_output(false);
  CHECK(ends.ended().status == 0);
  CHECK(ends.output == "last words\n");
}

TEST_CASE("process: what cannot be started says why") {
  world w;
  auto trouble_of = [&](tools::process_options options) {
    program p(w, std::move(options));
    CHECK_FALSE(p.end);  // later, not from within start
    CHECK(p.ended().status == -1);
    return p.end->trouble;
  };
  CHECK(trouble_of(w.options({"no-such-program"})) == "there is no program `no-such-program` in /usr/local/bin:/usr/bin:/bin");
  CHECK(trouble_of(w.options({"/no/such/program"})) == "`/no/such/program` is not there, or may not be run");
  std::ofstream(w.folder / "text") << "hello";
  CHECK(trouble_of(w.options({(w.folder / "text").string()})).find("may not be run") != std::string::npos);
  fs::permissions(w.folder / "text", fs::perms::owner_all);
  CHECK(trouble_of(w.options({(w.folder / "text").string()})).find("Exec format error") != std::string::npos);
  CHECK(trouble_of(w.options({"../text"})).find("there is no program") == 0);
  CHECK(trouble_of(w.options({std::string("echo"), std::string("a\0b", 3)})).find("NUL") != std::string::npos);
  CHECK(trouble_of(w.options({})) == "no program was named");
  auto homeless = w.options({"true"});
  homeless.folder = w.folder / "gone";
  CHECK(trouble_of(std::move(homeless)).find("cannot run in the folder " + (w.folder / "gone").string()) != std::string::npos);
  w.host.guard = {"/no/such/guard"};
  CHECK(trouble_of(w.options({"true"})).find("/no/such/guard") != std::string::npos);
  w.host.guard = {"/bin/false"};
  CHECK(trouble_of(w.options({"true"})).find("guard") != std::string::npos);
  CHECK(w.until([] { return !has_children(); }));
}

TEST_CASE("process: a program found in PATH is called what it was called") {
  world w;
  program p(w, w.options({"sh", "-c", "echo $0"}));
  CHECK(p.ended().status == 0);
  CHECK(p.output == "sh\n");
}

TEST_CASE("process: limits hold") {
  world w;
  SECTION("processor time") {
    auto options = w.shell("while :; do :; done");
    options.limits.cpu = 1s;
    program p(w, std::move(options));
    CHECK(p.ended().signal == SIGXCPU);
  }
  SECTION("memory") {
    auto options = w.options({"/usr/bin/python3", "-c", "x = bytearray(400 << 20)"});
    options.limits.memory_bytes = 200 << 20;
    program p(w, std::move(options));
    CHECK(p.ended().status == 1);
    CHECK(p.errors.find("MemoryError") != std::string::npos);
  }
  SECTION("the size of files") {
    auto options = w.options({"dd", "if=/dev/zero", "of=big", "bs=1000", "count=100"});
    options.limits.file_bytes = 10'000;
    program p(w, std::move(options));
    CHECK(p.ended().signal == SIGXFSZ);
    CHECK(fs::file_size(w.folder / "big") == 10'000);
  }
  SECTION("open files and cores") {
    auto options = w.shell("ulimit -n; ulimit -c");
    options.limits.open_files = 16;
    program p(w, std::move(options));
    CHECK(p.ended().status == 0);
    CHECK(p.output == "16\n0\n");
  }
  SECTION("processes of a user who is not root") {
    if (::getuid() != 0) return;
    // The kernel holds these; a copy of the guard, because this user may not see where the build is.
    fs::permissions(w.folder, fs::perms::owner_all | fs::perms::others_exec | fs::perms::group_exec);
    fs::copy_file(TROUPE_TEST_GUARD, w.folder / "guard");
    w.host.guard = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", (w.folder / "guard").string()};
    auto options = w.shell("ulimit -p");
    options.limits.processes = 10;
    options.folder = "/";
    program p(w, std::move(options));
    CHECK(p.ended().status == 0);
    CHECK(std::atoi(p.output.c_str()) >= 540);
    CHECK(std::atoi(p.output.c_str()) < 5'000);
  }
}

TEST_CASE("process: stop asks first, then kills") {
  world w;
  program polite(w, w.shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.02; done"));
  REQUIRE(polite.has_said("ready"));
  polite.process->stop(20s);
  CHECK(polite.ended().status == 3);
  CHECK(polite.output == "ready\nbye\n");

  program deaf(w, w.shell("trap '' TERM; echo ready; while :; do sleep 0.02; done"));
  REQUIRE(deaf.has_said("ready"));
  auto began = std::chrono::steady_clock::now();
  deaf.process->stop(100ms);
  CHECK(deaf.ended().signal == SIGKILL);
  CHECK(std::chrono::steady_clock::now() - began >= 100ms);
  CHECK(marked(w.mark).empty());

  program at_once(w, w.shell("trap '' TERM; echo ready; sleep 1000"));
  REQUIRE(at_once.has_said("ready"));
  at_once.process->stop(0ms);
  CHECK(at_once.ended().signal == SIGKILL);
  at_once.process->stop(0ms);  // nobody is there any more
}

TEST_CASE("process: it may be destroyed from within its own handlers") {
  world w;
  for (bool at_end : {false, true}) {
    std::unique_ptr<tools::process> p;
    int told = 0;
    tools::process_handlers handlers;
    handlers.on_output = [&](std::string_view) {
      ++told;
      if (!at_end) p.reset();
    };
    handlers.on_end = [&](const tools::process_end&) {
      ++told;
      p.reset();
    };
    p = tools::process::start(w.host, w.shell(at_end ? "echo a" : "echo a; sleep 1000"), std::move(handlers));
    CHECK(w.until([&] { return !p; }));
    CHECK(w.until_gone());
    CHECK(w.until([] { return !has_children(); }));
    CHECK(told == (at_end ? 2 : 1));
  }
}

TEST_CASE("process: only absolute folders and plain names are looked up") {
  CHECK(tools::find_program("sh", "/usr/bin").value() == "/usr/bin/sh");
  CHECK(tools::find_program("sh", "::/nowhere:/usr/bin").value() == "/usr/bin/sh");
  CHECK(tools::find_program("/usr/bin/sh", "").value() == "/usr/bin/sh");
  CHECK_FALSE(tools::find_program("sh", ".:bin:usr/bin"));
  CHECK_FALSE(tools::find_program("bin/sh", "/usr"));
  CHECK_FALSE(tools::find_program("../bin/sh", "/usr/bin"));
  CHECK_FALSE(tools::find_program("", "/usr/bin"));
  CHECK_FALSE(tools::find_program("/usr/bin", ""));
  CHECK_FALSE(tools::find_program(std::string_view("sh\0x", 4), "/usr/bin"));
}
