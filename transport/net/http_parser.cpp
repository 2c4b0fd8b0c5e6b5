#include "transport/net/http_parser.hpp"

#include "transport/net/http_target.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>

namespace troupe::transport {

namespace http = boost::beast::http;
using core::errc;

struct http_parser::impl {
  http::request_parser<http::string_body> beast;
  http_target target;
};

namespace {

http_parser::failure bad_request(std::string text) { return {400, {errc::validation_error, std::move(text)}}; }

/// 16 random bytes in base64 (RFC 6455 §4.1).
bool is_websocket_key(std::string_view key) noexcept {
  auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return key.size() == 24 && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, is_base64);
}

std::string_view view(boost::beast::string_view text) noexcept { return {text.data(), text.size()}; }

http_parser::failure translate(const boost::system::error_code& ec, const core::transport_limits& limits) {
  if (ec == http::error::header_limit)
    return {431,
            {errc::payload_too_large, "request header: over " + std::to_string(limits.max_header_bytes) +
                                          " bytes (max_header_bytes); send fewer or shorter fields"}};
  if (ec == http::error::body_limit)
    return {413,
            {errc::payload_too_large,
             "request body: over " + std::to_string(limits.max_body_bytes) + " bytes (max_body_bytes); send it in parts"}};
  if (ec == http::error::bad_version)
    return {505, {errc::validation_error, "request line: only HTTP/1.0 and HTTP/1.1 are spoken here"}};
  return {400, {errc::parse_error, "request: not valid HTTP/1.1 (" + ec.message() + "); check the client"}};
}

}  // namespace

http_parser::http_parser(const core::transport_limits& limits) : impl_(std::make_unique<impl>()), limits_(limits) {
  impl_->beast.header_limit(limits.max_header_bytes);
  impl_->beast.body_limit(limits.max_body_bytes);
}

http_parser::~http_parser() = default;

http_parser::step http_parser::fail(failure why, std::size_t consumed) {
  failure_ = std::move(why);
  return {status::failed, consumed};
}

http_parser::step http_parser::feed(std::string_view input) {
  auto& beast = impl_->beast;
  std::size_t consumed = 0;
  if (const char* problem = unclear_line(input)) return fail(bad_request(problem), 0);
  while (!beast.is_done()) {
    // Beast's put() wants bytes; an empty body is complete without any.
    if (consumed == input.size()) return {status::need_more, consumed};
    boost::system::error_code ec;
    const auto taken = beast.put(boost::asio::buffer(input.data() + consumed, input.size() - consumed), ec);
    consumed += taken;
    scanned_ -= std::min(scanned_, taken);
    // Beast limits what waits for the end of a field, not the sum of all fields.
    if (!has_head_ && (head_bytes_ += taken) > limits_.max_header_bytes) ec = http::error::header_limit;
    if (ec == http::error::need_more) return {status::need_more, consumed};
    if (ec) return fail(translate(ec, limits_), consumed);
    if (beast.is_header_done() && !has_head_) {
      has_head_ = true;
      if (auto problem = check_head()) return fail(std::move(*problem), consumed);
      return {status::head_complete, consumed};
    }
  }
  return {status::complete, consumed};
}

/// Beast joins folded lines, and waits for more behind a bare LF. Two readers may see two requests in both (RFC 9112 §2.2,
/// §5.2): the problem, or null.
const char* http_parser::unclear_line(std::string_view input) noexcept {
  for (; scanned_ < input.size() && !head_is_scanned_; ++scanned_) {
    const char c = input[scanned_];
    const char before = std::exchange(last_scanned_, c);
    if ((before == '\r') != (c == '\n')) return "request header: a line ends in CR and LF together, and holds neither";
    if (before == '\n' && (c == ' ' || c == '\t')) return "request header: folded over several lines; send every field in one";
    if (c == '\n') head_is_scanned_ = std::exchange(line_is_empty_, true);
    if (c != '\n' && c != '\r') line_is_empty_ = false;
  }
  return nullptr;
}

