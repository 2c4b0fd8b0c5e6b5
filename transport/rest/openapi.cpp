#include "transport/rest/openapi.hpp"

#include "transport/auth.hpp"
#include "transport/rest/openapi_errors.hpp"
#include "transport/rest/openapi_parameters.hpp"
#include "transport/rest/openapi_schemas.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <stdexcept>

namespace troupe::transport {

namespace json = boost::json;

namespace {

// What stands in the document before anything of the routes.
constexpr std::string_view preface = R"json({
"openapi": "3.1.0",
"info": {"title": "Troupe", "version": "", "description": "A server that runs AI agents as actors. Examples are of the built-in demo; identifiers in paths are of one's own server. Where credentials are not required, every scope is granted. Paths match with and without a trailing slash, and HEAD where there is GET. WebSocket and Socket.IO are not described here."},
"servers": [{"url": "/", "description": "The server that gives this document."}],
"tags": [
  {"name": "Projects", "description": "Projects and agents, as they are configured or made here."},
  {"name": "Chat", "description": "Messages to agents, and the queue of those that wait."},
  {"name": "Sessions", "description": "Sessions, their messages and events."},
  {"name": "Files", "description": "Files that messages bring."},
  {"name": "Approvals", "description": "What people are asked before it is done, and what they need not be asked again."},
  {"name": "Tools", "description": "Tools, and what they did."},
  {"name": "Scenarios", "description": "The server's behaviour, played and compared."},
  {"name": "Traces and spend", "description": "How runs went, and what they cost."},
  {"name": "Server", "description": "How the server does."},
  {"name": "Log-ins", "description": "Of clients of chat-events and chat-room."},
  {"name": "agent-stream", "description": "Of clients of that protocol."},
  {"name": "conversation", "description": "Of clients of that protocol."},
  {"name": "chat-events", "description": "Of clients of that protocol: questions here, answers over Socket.IO too."},
  {"name": "chat-room", "description": "Of clients of that protocol."}
],
"paths": {},
"components": {
  "schemas": {}, "responses": {}, "parameters": {},
  "securitySchemes": {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token (JWT) or an API key. The words beside it are the scopes that the call needs."},
    "token": {"type": "apiKey", "in": "query", "name": "token", "description": "The same, for clients that cannot set headers."}
  }
}
})json";

class openapi_writer {
 public:
  explicit openapi_writer(std::string_view version)
      : schemas_(openapi_schemas()), parameters_(openapi_parameters()), out_(json::parse(preface).as_object()) {
    out_["info"].as_object()["version"] = version;
  }

  void add(const route& r) {
    json::object operation{{"operationId", r.is.id}, {"tags", json::array{json::string(r.is.tag)}}, {"summary", r.is.summary}};
    if (!r.is.remark.empty()) operation["description"] = r.is.remark;
    if (auto list = parameters_of(r); !list.empty()) operation["parameters"] = std::move(list);
    if (auto body = body_of(r.is); !body.empty()) operation["requestBody"] = std::move(body);
    auto responses = answers_of(r.is);
    add_openapi_errors(r, responses, responses_);
    operation["responses"] = std::move(responses);
    operation["security"] = security_of(r);
    std::string method;
    for (char c : r.method) method += static_cast<char>(c - 'A' + 'a');
    auto& path = out_["paths"].as_object()[r.pattern];
    if (!path.is_object()) path.emplace_object();
    if (!path.get_object().emplace(method, std::move(operation)).second) refuse("two operations of", r.pattern);
  }

  json::object finish() && {
    auto& components = out_["components"].as_object();
    components["schemas"] = std::move(schemas_);
    components["responses"] = std::move(responses_);
    components["parameters"] = std::move(used_parameters_);
    return std::move(out_);
  }

 private:
  [[noreturn]] static void refuse(std::string_view what, std::string_view name) {
    throw std::invalid_argument("openapi: " + std::string(what) + " " + std::string(name));
  }

  json::object schema_of(std::string_view name) {
    if (auto bar = name.find('|'); bar != name.npos)
      return {{"anyOf", json::array{schema_of(name.substr(0, bar)), schema_of(name.substr(bar + 1))}}};
    if (name.ends_with('*')) return list_of_items(name.substr(0, name.size() - 1));
    auto plain = name.ends_with("[]") ? name.substr(0, name.size() - 2) : name;
    if (plain.front() >= 'A' && plain.front() <= 'Z' && !schemas_.contains(plain)) refuse("no schema is named", plain);
    return expanded_schema(json::string(name), {}).as_object();
  }

  /// A component of its own, so that clients made from the document have one type for it.
  json::object list_of_items(std::string_view item) {
    auto name = std::string(item) + "List";
    if (!schemas_.contains(name)) {
      auto items = schema_of(std::string(item) + "[]");
      auto again = items;
      again["description"] = "items again";
      json::object shorthand{{"items", std::move(items)},
                             {"data", std::move(again)},
                             {"total", "integer of all there are"},
                             {"limit", "integer"},
                             {"offset", "integer"}};
      schemas_[name] = expanded_schema(json::object{{"record", std::move(shorthand)}}, {});
    }
    return expanded_schema(json::string(name), {}).as_object();
  }

