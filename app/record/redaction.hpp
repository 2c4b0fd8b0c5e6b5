// What never stands in a recording: keys, passwords, tokens. Pure but for the environment it is given.
#pragma once

#include "app/record/live_notes.hpp"
#include "core/config.hpp"
#include "core/event.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::app {

class redaction {
 public:
  /// `secrets` are hidden wherever they stand; those shorter than 6 bytes are no secrets and are left alone.
  explicit redaction(std::vector<std::string> secrets);

  /// Of the process: values of variables that the configuration names for keys, and of all whose names end in KEY, TOKEN,
  /// SECRET or PASSWORD. `config` may be null.
  [[nodiscard]] static redaction of_process(const core::config* config);

  /// Texts: known secrets, JSON Web Tokens, keys as providers make them, `Authorization: …` and `password=…`. JSON texts: also
  /// the values of members with such names.
  [[nodiscard]] std::string text(std::string_view plain) const;
  /// Streamed text is looked at as a whole, because a secret may be cut by its pieces; what is left keeps its pieces.
  void events(std::vector<core::event>& all) const;
  void notes(live_notes& all) const;
  /// Where it is text; null stays null.
  void file(std::shared_ptr<const std::string>& bytes) const;

 private:
  using spans = std::vector<std::pair<std::size_t, std::size_t>>;
  /// What is to be hidden, in order, without overlaps.
  [[nodiscard]] spans find(std::string_view plain) const;
  void streamed(std::vector<core::text_pieces*> rows) const;

  std::vector<std::string> secrets_;
};

}  // namespace troupe::app
