#include "app/scenario/junit.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::app {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      // XML 1.0 has no other control characters, not even escaped.
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string seconds(std::chrono::duration<double> d) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", d.count());
  return text;
}

}  // namespace

std::string junit_report(const std::vector<test_case>& cases) {
  auto count = [&](verdict v) {
    return std::to_string(std::count_if(cases.begin(), cases.end(), [v](const auto& c) { return c.outcome.what == v; }));
  };
  std::chrono::duration<double> all{0};
  for (const auto& c : cases) all += c.took;
  auto out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"troupe replay\" tests=\"" +
             std::to_string(cases.size()) + "\" failures=\"" + count(verdict::failed) + "\" skipped=\"" +
             count(verdict::skipped) + "\" time=\"" + seconds(all) + "\">\n";
  for (const auto& c : cases) {
    auto folder = c.file.substr(0, std::min(c.file.size(), c.file.rfind('/')));
    out += "<testcase classname=\"" + escaped(folder) + "\" name=\"" + escaped(c.file) + "\" time=\"" + seconds(c.took) + "\"";
    auto text = escaped(c.outcome.text);
    switch (c.outcome.what) {
      case verdict::passed:
        out += "/>\n";
        break;
      case verdict::skipped:
        out += "><skipped message=\"" + text + "\"/></testcase>\n";
        break;
      case verdict::failed:
        out += "><failure message=\"" + text + "\"/></testcase>\n";
        break;
    }
  }
  return out + "</testsuite>\n</testsuites>\n";
}

}  // namespace troupe::app
