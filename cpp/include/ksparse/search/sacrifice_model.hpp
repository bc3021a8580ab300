// The quadratic model of F at the current point. It predicts how much F changes when features are added, removed or exchanged
// (swapped). Let P = H_AA^-1, of which the intercept is a row that never leaves. With d_i = P_ii, v_j = P H_Aj and
// s_j = H_jj - H_jA v_j, the predicted changes are:
//
//   j enters                  -1/2 g_j^2 / s_j
//   i leaves                  +1/2 beta_i^2 / d_i
//   j takes the place of i     1/2 beta_i^2 / d_i - 1/2 (g_j - v_ji beta_i / d_i)^2 / (s_j + v_ji^2 / d_i)
//
// The Schur complement s_j is the curvature of F in j after the active set A has adapted. The second line is the optimal brain
// surgeon (Hassibi & Stork 1993, eq. 5). The third line is not the sum of the others: a feature that is useless beside its twin
// may be useful in its place.
//
// feature_model.hpp has the model of single features, group_model.hpp that of groups of them.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "active_set.hpp"
#include "objective.hpp"
#include "proposals.hpp"

namespace ksparse {

/// The quadratic model of the last scan, and its predictions for a panel of units.
class SacrificeModel {
 public:
  virtual ~SacrificeModel() = default;
  /// Numbers that a proposal list keeps with each proposal.
  virtual Index move_size() const = 0;
  virtual void set(const Iterate& iterate, const ScanPoint& point) = 0;
  /// Prepares for proposals from a panel.
  virtual void evaluate(const ScanPanel& panel) = 0;
  virtual void propose_entries(const ScanPanel& panel, const ActiveSet& active, ProposalList& list) = 0;
  virtual void propose_exchanges(const ScanPanel& panel, const ActiveSet& active, ProposalList& list,
                                 Replacements* replacements = nullptr) = 0;
  /// The best predicted gain of a unit of the last panel.
  virtual double promise(Index c) const = 0;
  /// The predicted increase of F when the unit at a position is removed.
  virtual double leaving_loss(Index place) const = 0;
  /// The position whose removal is predicted to increase F least, or -1 if no unit may be removed.
  Index weakest_place(const ActiveSet& active) const {
    Index weakest = -1;
    for (Index place = 0; place < active.size(); ++place)
      if (active.may_leave(place) && (weakest < 0 || leaving_loss(place) < leaving_loss(weakest))) weakest = place;
    return weakest;
  }

  using Move = Eigen::Ref<const Eigen::VectorXd>;
  /// Sets the iterate to the minimum of the model after the proposed change, as a start of its refit.
  virtual void apply(const Proposal& proposal, const Move& move, Iterate& iterate) const = 0;
  /// Makes the proposed change without changing the other coefficients.
  virtual void replace(const Proposal& proposal, const Move& move, Iterate& iterate) const = 0;

 protected:
  static double longest_from(const Iterate& iterate) {
    const Index size = iterate.size() * iterate.stride;
    return longest_step(std::max(std::abs(iterate.intercept), size ? iterate.coef.head(size).cwiseAbs().maxCoeff() : 0.0));
  }

  // An exchange is not refitted if the new feature is predicted to compensate for less than this fraction of the increase.
  static constexpr double least_recovery = 0.5;
  // A feature that retains less than this fraction of its curvature given the active set is numerically a combination of it.
  static constexpr double collinearity = 1e-10;
};

}  // namespace ksparse
