// Configuration files.
#include "app/configuration.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  const auto nothing = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  const auto config = app::parse_configuration(fuzzing::text_of(data, size), "no-such-folder/fuzz.json", nothing);
  if (config)
    (void)app::configuration_to_json(*config);
  else
    fuzzing::require(!config.error().text.empty(), "an error has a text");
  return 0;
}
