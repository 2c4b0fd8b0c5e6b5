// The files of the console (web/), out of the pack that web/build.mjs makes. Immutable; any thread.
#pragma once

#include "core/error.hpp"
#include "transport/net/server.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::transport {

class console {
 public:
  /// `pack` must outlive it. Null where `pack` is empty; CONFIGURATION_ERROR where it is none.
  [[nodiscard]] static core::result<std::shared_ptr<const console>> open(std::string_view pack);

  /// The file at `path` as this request can take it, or 304 where it has it; null where there is none. "/" is the page.
  [[nodiscard]] std::optional<http_response> answer(const http_request& request) const;

 private:
  struct file {
    std::string type;
    std::string etag;
    std::string_view plain;
    std::string_view gzip;  ///< empty where it is not smaller
    std::string_view brotli;
  };

  std::map<std::string, file, std::less<>> files_;
};

/// Whether `Accept-Encoding: header` takes `coding` (RFC 9110 §12.5.3).
[[nodiscard]] bool accepts_coding(std::string_view header, std::string_view coding) noexcept;

}  // namespace troupe::transport
