// The quadratic model of sacrifice_model.hpp for units that are groups of features.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sacrifice_model.hpp"

namespace ksparse {

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

  void evaluate(const ScanPanel& panel) override {
    moves_.topLeftCorner(panel.cross.rows(), dimension_).noalias() =
        panel.cross * inverse_.topLeftCorner(dimension_, dimension_);
    best_.head(panel.columns.count).setConstant(-std::numeric_limits<double>::infinity());
  }

  void propose_entries(const ScanPanel& panel, const ActiveSet& active, ProposalList& list) override {
    for (Index c = 0; c < panel.columns.count; ++c) {
      const Index unit = panel.columns[c];
      best_[c] = 0;
      if (!active.may_enter(unit)) continue;
      const Index begin = panel.starts[c], width = panel.starts[c + 1] - begin;
      set_schur(panel, begin, width);
      gradient_.head(width) = panel.gradient.segment(begin, width).matrix();
      const double gain = predict_gain(panel, begin, width, schur_);
      if (!(gain > 0)) continue;
      best_[c] = gain;
      if (list.admits(gain)) list.insert({unit, -1, -1, gain, 0.0}, step_);
    }
  }

  void propose_exchanges(const ScanPanel& panel, const ActiveSet& active, ProposalList& list,
                         Replacements* replacements) override {
    for (Index c = 0; c < panel.columns.count; ++c) {
      const Index unit = panel.columns[c];
      if (!active.may_enter(unit)) continue;
      const Index begin = panel.starts[c], width = panel.starts[c + 1] - begin;
      set_schur(panel, begin, width);
      for (Index i = 0; i < size_; ++i) {
        if (!active.may_leave(i)) continue;
        const Index first = starts_[std::size_t(i)], leaving = width_of(i);
        const auto v = moves_.block(begin, first, width, leaving);
        gradient_.head(width) = panel.gradient.segment(begin, width).matrix();
        gradient_.head(width).noalias() -= v * removal_.segment(first, leaving);
        auto product = product_.topLeftCorner(width, leaving);
        product.noalias() = v * weight_.block(first, 0, leaving, leaving);
        auto curvature = curvature_.topLeftCorner(width, width);
        curvature = schur_.topLeftCorner(width, width);
        curvature.noalias() += product * v.transpose();
        const double recovered = predict_gain(panel, begin, width, curvature_), gain = recovered - loss_[i];
        if (!std::isfinite(gain)) continue;
        if (replacements && gain > replacements->bar(i)) replacements->offer(i, unit, gain, 0.0);
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

  // Returns the predicted decrease of F by the best step for gradient_, which is then in step_.
  double predict_gain(const ScanPanel& panel, Index begin, Index width, const Eigen::MatrixXd& curvature) {
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

}  // namespace ksparse
