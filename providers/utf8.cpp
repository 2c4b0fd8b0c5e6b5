#include "providers/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace troupe::providers {

namespace {

struct lead_byte {
  std::size_t length = 0;  // 0: cannot begin a character
  unsigned char low = 0x80;
  unsigned char high = 0xBF;  // of the second byte
};

lead_byte lead_of(unsigned char c) noexcept {
  if (c < 0x80) return {1, 0, 0};
  if (c < 0xC2) return {};
  if (c < 0xE0) return {2, 0x80, 0xBF};
  if (c == 0xE0) return {3, 0xA0, 0xBF};
  if (c == 0xED) return {3, 0x80, 0x9F};
  if (c < 0xF0) return {3, 0x80, 0xBF};
  if (c == 0xF0) return {4, 0x90, 0xBF};
  if (c < 0xF4) return {4, 0x80, 0xBF};
  if (c == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

}  // namespace

utf8_scan scan_utf8(std::string_view bytes) noexcept {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t i = 0;
  while (i < bytes.size()) {
    std::uint64_t word = 0;
    while (i + sizeof(word) <= bytes.size()) {
      std::memcpy(&word, bytes.data() + i, sizeof(word));
      if ((word & 0x8080808080808080ULL) != 0) break;
      i += sizeof(word);
    }
    if (i == bytes.size()) break;
    auto lead = lead_of(at(i));
    if (lead.length == 0) return {i, false};
    for (std::size_t k = 1; k < lead.length; ++k) {
      if (i + k == bytes.size()) return {i, true};
      auto c = at(i + k);
      if (c < (k == 1 ? lead.low : 0x80) || c > (k == 1 ? lead.high : 0xBF)) return {i, false};
    }
    i += lead.length;
  }
  return {i, false};
}

std::string to_utf8(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    auto scan = scan_utf8(bytes);
    out.append(bytes.substr(0, scan.valid));
    bytes.remove_prefix(scan.valid);
    if (bytes.empty()) break;
    out.append("\xEF\xBF\xBD");
    bytes.remove_prefix(scan.truncated ? bytes.size() : 1);
  }
  return out;
}

std::string bounded_text(std::string_view text, std::size_t limit) {
  auto head = text.substr(0, limit);
  if (head.size() < text.size()) {
    auto scan = scan_utf8(head);
    if (scan.truncated) head = head.substr(0, scan.valid);
  }
  auto out = to_utf8(head);
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  if (head.size() < text.size()) out += "…";
  return out;
}

bool utf8_gate::feed(std::string_view bytes, std::string& out) {
  if (held_.empty()) {
    auto scan = scan_utf8(bytes);
    auto rest = bytes.substr(scan.valid);
    if (!rest.empty() && !scan.truncated) return false;
    out.append(bytes.substr(0, scan.valid));
    held_ = rest;
    return true;
  }
  held_.append(bytes);
  auto joined = std::move(held_);
  held_.clear();
  return feed(joined, out);
}

}  // namespace troupe::providers
