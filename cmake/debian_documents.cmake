# Run by CPack between installing and packing: what only a Debian package has. The entry of the changelog has the time of
# SOURCE_DATE_EPOCH, if that is set: the same sources then give the same package.
set(documents ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/doc/troupe)
set(source ${CMAKE_CURRENT_LIST_DIR}/../config/debian)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${documents}/changelog.Debian
  "troupe (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
  "  * What changes for people who use it: changelog.gz beside this file.\n\n"
  " -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
execute_process(COMMAND gzip -9nf ${documents}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
file(COPY ${source}/copyright DESTINATION ${documents})
file(COPY ${source}/lintian-overrides DESTINATION ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/lintian/overrides)
file(RENAME ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/lintian/overrides/lintian-overrides
  ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/lintian/overrides/troupe)
