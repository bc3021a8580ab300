// How much F is foreseen to change when features enter, leave or change places, by the quadratic model at the current point.
// With P = H_AA^-1 (the intercept is a row of it, but never leaves), d_i = P_ii, v_j = P H_Aj and s_j = H_jj - H_jA v_j:
//   j enters               -1/2 g_j^2 / s_j                       (the Schur complement s_j is the curvature left to j beside
//   A) i leaves               +1/2 beta_i^2 / d_i                    (optimal brain surgeon, Hassibi & Stork 1993, eq. 5) j in
//   the place of i     1/2 beta_i^2 / d_i - 1/2 (g_j - v_ji beta_i / d_i)^2 / (s_j + v_ji^2 / d_i)
// The joint form sees that a feature which is worth nothing beside its twin is worth much in its place.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
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
  ProposalList(Index capacity, Index dimension) { reset(capacity, dimension); }

  void reset(Index capacity, Index dimension) {
    moves_.resize(dimension, capacity);
    slots_.resize(std::size_t(capacity));
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
  bool admits(double gain) const noexcept { return gain > bar(); }
  /// Proposals of at most this gain would not be kept.
  double bar() const noexcept {
    return items_.size() < slots_.size() ? -std::numeric_limits<double>::infinity() : items_.back().gain;
  }

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
    double step;  // foreseen coefficient of the feature; 0 for groups
  };

  explicit StandIns(Index places, Index width = 8) : width_(width) { reset(places); }

  void reset(Index places) {
    choices_.resize(std::size_t(places * width_));
    counts_.assign(std::size_t(places), 0);
  }

  void clear() noexcept { std::fill(counts_.begin(), counts_.end(), Index(0)); }
  Index count(Index place) const noexcept { return counts_[std::size_t(place)]; }
  const Choice& at(Index place, Index rank) const noexcept { return choices_[std::size_t(place * width_ + rank)]; }

  void offer(Index place, Index feature, double gain, double step) noexcept {
    Index& count = counts_[std::size_t(place)];
    Choice* const list = &choices_[std::size_t(place * width_)];
    if (count == width_ && !(gain > list[width_ - 1].gain)) return;
    Index rank = count < width_ ? count++ : width_ - 1;
    for (; rank > 0 && list[rank - 1].gain < gain; --rank) list[rank] = list[rank - 1];
    list[rank] = {feature, gain, step};
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

/// Which units may move.
class MoveRules {
 public:
  virtual ~MoveRules() = default;
  virtual bool may_enter(Index unit) const = 0;
  virtual bool may_leave(Index place) const = 0;
};

/// The quadratic model of the last scan, and what it says of a panel of units.
class SacrificeModel {
 public:
  virtual ~SacrificeModel() = default;
  /// Numbers that a proposal list keeps with each proposal.
  virtual Index move_size() const = 0;
  virtual void set(const Iterate& iterate, const ScanPoint& point) = 0;
  /// Prepares for proposals from a panel.
  virtual void judge(const ScanPanel& panel) = 0;
  virtual void propose_entries(const ScanPanel& panel, const MoveRules& rules, ProposalList& list) = 0;
  virtual void propose_exchanges(const ScanPanel& panel, const MoveRules& rules, ProposalList& list,
                                 StandIns* stand_ins = nullptr) = 0;
  /// The best gain foreseen for a unit of the last panel.
  virtual double promise(Index c) const = 0;
  /// By how much F is foreseen to rise when the unit at a place leaves.
  virtual double leaving_loss(Index place) const = 0;

  using Move = Eigen::Ref<const Eigen::VectorXd>;
  /// Puts the iterate at the minimum of the model with the proposal carried out: the warm start of its refit.
  virtual void apply(const Proposal& proposal, const Move& move, Iterate& iterate) const = 0;
  /// Carries the proposal out, leaving the other coefficients where they are.
  virtual void replace(const Proposal& proposal, const Move& move, Iterate& iterate) const = 0;

 protected:
  static double longest_from(const Iterate& iterate) {
    const Index size = iterate.size() * iterate.stride;
    return longest_step(std::max(std::abs(iterate.intercept), size ? iterate.coef.head(size).cwiseAbs().maxCoeff() : 0.0));
  }

  // An exchange in which the newcomer is foreseen to make good less than this part of the loss is not worth a refit.
  static constexpr double least_recovery = 0.5;
  // A feature keeps less than this part of its curvature beside the active set: a combination of it, up to rounding.
  static constexpr double collinearity = 1e-10;
};

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
  void judge(const ScanPanel& panel) override {
    const Index count = panel.columns.count;
    auto moves = moves_.topLeftCorner(count, dimension_);
    moves.noalias() = panel.cross * inverse_.topLeftCorner(dimension_, dimension_);
    schur_.head(count) = panel.curvature;
    for (Index i = 0; i < dimension_; ++i)
      if (moves_freely(i)) schur_.head(count) -= moves.col(i).array() * panel.cross.col(i).array();
  }

  void propose_entries(const ScanPanel& panel, const MoveRules& rules, ProposalList& list) override {
    const Index count = panel.columns.count;
    auto best = best_.head(count);
    foresee(panel, panel.gradient, schur_.head(count), best);
    for (Index c = 0; c < count; ++c) {
      const Index feature = panel.columns[c];
      const bool collinear = !(schur_[c] > collinearity * panel.curvature[c]) && !lowers_as_it_is(panel, c);
      if (collinear || !(best[c] > 0) || !rules.may_enter(feature)) {
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

  void propose_exchanges(const ScanPanel& panel, const MoveRules& rules, ProposalList& list,
                         StandIns* stand_ins = nullptr) override {
    const Index count = panel.columns.count;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    auto gain = gain_.head(count), best = best_.head(count), barred = barred_.head(count);
    for (Index c = 0; c < count; ++c) barred[c] = rules.may_enter(panel.columns[c]) ? 0.0 : -infinity;
    best = -infinity;
    for (Index i = 0; i < size_; ++i) {
      if (!rules.may_leave(i)) continue;
      const double removal = removal_[i], weight = weight_[i], loss = loss_[i];
      const auto v = moves_.col(i).head(count).array();
      const auto curvature = schur_.head(count) + v.square() * weight;
      foresee(panel, panel.gradient - v * removal, curvature, gain);
      // Written so that what is not a number counts as barred.
      gain = (curvature > collinearity * panel.curvature && gain < infinity).select(gain - loss + barred, -infinity);
      best = (best > gain).select(best, gain);
      const double bar =
          std::max(std::min(list.bar(), stand_ins ? stand_ins->bar(i) : infinity), std::numeric_limits<double>::lowest());
      for (Index c = 0; c < count; ++c) {
        if (!(gain[c] > bar)) continue;
        const double taken = step(panel, c, panel.gradient[c] - v[c] * removal, schur_[c] + v[c] * v[c] * weight);
        if (stand_ins && gain[c] > stand_ins->bar(i)) stand_ins->offer(i, panel.columns[c], gain[c], taken);
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
  // means of many orders. It is then judged by the curvature that it has alone.
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

/// Units that are groups of features. The formulas are those of single features with blocks for numbers:
///   J enters               -1/2 g_J' S_J^-1 g_J                      S_J = H_JJ - H_JA V_J, V_J = P H_AJ
///   I leaves               +1/2 b_I' P_II^-1 b_I
///   J in the place of I    1/2 b_I' r - 1/2 q' (S_J + V_JI P_II^-1 V_IJ)^-1 q     r = P_II^-1 b_I, q = g_J - V_JI r
/// Steps keep to bounds; coefficients held at a bound give way here, and a refit has the last word on that.
class GroupModel final : public SacrificeModel {
 public:
  /// For up to so many places, groups of up to `stride` features, and panels of up to `panel` groups or features.
  GroupModel(Index places, Index stride, Index panel)
      : stride_(stride),
        inverse_(places * stride + 1, places * stride + 1),
        weight_(places * stride, stride),
        beta_(places * stride),
        removal_(places * stride),
        loss_(places),
        moves_(std::max(panel, stride), places * stride + 1),
        schur_(stride, stride),
        curvature_(stride, stride),
        factor_(stride, stride),
        product_(stride, stride),
        gradient_(stride),
        step_(stride),
        best_(panel) {
    starts_.reserve(std::size_t(places + 1));
  }

  Index move_size() const override { return stride_; }

  void set(const Iterate& iterate, const ScanPoint& point) override {
    size_ = iterate.size();
    dimension_ = point.inverse.rows();
    inverse_.topLeftCorner(dimension_, dimension_) = point.inverse;
    longest_ = longest_from(iterate);
    support_ = iterate.support.data();
    starts_.assign(point.starts, point.starts + size_ + 1);
    for (Index i = 0; i < size_; ++i) {
      const Index begin = starts_[std::size_t(i)], width = width_of(i);
      const auto block = inverse_.block(begin, begin, width, width);
      beta_.segment(begin, width) = iterate.at(i).head(width);
      factorise_block(block, width);
      auto weight = weight_.block(begin, 0, width, width);
      weight.setIdentity();
      solve(width, weight);
      removal_.segment(begin, width).noalias() = weight * beta_.segment(begin, width);
      loss_[i] = 0.5 * removal_.segment(begin, width).dot(beta_.segment(begin, width));
    }
  }

  void judge(const ScanPanel& panel) override {
    moves_.topLeftCorner(panel.cross.rows(), dimension_).noalias() =
        panel.cross * inverse_.topLeftCorner(dimension_, dimension_);
    best_.head(panel.columns.count).setConstant(-std::numeric_limits<double>::infinity());
  }

  void propose_entries(const ScanPanel& panel, const MoveRules& rules, ProposalList& list) override {
    for (Index c = 0; c < panel.columns.count; ++c) {
      const Index unit = panel.columns[c];
      best_[c] = 0;
      if (!rules.may_enter(unit)) continue;
      const Index begin = panel.starts[c], width = panel.starts[c + 1] - begin;
      set_schur(panel, begin, width);
      gradient_.head(width) = panel.gradient.segment(begin, width).matrix();
      const double gain = foresee(panel, begin, width, schur_);
      if (!(gain > 0)) continue;
      best_[c] = gain;
      if (list.admits(gain)) list.insert({unit, -1, -1, gain, 0.0}, step_);
    }
  }

  void propose_exchanges(const ScanPanel& panel, const MoveRules& rules, ProposalList& list, StandIns* stand_ins) override {
    for (Index c = 0; c < panel.columns.count; ++c) {
      const Index unit = panel.columns[c];
      if (!rules.may_enter(unit)) continue;
      const Index begin = panel.starts[c], width = panel.starts[c + 1] - begin;
      set_schur(panel, begin, width);
      for (Index i = 0; i < size_; ++i) {
        if (!rules.may_leave(i)) continue;
        const Index first = starts_[std::size_t(i)], leaving = width_of(i);
        const auto v = moves_.block(begin, first, width, leaving);
        gradient_.head(width) = panel.gradient.segment(begin, width).matrix();
        gradient_.head(width).noalias() -= v * removal_.segment(first, leaving);
        auto product = product_.topLeftCorner(width, leaving);
        product.noalias() = v * weight_.block(first, 0, leaving, leaving);
        auto curvature = curvature_.topLeftCorner(width, width);
        curvature = schur_.topLeftCorner(width, width);
        curvature.noalias() += product * v.transpose();
        const double recovered = foresee(panel, begin, width, curvature_), gain = recovered - loss_[i];
        if (!std::isfinite(gain)) continue;
        if (stand_ins && gain > stand_ins->bar(i)) stand_ins->offer(i, unit, gain, 0.0);
        best_[c] = std::max(best_[c], gain);
        if (list.admits(gain) && recovered > least_recovery * loss_[i]) list.insert({unit, support_[i], i, gain, 0.0}, step_);
      }
    }
  }

  double promise(Index c) const override { return best_[c]; }
  double leaving_loss(Index place) const override { return loss_[place]; }

  void apply(const Proposal& proposal, const Move& move, Iterate& iterate) const override { replace(proposal, move, iterate); }
  void replace(const Proposal& proposal, const Move& move, Iterate& iterate) const override {
    const Index place = proposal.position < 0 ? iterate.size() : proposal.position;
    if (proposal.position < 0)
      iterate.append(proposal.entering);
    else
      iterate.replace(place, proposal.entering);
    iterate.at(place) = move;
  }

 private:
  Index width_of(Index place) const { return starts_[std::size_t(place + 1)] - starts_[std::size_t(place)]; }

  void set_schur(const ScanPanel& panel, Index begin, Index width) {
    auto schur = schur_.topLeftCorner(width, width);
    schur = panel.blocks->block(begin, 0, width, width);
    schur.noalias() -= moves_.block(begin, 0, width, dimension_) * panel.cross.middleRows(begin, width).transpose();
  }

  // Collinear members of a group, or of a group and the active set, get a little curvature of their own.
  template <class Block>
  void factorise_block(const Block& block, Index width) {
    double shift = collinearity;
    const double scale = std::max(block.diagonal().cwiseAbs().maxCoeff(), std::numeric_limits<double>::min());
    bool done = false;
    while (!done && shift < 1) {
      auto factor = factor_.topLeftCorner(width, width);
      factor = block;
      factor.diagonal().array() += shift * scale;
      Eigen::Ref<Eigen::MatrixXd> in_place(factor);
      done = Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>>(in_place).info() == Eigen::Success;
      shift *= 100;
    }
    if (!done) factor_.topLeftCorner(width, width).setIdentity();
  }
  template <class Right>
  void solve(Index width, Right&& right) const {
    const auto lower = factor_.topLeftCorner(width, width).template triangularView<Eigen::Lower>();
    lower.solveInPlace(right);
    lower.adjoint().solveInPlace(right);
  }

  // Decrease of F by the best step against gradient_, which is left in step_.
  double foresee(const ScanPanel& panel, Index begin, Index width, const Eigen::MatrixXd& curvature) {
    const auto block = curvature.topLeftCorner(width, width);
    const auto gradient = gradient_.head(width);
    auto step = step_.head(width);
    factorise_block(block, width);
    step = -gradient;
    solve(width, step);
    const double length = step.cwiseAbs().maxCoeff();
    if (length > longest_) step *= longest_ / length;
    if (panel.lower) {
      const auto clip = [&](Index i, double value) {
        return std::min(std::max(value, panel.lower[begin + i]), panel.upper[begin + i]);
      };
      for (Index i = 0; i < width; ++i) step[i] = clip(i, step[i]);
      // The clipped step may even raise the model where members correlate; from there, one member at a time.
      for (int sweep = 0; sweep < bounded_sweeps; ++sweep)
        for (Index i = 0; i < width; ++i)
          if (block(i, i) > 0) step[i] = clip(i, step[i] - (gradient[i] + block.row(i).dot(step)) / block(i, i));
    }
    step_.tail(stride_ - width).setZero();
    auto bent = product_.col(0).head(width);
    bent.noalias() = block * step;
    return -(gradient.dot(step) + 0.5 * step.dot(bent));
  }

  static constexpr int bounded_sweeps = 20;

  const Index stride_;
  Eigen::MatrixXd inverse_;  // (d, d) P
  Eigen::MatrixXd weight_;   // (d, stride) P_II^-1 by place
  Eigen::VectorXd beta_;     // (d,)
  Eigen::VectorXd removal_;  // (d,) P_II^-1 b_I by place
  Eigen::VectorXd loss_;     // (places,)
  double longest_ = 0;       // step of an entering group
  const Index* support_ = nullptr;
  Index size_ = 0, dimension_ = 0;
  std::vector<Index> starts_;                             // (size + 1,)
  Eigen::MatrixXd moves_;                                 // (features of the panel, d) V_J
  Eigen::MatrixXd schur_, curvature_, factor_, product_;  // (stride, stride) of one group, the last scratch
  Eigen::VectorXd gradient_, step_;                       // (stride,) of one group
  Eigen::VectorXd best_;                                  // (units of the panel,)
};

/// The model for up to `places` active units of up to `stride` features each, out of `units`.
inline std::unique_ptr<SacrificeModel> make_sacrifice_model(Index places, Index stride, Index units) {
  if (stride > 1) return std::make_unique<GroupModel>(places, stride, largest_panel);
  return std::make_unique<FeatureModel>(places + 1, std::min(largest_panel, units));
}

}  // namespace ksparse
