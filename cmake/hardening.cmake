# troupe_hardening and TROUPE_HARDENED_LINK: the hardening flags of Debian's packages (dpkg-buildflags of Debian 13), for what goes
# into the released program. Not for tests, which are not optimised, nor beside sanitizers, which look at the same memory.
# Debian 12's own start files have no control-flow marks, so that -fcf-protection works in programs that are built on later ones.
include(CheckCXXCompilerFlag)
option(TROUPE_HARDENING "Compile the program with the hardening flags of Debian's packages" ON)
add_library(troupe_hardening INTERFACE)
if(NOT TROUPE_HARDENING OR TROUPE_SANITIZE OR NOT CMAKE_BUILD_TYPE MATCHES "Release|RelWithDebInfo|MinSizeRel")
  return()
endif()

foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE)
  string(MAKE_C_IDENTIFIER "has${flag}" known)
  check_cxx_compiler_flag(${flag} ${known}) # shadow stacks are of some processors only
  if(${known})
    target_compile_options(troupe_hardening INTERFACE ${flag})
  endif()
endforeach()
# Checks of the C library; some compilers define it by themselves, with another value.
target_compile_options(troupe_hardening INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# Calls into libraries are resolved at start and read-only from then on; the program has no fixed address.
set(TROUPE_HARDENED_LINK -pie -Wl,-z,relro,-z,now)
