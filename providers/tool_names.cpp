#include "providers/tool_names.hpp"

namespace troupe::providers {

namespace {

constexpr std::size_t max_tool_name = 64;

bool is_plain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// FNV-1a in eight hexadecimal digits.
std::string checksum(std::string_view text) {
  std::uint32_t hash = 0x811c9dc5U;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193U;
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[hash >> shift & 15U];
  return out;
}

}  // namespace

std::string wire_name(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c == '.')
      out += "__";
    else
      out += is_plain(c) ? c : '_';
  }
  if (out.empty()) return "unnamed";
  if (out.size() > max_tool_name) out = out.substr(0, max_tool_name - 9) + "_" + checksum(name);
  return out;
}

std::string own_tool_name(const std::vector<tool_description>* tools, const std::string& name) {
  if (tools != nullptr)
    for (const auto& tool : *tools)
      if (wire_name(tool.name) == name) return tool.name;
  return name;
}

}  // namespace troupe::providers
