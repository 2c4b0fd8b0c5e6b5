#include "app/scenario/runner.hpp"

#include "app/scenario/play.hpp"
#include "app/scenario/stage.hpp"

#include <openssl/sha.h>
#include <boost/json/serialize.hpp>

#include <array>
#include <thread>

namespace troupe::app {

namespace json = boost::json;
using std::chrono::milliseconds;

scenario_outcome run_scenario(const scenario& s, scene& where, const run_options& options) {
  return play(s, where, options).run();
}

scenario_outcome run_scenario(const scenario& s, const run_options& options) {
  auto skipped = [&](const char* mode) -> std::optional<scenario_outcome> {
    auto it = s.skip.find(mode);
    if (it == s.skip.end()) return std::nullopt;
    scenario_outcome out;
    out.what = verdict::skipped;
    out.text = it->second;
    return out;
  };
  if (options.restart_every_step)
    if (auto out = skipped("restart")) return std::move(*out);
  if (options.crash_at > 0)
    if (auto out = skipped("crash")) return std::move(*out);
  auto opened = stage::open(s.config, {s.recording, s.calls});
  if (!opened) {
    scenario_outcome out;
    out.what = verdict::failed;
    out.text = s.file + ": " + opened.error().text;
    return out;
  }
  auto& own = **opened;
  own.gate().crash_at(options.crash_at);
  if (options.speed)
    own.on_time([speed = *options.speed](milliseconds step) {
      std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(static_cast<double>(step.count()) / speed));
    });
  auto out = run_scenario(s, own, options);
  out.boundaries = own.gate().boundaries();
  out.struck = own.gate().struck();
  return out;
}

std::string hash_of_events(const std::vector<json::object>& events) {
  std::string all;
  for (const auto& e : events) all += json::serialize(e) + "\n";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(all.data()), all.size(), digest.data());
  std::string out;
  for (auto byte : digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace troupe::app
