#include "bench/conversations.hpp"

#include "bench/speech.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace troupe::bench {
namespace {

constexpr std::uint32_t at_once = 16;
constexpr std::size_t max_answer = 64U << 10U;
constexpr timeval patience{10, 0};

class http_client {
 public:
  ~http_client() {
    if (fd_ >= 0) ::close(fd_);
  }
  http_client() = default;
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  [[nodiscard]] bool connect(const address& to) {
    sockaddr_in remote{};
    remote.sin_family = AF_INET;
    remote.sin_port = htons(to.port);
    if (::inet_pton(AF_INET, to.host.c_str(), &remote.sin_addr) != 1) return false;
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) == 0;
  }

  [[nodiscard]] bool ask(const std::string& request) const {
    return ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size());
  }

  /// The whole answer, head and body; empty when it does not come.
  [[nodiscard]] std::string answer() const {
    std::string in;
    std::array<char, 4096> buffer;
    while (in.size() < max_answer && !is_whole(in)) {
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return {};
      in.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return in;
  }

 private:
  /// By Content-Length, or the last chunk.
  static bool is_whole(const std::string& in) {
    const std::size_t end = in.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    constexpr std::string_view field = "\r\ncontent-length:";
    const auto at = std::search(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(end), field.begin(), field.end(),
                                [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    if (at == in.begin() + static_cast<std::ptrdiff_t>(end)) return std::string_view{in}.ends_with("0\r\n\r\n");
    const auto length = std::strtoul(&*at + field.size(), nullptr, 10);
    return in.size() >= end + 4 + length;
  }

  int fd_ = -1;
};

}  // namespace

made_conversations make_conversations(const address& server, std::uint32_t count) {
  made_conversations made;
  const std::string request = "POST /chat/conversations HTTP/1.1\r\nHost: " + server.host + ":" + std::to_string(server.port) +
                              "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
  std::vector<std::unique_ptr<http_client>> clients;
  for (std::uint32_t i = 0; i < std::min(at_once, count); ++i) {
    clients.push_back(std::make_unique<http_client>());
    if (!clients.back()->connect(server)) {
      made.failure = "no connection for POST /chat/conversations: " + std::string{std::strerror(errno)};
      return made;
    }
  }
  while (made.ids.size() < count) {
    const std::size_t round = std::min(clients.size(), count - made.ids.size());
    for (std::size_t i = 0; i < round; ++i) {
      if (clients[i]->ask(request)) continue;
      made.failure = "POST /chat/conversations could not be sent";
      return made;
    }
    for (std::size_t i = 0; i < round; ++i) {
      const std::string answer = clients[i]->answer();
      const std::string_view id = text_member(answer, R"("id")");
      if (answer.substr(0, 12) != "HTTP/1.1 201" || id.empty()) {
        made.failure = "POST /chat/conversations: " + answer.substr(0, answer.find('\r'));
        return made;
      }
      made.ids.emplace_back(id);
    }
  }
  return made;
}

}  // namespace troupe::bench
