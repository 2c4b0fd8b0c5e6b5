# troupe_library(<folder> SOURCES … LINK … [COMMON …] [UNIT …]): the static library of one folder, `troupe_<folder>`, with the
# project's warnings. COMMON names headers that most of its files include; they are compiled once (troupe_precompile). UNIT is how
# many files are compiled as one (troupe_unite), 12 where it is not given.

add_library(troupe_warnings INTERFACE)
target_compile_options(troupe_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual -Wconversion
  -Wsign-conversion -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false dereferences, restrict overlaps and overflows inside its own headers when it inlines at -O2, and those of
  # a precompiled header are no system headers to it.
  target_compile_options(troupe_warnings INTERFACE
    -Wno-null-dereference -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wlogical-op -Wduplicated-cond)
endif()
if(TROUPE_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Of one file another one's globals are nobody's shadow, and a file that is included has types of its own all the same.
  target_compile_options(troupe_warnings INTERFACE -Wshadow=local -Wno-subobject-linkage)
  # A unit fills the compiler's memory quickly: it need not collect before half a gigabyte.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:--param=ggc-min-heapsize=524288>)
else()
  target_compile_options(troupe_warnings INTERFACE -Wshadow)
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
target_link_libraries(troupe_asio PUBLIC Boost::headers Threads::Threads OpenSSL::SSL PRIVATE troupe_hardening)

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

# The files of a target in units of so many: most of a compilation is what they share. Names in anonymous namespaces are unique
# in such a target, whichever files meet. The presets for work on single files (dev, sanitizers) compile each alone.
function(troupe_unite target files)
  if(TROUPE_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${files})
  endif()
endfunction()

function(troupe_library folder)
  cmake_parse_arguments(arg "" "UNIT" "SOURCES;LINK;COMMON" ${ARGN})
  if(NOT arg_UNIT)
    set(arg_UNIT 12)
  endif()
  add_library(troupe_${folder} STATIC ${arg_SOURCES})
  target_include_directories(troupe_${folder} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(troupe_${folder} PUBLIC ${arg_LINK} PRIVATE troupe_warnings troupe_hardening)
  troupe_unite(troupe_${folder} ${arg_UNIT})
  if(arg_COMMON)
    troupe_precompile(troupe_${folder} ${arg_COMMON})
  endif()
endfunction()
