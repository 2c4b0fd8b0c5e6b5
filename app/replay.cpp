#include "app/replay.hpp"

#include "app/cli/outcome.hpp"
#include "app/cli/progress.hpp"
#include "app/record/session_record.hpp"
#include "app/replay_files.hpp"
#include "app/scenario/acceptance.hpp"
#include "app/scenario/junit.hpp"
#include "app/scenario/remote.hpp"
#include "app/scenario/runner.hpp"
#include "providers/utf8.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr std::size_t most_boundaries = 100'000;

std::optional<std::string> defect_of(const replay_options& o) {
  if (o.speed && !(*o.speed > 0)) return "--speed: expected a number above 0; 1 is real time";
  int modes = int{o.restart_every_step} + int{o.crash_at.has_value()} + int{o.url.has_value()} + int{o.update};
  if (modes > 1) return "--restart-every-step, --crash-at, --url and --update go one at a time";
  if (o.list && modes > 0) return "--list plays nothing; it goes with --filter, --tag and --json only";
  if (!o.crash_at || *o.crash_at == "every") return std::nullopt;
  std::size_t n = 0;
  auto [end, failure] = std::from_chars(o.crash_at->data(), o.crash_at->data() + o.crash_at->size(), n);
  if (failure != std::errc{} || end != o.crash_at->data() + o.crash_at->size() || n < 1 || n > most_boundaries)
    return "--crash-at " + *o.crash_at + ": expected a number from 1, or every";
  return std::nullopt;
}

/// Crashes at this boundary; a failure says how to see it again.
scenario_outcome crash_at(const scenario& s, std::size_t boundary, run_options options) {
  options.crash_at = boundary;
  auto out = run_scenario(s, options);
  if (out.what == verdict::failed) {
    if (!out.divergence.empty()) out.divergence["boundary"] = boundary;
    out.text = "with --crash-at " + std::to_string(boundary) + " (" +
               (out.struck.empty() ? "which it did not come to" : out.struck) + ")\n" + out.text;
  }
  return out;
}

/// The first that fails, else the plain run, with `crashes` counted.
scenario_outcome crash_everywhere(const scenario& s, const run_options& options, std::size_t& crashes) {
  auto out = run_scenario(s, options);
  if (out.what != verdict::passed) return out;
  for (std::size_t n = 1; n <= std::min(out.boundaries, most_boundaries); ++n) {
    auto crashed = crash_at(s, n, options);
    if (crashed.what != verdict::passed) return crashed;
    ++crashes;
  }
  return out;
}

scenario_outcome play_remote(const scenario& s, const replay_options& options) {
  scenario_outcome out;
  if (auto it = s.skip.find("url"); it != s.skip.end()) {
    out.what = verdict::skipped;
    out.text = it->second;
    return out;
  }
  if (std::any_of(s.steps.begin(), s.steps.end(),
                  [](const auto& step) { return step.verb == step_verb::crash || step.verb == step_verb::restart; })) {
    out.what = verdict::skipped;
    out.text = "it stops the server";
    return out;
  }
  auto server = open_remote({*options.url, options.token, options.project, options.agent, options.speed.value_or(1)});
  if (!server) {
    out.what = verdict::failed;
    out.text = s.file + ": " + server.error().text;
    return out;
  }
  return run_scenario(s, **server, {});
}

/// Writes what came into the file; the outcome says what is left to be done by hand.
scenario_outcome update(const scenario& s) {
  run_options options;
  options.accept = true;
  auto out = run_scenario(s, options);
  if (out.what == verdict::failed || out.edits.empty()) return out;
  auto fail = [&](std::string text) {
    out.what = verdict::failed;
    out.text = std::move(text);
    return out;
  };
  auto text = read_scenario_file(s.file);
  if (!text) return fail(text.error().text);
  auto changed = with_edits(*text, out.edits);
  auto again = parse_scenario(changed, s.file);
  if (!again) return fail("it cannot be brought up to date: " + again.error().text);
  auto verified = run_scenario(*again, run_options{});
  if (verified.what == verdict::failed) return fail("it cannot be brought up to date:\n" + verified.text);
  if (auto written = write_file(s.file, changed); !written) return fail(written.error().text);
  std::printf("updated %s: %zu steps\n", s.file.c_str(), out.edits.size());
  return out;
}

