// Objectives that Python computes: the search of the library calls methods of a Python object.
//
// The methods work with columns and their coefficients, in units that the object chooses (search/column_objective.hpp):
//   refit(columns, coef, bar, exact, rough) -> (coef, objective, status, abandoned, iterations)
//   begin_scan(columns, coef)               -> (gradient, hessian)
//   scan_panel(columns, starts)             -> (gradient, curvature, cross, blocks)
//   expect(columns, scanned)                  optional: which columns the next refits may add, or the next scan covers
//   has_intercept, model_accuracy, perfect_objective   optional attributes: see search/objective.hpp; an intercept is the last
//                                             coefficient
// with the status as a number, starts where the columns of each group begin, blocks (columns, stride) with H among the columns
// of a group; starts and blocks are None without groups. An exception that these methods raise, including KeyboardInterrupt,
// stops the search and is passed on to the caller. The GIL is held all the time, because the search takes only microseconds
// between two calls.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "convert.hpp"

namespace ksparse::python {

class PythonObjective final : public ColumnObjective {
 public:
  PythonObjective(const py::object& answers, Index columns, const Constraints& constraints)
      : ColumnObjective(columns, constraints),
        refit_(answers.attr("refit")),
        begin_scan_(answers.attr("begin_scan")),
        scan_panel_(answers.attr("scan_panel")),
        expect_(py::getattr(answers, "expect", py::none())),
        has_intercept_(py::getattr(answers, "has_intercept", py::bool_(false)).cast<bool>()),
        model_accuracy_(ModelAccuracy(py::getattr(answers, "model_accuracy", py::int_(int(ModelAccuracy::rough))).cast<int>())),
        perfect_(py::getattr(answers, "perfect_objective", py::float_(separable_objective))) {}

  ModelAccuracy model_accuracy() const override { return model_accuracy_; }
  double perfect_objective() const override { return perfect_.cast<double>(); }

 private:
  using Matrix = py::array_t<double, py::array::f_style | py::array::forcecast>;

  bool has_intercept() const override { return has_intercept_; }
  void expect(const List& columns, bool scanned) override {
    if (!expect_.is_none()) expect_(to_numpy(columns), scanned);
  }

  RefitOutcome refit_columns(const List& active, Eigen::VectorXd& coef, double& objective, const RefitGoal& goal) override {
    const auto [found, F, status, abandoned, iterations] =
        refit_(to_numpy(active), to_numpy(coef), goal.bar, goal.exact, goal.rough)
            .cast<std::tuple<Array, double, int, bool, int>>();
    coef = vector_of(found, coef.size());
    objective = F;
    return {Status(status), abandoned, iterations};
  }

  Status begin_scan(const List& active, const Eigen::VectorXd& coef, Point point) override {
    const auto [gradient, hessian] = begin_scan_(to_numpy(active), to_numpy(coef)).cast<std::tuple<Array, Matrix>>();
    point.gradient = vector_of(gradient, coef.size());
    point.hessian = matrix_of(hessian, coef.size(), coef.size());
    active_ = coef.size();
    return Status::converged;
  }

  Status scan_columns(const List& columns, const List* starts, Panel& panel) override {
    const Index count = Index(columns.size());
    const py::object begins = starts ? py::object(to_numpy(*starts)) : py::object(py::none());
    const auto [gradient, curvature, cross, blocks] =
        scan_panel_(to_numpy(columns), begins).cast<std::tuple<Array, Array, Matrix, std::optional<Matrix>>>();
    panel.gradient = vector_of(gradient, count);
    panel.curvature = vector_of(curvature, count);
    panel.cross = matrix_of(cross, count, active_);
    if (blocks) panel.blocks = matrix_of(*blocks, count, stride());
    return Status::converged;
  }

  static Eigen::Map<const Eigen::VectorXd> vector_of(const Array& values, Index size) {
    if (values.ndim() != 1 || values.shape(0) != size || (size > 1 && values.strides(0) != sizeof(double)))
      throw py::value_error("an answer to the search must be a contiguous vector with as many entries as asked for");
    return {values.data(), size};
  }
  static Eigen::Map<const Eigen::MatrixXd> matrix_of(const Matrix& values, Index rows, Index columns) {
    if (values.ndim() != 2 || values.shape(0) != rows || values.shape(1) != columns)
      throw py::value_error("an answer to the search must be a matrix of the shape asked for");
    return {values.data(), rows, columns};
  }

  const py::object refit_, begin_scan_, scan_panel_, expect_;
  const bool has_intercept_;
  const ModelAccuracy model_accuracy_;
  const py::object perfect_;
  Index active_ = 0;  // columns at the point of the scan
};

inline void check_answer(const FitResult& answer) {
  if (!answer.info.message.empty()) throw py::value_error(answer.info.message);
}

inline FitResult fit_objective(const py::object& answers, Index columns, const Options& options) {
  PythonObjective objective(answers, columns, options.constraints);
  FitResult result = ksparse::fit(objective, options);
  check_answer(result);
  return result;
}

inline std::vector<FitResult> fit_objective_path(const py::object& answers, Index columns, const std::vector<Index>& ks,
                                                 const Options& options) {
  PythonObjective objective(answers, columns, options.constraints);
  std::vector<FitResult> results = ksparse::fit_path(objective, ks, options);
  check_answer(results.front());
  if (results.size() < ks.size()) throw std::runtime_error(advice(results.front().info.status));
  return results;
}

inline void bind_objective(py::module_& module) {
  module.def("fit_objective", &fit_objective,
             "Finds the best subset of at most options.k columns for an objective whose refits and scans are methods of a "
             "Python object (bind_objective.hpp).",
             py::arg("answers"), py::arg("columns"), py::arg("options"));
  module.def("fit_objective_path", &fit_objective_path, "Like fit_objective, for each k of an increasing list.",
             py::arg("answers"), py::arg("columns"), py::arg("ks"), py::arg("options"));
}

}  // namespace ksparse::python
