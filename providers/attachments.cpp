#include "providers/attachments.hpp"

#include <algorithm>
#include <array>

namespace troupe::providers {

std::string media_type(std::string_view content_type) {
  std::string out;
  for (char c : content_type.substr(0, content_type.find(';')))
    if (static_cast<unsigned char>(c) > ' ') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

attachment_use use_of(const core::attachment& file, bool takes_images, bool takes_files) {
  constexpr std::array<std::string_view, 4> images{"image/png", "image/jpeg", "image/gif", "image/webp"};
  auto type = media_type(file.content_type);
  if (std::find(images.begin(), images.end(), type) != images.end())
    return takes_images ? attachment_use::image : attachment_use::name;
  bool is_text = type.starts_with("text/") || type == "application/json";
  if (is_text && file.size <= max_inline_text) return attachment_use::text;
  bool is_media = type.starts_with("image/") || type.starts_with("audio/") || type.starts_with("video/");
  return takes_files && !is_media ? attachment_use::file : attachment_use::name;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    auto group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= group.size() ? digits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::string data_url(std::string_view media_type, std::string_view bytes) {
  return "data:" + std::string(media_type) + ";base64," + base64(bytes);
}

std::string described(const core::attachment& file) {
  return "[Attached file, not shown: " + file.name + ", " + file.content_type + ", " + std::to_string(file.size) + " bytes]";
}

std::string inlined(const core::attachment& file, const std::string& data) {
  return "[Attached file: " + file.name + "]\n" + data;
}

given_attachment given(const core::attachment& file, const model_request& request) {
  auto use = use_of(file, request.takes_images, request.takes_files);
  if (use == attachment_use::name || !request.files) return {};
  auto known = request.files->find(file.file);
  if (known == request.files->end() || !known->second->data) return {};
  const auto& data = *known->second->data;
  if (data.empty() && use != attachment_use::text) return {};
  return {use, &data};
}

}  // namespace troupe::providers
