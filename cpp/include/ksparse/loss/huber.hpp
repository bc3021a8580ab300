// Huber's loss of the linear predictor eta (Annals of Mathematical Statistics 1964). With r = eta - y and a threshold t:
//   |r| <= t:  l = r^2 / 2          l' = r            l'' = 1
//   |r| >  t:  l = t |r| - t^2 / 2  l' = t sign(r)    l'' = 0
// The convex substitute is min(1, t / |r|), the weight of iterated least squares: the least curvature of a parabola that
// touches l and lies above it (Huber & Ronchetti, Robust Statistics, 2009, section 7.8).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "../util/pack.hpp"
#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Huber {
  static constexpr Responses responses = Responses::finite;

  double threshold = 1.35;  ///< threshold of the absolute residual beyond which the loss is linear, > 0, in units of y

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T residual = eta - response, t(threshold), inside = max(min(residual, t), -t), slope = weight * inside;
    return {slope * (residual - T(0.5) * inside), slope, select_less_equal(abs(residual), t, weight, T(0.0))};
  }

  template <class T>
  T convex_curvature(const T& eta, const T& response, const T& weight) const noexcept {
    return weight * T(threshold) / max(abs(eta - response), T(threshold));
  }

  /// For responses far beyond the threshold, l is t |r| almost everywhere, which is proportional to the unit.
  ResponseUnits units(double unit) const noexcept {
    const double part = std::min(1.0, stable::power_of_two_near(in_units(unit).threshold));
    return {unit, unit, 0, 1 / part, {unit, unit * part}};
  }
  Huber in_units(double unit) const noexcept { return {std::clamp(threshold / unit, 1e-300, 1e290)}; }
  static double link(double mean) noexcept { return mean; }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const {
    if (!(threshold > 0 && std::isfinite(threshold)))
      return "threshold must be finite and > 0, got " + std::to_string(threshold);
    return std::nullopt;
  }
};

}  // namespace ksparse
