// How much F is foreseen to change when features enter, leave or change places, by the quadratic model at the current point.
// With P = H_AA^-1 (the intercept is a row of it, but never leaves), d_i = P_ii, v_j = P H_Aj and s_j = H_jj - H_jA v_j:
//   j enters               -1/2 g_j^2 / s_j                       (the Schur complement s_j is the curvature left to j beside
//   A) i leaves               +1/2 beta_i^2 / d_i                    (optimal brain surgeon, Hassibi & Stork 1993, eq. 5) j in
//   the place of i     1/2 beta_i^2 / d_i - 1/2 (g_j - v_ji beta_i / d_i)^2 / (s_j + v_ji^2 / d_i)
// The joint form sees that a feature which is worth nothing beside its twin is worth much in its place.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <vector>

#include "objective.hpp"

namespace ksparse {

/// An entry, or an exchange, with the change of F that the model foresees.
struct Proposal {
  Index entering = -1;  // feature
  Index leaving = -1;   // feature, or -1: none leaves
  Index position = -1;  // of the leaving feature in the active set
  double gain = 0;      // foreseen decrease of F; may be negative for an exchange
  double step = 0;      // foreseen coefficient of the entering feature
};

/// The best proposals of a scan, best first, each with its v_j, in fixed memory.
class ProposalList {
 public:
  ProposalList(Index capacity, Index dimension) : moves_(dimension, capacity), slots_(std::size_t(capacity)) {
    items_.reserve(std::size_t(capacity));
    clear();
  }

  void clear() noexcept {
    items_.clear();
    for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i] = Index(i);
  }
  Index size() const noexcept { return Index(items_.size()); }
  const Proposal& operator[](Index i) const noexcept { return items_[std::size_t(i)]; }
  auto move(Index i) const { return moves_.col(slots_[std::size_t(i)]); }

  /// Whether a proposal of this gain would be kept. Ties keep the earlier one, which has the smaller feature.
  bool admits(double gain) const noexcept { return items_.size() < slots_.size() || gain > items_.back().gain; }

  template <class Move>
  void insert(const Proposal& proposal, const Move& move) {
    if (items_.size() == slots_.size()) items_.pop_back();
    std::size_t place = items_.size();
    items_.push_back(proposal);
    const Index slot = slots_[place];
    for (; place > 0 && items_[place - 1].gain < proposal.gain; --place) {
      items_[place] = items_[place - 1];
      slots_[place] = slots_[place - 1];
    }
    items_[place] = proposal;
    slots_[place] = slot;
    moves_.col(slot).head(move.size()) = move;
  }

 private:
  Eigen::MatrixXd moves_;        // (d, capacity) v_j by slot
  std::vector<Index> slots_;     // slot of each item; free slots after the last
  std::vector<Proposal> items_;  // by falling gain
};

/// For each place of the active set, the few features foreseen to do best in its stead, best first, in fixed memory.
class StandIns {
 public:
  struct Choice {
    Index feature;
    double gain;  // foreseen decrease of F by the exchange, usually negative
  };

  explicit StandIns(Index places, Index width = 8)
      : width_(width), choices_(std::size_t(places * width)), counts_(std::size_t(places), 0) {}

  void clear() noexcept { std::fill(counts_.begin(), counts_.end(), Index(0)); }
  Index count(Index place) const noexcept { return counts_[std::size_t(place)]; }
  const Choice& at(Index place, Index rank) const noexcept { return choices_[std::size_t(place * width_ + rank)]; }

  void offer(Index place, Index feature, double gain) noexcept {
    Index& count = counts_[std::size_t(place)];
    Choice* const list = &choices_[std::size_t(place * width_)];
    if (count == width_ && !(gain > list[width_ - 1].gain)) return;
    Index rank = count < width_ ? count++ : width_ - 1;
    for (; rank > 0 && list[rank - 1].gain < gain; --rank) list[rank] = list[rank - 1];
    list[rank] = {feature, gain};
  }
  /// Below this gain an offer for the place would not be kept.
  double bar(Index place) const noexcept {
    return count(place) < width_ ? -std::numeric_limits<double>::infinity() : at(place, width_ - 1).gain;
  }

