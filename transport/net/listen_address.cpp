#include "transport/net/listen_address.hpp"

#include <boost/asio/io_context.hpp>

#include <charconv>
#include <cstdint>

namespace troupe::transport {

using boost::asio::ip::tcp;

core::result<listen_address> resolve_listen_address(const std::string& address) {
  auto wrong = [&](const std::string& what) {
    return core::error{core::errc::configuration_error, "listen " + address + ": " + what};
  };
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong("is not HOST:PORT; write for example 127.0.0.1:8080");
  auto host = address.substr(0, colon);
  const auto digits = std::string_view(address).substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size())
    return wrong("the port must be a number from 0 to 65535");

  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (!in_brackets && host.find(':') != std::string::npos)
    return wrong("an IPv6 address stands in brackets, for example [::1]:8080");
  const auto name = in_brackets ? host.substr(1, host.size() - 2) : host;
  boost::system::error_code ec;
  if (auto literal = boost::asio::ip::make_address(name, ec); !ec) return listen_address{host, {literal, port}};
  if (in_brackets) return wrong("no IPv6 address stands in the brackets");

  boost::asio::io_context io;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(name, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service, ec);
  if (ec || found.empty()) return wrong("the host name cannot be resolved (" + ec.message() + "); use an IP address");
  auto chosen = found.begin()->endpoint();
  for (const auto& entry : found)
    if (entry.endpoint().protocol() == tcp::v4()) {
      chosen = entry.endpoint();
      break;
    }
  return listen_address{host, chosen};
}

}  // namespace troupe::transport