  void refer_to(std::string_view names, json::array& out) {
    while (!names.empty()) {
      auto end = std::min(names.find(' '), names.size());
      auto name = names.substr(0, end);
      const auto* known = parameters_.if_contains(name);
      if (!known) refuse("no parameter is named", name);
      used_parameters_[name] = *known;
      out.push_back(json::object{{"$ref", "#/components/parameters/" + std::string(name)}});
      names.remove_prefix(std::min(end + 1, names.size()));
    }
  }

  json::array parameters_of(const route& r) {
    auto out = openapi_path_parameters(r.pattern);
    refer_to(r.is.parameters, out);
    if (r.is.is_paged) refer_to("limit offset", out);
    if (r.is.is_send) refer_to("idempotencyKey", out);
    return out;
  }

  json::object body_of(const operation& is) {
    if (is.takes_files) {
      json::object file{
          {"type", "string"}, {"contentMediaType", "application/octet-stream"}, {"description", "May come several times."}};
      json::object form{{"type", "object"}, {"properties", {{"file", std::move(file)}}}, {"required", {"file"}}};
      return {{"required", true},
              {"content", {{"multipart/form-data", {{"schema", std::move(form)}}}, {"*/*", json::object()}}}};
    }
    if (is.body.empty()) return {};
    json::object examples;
    for (auto text : is.examples) {
      if (text.empty()) continue;
      examples[examples.empty() ? "one" : "another"] = {{"value", json::parse(text)}};
    }
    auto schema = schema_of(is.body);
    bool is_required = must_hold_something(schema);
    return {{"required", is_required},
            {"content", {{"application/json", {{"schema", std::move(schema)}, {"examples", std::move(examples)}}}}}};
  }

  bool must_hold_something(const json::object& schema) {
    if (const auto* all = schema.if_contains("anyOf"); all && !schema.contains("type")) return true;
    constexpr std::string_view prefix = "#/components/schemas/";
    std::string_view name = schema.at("$ref").as_string();
    const auto& meant = schemas_.at(name.substr(prefix.size())).as_object();
    return meant.contains("required") || meant.contains("anyOf") || meant.contains("minProperties");
  }

  json::object answers_of(const operation& is) {
    json::object out;
    for (std::size_t i = 0; i < is.answer_count; ++i) {
      const auto& answer = is.answers[i];
      auto& response = out[std::to_string(answer.status)];
      if (!response.is_object()) response = json::object{{"description", words_for(answer.status)}};
      if (answer.type.empty()) continue;
      auto& content = response.get_object()["content"];
      if (!content.is_object()) content.emplace_object();
      json::object media;
      if (!answer.schema.empty()) media["schema"] = schema_of(answer.schema);
      content.get_object()[answer.type] = std::move(media);
    }
    if (is.may_stream)
      out["200"].as_object()["content"].as_object()["text/event-stream"] = {
          {"schema",
           {{"type", "string"}, {"description", "Server-sent events: `id` is the seq, `event` the type, `data` an Event."}}}};
    return out;
  }

  static std::string_view words_for(int status) {
    switch (status) {
      case 201:
        return "It is made.";
      case 202:
        return "It is taken on, and not done yet.";
      case 204:
        return "It is done; there is nothing to tell.";
      case 304:
        return "It is as the client knows it.";
      case 503:
        return "Something does not work.";
      default:
        return "The answer.";
    }
  }

  static json::array security_of(const route& r) {
    auto with = [](std::string_view scope) {
      json::array scopes;
      if (!scope.empty()) scopes.push_back(json::string(scope));
      return json::array{json::object{{"bearer", scopes}}, json::object{{"token", scopes}}};
    };
    switch (r.needs) {
      case access::open:
        return {};
      case access::known:
        return with({});
      case access::usual:
        return with(r.method == "GET" ? "read" : "chat");
      case access::read:
        return with("read");
      case access::chat:
        return with("chat");
      case access::approve:
        return with("approve");
      case access::admin:
        return with("admin");
      case access::operations:
        break;
    }
    auto out = with("admin");
    out.insert(out.begin(), json::object());  // from this machine
    return out;
  }

  json::object schemas_;
  json::object parameters_;
  json::object used_parameters_;
  json::object responses_;
  json::object out_;
};

}  // namespace

json::object make_openapi(std::span<const route> routes, std::string_view version) {
  openapi_writer out(version);
  for (const auto& r : routes) out.add(r);
  return std::move(out).finish();
}

const openapi_document& openapi() {
  static const openapi_document made = [] {
    auto text = json::serialize(make_openapi(all_routes(), TROUPE_VERSION));
    auto etag = "\"" + sha256_hex(text).substr(0, 32) + "\"";
    return openapi_document{std::move(text), std::move(etag)};
  }();
  return made;
}

void get_openapi(const rest_call_ptr& call) {
  const auto& document = openapi();
  std::vector<std::pair<std::string, std::string>> headers{
      {"ETag", document.etag}, {"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
  auto known = call->request.header("if-none-match");
  if (known == "*" || known.find(document.etag) != known.npos)
    return call->exchange->respond({304, "", "", std::move(headers)});
  call->exchange->respond({200, "application/json", document.text, std::move(headers)});
}

}  // namespace troupe::transport
