#include "app/record/redaction.hpp"

#include "providers/recorded.hpp"
#include "providers/utf8.hpp"

#include <re2/re2.h>
#include <boost/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t least_secret = 6;
constexpr std::size_t max_depth = 32;

/// Each has one group: what is hidden.
const std::vector<const RE2*>& patterns() {
  static const RE2 token(R"((eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*))");
  static const RE2 key(R"(\b((?:sk|pk|rk|xox[abprs]|gh[opsur]|glpat|github_pat|AKIA|AIza)[-_A-Za-z0-9]{16,}))");
  static const RE2 header(
      R"((?i)\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?((?:(?:bearer|basic|token|digest)\s+)?[^\s"',;}\]]+))");
  static const RE2 bearer(R"((?i)\bbearer\s+([A-Za-z0-9._~+/=-]{8,}))");
  static const RE2 named(
      R"((?i)(?:api[-_ ]?key|access[-_]?key|password|passwd|secret|[a-z_-]*token|set-cookie|cookie|private[-_]?key)["']?\s*[:=]\s*["']?([^\s"',;&}\]]{4,}))");
  static const RE2 pem(R"((?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----))");
  static const std::vector<const RE2*> all{&token, &key, &header, &bearer, &named, &pem};
  return all;
}

/// `apiKey`, `X-API-Key`, `access_token`, `password` … but not `max_tokens` or `token_count`.
bool is_secret_name(std::string_view name) {
  std::string plain;
  for (char c : name)
    if (c != '-' && c != '_' && c != ' ') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  static constexpr std::array<std::string_view, 9> endings{"apikey",     "accesskey", "privatekey", "password", "passwd",
                                                           "passphrase", "secret",    "token",      "secretkey"};
  if (plain == "authorization" || plain == "proxyauthorization" || plain == "cookie" || plain == "setcookie" || plain == "jwt")
    return true;
  return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return plain.ends_with(ending); });
}

/// Hides the values of members with such names; true when it did.
bool hide_members(json::value& v) {
  bool is_changed = false;
  if (auto* object = v.if_object()) {
    for (auto& member : *object) {
      bool is_empty = member.value().is_null() || member.value().is_bool() ||
                      (member.value().is_string() && member.value().get_string().empty());
      if (is_secret_name(member.key()) && !is_empty) {
        member.value() = json::string(providers::redacted_text);
        is_changed = true;
      } else {
        is_changed = hide_members(member.value()) || is_changed;
      }
    }
  } else if (auto* list = v.if_array()) {
    for (auto& item : *list) is_changed = hide_members(item) || is_changed;
  }
  return is_changed;
}

}  // namespace

