#include "app/scenario/recorded_tools.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace troupe::app {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t max_tools = 1'000;
constexpr std::size_t max_results = 100'000;
constexpr std::size_t max_recorded_text = 4 << 20;
constexpr std::int64_t longest_ms = 366LL * 24 * 3'600'000;

void only(const node& at, std::span<const std::string_view> allowed) {
  for (const auto& member : at.object())
    if (std::find(allowed.begin(), allowed.end(), member.key()) == allowed.end()) unknown_key(at, member.key(), allowed);
}

std::optional<node> find(const node& at, std::string_view key) {
  const auto* v = at.object().if_contains(key);
  if (!v) return std::nullopt;
  return at.child(key, *v);
}

std::string needed(const node& at, std::string_view key) {
  auto found = find(at, key);
  if (!found) at.fail("needs \"" + std::string(key) + "\"");
  return found->text(max_recorded_text);
}

/// Which results were given, and when each call is due. Shared by the tools of one recording.
class desk {
 public:
  explicit desk(std::shared_ptr<const recorded_calls> calls) : calls_(std::move(calls)), is_given_(calls_->results.size()) {}

  tools::tool_result answer(const std::string& tool, const tools::tool_context& context, const json::object& arguments) {
    auto it = begun_.find(context.idempotency_key);
    if (it == begun_.end()) {
      auto which = next_for(tool, context.call.str());
      if (which == calls_->results.size()) return missing(tool, context.call.str());
      is_given_[which] = true;
      it = begun_.emplace(context.idempotency_key, entry{which, context.environment->now() + calls_->results[which].after})
               .first;
    }
    const auto& result = calls_->results[it->second.which];
    if (result.never) throw tool_pause{{}, true};
    if (result.input && *result.input != json::value(arguments))
      return {false, calls_->file + ":" + std::to_string(result.line) + ": the recording has the call " + result.call +
                         " with the input " + json::serialize(*result.input) + ", and it was made with " +
                         json::serialize(arguments)};
    if (auto left = it->second.due - context.environment->now(); left.count() > 0) throw tool_pause{left, false};
    return {result.ok, result.output};
  }

 private:
  struct entry {
    std::size_t which;
    core::millis due;
  };

  /// Models repeat their call ids from one run to the next: the first that was not given yet is meant.
  [[nodiscard]] std::size_t next_for(const std::string& tool, const std::string& call) const {
    std::size_t i = 0;
    while (i < is_given_.size() && (is_given_[i] || calls_->results[i].call != call || calls_->results[i].tool != tool)) ++i;
    return i;
  }
  [[nodiscard]] tools::tool_result missing(const std::string& tool, const std::string& call) const {
    return {false, calls_->file + ": the recording has no result for the call " + call + " of `" + tool + "`"};
  }

  std::shared_ptr<const recorded_calls> calls_;
  std::vector<bool> is_given_;
  std::map<std::string, entry> begun_;
};

class recorded_tool final : public tools::tool {
 public:
  recorded_tool(tools::tool_spec spec, std::shared_ptr<desk> results) : tool(std::move(spec)), results_(std::move(results)) {}
  [[nodiscard]] tools::tool_result run(const tools::tool_context& context, const json::object& arguments) const override {
    return results_->answer(spec().name, context, arguments);
  }

 private:
  std::shared_ptr<desk> results_;
};

}  // namespace

void read_tools(const node& at, recorded_calls& to) {
  static constexpr std::array<std::string_view, 7> words{"tool",     "effect",        "risk",      "approval",
                                                         "deciders", "not_requester", "parameters"};
  static constexpr std::array<std::string_view, 3> effects{"read_only", "idempotent", "once"};
  static constexpr std::array<std::string_view, 3> policies{"never", "always", "by_effect"};  // in the order of the enum
  std::size_t i = 0;
  for (const auto& item : at.array(max_tools)) {
    auto entry = at.child(std::to_string(i++), item);
    only(entry, words);
    tools::tool_spec spec;
    spec.name = needed(entry, "tool");
    spec.parameters = R"({"type":"object"})";
    spec.source = "recording";
    spec.time_limit = std::chrono::hours{24};
    if (auto effect = find(entry, "effect")) spec.effect = *core::effect_from(effect->one_of(effects));
    if (auto risk = find(entry, "risk")) spec.risk = risk->text(64);
    if (auto approval = find(entry, "approval")) {
      auto found = std::find(policies.begin(), policies.end(), approval->one_of(policies));
      spec.approval = static_cast<core::approval_policy>(found - policies.begin());
    }
    if (auto deciders = find(entry, "deciders"))
      to.approval[spec.name].deciders = static_cast<std::uint32_t>(deciders->whole(1, 2));
    if (auto other = find(entry, "not_requester")) to.approval[spec.name].not_requester = other->boolean();
    if (auto parameters = find(entry, "parameters")) spec.parameters = json::serialize(parameters->object());
    to.tools.push_back(std::move(spec));
  }
}

std::vector<recorded_result> read_results(const node& at, const std::vector<int>& lines) {
  static constexpr std::array<std::string_view, 7> words{"call", "tool", "input", "ok", "output", "after_ms", "never"};
  std::vector<recorded_result> out;
  std::size_t i = 0;
  for (const auto& item : at.array(max_results)) {
    auto entry = at.child(std::to_string(i), item);
    only(entry, words);
    recorded_result r;
    r.call = needed(entry, "call");
    r.tool = needed(entry, "tool");
    if (auto input = find(entry, "input")) r.input = input->object();
    if (auto never = find(entry, "never")) {
      if (!never->boolean()) never->fail("expected true");
      r.never = true;
      if (entry.object().contains("output")) entry.fail("has \"never\" and \"output\"; keep one");
    } else {
      r.output = needed(entry, "output");
    }
    if (auto ok = find(entry, "ok")) r.ok = ok->boolean();
    if (auto after = find(entry, "after_ms")) r.after = milliseconds{after->whole(0, longest_ms)};
    r.line = i < lines.size() ? lines[i] : 0;
    out.push_back(std::move(r));
    ++i;
  }
  return out;
}

core::result<tools::toolbox> recorded_toolbox(std::shared_ptr<const recorded_calls> calls) {
  tools::toolbox box;
  auto results = std::make_shared<desk>(calls);
  for (const auto& spec : calls->tools)
    if (auto added = box.add(std::make_unique<recorded_tool>(spec, results)); !added) return added.error();
  return box;
}

}  // namespace troupe::app
