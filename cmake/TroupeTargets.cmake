# troupe_library(<folder> SOURCES … LINK … [COMMON …]): the static library of one folder, `troupe_<folder>`, with the project's
# warnings. COMMON names headers that most of its files include; they are compiled once (troupe_precompile).

add_library(troupe_warnings INTERFACE)
target_compile_options(troupe_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual -Wconversion
  -Wsign-conversion -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false dereferences, restrict overlaps and overflows inside its own headers when it inlines at -O2, and those of
  # a precompiled header are no system headers to it.
  target_compile_options(troupe_warnings INTERFACE
    -Wno-null-dereference -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wlogical-op -Wduplicated-cond)
endif()
if(TROUPE_WERROR)
  target_compile_options(troupe_warnings INTERFACE -Werror)
endif()

if(TROUPE_SANITIZE)
  # CAF's headers bind null references where UBSan can see it; the packaged library cannot be changed.
  add_compile_options(-fsanitize=${TROUPE_SANITIZE} -fno-sanitize=null -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TROUPE_SANITIZE})
endif()

# Asio and Beast are compiled once, here; every target that uses them links this.
add_library(troupe_asio STATIC ${PROJECT_SOURCE_DIR}/cmake/asio.cpp)
target_compile_definitions(troupe_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(troupe_asio PUBLIC Boost::headers Threads::Threads OpenSSL::SSL)

# Half of a compilation here is reading headers. Sanitizer builds do without: they are not built from scratch so often.
function(troupe_precompile target)
  if(TROUPE_SANITIZE)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE ${ARGN})
  if(CCACHE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()

function(troupe_library folder)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;COMMON" ${ARGN})
  add_library(troupe_${folder} STATIC ${arg_SOURCES})
  target_include_directories(troupe_${folder} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(troupe_${folder} PUBLIC ${arg_LINK} PRIVATE troupe_warnings)
  if(arg_COMMON)
    troupe_precompile(troupe_${folder} ${arg_COMMON})
  endif()
endfunction()
