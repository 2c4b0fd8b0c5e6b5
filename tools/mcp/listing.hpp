// The tools of an MCP server as it lists them, page by page, and what becomes of them here. Values, no I/O; the session
// collects.
#pragma once

#include "core/config.hpp"
#include "tools/tool.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::tools::mcp {

inline constexpr std::size_t max_tools = 10'000;
inline constexpr std::size_t max_pages = 1'000;
/// Of all names, descriptions and schemas of one server together.
inline constexpr std::size_t max_listing_bytes = 32 << 20;

/// An argument that modern HTTP wants in a header too (`x-mcp-header`): `Mcp-Param-<name>` holds the argument at `path`.
struct argument_header {
  std::string name;
  std::vector<std::string> path;

  bool operator==(const argument_header&) const = default;
};

struct remote_tool {
  std::string name;
  std::string description;
  std::string parameters;     ///< JSON Schema text
  std::string output_schema;  ///< JSON Schema text; empty: none
  bool read_only = false;
  bool idempotent = false;
  std::optional<bool> destructive;
  std::vector<argument_header> headers;

  bool operator==(const remote_tool&) const = default;
};

class listing {
 public:
  /// `wants_headers`: the transport has headers, and a tool whose `x-mcp-header` is wrong is left out. What is no tool, or goes
  /// over a bound, is left out with a reason.
  void add(const boost::json::value& item, bool wants_headers);
  void leave_out(std::string_view name, std::string_view reason);
  /// What comes after is not asked for.
  void cut(std::string reason);

  std::vector<remote_tool> tools;
  std::vector<std::string> left_out;  ///< the first few, each with its reason
  std::size_t left_out_count = 0;

 private:
  std::set<std::string, std::less<>> names_;
  std::size_t bytes_ = 0;
};

/// What the operator's configuration leaves open comes from the server's annotations: `readOnlyHint` gives read_only, else
/// `idempotentHint` idempotent, else once. Whatever may destroy something (it is not read-only and does not say
/// `destructiveHint: false`) waits for a person; its risk is high where it says so itself, else medium. Hints are no promises:
/// `effect`, `approval` and `risk` of the configuration win.
[[nodiscard]] tool_spec spec_of(const remote_tool& tool, const core::tool_config& config);

/// `Mcp-Param-<name>: value` lines for these arguments; values that no header may hold travel as base64.
[[nodiscard]] std::vector<std::string> header_lines(const remote_tool& tool, const boost::json::object& arguments);
/// A header value that may hold any text: as it is where it can be, else as `=?base64?…?=`.
[[nodiscard]] std::string header_value(std::string_view text);

}  // namespace troupe::tools::mcp
