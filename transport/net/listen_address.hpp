// HOST:PORT as a place to listen at. Blocks on name resolution: start-up only.
#pragma once

#include "core/error.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace troupe::transport {

struct listen_address {
  std::string host;  ///< as given, IPv6 in brackets
  boost::asio::ip::tcp::endpoint endpoint;
};

/// Of several addresses of a name the first IPv4 one is taken: it is what clients of `localhost` try at the latest.
[[nodiscard]] core::result<listen_address> resolve_listen_address(const std::string& address);

}  // namespace troupe::transport
