#include "app/check.hpp"

#include "storage/store.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdio>

namespace troupe::app {

namespace json = boost::json;

int check(const check_options& options) {
  auto report = storage::check(options.data);
  if (!report) {
    std::fprintf(stderr, "troupe: %s\n", report.error().text.c_str());
    return 1;
  }
  if (options.json) {
    json::array findings;
    for (const auto& f : report->findings) findings.push_back(json::object{{"subject", f.subject}, {"text", f.text}});
    auto text = json::serialize(
        json::object{{"sessions", report->sessions}, {"events", report->events}, {"findings", std::move(findings)}});
    std::puts(text.c_str());
  } else {
    for (const auto& f : report->findings) std::printf("%s: %s\n", f.subject.c_str(), f.text.c_str());
    std::printf("%lld sessions, %lld events, %zu findings\n", static_cast<long long>(report->sessions),
                static_cast<long long>(report->events), report->findings.size());
  }
  return report->findings.empty() ? 0 : 1;
}

}  // namespace troupe::app
