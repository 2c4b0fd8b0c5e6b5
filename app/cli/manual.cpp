// docs/troupe.1 out of the command tree. roff: a dash that is typed is `\-`, a line must not begin with a dot.
#include "app/cli/command_tree.hpp"

namespace troupe::app {

namespace {

std::string roff(std::string_view text) {
  std::string out;
  bool is_line_begin = true;
  for (char c : text) {
    if (is_line_begin && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    is_line_begin = c == '\n';
  }
  return out;
}

std::string names_of(const option_entry& o) {
  std::string out;
  for (const auto& name : o.names) out += (out.empty() ? "\\fB" : ", \\fB") + roff(name) + "\\fR";
  if (!o.value.empty() && !o.is_positional) out += " \\fI" + roff(o.value) + "\\fR";
  return out;
}

std::string option_text(const option_entry& o) {
  auto out = ".TP\n" + names_of(o) + "\n" + roff(o.says) + ".";
  if (!o.words.empty()) {
    std::string words;
    for (const auto& word : o.words) words += (words.empty() ? "" : ", ") + word;
    out += "\nOne of: " + roff(words) + ".";
  }
  if (!o.fallback.empty()) out += "\nDefault: " + roff(o.fallback) + ".";
  if (!o.environment.empty()) out += "\nEnvironment: \\fB" + roff(o.environment) + "\\fR.";
  return out + "\n";
}

/// `troupe backup [options]`, with what must be there.
std::string synopsis(const std::string& name, const command_entry& c) {
  auto out = "\\fB" + roff(name) + "\\fR";
  for (const auto& o : c.options)
    if (o.is_required && !o.is_positional) out += " " + names_of(o);
  if (!c.commands.empty()) out += " \\fICOMMAND\\fR";
  out += " [\\fIoptions\\fR]";
  for (const auto& o : c.options)
    if (o.is_positional)
      out += o.is_required ? " \\fI" + roff(o.names.front()) + "\\fR" : " [\\fI" + roff(o.names.front()) + "\\fR]";
  return out;
}

void add_command(std::string& out, const std::string& name, const command_entry& c) {
  out += ".SS " + roff(name) + "\n" + synopsis(name, c) + "\n.PP\n" + roff(c.says) + ".\n";
  for (const auto& o : c.options)
    if (o.names.back() != "--help") out += option_text(o);
  if (!c.footer.empty()) out += ".PP\n.nf\n" + roff(c.footer) + "\n.fi\n";
  for (const auto& sub : c.commands) add_command(out, name + " " + sub.name, sub);
}

}  // namespace

std::string manual_page(const command_entry& root) {
  std::string out =
      ".\\\" Made by `troupe manual` of what the program understands; not edited by hand.\n"
      ".TH TROUPE 1 \"\" \"Troupe\" \"User Commands\"\n.SH NAME\ntroupe \\- an actor\\-based runtime for AI agents\n"
      ".SH SYNOPSIS\n" +
      synopsis(root.name, root) +
      "\n.SH DESCRIPTION\n"
      "Serves AI agents as actors: each conversation owns a durable, ordered log of events, which any number of clients "
      "follow\n"
      "live on several protocols and one port. The same program talks to a running server and looks after its data.\n"
      ".SH OPTIONS\n";
  for (const auto& o : root.options) out += option_text(o);
  out += ".SH COMMANDS\nEvery command takes \\fB\\-\\-help\\fR.\n";
  for (const auto& c : root.commands) add_command(out, root.name + " " + c.name, c);
  out +=
      ".SH ENVIRONMENT\n"
      ".TP\n\\fBTROUPE_URL\\fR, \\fBTROUPE_TOKEN\\fR\nDefaults of \\fB\\-\\-url\\fR and \\fB\\-\\-token\\fR of the commands "
      "that talk to a server.\n"
      ".TP\n\\fBNO_COLOR\\fR\nWhen it is set and not empty, terminals get no colours. Files and pipes never do.\n"
      ".SH EXIT STATUS\n"
      ".TP\n0\nSuccess.\n.TP\n1\nA failure or a finding; stderr says which, and what to do.\n.TP\n2\nWrong usage.\n";
  return out;
}

}  // namespace troupe::app
