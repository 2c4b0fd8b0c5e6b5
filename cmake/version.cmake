# `troupe_version`: what `troupe --version` says. The commit stands in one generated file, which is written again when HEAD of
# the repository has moved: a commit compiles that file and links, nothing else.
set(TROUPE_COMMIT "" CACHE STRING "The commit that --version names; empty: what git says of the source folder")
find_package(Git QUIET)

set(commit_file ${PROJECT_BINARY_DIR}/version/commit.cpp)
set(head_moves)
if(GIT_FOUND AND NOT TROUPE_COMMIT)
  # Sources unpacked inside somebody else's repository have a prefix there.
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --show-prefix --git-path logs/HEAD
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE answer RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed AND answer MATCHES "^\n([^\n]+)\n$")
    get_filename_component(head_moves ${CMAKE_MATCH_1} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
    if(NOT EXISTS ${head_moves})
      set(head_moves)
    endif()
  endif()
endif()

add_custom_command(OUTPUT ${commit_file}
  COMMAND ${CMAKE_COMMAND} "-DGIT=${GIT_EXECUTABLE}" "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DCOMMIT=${TROUPE_COMMIT}"
          "-DOUTPUT=${commit_file}" -P ${PROJECT_SOURCE_DIR}/cmake/write_commit.cmake
  DEPENDS ${PROJECT_SOURCE_DIR}/cmake/write_commit.cmake ${head_moves}
  COMMENT "Writing the commit into version/commit.cpp"
  VERBATIM)
add_library(troupe_version STATIC ${PROJECT_SOURCE_DIR}/app/version.cpp ${commit_file})
target_compile_definitions(troupe_version PRIVATE TROUPE_VERSION="${PROJECT_VERSION}")
target_link_libraries(troupe_version PRIVATE troupe_storage troupe_warnings troupe_hardening)
target_link_libraries(troupe_app PRIVATE troupe_version)
