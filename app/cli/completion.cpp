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

/// Commands and options that may come next.
std::vector<std::string> next_words(const command_entry& c) {
  std::vector<std::string> out;
  for (const auto& sub : c.commands) out.push_back(sub.name);
  for (const auto& o : c.options) {
    if (o.is_positional)
      out.insert(out.end(), o.words.begin(), o.words.end());
    else
      out.insert(out.end(), o.names.begin(), o.names.end());
  }
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

/// The function finds the command among the words so far, then looks at the word before the cursor.
std::string bash(const command_entry& root) {
  std::string paths;
  std::string values;
  std::string words;
  visit(root, "", [&](const std::string& path, const command_entry& c) {
    if (!path.empty()) paths += (paths.empty() ? "'" : "|'") + path + "'";
    for (const auto& o : c.options) {
      if (o.is_positional || o.value.empty()) continue;
      auto given = o.words.empty() ? (is_path(o) ? "COMPREPLY=($(compgen -f -- \"$current\"))" : "COMPREPLY=()")
                                   : "COMPREPLY=($(compgen -W '" + joined(o.words) + "' -- \"$current\"))";
      for (const auto& name : o.names)
        values.append("    '").append(path).append(" ").append(name).append("') ").append(given).append("; return ;;\n");
    }
    words += "    '" + path + "') words='" + joined(next_words(c)) + "'" + (takes_paths(c) ? "; files=1" : "") + " ;;\n";
  });
  return "# bash completion of troupe; made by `troupe completion bash`\n"
         "_troupe() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path= words= files= i next\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    next=${path:+$path }${COMP_WORDS[i]}\n"
         "    case $next in " +
         paths + ") path=$next ;; esac\n  done\n  case \"$path $previous\" in\n" + values + "  esac\n  case $path in\n" +
         words +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  [[ $files && $current != -* ]] && COMPREPLY+=($(compgen -f -- \"$current\"))\n"
         "  return 0\n"
         "}\ncomplete -o filenames -F _troupe troupe\n";
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

std::string fish(const command_entry& root) {
  std::string out = "# fish completion of troupe; made by `troupe completion fish`\ncomplete -c troupe -f\n";
  visit(root, "", [&](const std::string& path, const command_entry& c) {
    std::vector<std::string> subs;
    for (const auto& sub : c.commands) subs.push_back(sub.name);
    // Every word of the path was typed, and none of the commands that go on from here.
    std::string here;
    for (std::size_t at = 0; at < path.size();) {
      auto end = std::min(path.find(' ', at), path.size());
      here += (here.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + path.substr(at, end - at));
      at = end + 1;
    }
    auto next = here;
    if (path.empty())
      next = "__fish_use_subcommand";
    else if (!subs.empty())
      next += "; and not __fish_seen_subcommand_from " + joined(subs);
    for (const auto& sub : c.commands)
      out += "complete -c troupe -n '" + next + "' -a " + sub.name + " -d '" + shell_quoted(sub.says) + "'\n";
    for (const auto& o : c.options) {
      auto line = "complete -c troupe -n '" + next + "'";
      if (!o.is_positional)
        for (const auto& name : o.names) line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!o.value.empty() && !o.is_positional) line += is_path(o) ? " -r -F" : " -x";
      if (!o.words.empty()) line += " -a '" + joined(o.words) + "'";
      if (o.is_positional && o.words.empty()) {
        if (!is_path(o)) continue;
        line += " -F";
      }
      out += line + " -d '" + shell_quoted(o.says) + "'\n";
    }
  });
  return out;
}

}  // namespace

std::string completion_script(const command_entry& root, std::string_view shell) {
  return shell == "bash" ? bash(root) : shell == "zsh" ? zsh(root) : fish(root);
}

}  // namespace troupe::app
