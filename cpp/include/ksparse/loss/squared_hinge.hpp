// Half the squared hinge of the margin m (the L2-loss of linear support vector machines, Chang & Lin, JMLR 2008):
//   l = max(1 - m, 0)^2 / 2,   l' = -max(1 - m, 0),   l'' = 1 for m < 1, else 0
// Hessians of few rows are then singular; the convex substitute is 1 everywhere, the least curvature of a parabola that touches
// l at m >= 1 and lies above it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "../util/pack.hpp"
#include "loss.hpp"

namespace ksparse {

struct SquaredHinge {
  static constexpr bool attains_infimum = true;

  template <class T>
  LossTerms<T> operator()(const T& margin, const T& weight) const noexcept {
    const T short_of = max(T(1.0) - margin, T(0.0)), slope = weight * short_of;
    return {T(0.5) * slope * short_of, -slope, select_less_equal(T(1.0), margin, T(0.0), weight)};
  }

  template <class T>
  T convex_curvature(const T&, const T& weight) const noexcept {
    return weight;
  }

  double class_weight(bool) const noexcept { return 1.0; }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const { return std::nullopt; }
};

}  // namespace ksparse
