// What a conversation looks like: frames of the native protocol to lines of a terminal. Where stdout is a file or a program it
// gets the agent's words alone, and stderr the rest. With --json stdout gets the frames as they are.
#pragma once

#include "app/cli/input_area.hpp"
#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace troupe::app {

class chat_view {
 public:
  chat_view(terminal to, bool as_json) : to_(to), as_json_(as_json) {}

  void set_agent(std::string name) { agent_ = std::move(name); }
  [[nodiscard]] const std::string& agent() const noexcept { return agent_; }
  [[nodiscard]] const terminal& screen() const noexcept { return to_; }

  /// A frame of the session. Questions are not shown here.
  void show(const boost::json::object& frame);
  /// A message of the history.
  void show_past(const boost::json::object& message);
  /// Somebody's words, in one or more lines.
  void said(std::string_view who, std::string_view text);
  /// A line about the conversation, not of it.
  void note(std::string_view text, style s = style::dim);
  /// Lines that have their styles already.
  void lines(std::string_view text);
  /// What the run cost, and the session so far; a budget of 0 is none.
  void cost(const boost::json::object& usage, double session_cost, double budget);
  /// Shows the line that is being edited below everything else, or none. Where an answer is coming, its end is in the way of
  /// nothing: what comes goes on behind it.
  void input(const input_line& line, bool is_idle);
  void no_input() { put(area_.erase()); }
  /// The person has ended this line.
  void entered(const input_line& line);
  void clear_screen();

  /// The same where the terminal edits the line itself: asks for one, and what comes later is written over it.
  void prompt(std::string_view text);
  void entered() {
    prompt_.clear();
    is_in_line_ = false;
    column_ = 0;
  }
  /// Stdout takes nothing any more.
  [[nodiscard]] bool is_broken() const noexcept { return is_broken_; }

 private:
  void delta(std::string_view text);
  void tool_start(const boost::json::object& frame);
  void tool_end(const boost::json::object& frame);
  void end_line();
  void write(std::string_view text, bool is_answer);
  void keep_column(std::string_view written);

  terminal to_;
  bool as_json_;
  std::string agent_ = "agent";
  text_filter filter_;
  bool is_answering_ = false;  ///< the text that comes belongs to a message that has begun
  bool is_in_line_ = false;    ///< stdout is not at the beginning of a line
  bool is_broken_ = false;
  std::size_t column_ = 0;  ///< where the next character goes
  input_area area_;
  std::string prompt_;  ///< what is at the end of the screen; empty: no prompt
};

}  // namespace troupe::app
