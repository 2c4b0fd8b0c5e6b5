// Tables of `providers` and `prices`.
#include "app/configuration.hpp"
#include "app/configuration_fields.hpp"

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

struct provider_draft {
  provider_config config;
  std::string script_file;
};

void read_kind(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  constexpr std::array<std::string_view, 2> kinds{"scripted", "openai"};
  for (std::string_view later : {"anthropic", "websocket", "recorded"})
    if (at.value.is_string() && at.value.get_string() == later)
      at.fail("\"" + std::string(later) + "\" is not supported by this build yet");
  to.config.kind = at.one_of(kinds);
}

void read_base_url(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  auto url = at.text(2048);
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    at.fail("expected a URL that begins with http:// or https://");
  while (url.ends_with('/')) url.pop_back();
  to.config.base_url = url;
}

void read_key_name(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  to.config.api_key_env = variable_name(at);
}

void read_script(const node& at, provider_draft& to, std::int64_t, std::int64_t) {
  to.config.script = json::serialize(at.object());
}

constexpr std::array provider_fields{
    field<provider_draft>{"kind", read_kind, [](const provider_draft& p) -> json::value { return json::value(p.config.kind); }},
    field<provider_draft>{"base_url", read_base_url,
                          [](const provider_draft& p) -> json::value { return json::value(p.config.base_url); }},
    field<provider_draft>{"api_key_env", read_key_name,
                          [](const provider_draft& p) -> json::value { return json::value(p.config.api_key_env); }},
    field<provider_draft>{"script", read_script,
                          [](const provider_draft& p) -> json::value { return json::value(p.config.script); }},
    field<provider_draft>{
        "script_file", [](const node& at, provider_draft& to, std::int64_t, std::int64_t) { to.script_file = at.text(4096); }},
    object < provider_draft, [](auto& p) -> auto& {return p.config.timeouts;
}  // namespace
, timeout_fields > ("timeouts_ms"), number < provider_draft, [](auto& p) -> auto& { return p.config.max_concurrent; }
> ("max_concurrent", 1, 100'000), number < provider_draft, [](auto& p) -> auto& { return p.config.max_retries; }
> ("max_retries", 0, 10),
};  // namespace troupe::app

void read_providers(const node& at, document& to, std::int64_t, std::int64_t) {
  each_entry(at, [&](std::string name, const node& entry) {
    provider_draft draft;
    draft.config.id.value = name;
    read_fields<provider_draft>(entry, draft, provider_fields);
    auto& p = draft.config;
    if (p.kind.empty()) entry.fail("needs a \"kind\": scripted or openai");
    if (!p.script.empty() && !draft.script_file.empty()) entry.fail("has \"script\" and \"script_file\"; keep one");
    bool is_scripted = p.kind == "scripted";
    if (!is_scripted && (!p.script.empty() || !draft.script_file.empty()))
      entry.fail("only a \"scripted\" provider has a script");
    if (is_scripted && (!p.base_url.empty() || !p.api_key_env.empty()))
      entry.fail("a \"scripted\" provider has no base_url and no key");
    if (!is_scripted && p.base_url.empty()) p.base_url = openai_base_url;
    if (!draft.script_file.empty()) to.script_files[p.id] = draft.script_file;
    to.config.providers[p.id] = std::move(p);
  });
}

json::value write_providers(const document& from) {
  json::object out;
  for (const auto& [id, p] : from.config.providers) out[id.str()] = write_fields<provider_draft>({p, {}}, provider_fields);
  return out;
}

// ---- prices: US dollars per million tokens in the file, nano-dollars per token inside ----

struct price_draft {
  std::optional<double> input, cached_input, output;
};

template <auto Member>
constexpr field<price_draft> dollars(std::string_view key) {
  return {key, [](const node& at, price_draft& to, std::int64_t, std::int64_t) { to.*Member = at.number(0, 1'000'000); },
          [](const price_draft& from) -> json::value { return json::value((from.*Member).value_or(0)); }};
}

constexpr std::array price_fields{dollars<&price_draft::input>("input"), dollars<&price_draft::cached_input>("cached_input"),
                                  dollars<&price_draft::output>("output")};

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
