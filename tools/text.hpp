// Small rules about the text that tools read and write. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::tools {

/// Valid UTF-8 (RFC 3629 §4) without NUL: what can travel as a JSON string and means the same on the other side.
[[nodiscard]] bool is_plain_text(std::string_view bytes) noexcept;

/// At most `bytes` bytes of valid UTF-8 `text`, never cutting a character in two.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t bytes) noexcept;

/// Safe to put into a message: bounded, and bytes that are not plain text become `?`.
[[nodiscard]] std::string quoted(std::string_view text, std::size_t bytes = 80);

/// Takes the first character off `rest`, which is valid UTF-8 and not empty.
[[nodiscard]] char32_t take_character(std::string_view& rest) noexcept;

/// `c` is a Unicode scalar value.
void append_character(std::string& out, char32_t c);

}  // namespace troupe::tools
