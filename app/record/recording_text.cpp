#include "app/record/recording_text.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::app {

namespace json = boost::json;

namespace {

std::string list_of(const std::vector<std::string>& lines) {
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
  if (crashes) {
    constexpr auto why = "it crashes by itself";
    out += "  \"skip\": " + line(json::object{{"restart", why}, {"crash", why}, {"url", why}}) + ",\n";
  }
  out += "  \"model\": { \"exchanges\": " + list_of(exchanges) + " },\n";
  out += "  \"tools\": " + list_of(tools) + ",\n  \"results\": " + list_of(results) + ",\n";
  return out + "  \"steps\": " + list_of(steps) + " }\n";
}

}  // namespace troupe::app
