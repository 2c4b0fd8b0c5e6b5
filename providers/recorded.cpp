#include "providers/recorded.hpp"

#include "providers/item_places.hpp"
#include "providers/scripted.hpp"
#include "providers/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>

namespace troupe::providers {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_exchanges = 100'000;
constexpr std::size_t max_pieces = 1'000'000;
/// A script waits for an hour at most in one step.
constexpr std::int64_t longest_delay_ms = 3'600'000;
/// Conversations whose place is kept; only those that cleared their history need it.
constexpr std::size_t max_followed = 10'000;

/// Thrown and caught in this file only.
struct cassette_fault {
  std::string at;  ///< below the exchange
  std::string text;
};

/// Texts of a recording are as they were said: nothing in them is a placeholder.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "${") out += '$';
    out += text[i];
  }
  return out;
}

json::value literal(const json::value& v) {
  if (const auto* text = v.if_string()) return json::string(escaped(*text));
  if (const auto* list = v.if_array()) {
    json::array out;
    for (const auto& item : *list) out.push_back(literal(item));
    return out;
  }
  if (const auto* object = v.if_object()) {
    json::object out;
    for (const auto& member : *object) out.emplace(escaped(member.key()), literal(member.value()));
    return out;
  }
  return v;
}

void add_delay(json::array& to, std::int64_t ms) {
  for (; ms > 0; ms -= longest_delay_ms) to.push_back(json::object{{"delay_ms", std::min(ms, longest_delay_ms)}});
}

/// `{"text": […], "after_ms": […]}`: each piece with the pause before it, as steps of a script.
void expand(const json::object& step, std::string_view verb, const std::string& at, json::array& to) {
  const auto* pauses = step.at("after_ms").if_array();
  const auto* pieces = step.at(verb).if_array();
  if (step.size() != 2 || !pauses || !pieces || pauses->size() != pieces->size())
    throw cassette_fault{at, "\"after_ms\" stands beside a list of texts and has one number for each"};
  json::array together;
  auto flush = [&] {
    if (!together.empty()) to.push_back(json::object{{verb, std::exchange(together, {})}});
  };
  for (std::size_t i = 0; i < pieces->size(); ++i) {
    const auto& pause = (*pauses)[i];
    if (!pause.is_int64() || pause.get_int64() < 0 || pause.get_int64() > 366LL * 24 * longest_delay_ms)
      throw cassette_fault{at + "/after_ms/" + std::to_string(i), "expected a whole number of milliseconds"};
    if (pause.get_int64() > 0) flush();
    add_delay(to, pause.get_int64());
    together.push_back(literal((*pieces)[i]));
  }
  flush();
}

script_ptr read_say(const json::value& say) {
  if (!say.is_array()) throw cassette_fault{"/say", "expected a list of steps"};
  json::array steps;
  std::size_t i = 0;
  for (const auto& item : say.get_array()) {
    auto at = "/say/" + std::to_string(i++);
    const auto* object = item.if_object();
    if (object && object->contains("after_ms") && (object->contains("text") || object->contains("reasoning")))
      expand(*object, object->contains("text") ? "text" : "reasoning", at, steps);
    else if (object && object->contains("delay_ms") && object->at("delay_ms").is_int64() && object->size() == 1)
      add_delay(steps, object->at("delay_ms").get_int64());
    else
      steps.push_back(literal(item));
    if (steps.size() > max_pieces)
      throw cassette_fault{at, "more than " + std::to_string(max_pieces) + " pieces in one answer"};
  }
  auto script = parse_script(json::serialize(json::object{{"otherwise", std::move(steps)}}));
  if (script) return *script;
  // The number in its place counts the steps of the expansion, so only what is wrong is told.
  auto text = script.error().text;
  auto colon = text.find(": ");
  throw cassette_fault{"/say", colon == std::string::npos ? text : text.substr(colon + 2)};
}