void print(const test_case& c) {
  switch (c.outcome.what) {
    case verdict::passed:
      return void(std::printf("passed  %s\n", c.file.c_str()));
    case verdict::skipped:
      return void(std::printf("skipped %s: %s\n", c.file.c_str(), c.outcome.text.c_str()));
    case verdict::failed:
      return void(std::printf("failed  %s\n%s\n", c.file.c_str(), c.outcome.text.c_str()));
  }
}

void print_json(const test_case& c) {
  static constexpr std::array<const char*, 3> words{"passed", "failed", "skipped"};
  json::object out{{"file", c.file},
                   {"verdict", words[static_cast<std::size_t>(c.outcome.what)]},
                   {"events", c.outcome.events.size()},
                   {"hash", hash_of_events(c.outcome.events)},
                   {"boundaries", c.outcome.boundaries},
                   {"ms", static_cast<std::int64_t>(c.took.count() * 1'000)}};
  if (!c.outcome.text.empty()) out["text"] = providers::to_utf8(c.outcome.text);
  if (!c.outcome.divergence.empty()) out["divergence"] = c.outcome.divergence;
  std::puts(json::serialize(out).c_str());
  std::fflush(stdout);  // whoever reads a pipe wants to know how far it has come
}

}  // namespace

int replay(const replay_options& options) {
  auto refuse = [&](const std::string& text) { return wrong_usage({core::errc::validation_error, text}, options.json); };
  if (auto defect = defect_of(options)) return refuse(*defect);
  auto paths = options.paths;
  if (options.files_from) {
    auto more = paths_from(*options.files_from);
    if (!more) return refuse(more.error().text);
    paths.insert(paths.end(), more->begin(), more->end());
  }
  auto files = scenario_files(paths);
  if (!files) return refuse(files.error().text);
  std::erase_if(*files, [&](const std::string& file) { return !is_wanted_file(file, options.filters); });
  if (options.list) return list_scenarios(*files, options.tags, options.json) ? 0 : 1;
  // All are read before any is played: a mistake in one is told at once.
  std::vector<scenario> scenarios;
  for (const auto& file : *files) {
    auto loaded = load_scenario(file);
    if (!loaded) return refuse(loaded.error().text);
    if (is_wanted(*loaded, options.tags)) scenarios.push_back(std::move(*loaded));
  }
  if (scenarios.empty()) return refuse("no scenario fits --filter and --tag");
  run_options plain;
  plain.restart_every_step = options.restart_every_step;
  plain.speed = options.speed;
  std::size_t crashes = 0;
  auto play = [&](const scenario& s) {
    if (options.url) return play_remote(s, options);
    if (options.update) return update(s);
    if (!options.crash_at) return run_scenario(s, plain);
    if (*options.crash_at == "every") return crash_everywhere(s, plain, crashes);
    return crash_at(s, std::stoull(*options.crash_at), plain);
  };
  std::vector<test_case> cases;
  auto count = [&](verdict v) {
    return static_cast<std::size_t>(
        std::count_if(cases.begin(), cases.end(), [v](const auto& c) { return c.outcome.what == v; }));
  };
  progress_line progress(scenarios.size(), !options.json && !options.update && !options.no_progress);
  for (const auto& s : scenarios) {
    progress.show(cases.size(), count(verdict::failed), s.file);
    auto started = std::chrono::steady_clock::now();
    auto outcome = play(s);
    progress.clear();
    cases.push_back({s.file, std::move(outcome), std::chrono::steady_clock::now() - started});
    options.json ? print_json(cases.back()) : print(cases.back());
  }
  if (!options.json) {
    std::printf("%zu scenarios: %zu passed, %zu failed, %zu skipped\n", cases.size(), count(verdict::passed),
                count(verdict::failed), count(verdict::skipped));
    if (crashes > 0) std::printf("%zu crashes, one at each boundary of their journals\n", crashes);
  }
  if (options.junit) {
    std::ofstream out(*options.junit, std::ios::binary);
    out << junit_report(cases);
    if (!out.flush()) return refuse(*options.junit + ": cannot be written");
  }
  return count(verdict::failed) == 0 ? 0 : 1;
}

}  // namespace troupe::app
