// Objectives that Python answers for: the search is the library's, what it asks goes to methods of a Python object.
//
// The object speaks of columns and their coefficients, in units of its own choosing (objective.hpp); groups are resolved here.
//   refit(columns, coef, bar, exact, rough) -> (coef, objective, status, abandoned, iterations)
//   begin_scan(columns, coef)               -> (inverse, hessian or None, gradient or None)
//   scan_panel(columns, starts)             -> (gradient, curvature, cross, blocks)
// with the status as a number, starts where the columns of each group begin, blocks (columns, stride) with H among the columns
// of a group; starts and blocks are None without groups. What these methods raise, a KeyboardInterrupt as well, ends the search
// and reaches the caller as it was raised. The GIL is held throughout: between two answers the search takes microseconds.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include <exception>
#include <vector>

#include "convert.hpp"

namespace ksparse::python {

class PythonObjective final : public Objective {
 public:
  PythonObjective(const py::object& party, Index columns, const Options& options)
      : constraints_(options.constraints),
        groups_(options.constraints.groups, columns),
        columns_(columns),
        refit_(party.attr("refit")),
        begin_scan_(party.attr("begin_scan")),
        scan_panel_(party.attr("scan_panel")) {}

  Index features() const override { return groups_.units(); }
  Index largest_unit() const override { return groups_.stride(); }

  RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) override {
    RefitOutcome outcome;
    const bool answered = ask([&] {
      const py::array_t<Index> columns = active_columns(iterate);  // which the coefficients below go by
      const auto answer = refit_(columns, active_coef(iterate), goal.bar, goal.exact, goal.rough)
                              .cast<std::tuple<Array, double, int, bool, int>>();
      const auto& [coef, objective, status, abandoned, iterations] = answer;
      const Vector values = vector_of(coef, starts_.back());
      for (Index place = 0; place < iterate.size(); ++place) {
        const Index begin = starts_[std::size_t(place)], width = starts_[std::size_t(place + 1)] - begin;
        iterate.at(place).head(width) = values.segment(begin, width);
      }
      iterate.objective = objective;
      outcome = {Status(status), abandoned, iterations};
    });
    if (!answered) outcome.status = Status::interrupted;
    return outcome;
  }

  Status scan(const Iterate& iterate, const Columns& units, Hessian, ScanSink& sink) override {
    const bool answered = ask([&] {
      const py::array_t<Index> columns = active_columns(iterate);
      const auto [inverse, hessian, gradient] =
          begin_scan_(columns, active_coef(iterate)).cast<std::tuple<Matrix, std::optional<Matrix>, std::optional<Array>>>();
      const Index d = starts_.back();
      const Eigen::MatrixXd whole = hessian ? Eigen::MatrixXd(matrix_of(*hessian, d, d)) : Eigen::MatrixXd();
      const Eigen::VectorXd slope = gradient ? Eigen::VectorXd(vector_of(*gradient, d)) : Eigen::VectorXd();
      const std::vector<Index> places = starts_;
      sink.begin_scan({matrix_of(inverse, d, d), hessian ? &whole : nullptr, gradient ? &slope : nullptr,
                       groups_.single() ? nullptr : places.data()});
      const Index per_panel = std::max<Index>(1, largest_panel / groups_.stride());
      for (Index begin = 0; begin < units.count; begin += per_panel)
        scan_panel(units.slice(begin, std::min(per_panel, units.count - begin)), d, sink);
    });
    return answered ? Status::converged : Status::interrupted;
  }