 private:
  Index width_;
  std::vector<Choice> choices_;  // (places, width)
  std::vector<Index> counts_;    // (places,)
};

/// The quadratic model of the last scan, and what it says of a panel of features.
///
/// A coefficient held at a bound does not give way when others enter. When it leaves it takes its coefficient along, to which
/// the others adapt: with F the free ones, c_j = H_ji - v_j.H_Fi, i's leaving changes j's gradient by -c_j beta_i, and nothing
/// else of j. Both kinds of leaving are one formula with a move, a removal and a weight per place.
class SacrificeModel {
 public:
  /// For up to `dimension` coefficients, the intercept included, and panels of up to `panel` features.
  SacrificeModel(Index dimension, Index panel)
      : inverse_(dimension, dimension),
        removal_(dimension),
        weight_(dimension),
        loss_(dimension),
        beta_(dimension),
        moves_(panel, dimension),
        schur_(panel),
        gain_(panel),
        step_(panel),
        best_(panel) {}

  void set(const Iterate& iterate, const ScanPoint& point) {
    size_ = iterate.size();
    dimension_ = point.inverse.rows();
    inverse_.topLeftCorner(dimension_, dimension_) = point.inverse;
    beta_.head(size_) = iterate.coef.head(size_);
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
      inverse_.col(i).head(dimension_).noalias() = -(point.inverse * hessian.col(i));
      inverse_(i, i) = 1;
      const double schur = inverse_.col(i).head(dimension_).dot(hessian.col(i));
      loss_[i] = beta_[i] * (0.5 * beta_[i] * schur - (*point.gradient)[i]);
    }
  }

  /// v_j and s_j for the features of a panel.
  void judge(const ScanPanel& panel) {
    const Index count = panel.columns.count;
    auto moves = moves_.topLeftCorner(count, dimension_);
    moves.noalias() = panel.cross * inverse_.topLeftCorner(dimension_, dimension_);
    schur_.head(count) = panel.curvature;
    for (Index i = 0; i < dimension_; ++i)
      if (moves_freely(i)) schur_.head(count) -= moves.col(i).array() * panel.cross.col(i).array();
  }

  template <class Skip>
  void propose_entries(const ScanPanel& panel, const Skip& skip, ProposalList& list) {
    const Index count = panel.columns.count;
    auto best = best_.head(count);
    foresee(panel, panel.gradient, schur_.head(count), best);
    for (Index c = 0; c < count; ++c) {
      const Index feature = panel.columns[c];
      const bool collinear = !(schur_[c] > collinearity * panel.curvature[c]);
      if (collinear || !(best[c] > 0) || skip(feature)) {
        best[c] = 0;
        continue;
      }
      if (list.admits(best[c]))
        list.insert({feature, -1, -1, best[c], step(panel, c, panel.gradient[c], schur_[c])},
                    moves_.row(c).head(dimension_).transpose());
    }
  }

  /// keep(place): whether the feature there must stay.
  template <class Skip, class Keep>
  void propose_exchanges(const ScanPanel& panel, const Skip& skip, const Keep& keep, ProposalList& list,
                         StandIns* stand_ins = nullptr) {
    const Index count = panel.columns.count;
    constexpr double none = -std::numeric_limits<double>::infinity();
    best_.head(count) = none;
    auto gain = gain_.head(count);
    for (Index i = 0; i < size_; ++i) {
      if (keep(i)) continue;
      const double removal = removal_[i], weight = weight_[i], loss = loss_[i];
      const auto v = moves_.col(i).head(count).array();
      foresee(panel, panel.gradient - v * removal, schur_.head(count) + v.square() * weight, gain);
      gain -= loss;
      for (Index c = 0; c < count; ++c) {
        const bool stands_in = stand_ins && gain[c] > stand_ins->bar(i);
        if (!(gain[c] > best_[c]) && !list.admits(gain[c]) && !stands_in) continue;
        const double curvature = schur_[c] + v[c] * v[c] * weight;
        const Index feature = panel.columns[c];
        if (!(curvature > collinearity * panel.curvature[c]) || !std::isfinite(gain[c]) || skip(feature)) continue;
        if (stands_in) stand_ins->offer(i, feature, gain[c]);
        best_[c] = std::max(best_[c], gain[c]);
        if (list.admits(gain[c]) && gain[c] + loss > least_recovery * loss)
          list.insert({feature, support_[i], i, gain[c], step(panel, c, panel.gradient[c] - v[c] * removal, curvature)},
                      moves_.row(c).head(dimension_).transpose());
      }
    }
  }

  /// The best gain foreseen for a feature of the last panel.
  double promise(Index c) const { return best_[c]; }

  /// By how much F is foreseen to rise when the feature at a place leaves.
  double leaving_loss(Index place) const { return loss_[place]; }

  /// Puts the iterate at the minimum of the model with the proposal carried out: the warm start of its refit.
  template <class Move>
  void apply(const Proposal& proposal, const Move& move, Iterate& iterate) const {
    const bool has_intercept = dimension_ > size_;
    const Index r = proposal.position;
    const double t = proposal.step;
    // The multiple of r's move that takes its coefficient to 0.
    const double along = r < 0 ? 0.0 : weight_[r] > 0 ? (beta_[r] - move[r] * t) * weight_[r] : beta_[r];
    const auto change = [&](Index i) { return moves_freely(i) ? move[i] * t + (r < 0 ? 0.0 : inverse_(i, r) * along) : 0.0; };
    for (Index i = 0; i < size_; ++i) iterate.coef[i] -= change(i);
    if (has_intercept) iterate.intercept -= change(size_);
    replace(proposal, iterate);
  }

  /// Carries the proposal out, leaving the other coefficients where they are.
  void replace(const Proposal& proposal, Iterate& iterate) const {
    if (proposal.position < 0) {
      iterate.coef[iterate.size()] = proposal.step;
      iterate.support.push_back(proposal.entering);
    } else {
      iterate.coef[proposal.position] = proposal.step;
      iterate.support[std::size_t(proposal.position)] = proposal.entering;
    }
  }

 private:
  // An exchange in which the newcomer is foreseen to make good less than this part of the loss is not worth a refit.
  static constexpr double least_recovery = 0.5;
  // A feature keeps less than this part of its curvature beside the active set: a combination of it, up to rounding.
  static constexpr double collinearity = 1e-10;

  bool moves_freely(Index i) const { return i >= size_ || weight_[i] > 0; }

  // Decrease of F by the best step of each feature of a panel, within its bounds.
  template <class Gradient, class Curvature, class Gain>
  void foresee(const ScanPanel& panel, const Gradient& gradient, const Curvature& curvature, Gain&& gain) {
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
  static double step(const ScanPanel& panel, Index c, double gradient, double curvature) {
    const double free = -gradient / curvature;
    return panel.lower ? std::min(std::max(free, panel.lower[c]), panel.upper[c]) : free;
  }

  Eigen::MatrixXd inverse_;  // (d, d) P; in the columns of held coefficients the moves of their leaving
  Eigen::VectorXd removal_;  // (k,) multiple of v_j that leaving takes from the gradient of j
  Eigen::VectorXd weight_;   // (k,) 1 / d_i; 0 for a held coefficient
  Eigen::VectorXd loss_;     // (k,) rise of F by leaving
  Eigen::VectorXd beta_;     // (k,) coefficients at the scan
  const Index* support_ = nullptr;
  Index size_ = 0, dimension_ = 0;
  Eigen::MatrixXd moves_;                      // (panel, d) v_j
  Eigen::ArrayXd schur_, gain_, step_, best_;  // (panel,)
};

}  // namespace ksparse
