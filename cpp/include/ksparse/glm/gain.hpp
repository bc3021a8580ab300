// By how much a feature can lower F at most if the derivative of the loss by its coefficient is c (the conjugate of its penalty):
//   phi(c) = max over the allowed coefficients b of (-c b - ridge b^2 / 2)
//     ridge                  c^2 / (2 ridge)
//     ridge and l <= b <= u  the value at b = clip(-c / ridge, l, u)
//     l <= b <= u alone      max(-c l, -c u)
// Without a ridge and without bounds it is infinite, unless c = 0.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace ksparse {

inline double largest_gain(double slope, double ridge, double lower, double upper) noexcept {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double free = ridge > 0 ? -slope / ridge : slope > 0 ? -infinity : slope < 0 ? infinity : 0.0;
  const double best = std::min(std::max(free, lower), upper);
  if (std::isinf(best)) return infinity;
  return -best * (slope + 0.5 * ridge * best);
}

/// The largest of phi(c) for c within `error` of a slope: phi is convex, so it is at an end.
inline double largest_gain_near(double slope, double error, double ridge, double lower, double upper) noexcept {
  return std::max(largest_gain(slope - error, ridge, lower, upper), largest_gain(slope + error, ridge, lower, upper));
}

}  // namespace ksparse
