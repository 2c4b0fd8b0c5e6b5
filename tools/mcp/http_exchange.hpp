// One HTTP exchange of MCP: messages out of a JSON body or an event stream, bounded. Started by http_channel.cpp, kept alive by
// its transfer; all of it on the loop's thread. Says nothing any more after `give_up`.
#pragma once

#include "providers/curl_loop.hpp"
#include "providers/sse_parser.hpp"
#include "tools/mcp/message.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools::mcp {

/// The `id:` and `retry:` fields of an event stream, which providers/sse_parser.hpp leaves out. Ids count with their whole
/// event.
class stream_position {
 public:
  void feed(std::string_view bytes);
  [[nodiscard]] const std::string& last_id() const noexcept { return last_id_; }
  /// How long to wait before asking for the rest.
  [[nodiscard]] std::chrono::milliseconds retry() const noexcept { return retry_; }

 private:
  void take_line();

  std::string line_;  ///< its beginning
  std::string next_id_;
  std::string last_id_;
  std::chrono::milliseconds retry_{200};
};

class http_exchange final : public providers::transfer_handler, public std::enable_shared_from_this<http_exchange> {
 public:
  struct outcome {
    providers::transfer_end end;
    long status = 0;
    std::string body;        ///< of a refusal, its beginning
    std::string location;    ///< of a redirect
    bool is_stream = false;  ///< it was an event stream
    std::string trouble;     ///< what was wrong with the answer; else empty
  };
  using message_function = std::function<void(message)>;
  using head_function = std::function<void(providers::transfer&)>;
  using end_function = std::function<void(http_exchange&, outcome)>;

  /// `request` is answered by the result or error of this id; 0: nothing is.
  http_exchange(std::int64_t request, message_function on_message, head_function on_head, end_function on_end)
      : request_(request), on_message_(std::move(on_message)), on_good_head_(std::move(on_head)), on_end_(std::move(on_end)) {}

  /// on_end is called later, never within this.
  void start(providers::curl_loop& loop, providers::http_request request);
  void give_up();

  [[nodiscard]] std::int64_t request() const noexcept { return request_; }
  [[nodiscard]] bool is_given_up() const noexcept { return is_over_; }
  [[nodiscard]] bool is_answered() const noexcept { return is_answered_; }
  [[nodiscard]] const stream_position& position() const noexcept { return position_; }

  std::string session;      ///< under which it was sent
  std::size_t resumed = 0;  ///< how often this request was asked for again

 private:
  bool on_head(providers::transfer& t, const providers::response_head& head) override;
  bool on_data(providers::transfer& t, std::string_view bytes) override;
  void on_turn(providers::transfer& t) override;
  void on_done(providers::transfer& t, const providers::transfer_end& end) override;
  bool take(std::string_view text);
  void deliver();
  void finish();

  std::int64_t request_;
  message_function on_message_;
  head_function on_good_head_;
  end_function on_end_;
  std::weak_ptr<providers::transfer> transfer_;
  providers::curl_loop* loop_ = nullptr;
  providers::sse_parser parser_{max_message_bytes};
  stream_position position_;
  std::vector<message> waiting_;
  std::string body_;
  outcome outcome_;
  bool is_answered_ = false;
  bool is_over_ = false;
};

}  // namespace troupe::tools::mcp
