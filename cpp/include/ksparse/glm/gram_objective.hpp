// Least squares answered from the Gram matrix of X. The Hessian of F is the same at every point, so that products of columns
// are summed over the rows once, and then a refit takes O(k^3) operations and a scan of p features O(pk), however many rows
// there are. With A the active features, b their coefficients, c the change of the intercept, and G, m, g and F0 taken at the
// best constant,
//   F = F0 + g_A'b + s c + 1/2 (b, c)'H (b, c),   H_AA = G_AA + ridge,   H_Ac = m_A
// Columns are centred and scaled as they are for the rows (glm_objective.hpp).
//
// The rows themselves are asked for the first scan, which chooses these units; for the last refit, to the user's tolerance; and
// wherever normal equations lose digits: where active features all but agree, or F is a small part of F0 (Bjorck, Numerical
// Methods for Least Squares Problems, 1996, section 2.2).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "../newton/newton.hpp"
#include "../options.hpp"
#include "../search/objective.hpp"
#include "../search/splicing.hpp"
#include "glm.hpp"

namespace ksparse {

class GramObjective final : public Objective {
 public:
  /// Of the problem that `rows` answers, which outlives this.
  GramObjective(GlmObjective& rows, const Design& design, const Options& options)
      : rows_(rows), n_(design.rows()), p_(design.columns()), ridge_(options.ridge), intercept_(options.fit_intercept) {
    const Index d = options.places(p_) + 1, panel = std::min(largest_panel, p_);
    for (Eigen::MatrixXd* matrix : {&hessian_, &inverse_}) matrix->resize(d, d);
    solution_.resize(d);
    diagonal_.resize(d);
    panel_gradient_.resize(panel);
    panel_curvature_.resize(panel);
    panel_cross_.resize(panel, d);
    place_.assign(std::size_t(p_), -1);
    wanted_.reserve(std::size_t(p_));
  }

  /// Such an objective where it can answer, and where searches for so many k ask often enough to make good what it takes; else
  /// null.
  static std::unique_ptr<Objective> if_worthwhile(GlmObjective& rows, const Design& design, const LossKernel& loss,
                                                  const Options& options, Index searches) {
    constexpr Index few = 3;
    const Constraints& constraints = options.constraints;
    const bool can_answer =
        loss.foresight() == Foresight::exact && !design.sparse() && !constraints.bounded() && constraints.groups.empty();
    // Where the rows are asked for a sample, answers are theirs: a search goes the same way whoever answers.
    if (!can_answer || Splicing::samples(rows, options.k)) return nullptr;
    const Index p = design.columns();
    const bool asks_often = searches >= few || Options::working_set(p, options.k) == p;
    return asks_often ? std::make_unique<GramObjective>(rows, design, options) : nullptr;
  }

  Index features() const override { return p_; }
  double perfect_objective() const override { return rows_.perfect_objective(); }
  Foresight foresight() const override { return Foresight::exact; }

  RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) override {
    if (goal.exact || iterate.size() == 0 || !is_ready() || !fetch(iterate.support)) return rows_.refit(iterate, goal);
    const Index size = iterate.size(), d = size + intercept_;
    if (!factorise_active(iterate.support)) return rows_.refit(iterate, goal);
    for (Index i = 0; i < size; ++i) solution_[i] = slope_[iterate.support[std::size_t(i)]];
    if (intercept_) solution_[size] = constant_.slope;
    // F at the minimum is F0 - 1/2 |L^-1 g|^2.
    const auto factor = inverse_.topLeftCorner(d, d).template triangularView<Eigen::Lower>();
    factor.solveInPlace(solution_.head(d));
    const double objective = constant_.objective - 0.5 * solution_.head(d).squaredNorm();
    if (!has_digits(objective)) return rows_.refit(iterate, goal);
    factor.adjoint().solveInPlace(solution_.head(d));
    iterate.coef.head(size) = -solution_.head(size);
    iterate.intercept = intercept_ ? constant_.intercept - solution_[size] : 0.0;
    iterate.objective = objective;
    return {Status::converged, false, 1};
  }

  Status scan(const Iterate& iterate, const Columns& columns, Hessian kind, ScanSink& sink) override {
    const bool ready =
        is_ready() && fetch(iterate.support) && factorise_active(iterate.support) && has_digits(iterate.objective);
    if (!ready) return rows_.scan(iterate, columns, kind, sink);
    if (columns.list && columns.count <= largest_list) fetch({columns.list, columns.list + columns.count});
    invert(iterate.size() + intercept_);
    const Index d = iterate.size() + intercept_;
    sink.begin_scan({inverse_.topLeftCorner(d, d), nullptr, nullptr, nullptr, diagonal_.data()});
    for (Index begin = 0; begin < columns.count; begin += largest_panel)
      take_panel(iterate, columns.slice(begin, std::min(largest_panel, columns.count - begin)), sink);
    return rows_.interrupted() ? Status::interrupted : Status::converged;
  }

