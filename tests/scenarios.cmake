# One CTest test per scenario file, named after its path, run plain; a second one that stops and starts everything after every
# step, and a third that crashes at every boundary of the journal in turn. A scenario that cannot bear that says why ("skip")
# and counts as skipped.

file(GLOB_RECURSE troupe_scenarios RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/scenarios/*.json)
list(FILTER troupe_scenarios EXCLUDE REGEX "\\.schema\\.json$")
if(NOT troupe_scenarios)
  message(FATAL_ERROR "scenarios/ holds no scenario: a test run without them would prove nothing")
endif()

foreach(file IN LISTS troupe_scenarios)
  add_test(NAME "${file}" COMMAND troupe replay ${file} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  add_test(NAME "${file} (restart every step)" COMMAND troupe replay --restart-every-step ${file}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  add_test(NAME "${file} (crash at every boundary)" COMMAND troupe replay --crash-at every ${file}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties("${file}" "${file} (restart every step)" "${file} (crash at every boundary)"
    PROPERTIES LABELS scenario TIMEOUT 300)
  set_tests_properties("${file} (restart every step)" "${file} (crash at every boundary)" PROPERTIES SKIP_REGULAR_EXPRESSION "(^|\n)skipped ")
endforeach()
