// Files that messages bring, as clients write and read them. Pure functions, any thread.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vector>

namespace troupe::transport {

/// The field `attachments` of a message: an array of file ids, or absent | VALIDATION_ERROR.
[[nodiscard]] core::result<std::vector<core::file_id>> attachments_field(const boost::json::object& o);
/// {fileId, name, contentType, size}
[[nodiscard]] boost::json::object attachment_json(const core::attachment& a);
[[nodiscard]] boost::json::array attachments_json(const std::vector<core::attachment>& all);

}  // namespace troupe::transport
