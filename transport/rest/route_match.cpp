#include "transport/rest/route_match.hpp"

#include <algorithm>

namespace troupe::transport {

namespace {

/// Takes the next segment off `path`.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  auto end = std::min(path.find('/'), path.size());
  auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view path, path_parameters& parameters) {
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  parameters.clear();
  while (!pattern.empty() && !path.empty()) {
    auto expected = take_segment(pattern);
    auto segment = take_segment(path);
    if (expected.starts_with('{')) {
      if (segment.empty()) return false;
      parameters.emplace_back(expected.substr(1, expected.size() - 2), std::string(segment));
    } else if (expected != segment) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace troupe::transport
