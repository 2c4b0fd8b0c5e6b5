#include "app/scenario/rest_client.hpp"

#include "app/scenario/http_connection.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

/// What a server of ours sends at most, and room for the escapes of JSON.
constexpr std::size_t max_answer = 160 << 20;
constexpr std::size_t max_shown_body = 300;

}  // namespace

std::string rest_answer::text(std::string_view key) const {
  const auto* v = body.if_contains(key);
  return v && v->is_string() ? std::string(v->get_string()) : std::string();
}

const json::array& rest_answer::items() const {
  static const json::array none;
  const auto* v = body.if_contains("items");
  return v && v->is_array() ? v->get_array() : none;
}

struct rest_client::impl {
  httplib::Client http;

  core::result<std::pair<int, std::string>> send(const rest_client& of, httplib::Request request) {
    if (!of.token_.empty()) request.headers.emplace("Authorization", "Bearer " + of.token_);
    std::string body;
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      body.append(data, size);
      return body.size() <= max_answer;
    };
    auto got = http.send(request);
    if (body.size() > max_answer)
      return error{errc::payload_too_large,
                   of.url_ + request.path + ": the answer is larger than " + std::to_string(max_answer) + " bytes"};
    if (!got) return connection_error(http, got.error(), of.url_, of.ca_file_);
    if (got->status == 401 || got->status == 403)
      return error{errc::auth_failed, of.url_ + request.path + ": " + std::to_string(got->status) + " " +
                                          body.substr(0, max_shown_body) + "; give credentials with --token"};
    return std::pair{got->status, std::move(body)};
  }
};

rest_client::rest_client(std::string url, std::string token, std::string ca_file)
    : url_(std::move(url)),
      token_(std::move(token)),
      ca_file_(std::move(ca_file)),
      impl_(new impl{http_connection(url_, ca_file_)}) {
  impl_->http.set_read_timeout(30);
  impl_->http.set_keep_alive(true);
}

rest_client::~rest_client() = default;

core::result<std::unique_ptr<rest_client>> rest_client::open(const std::string& url, std::string token, std::string ca_file) {
  auto base = base_url(url);
  if (!base) return base.error();
  return std::unique_ptr<rest_client>(new rest_client(std::move(*base), std::move(token), std::move(ca_file)));
}

core::result<rest_answer> rest_client::call(const std::string& method, const std::string& path, const json::object& body) {
  return ask(method, path, method == "GET" ? "" : "application/json", method == "GET" ? "" : json::serialize(body));
}

core::result<rest_answer> rest_client::upload(const std::string& path, const std::string& content_type, std::string bytes) {
  return ask("POST", path, content_type, std::move(bytes));
}

core::result<rest_answer> rest_client::ask(const std::string& method, const std::string& path, const std::string& content_type,
                                           std::string body) {
  httplib::Request request;
  request.method = method;
  request.path = "/api/v1" + path;
  request.headers = {{"Accept", "application/json"}};
  if (!content_type.empty()) request.headers.emplace("Content-Type", content_type);
  request.body = std::move(body);
  auto got = impl_->send(*this, std::move(request));
  if (!got) return got.error();
  boost::system::error_code failure;
  auto value = json::parse(got->second.empty() ? "{}" : got->second, failure);
  if (failure || !value.is_object())
    return error{errc::provider_error,
                 url_ + "/api/v1" + path + ": answered " + std::to_string(got->first) + " without a JSON object"};
  rest_answer out{got->first, std::move(value.get_object())};
  const auto* inner = out.body.if_contains("error");
  auto code = inner && inner->is_object() ? rest_answer{0, inner->get_object()}.text("code") : out.text("code");
  if (out.status == 429 && code == "RATE_LIMITED")
    return error{errc::rate_limited, url_ + "/api/v1" + path + ": " + json::serialize(out.body).substr(0, max_shown_body)};
  return out;
}

core::result<rest_bytes> rest_client::bytes(const std::string& path) {
  httplib::Request request;
  request.method = "GET";
  request.path = "/api/v1" + path;
  auto got = impl_->send(*this, std::move(request));
  if (!got) return got.error();
  return rest_bytes{got->first, std::move(got->second)};
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool is_plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
    if (is_plain)
      out += c;
    else
      out.append({'%', hex[byte >> 4U], hex[byte & 15U]});
  }
  return out;
}

}  // namespace troupe::app
