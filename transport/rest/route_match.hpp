// Paths against patterns. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::transport {

/// The pattern's names with the path's segments.
using path_parameters = std::vector<std::pair<std::string_view, std::string>>;

/// `{name}` in `pattern` matches one segment that is not empty; one trailing slash of `path` is ignored. `parameters` is
/// overwritten, also where nothing matches; its names point into `pattern`.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view path, path_parameters& parameters);

}  // namespace troupe::transport