 private:
  // Rows whose columns are gathered at a time.
  static constexpr Index block_rows = 256;
  // All products are summed at once up to this number of features, which takes as long as a few scans by the rows; of more
  // features those with the active ones, and with what is scanned by name, which soon enters.
  static constexpr Index whole = largest_panel, largest_list = 64;
  // Numbers that may be kept in any case; more only if X has as many.
  static constexpr double always_kept = 2e6;
  // F is known to some 1e-16 of F0 over the least part of an active feature that the others do not explain. Down to this ratio
  // it has the ten digits by which supports are compared.
  static constexpr double least_ratio = 1e-6;

  // The best constant, from which F is counted.
  struct Constant {
    double intercept = 0, objective = 0, slope = 0, weight = 0;
  };

  bool has_digits(double objective) const {
    return std::isfinite(objective) && least_pivot_ * objective >= least_ratio * constant_.objective;
  }

  // Whether the sums over rows are there; once the units are chosen they are made. False: not yet, or interrupted.
  bool is_ready() {
    if (!ready_ && rows_.units_chosen()) ready_ = sum_rows();
    return ready_;
  }

  bool sum_rows() {
    const auto weight = rows_.weight().head(n_).array();
    Eigen::ArrayXd slope = -rows_.response().head(n_);
    if (rows_.offset().size()) slope += rows_.offset().head(n_).array();
    constant_.weight = weight.sum();
    constant_.intercept = intercept_ ? -(weight * slope).sum() / constant_.weight : 0.0;
    slope += constant_.intercept;
    constant_.objective = 0.5 * (weight * slope.square()).sum();
    slope *= weight;
    constant_.slope = slope.sum();
    for (Eigen::VectorXd* sums : {&slope_, &mean_, &curvature_}) sums->setZero(p_);
    const bool all = p_ <= whole;
    if (all) gram_.setZero(p_, p_);
    for (Index begin = 0; begin < p_; begin += largest_panel) {
      const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
      for (Index first = 0; first < n_; first += block_rows) {
        if (rows_.interrupted()) return false;
        const Index rows = std::min(block_rows, n_ - first);
        gather(panel, first, rows, block_);
        const auto z = block_.topLeftCorner(rows, panel.count);
        slope_.segment(begin, panel.count).noalias() += z.transpose() * slope.segment(first, rows).matrix();
        mean_.segment(begin, panel.count).noalias() += z.transpose() * weight.segment(first, rows).matrix();
        weigh(first, rows, panel.count, block_);
        if (all)
          gram_.template selfadjointView<Eigen::Lower>().rankUpdate(z.transpose());
        else
          curvature_.segment(begin, panel.count) += z.colwise().squaredNorm().transpose();
      }
    }
    if (all) {
      gram_.template triangularView<Eigen::StrictlyUpper>() = gram_.transpose();
      curvature_ = gram_.diagonal();
      for (kept_ = 0; kept_ < p_; ++kept_) place_[std::size_t(kept_)] = kept_;
    }
    return true;
  }

  // Columns in units.
  void gather(const Columns& columns, Index first, Index rows, Eigen::MatrixXd& block) const {
    if (block.rows() < block_rows || block.cols() < columns.count) block.resize(block_rows, columns.count);
    for (Index c = 0; c < columns.count; ++c) rows_.gather_in_units(columns[c], first, rows, block.col(c).data());
  }
  // Times the square root of the weights.
  void weigh(Index first, Index rows, Index count, Eigen::MatrixXd& block) const {
    block.topLeftCorner(rows, count).array().colwise() *= rows_.weight().segment(first, rows).array().sqrt();
  }

  // Products of some features with all; those not known yet are summed. False: there is no room, or interrupted.
  bool fetch(const std::vector<Index>& features) {
    wanted_.clear();
    for (const Index j : features)
      if (place_[std::size_t(j)] < 0) wanted_.push_back(j);
    if (wanted_.empty()) return true;
    const Index count = Index(wanted_.size()), most = std::max(n_, Index(always_kept / double(p_)));
    if (kept_ + count > most) return false;
    if (kept_ + count > gram_.cols()) gram_.conservativeResize(p_, std::min(std::max(2 * gram_.cols(), kept_ + count), most));
    auto sums = gram_.middleCols(kept_, count);
    sums.setZero();
    const Columns listed{0, count, wanted_.data()};
    for (Index first = 0; first < n_; first += block_rows) {
      const Index rows = std::min(block_rows, n_ - first);
      gather(listed, first, rows, wanted_block_);
      wanted_block_.topLeftCorner(rows, count).array().colwise() *= rows_.weight().segment(first, rows).array();
      for (Index begin = 0; begin < p_; begin += largest_panel) {
        if (rows_.interrupted()) return false;
        const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
        gather(panel, first, rows, block_);
        sums.middleRows(begin, panel.count).noalias() +=
            block_.topLeftCorner(rows, panel.count).transpose() * wanted_block_.topLeftCorner(rows, count);
      }
    }
    for (const Index j : wanted_) place_[std::size_t(j)] = kept_++;
    return true;
  }

