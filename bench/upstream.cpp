// Many model answers at once through our own provider stack (providers/openai, curl_loop) on one thread, against troupe_sse.
// Prints one line of JSON: memory per stream and processor time per delta; exits 0 only when every answer came whole.
#include "bench/process.hpp"
#include "providers/curl_loop.hpp"
#include "providers/openai.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <CLI/CLI.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using std::chrono::milliseconds;
using clock_type = std::chrono::steady_clock;

struct options {
  std::uint16_t port = 0;
  std::uint32_t streams = 5000;
  std::uint32_t deltas = 64;  ///< of one answer
  std::uint32_t seconds = 8;
};

constexpr std::uint32_t max_waiting = 256;  ///< for their first delta
constexpr auto settle = milliseconds{1500};
constexpr auto limit = std::chrono::seconds{120};

class upstream_run {
 public:
  explicit upstream_run(const options& o) : options_(o), loop_(io_), timer_(io_), streams_(o.streams) {}

  int run();

 private:
  struct answer {
    std::shared_ptr<providers::model_stream> stream;
    std::uint32_t deltas = 0;
    bool ended = false;
  };
  struct sample {
    clock_type::time_point at;
    bench::process_usage usage;
    std::uint64_t deltas = 0;
  };

  [[nodiscard]] sample take_sample() const {
    return {clock_type::now(), bench::usage_of(::getpid()).value_or(bench::process_usage{}), deltas_};
  }
  [[nodiscard]] providers::model_request request() const;
  void open_more(std::uint32_t upto);
  void on_output(std::size_t index, providers::model_output out);
  /// Runs the loop until then, or until `done`; false when time is up first.
  bool run_until(clock_type::time_point end, const std::function<bool()>& done);
  bool run_for(clock_type::duration time) {
    return run_until(clock_type::now() + time, [] { return false; });
  }
  [[nodiscard]] int report(const sample& base, const sample& begin, const sample& end);

  const options options_;
  boost::asio::io_context io_{1};
  providers::curl_loop loop_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<providers::model_client> client_;
  std::vector<answer> streams_;
  std::shared_ptr<const std::vector<core::history_message>> history_;
  std::uint32_t opened_ = 0;
  std::uint32_t target_ = 0;
  std::uint32_t streaming_ = 0;
  std::uint32_t ended_ = 0;
  std::uint32_t wrong_ = 0;
  std::uint64_t deltas_ = 0;
  std::string first_error_;
};

providers::model_request upstream_run::request() const {
  providers::model_request r;
  r.model = "bench";
  r.instructions = "Say what the script says.";
  r.history = history_;
  return r;
}

void upstream_run::open_more(std::uint32_t upto) {
  target_ = upto;
  while (opened_ < target_ && opened_ - streaming_ < max_waiting) {
    const std::size_t index = opened_++;
    streams_[index].stream =
        client_->start(request(), [this, index](providers::model_output out) { on_output(index, std::move(out)); });
  }
}

void upstream_run::on_output(std::size_t index, providers::model_output out) {
  answer& a = streams_[index];
  const auto count = static_cast<std::uint32_t>(out.text.lengths.size());
  if (a.deltas == 0 && count > 0) {
    ++streaming_;
    open_more(target_);
  }
  a.deltas += count;
  deltas_ += count;
  if (!out.end) return;
  a.ended = true;
  ++ended_;
  const bool is_whole = out.end->error.code == core::errc::ok && a.deltas == options_.deltas;
  if (is_whole) return;
  ++wrong_;
  if (!first_error_.empty()) return;
  first_error_ =
      out.end->error.code == core::errc::ok ? "an answer of " + std::to_string(a.deltas) + " deltas" : out.end->error.text;
}

bool upstream_run::run_until(clock_type::time_point end, const std::function<bool()>& done) {
  // The timer ends waits: nothing may come for a while.
  timer_.expires_at(end);
  timer_.async_wait([](boost::system::error_code) {});
  while (!done() && wrong_ == 0 && clock_type::now() < end) io_.run_one_until(end);
  timer_.cancel();
  return done();
}

int upstream_run::run() {
  core::provider_config config;
  config.id = core::provider_id{"bench"};
  config.kind = "openai";
  config.base_url = "http://127.0.0.1:" + std::to_string(options_.port) + "/v1";
  config.max_concurrent = options_.streams;
  auto made = providers::make_openai(config, loop_, [](const std::string&) { return std::nullopt; });
  if (!made.has_value()) {
    std::fprintf(stderr, "troupe_upstream: %s\n", made.error().text.c_str());
    return 1;
  }
  client_ = std::move(*made);
  history_ = std::make_shared<const std::vector<core::history_message>>(
      std::vector<core::history_message>{{core::role::user, "bench", {}, {}, true}});

  // What is allocated once is in the first tenth already: the rest shows the price of a stream.
  const auto deadline = clock_type::now() + limit;
  open_more(options_.streams / 10);
  bool opened = run_until(deadline, [this] { return streaming_ == target_; });
  run_for(settle);
  const sample base = take_sample();
  open_more(options_.streams);
  opened = opened && run_until(deadline, [this] { return streaming_ == target_; });
  run_for(settle);
  const sample begin = take_sample();
  if (opened) run_for(std::chrono::seconds{options_.seconds});
  const sample end = take_sample();
  if (ended_ > 0 && first_error_.empty()) first_error_ = "answers ended while it was measured: give troupe_sse more --deltas";
  if (opened && first_error_.empty()) run_until(deadline, [this] { return ended_ == target_; });
  return report(base, begin, end);
}

int upstream_run::report(const sample& base, const sample& begin, const sample& end) {
  const auto rounded = [](double value) { return std::round(value * 1000) / 1000; };
  const double seconds = std::chrono::duration<double>(end.at - begin.at).count();
  const auto deltas = static_cast<double>(end.deltas - begin.deltas);
  const auto cpu_us = static_cast<double>(end.usage.cpu_us - begin.usage.cpu_us);
  if (ended_ != options_.streams && first_error_.empty())
    first_error_ = std::to_string(options_.streams - ended_) + " answers did not end within 120 s";
  boost::json::object v;
  v["label"] = v["mode"] = "upstream";
  v["connections"] = options_.streams;
  v["seconds"] = rounded(seconds);
  v["deltas_per_s"] = rounded(deltas / seconds);
  v["server_cores"] = rounded(cpu_us / 1e6 / seconds);
  if (deltas > 0) v["cpu_us_per_delta"] = rounded(cpu_us / deltas);
  v["server_rss_mib"] = rounded(static_cast<double>(end.usage.rss_bytes) / (1 << 20));
  v["rss_bytes_per_connection"] = (end.usage.rss_bytes - base.usage.rss_bytes) / (options_.streams - options_.streams / 10);
  v["errors"] = wrong_;
  v["lost_connections"] = 0;
  v["wrong_turns"] = 0;
  if (!first_error_.empty()) v["first_error"] = first_error_;
  std::puts(boost::json::serialize(v).c_str());
  return first_error_.empty() && deltas > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app{"Model answers at once through our providers, on one thread", "troupe_upstream"};
  app.add_option("--port", o.port, "of troupe_sse")->required();
  app.add_option("--streams", o.streams)->capture_default_str()->check(CLI::Range(10, 100'000));
  app.add_option("--deltas", o.deltas, "of one answer, as troupe_sse was told")->capture_default_str();
  app.add_option("--seconds", o.seconds, "of measuring")->capture_default_str()->check(CLI::Range(1, 600));
  CLI11_PARSE(app, argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  return upstream_run{o}.run();
}
