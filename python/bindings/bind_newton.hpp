// Newton's method for a function that Python computes. This file only converts; the method is in newton/newton.hpp.
//
//   linearise(x, allowed) -> (value, gradient or None, hessian or None)   value is NaN where the function is not defined, and
//                                                                          there are derivatives if value <= allowed
//   make_convex(hessian)  -> hessian                                       a positive definite matrix near a symmetric one
//   separates()           -> bool, or None                                 whether F falls towards 0 along the ray through the
//                                                                          last point
//
// An exception that these raise stops the minimisation and is passed on to the caller.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include <ksparse/newton/newton.hpp>
#include <limits>
#include <optional>
#include <tuple>

#include "convert.hpp"

namespace ksparse::python {

/// A function for Newton's method (newton.hpp) that Python computes.
class PythonFunction {
 public:
  PythonFunction(py::object linearise, py::object make_convex, py::object separates, bool convex_stands_in)
      : linearise_(std::move(linearise)),
        make_convex_(std::move(make_convex)),
        separates_(std::move(separates)),
        convex_stands_in_(convex_stands_in) {}

  double linearise(const Eigen::Ref<const Eigen::VectorXd>& coef, double allowed, Eigen::Ref<Eigen::VectorXd> gradient,
                   Eigen::Ref<Eigen::MatrixXd> hessian) const {
    const auto [value, slope, curvature] = linearise_(Array(coef.size(), coef.data()), allowed)
                                               .cast<std::tuple<double, std::optional<Array>, std::optional<Matrix>>>();
    if (!(value <= allowed)) return value;
    if (!slope || slope->ndim() != 1 || slope->size() != coef.size() || !curvature)
      throw py::value_error("a function to be minimised must come with its gradient and Hessian");
    for (Index i = 0; i < coef.size(); ++i) gradient[i] = slope->at(i);
    take(*curvature, hessian);
    return value;
  }

  bool can_be_concave() const { return true; }
  void make_convex(const Eigen::Ref<const Eigen::VectorXd>& coef, const Eigen::Ref<Eigen::VectorXd>& /*gradient*/,
                   Eigen::Ref<Eigen::MatrixXd> hessian) const {
    Matrix matrix({coef.size(), coef.size()});
    Eigen::Map<Eigen::MatrixXd>(matrix.mutable_data(), coef.size(), coef.size()) = hessian;
    take(make_convex_(matrix).cast<Matrix>(), hessian);
  }
  bool convex_stands_in() const { return convex_stands_in_; }
  double usual_width() const { return 0; }
  double width_at(double) const { return 0; }
  void widen(const Eigen::Ref<const Eigen::VectorXd>& /*coef*/, double /*width*/,
             const Eigen::Ref<Eigen::VectorXd>& /*gradient*/, const Eigen::Ref<Eigen::MatrixXd>& /*hessian*/) const {}
  bool separates(const Eigen::Ref<const Eigen::VectorXd>& /*coef*/) const {
    return !separates_.is_none() && separates_().cast<bool>();
  }
  bool has_no_minimum() const { return false; }
  bool interrupted() const { return false; }

 private:
  using Matrix = py::array_t<double, py::array::f_style | py::array::forcecast>;

  static void take(const Matrix& values, Eigen::Ref<Eigen::MatrixXd> hessian) {
    if (values.ndim() != 2 || values.shape(0) != hessian.rows() || values.shape(1) != hessian.cols())
      throw py::value_error("the Hessian of a function to be minimised must have a row and a column for each coefficient");
    hessian = Eigen::Map<const Eigen::MatrixXd>(values.data(), hessian.rows(), hessian.cols());
  }

  const py::object linearise_, make_convex_, separates_;
  const bool convex_stands_in_;
};

/// Returns the minimiser, F there, the status as a number, whether F was predicted to stay above the bar, the number of
/// iterations, and whether the last Hessian was singular.
inline std::tuple<Array, double, int, bool, int, bool> minimise(const py::object& linearise, const py::object& make_convex,
                                                                const Array& start, NewtonLimits limits,
                                                                const std::optional<Array>& lower,
                                                                const std::optional<Array>& upper, const py::object& separates,
                                                                bool convex_stands_in) {
  Eigen::VectorXd coef = vector_view(start);
  // Newton's method needs both bounds or none.
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Eigen::VectorXd least = Eigen::VectorXd::Constant(coef.size(), -infinity), largest = -least;
  if (lower) least = vector_view(lower);
  if (upper) largest = vector_view(upper);
  if (least.size() != coef.size() || largest.size() != coef.size())
    throw py::value_error("bounds must have an entry for each coefficient");
  if (lower || upper) {
    limits.lower = least.data();
    limits.upper = largest.data();
  }
  PythonFunction function(linearise, make_convex, separates, convex_stands_in);
  Newton newton(coef.size());
  const NewtonOutcome outcome = newton.minimise(function, coef, limits);
  return {to_numpy(coef), outcome.objective, int(outcome.status), outcome.abandoned, outcome.iterations, outcome.singular};
}

inline void bind_newton(py::module_& module) {
  py::class_<NewtonLimits>(module, "NewtonLimits", "The conditions under which a minimisation ends.")
      .def(py::init<>())
      .def_readwrite("max_iterations", &NewtonLimits::max_iterations)
      .def_readwrite("relative_tolerance", &NewtonLimits::relative_tolerance,
                     "It ends when half the squared decrement, divided by the value of the function, is at most this.")
      .def_readwrite("tolerance", &NewtonLimits::tolerance, "It ends when the decrement is at most this.")
      .def_readwrite("bar", &NewtonLimits::bar, "It is given up when the function is predicted to stay above this.")
      .def_readwrite("separable", &NewtonLimits::separable, "Values below this count as 0 if the function separates the rows.")
      .def_readwrite("perfect", &NewtonLimits::perfect, "Values of the function below this count as 0.")
      .def_readwrite("noise", &NewtonLimits::noise, "The error with which the function is computed.")
      .def_readwrite("max_cut_short", &NewtonLimits::max_cut_short,
                     "It ends after this number of successive iterations whose steps lead to points without a finite value.");
  module.def("minimise", &minimise, "Minimises a function that Python computes by Newton's method.", py::arg("linearise"),
             py::arg("make_convex"), py::arg("start"), py::arg("limits"), py::arg("lower") = py::none(),
             py::arg("upper") = py::none(), py::arg("separates") = py::none(), py::arg("convex_stands_in") = false);
}

}  // namespace ksparse::python
