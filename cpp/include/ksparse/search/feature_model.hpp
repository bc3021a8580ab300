// The quadratic model of sacrifice_model.hpp for units that are single features.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "sacrifice_model.hpp"

namespace ksparse {

/// Units that are single features.
///
/// A coefficient held at a bound does not give way when others enter. When it leaves it takes its coefficient along, to which
/// the others adapt: with F the free ones, c_j = H_ji - v_j.H_Fi, i's leaving changes j's gradient by -c_j beta_i, and nothing
/// else of j. Both kinds of leaving are one formula with a move, a removal and a weight per place.
class FeatureModel final : public SacrificeModel {
 public:
  /// For up to `dimension` coefficients, the intercept included, and panels of up to `panel` features.
  FeatureModel(Index dimension, Index panel)
      : inverse_(dimension, dimension),
        removal_(dimension),
        weight_(dimension),
        loss_(dimension),
        beta_(dimension),
        moves_(panel, dimension),
        schur_(panel),
        gain_(panel),
        step_(panel),
        best_(panel),
        barred_(panel) {}

  Index move_size() const override { return beta_.size(); }

  void set(const Iterate& iterate, const ScanPoint& point) override {
    size_ = iterate.size();
    dimension_ = point.inverse.rows();
    inverse_.topLeftCorner(dimension_, dimension_) = point.inverse;
    beta_.head(size_) = iterate.coef.head(size_);
    objective_ = iterate.objective;
    longest_ = longest_from(iterate);
    support_ = iterate.support.data();
    for (Index i = 0; i < size_; ++i) {
      const double variance = inverse_(i, i);
      if (variance > 0) {
        weight_[i] = 1 / variance;
        removal_[i] = beta_[i] / variance;
        loss_[i] = 0.5 * beta_[i] * removal_[i];
      } else {
        weight_[i] = 0;
        removal_[i] = beta_[i];
      }
    }
    if (!point.hessian) return;
    const auto hessian = point.hessian->topLeftCorner(dimension_, dimension_);
    for (Index i = 0; i < size_; ++i) {
      if (weight_[i] > 0) continue;
      auto move = inverse_.col(i).head(dimension_);
      move.noalias() = point.inverse * hessian.col(i);
      move = -move;
      inverse_(i, i) = 1;
      const double schur = inverse_.col(i).head(dimension_).dot(hessian.col(i));
      loss_[i] = beta_[i] * (0.5 * beta_[i] * schur - (*point.gradient)[i]);
    }
  }

  /// v_j and s_j for the features of a panel.
  void evaluate(const ScanPanel& panel) override {
    const Index count = panel.columns.count;
    auto moves = moves_.topLeftCorner(count, dimension_);
    moves.noalias() = panel.cross * inverse_.topLeftCorner(dimension_, dimension_);
    schur_.head(count) = panel.curvature;
    for (Index i = 0; i < dimension_; ++i)
      if (moves_freely(i)) schur_.head(count) -= moves.col(i).array() * panel.cross.col(i).array();
  }

  void propose_entries(const ScanPanel& panel, const ActiveSet& active, ProposalList& list) override {
    const Index count = panel.columns.count;
    auto best = best_.head(count);
    predict_gains(panel, panel.gradient, schur_.head(count), best);
    for (Index c = 0; c < count; ++c) {
      const Index feature = panel.columns[c];
      const bool collinear = !(schur_[c] > collinearity * panel.curvature[c]) && !lowers_as_it_is(panel, c);
      if (collinear || !(best[c] > 0) || !active.may_enter(feature)) {
        best[c] = 0;
        continue;
      }
      // Features that all make the fit perfect (as many coefficients as rows) are equals, of which the first enters, rather
      // than the one that rounding favours.
      if (std::abs(best[c] - objective_) <= tie * objective_) best[c] = objective_;
      if (list.admits(best[c]))
        list.insert({feature, -1, -1, best[c], step(panel, c, panel.gradient[c], schur_[c])},
                    moves_.row(c).head(dimension_).transpose());
    }
  }

