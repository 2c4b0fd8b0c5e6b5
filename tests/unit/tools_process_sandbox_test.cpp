#include "tools_process_test.hpp"

#include "tools/process/sandbox.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <csignal>

using namespace process_test;
using boost::asio::ip::tcp;

namespace {

constexpr auto connect_script =
    "import socket,sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)\nprint(s.recv(5).decode())";

}  // namespace

TEST_CASE("sandbox: only the writable folder can be written, and it is /workspace") {
  if (!has_sandbox()) return;
  world w;
  program p(w, w.boxed("pwd; echo hello > made; mkdir d; for f in / /usr /etc /dev /proc /bin; do touch $f/x 2>/dev/null && "
                       "echo wrote $f; done; "
                       "echo t > /tmp/" +
                       w.folder.filename().string() + ".t && cat /tmp/*.t"));
  CHECK(p.ended().status == 0);
  CHECK(p.output == "/workspace\nt\n");
  CHECK(content_of(w.folder / "made") == "hello\n");
  CHECK_FALSE(fs::exists("/tmp/" + w.folder.filename().string() + ".t"));

  fs::create_directories(w.folder / "deep" / "er");
  auto options = w.boxed("pwd");
  options.folder = w.folder / "deep" / "er";
  program deeper(w, std::move(options));
  CHECK(deeper.ended().status == 0);
  CHECK(deeper.output == "/workspace/deep/er\n");
}

TEST_CASE("sandbox: nothing of the host but the system is there to be seen") {
  if (!has_sandbox()) return;
  world w, data;
  std::ofstream(data.folder / "troupe.db") << "secret";
  program p(w, w.boxed("ls -d /root /home /var/lib /opt /srv /mnt /sys /run /boot /etc/shadow /etc/ssh /etc/ssl/private '" +
                       data.folder.string() + "' 2>/dev/null; ls /tmp; ls /workspace/..; id -u; env; exit 5"));
  CHECK(p.ended().status == 5);
  CHECK(p.output.find("root\n") == std::string::npos);
  auto allowed = "PATH=/usr/local/bin:/usr/bin:/bin\n";
  CHECK(p.output.find(allowed) != std::string::npos);
  for (auto* hidden : {"/root", "/home", "/srv", "/mnt", "/sys", "/run", "/shadow", "/private", "troupe.db"}) {
    CAPTURE(hidden, p.output);
    CHECK(p.output.find(hidden) == std::string::npos);
  }
  CHECK(p.output.find(data.folder.filename().string()) == std::string::npos);

  program others(
      w, w.boxed("ls /proc | grep -c '^[0-9]'; kill -9 -1 2>/dev/null; grep -E '^Cap(Prm|Eff|Bnd)|NoNew' /proc/self/status; "
                 "unshare -U true 2>/dev/null || echo no namespaces"));
  CHECK(others.ended().status == 0);
  CHECK(std::atoi(others.output.c_str()) <= 5);
  CHECK(
      others.output.find(
          "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nno namespaces\n") !=
      std::string::npos);
}

TEST_CASE("sandbox: there is a network only when asked for") {
  if (!has_sandbox()) return;
  world w;
  tcp::acceptor listener(w.io, {boost::asio::ip::address_v4::loopback(), 0});
  int accepted = 0;
  listener.async_accept([&](auto problem, tcp::socket socket) {
    if (problem) return;
    ++accepted;
    boost::system::error_code ignored;
    socket.write_some(boost::asio::buffer("hello", 5), ignored);
  });
  auto port = std::to_string(listener.local_endpoint().port());
  bool network = GENERATE(false, true);
  auto options = w.options({"/usr/bin/python3", "-c", connect_script, port});
  options.sandbox = std::make_unique<tools::sandbox_options>(tools::sandbox_options{w.folder, network, {}});
  program p(w, std::move(options));
  CHECK((p.ended().status == 0) == network);
  CHECK(accepted == (network ? 1 : 0));
  CHECK(p.output == (network ? "hello\n" : ""));
  if (!network) CHECK(p.errors.find("refused") != std::string::npos);
}

