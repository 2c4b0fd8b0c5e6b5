// Tables of `providers` and `prices`.
#include "app/configuration.hpp"
#include "app/configuration_fields.hpp"
#include "providers/websocket_message.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::app {

namespace json = boost::json;
using namespace core;

namespace {

constexpr std::array timeout_fields{
    number<provider_timeouts, &provider_timeouts::connect>("connect", 1, hour_ms),
    number<provider_timeouts, &provider_timeouts::first_byte>("first_byte", 1, hour_ms),
    number<provider_timeouts, &provider_timeouts::idle>("idle", 1, hour_ms),
    number<provider_timeouts, &provider_timeouts::total>("total", 1, 24 * hour_ms),
};

constexpr std::array breaker_fields{
    number<provider_config, &provider_config::breaker_failures>("failures", 0, 1'000'000),
    number<provider_config, &provider_config::breaker_open>("open_ms", 1, hour_ms),
};

struct provider_draft {
  provider_config config;
  std::string script_file;
  bool names_key = false;  ///< `api_key_env` is there, be it empty
};

struct provider_kind {
  std::string_view name;
  std::string_view scheme{};        ///< of its URLs, with TLS; empty: the kind has no URL, no key and no network
  std::string_view base_url{};      ///< its default
  std::string_view key_variable{};  ///< the default of `api_key_env`
};
constexpr std::array kinds{
    provider_kind{"scripted"}, provider_kind{"recorded"}, provider_kind{"openai", "https", openai_base_url},
    provider_kind{"anthropic", "https", anthropic_base_url, anthropic_key_variable}, provider_kind{"websocket", "wss"}};

void read_kind(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  std::vector<std::string_view> names;
  for (const auto& kind : kinds) names.push_back(kind.name);
  to.config.kind = at.one_of(names);
}

bool begins_with_one_of(std::string_view url, std::initializer_list<std::string_view> schemes) {
  return std::any_of(schemes.begin(), schemes.end(), [&](auto scheme) { return url.starts_with(scheme); });
}

void read_base_url(const node& at, provider_draft& to, std::int64_t, std::int64_t) { to.config.base_url = at.text(2048); }

/// Which URLs are right depends on the kind.
void check_base_url(const node& at, std::string_view tls, std::string& url) {
  auto plain = tls.substr(0, tls.size() - 1);
  auto begins = [&](std::string_view scheme) {
    return url.starts_with(scheme) && url.substr(scheme.size()).starts_with("://");
  };
  if (!begins(plain) && !begins(tls))
    at.fail("expected a URL that begins with " + std::string(plain) + ":// or " + std::string(tls) + "://");
  if (tls != "wss")  // whose last slash counts
    while (url.ends_with('/')) url.pop_back();
}

void read_message(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  auto text = json::serialize(at.object());
  if (auto parsed = providers::message_template::parse(text); !parsed) at.fail(parsed.error().text);
  to.config.message = text;
}

void read_key_name(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  to.config.api_key_env = variable_name(at);
  to.names_key = true;
}

void read_script(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  to.config.script = json::serialize(at.object());
}

void read_script_file(const node& at, provider_draft& to, std::int64_t, std::int64_t) { to.script_file = at.text(4096); }

void read_cassette(const node& at, provider_draft& to, std::int64_t, std::int64_t) { to.config.cassette = at.text(4096); }

void read_ca_file(const node& at, provider_draft& to, std::int64_t, std::int64_t) { to.config.ca_file = at.text(4096); }

/// The fault does not repeat the text: it may hold a password.
void read_proxy(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  auto url = at.text(2048);
  if (!url.empty() && !begins_with_one_of(url, {"http://", "https://", "socks4://", "socks4a://", "socks5://", "socks5h://"}))
    at.fail("expected the URL of a proxy, such as http://proxy.example:3128");
  if (url.find('@') != std::string::npos)
    at.fail("must not hold a name and password; leave it out and set the environment variable https_proxy instead");
  to.config.proxy = url;
}

template <auto Member>
json::value written(const provider_draft& from) {
  return json::value(from.config.*Member);
}

constexpr auto timeouts = [](auto& p) -> auto& { return p.config.timeouts; };
constexpr auto max_concurrent = [](auto& p) -> auto& { return p.config.max_concurrent; };
constexpr auto max_retries = [](auto& p) -> auto& { return p.config.max_retries; };
constexpr auto whole_provider = [](auto& p) -> auto& { return p.config; };

constexpr std::array provider_fields{
    field<provider_draft>{"kind", read_kind, written<&provider_config::kind>},
    field<provider_draft>{"base_url", read_base_url, written<&provider_config::base_url>},
    field<provider_draft>{"api_key_env", read_key_name, written<&provider_config::api_key_env>},
    field<provider_draft>{"script", read_script, written<&provider_config::script>},
    field<provider_draft>{"script_file", read_script_file},
    field<provider_draft>{"cassette", read_cassette, written<&provider_config::cassette>},
    field<provider_draft>{"message", read_message, written<&provider_config::message>},
    field<provider_draft>{"ca_file", read_ca_file, written<&provider_config::ca_file>},
    field<provider_draft>{"proxy", read_proxy, written<&provider_config::proxy>},
    object<provider_draft, timeouts, timeout_fields>("timeouts_ms"),
    number<provider_draft, max_concurrent>("max_concurrent", 1, 100'000),
    number<provider_draft, max_retries>("max_retries", 0, 10),
    object<provider_draft, whole_provider, breaker_fields>("breaker"),
};

void finish_provider(const node& entry, provider_draft& draft) {
  auto& p = draft.config;
  auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.name == p.kind; });
  if (kind == kinds.end()) entry.fail("needs a \"kind\": scripted, recorded, openai, anthropic or websocket");
  if (!p.script.empty() && !draft.script_file.empty()) entry.fail("has \"script\" and \"script_file\"; keep one");
  if (p.kind != "scripted" && (!p.script.empty() || !draft.script_file.empty()))
    entry.fail("only a \"scripted\" provider has a script");
  if (p.kind == "recorded" && p.cassette.empty()) entry.fail("needs \"cassette\", the file of a recording");
  if (p.kind != "recorded" && !p.cassette.empty()) entry.fail("only a \"recorded\" provider has a cassette");
  bool is_remote = !kind->scheme.empty();
  if (!is_remote && (!p.base_url.empty() || !p.api_key_env.empty() || !p.ca_file.empty() || !p.proxy.empty()))
    entry.fail("a \"" + p.kind + "\" provider has no base_url, no key, no ca_file and no proxy");
  bool is_websocket = p.kind == "websocket";
  if (!is_websocket && !p.message.empty()) entry.fail("only a \"websocket\" provider has a message");
  if (is_websocket && !p.proxy.empty() && !p.proxy.starts_with("http://"))
    entry.fail("a \"websocket\" provider takes an http:// proxy only");
  if (is_websocket && p.base_url.empty()) entry.fail("needs a \"base_url\", such as wss://model.example/chat");
  if (p.base_url.empty()) p.base_url = kind->base_url;
  if (is_remote) check_base_url(entry.child("base_url", entry.value), kind->scheme, p.base_url);
  if (!draft.names_key) p.api_key_env = kind->key_variable;
}

