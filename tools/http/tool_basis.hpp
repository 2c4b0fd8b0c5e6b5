// What both kinds of HTTP tools take from their configuration. Used by http_request.cpp and http_tool.cpp only.
#pragma once

#include "core/config.hpp"
#include "tools/http/exchange.hpp"
#include "tools/tool.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::tools {

inline constexpr std::array<std::string_view, 7> http_methods{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"};
[[nodiscard]] bool is_http_method(std::string_view method) noexcept;
[[nodiscard]] bool takes_body(std::string_view method) noexcept;  ///< POST, PUT, PATCH, DELETE

/// `tool `name`: text`
[[nodiscard]] core::error wrong_tool(const std::string& name, const std::string& text);
/// Name, effect, approval, risk, limits; approval is asked for by effect where the configuration says nothing.
[[nodiscard]] tool_spec basic_spec(const core::tool_config& config, core::effect usual_effect);
/// An error where `ca_file` cannot be read or a limit is none.
[[nodiscard]] core::result<void> check_basis(const core::tool_config& config);

/// A call that failed before it was sent.
[[nodiscard]] std::unique_ptr<running_call> refuse(const std::shared_ptr<call_listener>& listener, const std::string& text);

}  // namespace troupe::tools
