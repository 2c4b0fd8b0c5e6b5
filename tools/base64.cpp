#include "tools/base64.hpp"

#include <openssl/evp.h>

namespace troupe::tools {

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  auto written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                 reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(written));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty()) return std::string();
  // OpenSSL passes over blanks around it, which would make the length below wrong.
  if (text.size() % 4 != 0 || text.find_first_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.substr(0, text.size() - padding).find('=') != std::string_view::npos) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size())) < 0)
    return std::nullopt;
  out.resize(out.size() - padding);
  return out;
}

std::optional<std::string> from_loose_base64(std::string_view text) {
  std::string tight;
  tight.reserve(text.size() + 3);
  for (char c : text)
    if (c != '\n' && c != '\r' && c != ' ') tight += c;
  while (tight.size() % 4 != 0 && !tight.ends_with("==")) tight += '=';
  return from_base64(tight);
}

}  // namespace troupe::tools
