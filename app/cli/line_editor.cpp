#include "app/cli/line_editor.hpp"

#include "app/cli/safe_text.hpp"

#include <algorithm>

namespace troupe::app {

namespace {

/// The server takes no more in one message.
constexpr std::size_t longest = 1 << 20;
constexpr std::size_t most_remembered = 500;
/// A key is shorter; what goes on for longer is none.
constexpr std::size_t longest_key = 32;
constexpr std::string_view paste_ends = "\x1b[201~";

constexpr char ctrl(char letter) { return static_cast<char>(letter & 0x1F); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

}  // namespace

void line_editor::feed(std::string_view bytes) {
  held_.append(bytes);
  std::size_t taken = 0;
  while (!held_.empty() && (taken = is_pasting_ ? take_paste() : take_key()) != 0) held_.erase(0, taken);
}

std::optional<std::string> line_editor::next() {
  if (done_.empty()) return std::nullopt;
  auto line = std::move(done_.front());
  done_.pop_front();
  return line;
}

std::string line_editor::replace(std::string text) {
  auto old = std::exchange(text_, std::move(text));
  cursor_ = text_.size();
  at_history_ = history_.size();
  return old;
}

void line_editor::remember(const std::string& line) {
  bool is_here = at_history_ == history_.size();
  if (line.find_first_not_of(" \t\n") != std::string::npos && (history_.empty() || history_.back() != line))
    history_.push_back(line);
  if (history_.size() > most_remembered) history_.erase(history_.begin());
  if (is_here) at_history_ = history_.size();
}

std::size_t line_editor::take_key() {
  auto first = held_.front();
  if (first == '\x1b') return take_escape();
  if (static_cast<unsigned char>(first) < 0x20 || first == '\x7f') {
    on_control(first);
    return 1;
  }
  auto size = character_size(held_);
  if (!size) return 1;  // no UTF-8: a key that means nothing
  if (*size != 0) insert(std::string_view(held_).substr(0, *size));
  return *size;
}

/// ESC alone waits for what follows: `ESC b` is Alt-b.
std::size_t line_editor::take_escape() {
  if (held_.size() < 2) return 0;
  switch (held_[1]) {
    case '[': {
      auto end = std::find_if(held_.begin() + 2, held_.end(), [](char c) { return c >= '@' && c <= '~'; });
      if (end == held_.end()) return held_.size() < longest_key ? 0 : held_.size();
      auto size = static_cast<std::size_t>(end - held_.begin()) + 1;
      on_sequence(std::string_view(held_).substr(2, size - 3), *end);
      return size;
    }
    case 'O':
      if (held_.size() < 3) return 0;
      on_sequence("", held_[2]);
      return 3;
    case '\r':
    case '\n':
      insert("\n");
      return 2;
    case 'b':
      cursor_ = word_before(cursor_);
      return 2;
    case 'f':
      cursor_ = word_behind(cursor_);
      return 2;
    case 'd':
      erase(cursor_, word_behind(cursor_), true);
      return 2;
    case '\x7f':
    case '\b':
      erase(word_before(cursor_), cursor_, true);
      return 2;
    case '\x1b':
      return 1;
    default:
      return 2;
  }
}

std::size_t line_editor::take_paste() {
  auto end = held_.find(paste_ends);
  // The end's own beginning may be what came last.
  auto size = end != std::string::npos ? end : held_.size() - std::min(held_.size(), paste_ends.size() - 1);
  std::string text;
  std::size_t at = 0;
  for (; at < size;) {
    auto length = character_size(std::string_view(held_).substr(at));
    if (length && *length == 0) break;
    auto bytes = std::string_view(held_).substr(at, length.value_or(1));
    at += bytes.size();
    if (bytes == "\r") {
      text += '\n';
      // One line end of two characters; what is behind it is there, because a paste's end is longer.
      if (held_[at] == '\n') ++at;
    } else if (length && (static_cast<unsigned char>(bytes.front()) >= 0x20 || bytes == "\n" || bytes == "\t") &&
               bytes != "\x7f")
      text += bytes;
  }
  insert(text);
  if (end == std::string::npos) return at;
  is_pasting_ = false;
  return end + paste_ends.size();
}

void line_editor::on_sequence(std::string_view parameters, char last) {
  auto by_word = parameters.ends_with(";5") || parameters.ends_with(";3");
  auto is = [&](std::string_view number) { return last == '~' && parameters == number; };
  if (is("200"))
    is_pasting_ = true;
  else if (last == 'A')
    move_line(-1);
  else if (last == 'B')
    move_line(1);
  else if (last == 'C')
    cursor_ = by_word ? word_behind(cursor_) : behind(cursor_);
  else if (last == 'D')
    cursor_ = by_word ? word_before(cursor_) : before(cursor_);
  else if (last == 'H' || is("1") || is("7"))
    cursor_ = line_begin(cursor_);
  else if (last == 'F' || is("4") || is("8"))
    cursor_ = line_end(cursor_);
  else if (is("3"))
    erase(cursor_, behind(cursor_), false);
}

void line_editor::on_control(char c) {
  switch (c) {
    case '\r':
    case '\n':
      return enter();
    case ctrl('A'):
      cursor_ = line_begin(cursor_);
      return;
    case ctrl('E'):
      cursor_ = line_end(cursor_);
      return;
    case ctrl('B'):
      cursor_ = before(cursor_);
      return;
    case ctrl('F'):
      cursor_ = behind(cursor_);
      return;
    case ctrl('P'):
      return move_line(-1);
    case ctrl('N'):
      return move_line(1);
    case ctrl('H'):
    case '\x7f':
      return erase(before(cursor_), cursor_, false);
    case ctrl('D'):
      if (text_.empty())
        is_at_end_ = true;
      else
        erase(cursor_, behind(cursor_), false);
      return;
    case ctrl('K'):
      return erase(cursor_, line_end(cursor_), true);
    case ctrl('U'):
      return erase(line_begin(cursor_), cursor_, true);
    case ctrl('W'): {
      auto from = cursor_;
      while (from > 0 && is_blank(text_[from - 1])) --from;
      while (from > 0 && !is_blank(text_[from - 1])) --from;
      return erase(from, cursor_, true);
    }
    case ctrl('Y'):
      return insert(std::string(killed_));
    case ctrl('L'):
      wants_clear_screen_ = true;
      return;
    case ctrl('Z'):
      wants_suspend_ = true;
      return;
    default:
      return;
  }
}

void line_editor::insert(std::string_view text) {
  if (text_.size() + text.size() > longest) return;
  text_.insert(cursor_, text);
  cursor_ += text.size();
}

void line_editor::erase(std::size_t from, std::size_t to, bool keeps) {
  if (from == to) return;
  if (keeps) killed_ = text_.substr(from, to - from);
  text_.erase(from, to - from);
  cursor_ = from;
}

void line_editor::enter() { done_.push_back(replace({})); }

void line_editor::move_line(int by) {
  auto begin = line_begin(cursor_);
  auto end = line_end(cursor_);
  auto column = display_width(std::string_view(text_).substr(begin, cursor_ - begin));
  if (by < 0 && begin == 0) {
    if (at_history_ > 0) recall(at_history_ - 1);
    return;
  }
  if (by > 0 && end == text_.size()) {
    if (at_history_ < history_.size()) recall(at_history_ + 1);
    return;
  }
  auto target = by < 0 ? line_begin(begin - 1) : end + 1;
  auto target_end = line_end(target);
  cursor_ = target;
  while (cursor_ < target_end && display_width(std::string_view(text_).substr(target, cursor_ - target)) < column)
    cursor_ = behind(cursor_);
}

void line_editor::recall(std::size_t at) {
  if (at_history_ == history_.size()) draft_ = text_;
  at_history_ = at;
  text_ = at == history_.size() ? draft_ : history_[at];
  cursor_ = text_.size();
}

/// Marks without a width belong to the character before them.
std::size_t line_editor::before(std::size_t at) const {
  while (at > 0) {
    auto end = at--;
    while (at > 0 && (static_cast<unsigned char>(text_[at]) & 0xC0U) == 0x80) --at;
    if (display_width(std::string_view(text_).substr(at, end - at)) != 0) break;
  }
  return at;
}

std::size_t line_editor::behind(std::size_t at) const {
  auto step = [&] { at = std::min(text_.size(), at + character_size(std::string_view(text_).substr(at)).value_or(1)); };
  if (at < text_.size()) step();
  while (at < text_.size()) {
    auto size = character_size(std::string_view(text_).substr(at)).value_or(1);
    if (display_width(std::string_view(text_).substr(at, size)) != 0) break;
    step();
  }
  return at;
}

std::size_t line_editor::word_before(std::size_t at) const {
  while (at > 0 && is_blank(text_[at - 1])) at = before(at);
  while (at > 0 && !is_blank(text_[at - 1])) at = before(at);
  return at;
}

std::size_t line_editor::word_behind(std::size_t at) const {
  while (at < text_.size() && is_blank(text_[at])) at = behind(at);
  while (at < text_.size() && !is_blank(text_[at])) at = behind(at);
  return at;
}

std::size_t line_editor::line_begin(std::size_t at) const {
  if (at == 0) return 0;
  auto feed = text_.rfind('\n', at - 1);
  return feed == std::string::npos ? 0 : feed + 1;
}

std::size_t line_editor::line_end(std::size_t at) const { return std::min(text_.find('\n', at), text_.size()); }

}  // namespace troupe::app
