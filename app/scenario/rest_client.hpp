// The REST API of a running server, as commands with `--url` use it, over HTTP or TLS. Owned by them; one thread.
#pragma once

#include "core/error.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace troupe::app {

struct rest_answer {
  int status = 0;
  boost::json::object body;

  [[nodiscard]] std::string text(std::string_view key) const;
  /// `items` of a list; empty where it is none.
  [[nodiscard]] const boost::json::array& items() const;
};

struct rest_bytes {
  int status = 0;
  std::string body;
};

class rest_client {
 public:
  /// `url`: http://HOST:PORT or https://HOST:PORT. A `configuration_error` names what is wrong with it. An empty token is none.
  /// `ca_file` (PEM) has the authorities of servers that are trusted; empty: those of the system.
  [[nodiscard]] static core::result<std::unique_ptr<rest_client>> open(const std::string& url, std::string token,
                                                                       std::string ca_file = {});
  ~rest_client();

  /// `path` follows `/api/v1`. An answer of any status is one, but credentials that do not do and a server that wants to be
  /// left alone are errors, as is what is no JSON. Errors name the server and the path.
  [[nodiscard]] core::result<rest_answer> call(const std::string& method, const std::string& path,
                                               const boost::json::object& body = {});
  [[nodiscard]] core::result<rest_answer> upload(const std::string& path, const std::string& content_type, std::string bytes);
  /// A GET of what need not be JSON; an answer of any status is one, as with `call`.
  [[nodiscard]] core::result<rest_bytes> bytes(const std::string& path);

  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  [[nodiscard]] const std::string& token() const noexcept { return token_; }

 private:
  struct impl;
  rest_client(std::string url, std::string token, std::string ca_file);
  [[nodiscard]] core::result<rest_answer> ask(const std::string& method, const std::string& path,
                                              const std::string& content_type, std::string body);

  std::string url_;
  std::string token_;
  std::string ca_file_;
  std::unique_ptr<impl> impl_;
};

/// http://HOST:PORT or https://HOST[:PORT], without a slash at its end. A `configuration_error` names what is wrong with `url`.
[[nodiscard]] core::result<std::string> base_url(const std::string& url);

/// For a query.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace troupe::app