TEST_CASE("sandbox: exit status, signals and time to say good-bye are as without it") {
  if (!has_sandbox()) return;
  world w;
  program seven(w, w.boxed("cat; exit 7"));
  seven.process->write("input");
  seven.process->close_input();
  CHECK(seven.ended().status == 7);
  CHECK(seven.output == "input");
  program killed(w, w.boxed("kill -KILL $$"));
  CHECK(killed.ended().signal == SIGKILL);
  CHECK(killed.end->status == -1);

  program polite(w, w.boxed("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.02; done"));
  REQUIRE(polite.has_said("ready"));
  polite.process->stop(20s);
  CHECK(polite.ended().status == 3);
  CHECK(polite.output == "ready\nbye\n");
  program deaf(w, w.boxed("trap '' TERM; echo ready; while :; do sleep 0.02; done"));
  REQUIRE(deaf.has_said("ready"));
  deaf.process->stop(50ms);
  CHECK(deaf.ended().signal == SIGKILL);
  CHECK(marked(w.mark).empty());

  program spent(w, w.boxed("kill -XCPU $$"));
  CHECK(spent.ended().signal == SIGXCPU);
}

TEST_CASE("sandbox: nothing outlives it") {
  if (!has_sandbox()) return;
  world w;
  constexpr auto family = "(setsid sh -c '(sleep 1001 &)' &) ; sleep 1002 & echo ready; ";
  program left(w, w.boxed(std::string(family) + "exit 0"));
  CHECK(left.ended().status == 0);
  CHECK(marked(w.mark).empty());
  program cut(w, w.boxed(std::string(family) + "wait"));
  REQUIRE(cut.has_said("ready"));
  CHECK(w.until([&] { return marked(w.mark).size() >= 3; }));
  cut.process.reset();
  CHECK(w.until_gone());
  CHECK(w.until([] { return !has_children(); }));
}

TEST_CASE("sandbox: a bomb is ended at the number of processes it may have") {
  if (!has_sandbox()) return;
  world w;
  auto bomb = w.boxed("i=0; while [ $i -lt 300 ]; do (setsid sleep 1000 &); i=$((i+1)); done; echo all; sleep 1000");
  bomb.limits.processes = 20;
  program p(w, std::move(bomb));
  CHECK(p.ended().trouble.find("more than 20 processes") != std::string::npos);
  CHECK(marked(w.mark).empty());
  auto within = w.boxed("sleep 0.3 & sleep 0.3 & wait; echo fine");
  within.limits.processes = 3;
  program fine(w, std::move(within));
  CHECK(fine.ended().status == 0);
  CHECK(fine.output == "fine\n");
}

TEST_CASE("sandbox: programs and files from elsewhere are shown alone and cannot be changed") {
  if (!has_sandbox()) return;
  world w, elsewhere;
  std::ofstream(elsewhere.folder / "secret") << "secret";
  std::ofstream(elsewhere.folder / "data") << "data";
  std::ofstream(elsewhere.folder / "script")
      << "#!/bin/sh\ncat \"$1\"; echo x 2>/dev/null >> \"$1\" || echo refused; ls \"$(dirname \"$1\")\"\n";
  fs::permissions(elsewhere.folder / "script", fs::perms::owner_all);
  auto options = w.options({(elsewhere.folder / "script").string(), (elsewhere.folder / "data").string()});
  options.sandbox = std::make_unique<tools::sandbox_options>(tools::sandbox_options{
      w.folder,
      false,
      {elsewhere.folder / "data", elsewhere.folder / "not there", "/", w.folder.parent_path(), w.folder.parent_path() / ""}});
  program p(w, std::move(options));
  CHECK(p.ended().status == 0);
  CHECK(p.output == "datarefused\ndata\nscript\n");  // neither `secret` nor what holds the workspace
  CHECK(content_of(elsewhere.folder / "data") == "data");
}

TEST_CASE("sandbox: memory that looks like files is bounded") {
  if (!has_sandbox()) return;
  world w;
  program p(w, w.boxed("for d in /tmp /dev/shm; do head -c 200000000 /dev/zero > $d/big || echo full; rm $d/big; done"));
  CHECK(p.ended().status == 0);
  CHECK(p.output == "full\nfull\n");
}
