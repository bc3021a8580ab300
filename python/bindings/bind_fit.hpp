// fit and fit_path, and their results.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "convert.hpp"
#include "stop_flag.hpp"

namespace ksparse::python {

inline std::vector<Index> to_python(const std::vector<Index>& list) { return list; }
inline Array to_python(const Eigen::VectorXd& list) { return to_numpy(list); }
inline void take_list(const std::vector<Index>& given, std::vector<Index>& list) { list = given; }
inline void take_list(const Array& given, Eigen::VectorXd& list) { list = vector_view(given); }

template <class Class, class T>
void bind_setting(Class& options, const char* name, T Options::* member, const char* text) {
  if constexpr (std::is_same_v<T, Effort>)
    options.def_property(
        name, [member](const Options& o) { return effort_name(o.*member); },
        [member](Options& o, const std::string& given) { o.*member = effort_by_name(given); }, text);
  else
    options.def_readwrite(name, member, text);
}

inline void bind_options(py::module_& module) {
  py::class_<Options> options(module, "Options", "Settings of a fit, as in ksparse::Options.");
  options.def(py::init<>());
#define KSPARSE_BIND(type, name, initial, rule, words, text) bind_setting(options, #name, &Options::name, text);
  KSPARSE_SETTINGS(KSPARSE_BIND)
#undef KSPARSE_BIND
#define KSPARSE_BIND(name, place, text)                           \
  options.def_property(                                           \
      #name, [](const Options& o) { return to_python(o.place); }, \
      [](Options& o, const decltype(to_python(Options().place))& given) { take_list(given, o.place); }, text);
  KSPARSE_FEATURE_LISTS(KSPARSE_BIND)
  KSPARSE_COLUMN_LISTS(KSPARSE_BIND)
#undef KSPARSE_BIND
}

inline void bind_result(py::module_& module) {
  py::class_<FitResult>(module, "FitAnswer", "The result of a fit, from which ksparse.FitResult is made.")
      .def_property_readonly(
          "coef", [](const FitResult& r) { return to_numpy(r.coef); }, "(p,) zero outside the support")
      .def_readonly("intercept", &FitResult::intercept, "0 without an intercept")
      .def_property_readonly(
          "support", [](const FitResult& r) { return to_numpy(r.support); }, "(s,) int64, sorted")
      .def_readonly("objective", &FitResult::objective, "F at coef")
      .def_readonly("lower_bound", &FitResult::lower_bound, "no support of k features has a lower F; NaN: not known")
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
          "n_rounds", [](const FitResult& r) { return r.info.rounds; }, "descents after the first")
      .def_property_readonly(
          "n_restarts", [](const FitResult& r) { return r.info.restarts; },
          "descents that began without any feature of the answer")
      .def_property_readonly(
          "times_found", [](const FitResult& r) { return r.info.times_found; }, "restarts that ended at the answer")
      .def_property_readonly(
          "bad_row", [](const FitResult& r) { return r.info.bad_row; }, "where X is not finite, or -1")
      .def_property_readonly("bad_column", [](const FitResult& r) { return r.info.bad_column; }, "the same, its column");
}

using CountArray = py::array_t<std::int64_t, py::array::c_style>;
using Task = std::tuple<Index, std::shared_ptr<AnyLoss>, Options, bool>;  // resampling, loss, options, follows
using Paths = std::vector<std::vector<CompactFit>>;

inline Paths fit_paths(const HeldProblem& held, const CountArray& counts, const std::vector<Task>& tasks,
                       const std::vector<Index>& ks, int threads, const py::object& progress) {
  if (counts.ndim() != 2 || counts.shape(1) != held.problem.responses.size())
    throw py::value_error("counts must have a column per row of X");
  for (const Task& task : tasks)
    if (std::get<0>(task) < 0 || std::get<0>(task) >= counts.shape(0)) throw py::value_error("a task names no row of counts");
  const Counts view(counts.data(), counts.shape(0), counts.shape(1));
  std::vector<PathTask> typed;
  for (const auto& [resampling, loss, options, follows] : tasks) typed.push_back({resampling, *loss, options, follows});
  return held.ask([&](const Design& X, const Problem& problem, const AnyLoss&) {
    return ksparse::fit_paths(X, problem, view, typed, ks, run_by(threads, progress));
  });
}

