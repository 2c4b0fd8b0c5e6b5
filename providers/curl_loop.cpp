#include "providers/curl_loop.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <curl/curl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>
#include <unordered_map>

namespace troupe::providers {

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr long read_buffer_bytes = 4096;
constexpr long upload_buffer_bytes = 16 << 10;
constexpr long kept_connections = 256;
constexpr int events_per_turn = 256;
constexpr std::array<std::string_view, 7> known_methods{"POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"};

// CURL and CURLM are both void: a deleter of its own for each.
struct easy_deleter {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct multi_deleter {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct list_deleter {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

void init_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
}

transfer_result result_of(CURLcode code) noexcept {
  switch (code) {
    case CURLE_OK:
      return transfer_result::closed;
    case CURLE_WRITE_ERROR:
      return transfer_result::refused;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return transfer_result::unreachable;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return transfer_result::untrusted;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return transfer_result::bad_request;
    default:
      return transfer_result::broken;
  }
}

}  // namespace

struct curl_loop::impl : std::enable_shared_from_this<impl> {
  struct stream;
  enum class phase : std::uint8_t { connecting, waiting, streaming };

  explicit impl(asio::io_context& context);
  ~impl();

  void listen();
  void turn(curl_socket_t fd, int events);
  void finish_turn();
  void begin(const std::shared_ptr<stream>& s);
  void drop(stream& s) noexcept;
  void end(const std::shared_ptr<stream>& s, transfer_end how);

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) noexcept;
  static int on_timer(CURLM*, long ms, void* self) noexcept;

  asio::io_context& io;
  asio::posix::stream_descriptor sockets;  ///< an epoll set of libcurl's sockets
  asio::steady_timer timer;
  std::unique_ptr<CURLM, multi_deleter> multi;
  std::unordered_map<CURL*, std::shared_ptr<stream>> open;
  std::vector<std::shared_ptr<stream>> dirty;  ///< had data in this turn
};

struct curl_loop::impl::stream final : transfer, std::enable_shared_from_this<stream> {
  stream(impl& owner, http_request r, std::shared_ptr<transfer_handler> h)
      : loop(owner.weak_from_this()), io(owner.io), request(std::move(r)), handler(std::move(h)), silence_timer(owner.io) {}

  void cancel() override;
  void limit_silence(milliseconds limit) override;
  [[nodiscard]] std::string header(const std::string& name) const override;
  [[nodiscard]] CURLcode prepare();
  [[nodiscard]] CURLcode prepare_method();
  void watch();
  bool tell_head();

  static std::size_t on_write(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;
  static int on_connected(void* self, char*, char*, int, int) noexcept;
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;

  std::weak_ptr<impl> loop;
  asio::io_context& io;
  http_request request;
  std::shared_ptr<transfer_handler> handler;  ///< empty once it has ended
  std::unique_ptr<CURL, easy_deleter> easy;
  std::unique_ptr<curl_slist, list_deleter> headers;
  asio::steady_timer silence_timer;
  std::array<char, CURL_ERROR_SIZE> words{};  ///< what libcurl says of a failure
  clock::time_point last_byte = clock::now();
  milliseconds silence{0};
  std::atomic<bool> cancelled{false};
  impl::phase phase = impl::phase::connecting;
  bool head_told = false;
  bool met_forbidden_address = false;
  bool is_dirty = false;
};

// ---- stream ----

void curl_loop::impl::stream::cancel() {
  if (cancelled.exchange(true)) return;
  asio::dispatch(io, [self = shared_from_this()] {
    if (auto owner = self->loop.lock()) owner->drop(*self);
  });
}

void curl_loop::impl::stream::limit_silence(milliseconds limit) {
  if (!handler) return;
  silence = limit;
  watch();
}

std::string curl_loop::impl::stream::header(const std::string& name) const {
  std::string out;
  curl_header* found = nullptr;
  std::size_t count = easy ? 1 : 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (curl_easy_header(easy.get(), name.c_str(), i, CURLH_HEADER, -1, &found) != CURLHE_OK) break;
    count = found->amount;
    if (i > 0) out += ", ";
    out += found->value;
  }
  return out;
}

/// One timer per stream, moved only when it fires too early: bytes just note the time.
void curl_loop::impl::stream::watch() {
  silence_timer.expires_at(last_byte + silence);
  silence_timer.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (ec || !self || !self->handler) return;
    auto owner = self->loop.lock();
    if (!owner) return;
    if (self->phase == impl::phase::connecting) self->last_byte = clock::now();  // libcurl has its own limit for this
    if (clock::now() < self->last_byte + self->silence) return self->watch();
    bool is_first = self->phase == impl::phase::waiting;
    owner->end(self, {is_first ? transfer_result::first_byte_timeout : transfer_result::idle_timeout, {}});
  });
}

