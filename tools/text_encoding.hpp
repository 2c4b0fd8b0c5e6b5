// How the bytes of a file become text and back: what editors and other systems write. Pure functions, any thread.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::tools {

/// Byte order marks.
inline constexpr std::string_view utf8_mark = "\xEF\xBB\xBF", little_mark = "\xFF\xFE", big_mark = "\xFE\xFF";

enum class text_encoding : std::uint8_t { utf8, utf8_with_mark, utf16_little, utf16_big, windows_1252 };

/// As people call it, e.g. `UTF-16`.
[[nodiscard]] std::string_view name_of(text_encoding encoding) noexcept;

struct decoded_text {
  std::string text;  ///< plain text, without the byte order mark
  text_encoding encoding = text_encoding::utf8;
};

/// UTF-8 with or without a byte order mark, UTF-16 with one. What is neither and holds no control bytes is taken for
/// windows-1252, a guess that its reader should hear of. No value: not text.
[[nodiscard]] std::optional<decoded_text> decode_text(std::string_view bytes);

/// The inverse, with the mark. A `validation_error` names the character that the encoding does not have.
[[nodiscard]] core::result<std::string> encode_text(std::string_view text, text_encoding encoding);

/// What bytes that are not text seem to be, e.g. `a PNG image`.
[[nodiscard]] std::string_view kind_of_binary(std::string_view bytes) noexcept;

}  // namespace troupe::tools
