#include "app/cli/outcome.hpp"

#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <cstdio>

namespace troupe::app {

namespace json = boost::json;

int failed(const core::error& e, bool as_json) {
  if (!as_json) {
    complain(safe_text(e.text));
    return 1;
  }
  auto line = json::serialize(json::object{{"error", {{"code", core::to_string(e.code)}, {"message", safe_text(e.text)}}}});
  std::fprintf(stderr, "%s\n", line.c_str());
  return 1;
}

int wrong_usage(const core::error& e, bool as_json) {
  failed(e, as_json);
  return 2;
}

int print_json(const json::object& o) { return put(json::serialize(o) + "\n") ? 0 : 1; }

int print_list(listing list) {
  json::object out;
  out["items"] = std::move(list.items);
  out["total"] = list.total;
  return print_json(out);
}

}  // namespace troupe::app