  void propose_exchanges(const ScanPanel& panel, const ActiveSet& active, ProposalList& list,
                         Replacements* replacements = nullptr) override {
    const Index count = panel.columns.count;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    auto gain = gain_.head(count), best = best_.head(count), barred = barred_.head(count);
    for (Index c = 0; c < count; ++c) barred[c] = active.may_enter(panel.columns[c]) ? 0.0 : -infinity;
    best = -infinity;
    for (Index i = 0; i < size_; ++i) {
      if (!active.may_leave(i)) continue;
      const double removal = removal_[i], weight = weight_[i], loss = loss_[i];
      const auto v = moves_.col(i).head(count).array();
      const auto curvature = schur_.head(count) + v.square() * weight;
      predict_gains(panel, panel.gradient - v * removal, curvature, gain);
      // Written so that what is not a number counts as barred.
      gain = (curvature > collinearity * panel.curvature && gain < infinity).select(gain - loss + barred, -infinity);
      best = (best > gain).select(best, gain);
      const double bar =
          std::max(std::min(list.bar(), replacements ? replacements->bar(i) : infinity), std::numeric_limits<double>::lowest());
      for (Index c = 0; c < count; ++c) {
        if (!(gain[c] > bar)) continue;
        const double taken = step(panel, c, panel.gradient[c] - v[c] * removal, schur_[c] + v[c] * v[c] * weight);
        if (replacements && gain[c] > replacements->bar(i)) replacements->offer(i, panel.columns[c], gain[c], taken);
        if (list.admits(gain[c]) && gain[c] + loss > least_recovery * loss)
          list.insert({panel.columns[c], support_[i], i, gain[c], taken}, moves_.row(c).head(dimension_).transpose());
      }
    }
  }

  double promise(Index c) const override { return best_[c]; }

  double leaving_loss(Index place) const override { return loss_[place]; }

  void apply(const Proposal& proposal, const Move& move, Iterate& iterate) const override {
    const bool has_intercept = dimension_ > size_;
    const Index r = proposal.position;
    const double t = proposal.step;
    // The multiple of r's move that takes its coefficient to 0.
    const double along = r < 0 ? 0.0 : weight_[r] > 0 ? (beta_[r] - move[r] * t) * weight_[r] : beta_[r];
    const auto change = [&](Index i) { return moves_freely(i) ? move[i] * t + (r < 0 ? 0.0 : inverse_(i, r) * along) : 0.0; };
    for (Index i = 0; i < size_; ++i) iterate.coef[i] -= change(i);
    if (has_intercept) iterate.intercept -= change(size_);
    replace(proposal, move, iterate);
  }

  void replace(const Proposal& proposal, const Move&, Iterate& iterate) const override {
    const Index place = proposal.position < 0 ? iterate.size() : proposal.position;
    if (proposal.position < 0)
      iterate.append(proposal.entering);
    else
      iterate.replace(place, proposal.entering);
    iterate.coef[place] = proposal.step;
  }

 private:
  bool moves_freely(Index i) const { return i >= size_ || weight_[i] > 0; }

  // Whether a feature without a curvature of its own beside the active set lowers F all the same, and clearly: it is then no
  // combination of the active ones, whose gradient is 0. A few rows may have all of the curvature, as where a log link has
  // means of many orders. Its own curvature is used then.
  bool lowers_as_it_is(const ScanPanel& panel, Index c) {
    constexpr double clearly = 1e-3;  // of F: above what a rough refit leaves of the gradient
    const double gradient = panel.gradient[c], curvature = panel.curvature[c];
    if (!(curvature > 0)) return false;
    const double along = step(panel, c, gradient, curvature), gain = -(gradient + 0.5 * curvature * along) * along;
    if (!(gain > clearly * objective_)) return false;
    schur_[c] = curvature;
    best_[c] = gain;
    return true;
  }

  // Sets `gain` to the predicted decrease of F by the best step of each feature of a panel, within its bounds.
  template <class Gradient, class Curvature, class Gain>
  void predict_gains(const ScanPanel& panel, const Gradient& gradient, const Curvature& curvature, Gain&& gain) {
    if (!panel.lower) {
      gain = 0.5 * gradient.square() / curvature;
      return;
    }
    const Index count = panel.columns.count;
    const Eigen::Map<const Eigen::ArrayXd> lower(panel.lower, count), upper(panel.upper, count);
    auto step = step_.head(count);
    step = (-gradient / curvature).max(lower).min(upper);
    gain = -(gradient + 0.5 * curvature * step) * step;
  }
  double step(const ScanPanel& panel, Index c, double gradient, double curvature) const {
    const double free = std::clamp(-gradient / curvature, -longest_, longest_);
    return panel.lower ? std::min(std::max(free, panel.lower[c]), panel.upper[c]) : free;
  }

  Eigen::MatrixXd inverse_;  // (d, d) P; in the columns of held coefficients the moves of their leaving
  Eigen::VectorXd removal_;  // (k,) multiple of v_j that leaving takes from the gradient of j
  Eigen::VectorXd weight_;   // (k,) 1 / d_i; 0 for a held coefficient
  Eigen::VectorXd loss_;     // (k,) rise of F by leaving
  Eigen::VectorXd beta_;     // (k,) coefficients at the scan
  double objective_ = 0;     // F at the scan
  double longest_ = 0;       // step of an entering feature
  const Index* support_ = nullptr;
  Index size_ = 0, dimension_ = 0;
  Eigen::MatrixXd moves_;                      // (panel, d) v_j
  Eigen::ArrayXd schur_, gain_, step_, best_;  // (panel,)
  Eigen::ArrayXd barred_;                      // (panel,) 0, or -inf for features that may not enter
};

}  // namespace ksparse
