// `token`: API keys for `auth.api_keys` of the configuration, which keeps their SHA-256 only.
#include "app/cli/commands.hpp"
#include "app/cli/outcome.hpp"
#include "app/cli/terminal.hpp"
#include "transport/auth.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <sys/random.h>
#include <unistd.h>

#include <array>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t longest_api_key = 4096;

std::string random_key() {
  std::array<unsigned char, key_bytes> bytes{};
  for (std::size_t have = 0; have < bytes.size();) {
    auto got = ::getrandom(bytes.data() + have, bytes.size() - have, 0);
    if (got < 0) return {};
    have += static_cast<std::size_t>(got);
  }
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (auto b : bytes) out += {hex[b >> 4U], hex[b & 15U]};
  return out;
}

/// The first line of stdin; empty where there is none.
std::string read_key() {
  std::string text;
  std::array<char, 512> piece{};
  while (text.size() < longest_api_key && text.find('\n') == std::string::npos) {
    auto got = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

int make_token(const token_new_options& options) {
  auto key = random_key();
  if (key.empty()) return failed({core::errc::internal_error, "the kernel gave no random bytes"}, options.json);
  auto scopes = options.scopes.empty() ? std::vector<std::string>{"read", "chat", "approve"} : options.scopes;
  json::object entry{
      {"name", options.name}, {"sha256", transport::sha256_hex(key)}, {"scopes", json::array(scopes.begin(), scopes.end())}};
  if (options.json) return print_json({{"key", key}, {"apiKey", std::move(entry)}});
  auto text = "key (shown once, stored nowhere): " + key + "\n\nfor \"auth\": {\"api_keys\": [ ... ]} of the configuration:\n" +
              json::serialize(entry) + "\n\nuse: TROUPE_TOKEN=" + key + " troupe sessions\n";
  return put(text) ? 0 : 1;
}

int hash_token(const token_hash_options& options) {
  if (::isatty(STDIN_FILENO) == 1) complain("type the key, then Enter");
  auto key = read_key();
  if (key.empty())
    return failed(
        {core::errc::validation_error, "there is no key on stdin; for example: printf %s \"$KEY\" | troupe token hash"},
        options.json);
  auto hash = transport::sha256_hex(key);
  if (options.json) return print_json({{"sha256", hash}});
  return put(hash + "\n") ? 0 : 1;
}

}  // namespace troupe::app
