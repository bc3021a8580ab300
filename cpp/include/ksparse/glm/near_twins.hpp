// Detects whether some column differs from a linear combination of others by more than rounding errors, but by too little for
// Newton's method, which then cannot find a minimum that uses the difference. It uses the residual of the regression of each
// column on the previous ones, computed twice as in Gram-Schmidt orthogonalisation (Bjorck 1996, section 2.4.5).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <vector>

#include "../newton/newton.hpp"
#include "../types.hpp"
#include "active_columns.hpp"

namespace ksparse {

class NearTwins {
  auto column(Index place) const { return active_.values().col(place).head(weight_.size()); }

 public:
  explicit NearTwins(const ActiveColumns& active)
      : active_(active),
        intercept_(active.units().intercept()),
        weight_(active.rows().weight, active.rows().count),
        residual_(active.rows().count),
        weighted_(active.rows().count),
        coef_(active.size()),
        products_(active.size(), active.size()),
        factor_(active.size(), active.size()) {}

  bool exist() {
    constexpr double clear = 1e-7;  // of its own length: then Newton tells it from the others
    const double rounding = 32 * std::numeric_limits<double>::epsilon();
    for (Index j = 0; j < active_.size(); ++j) {
      residual_ = column(j);
      const double length = length_of_residual();
      for (int pass = 0; pass < 2; ++pass) regress_on_kept();
      const double left = length_of_residual();
      if (left > clear * length) {
        if (!keep(j)) return true;
        continue;
      }
      const Index feature = active_[j];
      const double entries = 1 + std::abs(active_.units().centre(feature)) * active_.units().factor(feature);
      if (left > rounding * entries * length) return true;
    }
    return false;
  }

 private:
  double length_of_residual() const { return std::sqrt((weight_ * residual_.array().square()).sum()); }

  void regress_on_kept() {
    const Index count = Index(kept_.size());
    if (intercept_) residual_.array() -= (weight_ * residual_.array()).sum() / weight_.sum();
    if (count == 0) return;
    weighted_ = weight_ * residual_.array();
    auto coef = coef_.head(count);
    for (Index i = 0; i < count; ++i) coef[i] = column(kept_[std::size_t(i)]).dot(weighted_);
    const auto factor = factor_.topLeftCorner(count, count).template triangularView<Eigen::Lower>();
    factor.solveInPlace(coef);
    factor.adjoint().solveInPlace(coef);
    for (Index i = 0; i < count; ++i) residual_ -= coef[i] * column(kept_[std::size_t(i)]);
  }

  // Returns false if the remaining columns cannot be distinguished either.
  bool keep(Index place) {
    kept_.push_back(place);
    const Index count = Index(kept_.size());
    for (Index i = 0; i < count; ++i) {
      const auto here = column(place).array(), there = column(kept_[std::size_t(i)]).array();
      double product = (weight_ * here * there).sum();
      if (intercept_) product -= (weight_ * here).sum() * (weight_ * there).sum() / weight_.sum();
      products_(count - 1, i) = product;
    }
    return factorise(products_.topLeftCorner(count, count), factor_.topLeftCorner(count, count), 0);
  }

  const ActiveColumns& active_;
  const bool intercept_;
  const Eigen::Map<const Eigen::ArrayXd> weight_;
  Eigen::VectorXd residual_, weighted_;  // (rows,)
  Eigen::VectorXd coef_;                 // (columns,)
  Eigen::MatrixXd products_, factor_;    // (columns, columns) of those kept
  std::vector<Index> kept_;              // columns that the others before them do not explain
};

}  // namespace ksparse