inline void bind_paths(py::module_& module) {
  py::class_<CompactFit>(module, "CompactFit", "A fit without the zeros of its coefficients.")
      .def_property_readonly(
          "support", [](const CompactFit& r) { return to_numpy(r.support); }, "(s,) int64, sorted")
      .def_property_readonly(
          "coef", [](const CompactFit& r) { return to_numpy(r.coef); }, "(s,) coefficients of the support")
      .def_readonly("intercept", &CompactFit::intercept, "0 without an intercept")
      .def_readonly("objective", &CompactFit::objective, "F")
      .def_readonly("lower_bound", &CompactFit::lower_bound, "no support of k features has a lower F; NaN: not known")
      .def_property_readonly(
          "status", [](const CompactFit& r) { return to_string(r.info.status); }, "how the fit ended")
      .def_property_readonly(
          "advice", [](const CompactFit& r) { return advice(r.info.status); }, "what to do about it")
      .def_property_readonly(
          "message", [](const CompactFit& r) { return r.info.message; }, "what was wrong with the input")
      .def_property_readonly(
          "n_newton", [](const CompactFit& r) { return r.info.newton_iterations; }, "Newton iterations of the path")
      .def_property_readonly(
          "n_scans", [](const CompactFit& r) { return r.info.scans; }, "passes over all of X, of the path")
      .def_property_readonly(
          "n_refits", [](const CompactFit& r) { return r.info.refits; }, "supports refitted by the path")
      .def_property_readonly(
          "n_rounds", [](const CompactFit& r) { return r.info.rounds; }, "descents after the first")
      .def_property_readonly(
          "n_restarts", [](const CompactFit& r) { return r.info.restarts; },
          "descents that began without any feature of the answer")
      .def_property_readonly(
          "times_found", [](const CompactFit& r) { return r.info.times_found; }, "restarts that ended at the answer")
      .def_property_readonly(
          "bad_row", [](const CompactFit& r) { return r.info.bad_row; }, "where X is not finite, or -1")
      .def_property_readonly("bad_column", [](const CompactFit& r) { return r.info.bad_column; }, "the same, its column");
  module.def(
      "fit_paths", &fit_paths,
      "Fits a path for every task (row of counts, loss, options, whether it follows the task before) on several threads. "
      "Weights are multiplied by the counts. progress(done, total) is called now and then.",
      py::arg("problem"), py::arg("counts").noconvert(), py::arg("tasks"), py::arg("ks"), py::arg("threads"),
      py::arg("progress") = py::none());
}

inline void bind_problem(py::module_& module) {
  py::class_<HeldProblem>(module, "Problem",
                          "X, responses, weights, offset and loss of a problem. Arrays are never copied or changed.")
      .def(
          py::init<const py::object&, const Array&, const std::optional<Array>&, const std::optional<Array>&, const AnyLoss&>(),
          py::arg("X"), py::arg("y").noconvert(), py::arg("sample_weight").noconvert().none(true),
          py::arg("offset").noconvert().none(true), py::arg("loss"));
}

inline void bind_alternatives(py::module_& module) {
  module.def(
      "alternatives",
      [](const HeldProblem& held, const Options& options, const std::vector<Index>& support, Index count) {
        const Alternatives found = held.ask([&](const Design& X, const Problem& problem, const AnyLoss& loss) {
          return ksparse::alternatives(X, problem, loss, options, support, count, run_by(1, py::none()));
        });
        if (found.info.status != Status::converged)
          throw py::value_error(found.info.message.empty() ? advice(found.info.status) : found.info.message);
        std::vector<std::tuple<Index, Index, double, const char*>> rows;
        for (const Alternative& choice : found.choices)
          rows.emplace_back(choice.feature, choice.replacement, choice.objective, to_string(choice.status));
        return rows;
      },
      "Returns (chosen feature, replacement, objective, status) for the best replacements of each feature of a support.",
      py::arg("problem"), py::arg("options"), py::arg("support"), py::arg("count"));
}

inline void bind_fit(py::module_& module) {
  module.def(
      "storage_problem", [](const py::object& X) { return design_view(X).design->problem(); },
      "Returns a message if the storage of X is invalid, else None.", py::arg("X"));
  bind_options(module);
  bind_problem(module);
  bind_stop_flag(module);
  bind_result(module);
  bind_paths(module);
  bind_alternatives(module);
  module.def(
      "fit",
      [](const HeldProblem& held, const Options& options, const StopFlag* stop, int threads) {
        return held.ask([&](const Design& X, const Problem& problem, const AnyLoss& loss) {
          return ksparse::fit(X, problem, loss, options, {threads, interrupt_by(stop)});
        });
      },
      "Finds the best subset of at most options.k features. The fit ends early if the flag is set or, without a flag, at "
      "Ctrl-C. Threads share the walks of the search, or the sums over X if there is only one walk.",
      py::arg("problem"), py::arg("options"), py::arg("stop").none(true) = py::none(), py::arg("threads") = 1);
  module.def(
      "fit_path",
      [](const HeldProblem& held, const std::vector<Index>& ks, const Options& options, int threads,
         const py::object& progress) {
        return held.ask([&](const Design& X, const Problem& problem, const AnyLoss& loss) {
          return ksparse::fit_path(X, problem, loss, ks, options, run_by(threads, progress));
        });
      },
      "Finds the best subset for each k of an increasing list. For invalid input, it returns one result with a message. "
      "progress(done, total) is called now and then.",
      py::arg("problem"), py::arg("ks"), py::arg("options"), py::arg("threads") = 1, py::arg("progress") = py::none());
}

}  // namespace ksparse::python
