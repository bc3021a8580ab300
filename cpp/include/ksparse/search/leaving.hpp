// Chooses units of a large support to be removed together, according to the quadratic model at a minimum of F. The unit with
// the smallest sacrifice is removed, the other coefficients adapt, and so on. With P the inverse of the Hessian, the removal of
// i changes beta into beta - P_i beta_i / P_ii and P into P - P_i P_i' / P_ii. This is backward elimination within the model
// (exact for least squares), and takes d^2 operations per feature instead of a refit. A feature that is numerically a linear
// combination of others is always removed.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../util/shape.hpp"
#include "active_set.hpp"
#include "objective.hpp"
#include "sacrifice.hpp"

namespace ksparse {

class Leaving {
 public:
  /// Allocates the memory for supports of up to this many units.
  void reserve(Index places) {
    if (inverse_.rows() < places + 1) {
      set_shape(inverse_, places + 1, places + 1);
      for (Eigen::VectorXd* vector : {&beta_, &column_, &diagonal_}) set_size(*vector, places + 1);
    }
    gone_.reserve(std::size_t(places));
    order_.reserve(std::size_t(places));
  }

  /// Takes the model of a scan's point.
  void set(const Iterate& iterate, const ScanPoint& point) {
    const Index size = iterate.size(), d = point.inverse.rows();
    d_ = d;
    // With groups, or with coefficients held at bounds, the other coefficients do not adapt.
    adapts_ = iterate.stride == 1 && (point.inverse.diagonal().head(size).array() > 0).all();
    gone_.assign(std::size_t(size), 0);
    if (!adapts_) return;
    reserve(d - 1);
    inverse_.topLeftCorner(d, d) = point.inverse;
    beta_.head(size) = iterate.coef.head(size);
    if (d > size) beta_[size] = iterate.intercept;
    for (Index i = 0; i < size; ++i) diagonal_[i] = point.diagonal ? point.diagonal[i] : 0.0;
  }

  /// Removes units from the iterate: the redundant ones and, as long as more than `size` are left, up to `most` by the least
  /// sacrifice. Returns their number.
  Index shrink(Iterate& iterate, Index size, Index most, const ActiveSet& active, const SacrificeModel& model) {
    const Index before = iterate.size();
    if (adapts_)
      adapt(iterate, size, most, active);
    else
      take_least(iterate, size, most, active, model);
    for (Index place = before; place-- > 0;)
      if (gone_[std::size_t(place)]) iterate.remove(place);
    return before - iterate.size();
  }

 private:
  // A feature with P_ii H_ii above this value is a linear combination of others. Scans add 1e-10 of its diagonal to a singular
  // Hessian, so P_ii H_ii reaches about 1e10 then.
  static constexpr double redundant = 1e9;

  void adapt(Iterate& iterate, Index size, Index most, const ActiveSet& active) {
    for (Index left = iterate.size();; --left) {
      const Index place = next(iterate.size(), left > size && iterate.size() - left < most, active);
      if (place < 0) break;
      gone_[std::size_t(place)] = 1;
      const double variance = inverse_(place, place);
      auto column = column_.head(d_);
      column = inverse_.col(place).head(d_);
      beta_.head(d_) -= column * (beta_[place] / variance);
      inverse_.topLeftCorner(d_, d_).noalias() -= column * (column / variance).transpose();
    }
    iterate.coef.head(iterate.size()) = beta_.head(iterate.size());
    if (d_ > iterate.size()) iterate.intercept = beta_[iterate.size()];
  }

  // The place to remove next: that of the most redundant feature, or, if there is none and `more` is true, that of the smallest
  // sacrifice, or -1.
  Index next(Index size, bool more, const ActiveSet& active) const {
    Index least = -1, most_redundant = -1;
    double loss = 0, redundancy = redundant;
    for (Index i = 0; i < size; ++i) {
      const double variance = inverse_(i, i);
      if (gone_[std::size_t(i)] || !(variance > 0) || !active.may_leave(i)) continue;
      if (variance * diagonal_[i] > redundancy) {
        redundancy = variance * diagonal_[i];
        most_redundant = i;
      }
      const double own = beta_[i] * beta_[i] / variance;
      if (least < 0 || own < loss) {
        loss = own;
        least = i;
      }
    }
    return most_redundant >= 0 ? most_redundant : more ? least : -1;
  }

  void take_least(const Iterate& iterate, Index size, Index most, const ActiveSet& active, const SacrificeModel& model) {
    order_.clear();
    for (Index i = 0; i < iterate.size(); ++i)
      if (active.may_leave(i)) order_.push_back(i);
    const Index count = std::clamp<Index>(iterate.size() - size, 0, std::min(most, Index(order_.size())));
    std::partial_sort(order_.begin(), order_.begin() + count, order_.end(),
                      [&](Index a, Index b) { return model.leaving_loss(a) < model.leaving_loss(b); });
    for (Index i = 0; i < count; ++i) gone_[std::size_t(order_[std::size_t(i)])] = 1;
  }

  bool adapts_ = false;
  Index d_ = 0;               // coefficients of the point; the matrices have room for more
  Eigen::MatrixXd inverse_;   // (d, d) P of the remaining coefficients
  Eigen::VectorXd beta_;      // (d,) the remaining coefficients, the intercept last
  Eigen::VectorXd column_;    // (d,) scratch
  Eigen::VectorXd diagonal_;  // (size,) diagonal of the Hessian, or 0 if it is not known
  std::vector<char> gone_;    // (size,)
  std::vector<Index> order_;  // scratch
};

}  // namespace ksparse
