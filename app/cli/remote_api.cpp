#include "app/cli/remote_api.hpp"

#include "app/cli/format.hpp"
#include "app/cli/safe_text.hpp"
#include "app/scenario/rest_client.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

/// What the server gives at most in one answer.
constexpr std::int64_t page_size = 100;

/// Which command lists what was not found.
std::string_view where_to_look(std::string_view text) {
  if (text.starts_with("Session ")) return "; `troupe sessions` lists them";
  if (text.starts_with("Trace ")) return "; `troupe trace` lists them";
  if (text.starts_with("Approval ")) return "; `troupe approvals list --status all` lists them";
  if (text.starts_with("Remembered approval ")) return "; `troupe approvals remembered` lists them";
  return "";
}

/// `{"error": {code, message}}`, or the shape of another dialect.
error error_of(const rest_answer& answer) {
  const auto& inner = object_of(answer.body, "error");
  auto code = text_of(inner, "code");
  auto text = text_of(inner, "message");
  if (text.empty()) text = text_of(answer.body, "message");
  if (text.empty()) text = "the server answered with status " + std::to_string(answer.status);
  std::string remedy(code == "NOT_FOUND" ? where_to_look(text) : "");
  if (!code.empty()) text += " (" + code + ")";
  text += remedy;
  return {code.empty() ? errc::provider_error : core::errc_from(code), safe_line(text)};
}

/// The client's text holds the answer's beginning: its message says which of the credentials' ways to be wrong it was.
error refused(const error& e, const rest_client& http) {
  if (e.text.find("is the server running there?") != std::string::npos)
    return {e.code, "no server answers at " + http.url() + "; start one with `troupe serve`, or name another with --url"};
  if (e.code != errc::auth_failed) return {e.code, safe_line(e.text)};
  std::string said;
  auto code = e.code;
  auto begin = e.text.find('{');
  auto end = e.text.rfind('}');
  if (begin != std::string::npos && end != std::string::npos && begin < end) {
    boost::system::error_code failure;
    auto value = json::parse(std::string_view(e.text).substr(begin, end - begin + 1), failure);
    if (!failure && value.is_object()) {
      auto told = error_of({0, value.get_object()});
      said = ": " + told.text;
      if (told.code != errc::provider_error) code = told.code;
    }
  }
  if (http.token().empty())
    return {errc::auth_required,
            http.url() + " wants credentials" + said + "; give a token or an API key with --token, or in TROUPE_TOKEN"};
  return {code, http.url() + " refuses these credentials" + said};
}

}  // namespace

core::result<remote_api> remote_api::open(const connection_options& options) {
  auto http = rest_client::open(options.url, options.token, options.ca_file);
  if (!http) return http.error();
  return remote_api(std::move(*http));
}

remote_api::remote_api(std::unique_ptr<rest_client> http) : http_(std::move(http)) {}
remote_api::remote_api(remote_api&&) noexcept = default;
remote_api::~remote_api() = default;

core::result<json::object> remote_api::ask(const std::string& method, const std::string& path, const json::object& body) {
  auto answer = http_->call(method, path, body);
  if (!answer) return refused(answer.error(), *http_);
  if (answer->status >= 400) return error_of(*answer);
  return std::move(answer->body);
}

core::result<json::object> remote_api::get(const std::string& path) { return ask("GET", path, {}); }
core::result<json::object> remote_api::post(const std::string& path, const json::object& body) {
  return ask("POST", path, body);
}
core::result<json::object> remote_api::remove(const std::string& path) { return ask("DELETE", path, {}); }

core::result<std::string> remote_api::document(const std::string& path) {
  auto answer = http_->bytes(path);
  if (!answer) return refused(answer.error(), *http_);
  if (answer->status == 200) return std::move(answer->body);
  boost::system::error_code failure;
  auto value = json::parse(answer->body, failure);
  return error_of({answer->status, !failure && value.is_object() ? std::move(value.get_object()) : json::object()});
}

core::result<listing> remote_api::list(const std::string& path, std::int64_t most) {
  listing out;
  for (;;) {
    auto at = static_cast<std::int64_t>(out.items.size());
    auto page_path = path;
    add_query(page_path, "limit", std::to_string(std::clamp(most - at, std::int64_t{1}, page_size)));
    if (at != 0) add_query(page_path, "offset", std::to_string(at));
    auto page = get(page_path);
    if (!page) return page.error();
    out.total = integer_of(*page, "total");
    const auto& items = array_of(*page, "items");
    for (const auto& item : items)
      if (item.is_object()) out.items.push_back(item);
    auto size = static_cast<std::int64_t>(out.items.size());
    // A page that brings nothing is the end, whatever the total says by now.
    if (size == at || size >= most || size >= out.total) return out;
  }
}

core::result<std::string> remote_api::project_or_first(const std::string& project) {
  if (!project.empty()) return project;
  auto all = list("/projects", 1);
  if (!all) return all.error();
  if (all->items.empty()) return error{errc::not_found, url() + ": the server has no project"};
  return text_of(all->items.front().get_object(), "id");
}

const std::string& remote_api::url() const noexcept { return http_->url(); }
const std::string& remote_api::token() const noexcept { return http_->token(); }

void add_query(std::string& path, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  path += path.find('?') == std::string::npos ? '?' : '&';
  path.append(name).append("=").append(percent_encoded(value));
}

}  // namespace troupe::app
