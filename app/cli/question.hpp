// One question to the person at the terminal: an approval card of one of the three kinds (PROTOCOLS §1.3), from its text to the
// body of the decision. Pure: lines go in, texts and a body come out, so that another person's decision can close it at any
// time.
#pragma once

#include "app/cli/terminal.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

class question {
 public:
  /// A frame `message.approval_required`, or an approval of the REST API.
  explicit question(boost::json::object card);

  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  /// What is asked, in safe lines: the tool, its arguments or the text, the risk, when it expires.
  [[nodiscard]] std::string text(const terminal& to) const;
  /// What to type now; ends with a blank, and has no line end.
  [[nodiscard]] std::string prompt() const;

  struct reply {
    enum class what : unsigned char { more, decided, later };
    what is = what::more;
    boost::json::object body{};  ///< of POST /approvals/{id}/decide, once decided
    std::string complaint{};     ///< why the line was not understood; may be empty
    std::string shown{};         ///< safe lines that were asked for
    std::string draft{};         ///< what the next line may begin with, for who can edit it
  };
  [[nodiscard]] reply take(std::string_view line);
  /// After the server has refused the decision: from the beginning.
  void start_over();

 private:
  enum class stage : unsigned char { choose, edit, fields, whole_answer };
  struct content {
    std::string lines;
    bool is_cut = false;
  };

  /// The text and the arguments, in safe lines.
  [[nodiscard]] content what(bool is_whole) const;

  [[nodiscard]] reply choose(std::string_view word, std::string_view note);
  [[nodiscard]] reply take_edit(std::string_view line);
  [[nodiscard]] reply take_field(std::string_view line);
  [[nodiscard]] reply take_whole(std::string_view line);
  [[nodiscard]] reply decide(boost::json::object body) const;

  boost::json::object card_;
  std::string id_;
  std::string kind_;
  content brief_;  ///< what fits a screen
  std::string note_;
  stage stage_ = stage::choose;
  /// Names of the schema's properties, where all of them are plain values; asked one after the other.
  std::vector<std::string> fields_;
  std::size_t field_ = 0;
  boost::json::object answer_;
};

}  // namespace troupe::app
