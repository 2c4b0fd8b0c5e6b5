# The console (web/): built with Node into one file, which console.S puts into the library `troupe_console`. Without Node, or
# with TROUPE_CONSOLE=OFF, the library is empty and the server shows its small page at / (transport/rest/home_page.cpp).
find_program(TROUPE_CONSOLE_NODE NAMES node nodejs)
find_program(TROUPE_CONSOLE_NPM npm)
mark_as_advanced(TROUPE_CONSOLE_NODE TROUPE_CONSOLE_NPM)
set(has_node OFF)
if(TROUPE_CONSOLE_NODE AND TROUPE_CONSOLE_NPM)
  execute_process(COMMAND ${TROUPE_CONSOLE_NODE} --version OUTPUT_VARIABLE node_version OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET)
  string(REGEX REPLACE "^v" "" node_version "${node_version}")
  if(node_version VERSION_GREATER_EQUAL 18)
    set(has_node ON)
  endif()
endif()
option(TROUPE_CONSOLE "Build the console into the program (needs Node 18 and npm)" ${has_node})

if(NOT TROUPE_CONSOLE)
  message(STATUS "console: not built; Node 18 or later and npm are needed, or TROUPE_CONSOLE is OFF")
  add_library(troupe_console INTERFACE)
  return()
endif()
if(NOT has_node)
  message(FATAL_ERROR "TROUPE_CONSOLE is ON, but node (18 or later) and npm are not there. scripts/setup installs them; "
    "-DTROUPE_CONSOLE=OFF builds without the console.")
endif()

set(web ${PROJECT_SOURCE_DIR}/web)
set(console_pack ${PROJECT_BINARY_DIR}/console/console.pack)
file(GLOB_RECURSE console_sources CONFIGURE_DEPENDS ${web}/src/*.ts ${web}/src/*.tsx ${web}/src/*.css ${web}/src/*.svg
  ${PROJECT_SOURCE_DIR}/clients/typescript/src/*.ts)
add_custom_command(OUTPUT ${console_pack}
  BYPRODUCTS ${PROJECT_BINARY_DIR}/console/licences.txt
  COMMAND ${TROUPE_CONSOLE_NODE} ${web}/build.mjs ${PROJECT_BINARY_DIR}/console
  DEPENDS ${console_sources} ${web}/build.mjs ${web}/licences.mjs ${web}/index.html ${web}/package.json ${web}/package-lock.json
          ${web}/tsconfig.json ${web}/vite.config.ts
  COMMENT "Building the console"
  VERBATIM)
enable_language(ASM)
set_source_files_properties(${PROJECT_SOURCE_DIR}/cmake/console.S PROPERTIES
  OBJECT_DEPENDS ${console_pack} COMPILE_DEFINITIONS "TROUPE_CONSOLE_PACK=\"${console_pack}\"")
add_library(troupe_console STATIC ${PROJECT_SOURCE_DIR}/cmake/console.S ${console_pack})
target_compile_definitions(troupe_console INTERFACE TROUPE_HAS_CONSOLE)
