// Names that tools and calls have towards model APIs: letters, digits, `_` and `-` only, 64 of them at most. Pure values, any
// thread.
#pragma once

#include "providers/provider.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers {

/// A name that every API takes: `files.read` is `files__read` there; other characters become `_`, and what is too long ends
/// in a checksum of the whole.
[[nodiscard]] std::string wire_name(std::string_view name);

/// The offered tool that has this wire name, or the name itself. `tools` may be null.
[[nodiscard]] std::string own_tool_name(const std::vector<tool_description>* tools, const std::string& name);

}  // namespace troupe::providers
