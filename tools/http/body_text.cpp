#include "tools/http/body_text.hpp"

#include "tools/text.hpp"
#include "tools/text_encoding.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace troupe::tools {

namespace {

using namespace std::string_view_literals;

constexpr char32_t replacement = 0xFFFD;

enum class charset : std::uint8_t { none, utf8, latin, utf16_little, utf16_big, unknown };

charset charset_of(std::string_view label) noexcept {
  struct row {
    std::string_view label;
    charset is;
  };
  constexpr std::array rows{row{"", charset::none},
                            row{"utf-8", charset::utf8},
                            row{"utf8", charset::utf8},
                            row{"us-ascii", charset::latin},
                            row{"iso-8859-1", charset::latin},
                            row{"latin1", charset::latin},
                            row{"cp1252", charset::latin},
                            row{"windows-1252", charset::latin},
                            row{"utf-16", charset::utf16_little},
                            row{"utf-16le", charset::utf16_little},
                            row{"utf-16be", charset::utf16_big}};
  for (const auto& r : rows)
    if (r.label == label) return r.is;
  return charset::unknown;
}

/// Without the pieces of a character at the end, where there are some.
std::string_view without_cut_character(std::string_view bytes) noexcept {
  for (std::size_t n = 1; n <= 3 && n <= bytes.size(); ++n) {
    auto c = static_cast<unsigned char>(bytes[bytes.size() - n]);
    if (c < 0x80) break;
    if (c >= 0xC0) return is_plain_text(bytes.substr(bytes.size() - n)) ? bytes : bytes.substr(0, bytes.size() - n);
  }
  return bytes;
}

/// `bytes` begin with a byte order mark.
std::optional<std::string> from_marked_utf16(std::string_view bytes, bool is_cut) {
  if (is_cut) {
    bytes = bytes.substr(0, bytes.size() & ~std::size_t{1});
    auto high = static_cast<unsigned char>(bytes[bytes.size() - (bytes.starts_with(big_mark) ? 2 : 1)]);
    if (high >= 0xD8 && high < 0xDC) bytes.remove_suffix(2);
  }
  auto decoded = decode_text(bytes);
  if (!decoded) return std::nullopt;
  return std::move(decoded->text);
}

std::string mended_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    std::size_t length = 1;
    while (length <= 4 && length <= bytes.size() && !is_plain_text(bytes.substr(0, length))) ++length;
    if (length > 4 || length > bytes.size()) {
      append_character(out, replacement);
      length = 1;
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  return out;
}

bool says_text(const media_type& type) noexcept {
  return type.essence.starts_with("text/") || type.is_json() || type.essence.ends_with("+xml") ||
         type.essence == "application/xml" || !type.charset.empty();
}

std::string_view without_blanks(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t\"";
  auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

}  // namespace

bool media_type::is_json() const noexcept { return essence == "application/json" || essence.ends_with("+json"); }

bool media_type::is_file() const noexcept {
  constexpr std::array<std::string_view, 5> files{"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"};
  return std::find(files.begin(), files.end(), essence) != files.end();
}

std::string_view media_type::subtype() const noexcept {
  auto slash = essence.find('/');
  return slash == std::string::npos ? std::string_view{} : std::string_view(essence).substr(slash + 1);
}

media_type media_type_of(std::string_view header) {
  std::string text(header.substr(0, 512));
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  media_type out;
  std::string_view rest = text;
  auto end = rest.find(';');
  auto essence = without_blanks(rest.substr(0, end));
  if (is_plain_text(essence) && essence.find('/') != std::string_view::npos) out.essence = essence;
  while (end != std::string_view::npos) {
    rest.remove_prefix(end + 1);
    end = rest.find(';');
    auto parameter = without_blanks(rest.substr(0, end));
    auto equals = parameter.find('=');
    if (equals == std::string_view::npos || without_blanks(parameter.substr(0, equals)) != "charset") continue;
    out.charset = without_blanks(parameter.substr(equals + 1));
    break;
  }
  return out;
}

std::optional<std::string> text_of_body(std::string_view bytes, const media_type& type, bool is_cut) {
  auto is = type.is_json() ? charset::utf8 : charset_of(type.charset);
  if (bytes.starts_with(little_mark) || bytes.starts_with(big_mark)) return from_marked_utf16(bytes, is_cut);
  if (is == charset::utf16_little || is == charset::utf16_big)
    return from_marked_utf16(std::string(is == charset::utf16_big ? big_mark : little_mark).append(bytes), is_cut);

  if (bytes.starts_with(utf8_mark)) {
    bytes.remove_prefix(utf8_mark.size());
    is = charset::utf8;
  }
  auto whole = is_cut ? without_cut_character(bytes) : bytes;
  if (is_plain_text(whole)) return std::string(whole);
  if (is == charset::unknown || !says_text(type) || whole.find('\0') != std::string_view::npos) return std::nullopt;
  if (is == charset::utf8) return mended_utf8(whole);
  auto decoded = decode_text(bytes);
  if (!decoded) return std::nullopt;
  return std::move(decoded->text);
}

}  // namespace troupe::tools
