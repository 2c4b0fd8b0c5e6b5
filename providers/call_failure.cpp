#include "providers/call_failure.hpp"

#include "providers/upstream_error.hpp"

namespace troupe::providers {

using std::chrono::milliseconds;

call_failure failure_of(const transfer_end& end, const core::provider_timeouts& limits) {
  auto over = [](const char* what, milliseconds limit, const char* field, bool retryable) {
    auto text = "the upstream " + std::string(what) + " within " + std::to_string(limit.count()) + " ms (timeouts_ms." + field;
    return call_failure{{core::errc::timeout, text + ")"}, retryable};
  };
  auto failed = [&](const char* what, const char* remedy, bool retryable) {
    return call_failure{{core::errc::provider_error, "the upstream " + std::string(what) + end.text + remedy}, retryable};
  };
  switch (end.result) {
    case transfer_result::connect_timeout:
      return over("did not accept a connection", limits.connect, "connect", true);
    case transfer_result::first_byte_timeout:
      return over("sent nothing", limits.first_byte, "first_byte", true);
    case transfer_result::idle_timeout:
      return over("fell silent: sent nothing more", limits.idle, "idle", true);
    case transfer_result::total_timeout:
      return over("did not end its answer", limits.total, "total", false);
    case transfer_result::unreachable:
      return failed("cannot be reached: ", "; check base_url and that it runs", true);
    case transfer_result::untrusted:
      return failed("failed the TLS handshake: ", "; check base_url, or give the issuer's certificate as ca_file", false);
    case transfer_result::bad_request:
      return failed("cannot be asked: ", "; check base_url", false);
    default:
      return failed("broke the connection before its end marker: ", "", true);
  }
}

call_failure failure_of_status(long status, std::string_view body) {
  auto said = upstream_error_of_response(status, body);
  auto text = "the upstream answered HTTP " + std::to_string(status);
  if (status >= 300 && status < 400) text += ", a redirect, which is not followed; correct base_url";
  if (status == 401) text += "; check the API key";
  if (status == 404 && said.text.empty()) text += "; check base_url and the model's name";
  if (!said.text.empty()) text += ": " + said.text;
  return {{core::errc::provider_error, std::move(text)}, said.retryable};
}

std::string without_key(std::string text, const std::string& key) {
  if (key.empty()) return text;
  for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + 3)) text.replace(at, key.size(), "***");
  // bounded_text may have cut the last copy in two.
  for (auto n = key.size() - 1; n >= 4; --n) {
    auto cut = key.substr(0, n) + "…";
    if (text.ends_with(cut)) return text.replace(text.size() - cut.size(), n, "***");
  }
  return text;
}

}  // namespace troupe::providers
