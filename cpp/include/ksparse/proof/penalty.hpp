// The ridge penalty and the bounds on coefficients, as a proof uses them: phi_j(c), by how much feature j can lower F at most if
// the derivative of the loss by its coefficient is c (glm/gain.hpp). For a group it is the sum over its features.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "../glm/gain.hpp"
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
    return ksparse::largest_gain(slope, ridge_, lower_[std::size_t(column)], upper_[std::size_t(column)]);
  }
  /// The largest phi_j(c) for c within `error` of a slope. As phi is convex, the maximum is at an end of this interval.
  double largest_gain(Index column, double slope, double error) const noexcept {
    if (!bounded()) return gain(column, std::abs(slope) + error);
    return ksparse::largest_gain_near(slope, error, ridge_, lower_[std::size_t(column)], upper_[std::size_t(column)]);
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  double ridge_;
  std::vector<double> lower_, upper_;  // (columns,), or empty if there are no bounds
};

}  // namespace ksparse::proof
