#include "app/check.hpp"

#include "app/cli/outcome.hpp"
#include "storage/store.hpp"

#include <boost/json/array.hpp>

#include <cstdio>

namespace troupe::app {

namespace json = boost::json;

int check(const check_options& options) {
  auto report = storage::check(options.data);
  if (!report) return failed(report.error(), options.json);
  if (options.json) {
    json::array findings;
    for (const auto& f : report->findings) findings.push_back(json::object{{"subject", f.subject}, {"text", f.text}});
    if (print_json({{"sessions", report->sessions}, {"events", report->events}, {"findings", std::move(findings)}}) != 0)
      return 1;
  } else {
    for (const auto& f : report->findings) std::printf("%s: %s\n", f.subject.c_str(), f.text.c_str());
    std::printf("%lld sessions, %lld events, %zu findings\n", static_cast<long long>(report->sessions),
                static_cast<long long>(report->events), report->findings.size());
  }
  return report->findings.empty() ? 0 : 1;
}

}  // namespace troupe::app
