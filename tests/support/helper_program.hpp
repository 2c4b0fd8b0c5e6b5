// A program that a test talks to: started with its output in a pipe, ended with the object. Owned by the test's thread.
#pragma once

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::testing {

class helper_program {
 public:
  /// `environment`: `NAME=value`, besides what this process has.
  explicit helper_program(std::vector<std::string> command, const std::vector<std::string>& environment = {}) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    std::vector<char*> arguments;
    for (auto& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> variables = environment;
    for (char** v = environ; *v != nullptr; ++v) variables.emplace_back(*v);
    std::vector<char*> all;
    for (auto& v : variables) all.push_back(v.data());
    all.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], 1);
      ::dup2(ends[1], 2);
      ::execve(arguments[0], arguments.data(), all.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    from_ = ends[0];
  }
  ~helper_program() {
    end(SIGKILL);
    ::close(from_);
  }
  helper_program(const helper_program&) = delete;
  helper_program& operator=(const helper_program&) = delete;

  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// What it has said once `part` is in it; empty where that does not come.
  std::string wait_output(const std::string& part, std::chrono::milliseconds limit = std::chrono::minutes{4}) {
    auto give_up = std::chrono::steady_clock::now() + limit;
    while (said_.find(part) == std::string::npos) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
      pollfd ready{from_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return {};
      std::array<char, 4096> buffer;
      auto got = ::read(from_, buffer.data(), buffer.size());
      if (got <= 0) return {};
      said_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return said_;
  }

 private:
  pid_t pid_ = -1;
  int from_ = -1;
  std::string said_;
};

/// For programs that must be told their port. Free a moment ago, and below what Linux gives to those who ask for any: nobody is
/// given it meanwhile, nor while the program is started again. Tests that run at the same time begin to look apart.
inline unsigned short free_port() {
  static int next = ::getpid() % 3'000 * 4;
  for (;;) {
    const auto port = static_cast<unsigned short>(20'000 + next++ % 12'000);
    const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    void* raw = &address;
    const bool is_free = ::bind(s, static_cast<sockaddr*>(raw), sizeof address) == 0;
    ::close(s);
    if (is_free) return port;
  }
}

}  // namespace troupe::testing
