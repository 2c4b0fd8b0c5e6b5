#include "tools/text_encoding.hpp"

#include "tools/text.hpp"

#include <algorithm>
#include <array>

namespace troupe::tools {

using namespace std::string_view_literals;

namespace {

/// 0x80 to 0x9F; the rest is as in Unicode. 0: no character (WHATWG Encoding, index windows-1252, less its C1 controls).
constexpr std::array<char16_t, 32> windows_high{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178};

std::optional<std::string> from_utf16(std::string_view bytes, bool is_big) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  auto unit = [&](std::size_t i) {
    auto a = static_cast<unsigned char>(bytes[i]), b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(is_big ? a << 8U | b : b << 8U | a);
  };
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    auto c = unit(i);
    if (c == 0 || (c >= 0xDC00 && c <= 0xDFFF)) return std::nullopt;
    if (c >= 0xD800 && c <= 0xDBFF) {
      i += 2;
      auto low = i < bytes.size() ? unit(i) : 0;
      if (low < 0xDC00 || low > 0xDFFF) return std::nullopt;
      c = 0x10000 + ((c - 0xD800) << 10U) + (low - 0xDC00);
    }
    append_character(out, c);
  }
  return out;
}

std::string to_utf16(std::string_view text, bool is_big) {
  std::string out(is_big ? big_mark : little_mark);
  auto add = [&](char32_t unit) {
    auto high = static_cast<char>(unit >> 8U), low = static_cast<char>(unit & 0xFFU);
    out += is_big ? high : low;
    out += is_big ? low : high;
  };
  while (!text.empty()) {
    auto c = take_character(text);
    if (c < 0x10000) {
      add(c);
    } else {
      add(0xD800 + ((c - 0x10000) >> 10U));
      add(0xDC00 + ((c - 0x10000) & 0x3FFU));
    }
  }
  return out;
}

std::optional<std::string> from_windows(std::string_view bytes) {
  std::string out;
  for (char byte : bytes) {
    auto b = static_cast<unsigned char>(byte);
    bool is_control = (b < 0x20 && b != '\t' && b != '\n' && b != '\r' && b != '\f') || b == 0x7F;
    char32_t c = b >= 0x80 && b < 0xA0 ? windows_high.at(b - 0x80U) : b;
    if (is_control || c == 0) return std::nullopt;
    append_character(out, c);
  }
  return out;
}

core::result<std::string> to_windows(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto rest = text;
    auto c = take_character(rest);
    auto high = std::find(windows_high.begin(), windows_high.end(), c);
    if (c < 0x80 || (c >= 0xA0 && c <= 0xFF))
      out += static_cast<char>(c);
    else if (high != windows_high.end())
      out += static_cast<char>(0x80 + (high - windows_high.begin()));
    else
      return core::error{core::errc::validation_error,
                         "windows-1252 has no " + quoted(text.substr(0, text.size() - rest.size()))};
    text = rest;
  }
  return out;
}

struct signature {
  std::size_t at;
  std::string_view bytes;
  std::string_view kind;
};
constexpr std::array signatures{
    signature{0, "\x89PNG\r\n\x1A\n"sv, "a PNG image"},
    signature{0, "\xFF\xD8\xFF"sv, "a JPEG image"},
    signature{0, "GIF8"sv, "a GIF image"},
    signature{8, "WEBP"sv, "a WebP image"},
    signature{8, "WAVE"sv, "a WAVE sound"},
    signature{0, "II*\0"sv, "a TIFF image"},
    signature{0, "MM\0*"sv, "a TIFF image"},
    signature{0, "%PDF-"sv, "a PDF document"},
    signature{0, "PK\x03\x04"sv, "a ZIP archive (also .docx, .xlsx, .jar)"},
    signature{0, "\xD0\xCF\x11\xE0"sv, "an old Office document"},
    signature{0, "\x1F\x8B"sv, "gzip data"},
    signature{0, "BZh"sv, "bzip2 data"},
    signature{0,
              "\xFD"
              "7zXZ"sv,
              "xz data"},
    signature{0, "\x28\xB5\x2F\xFD"sv, "Zstandard data"},
    signature{0, "7z\xBC\xAF"sv, "a 7-Zip archive"},
    signature{257, "ustar"sv, "a tar archive"},
    signature{0,
              "\x7F"
              "ELF"sv,
              "an ELF program"},
    signature{0, "MZ"sv, "a Windows program"},
    signature{0, "\0asm"sv, "a WebAssembly program"},
    signature{0, "SQLite format 3\0"sv, "an SQLite database"},
    signature{0, "ID3"sv, "an MP3 sound"},
    signature{0, "OggS"sv, "an Ogg file"},
    signature{0, "fLaC"sv, "a FLAC sound"},
    signature{4, "ftyp"sv, "an MP4 video"},
};

}  // namespace

std::string_view name_of(text_encoding encoding) noexcept {
  switch (encoding) {
    case text_encoding::utf8:
    case text_encoding::utf8_with_mark:
      return "UTF-8";
    case text_encoding::utf16_little:
    case text_encoding::utf16_big:
      return "UTF-16";
    case text_encoding::windows_1252:
      return "windows-1252";
  }
  return "text";
}

std::optional<decoded_text> decode_text(std::string_view bytes) {
  auto decoded = [](std::optional<std::string> text, text_encoding encoding) -> std::optional<decoded_text> {
    if (!text) return std::nullopt;
    return decoded_text{std::move(*text), encoding};
  };
  if (bytes.starts_with(utf8_mark) && is_plain_text(bytes))
    return decoded(std::string(bytes.substr(utf8_mark.size())), text_encoding::utf8_with_mark);
  if (is_plain_text(bytes)) return decoded(std::string(bytes), text_encoding::utf8);
  if (bytes.starts_with(little_mark)) return decoded(from_utf16(bytes.substr(2), false), text_encoding::utf16_little);
  if (bytes.starts_with(big_mark)) return decoded(from_utf16(bytes.substr(2), true), text_encoding::utf16_big);
  return decoded(from_windows(bytes), text_encoding::windows_1252);
}

core::result<std::string> encode_text(std::string_view text, text_encoding encoding) {
  switch (encoding) {
    case text_encoding::utf8:
      return std::string(text);
    case text_encoding::utf8_with_mark:
      return std::string(utf8_mark) + std::string(text);
    case text_encoding::utf16_little:
    case text_encoding::utf16_big:
      return to_utf16(text, encoding == text_encoding::utf16_big);
    case text_encoding::windows_1252:
      return to_windows(text);
  }
  return std::string(text);
}

std::string_view kind_of_binary(std::string_view bytes) noexcept {
  for (const auto& s : signatures)
    if (bytes.size() >= s.at && bytes.substr(s.at).starts_with(s.bytes)) return s.kind;
  return "binary data";
}

}  // namespace troupe::tools
