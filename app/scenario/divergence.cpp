#include "app/scenario/divergence.hpp"

#include "providers/utf8.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

json::value bounded_value(const json::value& v) {
  constexpr std::size_t most_bytes = 4'096;
  auto text = json::serialize(v);
  if (text.size() <= most_bytes) return v;
  return json::value(providers::bounded_text(text, most_bytes));
}

json::array passed_to_json(const std::deque<passed_event>& passed) {
  json::array out;
  for (const auto& p : passed) out.push_back(json::object{{"line", p.line}, {"event", bounded_value(p.event)}});
  return out;
}

json::array events_to_json(const std::vector<json::object>& events, std::size_t most) {
  json::array out;
  for (std::size_t i = 0; i < std::min(events.size(), most); ++i) out.push_back(bounded_value(events[i]));
  return out;
}

}  // namespace troupe::app
