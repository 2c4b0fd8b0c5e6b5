// A model API that only streams: an OpenAI-compatible `POST …/chat/completions` that answers every request with the same
// paced deltas. For the measurement of many upstream streams (upstream.cpp); one thread, one epoll loop.
#include <CLI/CLI.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t max_request = 1U << 20U;
constexpr std::size_t max_unsent = 1U << 20U;

using micros = std::int64_t;

micros now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

/// An event as one chunk of the chunked coding.
std::string event_chunk(std::string_view data) {
  const std::string event = "data: " + std::string{data} + "\n\n";
  std::array<char, 16> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", event.size());
  return size.data() + event + "\r\n";
}

std::string completion(std::string_view choices, std::string_view usage) {
  return event_chunk(
      R"({"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":[)" +
      std::string{choices} + "]" + std::string{usage} + "}");
}

const std::string head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string delta = completion(R"({"index":0,"delta":{"content":"tok "},"finish_reason":null})", "");
const std::string tail = completion(R"({"index":0,"delta":{},"finish_reason":"stop"})", "") +
                         completion("", R"(,"usage":{"prompt_tokens":20,"completion_tokens":64,"total_tokens":84})") +
                         event_chunk("[DONE]") + "0\r\n\r\n";

struct stream {
  std::string in;
  std::string unsent;
  std::uint32_t left = 0;   ///< deltas of the answer under way
  std::uint64_t epoch = 0;  ///< tells the streams apart that had this descriptor
};

class sse_server {
 public:
  sse_server(std::uint32_t deltas, micros every) : deltas_(deltas), every_(every), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

  bool listen();
  void run();

 private:
  struct due {
    micros at = 0;
    int fd = -1;
    std::uint64_t epoch = 0;
    bool operator>(const due& other) const { return at > other.at; }
  };

  void accept_all();
  void on_event(int fd, std::uint32_t events);
  void take_request(int fd, stream& s);
  void send_delta(const due& d);
  bool send(int fd, stream& s, std::string_view bytes);
  void drop(int fd);

  const std::uint32_t deltas_;
  const micros every_;
  const int epoll_;
  int listener_ = -1;
  std::uint64_t epochs_ = 0;
  std::unordered_map<int, stream> streams_;
  std::priority_queue<due, std::vector<due>, std::greater<>> schedule_;
  std::minstd_rand random_{1};
};

bool sse_server::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 4096) != 0) return false;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  epoll_event event{EPOLLIN, {}};
  event.data.fd = listener_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  std::printf("listening on http://127.0.0.1:%u\n", static_cast<unsigned>(ntohs(address.sin_port)));
  std::fflush(stdout);
  return true;
}

void sse_server::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    streams_[fd].epoch = ++epochs_;
    epoll_event event{EPOLLIN, {}};
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void sse_server::drop(int fd) {
  ::close(fd);
  streams_.erase(fd);
}

bool sse_server::send(int fd, stream& s, std::string_view bytes) {
  if (s.unsent.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return drop(fd), false;
    bytes.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
    if (bytes.empty()) return true;
  }
  if (s.unsent.size() + bytes.size() > max_unsent) return drop(fd), false;
  if (s.unsent.empty()) {
    epoll_event event{EPOLLIN | EPOLLOUT, {}};
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
  }
  s.unsent += bytes;
  return true;
}

void sse_server::on_event(int fd, std::uint32_t events) {
  const auto it = streams_.find(fd);
  if (it == streams_.end()) return;
  stream& s = it->second;
  if ((events & EPOLLOUT) != 0 && !s.unsent.empty()) {
    const std::string rest = std::exchange(s.unsent, {});
    if (!send(fd, s, rest)) return;
    if (s.unsent.empty()) {
      epoll_event event{EPOLLIN, {}};
      event.data.fd = fd;
      ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
    }
  }
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
  std::array<char, 16384> buffer;
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0 || s.in.size() + static_cast<std::size_t>(got) > max_request) return drop(fd);
  s.in.append(buffer.data(), static_cast<std::size_t>(got));
  if (s.left == 0) take_request(fd, s);
}

void sse_server::take_request(int fd, stream& s) {
  const std::size_t end = s.in.find("\r\n\r\n");
  if (end == std::string::npos) return;
  constexpr std::string_view field = "\r\nContent-Length: ";
  const std::size_t at = s.in.find(field);
  const std::size_t length = at < end ? std::strtoul(s.in.c_str() + at + field.size(), nullptr, 10) : 0;
  if (s.in.size() < end + 4 + length) return;
  s.in = s.in.substr(end + 4 + length);
  s.left = deltas_;
  if (send(fd, s, head)) schedule_.push({now_us() + static_cast<micros>(random_()) % every_, fd, s.epoch});
}

void sse_server::send_delta(const due& d) {
  const auto it = streams_.find(d.fd);
  if (it == streams_.end() || it->second.epoch != d.epoch) return;
  stream& s = it->second;
  --s.left;
  if (!send(d.fd, s, delta)) return;
  if (s.left > 0)
    schedule_.push({d.at + every_, d.fd, d.epoch});
  else if (send(d.fd, s, tail))
    take_request(d.fd, s);
}

void sse_server::run() {
  std::array<epoll_event, 256> events{};
  for (;;) {
    const micros now = now_us();
    while (!schedule_.empty() && schedule_.top().at <= now) {
      const due next = schedule_.top();
      schedule_.pop();
      send_delta(next);
    }
    const micros wait = schedule_.empty() ? 100'000 : std::clamp<micros>(schedule_.top().at - now, 0, 100'000);
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>((wait + 999) / 1000));
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == listener_)
        accept_all();
      else
        on_event(event.data.fd, event.events);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint32_t deltas = 64;
  std::uint32_t every_ms = 250;
  CLI::App app{"An OpenAI-compatible server that streams paced deltas on any number of connections", "troupe_sse"};
  app.add_option("--deltas", deltas, "of one answer")->capture_default_str()->check(CLI::Range(1, 1'000'000));
  app.add_option("--every-ms", every_ms, "time between two deltas of one answer")
      ->capture_default_str()
      ->check(CLI::Range(1, 60'000));
  CLI11_PARSE(app, argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  sse_server server{deltas, static_cast<micros>(every_ms) * 1000};
  if (!server.listen()) {
    std::perror("troupe_sse: cannot listen on 127.0.0.1");
    return 1;
  }
  server.run();
}
