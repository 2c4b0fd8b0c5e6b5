// A session's title, written by a model after its first answer (docs/models.md). One call, no tools, no retries of its own;
// whatever goes wrong, the session keeps the title it has, and pays for what the provider has counted. Lives as long as the
// call.
#pragma once

#include "actors/model_bill.hpp"
#include "actors/services.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::actors {

/// No longer in characters, whoever makes it.
inline constexpr std::size_t max_given_title = 60;

struct title_order {
  std::shared_ptr<const core::agent_config> agent;
  core::session_id session;
  core::run_id run;      ///< its usage is counted with this one's
  std::string exchange;  ///< what was said, as text
};

struct title_state {
  services_ptr services;
  title_order order;
  provider_actor provider;
  core::uuid call;  ///< nil: none under way
  model_bill bill;
  std::string text;
  bool is_given_up = false;
  std::optional<caf::typed_response_promise<written_title>> promise;
};

title_actor::behavior_type title_writer(title_actor::stateful_pointer<title_state> self, services_ptr services,
                                        title_order order);

/// What a model said as a title: the words of its first line without quotation marks, marks of Markdown and a full stop,
/// at most `max_given_title` characters. Empty where nothing is left. Pure.
[[nodiscard]] std::string clean_title(std::string_view text);

}  // namespace troupe::actors
