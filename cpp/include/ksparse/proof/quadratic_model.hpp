// The quadratic model of the average loss L near a point, on the columns that a node's relaxation works with.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <vector>

#include "../types.hpp"
#include "node.hpp"

namespace ksparse::proof {

/// L(at) + gradient.d + d' hessian d / 2 for d = x - at, the intercept solved for.
struct QuadraticModel {
  std::vector<Index> columns;    // live columns, by place; whole units one after the other
  std::vector<Index> units;      // the units, and
  std::vector<Index> start;      // (units + 1,) where the places of each begin
  std::vector<double> gradient;  // by place
  std::vector<double> at;
  std::vector<double> follow;  // how the intercept follows: intercept - follow . d
  double intercept = 0;
  Eigen::MatrixXd hessian;  // at least (size, size)

  Index size() const noexcept { return Index(columns.size()); }
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
  /// Its value less that at `at`, from the gradient at x.
  double value_at(const std::vector<double>& x, const std::vector<double>& slope) const {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) value += 0.5 * (slope[i] + gradient[i]) * (x[i] - at[i]);
    return value;
  }
};

}  // namespace ksparse::proof