void read_providers(const node& at, document& to, std::int64_t, std::int64_t) {
  each_entry(at, [&](std::string name, const node& entry) {
    provider_draft draft;
    draft.config.id.value = name;
    read_fields<provider_draft>(entry, draft, provider_fields);
    finish_provider(entry, draft);
    auto& p = draft.config;
    if (!draft.script_file.empty()) to.script_files[p.id] = draft.script_file;
    to.config.providers[p.id] = std::move(p);
  });
}

json::value write_providers(const document& from) {
  json::object out;
  for (const auto& [id, p] : from.config.providers)
    out[id.str()] = write_fields<provider_draft>({p, {}, true}, provider_fields);
  return out;
}

// ---- prices: US dollars per million tokens in the file, nano-dollars per token inside ----

struct price_draft {
  std::optional<double> input, cached_input, output;
};

template <auto Member>
constexpr field<price_draft> price_dollars(std::string_view key) {
  return {key, [](const node& at, price_draft& to, std::int64_t, std::int64_t) { to.*Member = at.number(0, 1'000'000); },
          [](const price_draft& from) -> json::value { return json::value((from.*Member).value_or(0)); }};
}

constexpr std::array price_fields{price_dollars<&price_draft::input>("input"),
                                  price_dollars<&price_draft::cached_input>("cached_input"),
                                  price_dollars<&price_draft::output>("output")};

void read_prices(const node& at, document& to, std::int64_t, std::int64_t) {
  if (at.object().size() > max_entries) at.fail("has more than " + std::to_string(max_entries) + " entries");
  auto nano = [](double usd_per_million) { return static_cast<std::int64_t>(std::llround(usd_per_million * 1000)); };
  for (const auto& member : at.object()) {
    auto entry = at.child(member.key(), member.value());
    auto slash = member.key().find('/');
    if (slash == json::string_view::npos || slash == 0 || slash + 1 == member.key().size())
      entry.fail("expected a key of the form \"provider/model\"");
    price_draft draft;
    read_fields<price_draft>(entry, draft, price_fields);
    if (!draft.input || !draft.output) entry.fail("needs \"input\" and \"output\", in US dollars per million tokens");
    to.prices[member.key()] = {nano(*draft.input), nano(draft.cached_input.value_or(*draft.input)), nano(*draft.output)};
  }
}

}  // namespace

std::string variable_name(const node& at) {
  auto name = at.text();
  if (name.size() > 128 || !std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      }))
    at.fail("expected the name of an environment variable that holds the key, such as OPENAI_API_KEY, not the key itself");
  return name;
}

field<document> providers_field() {
  return {"providers", read_providers, write_providers, [](const std::string& at, std::vector<std::string>& out) {
            list_fields<provider_draft>(at + "/*", provider_fields, out);
          }};
}

field<document> prices_field() {
  return {"prices", read_prices, nullptr,
          [](const std::string& at, std::vector<std::string>& out) { list_fields<price_draft>(at + "/*", price_fields, out); }};
}

}  // namespace troupe::app
