#include "tools/process/guard.hpp"

#include "tools/process/guard_protocol.hpp"
#include "tools/process/pid_limit.hpp"
#include "tools/process/process_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::tools {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How often processes are counted, and how long killing may take. Only a process that hangs in the kernel outlives the latter.
constexpr milliseconds watch_interval{50};
constexpr milliseconds kill_limit{10'000};
/// bubblewrap's own processes: the one that waits, and the first of the sandbox.
constexpr std::size_t sandbox_processes = 2;
/// RLIMIT_NPROC counts threads too: room for so many of each process.
constexpr std::uint32_t threads_of_process = 4;
/// And whatever else the user runs: room for what that starts meanwhile, which must not make forks of the program fail.
constexpr std::uint64_t tasks_of_others = 500;

struct plan {
  guard_plan head;
  std::string texts;
  const char* folder = nullptr;
  const char* program = nullptr;
  std::vector<char*> arguments;  ///< as execve takes them, null at the end
  std::vector<char*> variables;
};

bool read_plan(plan& p) {
  struct stat file {};
  if (::fstat(guard_plan_file, &file) != 0 || !S_ISREG(file.st_mode)) return false;
  auto size = static_cast<std::size_t>(file.st_size);
  if (size < sizeof p.head || size > max_plan_bytes) return false;
  p.texts.resize(size - sizeof p.head);
  auto texts_size = static_cast<ssize_t>(p.texts.size());
  if (::pread(guard_plan_file, &p.head, sizeof p.head, 0) != static_cast<ssize_t>(sizeof p.head)) return false;
  if (::pread(guard_plan_file, p.texts.data(), p.texts.size(), sizeof p.head) != texts_size) return false;
  ::close(guard_plan_file);

  std::vector<char*> texts;
  for (std::size_t at = 0; at < p.texts.size(); at = p.texts.find('\0', at) + 1) {
    if (p.texts.find('\0', at) == std::string::npos) return false;
    texts.push_back(p.texts.data() + at);
  }
  if (p.head.arguments == 0 || texts.size() != std::size_t{2} + p.head.arguments + p.head.variables) return false;
  p.folder = texts[0];
  p.program = texts[1];
  auto first = texts.begin() + 2, middle = first + p.head.arguments;
  p.arguments.assign(first, middle);
  p.arguments.push_back(nullptr);
  p.variables.assign(middle, texts.end());
  p.variables.push_back(nullptr);
  return true;
}

/// Never raises what we have been limited to ourselves. `slack` is between being told and being killed.
bool limit(__rlimit_resource resource, std::uint64_t amount, std::uint64_t slack = 0) {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0) return false;
  rlimit wanted{std::min<rlim_t>(amount, now.rlim_max), std::min<rlim_t>(amount + slack, now.rlim_max)};
  return ::setrlimit(resource, &wanted) == 0;
}

bool set_limits(const guard_plan& p, std::size_t tasks_of_user) {
  bool ok = limit(RLIMIT_CORE, 0);
  if (p.cpu_seconds > 0) ok = ok && limit(RLIMIT_CPU, p.cpu_seconds, 1);
  // RLIMIT_DATA is what a program can write to. Address space alone is no measure: Java and WebAssembly reserve many times
  // what they use. It is limited all the same, because shared memory is part of it only.
  if (p.memory_bytes > 0) ok = ok && limit(RLIMIT_DATA, p.memory_bytes) && limit(RLIMIT_AS, p.memory_bytes * 16);
  if (p.niceness > 0) ok = ok && ::setpriority(PRIO_PROCESS, 0, static_cast<int>(p.niceness)) == 0;
  if (p.file_bytes > 0) ok = ok && limit(RLIMIT_FSIZE, p.file_bytes);
  if (p.open_files > 0) ok = ok && limit(RLIMIT_NOFILE, p.open_files);
  // The kernel counts all that the user runs, and never counts root's.
  if (p.processes > 0 && ::getuid() != 0)
    ok = ok && limit(RLIMIT_NPROC, tasks_of_user + tasks_of_others + std::uint64_t{p.processes} * threads_of_process);
  return ok;
}