std::uint32_t count_of(const json::object& object, std::string_view key) {
  const auto* v = object.if_contains(key);
  if (!v || !v->is_int64() || v->get_int64() < 1 || v->get_int64() > 1'000'000'000)
    throw cassette_fault{"/" + std::string(key), "expected a whole number from 1"};
  return static_cast<std::uint32_t>(v->get_int64());
}

std::vector<core::error> read_failed(const json::value& list) {
  if (!list.is_array() || list.get_array().size() > max_failed_attempts)
    throw cassette_fault{"/failed", "expected a list of at most " + std::to_string(max_failed_attempts) + " errors"};
  std::vector<core::error> out;
  for (const auto& item : list.get_array()) {
    auto at = "/failed/" + std::to_string(out.size());
    const auto* object = item.if_object();
    const auto* text = object ? object->if_contains("text") : nullptr;
    const auto* code = object ? object->if_contains("code") : nullptr;
    if (!text || !text->is_string() || object->size() != (code ? 2U : 1U) || (code && !code->is_string()))
      throw cassette_fault{at, "expected {\"text\": what it said, \"code\"?: one of docs/errors.md}"};
    auto failure = code ? core::errc_from(code->get_string()) : errc::provider_error;
    if (code && core::to_string(failure) != std::string_view(code->get_string()))
      throw cassette_fault{at + "/code",
                           "unknown code " + bounded_text(code->get_string(), 64) + "; docs/errors.md lists them"};
    out.push_back({failure, std::string(text->get_string())});
  }
  return out;
}

recorded_exchange read_exchange(const json::value& value) {
  const auto* object = value.if_object();
  if (!object) throw cassette_fault{{}, "expected an object"};
  for (const auto& member : *object)
    if (std::string_view key = member.key(); key != "turn" && key != "step" && key != "user" && key != "failed" && key != "say")
      throw cassette_fault{{}, "unknown word \"" + bounded_text(key, 64) + "\"; allowed here: turn, step, user, failed, say"};
  recorded_exchange out;
  out.place.turn = count_of(*object, "turn");
  out.place.step = count_of(*object, "step");
  const auto* user = object->if_contains("user");
  if (!user || !user->is_string()) throw cassette_fault{"/user", "expected the text of the message that is answered"};
  out.place.user = std::string(user->get_string());
  if (const auto* failed = object->if_contains("failed")) out.failed = read_failed(*failed);
  const auto* say = object->if_contains("say");
  if (!say) throw cassette_fault{{}, "an exchange needs \"say\", a list of steps"};
  out.say = read_say(*say);
  return out;
}

/// Each "[redacted]" fits any text.
bool fits(std::string_view pattern, std::string_view text) {
  auto mark = pattern.find(redacted_text);
  if (mark == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, mark))) return false;
  text.remove_prefix(mark);
  for (;;) {
    pattern.remove_prefix(mark + redacted_text.size());
    mark = pattern.find(redacted_text);
    if (mark == std::string_view::npos) return text.size() >= pattern.size() && text.ends_with(pattern);
    auto found = text.find(pattern.substr(0, mark));
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + mark);
  }
}

std::string shown(std::string_view text) { return "\"" + bounded_text(text, 80) + "\""; }

class recorded_client final : public model_client {
 public:
  recorded_client(recording_ptr recording, core::timer_service& timers) : recording_(std::move(recording)), timers_(timers) {}

  std::shared_ptr<model_stream> start(model_request request, model_sink sink) override {
    auto place = request.history ? place_of(*request.history) : exchange_place{};
    const auto* exchange = find(request.session, place);
    auto wrong = exchange ? defect_of(*exchange, place) : missing(place);
    model_output out;
    out.end = model_end{};
    if (wrong.empty()) {
      const auto* failure = next_failure(request.session, *exchange);
      if (!failure) return play_script(exchange->say, std::move(request), std::move(sink), timers_);
      out.end->error = *failure;
      out.end->retryable = true;
      out.end->retry_after = std::chrono::milliseconds{0};
    } else {
      out.end->error = {errc::provider_error, std::move(wrong)};
    }
    request = {};
    sink(std::move(out));
    return std::make_shared<ended>();
  }

 private:
  struct ended final : model_stream {
    void cancel() override {}
  };

  /// A place comes again where the history was cleared: then the next one behind the last is meant.
  const recorded_exchange* find(const core::session_id& session, const exchange_place& place) {
    const auto& all = recording_->exchanges;
    auto is_here = [&](const recorded_exchange& e) { return e.place.turn == place.turn && e.place.step == place.step; };
    auto is_it = [&](const recorded_exchange& e) { return is_here(e) && fits(e.place.user, place.user); };
    std::lock_guard lock(mutex_);
    if (next_.size() >= max_followed) next_.clear();
    auto& next = next_[session].exchange;
    auto from = all.begin() + static_cast<std::ptrdiff_t>(std::min(next, all.size()));
    auto it = std::find_if(from, all.end(), is_it);
    if (it == all.end()) it = std::find_if(all.begin(), all.end(), is_it);
    if (it == all.end()) it = std::find_if(all.begin(), all.end(), is_here);
    if (it == all.end()) return nullptr;
    // Not behind it: a call that a restart cut short is asked again.
    next = static_cast<std::size_t>(it - all.begin());
    return &*it;
  }

