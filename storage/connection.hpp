// One SQLite connection with its prepared statements, and the two ways to use one: `run` for changes, `cursor` for rows.
// Inside storage/ only; errors are SQLite::Exception until store.hpp's functions translate them. One thread at a time.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/ids.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

namespace troupe::storage {

/// `doing` is the subject of the text, e.g. `commit`. Disk full and busy may pass; anything else is final.
[[nodiscard]] core::error translate(const SQLite::Exception& e, std::string_view doing);

class connection {
 public:
  enum class mode : std::uint8_t { read_only, read_write };
  /// `path` may be `:memory:`. Throws SQLite::Exception.
  connection(const std::string& path, mode m);

  [[nodiscard]] SQLite::Database& database() noexcept { return db_; }
  /// Prepared once and kept; the text must always be the same object or equal. At most a few dozen in the program.
  [[nodiscard]] SQLite::Statement& statement(std::string_view sql);
  [[nodiscard]] bool in_transaction() const noexcept;
  /// Undoes what was begun; silent when SQLite has already done so.
  void roll_back() noexcept;

 private:
  SQLite::Database db_;
  std::unordered_map<std::string, SQLite::Statement> statements_;
};

/// Bytes to bind as a BLOB; they outlive the statement's execution.
struct blob {
  std::string_view bytes;
};

namespace detail {

inline void bind(SQLite::Statement& s, int i, blob v) {
  // No bytes are still a BLOB, not NULL.
  s.bindNoCopy(i, static_cast<const void*>(v.bytes.empty() ? "" : v.bytes.data()), static_cast<int>(v.bytes.size()));
}
inline void bind(SQLite::Statement& s, int i, const std::string& v) { s.bindNoCopy(i, v); }
inline void bind(SQLite::Statement& s, int i, std::string_view v) { s.bind(i, std::string(v)); }
inline void bind(SQLite::Statement& s, int i, const char* v) { s.bindNoCopy(i, v); }
inline void bind(SQLite::Statement& s, int i, core::millis v) {
  v.count() == 0 ? s.bind(i) : s.bind(i, std::int64_t{v.count()});
}
inline void bind(SQLite::Statement& s, int i, core::micro_usd v) { s.bind(i, v.value); }
template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
void bind(SQLite::Statement& s, int i, Integer v) {
  s.bind(i, static_cast<std::int64_t>(v));
}
template <class Tag>
void bind(SQLite::Statement& s, int i, const core::uuid_id<Tag>& v) {
  v.is_nil() ? s.bind(i) : s.bind(i, v.str());
}
inline void bind(SQLite::Statement& s, int i, const core::trace_id& v) { v.is_nil() ? s.bind(i) : s.bind(i, v.value.hex()); }
template <class Tag>
void bind(SQLite::Statement& s, int i, const core::name_id<Tag>& v) {
  s.bindNoCopy(i, v.value);
}
template <class T>
void bind(SQLite::Statement& s, int i, const std::optional<T>& v) {
  v ? bind(s, i, *v) : s.bind(i);
}

struct reset_on_exit {
  SQLite::Statement& s;
  ~reset_on_exit() { s.tryReset(); }
};

}  // namespace detail

/// Binds in order (a nil id and a time of 0 become NULL) and carries out; answers the number of changed rows.
template <class... Args>
int run(SQLite::Statement& s, const Args&... args) {
  detail::reset_on_exit guard{s};
  int i = 0;
  (detail::bind(s, ++i, args), ...);
  return s.exec();
}

/// The rows of one query. Columns are read in order; NULL reads as 0, empty or nil.
class cursor {
 public:
  template <class... Args>
  explicit cursor(SQLite::Statement& s, const Args&... args) : s_(s) {
    (add(args), ...);
  }
  ~cursor() { s_.tryReset(); }
  cursor(const cursor&) = delete;
  cursor& operator=(const cursor&) = delete;

  /// Binds the next parameter by copy.
  template <class T>
  void add(const T& v) {
    if constexpr (std::is_convertible_v<T, std::string_view>) {
      s_.bind(++bound_, std::string(v));
    } else if constexpr (requires { v.value.size(); }) {
      s_.bind(++bound_, v.value);
    } else {
      detail::bind(s_, ++bound_, v);
    }
  }
  bool next() {
    column_ = 0;
    return s_.executeStep();
  }
  [[nodiscard]] bool is_null() const { return s_.isColumnNull(column_); }
  std::int64_t integer() { return s_.getColumn(column_++).getInt64(); }
  template <class Integer>
  void read(Integer& v) requires std::is_integral_v<Integer> {
    v = static_cast<Integer>(integer());
  }
  void read(std::string& v) { v = s_.getColumn(column_++).getString(); }
  void read(core::millis& v) { v = core::millis(integer()); }
  void read(core::micro_usd& v) { v.value = integer(); }
  void read(core::token_usage& v) {
    read(v.prompt);
    read(v.cached_prompt);
    read(v.completion);
  }
  template <class Tag>
  void read(core::uuid_id<Tag>& v) {
    v = core::uuid_id<Tag>::parse(text()).value_or(core::uuid_id<Tag>{});
  }
  void read(core::trace_id& v);
  template <class Tag>
  void read(core::name_id<Tag>& v) {
    read(v.value);
  }
  template <class T>
  void read(std::optional<T>& v) {
    if (is_null()) {
      v.reset();
      ++column_;
    } else {
      read(v.emplace());
    }
  }
  template <class First, class Second, class... More>
  void read(First& first, Second& second, More&... more) {
    read(first);
    read(second);
    (read(more), ...);
  }
  std::string text() {
    std::string v;
    read(v);
    return v;
  }

 private:
  SQLite::Statement& s_;
  int bound_ = 0;
  int column_ = 0;
};

}  // namespace troupe::storage
