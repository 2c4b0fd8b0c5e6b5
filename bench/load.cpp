// The load generator's command line. Prints one line of JSON; exits 0 only when something was measured and nothing failed.
#include "bench/load_run.hpp"

#include <CLI/CLI.hpp>

#include <boost/json/serialize.hpp>

#include <cstdio>
#include <map>
#include <string>

int main(int argc, char** argv) {
  using troupe::bench::mode;
  const std::map<std::string, mode> modes{
      {"turns", mode::turns}, {"paced", mode::paced}, {"idle", mode::idle}, {"connect", mode::connect}, {"watch", mode::watch}};
  std::map<std::string, troupe::bench::dialect> dialects;
  for (std::size_t i = 0; i < troupe::bench::dialect_count; ++i)
    dialects.emplace(name_of(static_cast<troupe::bench::dialect>(i)), static_cast<troupe::bench::dialect>(i));
  dialects.erase("chat-events");  // its clients ask over REST
  troupe::bench::options o;
  CLI::App app{"Load for a server that speaks a dialect of docs/protocols.md", "troupe_load"};
  app.add_option("mode", o.what, "turns, paced, idle, connect or watch")->required()->transform(CLI::Transformer(modes));
  app.add_option("--host", o.server.host, "numeric IPv4 address")->capture_default_str();
  app.add_option("--port", o.server.port)->required();
  app.add_option("--dialect", o.talks, "nexus, chat-room, conversation (the default) or agent-stream; `watch` mixes all five")
      ->transform(CLI::Transformer(dialects));
  app.add_option("--label", o.label, "of the report; by default the mode");
  app.add_option("--message", o.message, "what every turn says, as JSON text without quotes")->capture_default_str();
  app.add_option("--connections", o.connections)->capture_default_str()->check(CLI::Range(1, 1'000'000));
  app.add_option("--seconds", o.seconds, "of measuring")->capture_default_str()->check(CLI::Range(1, 3600));
  app.add_option("--warmup", o.warmup_seconds, "seconds before measuring")->capture_default_str()->check(CLI::Range(0, 3600));
  app.add_option("--chunk", o.chunk_bytes, "bytes of one delta")->capture_default_str()->check(CLI::Range(1, 65536));
  app.add_option("--every-ms", o.every_ms,
                 "time between the server's deltas, to measure how late they are; 0: it keeps no time")
      ->check(CLI::Range(0, 60000));
  app.add_option("--expect-bytes", o.expect_bytes, "text of a whole turn; 0: not checked")->capture_default_str();
  app.add_option("--server-pid", o.server_pid, "process to report processor time and memory of");
  app.add_flag("--touch", o.touch, "idle: one turn on every connection first");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  const troupe::bench::report r = troupe::bench::run_load(o);
  std::puts(boost::json::serialize(r.values).c_str());
  return r.ok ? 0 : 1;
}