redaction::redaction(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  std::erase_if(secrets_, [](const auto& s) { return s.size() < least_secret; });
  std::sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

redaction redaction::of_process(const core::config* config) {
  std::vector<std::string> secrets;
  auto add = [&](const char* value) {
    if (value) secrets.emplace_back(value);
  };
  if (config) {
    for (const auto& [id, provider] : config->providers)
      if (!provider.api_key_env.empty()) add(std::getenv(provider.api_key_env.c_str()));
    secrets.push_back(config->auth.secret);
  }
  for (char** entry = environ; entry && *entry; ++entry) {
    std::string_view text(*entry);
    auto name = text.substr(0, text.find('='));
    for (std::string_view ending : {"KEY", "TOKEN", "SECRET", "PASSWORD"})
      if (name.ends_with(ending) && name.size() < text.size()) secrets.emplace_back(text.substr(name.size() + 1));
  }
  return redaction(std::move(secrets));
}

redaction::spans redaction::find(std::string_view plain) const {
  spans found;
  for (const auto& secret : secrets_) {
    // Texts are cut at a length of their own, so half of a secret is as good as one.
    auto stem = std::string_view(secret).substr(0, std::max(least_secret, (secret.size() + 1) / 2));
    for (auto at = plain.find(stem); at != std::string_view::npos; at = plain.find(stem, at + 1)) {
      auto same = stem.size();
      while (same < secret.size() && at + same < plain.size() && plain[at + same] == secret[same]) ++same;
      found.emplace_back(at, at + same);
    }
  }
  for (const auto* pattern : patterns()) {
    re2::StringPiece rest(plain.data(), plain.size());
    re2::StringPiece hidden;
    while (RE2::FindAndConsume(&rest, *pattern, &hidden)) {
      auto at = static_cast<std::size_t>(hidden.data() - plain.data());
      if (!plain.substr(at).starts_with(providers::redacted_text)) found.emplace_back(at, at + hidden.size());
      if (rest.empty()) break;
    }
  }
  std::sort(found.begin(), found.end());
  spans out;
  for (const auto& [from, to] : found) {
    if (!out.empty() && from <= out.back().second)
      out.back().second = std::max(out.back().second, to);
    else
      out.emplace_back(from, to);
  }
  return out;
}

std::string redaction::text(std::string_view plain) const {
  std::string kept(plain);
  if (plain.starts_with('{') || plain.starts_with('[')) {
    boost::system::error_code failure;
    auto value = json::parse(plain, failure, {}, {.max_depth = max_depth});
    if (!failure && hide_members(value)) kept = json::serialize(value);
  }
  std::string out;
  std::size_t done = 0;
  for (const auto& [from, to] : find(kept)) {
    out.append(kept, done, from - done).append(providers::redacted_text);
    done = to;
  }
  return out.append(kept, done);
}

void redaction::streamed(std::vector<core::text_pieces*> rows) const {
  std::string whole;
  for (const auto* row : rows) whole += row->text;
  auto hidden = find(whole);
  if (hidden.empty()) return;
  std::size_t at = 0;    // in `whole`
  std::size_t next = 0;  // of `hidden`
  for (auto* row : rows) {
    core::text_pieces kept;
    for (auto length : row->lengths) {
      std::string piece;
      for (auto end = at + length; at < end;) {
        if (next < hidden.size() && at >= hidden[next].first) {
          if (at == hidden[next].first) piece += providers::redacted_text;
          at = std::min<std::size_t>(end, hidden[next].second);
          if (at == hidden[next].second) ++next;
          continue;
        }
        auto until = next < hidden.size() ? std::min<std::size_t>(end, hidden[next].first) : end;
        piece.append(whole, at, until - at);
        at = until;
      }
      if (!piece.empty()) kept.add(piece);
    }
    *row = std::move(kept);
  }
}

void redaction::events(std::vector<core::event>& all) const {
  std::map<std::pair<core::message_id, bool>, std::vector<core::text_pieces*>> rows;
  auto hide = [this](auto& payload) {
    auto apply = [this](std::string& s) { s = text(s); };
    if constexpr (requires { payload.content; }) apply(payload.content);
    if constexpr (requires { payload.calls; })
      for (auto& call : payload.calls) apply(call.arguments);
    if constexpr (requires { payload.input; }) apply(payload.input);
    if constexpr (requires { payload.output; }) apply(payload.output);
    if constexpr (requires { payload.action; }) apply(payload.action);
    if constexpr (requires { payload.note; }) apply(payload.note);
    if constexpr (requires { payload.edited_input; }) apply(payload.edited_input);
    if constexpr (requires { payload.text; }) apply(payload.text);
    if constexpr (requires { payload.question; }) apply(payload.question);
    if constexpr (requires { payload.summary; }) apply(payload.summary);
  };
  for (auto& e : all) {
    if (auto* said = std::get_if<core::text_delta>(&e.payload)) rows[{said->message, false}].push_back(&said->pieces);
    if (auto* thought = std::get_if<core::reasoning_delta>(&e.payload))
      rows[{thought->message, true}].push_back(&thought->pieces);
    std::visit(hide, e.payload);
  }
  for (auto& [key, pieces] : rows) streamed(std::move(pieces));
}

void redaction::notes(live_notes& all) const {
  for (auto& a : all.attempts) a.error.text = text(a.error.text);
  for (auto& r : all.refused) {
    if (auto* message = std::get_if<core::send_message>(&r.command)) message->content = text(message->content);
    if (auto* decision = std::get_if<core::decide_approval>(&r.command)) {
      decision->note = text(decision->note);
      decision->edited_input = text(decision->edited_input);
    }
  }
}

void redaction::file(std::shared_ptr<const std::string>& bytes) const {
  if (bytes && providers::scan_utf8(*bytes).valid == bytes->size()) bytes = std::make_shared<const std::string>(text(*bytes));
}

}  // namespace troupe::app