struct failure {
  guard_trouble trouble;
  std::int32_t problem;
};

[[noreturn]] void become(const plan& p, pid_t guard, std::size_t tasks_of_user, const pid_limit* group, int report) {
  auto fail = [&](guard_trouble trouble) {
    failure f{trouble, errno};
    [[maybe_unused]] auto written = ::write(report, &f, sizeof f);
    ::_exit(127);
  };
  ::setsid();
  if (group && !group->enter()) fail(guard_trouble::limits);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != guard) ::_exit(127);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // Where memory runs out this is to go, not the server.
  if (int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); file >= 0) {
    [[maybe_unused]] auto written = ::write(file, "500", 3);
    ::close(file);
  }
  if (::chdir(p.folder) != 0) fail(guard_trouble::folder);
  // Of bubblewrap this would be asked too early where it is installed setuid; it does it itself for what is inside.
  if (p.head.is_sandboxed == 0) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!set_limits(p.head, tasks_of_user)) fail(guard_trouble::limits);
  ::execve(p.program, p.arguments.data(), p.variables.data());
  fail(guard_trouble::program);
  ::_exit(127);
}

/// Among thousands of processes that all want to run the guard would hardly ever have its turn, and they would be more by then.
/// Root may put itself before them, and RLIMIT_NPROC holds the others. After the program was forked, which is not to inherit
/// it.
void take_precedence() {
  sched_param first{};
  first.sched_priority = 1;
  if (::sched_setscheduler(0, SCHED_RR, &first) != 0) ::setpriority(PRIO_PROCESS, 0, -10);
}

class guard {
 public:
  explicit guard(plan p) : plan_(std::move(p)) {}

  void run() {
    if (begin()) {
      wait();
      kill_all();
    }
    // The owner may be gone.
    ::send(guard_control, &report_, sizeof report_, MSG_NOSIGNAL);
  }

