// Focal loss of the margin m (Lin et al. 2017, arXiv 1708.02002, eq. 5; derivatives ours). With p = sigma(m), q = sigma(-m):
//   l   =  a q^g softplus(-m)
//   l'  = -a q^g (g p softplus(-m) + q)
//   l'' =  a p q^g { g softplus(-m) (g p - q) + (2g + 1) q }     negative for badly misfit points: not convex
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include "envelope.hpp"
#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Focal {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  double alpha = 0.5;  ///< weight of the positive class, in (0, 1); the negative class has 1 - alpha
  double gamma = 2.0;  ///< focusing exponent, >= 0; gamma = 0 is the weighted logistic loss

  template <class T>
  LossTerms<T> operator()(const T& margin, const T& weight) const noexcept {
    const auto parts = stable::logistic_parts(margin);
    const T &p = parts.p, &q = parts.q, &softplus = parts.softplus;
    const T g = T(gamma);
    const T aq = weight * stable::power_of_q(margin, parts, gamma);
    const T gp = g * p;
    const T curvature = multiply_add(g * softplus, gp - q, T(2 * gamma + 1) * q);
    return {aq * softplus, -aq * multiply_add(gp, softplus, q), aq * p * curvature};
  }

  template <class T>
  Bend<T> bend(const T& margin, const T& weight) const noexcept {
    return {margin, weight};
  }
  BendScale bend_scale() const noexcept { return {1, 1}; }

  double class_weight(bool positive) const noexcept { return positive ? alpha : 1.0 - alpha; }

  bool is_convex() const noexcept { return gamma == 0; }
  Envelope<Focal> convex_envelope() const { return {*this, -1.0}; }

  std::optional<std::string> problem() const {
    if (!(alpha > 0 && alpha < 1)) return "alpha must be in (0, 1), got " + std::to_string(alpha);
    if (!(gamma >= 0 && std::isfinite(gamma))) return "gamma must be finite and >= 0, got " + std::to_string(gamma);
    return std::nullopt;
  }
};

}  // namespace ksparse