bool curl_loop::impl::stream::tell_head() {
  head_told = true;
  response_head head;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &head.status);
  const char* type = nullptr;
  if (curl_easy_getinfo(easy.get(), CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != nullptr) head.content_type = type;
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(easy.get(), CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
    head.retry_after = std::chrono::seconds{std::min<curl_off_t>(seconds, 86'400)};
  return handler->on_head(*this, head);
}

std::size_t curl_loop::impl::stream::on_write(char* bytes, std::size_t size, std::size_t count, void* user) noexcept {
  constexpr std::size_t refuse = CURL_WRITEFUNC_ERROR;
  auto& self = *static_cast<stream*>(user);
  auto owner = self.loop.lock();
  if (!owner || !self.handler || self.cancelled.load(std::memory_order_relaxed)) return refuse;
  self.last_byte = clock::now();
  if (self.phase != impl::phase::streaming) {
    self.phase = impl::phase::streaming;
    self.silence = self.request.timeouts.idle;
    self.watch();
    // The answer has begun, so nothing is sent again: a long history need not stay in memory while it streams.
    curl_off_t sent = 0;
    curl_easy_getinfo(self.easy.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
    if (static_cast<std::size_t>(sent) == self.request.body.size()) std::string().swap(self.request.body);
  }
  if (!self.is_dirty) {
    self.is_dirty = true;
    owner->dirty.push_back(self.shared_from_this());
  }
  if (!self.head_told && !self.tell_head()) return refuse;
  return self.handler->on_data(self, {bytes, size * count}) ? size * count : refuse;
}

int curl_loop::impl::stream::on_connected(void* user, char*, char*, int, int) noexcept {
  auto& self = *static_cast<stream*>(user);
  self.phase = impl::phase::waiting;
  self.last_byte = clock::now();
  return CURL_PREREQFUNC_OK;
}

curl_socket_t curl_loop::impl::stream::on_open_socket(void* user, curlsocktype purpose, curl_sockaddr* address) noexcept {
  auto& self = *static_cast<stream*>(user);
  if (purpose == CURLSOCKTYPE_IPCXN && self.request.allows(address->addr))
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  self.met_forbidden_address = true;
  return CURL_SOCKET_BAD;
}

CURLcode curl_loop::impl::stream::prepare_method() {
  const auto& method = request.method;
  if (std::find(known_methods.begin(), known_methods.end(), method) == known_methods.end()) return CURLE_BAD_FUNCTION_ARGUMENT;
  if (method == "HEAD") return curl_easy_setopt(easy.get(), CURLOPT_NOBODY, 1L);
  bool has_body = !request.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  auto kind = has_body ? CURLOPT_POST : CURLOPT_HTTPGET;
  if (auto code = curl_easy_setopt(easy.get(), kind, 1L); code != CURLE_OK) return code;
  if (has_body) {
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (method == (has_body ? "POST" : "GET")) return CURLE_OK;
  return curl_easy_setopt(easy.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
}

CURLcode curl_loop::impl::stream::prepare() {
  easy.reset(curl_easy_init());
  if (!easy) return CURLE_OUT_OF_MEMORY;
  for (const auto& line : request.headers) {
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return CURLE_BAD_FUNCTION_ARGUMENT;
    auto* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return CURLE_OUT_OF_MEMORY;
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  CURLcode first_failure = prepare_method();
  auto set = [&](auto option, auto value) {
    auto code = curl_easy_setopt(easy.get(), option, value);
    if (first_failure == CURLE_OK) first_failure = code;
  };
  auto ms = [](milliseconds d) { return static_cast<long>(d.count()); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // else a cancel waits for a name that is being resolved, and the whole loop with it
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_BUFFERSIZE, read_buffer_bytes);
  set(CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer_bytes);
  set(CURLOPT_CONNECTTIMEOUT_MS, ms(request.timeouts.connect));
  set(CURLOPT_TIMEOUT_MS, ms(request.timeouts.total));
  if (!request.ca_file.empty()) set(CURLOPT_CAINFO, request.ca_file.c_str());
  if (!request.proxy.empty()) {
    set(CURLOPT_PROXY, request.proxy.c_str());
    set(CURLOPT_NOPROXY, "");  // what was configured for this provider wins over the environment
  }
  if (request.decodes) set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  if (request.own_connection || request.allows) {
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
  }
  if (request.allows) {
    set(CURLOPT_PROXY, "");  // a proxy would be the one to resolve the name
    set(CURLOPT_OPENSOCKETFUNCTION, &stream::on_open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  }
  set(CURLOPT_ERRORBUFFER, words.data());
  set(CURLOPT_WRITEFUNCTION, &stream::on_write);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_PREREQFUNCTION, &stream::on_connected);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  return first_failure;
}

// ---- loop ----

curl_loop::impl::impl(asio::io_context& context) : io(context), sockets(context), timer(context) {
  init_curl_once();
  int set = epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  sockets.assign(set);
  multi.reset(curl_multi_init());
  if (!multi) throw std::bad_alloc();
  curl_multi_setopt(multi.get(), CURLMOPT_SOCKETFUNCTION, &impl::on_socket);
  curl_multi_setopt(multi.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi.get(), CURLMOPT_TIMERFUNCTION, &impl::on_timer);
  curl_multi_setopt(multi.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, kept_connections);
}

curl_loop::impl::~impl() {
  for (auto& [easy, s] : open) {
    curl_multi_remove_handle(multi.get(), easy);
    s->easy.reset();
    s->handler.reset();
  }
  open.clear();
}

void curl_loop::impl::listen() {
  sockets.async_wait(asio::posix::stream_descriptor::wait_read, [weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (ec || !self) return;
    std::array<epoll_event, events_per_turn> ready;
    int n = epoll_wait(self->sockets.native_handle(), ready.data(), events_per_turn, 0);
    int running = 0;
    for (int i = 0; i < n; ++i) {
      const auto& e = ready[static_cast<std::size_t>(i)];
      int events = ((e.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) | ((e.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                   ((e.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
      curl_multi_socket_action(self->multi.get(), e.data.fd, events, &running);
    }
    self->finish_turn();
    self->listen();
  });
}

int curl_loop::impl::on_socket(CURL*, curl_socket_t fd, int what, void* user, void* known) noexcept {
  auto& self = *static_cast<impl*>(user);
  int set = self.sockets.native_handle();
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(set, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  event.data.fd = fd;
  if (known == nullptr) {
    curl_multi_assign(self.multi.get(), fd, &self);  // marks the socket as one that is in the set
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0 || errno != EEXIST) return 0;
  }
  epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
  return 0;
}

int curl_loop::impl::on_timer(CURLM*, long ms, void* user) noexcept {
  auto& self = *static_cast<impl*>(user);
  if (ms < 0) {
    self.timer.cancel();
    return 0;
  }
  self.timer.expires_after(milliseconds{ms});
  self.timer.async_wait([weak = self.weak_from_this()](boost::system::error_code ec) {
    auto loop = weak.lock();
    if (ec || !loop) return;
    int running = 0;
    curl_multi_socket_action(loop->multi.get(), CURL_SOCKET_TIMEOUT, 0, &running);
    loop->finish_turn();
  });
  return 0;
}

/// Handlers that talk to the world run here, outside libcurl's callbacks, so that they may cancel and start transfers.
void curl_loop::impl::finish_turn() {
  int left = 0;
  while (auto* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    auto code = message->data.result;
    auto it = open.find(message->easy_handle);
    if (it == open.end()) continue;
    auto s = it->second;
    transfer_end how{result_of(code)};
    if (code != CURLE_OK) how.text = s->words.front() != '\0' ? s->words.data() : curl_easy_strerror(code);
    // libcurl gives a header line that does not end this name.
    if (code == CURLE_OUT_OF_MEMORY) how.text = "a header line is too long, or memory ran out";
    if (code == CURLE_OPERATION_TIMEDOUT)
      how.result = s->phase == phase::connecting ? transfer_result::connect_timeout : transfer_result::total_timeout;
    if (code == CURLE_COULDNT_CONNECT && s->met_forbidden_address) how.result = transfer_result::forbidden_address;
    end(s, std::move(how));
  }
  auto turned = std::move(dirty);
  dirty.clear();
  for (auto& s : turned) {
    s->is_dirty = false;
    if (s->handler && !s->cancelled) s->handler->on_turn(*s);
  }
}

void curl_loop::impl::begin(const std::shared_ptr<stream>& s) {
  if (s->cancelled) return s->handler.reset();
  auto code = s->prepare();
  if (code == CURLE_OK) {
    open.emplace(s->easy.get(), s);
    if (curl_multi_add_handle(multi.get(), s->easy.get()) == CURLM_OK) {
      s->last_byte = clock::now();
      s->silence = s->request.timeouts.first_byte;
      return s->watch();
    }
    open.erase(s->easy.get());
    code = CURLE_FAILED_INIT;
  }
  s->easy.reset();
  auto handler = std::move(s->handler);
  handler->on_done(*s, {transfer_result::bad_request, curl_easy_strerror(code)});
}

void curl_loop::impl::drop(stream& s) noexcept {
  s.silence_timer.cancel();
  if (s.easy) {
    auto self = s.shared_from_this();
    curl_multi_remove_handle(multi.get(), s.easy.get());
    open.erase(s.easy.get());
    s.easy.reset();
  }
  s.handler.reset();
}

void curl_loop::impl::end(const std::shared_ptr<stream>& s, transfer_end how) {
  auto handler = s->handler;
  if (!handler) return;
  bool is_cancelled = s->cancelled;
  if (!is_cancelled && how.result == transfer_result::closed && !s->head_told && !s->tell_head())
    how.result = transfer_result::refused;
  drop(*s);
  if (!is_cancelled) handler->on_done(*s, how);
}

curl_loop::curl_loop(asio::io_context& io) : impl_(std::make_shared<impl>(io)) { impl_->listen(); }

curl_loop::~curl_loop() = default;

asio::io_context& curl_loop::context() noexcept { return impl_->io; }

std::shared_ptr<transfer> curl_loop::start(http_request request, std::shared_ptr<transfer_handler> handler) {
  auto s = std::make_shared<impl::stream>(*impl_, std::move(request), std::move(handler));
  asio::dispatch(impl_->io, [weak = impl_->weak_from_this(), s] {
    if (auto loop = weak.lock())
      loop->begin(s);
    else
      s->handler.reset();
  });
  return s;
}

}  // namespace troupe::providers