  auto products_with(Index feature) const { return gram_.col(place_[std::size_t(feature)]); }

  // Cholesky factor of the Hessian of a support, in inverse_. False: singular to rounding.
  bool factorise_active(const std::vector<Index>& support) {
    const Index size = Index(support.size()), d = size + intercept_;
    for (Index j = 0; j < size; ++j) {
      const auto products = products_with(support[std::size_t(j)]);
      for (Index i = j; i < size; ++i) hessian_(i, j) = products[support[std::size_t(i)]];
      if (ridge_ > 0) hessian_(j, j) += rows_.ridge_of(support[std::size_t(j)]);
      if (intercept_) hessian_(size, j) = mean_[support[std::size_t(j)]];
    }
    if (intercept_) hessian_(size, size) = constant_.weight;
    diagonal_.head(d) = hessian_.topLeftCorner(d, d).diagonal();
    if (!factorise(hessian_.topLeftCorner(d, d), inverse_.topLeftCorner(d, d), 0)) return false;
    least_pivot_ = 1;
    for (Index j = 0; j < d; ++j) least_pivot_ = std::min(least_pivot_, inverse_(j, j) * inverse_(j, j) / hessian_(j, j));
    return true;
  }

  // The inverse from the factor.
  void invert(Index d) {
    auto factor = hessian_.topLeftCorner(d, d), inverse = inverse_.topLeftCorner(d, d);
    factor = inverse;
    inverse.setIdentity();
    factor.template triangularView<Eigen::Lower>().solveInPlace(inverse);
    factor.template triangularView<Eigen::Lower>().adjoint().solveInPlace(inverse);
  }

  void take_panel(const Iterate& iterate, const Columns& panel, ScanSink& sink) {
    const Index count = panel.count, size = iterate.size(), d = size + intercept_;
    auto gradient = panel_gradient_.head(count), curvature = panel_curvature_.head(count);
    auto cross = panel_cross_.topLeftCorner(count, d);
    const auto pick = [&panel, count](const auto& all, auto&& target) {
      if (!panel.list) {
        target = all.segment(panel.first, count);
        return;
      }
      for (Index c = 0; c < count; ++c) target[c] = all[panel.list[c]];
    };
    pick(slope_.array(), gradient);
    pick(curvature_.array(), curvature);
    for (Index i = 0; i < size; ++i) pick(products_with(iterate.support[std::size_t(i)]), cross.col(i));
    if (intercept_) pick(mean_, cross.col(size));
    gradient.matrix().noalias() += cross.leftCols(size) * iterate.coef.head(size);
    if (intercept_) gradient += cross.col(size).array() * (iterate.intercept - constant_.intercept);
    for (Index c = 0; c < count; ++c)
      if (rows_.is_constant(panel[c]))
        curvature[c] = 0;
      else if (ridge_ > 0)
        curvature[c] += rows_.ridge_of(panel[c]);
    sink.take_panel({panel, gradient, curvature, cross});
  }

  GlmObjective& rows_;
  const Index n_, p_;
  const double ridge_;
  const bool intercept_;
  bool ready_ = false;
  Constant constant_;
  Eigen::VectorXd slope_, mean_, curvature_;  // (p,) g, m and the diagonal of G
  Eigen::MatrixXd gram_;                      // (p, at least kept) columns of G
  std::vector<Index> place_;                  // (p,) column of gram_ of each feature, or -1
  Index kept_ = 0;
  double least_pivot_ = 1;                           // of the last factor: the least part of an active feature that is its own
  Eigen::MatrixXd hessian_, inverse_;                // (k + 1, k + 1)
  Eigen::VectorXd solution_, diagonal_;              // (k + 1,)
  std::vector<Index> wanted_;                        // features whose products are summed next
  Eigen::MatrixXd block_, wanted_block_;             // (block_rows, columns) gathered
  Eigen::ArrayXd panel_gradient_, panel_curvature_;  // (largest_panel,)
  Eigen::MatrixXd panel_cross_;                      // (largest_panel, k + 1)
};

}  // namespace ksparse
