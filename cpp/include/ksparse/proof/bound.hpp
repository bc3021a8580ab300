// A lower bound on F for all supports of a node. It is computed from one scan at any point, which need not be a minimum, and
// holds for every convex loss. Let r_i be the slopes of the rows, with sum 0 if there is an intercept, g = X' r, and phi_j as
// in penalty.hpp. Then
//   F >= L - g' beta - (sum of phi_j(g_j) over the units that are in) - (sum of the `places` largest phi_j(g_j) of free units).
// The reason is that the tangent of each row's loss lies below the loss, and that the right side is the least value that the
// tangents plus the penalty have on any support of the node.
//
// To make the slopes add up to 0, a part `imbalance` of the positive or of the negative ones is taken away. The bound remains
// valid if L is multiplied by (1 - imbalance): losses are >= 0, so their conjugates satisfy -l*((1 - t) r) >= (1 - t)(-l*(r)).
// glm/scan_bound.hpp derives this. It holds for any intercept, because slopes with sum 0 leave it out.
//
// Rounding: sums of n terms are computed by packs in blocks of 512 rows. Such a sum has an error of at most about
// (64 + n / 512 + 16) eps times the sum of the absolute terms, which the Cauchy-Schwarz inequality bounds by norms. The computed
// slopes do not add up to 0 exactly, and have errors of their own. But there are slopes that do, which are smaller than the
// computed ones by a part of at most `slope_error` (rows.hpp): the bound is that of these slopes. So L is multiplied by
// (1 - imbalance - slope_error), gains are computed at the worst derivative within both errors, and an estimate of the error of the
// other terms is subtracted. "Proved" means proved up to these estimates; there is no interval arithmetic.
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

class Bound {
 public:
  Bound(const LiveColumns& columns, const Penalty& penalty) : columns_(columns), penalty_(penalty) {}

  double value() const noexcept { return bound_; }
  /// The gain of a listed unit, or 0 for other units.
  double gain(Index unit) const noexcept { return gain_[std::size_t(unit)]; }

  /// `listed` are the units that are not out, and `slope` has the slopes of their columns in the same order. At most `places`
  /// of the free units can enter.
  void compute(const RowsAt& at, const std::vector<Index>& listed, const double* slope, const Subproblem& node, Index places) {
    const double of_sums = (80 + double(columns_.rows()) / 512) * std::numeric_limits<double>::epsilon();
    const double of_slopes = at.slope_error();
    gain_.assign(std::size_t(columns_.units()), 0.0);
    free_gains_.clear();
    double product = 0, size = 0, chosen = 0;
    for (const Index unit : listed) {
      double& gain = gain_[std::size_t(unit)];
      for (Index c = columns_.begin(unit); c < columns_.begin(unit + 1); ++c, ++slope) {
        const double coef = node.coef[std::size_t(c)], whole = columns_.norm(c) * at.slope_norm();
        if (!columns_.is_constant_column(c)) gain += penalty_.largest_gain(c, *slope, (of_sums + of_slopes) * whole);
        product += *slope * coef;
        size += whole * std::abs(coef);
      }
      if (node.side[std::size_t(unit)] == Side::in)
        chosen += gain;
      else
        free_gains_.push_back(gain);
    }
    const double best = sum_of_largest(places);
    const double predictors = size + (std::abs(node.intercept) + at.largest_offset()) * at.slope_size();
    const double slack = of_sums * (at.value() + predictors + chosen + best) + of_slopes * (at.value() + size);
    bound_ = (1 - at.imbalance()) * at.value() - product - chosen - best - slack;
    if (!std::isfinite(bound_)) bound_ = -std::numeric_limits<double>::infinity();
  }

  /// The bound if a free unit were fixed out, or in.
  double with_out(Index unit) const noexcept {
    const double gain = gain_[std::size_t(unit)];
    return gain >= last_in_ ? bound_ + gain - first_out_ : bound_;
  }
  double with_in(Index unit) const noexcept {
    const double gain = gain_[std::size_t(unit)];
    return gain < last_in_ ? bound_ + last_in_ - gain : bound_;
  }

 private:
  // The sum of the largest gains. Also sets the smallest gain that is part of the sum, and the largest one that is not.
  double sum_of_largest(Index places) {
    last_in_ = first_out_ = 0;
    const Index count = Index(free_gains_.size());
    if (places >= count) {
      double sum = 0;
      for (const double gain : free_gains_) sum += gain;
      return sum;
    }
    if (places <= 0) {
      last_in_ = std::numeric_limits<double>::infinity();  // no free unit can enter
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
