// `troupe serve --check-config`: would the server take this configuration?
#pragma once

#include "app/serve.hpp"

namespace troupe::app {

/// Says so on stdout, or why not on stderr; as JSON, with what would be served. 0: it would; 1: it would not.
[[nodiscard]] int check_configuration(const serve_options& options);

}  // namespace troupe::app
