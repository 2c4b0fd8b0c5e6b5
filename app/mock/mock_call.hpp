// One request to `troupe mock-model` on its way to the answer: asks the scripted model, writes what it says in the format of
// the API, and spoils it by the plan. Kept alive by whatever it waits for: its exchange, its timer, its model or its
// connection. io thread only.
#pragma once

#include "app/mock/faults.hpp"
#include "app/mock/wire_format.hpp"
#include "core/environment.hpp"
#include "transport/net/server.hpp"

#include <memory>
#include <string>

namespace troupe::app {

struct mock_call_parts {
  std::shared_ptr<transport::http_exchange> exchange;
  const wire_format* format = nullptr;
  wire_question question;
  answer_identity identity;
  fault_plan plan;
  providers::model_client* client = nullptr;  ///< outlives the server, as `timers` do
  core::timer_service* timers = nullptr;
};

class mock_call final : public transport::peer_owner, public std::enable_shared_from_this<mock_call> {
 public:
  explicit mock_call(mock_call_parts parts) : parts_(std::move(parts)), filter_(parts_.plan) {}

  /// Once.
  void start();

  void on_message(std::string_view, bool) override {}
  void on_drained() override {}
  void on_closed() override { stop(); }

 private:
  void begin();
  void take(providers::model_output said);
  void take_whole(providers::model_output said);
  void answer_whole();
  void fail(const providers::model_end& end);
  void open(std::string_view content_type);
  void send(std::string bytes);
  void close(bool in_order);
  void stop();

  mock_call_parts parts_;
  body_filter filter_;
  std::unique_ptr<core::timer> timer_;
  std::shared_ptr<providers::model_stream> model_;
  std::shared_ptr<transport::peer> peer_;  ///< once the body has begun
  std::unique_ptr<stream_writer> writer_;
  providers::model_output whole_;
  bool is_done_ = false;  ///< nothing more is sent
};

/// Headers and body of an error in this format.
[[nodiscard]] transport::http_response error_response(const wire_format& format, const wire_error& why);

}  // namespace troupe::app
