// What the `websocket` kind sends to its upstream: a JSON template of the configuration with the request's values put in.
// Pure values; a template is read once, at start-up, and shared by all calls.
#pragma once

#include "core/error.hpp"
#include "providers/provider.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace troupe::providers {

/// The message of PROTOCOLS §4.
inline constexpr std::string_view default_message_template =
    R"({"type":"message","content":"${content}","history":"${history}","temperature":"${temperature}",)"
    R"("max_tokens":"${max_tokens}","thread_id":"${thread_id}"})";

/// A JSON object in which a string that is exactly one placeholder, at any depth, stands for a value of the request, of that
/// value's own type. A member or element whose value the request lacks is left out. The placeholders:
///   content       text of the newest message
///   history       [{role, content}] before it, oldest first; the instructions come first, as `system`
///   instructions  text; where the template has it, `history` goes without
///   model, thread_id (the session)  text
///   temperature   a number, where one is set
///   max_tokens    a number
class message_template {
 public:
  /// Empty: the default. The text of an error says what is wrong with the template, not where the template is.
  [[nodiscard]] static core::result<message_template> parse(std::string_view text);

  /// JSON text, always UTF-8. Files that are text are part of their message, others are named in it.
  [[nodiscard]] std::string fill(const model_request& request) const;

 private:
  message_template(boost::json::value body, bool has_instructions)
      : body_(std::move(body)), has_instructions_(has_instructions) {}

  boost::json::value body_;
  bool has_instructions_ = false;
};

}  // namespace troupe::providers
