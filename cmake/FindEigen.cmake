# Eigen 3.4 or newer: the system's, or the Python package cmeel-eigen, whose files lie in cmeel.prefix under a site-packages
# directory. Such directories are on CMAKE_PREFIX_PATH when scikit-build-core configures; otherwise a Python on the path is asked.
# Sets Eigen3_FOUND and leaves the failure to the caller: the installed package must be able to report "not found".
if(NOT TARGET Eigen3::Eigen)
  cmake_path(CONVERT "$ENV{CMAKE_PREFIX_PATH}" TO_CMAKE_PATH_LIST ksparse_prefixes)
  list(PREPEND ksparse_prefixes ${CMAKE_PREFIX_PATH})
  if(NOT SKBUILD)
    find_package(Python3 QUIET COMPONENTS Interpreter)
    if(Python3_FOUND)
      list(APPEND ksparse_prefixes "${Python3_SITELIB}")
    endif()
  endif()
  # Hints, not entries of CMAKE_PREFIX_PATH: that variable is the user's, and this file runs in the user's find_package too.
  set(ksparse_eigen_hints)
  foreach(prefix IN LISTS ksparse_prefixes)
    if(EXISTS "${prefix}/cmeel.prefix")
      list(APPEND ksparse_eigen_hints "${prefix}/cmeel.prefix")
    endif()
  endforeach()
  # Eigen's version file of 3.x refuses a request of the next major version and the other way round, so ask without one.
  find_package(Eigen3 QUIET NO_MODULE HINTS ${ksparse_eigen_hints})
  if(NOT Eigen3_FOUND)
    set(ksparse_eigen_problem "Eigen 3.4 or newer was not found; install it, set Eigen3_DIR, or `pip install cmeel-eigen`")
  elseif(Eigen3_VERSION VERSION_LESS 3.4)
    set(ksparse_eigen_problem "ksparse needs Eigen 3.4 or newer, found ${Eigen3_VERSION} in ${Eigen3_DIR}")
  endif()
  unset(ksparse_prefixes)
  unset(ksparse_eigen_hints)
endif()
