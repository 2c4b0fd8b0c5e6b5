#include "tools/builtin.hpp"

#include <cstdio>

namespace troupe::tools {

namespace {

class clock_tool final : public tool {
 public:
  clock_tool()
      : tool({.name = "clock",
              .description = "The current date and time in UTC, as ISO 8601.",
              .parameters = R"({"type":"object","properties":{},"additionalProperties":false})",
              .effect = core::effect::read_only,
              .mode = tool_mode::instant}) {}

  tool_result run(const tool_context& context, const boost::json::object&) const override {
    using namespace std::chrono;
    sys_time<milliseconds> now{duration_cast<milliseconds>(context.environment->now())};
    auto day = floor<days>(now);
    year_month_day date{day};
    hh_mm_ss time{now - day};
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int{date.year()}, unsigned{date.month()},
                  unsigned{date.day()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return {true, text};
  }
};

}  // namespace

std::unique_ptr<tool> make_clock() { return std::make_unique<clock_tool>(); }

}  // namespace troupe::tools
