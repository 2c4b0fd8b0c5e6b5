// Help texts on a terminal: long lines are broken between words, below the column where their text begins. Pure but for the
// formatter, which CLI11 asks.
#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::app {

/// Lines that are wider than `width` columns go on in the next one. Words are never cut.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width);

/// Help of the width of the terminal that stdout is; as it comes where it is none.
class help_formatter : public CLI::Formatter {
 public:
  [[nodiscard]] std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace troupe::app
