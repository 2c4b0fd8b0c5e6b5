// The page at `/` of a program that was built without the console (console.hpp): what this server is, its agents, and a small
// chat over /ws. One self-contained document that asks for nothing outside. Pure functions, any thread.
#pragma once

#include "core/config.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::transport {

/// `nonce` must be fresh for each answer and the same that the headers got.
[[nodiscard]] std::string home_page(const core::config& config, std::string_view version, std::string_view nonce);
[[nodiscard]] std::vector<std::pair<std::string, std::string>> home_page_headers(std::string_view nonce);

[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace troupe::transport