std::optional<http_parser::failure> http_parser::check_head() {
  const auto& head = impl_->beast.get();
  const auto method = view(head.method_string());
  if (std::any_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
    return bad_request("request line: methods are written in upper case");
  auto target = parse_target(view(head.target()));
  if (!target) return failure{400, target.error()};
  impl_->target = std::move(*target);

  const bool is_1_1 = head.version() >= 11;
  const auto hosts = head.count(http::field::host);
  if (hosts > 1 || (is_1_1 && hosts == 0)) return bad_request("Host: HTTP/1.1 wants this header exactly once");

  // Guessing at the end of a body is how requests get smuggled past proxies: only plain `chunked` is understood.
  if (const auto codings = head.count(http::field::transfer_encoding); codings > 0) {
    if (!is_1_1) return bad_request("Transfer-Encoding: HTTP/1.0 has none; send Content-Length");
    if (codings > 1 || !equal_ignoring_case(view(head[http::field::transfer_encoding]), "chunked"))
      return failure{501, {errc::unsupported_media_type, "Transfer-Encoding: only chunked is understood"}};
  }
  if (const auto expect = view(head[http::field::expect]); !expect.empty() && is_1_1) {
    if (!equal_ignoring_case(expect, "100-continue"))
      return failure{417, {errc::validation_error, "Expect: only 100-continue can be met"}};
    expects_continue_ = !impl_->beast.is_done();
  }
  return check_upgrade();
}

std::optional<http_parser::failure> http_parser::check_upgrade() {
  const auto& head = impl_->beast.get();
  const auto lists = [&head](http::field field, const char* token) {
    const auto all = head.equal_range(field);
    return std::any_of(all.first, all.second, [&](const auto& f) { return http::token_list{f.value()}.exists(token); });
  };
  const bool names_websocket = lists(http::field::upgrade, "websocket");
  const bool asks_upgrade = lists(http::field::connection, "upgrade");
  const bool has_key = head.count(http::field::sec_websocket_key) > 0;
  // Any other protocol may be ignored (RFC 9110 §7.8); clients of HTTP/2 offer h2c this way.
  if (!has_key && !(names_websocket && (asks_upgrade || head.count(http::field::sec_websocket_version) > 0)))
    return std::nullopt;
  if (head.version() < 11) return bad_request("Upgrade: WebSocket needs HTTP/1.1");
  if (head.method() != http::verb::get)
    return failure{405, {errc::validation_error, "Upgrade: WebSocket needs the method GET"}, "Allow", "GET"};
  if (!names_websocket) return bad_request("Upgrade: a WebSocket request names websocket here");
  if (!asks_upgrade) return bad_request("Connection: a WebSocket request lists upgrade here; check the proxies on the way");
  if (impl_->beast.chunked() || impl_->beast.content_length_remaining().value_or(0) > 0)
    return bad_request("Upgrade: a WebSocket request has no body");
  if (head.count(http::field::sec_websocket_version) != 1 || head[http::field::sec_websocket_version] != "13")
    return failure{
        426, {errc::validation_error, "Sec-WebSocket-Version: only 13 is spoken here"}, "Sec-WebSocket-Version", "13"};
  if (head.count(http::field::sec_websocket_key) != 1 || !is_websocket_key(view(head[http::field::sec_websocket_key])))
    return bad_request("Sec-WebSocket-Key: must be 16 bytes in base64, once");
  websocket_key_ = std::string(view(head[http::field::sec_websocket_key]));
  return std::nullopt;
}

request_traits http_parser::traits() const {
  const auto& head = impl_->beast.get();
  return {head.version() >= 11, impl_->beast.keep_alive(), head.method() == http::verb::head};
}

http_request http_parser::take_request() {
  auto& head = impl_->beast.get();
  http_request out;
  out.method = std::string(view(head.method_string()));
  out.path = std::move(impl_->target.path);
  out.query = std::move(impl_->target.query);
  for (const auto& field : head) out.headers.emplace_back(view(field.name_string()), view(field.value()));
  out.body = std::move(head.body());
  return out;
}

}  // namespace troupe::transport
