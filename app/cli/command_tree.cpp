#include "app/cli/command_tree.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace troupe::app {

namespace {

/// CLI11 keeps the words of IsMember as `{a,b}` in its description of the type.
std::vector<std::string> words_of(const std::string& type) {
  auto begin = type.find('{');
  auto end = type.find('}');
  std::vector<std::string> out;
  if (begin == std::string::npos || end == std::string::npos) return out;
  for (auto at = begin + 1; at < end;) {
    auto comma = std::min(type.find(',', at), end);
    out.push_back(type.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

option_entry entry_of(const CLI::Option& o) {
  option_entry out;
  out.is_positional = o.get_positional();
  if (out.is_positional) out.names.push_back(o.get_name(true));
  for (const auto& name : o.get_snames()) out.names.push_back("-" + name);
  for (const auto& name : o.get_lnames()) out.names.push_back("--" + name);
  out.says = o.get_description();
  out.fallback = o.get_default_str();
  out.environment = o.get_envname();
  out.is_required = o.get_required();
  auto type = o.get_type_name();
  out.words = words_of(type);
  // Behind the name, and a colon, what its checks say of themselves.
  auto end = std::min({type.find(":{"), type.find(":INT in"), type.find(":NONNEGATIVE")});
  if (o.get_items_expected_max() != 0) out.value = type.substr(0, end);
  if (o.get_items_expected_max() != 0 && out.value.empty()) out.value = "WORD";
  return out;
}

void add_options(const CLI::App& from, std::vector<option_entry>& to) {
  for (const auto* o : from.get_options()) to.push_back(entry_of(*o));
  // Option groups are apps without a name.
  for (const auto* group : from.get_subcommands([](const CLI::App* a) { return a->get_name().empty(); }))
    add_options(*group, to);
}

}  // namespace

command_entry tree_of(const CLI::App& cli) {
  command_entry out{cli.get_name(), cli.get_description(), cli.get_footer(), {}, {}};
  add_options(cli, out.options);
  auto is_shown = [](const CLI::App* a) { return !a->get_name().empty() && !a->get_group().empty(); };
  for (const auto* command : cli.get_subcommands(is_shown)) out.commands.push_back(tree_of(*command));
  return out;
}

}  // namespace troupe::app
