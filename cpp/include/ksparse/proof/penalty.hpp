// The ridge penalty and the bounds on coefficients, as a proof uses them. If the derivative of the loss by the coefficient of
// feature j is c, then the feature can lower F by at most phi_j(c) = max over allowed coefficients b of (-c b - ridge b^2 / 2):
//   ridge                  c^2 / (2 ridge)
//   ridge and l <= b <= u  the value at b = clip(-c / ridge, l, u)
//   l <= b <= u alone      max(-c l, -c u)
// For a group it is the sum over its features. Without a ridge and without bounds it is infinite, and there is no bound on F.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "../types.hpp"

namespace ksparse::proof {

class Penalty {
 public:
  explicit Penalty(double ridge) : ridge_(ridge) {}

  double ridge() const noexcept { return ridge_; }
  bool bounded() const noexcept { return !lower_.empty(); }
  double lower(Index column) const noexcept { return bounded() ? lower_[std::size_t(column)] : -infinity; }
  double upper(Index column) const noexcept { return bounded() ? upper_[std::size_t(column)] : infinity; }
  void set_bounds(std::vector<double> lower, std::vector<double> upper) {
    lower_ = std::move(lower);
    upper_ = std::move(upper);
  }

  /// Removes all columns except the marked ones.
  void keep(const std::vector<char>& kept) {
    for (std::vector<double>* bounds : {&lower_, &upper_}) {
      std::size_t place = 0;
      for (std::size_t c = 0; c < bounds->size(); ++c)
        if (kept[c]) (*bounds)[place++] = (*bounds)[c];
      bounds->resize(place);
    }
  }

  /// phi_j(c).
  double gain(Index column, double slope) const noexcept {
    if (!bounded()) return ridge_ > 0 ? 0.5 * slope * slope / ridge_ : slope == 0 ? 0.0 : infinity;
    const double low = lower_[std::size_t(column)], high = upper_[std::size_t(column)];
    const double free = ridge_ > 0 ? -slope / ridge_ : slope > 0 ? -infinity : slope < 0 ? infinity : 0.0;
    const double best = std::min(std::max(free, low), high);
    if (std::isinf(best)) return infinity;
    return -best * (slope + 0.5 * ridge_ * best);
  }
  /// The largest phi_j(c) for c within `error` of a slope. As phi is convex, the maximum is at an end of this interval.
  double largest_gain(Index column, double slope, double error) const noexcept {
    if (!bounded()) return gain(column, std::abs(slope) + error);
    return std::max(gain(column, slope - error), gain(column, slope + error));
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  double ridge_;
  std::vector<double> lower_, upper_;  // (columns,), or empty if there are no bounds
};

}  // namespace ksparse::proof
