// The quadratic model of the average loss L near a point, for the columns that the relaxation of a node uses.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <vector>

#include "../types.hpp"
#include "node.hpp"

namespace ksparse::proof {

/// L(at) + gradient.d + d' hessian d / 2 for d = x - at, minimised over the intercept. A place is an index of a column of the
/// model.
struct QuadraticModel {
  std::vector<Index> columns;    // (size,) the live column of each place; the columns of a unit are consecutive
  std::vector<Index> units;      // the units of these columns
  std::vector<Index> start;      // (units + 1,) the first place of each unit
  std::vector<double> gradient;  // (size,)
  std::vector<double> at;        // (size,)
  std::vector<double> follow;    // (size,) the best intercept at x is intercept - follow . d
  double intercept = 0;
  double curvature = 0;     // total curvature of the rows where the Hessian was computed
  Eigen::MatrixXd hessian;  // at least (size, size)

  Index size() const noexcept { return Index(columns.size()); }
  /// Takes the Hessian from a model at another point, scaled to the total curvature of the rows here. Returns false if that model
  /// lacks one of the columns.
  bool borrow_hessian(const QuadraticModel& from, double total_curvature) {
    if (!(from.curvature > 0 && total_curvature > 0)) return false;
    places_.clear();
    std::size_t place = 0;
    for (const Index column : columns) {
      while (place < from.columns.size() && from.columns[place] < column) ++place;
      if (place == from.columns.size() || from.columns[place] != column) return false;
      places_.push_back(Index(place));
    }
    const Index n = size();
    if (hessian.rows() < n) hessian.resize(n + 16, n + 17);
    const double scale = total_curvature / from.curvature;
    follow.resize(columns.size());
    for (Index j = 0; j < n; ++j) {
      const double* const source = from.hessian.data() + places_[std::size_t(j)] * from.hessian.outerStride();
      double* const target = hessian.data() + j * hessian.outerStride();
      for (Index i = 0; i < n; ++i) target[i] = scale * source[places_[std::size_t(i)]];
      follow[std::size_t(j)] = from.follow[std::size_t(places_[std::size_t(j)])];
    }
    curvature = total_curvature;
    return true;
  }
  double intercept_at(const std::vector<double>& x) const {
    double value = intercept;
    for (std::size_t i = 0; i < columns.size(); ++i) value -= follow[i] * (x[i] - at[i]);
    return value;
  }
  /// The gradient at x.
  void slope_at(const std::vector<double>& x, std::vector<double>& slope) const {
    const Index n = size();
    slope.assign(gradient.begin(), gradient.end());
    Eigen::Map<Eigen::VectorXd> target(slope.data(), n);
    for (Index j = 0; j < n; ++j)
      if (const double d = x[std::size_t(j)] - at[std::size_t(j)]; d != 0) target.noalias() += d * hessian.col(j).head(n);
  }
  /// The value at x minus the value at `at`, computed from the gradient at x.
  double value_at(const std::vector<double>& x, const std::vector<double>& slope) const {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) value += 0.5 * (slope[i] + gradient[i]) * (x[i] - at[i]);
    return value;
  }

 private:
  std::vector<Index> places_;  // of the columns in the model from which the Hessian comes
};

}  // namespace ksparse::proof
