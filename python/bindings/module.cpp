// The Python module, compiled once per instruction set under the name KSPARSE_MODULE_NAME (see python/ksparse/_core.py).
// It contains only declarations and conversions; arguments are validated in Python, and the algorithms are in the library.
// SPDX-License-Identifier: BSD-3-Clause
#include "bind_batch.hpp"
#include "bind_blocks.hpp"
#include "bind_fit.hpp"
#include "bind_loss.hpp"
#include "bind_newton.hpp"
#include "bind_objective.hpp"
#include "bind_proof.hpp"

namespace py = pybind11;

// Nothing is modified after import and the core has no global state, so a free-threaded Python needs no lock.
PYBIND11_MODULE(KSPARSE_MODULE_NAME, module, py::mod_gil_not_used()) {
  module.doc() = "Compiled core of ksparse; use it through the package ksparse.";
  ksparse::python::bind_fit(module);
  ksparse::python::bind_batch(module);
  ksparse::python::bind_loss(module);
  ksparse::python::bind_newton(module);
  ksparse::python::bind_objective(module);
  ksparse::python::bind_blocks(module);
  ksparse::python::bind_proof(module);
  module.def(
      "instruction_set", [] { return KSPARSE_INSTRUCTION_SET; }, "Name of the instruction set this module was compiled for.");
  module.def("version", [] { return KSPARSE_VERSION; }, "Version of ksparse, from pyproject.toml.");
  module.def(
      "eigen_version",
      [] {
        return std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
               std::to_string(EIGEN_MINOR_VERSION);
      },
      "Version of Eigen this module was compiled with.");
}
