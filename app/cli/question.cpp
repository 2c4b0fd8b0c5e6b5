#include "app/cli/question.hpp"

#include "app/cli/format.hpp"
#include "app/cli/safe_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

namespace {

/// Lines of arguments that are shown at most, and columns of one.
constexpr std::size_t most_lines = 40;
constexpr std::size_t most_columns = 400;
/// Arguments of at most so many bytes can be edited in place.
constexpr std::size_t longest_draft = 64 << 10;

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

struct shown_value {
  std::string lines;
  bool is_cut = false;
};

/// `name: value` for each member; texts of several lines stay so, indented. All of it, or what fits a screen.
shown_value value_shown(const json::value& value, bool is_whole) {
  shown_value out;
  std::size_t lines = 0;
  auto add = [&](std::string_view text) {
    for (;;) {
      if (!is_whole && ++lines > most_lines) {
        out.is_cut = true;
        return;
      }
      auto end = text.find('\n');
      auto line = text.substr(0, end);
      auto cut = safe_line(line, is_whole ? 0 : most_columns);
      out.is_cut =
          out.is_cut || (!is_whole && (line.size() > most_columns * 8 || display_width(safe_line(line)) > most_columns));
      out.lines += "    " + cut + "\n";
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  };
  auto text_in = [](const json::value& v) { return v.is_string() ? std::string(v.get_string()) : json::serialize(v); };
  if (value.is_object())
    for (const auto& [name, member] : value.get_object()) add(std::string(name) + ": " + text_in(member));
  else
    add(text_in(value));
  return out;
}

bool is_plain(const json::value& property) {
  if (!property.is_object()) return false;
  auto type = text_of(property.get_object(), "type");
  return type == "string" || type == "number" || type == "integer" || type == "boolean";
}

bool contains_text(const json::array& list, std::string_view text) {
  return std::any_of(list.begin(), list.end(),
                     [&](const json::value& v) { return v.is_string() && std::string_view(v.get_string()) == text; });
}

/// A line as a value of the property's type; nothing where it is none.
std::optional<json::value> value_of(const json::object& property, std::string_view line) {
  auto type = text_of(property, "type");
  if (type == "string") return json::value(line);
  if (type == "boolean") {
    if (line == "y" || line == "yes" || line == "true") return true;
    if (line == "n" || line == "no" || line == "false") return false;
    return std::nullopt;
  }
  boost::system::error_code failure;
  auto value = json::parse(line, failure);
  if (failure || !value.is_number()) return std::nullopt;
  return value;
}

}  // namespace

question::question(json::object card) : card_(std::move(card)), kind_(text_of(card_, "kind")) {
  id_ = text_of(card_, "approvalId");
  if (id_.empty()) id_ = text_of(card_, "id");
  if (kind_.empty()) kind_ = "tool";
  brief_ = what(false);
  const auto& properties = object_of(object_of(card_, "schema"), "properties");
  if (std::all_of(properties.begin(), properties.end(), [](const auto& p) { return is_plain(p.value()); }))
    for (const auto& p : properties) fields_.emplace_back(p.key());
}

std::string question::text(const terminal& to) const {
  auto tool = text_of(card_, "tool").empty() ? text_of(card_, "toolId") : text_of(card_, "tool");
  auto head = kind_ == "outcome_unknown" ? "whether " + tool + " took effect is not known: the server ended while it ran"
              : kind_ == "input"         ? tool + " asks you"
                                         : tool + " needs your approval";
  auto out = to.styled(style::yellow, "? " + safe_line(head));
  std::string more;
  if (auto risk = text_of(card_, "riskLevel"); !risk.empty()) more += ", risk " + risk;
  if (auto needed = integer_of(card_, "requiredApprovals"); needed > 1)
    more += ", " + std::to_string(needed) + " people must approve";
  if (auto expires = text_of(card_, "expiresAt"); !expires.empty()) more += ", until " + short_time(expires) + " UTC";
  out += to.styled(style::dim, safe_line(more)) + "\n";
  out += brief_.lines;
  if (!brief_.is_cut) return out;
  return out + (to.is_input && to.is_output
                    ? "    … and more: v shows all of it\n"
                    : "    … and more: look at it with `troupe approvals list --json` before you decide\n");
}

question::content question::what(bool is_whole) const {
  content out;
  auto add = [&](const json::value& value) {
    auto more = value_shown(value, is_whole);
    out.lines += more.lines;
    out.is_cut = out.is_cut || more.is_cut;
  };
  if (auto message = text_of(card_, "message"); !message.empty()) add(json::value(message));
  const auto* action = card_.if_contains("action");
  bool has_action = action && !action->is_null() && !(action->is_object() && action->get_object().empty());
  if (has_action && kind_ != "input") add(*action);
  return out;
}

std::string question::prompt() const {
  switch (stage_) {
    case stage::choose: {
      std::string last = brief_.is_cut ? "[l]ater, [v]iew all? " : "[l]ater? ";
      if (kind_ == "outcome_unknown") return "[r]etry, it is [d]one, it [f]ailed, " + last;
      if (kind_ == "input") return "answer it? [y]es, [n]o, " + last;
      return "approve? [y]es, [n]o, [e]dit, [a]lways (any arguments, this session), " + last;
    }
    case stage::edit:
      return "arguments as JSON (empty: back)? ";
    case stage::whole_answer:
      return "answer as JSON (empty: back)? ";
    case stage::fields:
      break;
  }
  const auto& schema = object_of(card_, "schema");
  const auto& name = fields_[field_];
  const auto& property = object_of(object_of(schema, "properties"), name);
  auto title = text_of(property, "title").empty() ? text_of(property, "description") : text_of(property, "title");
  auto out = "  " + safe_line(name, 60) + " (" + text_of(property, "type");
  if (const auto& words = array_of(property, "enum"); !words.empty()) out += " of " + safe_line(json::serialize(words), 200);
  if (!contains_text(array_of(schema, "required"), name)) out += ", may be empty";
  out += ")";
  if (!title.empty()) out += " " + safe_line(title, 200);
  return out + "? ";
}

void question::start_over() {
  stage_ = stage::choose;
  field_ = 0;
  answer_ = {};
  note_.clear();
}

question::reply question::decide(json::object body) const {
  if (!note_.empty()) body["note"] = note_;
  // What was on the screen is what is approved: where it is something else by now, the server refuses.
  if (auto hash = text_of(card_, "argumentsHash"); !hash.empty() && kind_ == "tool") body["argumentsHash"] = hash;
  return {reply::what::decided, std::move(body)};
}

question::reply question::take(std::string_view line) {
  line = without_blanks(line);
  switch (stage_) {
    case stage::edit:
      return take_edit(line);
    case stage::fields:
      return take_field(line);
    case stage::whole_answer:
      return take_whole(line);
    case stage::choose:
      break;
  }
  auto blank = line.find(' ');
  auto note = blank == std::string_view::npos ? std::string_view() : without_blanks(line.substr(blank));
  return choose(line.substr(0, blank), note);
}

question::reply question::choose(std::string_view word, std::string_view note) {
  note_ = note;
  if (word == "l" || word == "later") return {reply::what::later};
  if ((word == "v" || word == "view") && brief_.is_cut) return {.shown = what(true).lines};
  if (kind_ == "outcome_unknown") {
    if (word == "r" || word == "retry") return decide({{"choice", "retry"}});
    if (word == "d" || word == "done") return decide({{"choice", "done"}});
    if (word == "f" || word == "failed") return decide({{"choice", "failed"}});
    return {reply::what::more, {}, "type r, d, f or l; what follows it is a note"};
  }
  if (word == "n" || word == "no") return decide({{"approved", false}});
  if (kind_ == "input") {
    if (word != "y" && word != "yes") return {reply::what::more, {}, "type y, n or l"};
    const auto& properties = object_of(object_of(card_, "schema"), "properties");
    if (properties.empty()) return decide({{"approved", true}, {"answer", json::object()}});
    stage_ = fields_.empty() ? stage::whole_answer : stage::fields;
    if (!fields_.empty()) return {};
    return {reply::what::more, {}, safe_line("its schema: " + json::serialize(object_of(card_, "schema")), most_columns)};
  }
  if (word == "y" || word == "yes") return decide({{"approved", true}});
  if (word == "a" || word == "always")
    return decide({{"approved", true}, {"remember", {{"scope", "session"}, {"when", json::array()}}}});
  if (word == "e" || word == "edit") {
    stage_ = stage::edit;
    const auto* action = card_.if_contains("action");
    if (!action) return {};
    auto text = json::serialize(*action);
    if (text.size() > longest_draft) return {.complaint = "they are too long to be edited here; give all of them"};
    return {.draft = std::move(text)};
  }
  return {reply::what::more, {}, "type y, n, e, a or l; what follows it is a note"};
}

question::reply question::take_edit(std::string_view line) {
  stage_ = stage::choose;
  if (line.empty()) return {};
  boost::system::error_code failure;
  auto value = json::parse(line, failure);
  if (!failure && value.is_object()) return decide({{"approved", true}, {"editedInput", std::move(value)}});
  stage_ = stage::edit;
  return {.complaint = "that is no JSON object", .draft = std::string(line)};
}

question::reply question::take_whole(std::string_view line) {
  if (line.empty()) {
    start_over();
    return {};
  }
  boost::system::error_code failure;
  auto value = json::parse(line, failure);
  if (!failure && value.is_object()) return decide({{"approved", true}, {"answer", std::move(value)}});
  return {.complaint = "that is no JSON object", .draft = std::string(line)};
}

question::reply question::take_field(std::string_view line) {
  const auto& schema = object_of(card_, "schema");
  const auto& name = fields_[field_];
  const auto& property = object_of(object_of(schema, "properties"), name);
  if (line.empty()) {
    if (contains_text(array_of(schema, "required"), name)) return {reply::what::more, {}, "it needs a value"};
  } else {
    auto value = value_of(property, line);
    if (!value) return {reply::what::more, {}, "that is no " + text_of(property, "type")};
    const auto& words = array_of(property, "enum");
    if (!words.empty() && std::find(words.begin(), words.end(), *value) == words.end())
      return {reply::what::more, {}, "it must be one of " + safe_line(json::serialize(words), 200)};
    answer_[name] = std::move(*value);
  }
  if (++field_ < fields_.size()) return {};
  return decide({{"approved", true}, {"answer", answer_}});
}

}  // namespace troupe::app
