// HTTP/1.1 with keep-alive and pipelining on one connection, until an answer ends it or an upgrade or an event stream takes
// the socket over. One request is under way at a time, so answers keep their order. io thread only.
#pragma once

#include "transport/net/connection.hpp"
#include "transport/net/http_parser.hpp"

#include <memory>
#include <string>

namespace troupe::transport {

class http_connection final : public connection, public std::enable_shared_from_this<http_connection> {
 public:
  http_connection(connection_parts parts, std::string remote_address);

  /// Once, after the registry knows this object.
  void start();
  /// Answers without having read a request, and ends.
  void refuse(int http_status, core::error why);

  // For the exchange of the request under way.
  void answer(http_response response);
  [[nodiscard]] std::shared_ptr<peer> start_stream(std::shared_ptr<peer_owner> owner,
                                                   const std::vector<std::pair<std::string, std::string>>& headers);
  [[nodiscard]] bool is_client_gone() const noexcept { return is_closed() || input_ended_; }
  [[nodiscard]] const boost::asio::io_context::executor_type& executor() const noexcept { return executor_; }
  [[nodiscard]] http_response internal_error() { return core().error_response(500, {}); }

  void shut_down(std::uint16_t code, const std::string& reason) override;

 private:
  enum class state : std::uint8_t { reading, busy, ended };
  class exchange;

  std::shared_ptr<connection> self() override { return shared_from_this(); }
  bool has_outbound_limit() const noexcept override { return false; }
  void on_readable() override;
  void on_outbox_empty() override;
  void on_slow() override { finish(); }
  void on_deadline() override;
  void on_finished() override;

  void process();
  [[nodiscard]] bool process_one();
  void dispatch();
  void open_websocket();
  void fail(const http_parser::failure& why);
  void write(http_response response, const request_traits& to);
  void abandon();
  [[nodiscard]] std::size_t unread() const noexcept { return in_.size() - position_; }

  std::string in_;  ///< read and not yet parsed, from position_ on
  std::size_t position_ = 0;
  std::unique_ptr<http_parser> parser_;  ///< of the request that is being read or answered
  std::weak_ptr<exchange> exchange_;
  request_traits traits_;
  std::string remote_address_;
  boost::asio::io_context::executor_type executor_;
  state state_ = state::reading;
  bool processing_ = false;
  bool input_ended_ = false;
  bool last_request_ = false;  ///< the server is closing
};

}  // namespace troupe::transport
