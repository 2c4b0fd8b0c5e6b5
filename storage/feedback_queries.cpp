#include "storage/feedback_queries.hpp"

#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace troupe::storage {

using namespace core;

void read_feedback(connection& db, message_record& message) {
  cursor c(db.statement("SELECT rating, note, author, at_ms FROM feedback WHERE session = ? AND message = ? ORDER BY seq"),
           message.session, message.id);
  while (c.next()) {
    auto& f = message.feedback.emplace_back();
    f.rating = rating_from(c.text()).value_or(rating::none);
    c.read(f.note, f.by, f.at);
  }
}

bool has_feedback_of(connection& db, const session_projection& folded) {
  using key = std::pair<std::string, std::string>;
  using value = std::tuple<std::string, std::string, seq_t, millis>;
  std::map<key, value> stored;
  std::map<key, value> told;
  for (const auto& row : folded.feedback) {
    const auto& f = row.feedback;
    key k{f.message.str(), f.by};
    if (f.rating == rating::none) {
      told.erase(k);
    } else {
      told.insert_or_assign(k, value{to_string(f.rating), f.note, row.seq, row.at});
    }
  }
  cursor c(db.statement("SELECT message, author, rating, note, seq, at_ms FROM feedback WHERE session = ?"), folded.session.id);
  while (c.next()) {
    key k;
    c.read(k.first, k.second);
    auto& [said, note, seq, at] = stored[k];
    c.read(said, note, seq, at);
  }
  return stored == told;
}

}  // namespace troupe::storage