  /// Coefficients of all columns, and those that were chosen, be they 0 or not.
  FitResult result(const Iterate& iterate, Status status, const Info& work) const {
    FitResult result;
    result.coef = Eigen::VectorXd::Zero(columns_);
    result.objective = iterate.objective;
    for (Index place = 0; place < iterate.size(); ++place)
      for (Index i = 0; i < groups_.width(iterate.support[std::size_t(place)]); ++i) {
        const Index column = groups_.column(iterate.support[std::size_t(place)], i);
        result.coef[column] = iterate.coef[place * iterate.stride + i];
        result.support.push_back(column);
      }
    std::sort(result.support.begin(), result.support.end());
    result.info = work;
    result.info.status = status;
    return result;
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  using Matrix = py::array_t<double, py::array::f_style | py::array::forcecast>;
  using Vector = Eigen::Map<const Eigen::VectorXd>;
  using MatrixView = Eigen::Map<const Eigen::MatrixXd>;

  // False: Python raised, which is kept for the caller.
  template <class Question>
  bool ask(const Question& question) {
    try {
      question();
      return true;
    } catch (...) {
      failure_ = std::current_exception();
      return false;
    }
  }

  static Vector vector_of(const Array& values, Index size) {
    if (values.ndim() != 1 || values.shape(0) != size || (size > 1 && values.strides(0) != sizeof(double)))
      throw py::value_error("an answer to the search must be a contiguous vector with as many entries as asked for");
    return {values.data(), size};
  }
  static MatrixView matrix_of(const Matrix& values, Index rows, Index columns) {
    if (values.ndim() != 2 || values.shape(0) != rows || values.shape(1) != columns)
      throw py::value_error("an answer to the search must be a matrix of the shape asked for");
    return {values.data(), rows, columns};
  }

  py::array_t<Index> active_columns(const Iterate& iterate) {
    std::vector<Index> active;
    starts_.assign(1, 0);
    for (const Index unit : iterate.support) {
      for (Index i = 0; i < groups_.width(unit); ++i) active.push_back(groups_.column(unit, i));
      starts_.push_back(Index(active.size()));
    }
    return to_numpy(active);
  }
  Array active_coef(const Iterate& iterate) const {
    Array coef(py::ssize_t(starts_.back()));
    double* const target = coef.mutable_data();
    for (Index place = 0; place < iterate.size(); ++place)
      for (Index j = starts_[std::size_t(place)], i = 0; j < starts_[std::size_t(place + 1)]; ++j, ++i)
        target[j] = iterate.coef[place * iterate.stride + i];
    return coef;
  }

  void scan_panel(const Columns& units, Index d, ScanSink& sink) {
    std::vector<Index> asked, starts{0};
    for (Index c = 0; c < units.count; ++c) {
      for (Index i = 0; i < groups_.width(units[c]); ++i) asked.push_back(groups_.column(units[c], i));
      starts.push_back(Index(asked.size()));
    }
    const Index count = Index(asked.size());
    const py::object begins = groups_.single() ? py::object(py::none()) : py::object(to_numpy(starts));
    const auto [gradient, curvature, cross, blocks] =
        scan_panel_(to_numpy(asked), begins).cast<std::tuple<Array, Array, Matrix, std::optional<Matrix>>>();
    Eigen::VectorXd lower, upper;
    if (constraints_.bounded()) {
      lower.resize(count);
      upper.resize(count);
      for (Index j = 0; j < count; ++j) {
        lower[j] = constraints_.lower_of(asked[std::size_t(j)]);
        upper[j] = constraints_.upper_of(asked[std::size_t(j)]);
      }
    }
    const Eigen::MatrixXd within = blocks ? Eigen::MatrixXd(matrix_of(*blocks, count, groups_.stride())) : Eigen::MatrixXd();
    sink.take_panel({units, vector_of(gradient, count).array(), vector_of(curvature, count).array(), matrix_of(cross, count, d),
                     lower.size() ? lower.data() : nullptr, upper.size() ? upper.data() : nullptr,
                     groups_.single() ? nullptr : starts.data(), groups_.single() ? nullptr : &within});
  }

  const Constraints& constraints_;
  const Groups groups_;
  const Index columns_;
  const py::object refit_, begin_scan_, scan_panel_;
  std::vector<Index> starts_{0};  // (places + 1,) where the columns of each place begin, of the iterate at hand
  std::exception_ptr failure_;
};

/// Raises ValueError if the options are of no use for so many columns.
inline void check_options(const Options& options, Index columns, Index smallest_k) {
  if (auto wrong = options.problem()) throw py::value_error(*wrong);
  if (auto wrong = options.constraints.problem(columns, smallest_k)) throw py::value_error(*wrong);
  if (auto wrong = options.problem_of_start(columns)) throw py::value_error(*wrong);
}

inline FitResult fit_objective(const py::object& party, Index columns, const Options& options) {
  check_options(options, columns, options.k);
  PythonObjective objective(party, columns, options);
  Search search(objective, options);
  drive(search, objective);
  objective.rethrow();
  const Info info = search.info();
  return objective.result(search.engine().current(), info.status, info);
}

inline std::vector<FitResult> fit_objective_path(const py::object& party, Index columns, const std::vector<Index>& ks,
                                                 Options options) {
  if (ks.empty() || ks.front() < 0 || std::adjacent_find(ks.begin(), ks.end(), std::greater_equal<Index>()) != ks.end())
    throw py::value_error("ks must be an increasing list of at least one number >= 0");
  options.k = ks.back();
  check_options(options, columns, ks.front());
  PythonObjective objective(party, columns, options);
  Path path(objective, options, ks);
  const bool done = path.run();
  objective.rethrow();
  if (!done) throw std::runtime_error(advice(path.info().status));
  std::vector<FitResult> results;
  for (const Path::Entry& entry : path.entries()) results.push_back(objective.result(entry.iterate, entry.status, path.info()));
  return results;
}

inline void bind_objective(py::module_& module) {
  module.def("fit_objective", &fit_objective,
             "Best subset of at most options.k of so many columns, for an objective whose refits and scans a Python object "
             "answers (bind_objective.hpp).",
             py::arg("party"), py::arg("columns"), py::arg("options"));
  module.def("fit_objective_path", &fit_objective_path, "The same for every k of an increasing list.", py::arg("party"),
             py::arg("columns"), py::arg("ks"), py::arg("options"));
}

}  // namespace ksparse::python
