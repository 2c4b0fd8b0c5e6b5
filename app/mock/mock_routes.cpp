#include "app/mock/mock_routes.hpp"

#include "app/mock/mock_call.hpp"

#include <ctime>

namespace troupe::app {

namespace {

constexpr std::string_view chat_path = "/v1/chat/completions";
constexpr std::string_view messages_path = "/v1/messages";
constexpr std::string_view models_path = "/v1/models";

bool is_anthropic(const transport::http_request& request) {
  return request.path.starts_with(messages_path) || !request.header("anthropic-version").empty();
}

}  // namespace

mock_routes::mock_routes(mock_model_parts parts) : parts_(std::move(parts)), faults_(parts_.faults) {}

transport::server_handlers mock_routes::handlers() {
  transport::server_handlers out;
  out.on_request = [this](transport::http_request request, std::shared_ptr<transport::http_exchange> exchange) {
    take(std::move(request), std::move(exchange));
  };
  out.on_upgrade = [](const transport::http_request& request) {
    transport::upgrade refused;
    const auto& format = is_anthropic(request) ? anthropic_format() : openai_format();
    refused.refusal = error_response(format, {404, "there is no WebSocket here", {}});
    return refused;
  };
  out.on_http_error = [](const core::error& why) {
    return error_response(openai_format(), {core::http_status(why.code), why.text, {}});
  };
  return out;
}

void mock_routes::take(transport::http_request request, std::shared_ptr<transport::http_exchange> exchange) {
  const auto& format = is_anthropic(request) ? anthropic_format() : openai_format();
  const bool is_list = request.path == models_path;
  if (!is_list && request.path != chat_path && request.path != messages_path) {
    std::string text = "no such URL: " + request.path.substr(0, 200) + "; this server has " + std::string(chat_path) + ", " +
                       std::string(messages_path) + " and " + std::string(models_path);
    return exchange->respond(error_response(format, {404, std::move(text), {}}));
  }
  const std::string allowed = is_list ? "GET" : "POST";
  if (request.method != allowed) {
    auto response = error_response(format, {405, request.path + " takes " + allowed + " only", {}});
    response.headers.emplace_back("Allow", allowed);
    return exchange->respond(std::move(response));
  }
  if (is_list) return exchange->respond({200, "application/json", format.models(mock_model_name), {}});
  ask(request.path == messages_path ? anthropic_format() : openai_format(), request, std::move(exchange));
}

void mock_routes::ask(const wire_format& format, const transport::http_request& request,
                      std::shared_ptr<transport::http_exchange> exchange) {
  if (request.path == messages_path && request.header("anthropic-version").empty())
    return exchange->respond(error_response(format, {400, "anthropic-version: header is required", {}}));
  auto read = format.read(request.body, parts_.tools);
  if (const auto* why = std::get_if<wire_error>(&read)) return exchange->respond(error_response(format, *why));
  fault_plan plan;
  if (auto own = request.header("x-troupe-fault"); !own.empty()) {
    auto faults = parse_fault_list(own);
    if (!faults) return exchange->respond(error_response(format, {400, faults.error().text, "X-Troupe-Fault"}));
    plan = plan_of(*faults);
  } else {
    plan = faults_.next();
  }
  mock_call_parts call;
  call.exchange = std::move(exchange);
  call.format = &format;
  call.question = std::move(std::get<wire_question>(read));
  call.identity = {"mock" + std::to_string(++asked_), call.question.request.model, std::time(nullptr)};
  call.plan = plan;
  call.client = parts_.client.get();
  call.timers = parts_.timers;
  std::make_shared<mock_call>(std::move(call))->start();
}

}  // namespace troupe::app
