#include "tools/http/exchange.hpp"
#include "tools/http/http_tools.hpp"
#include "tools/http/tool_basis.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace troupe::tools {

namespace json = boost::json;

namespace {

constexpr const char* usual_description =
    "Sends one HTTP request and gives the status, the main headers and the body of the response. Redirects are followed. Text "
    "is "
    "given as text, images and PDF documents as files.";

class http_request_tool final : public tool {
 public:
  http_request_tool(tool_spec spec, exchange_rules rules, std::string usual_method, providers::curl_loop& loop)
      : tool(std::move(spec)),
        rules_(std::make_shared<const exchange_rules>(std::move(rules))),
        usual_method_(std::move(usual_method)),
        loop_(loop) {}

  std::unique_ptr<running_call> start(const tool_context&, const json::object& arguments,
                                      std::shared_ptr<call_listener> listener) const override {
    outgoing_request out;
    const auto* method = arguments.if_contains("method");
    out.method = method == nullptr ? usual_method_ : std::string(std::string_view(method->as_string()));
    auto url = parse_url(arguments.at("url").as_string());
    if (!url) return refuse(listener, url.error().text);
    if (!rules_->hosts.holds(url->host))
      return refuse(listener, "`" + url->host + "` is not among the hosts that `" + spec().name +
                                  "` may reach; an operator can add it to `hosts`");
    out.url = std::move(*url);

    if (const auto* headers = arguments.if_contains("headers"))
      for (const auto& h : headers->as_object())
        out.headers.push_back({std::string(h.key()), std::string(std::string_view(h.value().as_string()))});
    if (auto fit = check_headers(out.headers); !fit) return refuse(listener, fit.error().text);

    const auto* body = arguments.if_contains("body");
    if (body != nullptr && !body->is_null()) {
      if (!takes_body(out.method)) return refuse(listener, "a " + out.method + " request has no body; leave it out");
      out.body = body->is_string() ? std::string(std::string_view(body->get_string())) : json::serialize(*body);
      if (out.body.size() > max_request_body)
        return refuse(listener, "the body is larger than " + std::to_string(max_request_body) + " bytes");
      if (!has_header(out.headers, "content-type"))
        out.headers.push_back({"Content-Type", body->is_string() ? "text/plain; charset=utf-8" : "application/json"});
    }
    return start_exchange(loop_, rules_, std::move(out), std::move(listener));
  }

 private:
  std::shared_ptr<const exchange_rules> rules_;
  std::string usual_method_;
  providers::curl_loop& loop_;
};

std::string parameters_of(const std::vector<std::string>& methods) {
  json::array names;
  for (const auto& m : methods) names.emplace_back(m);
  json::object method{{"type", "string"}, {"enum", names}, {"description", "default: " + methods.front()}};
  json::object properties{
      {"method", std::move(method)},
      {"url", {{"type", "string"}, {"maxLength", max_url_bytes}, {"description", "an absolute http:// or https:// URL"}}},
      {"headers", {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}}},
      {"body", {{"description", "text is sent as it is; any other JSON value is sent as application/json"}}}};
  return json::serialize(json::object{{"type", "object"},
                                      {"properties", std::move(properties)},
                                      {"required", json::array{"url"}},
                                      {"additionalProperties", false}});
}

}  // namespace

core::result<std::unique_ptr<tool>> make_http_request(const core::tool_config& given, providers::curl_loop& loop,
                                                      providers::address_filter allows) {
  auto config = given;
  if (config.name.empty()) config.name = "http_request";
  if (config.kind.empty()) config.kind = "http_request";
  if (config.description.empty()) config.description = usual_description;
  if (auto good = check_basis(config); !good) return good.error();
  auto methods = config.methods;
  if (methods.empty()) methods.assign(http_methods.begin(), http_methods.end());
  auto effect = core::effect::read_only;
  for (const auto& m : methods) {
    if (!is_http_method(m))
      return wrong_tool(config.name, "methods: `" + m + "` is none of GET, HEAD, OPTIONS, PUT, DELETE, POST, PATCH");
    effect = std::max(effect, effect_of_method(m));
  }
  auto hosts = host_list::parse(config.hosts);
  if (!hosts) return wrong_tool(config.name, hosts.error().text);
  auto rules = rules_of(config, config.name);
  rules.hosts = std::move(*hosts);
  if (allows) rules.allows = std::move(allows);

  // GET where it may be sent.
  if (auto get = std::find(methods.begin(), methods.end(), "GET"); get != methods.end())
    std::rotate(methods.begin(), get, get + 1);
  auto spec = basic_spec(config, effect);
  spec.parameters = parameters_of(methods);
  return std::unique_ptr<tool>(std::make_unique<http_request_tool>(std::move(spec), std::move(rules), methods.front(), loop));
}

}  // namespace troupe::tools