  /// Of the exchange that was found last; nothing where the answer is due.
  const core::error* next_failure(const core::session_id& session, const recorded_exchange& e) {
    if (e.failed.empty()) return nullptr;
    std::lock_guard lock(mutex_);
    auto& place = next_[session];
    if (place.failing != place.exchange) place.failed = 0;
    place.failing = place.exchange;
    if (place.failed < e.failed.size()) return &e.failed[place.failed++];
    place.failed = 0;
    return nullptr;
  }

  [[nodiscard]] std::string defect_of(const recorded_exchange& e, const exchange_place& place) const {
    if (fits(e.place.user, place.user)) return {};
    return recording_->file + ":" + std::to_string(e.line) + ": the recording answers " + shown(e.place.user) + " in turn " +
           std::to_string(place.turn) + ", and was asked " + shown(place.user) +
           "; it knows only the conversation it was made of";
  }
  [[nodiscard]] std::string missing(const exchange_place& place) const {
    const auto& all = recording_->exchanges;
    auto text = recording_->file + (all.empty() ? "" : ":" + std::to_string(all.back().line)) +
                ": the recording has no answer for turn " + std::to_string(place.turn) + ", step " + std::to_string(place.step);
    if (all.empty()) return text + ": it has none at all";
    return text + " (" + shown(place.user) + "); its last one is for turn " + std::to_string(all.back().place.turn) +
           ", step " + std::to_string(all.back().place.step);
  }

  recording_ptr recording_;
  core::timer_service& timers_;
  std::mutex mutex_;
  struct follower {
    std::size_t exchange = 0;  ///< the one that was asked for last
    std::size_t failing = 0;   ///< whose attempts were counted last
    std::size_t failed = 0;
  };
  std::map<core::session_id, follower> next_;
};

}  // namespace

exchange_place place_of(const std::vector<core::history_message>& history) {
  exchange_place out;
  for (const auto& message : history) {
    if (message.role == core::role::user) {
      ++out.turn;
      out.step = 0;
      out.user = message.content;
    } else if (message.role == core::role::assistant) {
      ++out.step;
    }
  }
  ++out.step;
  return out;
}

core::result<recording_ptr> parse_recording(std::string_view text, std::string file) {
  auto wrong = [&](const std::string& what) { return error{errc::configuration_error, file + what}; };
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  boost::system::error_code failure;
  auto value = json::parse(text, failure, {}, options);
  if (failure) return wrong(": is not JSON: " + failure.message());
  const json::value* list = nullptr;
  if (const auto* root = value.if_object())
    if (const auto* model = root->if_contains("model"); model && model->is_object())
      list = model->get_object().if_contains("exchanges");
  if (!list) return wrong(": is no recording: it has no model.exchanges (docs/scenarios.md)");
  if (!list->is_array() || list->get_array().size() > max_exchanges)
    return wrong(": /model/exchanges: expected a list of at most " + std::to_string(max_exchanges) + " exchanges");
  auto places = item_places(text, {"model", "exchanges"});
  auto out = std::make_shared<recording>();
  std::size_t i = 0;
  for (const auto& item : list->get_array()) {
    auto line = i < places.size() ? places[i].line : 0;
    try {
      out->exchanges.push_back(read_exchange(item));
      out->exchanges.back().line = line;
    } catch (const cassette_fault& f) {
      return wrong(":" + std::to_string(line) + ": /model/exchanges/" + std::to_string(i) + f.at + ": " + f.text);
    }
    ++i;
  }
  out->file = std::move(file);
  return recording_ptr(std::move(out));
}

core::result<recording_ptr> load_recording(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text;
  std::string block(64 << 10, '\0');
  while (in && text.size() <= max_recording_bytes) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    text.append(block, 0, static_cast<std::size_t>(in.gcount()));
  }
  if (text.empty()) return error{errc::configuration_error, file + ": cannot be read, or is empty"};
  if (text.size() > max_recording_bytes)
    return error{errc::configuration_error, file + ": is larger than " + std::to_string(max_recording_bytes) + " bytes"};
  return parse_recording(text, file);
}

std::unique_ptr<model_client> make_recorded(recording_ptr recording, core::timer_service& timers) {
  return std::make_unique<recorded_client>(std::move(recording), timers);
}

core::result<std::unique_ptr<model_client>> make_recorded(const core::provider_config& config, core::timer_service& timers) {
  auto loaded = load_recording(config.cassette);
  if (!loaded) return error{loaded.error().code, "provider \"" + config.id.str() + "\": cassette: " + loaded.error().text};
  return make_recorded(std::move(*loaded), timers);
}

}  // namespace troupe::providers
