// The URLs of `troupe mock-model`: which API a request is for, what is wrong with it, and who answers. io thread only.
#pragma once

#include "app/mock/faults.hpp"
#include "app/mock/wire_format.hpp"
#include "core/environment.hpp"
#include "transport/net/server.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe::app {

/// The only name in the list of models; requests may name any.
inline constexpr std::string_view mock_model_name = "scripted";

struct mock_model_parts {
  std::unique_ptr<providers::model_client> client;
  std::vector<providers::tool_description> tools;  ///< what the script calls its tools
  std::vector<mock_fault> faults;
  core::timer_service* timers = nullptr;
};

/// Outlives the server that it serves.
class mock_routes {
 public:
  explicit mock_routes(mock_model_parts parts);
  [[nodiscard]] transport::server_handlers handlers();

 private:
  void take(transport::http_request request, std::shared_ptr<transport::http_exchange> exchange);
  void ask(const wire_format& format, const transport::http_request& request,
           std::shared_ptr<transport::http_exchange> exchange);

  mock_model_parts parts_;
  fault_source faults_;
  std::uint64_t asked_ = 0;
};

}  // namespace troupe::app
