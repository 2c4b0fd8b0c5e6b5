// cpp-httplib as the clients of a running server use it: one place for certificates, and for what a failure means to the person
// at the command line. Of rest_client.cpp and session_stream.cpp; the header is theirs because it includes httplib.
#pragma once

#include "core/error.hpp"

#include <httplib.h>

#include <string>

namespace troupe::app {

/// `url` is what base_url gave. With https the server's certificate must be of an authority in `ca_file` (PEM), or of one that
/// the system trusts where that is empty, and of the host that is asked.
[[nodiscard]] httplib::Client http_connection(const std::string& url, const std::string& ca_file);

/// `configuration_error` where trying again is of no use.
[[nodiscard]] core::error connection_error(const httplib::Client& http, httplib::Error failure, const std::string& url,
                                           const std::string& ca_file);

}  // namespace troupe::app
