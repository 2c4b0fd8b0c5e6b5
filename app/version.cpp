#include "app/version.hpp"

#include "storage/schema.hpp"

namespace troupe::app {

std::string version_text() {
  return "troupe " TROUPE_VERSION " (commit " + std::string(commit()) + ", storage schema " +
         std::to_string(storage::schema_version) + ")";
}

}  // namespace troupe::app
