// What the file tools do with a workspace, one function per tool; files.cpp makes tools of them. Private to files*.cpp.
// Called on the blocking pool; the results are the model's.
#pragma once

#include "core/error.hpp"
#include "tools/tool.hpp"
#include "tools/workspace.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace troupe::tools {

using file_action = core::result<std::string> (*)(const workspace&, const boost::json::object&, const tool_context&);

[[nodiscard]] core::result<std::string> edit_file(const workspace& folder, const boost::json::object& arguments,
                                                  const tool_context& context);
[[nodiscard]] core::result<std::string> grep_file(const workspace& folder, const boost::json::object& arguments,
                                                  const tool_context& context);

/// A string argument; empty where it was left out.
[[nodiscard]] std::string_view text_of(const boost::json::object& arguments, std::string_view name);
[[nodiscard]] bool flag_of(const boost::json::object& arguments, std::string_view name);

/// Of a file that is not text.
[[nodiscard]] core::error not_text(std::string_view path, std::string_view bytes);

/// `name` on one line of a listing, whatever it holds.
[[nodiscard]] std::string shown_name(std::string_view name);

}  // namespace troupe::tools
