#include "tools/http/redirect.hpp"

#include "tools/text.hpp"

namespace troupe::tools {

bool is_redirect(long status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

core::result<next_request> follow_redirect(const http_url& from, std::string_view method, long status,
                                           std::string_view location, const host_list& hosts) {
  auto refused = [](std::string text) { return core::error{core::errc::forbidden, std::move(text)}; };
  auto to = resolve_url(from, location);
  if (!to) return refused(to.error().text);
  if (from.scheme == "https" && to->scheme == "http")
    return refused("it leads from https to http, to " + tools::quoted(to->host));
  if (!hosts.holds(to->host)) return refused(tools::quoted(to->host) + " is not among the hosts this tool may reach");

  next_request next;
  next.keeps_headers = from.has_origin_of(*to);
  next.method = method;
  bool becomes_get = status == 303 ? method != "HEAD" : status != 307 && status != 308 && method == "POST";
  if (becomes_get) {
    next.method = "GET";
    next.keeps_body = false;
  }
  next.url = std::move(*to);
  return next;
}

}  // namespace troupe::tools
