#include "app/mock/faults.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace troupe::app {

namespace {

using core::errc;
using core::error;

struct fault_word {
  std::string_view word;
  fault_kind kind;
  std::string_view unit;
  std::int64_t least;
  std::int64_t most;
};
constexpr std::int64_t max_bytes = 64 << 20;
constexpr std::int64_t max_times = 1'000'000;
constexpr std::array<fault_word, 6> words{{{"latency", fault_kind::latency, "milliseconds", 0, 600'000},
                                           {"stall", fault_kind::stall, "bytes", 0, max_bytes},
                                           {"cut", fault_kind::cut, "bytes", 0, max_bytes},
                                           {"garbage", fault_kind::garbage, "bytes", 0, max_bytes},
                                           {"status", fault_kind::status, "an HTTP status", 400, 599},
                                           {"retry_after", fault_kind::retry_after, "seconds", 0, 86'400}}};

/// Ends what may be open in an event stream, and is an event that is neither JSON nor UTF-8. The type is one that clients of
/// either API read.
constexpr std::string_view noise = "\n\nevent: content_block_delta\ndata: {\"garbage\" \xff\xfe<\n\n";

std::optional<std::int64_t> number_in(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t out = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failure != std::errc{} || end != text.data() + text.size() || out < least || out > most) return std::nullopt;
  return out;
}

/// Up to the next `mark`, which goes too.
std::string_view take_until(std::string_view& rest, char mark) {
  auto end = std::min(rest.find(mark), rest.size());
  auto out = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

error wrong(std::string_view text, const std::string& why) {
  return {errc::validation_error, "fault \"" + std::string(text.substr(0, 100)) + "\": " + why};
}

std::string between(std::int64_t least, std::int64_t most) {
  return "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

core::result<mock_fault> parse_fault(std::string_view text) {
  auto rest = text;
  auto word = take_until(rest, ':');
  auto known = std::find_if(words.begin(), words.end(), [&](const auto& w) { return w.word == word; });
  if (known == words.end())
    return wrong(text, "unknown word \"" + std::string(word.substr(0, 50)) +
                           "\"; allowed are latency, stall, cut, garbage, status and retry_after");
  bool has_times = rest.find(':') != std::string_view::npos;
  auto amount = number_in(take_until(rest, ':'), known->least, known->most);
  if (!amount)
    return wrong(text, std::string(word) + " needs " + std::string(known->unit) + " after a colon, " +
                           between(known->least, known->most));
  mock_fault out{known->kind, *amount, std::nullopt};
  if (!has_times) return out;
  auto times = number_in(rest, 1, max_times);
  if (!times) return wrong(text, "the number of requests is " + between(1, max_times));
  out.times = static_cast<std::uint32_t>(*times);
  return out;
}

core::result<std::vector<mock_fault>> parse_fault_list(std::string_view text) {
  std::vector<mock_fault> out;
  if (trimmed(text) == "none") return out;
  while (!text.empty()) {
    auto fault = parse_fault(trimmed(take_until(text, ',')));
    if (!fault) return fault.error();
    if (fault->times)
      return error{errc::validation_error, "X-Troupe-Fault is for one request: leave the number of requests out"};
    if (out.size() == max_faults)
      return error{errc::validation_error, "X-Troupe-Fault has more than " + std::to_string(max_faults) + " faults"};
    out.push_back(*fault);
  }
  return out;
}

fault_plan plan_of(const std::vector<mock_fault>& faults) { return fault_source(faults).next(); }

fault_plan fault_source::next() {
  fault_plan out;
  auto take = [&](fault_kind kind) -> std::optional<std::int64_t> {
    auto at = std::find_if(faults_.begin(), faults_.end(), [&](const auto& f) { return f.kind == kind && f.times != 0U; });
    if (at == faults_.end()) return std::nullopt;
    if (at->times) --*at->times;
    return at->amount;
  };
  auto bytes = [&](fault_kind kind) -> std::optional<std::size_t> {
    auto amount = take(kind);
    if (!amount) return std::nullopt;
    return static_cast<std::size_t>(*amount);
  };
  if (auto ms = take(fault_kind::latency)) out.latency = std::chrono::milliseconds{*ms};
  if (auto seconds = take(fault_kind::retry_after)) out.retry_after = std::chrono::seconds{*seconds};
  if (auto status = take(fault_kind::status)) {
    out.status = static_cast<int>(*status);
    return out;
  }
  out.stall_after = bytes(fault_kind::stall);
  out.cut_after = bytes(fault_kind::cut);
  out.garbage_after = bytes(fault_kind::garbage);
  return out;
}

body_filter::verdict body_filter::pass(std::string& bytes) {
  constexpr auto never = std::numeric_limits<std::size_t>::max();
  const auto cut = plan_.cut_after.value_or(never);
  const auto stall = plan_.stall_after.value_or(never);
  const auto end = std::min(cut, stall);
  const auto begin = passed_;
  const bool is_last = end != never && end - begin <= bytes.size();
  if (is_last) bytes.resize(end - begin);
  passed_ += bytes.size();
  if (plan_.garbage_after && *plan_.garbage_after < passed_)
    for (auto i = std::max(*plan_.garbage_after, begin); i < passed_; ++i)
      bytes[i - begin] = noise[(i - *plan_.garbage_after) % noise.size()];
  if (!is_last) return verdict::go_on;
  return cut <= stall ? verdict::cut : verdict::stall;
}

}  // namespace troupe::app
