// What a tool of an MCP server gave, as our tools give it: text for the model, pictures and documents as files. Pure functions.
#pragma once

#include "tools/schema.hpp"
#include "tools/tool.hpp"

#include <boost/json/object.hpp>

namespace troupe::tools::mcp {

inline constexpr std::size_t max_parts = 1'000;
inline constexpr std::size_t max_files = 16;
inline constexpr std::size_t max_file_bytes = 8 << 20;  ///< of all files of one result

/// `output`: the tool's outputSchema, or null. Text parts follow each other; structured content is the text where there is
/// none, and must fit the schema; every other part is a line in the text.
[[nodiscard]] tool_result result_of(const boost::json::object& result, const schema* output);

}  // namespace troupe::tools::mcp
