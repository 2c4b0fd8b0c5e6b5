#include "tools/builtin.hpp"
#include "tools/schema.hpp"
#include "tools/tool.hpp"

#include <functional>
#include <map>

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

struct toolbox::impl {
  struct entry {
    std::unique_ptr<tool> item;
    schema parameters;
  };
  std::map<std::string, entry, std::less<>> tools;
};

toolbox::toolbox() : impl_(std::make_unique<impl>()) {}
toolbox::~toolbox() = default;
toolbox::toolbox(toolbox&&) noexcept = default;
toolbox& toolbox::operator=(toolbox&&) noexcept = default;

core::result<void> toolbox::add(std::unique_ptr<tool> t) {
  const auto& spec = t->spec();
  if (spec.name.empty()) return error{errc::configuration_error, "a tool has no name"};
  if (impl_->tools.contains(spec.name))
    return error{errc::configuration_error, "there are two tools named `" + spec.name + "`; rename one"};
  auto compiled = schema::compile(spec.parameters);
  if (!compiled) return error{errc::configuration_error, "tool `" + spec.name + "`: " + compiled.error().text};
  auto name = spec.name;
  impl_->tools.emplace(std::move(name), impl::entry{std::move(t), std::move(*compiled)});
  return {};
}

const tool* toolbox::find(std::string_view name) const noexcept {
  auto found = impl_->tools.find(name);
  return found == impl_->tools.end() ? nullptr : found->second.item.get();
}

std::vector<const tool*> toolbox::all() const {
  std::vector<const tool*> out;
  for (const auto& [name, entry] : impl_->tools) out.push_back(entry.item.get());
  return out;
}

core::result<json::object> toolbox::check(const tool& t, std::string_view arguments) const {
  const auto& name = t.spec().name;
  auto found = impl_->tools.find(name);
  if (found == impl_->tools.end()) return error{errc::not_found, "there is no tool `" + name + "`"};
  if (arguments.find_first_not_of(" \t\r\n") == std::string_view::npos) arguments = "{}";
  auto parsed = parse_bounded(arguments, "the input of `" + name + "`");
  if (!parsed) return parsed.error();
  if (auto fits = found->second.parameters.check(*parsed); !fits)
    return error{fits.error().code, "the input of `" + name + "` does not fit: " + fits.error().text};
  return std::move(parsed->get_object());
}

core::result<toolbox> builtin_tools() {
  toolbox box;
  auto tools = make_file_tools();
  tools.push_back(make_clock());
  tools.push_back(make_calculator());
  for (auto& t : tools)
    if (auto added = box.add(std::move(t)); !added) return added.error();
  return box;
}

}  // namespace troupe::tools
