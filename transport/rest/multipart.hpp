// multipart/form-data (RFC 7578) as browsers and `curl -F` send it, read in one go from a body that is complete. Pure
// functions, any thread.
#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::transport {

struct form_part {
  std::string name;
  std::string filename;  ///< without folders; empty: a field, not a file
  bool has_filename = false;
  std::string content_type;  ///< empty: none given
  std::string_view data;     ///< into the body
};

constexpr std::size_t most_form_parts = 50;

/// True for `multipart/form-data`, with whatever parameters.
[[nodiscard]] bool is_form_data(std::string_view content_type);
/// The value of a parameter such as `boundary` or `filename`, unquoted; empty where it is absent or cannot be read.
[[nodiscard]] std::string header_parameter(std::string_view header, std::string_view name);
/// At most most_form_parts parts with at most 4 KiB of header fields each | VALIDATION_ERROR.
[[nodiscard]] core::result<std::vector<form_part>> parse_form_data(std::string_view content_type, std::string_view body);

}  // namespace troupe::transport
