#include "transport/net/websocket_handshake.hpp"

#include "transport/net/http_target.hpp"

#include <openssl/evp.h>

#include <array>

namespace troupe::transport {

namespace {

/// A list of extensions is short; a hundred offers are an attack.
constexpr std::size_t longest_offers = 4096;

/// Reads the grammar of Sec-WebSocket-Extensions (RFC 6455 §9.1).
class offer_reader {
 public:
  explicit offer_reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool take(char c) {
    skip_space();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] std::string_view token() {
    skip_space();
    std::size_t size = 0;
    while (size < rest_.size() && is_token_char(rest_[size])) ++size;
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  /// A token, or a token in quotes; empty where there is neither.
  [[nodiscard]] std::string_view value() {
    if (!take('"')) return token();
    const auto out = token();
    return take('"') ? out : std::string_view{};
  }
  [[nodiscard]] bool at_end() {
    skip_space();
    return rest_.empty();
  }

 private:
  static bool is_token_char(char c) {
    constexpr std::string_view separators = "()<>@,;:\\\"/[]?={} \t";
    return c > 0x20 && c < 0x7f && separators.find(c) == separators.npos;
  }
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  std::string_view rest_;
};

std::optional<int> window_bits(std::string_view text) {
  if (text.size() == 1 && (text[0] == '8' || text[0] == '9')) return text[0] - '0';
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') return 10 + text[1] - '0';
  return std::nullopt;
}

/// One offer while its parameters are read. Names that come twice, unknown ones and bad values decline it (RFC 7692 §7.1).
struct offer {
  bool is_acceptable = true;
  bool has_server_bits = false;
  bool has_client_bits = false;
  deflate_parameters agreed;

  void add(std::string_view name, std::optional<std::string_view> value) {
    const auto bits = value ? window_bits(*value) : std::nullopt;
    auto once = [&](bool& seen) { is_acceptable = is_acceptable && !std::exchange(seen, true); };
    if (equal_ignoring_case(name, "server_no_context_takeover") && !value) {
      once(agreed.server_no_context_takeover);
    } else if (equal_ignoring_case(name, "client_no_context_takeover") && !value) {
      once(agreed.client_no_context_takeover);
    } else if (equal_ignoring_case(name, "server_max_window_bits") && bits && *bits >= 9) {  // zlib cannot deflate with 8
      once(has_server_bits);
      agreed.server_window_bits = *bits;
    } else if (equal_ignoring_case(name, "client_max_window_bits") && (bits || !value)) {
      once(has_client_bits);
      agreed.client_window_bits = bits;
    } else {
      is_acceptable = false;
    }
  }
};

}  // namespace

std::optional<deflate_parameters> negotiate_deflate(std::string_view offers) {
  if (offers.size() > longest_offers) return std::nullopt;
  offer_reader in(offers);
  std::optional<deflate_parameters> chosen;
  while (!in.at_end()) {
    if (in.take(',')) continue;
    const auto extension = in.token();
    if (extension.empty()) return std::nullopt;
    offer candidate;
    candidate.is_acceptable = equal_ignoring_case(extension, "permessage-deflate");
    while (in.take(';')) {
      const auto name = in.token();
      std::optional<std::string_view> value;
      if (in.take('=')) value = in.value();
      if (name.empty() || (value && value->empty())) return std::nullopt;
      candidate.add(name, value);
    }
    if (!in.at_end() && !in.take(',')) return std::nullopt;
    if (candidate.is_acceptable && !chosen) chosen = candidate.agreed;
  }
  return chosen;
}

std::string switching_protocols(const std::string& key, const std::optional<deflate_parameters>& deflate) {
  const auto salted = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 §1.3
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  EVP_Digest(salted.data(), salted.size(), hash.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 64> base64{};
  EVP_EncodeBlock(base64.data(), hash.data(), static_cast<int>(size));
  std::string out = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ";
  for (auto c = base64.begin(); *c != 0; ++c) out.push_back(static_cast<char>(*c));
  out.append("\r\n");
  if (deflate) {
    out.append("Sec-WebSocket-Extensions: permessage-deflate");
    if (deflate->server_no_context_takeover) out.append("; server_no_context_takeover");
    if (deflate->client_no_context_takeover) out.append("; client_no_context_takeover");
    if (deflate->server_window_bits < 15)
      out.append("; server_max_window_bits=").append(std::to_string(deflate->server_window_bits));
    if (deflate->client_window_bits)
      out.append("; client_max_window_bits=").append(std::to_string(*deflate->client_window_bits));
    out.append("\r\n");
  }
  return out.append("\r\n");
}

}  // namespace troupe::transport
