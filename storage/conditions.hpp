// The WHERE of lists: conditions joined by AND with what they bind, and the page that they select. Inside storage/ only.
#pragma once

#include "core/records.hpp"
#include "storage/connection.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::storage {

class conditions {
 public:
  using bound = std::variant<std::string, std::int64_t>;

  template <class T>
  void add_equal(const char* column, const std::optional<T>& v) {
    if (!v) return;
    if constexpr (std::is_convertible_v<T, std::string>) {
      add(std::string(column) + " = ?", {*v});
    } else {
      add(std::string(column) + " = ?", {v->str()});
    }
  }
  void add(std::string condition, std::vector<bound> values = {}) {
    text_ += (text_.empty() ? " WHERE " : " AND ") + std::move(condition);
    bound_.insert(bound_.end(), std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
  }
  /// Rows of `project` whose column `session` names a session that `user` owns or takes part in: found by these, of which
  /// there are few, not by the project.
  void add_visible(const char* session, const std::optional<std::string>& user,
                   const std::optional<core::project_id>& project) {
    add_equal(user ? "+project" : "project", project);
    if (!user) return;
    add(std::string(session) +
            " IN (SELECT id FROM sessions WHERE owner = ? UNION ALL SELECT session FROM participants WHERE user = ?)",
        {*user, *user});
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const std::vector<bound>& values() const noexcept { return bound_; }
  void bind_to(cursor& c) const {
    for (const auto& b : bound_) std::visit([&](const auto& v) { c.add(v); }, b);
  }

 private:
  std::string text_;
  std::vector<bound> bound_;
};

/// `%text%` for LIKE … ESCAPE '\'.
[[nodiscard]] inline std::string like_pattern(const std::string& text) {
  std::string out = "%";
  for (char c : text) {
    if (c == '%' || c == '_' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "%";
}

/// The rows of `table` in `w`, and how many there are in all.
template <class T, class Read>
core::page<T> paged(connection& db, const std::string& table, const char* columns, const conditions& where, const char* order,
                    core::window w, Read read) {
  core::page<T> out;
  {
    cursor c(db.statement("SELECT count(*) FROM " + table + where.text()));
    where.bind_to(c);
    if (c.next()) out.total = c.integer();
  }
  cursor c(db.statement(std::string("SELECT") + columns + "FROM " + table + where.text() + " ORDER BY " + order +
                        " LIMIT ? OFFSET ?"));
  where.bind_to(c);
  c.add(std::max<std::int64_t>(w.limit, 0));
  c.add(std::max<std::int64_t>(w.offset, 0));
  while (c.next()) out.items.push_back(read(c));
  return out;
}

}  // namespace troupe::storage
