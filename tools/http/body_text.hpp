// What the bytes of a response mean: text in some charset, a picture or document, or nothing a model can read. Pure values, any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::tools {

/// A `content-type` header (RFC 9110 §8.3.1), in lower case.
struct media_type {
  std::string essence;  ///< `text/html`; empty where the header is none
  std::string charset;

  [[nodiscard]] bool is_json() const noexcept;
  /// png, jpeg, gif, webp, pdf: what models take as files.
  [[nodiscard]] bool is_file() const noexcept;
  /// `png` of `image/png`
  [[nodiscard]] std::string_view subtype() const noexcept;
};
[[nodiscard]] media_type media_type_of(std::string_view header);

/// The body as UTF-8, or nothing where it is no text. A byte order mark decides, then the charset (UTF-8, UTF-16, ISO-8859-1
/// and windows-1252, which are read as one; JSON is always UTF-8); what is valid UTF-8 is never taken for one of the latter.
/// Without either: UTF-8, or windows-1252 where the type is `text/…`. What is broken in text that says it is UTF-8 becomes
/// U+FFFD. `is_cut`: bytes are missing at the end.
[[nodiscard]] std::optional<std::string> text_of_body(std::string_view bytes, const media_type& type, bool is_cut);

}  // namespace troupe::tools
