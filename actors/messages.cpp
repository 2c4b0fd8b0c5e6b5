#include "actors/messages.hpp"

namespace troupe::actors {

namespace {
const auto category = caf::atom("troupe");
}

caf::error to_caf(const core::error& e) {
  return caf::error{static_cast<std::uint8_t>(e.code), category, caf::make_message(e.text)};
}

core::error from_caf(const caf::error& e) {
  if (e.category() != category) return {core::errc::internal_error, "actor failed: " + caf::to_string(e)};
  core::error out{static_cast<core::errc>(e.code()), {}};
  if (e.context().match_elements<std::string>()) out.text = e.context().get_as<std::string>(0);
  return out;
}

}  // namespace troupe::actors
