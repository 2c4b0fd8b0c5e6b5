#include "storage/tool_outputs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::storage {

using namespace core;

namespace {

constexpr std::int64_t longest_character = 4;
/// Copies of copies; each is made by hand.
constexpr int max_sources = 1'000;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::int64_t bytes_of_character(char lead) {
  auto c = static_cast<unsigned char>(lead);
  if (c >= 0xF0U) return 4;
  if (c >= 0xE0U) return 3;
  return c >= 0xC0U ? 2 : 1;
}

/// Bytes that are read where they lie.
struct source {
  std::int64_t total = 0;
  virtual ~source() = default;
  virtual std::string read(std::int64_t from, std::int64_t size) = 0;
};

struct short_output final : source {
  explicit short_output(std::string all) : text(std::move(all)) { total = static_cast<std::int64_t>(text.size()); }
  std::string read(std::int64_t from, std::int64_t size) override {
    return text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(size));
  }
  std::string text;
};

struct long_output final : source {
  long_output(connection& db, std::int64_t row) : handle(db.database().getHandle()) {
    if (sqlite3_blob_open(handle, "main", "tool_outputs", "data", row, 0, &blob) != SQLITE_OK) throw SQLite::Exception(handle);
    total = sqlite3_blob_bytes(blob);
  }
  ~long_output() override { sqlite3_blob_close(blob); }
  long_output(const long_output&) = delete;
  long_output& operator=(const long_output&) = delete;
  std::string read(std::int64_t from, std::int64_t size) override {
    std::string out(static_cast<std::size_t>(size), '\0');
    if (sqlite3_blob_read(blob, out.data(), static_cast<int>(size), static_cast<int>(from)) != SQLITE_OK)
      throw SQLite::Exception(handle);
    return out;
  }
  sqlite3* handle;
  sqlite3_blob* blob = nullptr;
};

// Bytes that are no UTF-8 are characters of their own.
tool_output_part part_of(source& from, std::int64_t offset, std::int64_t limit) {
  tool_output_part out;
  out.total = from.total;
  out.offset = std::clamp<std::int64_t>(offset, 0, out.total);
  if (limit <= 0 || out.offset == out.total) return out;
  limit = std::clamp(limit, longest_character, max_output_part);
  auto begin = std::max<std::int64_t>(out.offset - (longest_character - 1), 0);
  auto bytes = from.read(begin, std::min(out.offset + limit, out.total) - begin);
  auto skip = out.offset - begin;
  for (auto back = skip; back >= 0; --back) {
    auto c = bytes[static_cast<std::size_t>(back)];
    if (continues_character(c)) continue;
    if (back + bytes_of_character(c) > skip) skip = back;
    break;
  }
  out.offset = begin + skip;
  out.text = bytes.substr(static_cast<std::size_t>(skip), static_cast<std::size_t>(limit));
  auto end = static_cast<std::int64_t>(out.text.size());
  if (out.offset + end == out.total) return out;
  for (auto back = end - 1; back >= std::max<std::int64_t>(end - longest_character, 1); --back) {
    auto c = out.text[static_cast<std::size_t>(back)];
    if (continues_character(c)) continue;
    if (back + bytes_of_character(c) > end) out.text.resize(static_cast<std::size_t>(back));
    break;
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> find_output_in_source(connection& db, session_id session, const tool_call_id& call,
                                                  std::int64_t bytes) {
  for (int i = 0; i < max_sources; ++i) {
    seq_t upto = 0;
    {
      cursor c(db.statement("SELECT forked_from, forked_at FROM sessions WHERE id = ?"), session);
      if (!c.next()) return std::nullopt;
      c.read(session, upto);
    }
    if (session.is_nil()) return std::nullopt;
    cursor c(db.statement("SELECT n FROM tool_outputs WHERE session = ? AND call = ? AND seq <= ? AND length(data) = ?"
                          " ORDER BY seq DESC LIMIT 1"),
             session, call, upto, bytes);
    if (c.next()) return c.integer();
  }
  return std::nullopt;
}

std::optional<tool_output_part> read_output(connection& db, session_id session, const tool_call_id& call, std::int64_t offset,
                                            std::int64_t limit) {
  run_id run;
  std::int64_t bytes = 0;
  std::string output;
  {
    cursor c(db.statement("SELECT t.run, t.output_bytes, t.output FROM runs r JOIN tool_calls t ON t.run = r.id"
                          " WHERE r.session = ?1 AND t.id = ?2 AND t.ok IS NOT NULL"
                          " AND t.seq > (SELECT cleared_seq FROM sessions WHERE id = ?1) ORDER BY t.seq DESC LIMIT 1"),
             session, call);
    if (!c.next()) return std::nullopt;
    c.read(run, bytes, output);
  }
  std::optional<std::int64_t> row;
  if (bytes > 0) {
    cursor c(db.statement("SELECT n FROM tool_outputs WHERE session = ? AND call = ? AND run = ? ORDER BY seq DESC LIMIT 1"),
             session, call, run);
    if (c.next()) row = c.integer();
  }
  if (bytes > 0 && !row) row = find_output_in_source(db, session, call, bytes);
  std::unique_ptr<source> from;
  if (row)
    from = std::make_unique<long_output>(db, *row);
  else
    from = std::make_unique<short_output>(std::move(output));
  return part_of(*from, offset, limit);
}

}  // namespace troupe::storage
