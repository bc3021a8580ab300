// A lower bound on F of every support of a node, from one scan at any point, for any convex loss. With slopes r_i of the rows
// that add up to 0 (where there is an intercept), g = X' r, and phi_j as in penalty.hpp,
//   F >= L - g' beta - sum over units in of phi_j(g_j) - (sum of the `places` largest phi_j(g_j) among free units).
// For the tangent of each row's loss lies below it, and what the tangents and the penalty make of any support of the node is at
// least that; the point need be no minimum. It holds for any slopes in place of the loss's own that are smaller in size, with a
// part `imbalance` taken away on one side, if L is lowered by that part: losses are >= 0, so -l*((1 - t) r) >= (1 - t)(-l*(r)).
//
// Rounding: sums of n terms are taken by packs in blocks of 512 rows, so that a sum errs by some (64 + n / 512 + 16) eps of the
// sum of its terms' sizes, which Cauchy and Schwarz bound by norms. Gains are taken at the worst slope within that error, and
// the rest is lowered by an estimate of its own. What "proved" means is: up to these estimates, not by interval arithmetic.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "live_columns.hpp"
#include "node.hpp"
#include "penalty.hpp"
#include "rows.hpp"

namespace ksparse::proof {

/// How large X beta and the intercept of any answer worth having can be, for the estimate of rounding.
struct Reach {
  double linear = 0;     // ||X beta||
  double intercept = 0;  // beyond that of the point
};

class Bound {
 public:
  Bound(const LiveColumns& columns, const Penalty& penalty) : columns_(columns), penalty_(penalty) {}

  double value() const noexcept { return bound_; }
  /// The gain of a unit that was listed, 0 of others.
  double gain(Index unit) const noexcept { return gain_[std::size_t(unit)]; }

  /// Of the units that are not out, `listed`, whose columns have these slopes, one after the other. `places`: of free units.
  void compute(const RowsAt& at, const std::vector<Index>& listed, const double* slope, const Subproblem& node, Index places,
               const Reach& reach) {
    constexpr double eps = std::numeric_limits<double>::epsilon();
    const double terms = 80 + double(columns_.rows()) / 512;
    gain_.assign(std::size_t(columns_.units()), 0.0);
    free_gains_.clear();
    double product = 0, size = 0, chosen = 0;
    for (const Index unit : listed) {
      double& gain = gain_[std::size_t(unit)];
      for (Index c = columns_.begin(unit); c < columns_.begin(unit + 1); ++c, ++slope) {
        const double coef = node.coef[std::size_t(c)], whole = columns_.norm(c) * at.slope_norm();
        if (!columns_.is_constant_column(c)) gain += penalty_.largest_gain(c, *slope, terms * eps * whole);
        product += *slope * coef;
        size += whole * std::abs(coef);
      }
      if (node.side[std::size_t(unit)] == Side::in)
        chosen += gain;
      else
        free_gains_.push_back(gain);
    }
    const double best = sum_of_largest(places);
    const double slack =
        eps * (terms * (at.value() + size + chosen + best + (std::abs(node.intercept) + reach.intercept) * at.slope_size()) +
               64 * at.slope_norm() * reach.linear);
    bound_ = (1 - at.imbalance()) * at.value() - product - chosen - best - slack;
    if (!std::isfinite(bound_)) bound_ = -std::numeric_limits<double>::infinity();
  }

  /// With a free unit out, or in, that is not so yet.
  double with_out(Index unit) const noexcept {
    const double gain = gain_[std::size_t(unit)];
    return gain >= last_in_ ? bound_ + gain - first_out_ : bound_;
  }
  double with_in(Index unit) const noexcept {
    const double gain = gain_[std::size_t(unit)];
    return gain < last_in_ ? bound_ + last_in_ - gain : bound_;
  }

 private:
  // And what the last one in it and the first one not in it are.
  double sum_of_largest(Index places) {
    last_in_ = first_out_ = 0;
    const Index count = Index(free_gains_.size());
    if (places >= count) {
      double sum = 0;
      for (const double gain : free_gains_) sum += gain;
      return sum;
    }
    if (places <= 0) {
      last_in_ = std::numeric_limits<double>::infinity();  // none fits in
      return 0;
    }
    const auto begin = free_gains_.begin(), last = begin + (places - 1);
    std::nth_element(begin, last, free_gains_.end(), std::greater<double>());
    last_in_ = *last;
    first_out_ = *std::max_element(last + 1, free_gains_.end());
    double sum = 0;
    for (auto gain = begin; gain <= last; ++gain) sum += *gain;
    return sum;
  }

  const LiveColumns& columns_;
  const Penalty& penalty_;
  std::vector<double> gain_, free_gains_;
  double bound_ = 0, last_in_ = 0, first_out_ = 0;
};

}  // namespace ksparse::proof
