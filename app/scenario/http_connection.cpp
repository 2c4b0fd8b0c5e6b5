#include "app/scenario/http_connection.hpp"

#include "app/scenario/rest_client.hpp"

#include <openssl/x509_vfy.h>

#include <csignal>

namespace troupe::app {

using core::errc;
using core::error;

namespace {

constexpr std::string_view plain = "http://";
constexpr std::string_view secure = "https://";

bool is_secure(const std::string& url) { return url.starts_with(secure); }

std::string ca_advice(const std::string& ca_file) {
  return ca_file.empty() ? "; if its authority is your own, name its certificate with --ca-file (or in SSL_CERT_FILE)"
                         : "; --ca-file " + ca_file + " does not vouch for it";
}

}  // namespace

core::result<std::string> base_url(const std::string& url) {
  auto base = url;
  while (base.ends_with('/')) base.pop_back();
  auto scheme = is_secure(base) ? secure.size() : base.starts_with(plain) ? plain.size() : std::string::npos;
  if (scheme == std::string::npos || base.size() == scheme || base.find_first_of("/?#@ ", scheme) != std::string::npos)
    return error{errc::configuration_error, "--url " + url + ": expected http://HOST:PORT or https://HOST:PORT"};
  return base;
}

httplib::Client http_connection(const std::string& url, const std::string& ca_file) {
  httplib::Client http(url);
  http.set_connection_timeout(10);
  if (!is_secure(url)) return http;
  // OpenSSL writes to its socket without MSG_NOSIGNAL: a server that went away would end the program.
  std::signal(SIGPIPE, SIG_IGN);
  http.enable_server_certificate_verification(true);
  if (!ca_file.empty()) http.set_ca_cert_path(ca_file);
  return http;
}

error connection_error(const httplib::Client& http, httplib::Error failure, const std::string& url,
                       const std::string& ca_file) {
  switch (failure) {
    case httplib::Error::SSLLoadingCerts:
      return {errc::configuration_error, ca_file.empty()
                                             ? url + ": the certificates of this system cannot be read; install ca-certificates"
                                             : "--ca-file " + ca_file + ": no certificate (PEM) can be read from it"};
    case httplib::Error::SSLServerVerification: {
      auto result = http.get_openssl_verify_result();
      // The chain was good: what is left is the name.
      if (result == X509_V_OK)
        return {errc::configuration_error,
                url + ": the certificate is of another host; ask for the server by a name that is in it"};
      return {errc::configuration_error,
              url + ": the certificate is not trusted: " + X509_verify_cert_error_string(result) + ca_advice(ca_file)};
    }
    case httplib::Error::SSLConnection:
      return {errc::provider_error,
              url + ": no TLS connection; where the server speaks plain HTTP, the URL begins with http://"};
    case httplib::Error::Read:
      return {
          errc::provider_error,
          url + ": no answer came" + (is_secure(url) ? "" : "; where the server is behind TLS, the URL begins with https://")};
    default:
      return {errc::provider_error, url + ": " + httplib::to_string(failure) + "; is the server running there?"};
  }
}

}  // namespace troupe::app
