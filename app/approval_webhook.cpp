#include "app/approval_webhook.hpp"

#include "core/command.hpp"
#include "tools/base64.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t max_waiting = 1'000;
constexpr std::size_t max_told = 100'000;
/// Before the second attempt, the third, and so on; after the last the people have to look for themselves.
constexpr std::array<std::chrono::seconds, 6> pauses{std::chrono::seconds{1},  std::chrono::seconds{5},
                                                     std::chrono::seconds{30}, std::chrono::minutes{2},
                                                     std::chrono::minutes{10}, std::chrono::minutes{30}};

json::value parsed(const std::string& text) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  return error ? json::value(text) : value;
}

std::string webhook_body(const core::session_id& session, const core::approval_requested& a, core::millis at) {
  json::object data{{"approvalId", a.approval.str()},
                    {"sessionId", session.str()},
                    {"runId", a.run.str()},
                    {"toolCallId", a.call.str()},
                    {"tool", a.tool},
                    {"action", parsed(a.action)},
                    {"kind", core::to_string(a.kind)},
                    {"riskLevel", a.risk},
                    {"requiredApprovals", a.deciders},
                    {"expiresAt", a.expires_at.count()}};
  if (!a.prompt.empty()) data["prompt"] = a.prompt;
  return json::serialize(json::object{{"type", "approval.required"}, {"timestamp", at.count()}, {"data", std::move(data)}});
}

}  // namespace

std::string webhook_signature(std::string_view secret, std::string_view id, std::string_view timestamp, std::string_view body) {
  std::string key(secret);
  if (constexpr std::string_view prefix = "whsec_"; secret.starts_with(prefix))
    if (auto decoded = tools::from_base64(secret.substr(prefix.size()))) key = std::move(*decoded);
  std::string text;
  text.append(id).append(".").append(timestamp).append(".").append(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       digest.data(), &length);
  return "v1," + tools::to_base64({reinterpret_cast<const char*>(digest.data()), length});
}

/// One question on its way: tried again until the endpoint says 2xx.
struct approval_webhook::delivery final : providers::transfer_handler, std::enable_shared_from_this<delivery> {
  std::weak_ptr<approval_webhook> owner;
  providers::curl_loop* loop = nullptr;
  std::shared_ptr<core::environment> environment;
  core::webhook_config config;
  core::approval_id id;
  std::string body;
  std::size_t attempt = 0;
  long status = 0;
  std::shared_ptr<providers::transfer> transfer;
  std::unique_ptr<boost::asio::steady_timer> timer;

  void send() {
    auto seconds = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(environment->now()).count());
    providers::http_request request;
    request.url = config.url;
    request.body = body;
    request.ca_file = config.ca_file;
    request.timeouts.total = std::chrono::seconds{20};
    request.headers = {"Content-Type: application/json", "webhook-id: " + id.str(), "webhook-timestamp: " + seconds};
    if (!config.secret.empty())
      request.headers.push_back("webhook-signature: " + webhook_signature(config.secret, id.str(), seconds, body));
    status = 0;
    transfer = loop->start(std::move(request), shared_from_this());
  }

  bool on_head(providers::transfer&, const providers::response_head& head) override {
    status = head.status;
    return true;
  }
  bool on_data(providers::transfer&, std::string_view) override { return true; }
  void on_turn(providers::transfer&) override {}
  void on_done(providers::transfer&, const providers::transfer_end& end) override {
    auto mine = owner.lock();
    if (!mine || mine->is_stopped_ || mine->under_way_.count(id) == 0) return;
    const bool taken = end.result == providers::transfer_result::closed && status >= 200 && status < 300;
    if (taken || attempt == pauses.size()) {
      if (!taken)
        spdlog::error("webhook given up approval={} attempts={} status={} error=\"{}\"", id.str(), attempt + 1, status,
                      end.text);
      mine->under_way_.erase(id);
      return;
    }
    spdlog::warn("webhook failed approval={} attempt={} status={} error=\"{}\"", id.str(), attempt + 1, status, end.text);
    timer = std::make_unique<boost::asio::steady_timer>(loop->context(), pauses.at(attempt++));
    timer->async_wait([self = shared_from_this()](boost::system::error_code e) {
      if (!e) self->send();
    });
  }
};

approval_webhook::approval_webhook(core::webhook_config config, std::shared_ptr<core::environment> environment,
                                   providers::curl_loop& loop)
    : config_(std::move(config)), environment_(std::move(environment)), loop_(loop) {}

approval_webhook::~approval_webhook() = default;

void approval_webhook::watch(std::map<std::string, std::vector<actors::event_sink_ptr>>& watchers) {
  for (const auto* dialect : core::all_dialects) watchers[dialect].push_back(shared_from_this());
}

void approval_webhook::stop() {
  is_stopped_ = true;
  for (auto& [id, one] : under_way_) {
    if (one->timer) one->timer->cancel();
    if (one->transfer) one->transfer->cancel();
  }
  under_way_.clear();
}

void approval_webhook::deliver(core::event_batch_ptr batch) noexcept {
  for (const auto& e : batch->events) {
    if (const auto* question = e.as<core::approval_requested>()) tell(batch->session, *question, e.at);
    if (const auto* decision = e.as<core::approval_decided>())
      boost::asio::post(loop_.context(), [self = shared_from_this(), id = decision->approval] { self->forget(id); });
  }
}

/// It is decided: nobody need be told any more.
void approval_webhook::forget(const core::approval_id& id) {
  auto one = under_way_.find(id);
  if (one == under_way_.end() || !one->second->timer) return;  // the first attempt is under way, and may end
  one->second->timer->cancel();
  under_way_.erase(one);
}

void approval_webhook::recall(core::event_batch_ptr batch) noexcept {
  std::set<core::approval_id> settled;
  for (const auto& e : batch->events)
    if (const auto* decision = e.as<core::approval_decided>()) settled.insert(decision->approval);
  for (const auto& e : batch->events)
    if (const auto* question = e.as<core::approval_requested>(); question && settled.count(question->approval) == 0)
      tell(batch->session, *question, e.at);
}

void approval_webhook::tell(const core::session_id& session, const core::approval_requested& question, core::millis at) {
  if (!question.origin.is_nil()) return;  // it is told where it was asked
  {
    std::lock_guard lock(mutex_);
    if (!told_.insert(question.approval).second) return;
    if (told_.size() > max_told) told_.erase(told_.begin());
  }
  auto one = std::make_shared<delivery>();
  one->owner = weak_from_this();
  one->loop = &loop_;
  one->environment = environment_;
  one->config = config_;
  one->id = question.approval;
  one->body = webhook_body(session, question, at);
  boost::asio::post(loop_.context(), [self = shared_from_this(), one] {
    if (self->is_stopped_) return;
    if (self->under_way_.size() >= max_waiting)
      return spdlog::error("webhook given up approval={}: {} are waiting already", one->id.str(), max_waiting);
    self->under_way_.emplace(one->id, one);
    one->send();
  });
}

}  // namespace troupe::app
