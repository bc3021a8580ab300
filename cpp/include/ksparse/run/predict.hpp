// Predictions of a fit.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <limits>
#include <utility>

#include "../entries.hpp"

namespace ksparse {

KSPARSE_ENTRY Eigen::VectorXd linear_predictor(const CompactFit& fit, const AnyDesign& X) {
  const Index n = X->rows(), size = Index(fit.support.size());
  const bool chosen_alone = X->columns() == size;
  if ((!chosen_alone && size > 0 && fit.support.back() >= X->columns()) || X->problem())
    return Eigen::VectorXd::Constant(n, std::numeric_limits<double>::quiet_NaN());
  Eigen::VectorXd eta = Eigen::VectorXd::Constant(n, fit.intercept), x(n);
  for (Index i = 0; i < size; ++i) {
    X->gather(chosen_alone ? i : fit.support[std::size_t(i)], 0, n, x.data());
    eta += fit.coef[i] * x;
  }
  return eta;
}

KSPARSE_ENTRY Eigen::VectorXd linear_predictor(const FitResult& fit, const AnyDesign& X) {
  if (X->columns() != fit.coef.size() && X->columns() != Index(fit.support.size()))
    return Eigen::VectorXd::Constant(X->rows(), std::numeric_limits<double>::quiet_NaN());
  return linear_predictor(compact(fit), X);
}

KSPARSE_ENTRY Eigen::VectorXd mean_response(const Eigen::VectorXd& eta, const AnyLoss& loss) {
  if (!loss) return Eigen::VectorXd::Constant(eta.size(), std::numeric_limits<double>::quiet_NaN());
  if (!loss->is_binary()) return eta.unaryExpr([&](double at) { return loss->mean(at); });
  // The probability P of class 1 solves P l'(eta, 1) + (1 - P) l'(eta, 0) = 0, where l' is without the class weights of the
  // loss.
  const Index n = eta.size();
  Eigen::VectorXd value(n), curvature(n), slope[2];
  for (const bool positive : {false, true}) {
    const Eigen::VectorXd response = Eigen::VectorXd::Constant(n, positive ? 1.0 : -1.0);
    slope[positive].resize(n);
    loss->tabulate({n, eta.data(), response.data(), value.data(), slope[positive].data(), curvature.data()});
    slope[positive] /= loss->class_weight(positive);
  }
  return 1 / (1 - slope[1].array() / slope[0].array());
}

}  // namespace ksparse
