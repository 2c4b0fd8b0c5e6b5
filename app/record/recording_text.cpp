#include "app/record/recording_text.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::app {

namespace json = boost::json;

namespace {

std::string lines_of(const std::vector<std::string>& lines) {
  std::string out = "[";
  for (std::size_t i = 0; i < lines.size(); ++i) out += (i == 0 ? "\n    " : ",\n    ") + lines[i];
  return out + " ]";
}

json::object price_of(const core::token_price& p) {
  auto usd = [](std::int64_t nano) { return static_cast<double>(nano) / 1'000; };
  return {{"input", usd(p.input_nano)}, {"cached_input", usd(p.cached_input_nano)}, {"output", usd(p.output_nano)}};
}

}  // namespace

std::string recording_text::str() const {
  auto line = [](const json::value& v) { return json::serialize(v); };
  std::string out = "{ \"scenario\": " + line(json::string(title)) + ",\n  \"tags\": [\"recorded\"],\n";
  out += "  \"recorded\": " + line(json::object{{"by", made_by}, {"at_ms", begun_at.count()}}) + ",\n";
  if (!agent.empty()) out += "  \"agent\": " + line(agent) + ",\n";
  if (price) out += "  \"price\": " + line(price_of(*price)) + ",\n";
  out += "  \"ignore\": " + line(json::array(ignored.begin(), ignored.end())) + ",\n";
  json::object skip;
  if (!url_skip.empty()) skip["url"] = url_skip;
  if (crashes)
    for (auto mode : {"restart", "crash", "url"}) skip[mode] = "it crashes by itself";
  if (!skip.empty()) out += "  \"skip\": " + line(skip) + ",\n";
  out += "  \"model\": { \"exchanges\": " + lines_of(exchanges) + " },\n";
  out += "  \"tools\": " + lines_of(tools) + ",\n  \"results\": " + lines_of(results) + ",\n";
  return out + "  \"steps\": " + lines_of(steps) + " }\n";
}

}  // namespace troupe::app
