# Part of `cmake --install`, after the program: what depends on the prefix, is made by the program, or must not be overwritten.
# package.cmake gives it troupe_source, troupe_build (a folder to write into) and troupe_program.
find_program(troupe_gzip gzip)
set(share ${CMAKE_INSTALL_PREFIX}/share)

# As Debian wants its documents: compressed, without a time stamp.
function(install_compressed source name folder)
  if(NOT troupe_gzip)
    file(INSTALL ${source} DESTINATION ${folder} RENAME ${name})
    return()
  endif()
  set(packed ${troupe_build}/${name}.gz)
  execute_process(COMMAND ${troupe_gzip} -9nc ${source} OUTPUT_FILE ${packed} COMMAND_ERROR_IS_FATAL ANY)
  file(INSTALL ${packed} DESTINATION ${folder})
endfunction()

file(MAKE_DIRECTORY ${troupe_build})
if(EXISTS ${troupe_source}/docs/troupe.1)
  install_compressed(${troupe_source}/docs/troupe.1 troupe.1 ${share}/man/man1)
endif()
install_compressed(${troupe_source}/CHANGELOG.md changelog ${share}/doc/troupe)

# Completions are what the program says they are; one that runs elsewhere than here (cross-compiled) is asked there.
set(zsh_folder site-functions)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(zsh_folder vendor-completions)
endif()
foreach(entry "bash|troupe|bash-completion/completions" "zsh|_troupe|zsh/${zsh_folder}"
        "fish|troupe.fish|fish/vendor_completions.d")
  string(REPLACE "|" ";" entry ${entry})
  list(GET entry 0 shell)
  list(GET entry 1 name)
  list(GET entry 2 folder)
  file(MAKE_DIRECTORY ${troupe_build}/${shell})
  execute_process(COMMAND ${troupe_program} completion ${shell} OUTPUT_FILE ${troupe_build}/${shell}/${name}
    RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    message(STATUS "No completions for ${shell}: `troupe completion ${shell}` does not work here")
  else()
    file(INSTALL ${troupe_build}/${shell}/${name} DESTINATION ${share}/${folder})
  endif()
endforeach()

# The configuration is where systems have it, also for /usr; below a prefix of one's own it stays there.
set(ETC ${CMAKE_INSTALL_PREFIX}/etc/troupe)
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?$")
  set(ETC /etc/troupe)
endif()
set(BINDIR ${CMAKE_INSTALL_PREFIX}/bin)
configure_file(${troupe_source}/config/troupe.service ${troupe_build}/troupe.service @ONLY)
file(INSTALL ${troupe_build}/troupe.service DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)

function(install_configuration source name)
  if(EXISTS $ENV{DESTDIR}${ETC}/${name})
    message(STATUS "Kept: $ENV{DESTDIR}${ETC}/${name}")
  else()
    file(INSTALL ${source} DESTINATION ${ETC} RENAME ${name} PERMISSIONS ${ARGN})
  endif()
endfunction()
install_configuration(${troupe_source}/config/troupe.default.json troupe.json OWNER_READ OWNER_WRITE GROUP_READ)
install_configuration(${troupe_source}/config/troupe.environment environment OWNER_READ OWNER_WRITE)