 private:
  bool begin() {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    signals_ = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    auto tasks = plan_.head.processes > 0 && ::getuid() != 0 ? count_tasks_of_user() : 0;
    int ends[2];
    if (signals_ < 0 || ::pipe2(ends, O_CLOEXEC) != 0) return fail({guard_trouble::fork, errno});
    auto self = ::getpid();
    if (plan_.head.processes > 0) group_.emplace(tasks_allowed());
    const auto* group = group_ && group_->holds() ? &*group_ : nullptr;
    program_ = ::fork();
    if (program_ < 0) return fail({guard_trouble::fork, errno});
    if (program_ == 0) become(plan_, self, tasks, group, ends[1]);
    ::close(ends[1]);
    take_precedence();
    // What the program writes and reads ends with the program, not with us.
    auto nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; ++i)
      if (nothing < 0 || ::dup2(nothing, i) < 0) ::close(i);
    failure f{};
    auto got = ::read(ends[0], &f, sizeof f);
    ::close(ends[0]);
    if (got != static_cast<ssize_t>(sizeof f)) return true;
    ::waitpid(program_, nullptr, 0);
    return fail(f);
  }

  bool fail(failure f) {
    report_.trouble = f.trouble;
    report_.problem = f.problem;
    return false;
  }

  void wait() {
    while (reap() && !is_over_) {
      pollfd watched[] = {{guard_control, POLLIN, 0}, {signals_, POLLIN, 0}};
      ::poll(watched, 2, timeout());
      drain_signals();
      if (watched[0].revents != 0 && !obey()) return;
      if (deadline_ && clock::now() >= *deadline_) return;
      if (!deadline_ && has_too_many()) return;
    }
  }

  int timeout() const {
    if (deadline_) {
      auto left = std::chrono::ceil<milliseconds>(*deadline_ - clock::now());
      return static_cast<int>(std::max(left, milliseconds{0}).count());
    }
    return plan_.head.processes > 0 ? static_cast<int>(watch_interval.count()) : -1;
  }

  /// False when the tree is to be killed now: we were told so, or the owner is gone.
  bool obey() {
    guard_command command{};
    auto got = ::recv(guard_control, &command, sizeof command, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got != static_cast<ssize_t>(sizeof command) || command.grace_ms == 0) return false;
    if (!deadline_) deadline_ = clock::now() + milliseconds{command.grace_ms};
    // bubblewrap would end at once and take the program with it.
    if (plan_.head.is_sandboxed != 0)
      signal_tree(SIGTERM, program_);
    else
      ::kill(-program_, SIGTERM);
    return true;
  }

  [[nodiscard]] std::size_t processes_allowed() const {
    return plan_.head.processes + (plan_.head.is_sandboxed != 0 ? sandbox_processes : 0);
  }
  /// The kernel counts threads as well.
  [[nodiscard]] std::uint32_t tasks_allowed() const {
    return static_cast<std::uint32_t>(processes_allowed()) * threads_of_process;
  }

  bool has_too_many() {
    if (plan_.head.processes == 0) return false;
    bool was_refused = group_ && group_->holds() && group_->was_hit();
    if (!was_refused && count_tree(processes_allowed() + 1) <= processes_allowed()) return false;
    report_.trouble = guard_trouble::too_many_processes;
    return true;
  }

  /// False when there is no child left.
  bool reap() {
    for (;;) {
      int status = 0;
      auto pid = ::waitpid(-1, &status, WNOHANG);
      if (pid == 0) return true;
      if (pid < 0) return errno != ECHILD;
      if (pid == program_) take_status(status);
    }
  }

  void take_status(int status) {
    is_over_ = true;
    report_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    report_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    // bubblewrap tells of signals as shells do.
    if (plan_.head.is_sandboxed != 0 && report_.status > 128 && report_.status < 128 + 32) {
      report_.signal = report_.status - 128;
      report_.status = -1;
    }
  }

  /// Stopped first, from the top, until no more turn up: what is stopped does not fork. Then killed; what slipped through has
  /// become our child and is next.
  void kill_all() {
    auto give_up = clock::now() + kill_limit;
    // With bubblewrap goes the first process of the sandbox, and with that the kernel takes all others in one step.
    if (plan_.head.is_sandboxed != 0 && !is_over_) ::kill(program_, SIGKILL);
    while (reap() && clock::now() < give_up) {
      std::size_t known = 0;
      for (int round = 0; round < 50; ++round) {
        auto stopped = signal_tree(SIGSTOP);
        if (stopped <= known) break;
        known = stopped;
      }
      signal_tree(SIGKILL);
      if (!reap()) return;
      pollfd ended{signals_, POLLIN, 0};
      ::poll(&ended, 1, 5);
      drain_signals();
    }
  }

  void drain_signals() const {
    signalfd_siginfo signal;
    while (::read(signals_, &signal, sizeof signal) > 0) {
    }
  }

  plan plan_;
  std::optional<pid_limit> group_;
  guard_report report_;
  int signals_ = -1;
  pid_t program_ = -1;
  bool is_over_ = false;
  std::optional<clock::time_point> deadline_;
};

}  // namespace

int guard_main(int, char**) {
  int type = 0;
  socklen_t size = sizeof type;
  plan p;
  if (::getsockopt(guard_control, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET || !read_plan(p)) {
    std::fputs("guard: the server runs this around the programs of its tools; there is nothing to be done by hand\n", stderr);
    return 2;
  }
  ::fcntl(guard_control, F_SETFD, FD_CLOEXEC);
  ::prctl(PR_SET_NAME, "troupe-guard");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  guard(std::move(p)).run();
  return 0;
}

}  // namespace troupe::tools
