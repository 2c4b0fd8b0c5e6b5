#include "transport/rest/console.hpp"

#include "transport/net/http_target.hpp"
#include "transport/rest/rest_handlers.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <cstdint>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::string_view page = "/index.html";
constexpr std::size_t length_bytes = 4;

// Scripts, styles and data come from this server and nowhere else. 'self' admits its WebSocket, too. React sets styles through
// the document's objects, which needs no permission here. Pictures: blob: shows what a user attaches before it is sent.
constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

core::error damaged() { return {errc::configuration_error, "The console in this program is damaged: build it again."}; }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// `q=0`, `q=0.0`: not wanted.
bool is_refused(std::string_view parameters) noexcept {
  auto at = parameters.find("q=");
  return at != parameters.npos && trimmed(parameters.substr(at + 2)).find_first_not_of("0.") == std::string_view::npos;
}

/// The part of `all` that the range `name` of `entry`, [offset, size], means; empty where it has none, throws where it does not
/// fit.
std::string_view part(const json::object& entry, std::string_view name, std::string_view all) {
  const auto* range = entry.if_contains(name);
  if (!range) return {};
  auto offset = range->as_array().at(0).to_number<std::size_t>();
  auto size = range->as_array().at(1).to_number<std::size_t>();
  if (offset > all.size() || size > all.size() - offset) throw std::out_of_range("pack");
  return all.substr(offset, size);
}

}  // namespace

bool accepts_coding(std::string_view header, std::string_view coding) noexcept {
  while (!header.empty()) {
    auto item = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), item.size() + 1));
    auto name = trimmed(item.substr(0, item.find(';')));
    if (equal_ignoring_case(name, coding)) return !is_refused(item.substr(std::min(item.size(), item.find(';'))));
  }
  return false;
}

core::result<std::shared_ptr<const console>> console::open(std::string_view pack) {
  if (pack.empty()) return std::shared_ptr<const console>{};
  if (pack.size() < length_bytes) return damaged();
  std::size_t length = 0;
  for (auto i = length_bytes; i-- > 0;) length = length << 8 | static_cast<std::uint8_t>(pack[i]);
  if (length > pack.size() - length_bytes) return damaged();
  auto contents = pack.substr(length_bytes + length);
  auto out = std::make_shared<console>();
  try {
    const auto index = json::parse({pack.data() + length_bytes, length});
    for (const auto& entry : index.as_array()) {
      const auto& o = entry.as_object();
      out->files_[std::string(o.at("path").as_string())] = {
          std::string(o.at("type").as_string()), '"' + std::string(o.at("etag").as_string()) + '"', part(o, "plain", contents),
          part(o, "gzip", contents), part(o, "br", contents)};
    }
  } catch (const std::exception&) {
    return damaged();
  }
  if (out->files_.find(page) == out->files_.end()) return damaged();
  return std::shared_ptr<const console>(std::move(out));
}

std::optional<http_response> console::answer(const http_request& request) const {
  const bool is_page = request.path == "/";
  auto found = files_.find(is_page ? page : std::string_view(request.path));
  if (found == files_.end()) return std::nullopt;
  const auto& f = found->second;
  http_response out;
  out.content_type = f.type;
  out.headers = {{"ETag", f.etag},
                 {"Vary", is_page ? "Accept, Accept-Encoding" : "Accept-Encoding"},
                 // A file that changes gets another name; only the page keeps its own.
                 {"Cache-Control", is_page ? "no-cache" : "public, max-age=31536000, immutable"},
                 {"Content-Security-Policy", std::string(policy)},
                 {"X-Content-Type-Options", "nosniff"},
                 {"Referrer-Policy", "no-referrer"}};
  if (request.header("if-none-match").find(f.etag) != std::string_view::npos) {
    out.status = 304;
    return out;
  }
  auto codings = request.header("accept-encoding");
  auto body = f.plain;
  if (!f.brotli.empty() && accepts_coding(codings, "br")) {
    body = f.brotli;
    out.headers.emplace_back("Content-Encoding", "br");
  } else if (!f.gzip.empty() && accepts_coding(codings, "gzip")) {
    body = f.gzip;
    out.headers.emplace_back("Content-Encoding", "gzip");
  }
  out.body = std::string(body);
  return out;
}

/// GET /assets/{file}: what the console's page asks for.
void get_asset(const rest_call_ptr& call) {
  const auto* files = call->hub().web_console();
  auto answer = files ? files->answer(call->request) : std::nullopt;
  if (answer) return call->exchange->respond(std::move(*answer));
  call->fail({errc::not_found, "No such path: " + call->request.path.substr(0, 200)});
}

}  // namespace troupe::transport
