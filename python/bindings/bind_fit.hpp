// fit and its answer.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include "convert.hpp"

namespace ksparse::python {

inline FitResult fit(const Array& X, const Array& y, const std::optional<Array>& sample_weight,
                     const std::optional<Array>& offset, const Options& options, const std::string& loss, double alpha,
                     double gamma) {
  const DesignView design = design_view(X);
  const Problem problem{vector_view(y), vector_view(sample_weight), vector_view(offset)};
  const AnyLoss any_loss = loss_by_name(loss, alpha, gamma);
  const Interrupt interrupt = SignalPoll();
  FitResult result;
  {
    const py::gil_scoped_release release;
    result = std::visit([&](const auto& x, const auto& l) { return ksparse::fit(x, problem, l, options, interrupt); }, design,
                        any_loss);
  }
  if (PyErr_Occurred()) throw py::error_already_set();  // the signal handler's own exception, usually KeyboardInterrupt
  return result;
}

inline void bind_fit(py::module_& module) {
  py::class_<FitResult>(module, "FitAnswer", "What the core found; ksparse.FitResult is made of it.")
      .def_property_readonly(
          "coef", [](const FitResult& r) { return to_numpy(r.coef); }, "(p,) zero outside the support")
      .def_readonly("intercept", &FitResult::intercept, "0 without an intercept")
      .def_property_readonly(
          "support", [](const FitResult& r) { return to_numpy(r.support); }, "(s,) int64, sorted")
      .def_readonly("objective", &FitResult::objective, "F at coef")
      .def_property_readonly(
          "status", [](const FitResult& r) { return to_string(r.info.status); }, "how the fit ended")
      .def_property_readonly(
          "advice", [](const FitResult& r) { return advice(r.info.status); }, "what to do about it")
      .def_property_readonly(
          "message", [](const FitResult& r) { return r.info.message; }, "what was wrong with the input")
      .def_property_readonly(
          "n_newton", [](const FitResult& r) { return r.info.newton_iterations; }, "Newton iterations")
      .def_property_readonly(
          "n_scans", [](const FitResult& r) { return r.info.scans; }, "passes over all of X")
      .def_property_readonly(
          "n_refits", [](const FitResult& r) { return r.info.refits; }, "supports refitted")
      .def_property_readonly(
          "n_rounds", [](const FitResult& r) { return r.info.rounds; }, "perturbations of the answer")
      .def_property_readonly(
          "times_found", [](const FitResult& r) { return r.info.times_found; }, "descents that ended at the answer")
      .def_property_readonly(
          "bad_row", [](const FitResult& r) { return r.info.bad_row; }, "where X is not finite, or -1")
      .def_property_readonly("bad_column", [](const FitResult& r) { return r.info.bad_column; }, "the same, its column");

  module.def(
      "fit",
      [](const Array& X, const Array& y, const std::optional<Array>& sample_weight, const std::optional<Array>& offset, Index k,
         const std::string& loss, double alpha, double gamma, double ridge, bool fit_intercept, double tolerance,
         int max_newton, const std::string& search, int max_rounds, double max_seconds, std::uint64_t random_state) {
        Options options;
        options.k = k;
        options.ridge = ridge;
        options.fit_intercept = fit_intercept;
        options.tolerance = tolerance;
        options.max_newton = max_newton;
        options.effort = effort_by_name(search);
        options.max_rounds = max_rounds;
        options.max_seconds = max_seconds;
        options.random_state = random_state;
        return fit(X, y, sample_weight, offset, options, loss, alpha, gamma);
      },
      "Best subset of at most k features. Arrays are float64 and are neither copied nor changed.", py::arg("X").noconvert(),
      py::arg("y").noconvert(), py::arg("sample_weight").noconvert().none(true), py::arg("offset").noconvert().none(true),
      py::kw_only(), py::arg("k"), py::arg("loss"), py::arg("alpha"), py::arg("gamma"), py::arg("ridge"),
      py::arg("fit_intercept"), py::arg("tolerance"), py::arg("max_newton"), py::arg("search"), py::arg("max_rounds"),
      py::arg("max_seconds"), py::arg("random_state"));
}

}  // namespace ksparse::python
