# `cmake --install`, and the Debian package that CPack makes of the same files (scripts/package). docs/install.md is for people.
include(GNUInstallDirs)
include(version)

set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON) # packing the server does not build its tests
install(TARGETS troupe RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES config/troupe.example.json DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(CODE "set(troupe_source \"${PROJECT_SOURCE_DIR}\")
set(troupe_build \"${PROJECT_BINARY_DIR}/install\")
set(troupe_program \"$<TARGET_FILE:troupe>\")")
install(SCRIPT ${PROJECT_SOURCE_DIR}/cmake/install_files.cmake)
# Libraries that are part of the program (static, or headers only) and want to be named; Debian's packages have their terms.
foreach(library libcli11-dev libsqlitecpp-dev libvalijson-dev)
  install(FILES /usr/share/doc/${library}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR}/third-party RENAME ${library}
    OPTIONAL)
endforeach()

# And the npm packages in the console; without it there is none.
if(TROUPE_CONSOLE)
  install(FILES ${PROJECT_BINARY_DIR}/console/licences.txt DESTINATION ${CMAKE_INSTALL_DOCDIR}/third-party RENAME console)
endif()

set(TROUPE_MAINTAINER "Troupe maintainers <maintainers@users.noreply.b-seed-a44a3b19.example>" CACHE STRING
  "Maintainer of the packages that are built here: NAME <ADDRESS>")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME troupe)
set(CPACK_PACKAGE_VENDOR "Troupe")
set(CPACK_PACKAGE_CONTACT "${TROUPE_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "actor-based runtime for AI agents")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Troupe is a server that runs agents: it talks to language models, runs the
tools they ask for, waits for people where an approval is needed, and stores
every step in a durable log. Clients connect over WebSocket, Socket.IO, REST
and server-sent events on one port.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
# The sandbox of commands, and the certificates of model APIs.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "bubblewrap (>= 0.8), ca-certificates")
foreach(script postinst prerm postrm conffiles)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/config/debian/${script})
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_documents.cmake)
include(CPack)

if(TROUPE_TESTS)
  # In a Debian of its own: needs root, debootstrap and the network; else it is skipped, and says why.
  add_test(NAME "package: installed, started, upgraded, removed and purged in a clean Debian"
    COMMAND ${PROJECT_SOURCE_DIR}/tests/package/run ${PROJECT_BINARY_DIR})
  set_tests_properties("package: installed, started, upgraded, removed and purged in a clean Debian"
    PROPERTIES LABELS slow TIMEOUT 1200 SKIP_RETURN_CODE 77)
endif()
