#include "providers/sse_parser.hpp"

#include <cstring>

namespace troupe::providers {

namespace {

constexpr std::size_t max_event_name = 64;
constexpr std::size_t kept_capacity = 16 << 10;  // larger buffers are given back after their event

std::size_t line_end(std::string_view bytes) noexcept {
  auto* lf = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
  auto n = lf == nullptr ? bytes.size() : static_cast<std::size_t>(lf - bytes.data());
  auto* cr = static_cast<const char*>(std::memchr(bytes.data(), '\r', n));
  if (cr != nullptr) return static_cast<std::size_t>(cr - bytes.data());
  return lf == nullptr ? std::string_view::npos : n;
}

void clear_and_bound(std::string& s) {
  if (s.capacity() > kept_capacity)
    std::string().swap(s);
  else
    s.clear();
}

}  // namespace

std::optional<sse_event> sse_parser::next() {
  if (given_) forget_event();
  while (!too_long_ && !input_.empty()) {
    if (after_cr_) {
      after_cr_ = false;
      if (input_.front() == '\n') {
        input_.remove_prefix(1);
        continue;
      }
    }
    auto n = line_end(input_);
    auto part = input_.substr(0, n);
    if (line_.size() + part.size() > max_line_) {
      too_long_ = true;
      break;
    }
    if (n == std::string_view::npos) {
      line_.append(part);
      input_ = {};
      break;
    }
    after_cr_ = input_[n] == '\r';
    input_.remove_prefix(n + 1);
    bool is_blank = line_.empty() && part.empty();
    if (line_.empty()) {
      take_line(part, true);
    } else {
      line_.append(part);
      take_line(line_, false);
      clear_and_bound(line_);
    }
    if (!is_blank) continue;
    if (has_data_) return event();
    forget_event();
  }
  if (!view_.empty()) {
    data_ = view_;
    view_ = {};
  }
  return std::nullopt;
}

std::optional<sse_event> sse_parser::finish() {
  if (given_) forget_event();
  if (too_long_ || !has_data_) return std::nullopt;
  return event();
}

void sse_parser::take_line(std::string_view line, bool stays) {
  if (first_line_) {
    first_line_ = false;
    if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  }
  auto colon = line.find(':');
  auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") name_ = value.substr(0, max_event_name);
  if (field != "data") return;
  if (!has_data_) {
    has_data_ = true;
    if (stays)
      view_ = value;
    else
      data_ = value;
    return;
  }
  if (!view_.empty()) {
    data_ = view_;
    view_ = {};
  }
  if (data_.size() + 1 + value.size() > max_line_) {
    too_long_ = true;
    return;
  }
  data_ += '\n';
  data_ += value;
}

sse_event sse_parser::event() {
  given_ = true;
  return {name_, view_.empty() ? std::string_view(data_) : view_};
}

void sse_parser::forget_event() {
  given_ = false;
  has_data_ = false;
  view_ = {};
  name_.clear();
  clear_and_bound(data_);
}

}  // namespace troupe::providers
