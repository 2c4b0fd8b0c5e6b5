// `backup`: a data folder's database, copied while its server runs.
#include "storage/backup.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/format.hpp"
#include "app/cli/outcome.hpp"
#include "app/cli/terminal.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

namespace troupe::app {

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

void show(std::int64_t copied, std::int64_t total) {
  constexpr std::int64_t width = 30;
  auto done = total == 0 ? width : copied * width / total;
  std::string bar(static_cast<std::size_t>(done), '#');
  bar.resize(width, '.');
  std::fprintf(stderr, "\r[%s] %3lld %% of %s pages", bar.c_str(),
               static_cast<long long>(total == 0 ? 100 : copied * 100 / total), amount(total).c_str());
}

}  // namespace

int back_up_data(const backup_options& options) {
  interrupts ctrl_c;
  bool is_shown = ::isatty(STDERR_FILENO) == 1;
  auto begin = std::chrono::steady_clock::now();
  auto report = storage::back_up(options.data, options.to, options.force, [&](std::int64_t copied, std::int64_t total) {
    if (is_shown) show(copied, total);
    return !ctrl_c.take();
  });
  if (is_shown) std::fputs("\r\x1b[K", stderr);
  if (!report) return failed(report.error(), options.json);
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
  std::error_code none;
  auto workspaces = options.data + "/workspaces";
  bool has_workspaces = fs::is_directory(workspaces, none) && !fs::is_empty(workspaces, none);
  if (options.json)
    return print_json({{"file", options.to},
                       {"pages", report->pages},
                       {"bytes", report->bytes},
                       {"durationMs", ms},
                       {"workspaces", has_workspaces ? json::value(workspaces) : json::value(nullptr)}});
  auto text =
      options.to + ": " + size_of_bytes(report->bytes) + ", " + amount(report->pages) + " pages, in " + duration(ms) + "\n";
  if (has_workspaces) text += "files that tools wrote are not in it; copy " + workspaces + " too\n";
  return put(text) ? 0 : 1;
}

}  // namespace troupe::app
