#include "core/ids.hpp"

namespace troupe::core {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::uint64_t fnv1a(std::string_view text, std::uint64_t hash) noexcept {
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace

std::string uuid::hex() const {
  std::string out(32, '0');
  for (int i = 0; i < 16; ++i) {
    out[static_cast<std::size_t>(i)] = hex_digits[(hi >> (60 - 4 * i)) & 15];
    out[static_cast<std::size_t>(16 + i)] = hex_digits[(lo >> (60 - 4 * i)) & 15];
  }
  return out;
}

std::string uuid::str() const {
  auto out = hex();
  for (std::size_t at : {8U, 13U, 18U, 23U}) out.insert(at, 1, '-');
  return out;
}

std::optional<uuid> uuid::parse(std::string_view text) noexcept {
  if (text.size() != 36) return std::nullopt;
  uuid out;
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    int v = hex_value(text[i]);
    if (v < 0) return std::nullopt;
    auto& half = digits < 16 ? out.hi : out.lo;
    half = (half << 4) | static_cast<std::uint64_t>(v);
    ++digits;
  }
  return out;
}

uuid uuid_of_name(std::string_view text) noexcept {
  uuid out{fnv1a(text, 0xcbf29ce484222325ULL), 0};
  out.lo = fnv1a(text, out.hi ^ 0x9E3779B97F4A7C15ULL);
  out.hi = (out.hi & ~0xF000ULL) | 0x8000ULL;
  out.lo = (out.lo & ~(3ULL << 62)) | (2ULL << 62);
  return out;
}

}  // namespace troupe::core
