// Completions out of the command tree: the next word is a command, an option, one of an option's words, or a file.
#include "app/cli/command_tree.hpp"

#include <functional>

namespace troupe::app {

namespace {

using visitor = std::function<void(const std::string& path, const command_entry&)>;

/// Every command with the words that lead to it, e.g. `approvals decide`; the root's are none.
void visit(const command_entry& c, const std::string& path, const visitor& with) {
  with(path, c);
  for (const auto& sub : c.commands) visit(sub, path.empty() ? sub.name : path + " " + sub.name, with);
}

std::string joined(const std::vector<std::string>& words, std::string_view between = " ") {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += between;
    out += word;
  }
  return out;
}

bool is_path(const option_entry& o) { return o.value == "FILE" || o.value == "DIR" || o.value.starts_with("PATH"); }

/// Commands, and words of arguments, that may come next.
std::vector<std::string> next_words(const command_entry& c) {
  std::vector<std::string> out;
  for (const auto& sub : c.commands) out.push_back(sub.name);
  for (const auto& o : c.options)
    if (o.is_positional) out.insert(out.end(), o.words.begin(), o.words.end());
  return out;
}

std::vector<std::string> option_names(const command_entry& c) {
  std::vector<std::string> out;
  for (const auto& o : c.options)
    if (!o.is_positional) out.insert(out.end(), o.names.begin(), o.names.end());
  return out;
}

bool takes_paths(const command_entry& c) {
  for (const auto& o : c.options)
    if (o.is_positional && is_path(o)) return true;
  return false;
}

/// Inside double quotes or single quotes of the three shells.
std::string shell_quoted(std::string_view text) {
  std::string out;
  for (char c : text)
    if (c != '\'' && c != '"' && c != '`' && c != '$' && c != '\\' && c != '[' && c != ']' && c != ':') out += c;
  return out;
}

/// The function finds the command among the words so far, then looks at the word before the cursor. Options are offered where
/// one was begun, or nothing else can come.
std::string bash(const command_entry& root) {
  std::string paths;
  std::string values;
  std::string words;
  visit(root, "", [&](const std::string& path, const command_entry& c) {
    if (!path.empty()) paths += (paths.empty() ? "'" : "|'") + path + "'";
    for (const auto& o : c.options) {
      if (o.is_positional || o.value.empty()) continue;
      auto given =
          o.words.empty() ? (is_path(o) ? "words= options= files=1" : "return") : "words='" + joined(o.words) + "' options=";
      for (const auto& name : o.names)
        values.append("    '").append(path).append(" ").append(name).append("') ").append(given).append(" ;;\n");
    }
    words += "    '" + path + "') words='" + joined(next_words(c)) + "' options='" + joined(option_names(c)) + "'" +
             (takes_paths(c) ? " files=1" : "") + " ;;\n";
  });
  return "# bash completion of troupe; made by `troupe completion bash`\n"
         "_troupe() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path= words= options= files= i next\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    next=${path:+$path }${COMP_WORDS[i]}\n"
         "    case $next in " +
         paths + ") path=$next ;; esac\n  done\n  COMPREPLY=()\n  case $path in\n" + words +
         "  esac\n  case \"$path $previous\" in\n" + values +
         "  esac\n"
         "  [[ $current != -* && $words$files ]] || words+=\" $options\"\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  if [[ $files && $current != -* ]]; then\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    local IFS=$'\\n'\n"
         "    COMPREPLY+=($(compgen -f -- \"$current\"))\n"
         "  fi\n"
         "  return 0\n"
         "}\ncomplete -F _troupe troupe\n";
}

std::string zsh_option(const option_entry& o) {
  auto action = o.value.empty()    ? std::string()
                : !o.words.empty() ? ":" + o.value + ":(" + joined(o.words) + ")"
                : o.value == "DIR" ? std::string(":DIR:_files -/")
                : is_path(o)       ? ":" + shell_quoted(o.value) + ":_files"
                                   : ":" + shell_quoted(o.value) + ": ";
  if (o.is_positional) return " \\\n        '*" + action + "'";
  std::string out;
  for (const auto& name : o.names)
    out.append(" \\\n        '*").append(name).append("[").append(shell_quoted(o.says)).append("]").append(action).append("'");
  return out;
}

/// A function for each command: its options, or which of its commands comes next.
std::string zsh(const command_entry& root) {
  std::string out = "#compdef troupe\n# zsh completion of troupe; made by `troupe completion zsh`\n";
  visit(root, "", [&](const std::string& path, const command_entry& c) {
    auto name = "_troupe" + (path.empty() ? "" : "_" + path);
    for (auto& letter : name)
      if (letter == ' ' || letter == '-') letter = '_';
    out += name + "() {\n";
    if (c.commands.empty()) {
      out += "  _arguments -s";
      for (const auto& o : c.options) out += zsh_option(o);
      out += "\n}\n";
      return;
    }
    out += "  local state\n  _arguments -C";
    for (const auto& o : c.options) out += zsh_option(o);
    out +=
        " \\\n        '1:command:->command' '*::argument:->argument'\n  case $state in\n    command)\n      local -a "
        "commands=(\n";
    for (const auto& sub : c.commands) out += "        '" + sub.name + ":" + shell_quoted(sub.says) + "'\n";
    out += "      )\n      _describe command commands ;;\n    argument)\n      case $words[1] in\n";
    for (const auto& sub : c.commands) {
      auto function = name + "_" + sub.name;
      for (auto& letter : function)
        if (letter == '-') letter = '_';
      out += "        " + sub.name + ") " + function + " ;;\n";
    }
    out += "      esac ;;\n  esac\n}\n";
  });
  return out + "_troupe \"$@\"\n";
}

/// A function that says whether the words so far lead to a command, as the one for bash finds it, and a line for each thing
/// that may come there.
std::string fish(const command_entry& root) {
  std::string paths;
  std::string lines;
  visit(root, "", [&](const std::string& path, const command_entry& c) {
    if (!path.empty()) paths += " '" + path + "'";
    auto line_begin = "complete -c troupe -n '__troupe_at " + path + "'";
    for (const auto& sub : c.commands) lines += line_begin + " -a " + sub.name + " -d '" + shell_quoted(sub.says) + "'\n";
    for (const auto& o : c.options) {
      auto line = line_begin;
      if (!o.is_positional)
        for (const auto& name : o.names) line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!o.value.empty() && !o.is_positional) line += is_path(o) ? " -r -F" : " -x";
      if (!o.words.empty()) line += " -a '" + joined(o.words) + "'";
      if (o.is_positional && o.words.empty()) {
        if (!is_path(o)) continue;
        line += " -F";
      }
      lines += line + " -d '" + shell_quoted(o.says) + "'\n";
    }
  });
  return "# fish completion of troupe; made by `troupe completion fish`\n"
         "function __troupe_at\n"
         "  set -l path\n"
         "  for word in (commandline -opc)[2..-1]\n"
         "    set -l next (string join -- ' ' $path $word)\n"
         "    contains -- $next" +
         paths +
         "; and set path $next\n"
         "  end\n"
         "  test \"$path\" = \"$argv\"\n"
         "end\ncomplete -c troupe -f\n" +
         lines;
}

}  // namespace

std::string completion_script(const command_entry& root, std::string_view shell) {
  return shell == "bash" ? bash(root) : shell == "zsh" ? zsh(root) : fish(root);
}

}  // namespace troupe::app
