# What `cmake --install` puts in place: the headers, the shared library of the C API, and the files by which CMake and pkg-config
# find them. All of it may be moved to another place together.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ksparse")
install(DIRECTORY cpp/include/ksparse DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT cpp)
install(TARGETS ksparse EXPORT ksparse-targets COMPONENT cpp)
install(EXPORT ksparse-targets NAMESPACE ksparse:: DESTINATION "${package_dir}" COMPONENT cpp)
set(independent ARCH_INDEPENDENT)
if(KSPARSE_BUILD_C)
  unset(independent)
  install(TARGETS ksparse_c EXPORT ksparse-c-targets COMPONENT cpp)
  install(EXPORT ksparse-c-targets NAMESPACE ksparse:: DESTINATION "${package_dir}" COMPONENT cpp)
endif()
configure_package_config_file(cmake/ksparseConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/ksparseConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/ksparseConfigVersion.cmake" COMPATIBILITY SameMinorVersion
                                 ${independent})
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/ksparseConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/ksparseConfigVersion.cmake"
              cmake/FindEigen.cmake DESTINATION "${package_dir}" COMPONENT cpp)

# Where these directories are absolute, they stay so.
set(pc_dir "${CMAKE_INSTALL_PREFIX}")
cmake_path(APPEND pc_dir "${CMAKE_INSTALL_LIBDIR}" pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${pc_dir}" OUTPUT_VARIABLE prefix_from_pc)
set(includedir_in_pc "\${prefix}")
cmake_path(APPEND includedir_in_pc "${CMAKE_INSTALL_INCLUDEDIR}")
set(libdir_in_pc "\${prefix}")
cmake_path(APPEND libdir_in_pc "${CMAKE_INSTALL_LIBDIR}")
foreach(name IN ITEMS ksparse ksparse-c)
  if(name STREQUAL "ksparse" OR KSPARSE_BUILD_C)
    configure_file(cmake/${name}.pc.in "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" @ONLY)
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT cpp)
  endif()
endforeach()
