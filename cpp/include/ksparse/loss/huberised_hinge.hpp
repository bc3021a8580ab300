// Huberised hinge of the margin m: a parabola of width d between the two lines of the hinge (Rosset & Zhu, Annals of Statistics
// 2007, section 4, who use d = 2; Wang, Zhu, Zou, Bioinformatics 2008). With u = 1 - m:
//   u <= 0:       l = 0              l' = 0         l'' = 0
//   0 < u < d:    l = u^2 / (2 d)    l' = -u / d    l'' = 1 / d
//   d <= u:       l = u - d / 2      l' = -1        l'' = 0
// The convex substitute, 1 / (d + 2 r) with r the distance from u to [0, d], is the least curvature of a parabola that touches
// l at m and lies above it (ours; tests/python/test_loss.py checks that it does).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include "../util/pack.hpp"
#include "loss.hpp"

namespace ksparse {

struct HuberisedHinge {
  static constexpr bool attains_infimum = true;

  double width = 0.5;  ///< width of the parabola, > 0; as it tends to 0, the loss tends to the hinge

  template <class T>
  LossTerms<T> operator()(const T& margin, const T& weight) const noexcept {
    const T u = max(T(1.0) - margin, T(0.0)), inside = min(u, T(width)), slope = inside * T(1 / width);
    const T curvature = select_less_equal(T(width), u, T(0.0), select_less_equal(u, T(0.0), T(0.0), T(1 / width)));
    return {weight * (slope * T(0.5) * inside + (u - inside)), -weight * slope, weight * curvature};
  }

  template <class T>
  T convex_curvature(const T& margin, const T& weight) const noexcept {
    const T u = T(1.0) - margin;
    return weight / (T(width) + T(2.0) * (max(-u, T(0.0)) + max(u - T(width), T(0.0))));
  }

  template <class T>
  Bend<T> bend(const T& margin, const T& weight) const noexcept {
    return {margin - T(1 - 0.5 * width), weight};
  }
  BendScale bend_scale() const noexcept { return {width, 1}; }

  double class_weight(bool) const noexcept { return 1.0; }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const {
    if (!(width > 0 && std::isfinite(width))) return "width must be finite and > 0, got " + std::to_string(width);
    return std::nullopt;
  }
};

}  // namespace ksparse
