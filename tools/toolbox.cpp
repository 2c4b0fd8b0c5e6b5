#include "tools/builtin.hpp"
#include "tools/tool.hpp"

#include <algorithm>
#include <map>

namespace troupe::tools {

using core::errc;
using core::error;

struct toolbox::impl {
  std::map<std::string, tool_ptr, std::less<>> tools;
  std::vector<std::shared_ptr<tool_source>> sources;

  [[nodiscard]] bool has(std::string_view name) const {
    return tools.contains(name) ||
           std::any_of(sources.begin(), sources.end(), [&](const auto& s) { return s->name() == name; });
  }
};

toolbox::toolbox() : impl_(std::make_unique<impl>()) {}
toolbox::~toolbox() = default;
toolbox::toolbox(toolbox&&) noexcept = default;
toolbox& toolbox::operator=(toolbox&&) noexcept = default;

core::result<void> toolbox::add(std::unique_ptr<tool> t) {
  if (auto good = t->prepare(); !good) return good.error();
  auto name = t->spec().name;
  if (impl_->has(name)) return error{errc::configuration_error, "there are two tools named `" + name + "`; rename one"};
  impl_->tools.emplace(std::move(name), std::move(t));
  return {};
}

core::result<void> toolbox::add(std::shared_ptr<tool_source> source) {
  if (impl_->has(source->name()))
    return error{errc::configuration_error, "there are two tools named `" + source->name() + "`; rename one"};
  impl_->sources.push_back(std::move(source));
  return {};
}

tool_ptr toolbox::find(std::string_view name) const {
  if (auto found = impl_->tools.find(name); found != impl_->tools.end()) return found->second;
  for (const auto& source : impl_->sources) {
    const auto& prefix = source->name();
    if (!name.starts_with(prefix) || name.size() <= prefix.size() || name[prefix.size()] != '.') continue;
    for (auto& t : source->tools())
      if (t->spec().name == name) return t;
  }
  return nullptr;
}

std::vector<tool_ptr> toolbox::all() const {
  std::vector<tool_ptr> out;
  for (const auto& [name, t] : impl_->tools) out.push_back(t);
  for (const auto& source : impl_->sources)
    for (auto& t : source->tools()) out.push_back(std::move(t));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a->spec().name < b->spec().name; });
  return out;
}

const std::vector<std::shared_ptr<tool_source>>& toolbox::sources() const noexcept { return impl_->sources; }

std::vector<tool_ptr> toolbox::select(const std::vector<std::string>& names) const {
  std::vector<tool_ptr> out;
  auto take = [&](tool_ptr t) {
    bool known = std::any_of(out.begin(), out.end(), [&](const auto& o) { return o->spec().name == t->spec().name; });
    if (!known) out.push_back(std::move(t));
  };
  for (const auto& name : names) {
    if (auto one = find(name)) take(std::move(one));
    for (const auto& source : impl_->sources)
      if (source->name() == name)
        for (auto& t : source->tools()) take(std::move(t));
  }
  return out;
}

void toolbox::when_ready(const std::vector<std::string>& names, std::function<void()> f) const {
  std::vector<tool_source*> asked;
  for (const auto& source : impl_->sources) {
    const auto& prefix = source->name();
    bool is_meant = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return name == prefix || (name.starts_with(prefix) && name.size() > prefix.size() && name[prefix.size()] == '.');
    });
    if (is_meant) asked.push_back(source.get());
  }
  if (asked.empty()) return f();
  auto left = std::make_shared<std::atomic<std::size_t>>(asked.size());
  auto shared = std::make_shared<std::function<void()>>(std::move(f));
  for (auto* source : asked)
    source->when_ready([left, shared] {
      if (left->fetch_sub(1) == 1) (*shared)();
    });
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
