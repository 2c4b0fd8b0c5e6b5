#include "providers/script.hpp"

#include "providers/utf8.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <regex>

namespace troupe::providers {

namespace {

using std::chrono::milliseconds;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool contains_lower(std::string_view subject, std::string_view needle) noexcept {
  return std::search(subject.begin(), subject.end(), needle.begin(), needle.end(),
                     [](char a, char b) { return lower(a) == b; }) != subject.end();
}

const core::history_message* last_of(const std::vector<core::history_message>& history, core::role role) {
  auto it = std::find_if(history.rbegin(), history.rend(), [&](const auto& m) { return m.role == role; });
  return it == history.rend() ? nullptr : &*it;
}

/// Which tool the last message is a result of; empty when it is none.
std::string_view tool_of_last(const std::vector<core::history_message>& history) {
  if (history.empty() || history.back().role != core::role::tool) return {};
  auto* asking = last_of(history, core::role::assistant);
  if (asking == nullptr) return {};
  for (const auto& call : asking->calls)
    if (call.id == history.back().call) return call.tool;
  return {};
}

void append_json_escaped(std::string& out, std::string_view value) {
  auto quoted = boost::json::serialize(boost::json::string(to_utf8(value)));
  out.append(quoted, 1, quoted.size() - 2);
}

}  // namespace

void script_text::append_to(std::string& out, const script_values& values, bool as_json) const {
  auto value_of = [&](const part& p) -> std::string_view {
    if (p.from == source::user) return values.user;
    if (p.from == source::result) return values.result;
    return p.group < values.groups.size() ? std::string_view(values.groups[p.group]) : std::string_view{};
  };
  for (const auto& p : parts) {
    out += p.before;
    auto value = value_of(p);
    if (as_json)
      append_json_escaped(out, value);
    else if (scan_utf8(value).valid == value.size())
      out += value;
    else
      out += to_utf8(value);  // a group counts bytes and may cut a character
  }
  out += tail;
}

struct script_pattern::expression {
  std::regex regex;
};

script_pattern::script_pattern(std::string_view text) : needle_(text) {
  if (text.find_first_of("^$\\.*+?()[]{}|") == std::string_view::npos) {
    std::transform(needle_.begin(), needle_.end(), needle_.begin(), lower);
    return;
  }
  auto flags = std::regex::ECMAScript | std::regex::icase;
#ifdef __GLIBCXX__
  // The default matcher recurses per character and backtracks without bound: a long message would end the process.
  flags |= std::regex_constants::__polynomial;
#endif
  expression_ = std::make_shared<const expression>(expression{std::regex(needle_, flags)});
}

std::size_t script_pattern::group_count() const noexcept { return expression_ ? expression_->regex.mark_count() : 0; }

bool script_pattern::matches(std::string_view subject, std::vector<std::string>& groups) const {
  if (!expression_) return contains_lower(subject, needle_);
  auto head = subject.substr(0, max_regex_subject);
  std::match_results<std::string_view::const_iterator> found;
  if (!std::regex_search(head.begin(), head.end(), found, expression_->regex)) return false;
  for (std::size_t i = 1; i < found.size(); ++i) groups.push_back(found[i].str());
  return true;
}

void cut_into_pieces(std::string_view text, std::uint32_t chunk, core::text_pieces& out) {
  while (!text.empty()) {
    std::size_t end = 0;
    for (std::uint32_t n = 0; n < chunk && end < text.size(); ++n) {
      ++end;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    }
    out.add(text.substr(0, end));
    text.remove_prefix(end);
  }
}

script_player::script_player(script_ptr rules, const model_request& request)
    : script_(std::move(rules)), history_(request.history), call_number_(request.call_number) {
  if (!history_) history_ = std::make_shared<const std::vector<core::history_message>>();
  if (auto* user = last_of(*history_, core::role::user)) values_.user = user->content;
  if (auto* result = last_of(*history_, core::role::tool)) values_.result = result->content;
  try {
    choose(request);
  } catch (const std::regex_error&) {
    no_answer_ = "a pattern of the script is too complex for this message";
  }
}

void script_player::choose(const model_request& request) {
  for (const auto& rule : script_->rules) {
    values_.groups.clear();
    if (!holds(rule.when, request)) continue;
    steps_ = &rule.say;
    return;
  }
  values_.groups.clear();
  if (script_->otherwise)
    steps_ = &*script_->otherwise;
  else
    no_answer_ = "no rule of the script fits and it has no \"otherwise\"";
}

bool script_player::holds(const script_when& when, const model_request& request) {
  if (when.call != 0 && when.call != request.call_number) return false;
  if (when.after && (history_->empty() || history_->back().role != *when.after)) return false;
  if (!when.tool.empty() && tool_of_last(*history_) != when.tool) return false;
  if (when.result && (history_->empty() || history_->back().role != core::role::tool)) return false;
  if (when.user && !when.user->matches(values_.user, values_.groups)) return false;
  return !when.result || when.result->matches(values_.result, values_.groups);
}

std::optional<milliseconds> script_player::play(model_output& out) {
  if (steps_ == nullptr) {
    fail(no_answer_, false, out);
    return std::nullopt;
  }
  while (step_ < steps_->size()) {
    const auto& step = (*steps_)[step_];
    if (auto* pieces = std::get_if<say_pieces>(&step)) {
      bool is_said = say(*pieces, out);
      if (out.end) return std::nullopt;
      if (!is_said) return pieces->every;
      in_pieces_ = false;
      ++step_;
      continue;
    }
    ++step_;
    if (auto* delay = std::get_if<say_delay>(&step)) {
      if (delay->time.count() > 0) return delay->time;
    } else if (auto* tool = std::get_if<say_tool>(&step)) {
      say(*tool);
      if (!count(end_.calls.back().arguments.size(), out)) return std::nullopt;
    } else if (auto* usage = std::get_if<say_usage>(&step)) {
      end_.usage = usage->tokens;
    } else if (auto* finish = std::get_if<say_finish>(&step)) {
      finish_ = finish->reason;
    } else if (auto* error = std::get_if<say_error>(&step)) {
      end_.retry_after = error->retry_after;
      fail(error->text, error->retryable, out, error->code);
      return std::nullopt;
    }
  }
  end_.finish = finish_.value_or(end_.calls.empty() ? core::finish_reason::stop : core::finish_reason::tool_calls);
  out.end = std::move(end_);
  return std::nullopt;
}

/// False: more pieces are to come, after `step.every`.
bool script_player::say(const say_pieces& step, model_output& out) {
  auto& to = step.is_reasoning ? out.reasoning : out.text;
  bool is_fixed = step.texts.empty();
  if (!in_pieces_) {
    in_pieces_ = true;
    piece_ = offset_ = 0;
    pieces_ = {};
    if (is_fixed) {
      if (!count(step.fixed.text.size(), out)) return true;
    } else {
      std::string text;
      for (std::uint32_t n = 0; n < step.times; ++n) {
        for (const auto& piece : step.texts) {
          text.clear();
          piece.append_to(text, values_);
          if (!count(text.size(), out)) return true;
          if (step.chunk > 0)
            cut_into_pieces(text, step.chunk, pieces_);
          else if (!text.empty())
            pieces_.add(text);
        }
      }
    }
  }
  const auto& pieces = is_fixed ? step.fixed : pieces_;
  if (step.every.count() <= 0) {
    to.add(pieces);
    return true;
  }
  if (piece_ < pieces.lengths.size()) {
    auto length = pieces.lengths[piece_++];
    to.add(std::string_view(pieces.text).substr(offset_, length));
    offset_ += length;
  }
  return piece_ >= pieces.lengths.size();
}

void script_player::say(const say_tool& step) {
  core::tool_call call;
  call.tool = step.tool;
  step.arguments.append_to(call.arguments, values_, step.is_json);
  call.id.value = step.id;
  if (step.id.empty()) call.id.value = "call_" + std::to_string(call_number_) + "_" + std::to_string(end_.calls.size() + 1);
  end_.calls.push_back(std::move(call));
}

bool script_player::count(std::size_t bytes, model_output& out) {
  said_ += bytes;
  if (said_ <= script::max_answer) return true;
  fail("the script says more than " + std::to_string(script::max_answer) + " bytes in one answer", false, out);
  return false;
}

void script_player::fail(std::string text, bool retryable, model_output& out, core::errc code) {
  end_.error = {code, std::move(text)};
  end_.retryable = retryable;
  end_.calls.clear();
  out.end = std::move(end_);
}

}  // namespace troupe::providers
