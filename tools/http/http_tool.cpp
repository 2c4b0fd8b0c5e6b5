#include "tools/http/body_template.hpp"
#include "tools/http/exchange.hpp"
#include "tools/http/http_tools.hpp"
#include "tools/http/tool_basis.hpp"
#include "tools/http/url_template.hpp"
#include "tools/schema.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <optional>

namespace troupe::tools {

namespace json = boost::json;

namespace {

struct endpoint {
  std::string method;
  url_template url;
  std::optional<body_template> body;
  std::vector<http_header> headers;
};

/// W3C Trace Context §3.2: the run's trace, and a span of its own for this call. Empty where there is no trace.
std::string traceparent_of(const tool_context& context) {
  if (context.trace.is_nil() || !context.environment) return {};
  auto span = context.environment->random_uuid().lo | 1U;  // never 0
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(span));
  return "00-" + context.trace.value.hex() + "-" + text + "-01";
}

class declared_http_tool final : public tool {
 public:
  declared_http_tool(tool_spec spec, exchange_rules rules, endpoint to, providers::curl_loop& loop)
      : tool(std::move(spec)),
        rules_(std::make_shared<const exchange_rules>(std::move(rules))),
        to_(std::move(to)),
        loop_(loop) {}

  std::unique_ptr<running_call> start(const tool_context& context, const json::object& arguments,
                                      std::shared_ptr<call_listener> listener) const override {
    json::object rest;
    for (const auto& argument : arguments)
      if (!to_.url.names().contains(argument.key()) && !(to_.body && to_.body->names().contains(argument.key())))
        rest.emplace(argument.key(), argument.value());

    outgoing_request out;
    out.method = to_.method;
    out.headers = to_.headers;
    bool has_json = to_.body || (to_.method != "DELETE" && takes_body(to_.method));
    auto url = to_.url.fill(arguments, to_.body || !has_json ? rest : json::object{});
    if (!url) return refuse(listener, url.error().text);
    out.url = std::move(*url);
    if (has_json) {
      out.body = to_.body ? to_.body->fill(arguments) : json::serialize(rest);
      if (out.body.size() > max_request_body)
        return refuse(listener, "the body is larger than " + std::to_string(max_request_body) + " bytes");
      if (!has_header(out.headers, "content-type")) out.headers.push_back({"Content-Type", "application/json"});
    }
    if (spec().effect == core::effect::idempotent && !context.idempotency_key.empty())
      out.headers.push_back({"Idempotency-Key", context.idempotency_key});
    if (auto trace = traceparent_of(context); !trace.empty()) out.headers.push_back({"traceparent", std::move(trace)});
    return start_exchange(loop_, rules_, std::move(out), std::move(listener));
  }

 private:
  std::shared_ptr<const exchange_rules> rules_;
  endpoint to_;
  providers::curl_loop& loop_;
};

/// Every placeholder must be a parameter, else no model could ever fill it.
std::optional<std::string> unknown_name(const std::set<std::string, std::less<>>& names, const json::object* properties) {
  for (const auto& name : names)
    if (properties == nullptr || !properties->contains(name)) return name;
  return std::nullopt;
}

}  // namespace

core::result<std::unique_ptr<tool>> make_http_tool(const core::tool_config& config, providers::curl_loop& loop,
                                                   providers::address_filter allows) {
  auto wrong = [&](const std::string& text) { return wrong_tool(config.name, text); };
  if (auto good = check_basis(config); !good) return good.error();
  auto url = url_template::parse(config.url);
  if (!url) return wrong(url.error().text);
  endpoint to{config.method.empty() ? "GET" : config.method, std::move(*url), {}, {}};
  if (!is_http_method(to.method))
    return wrong("method: `" + to.method + "` is none of GET, HEAD, OPTIONS, PUT, DELETE, POST, PATCH");

  if (!config.body.empty()) {
    if (!takes_body(to.method)) return wrong("body: a " + to.method + " request has none; remove it, or set method to POST");
    auto body = body_template::parse(config.body);
    if (!body) return wrong(body.error().text);
    to.body = std::move(*body);
  }
  for (const auto& [name, value] : config.headers) to.headers.push_back({name, value});
  if (auto fit = check_headers(to.headers); !fit) return wrong("headers: " + fit.error().text);

  auto spec = basic_spec(config, effect_of_method(to.method));
  spec.parameters = config.parameters.empty() ? R"({"type":"object","properties":{}})" : config.parameters;
  auto schema = parse_bounded(spec.parameters, "the schema");
  if (!schema) return wrong("parameters: " + schema.error().text);
  const auto* object = schema->if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains("properties");
  const auto* properties = member == nullptr ? nullptr : member->if_object();
  constexpr const char* remedy = " is no property of parameters; add it there, or correct the name";
  if (auto name = unknown_name(to.url.names(), properties)) return wrong("url: {" + *name + "}" + remedy);
  if (to.body)
    if (auto name = unknown_name(to.body->names(), properties)) return wrong("body: ${" + *name + "}" + remedy);

  auto rules = rules_of(config, config.name);
  rules.is_open = false;
  if (allows) rules.allows = std::move(allows);
  return std::unique_ptr<tool>(std::make_unique<declared_http_tool>(std::move(spec), std::move(rules), std::move(to), loop));
}

}  // namespace troupe::tools
