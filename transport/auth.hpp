// Credentials to principals: JSON Web Tokens, API keys, log-ins (PROTOCOLS, head; decision 11). Made once from the
// configuration, owned by the gateway; constant afterwards, so any thread may ask. Tokens and keys are never logged.
#pragma once

#include "core/access.hpp"
#include "core/config.hpp"
#include "core/error.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace troupe::transport {

struct http_request;

class authenticator {
 public:
  using account = core::auth_config::user;

  /// `now` is asked from any thread.
  authenticator(core::auth_config config, std::function<core::millis()> now);

  [[nodiscard]] bool is_required() const noexcept { return config_.required; }

  /// `Authorization: Bearer X` or the bare X, else `?token=X`. Without auth everybody is anonymous, whatever they send;
  /// with it nothing is AUTH_REQUIRED, and what is wrong or has expired AUTH_FAILED.
  [[nodiscard]] core::result<core::principal> of_request(const http_request& request) const;
  /// The same for a token or key from elsewhere (the `auth` frame, a handshake); empty is AUTH_REQUIRED.
  [[nodiscard]] core::result<core::principal> of_token(std::string_view token) const;
  /// Who a caller without credentials is: the owner of everything without auth, and nobody, who may do nothing, with it.
  [[nodiscard]] core::principal anonymous() const;

  /// The configured user with this name and password, or null. Takes as long for users that do not exist, and that is tens
  /// of milliseconds by design: not for the io thread.
  [[nodiscard]] const account* log_in(std::string_view username, const std::string& password) const;
  [[nodiscard]] const account* user_by_code(std::string_view code) const;
  [[nodiscard]] const account* user_by_id(std::string_view id) const;
  /// A token for `who` that of_token takes until its lifetime is over.
  [[nodiscard]] std::string sign(const account& who) const;

 private:
  [[nodiscard]] core::result<core::principal> of_jwt(std::string_view token) const;

  core::auth_config config_;
  std::function<core::millis()> now_;
};

/// 64 lower-case hex digits.
[[nodiscard]] std::string sha256_hex(std::string_view text);

/// Does `password` give `hash`, which is in crypt(5) format? Slow by design.
[[nodiscard]] bool password_matches(const std::string& password, const std::string& hash);
/// A format that this system's crypt(3) knows, and not one of those of the last century.
[[nodiscard]] bool is_password_hash(const std::string& text);

}  // namespace troupe::transport
