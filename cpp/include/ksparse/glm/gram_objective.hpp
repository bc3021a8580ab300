// Least squares computed from the Gram matrix of X. The Hessian of F is the same at every point, so products of columns are
// summed over the rows once. A refit then takes O(k^3) operations, and a scan of p features O(pk), for any number of rows. With
// A the active features, b their coefficients, c the change of the intercept, and G, m, g and F0 taken at the best constant,
//   F = F0 + g_A'b + s c + 1/2 (b, c)'H (b, c),   H_AA = G_AA + ridge,   H_Ac = m_A
// Columns are centred and scaled as they are for the rows (units.hpp).
//
// The rows themselves are used for the first scan, which chooses these units, for the final refit to the user's tolerance, and
// where normal equations are inaccurate: if active features are nearly collinear, or F is a small fraction of F0 (Bjorck,
// Numerical Methods for Least Squares Problems, 1996, section 2.2).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "../newton/newton.hpp"
#include "../options.hpp"
#include "../search/objective.hpp"
#include "../search/splicing.hpp"
#include "glm_objective.hpp"
#include "gram_columns.hpp"

namespace ksparse {

class GramObjective final : public Objective {
 public:
  /// Takes the problem of `rows`, which must exist as long as this object.
  GramObjective(GlmObjective& rows, const Options& options) : rows_(rows), sums_(rows), intercept_(options.fit_intercept) {
    const Index p = features(), d = options.places(p) + 1, panel = std::min(largest_panel, p);
    for (Eigen::MatrixXd* matrix : {&hessian_, &inverse_}) matrix->resize(d, d);
    solution_.resize(d);
    diagonal_.resize(d);
    panel_gradient_.resize(panel);
    panel_curvature_.resize(panel);
    panel_cross_.resize(panel, d);
  }

  /// Returns such an objective if it is suitable for the problem, and if the searches for this number of k have enough refits
  /// and scans to pay for its sums. Otherwise returns null.
  static std::unique_ptr<Objective> if_worthwhile(GlmObjective& rows, const Design& design, const LossKernel& loss,
                                                  const Options& options, Index searches) {
    constexpr Index few = 3;
    const Constraints& constraints = options.constraints;
    const bool can_answer = loss.model_accuracy() == ModelAccuracy::exact && !design.sparse() && !constraints.bounded() &&
                            constraints.groups.empty();
    // Scans of a sample are left to the rows, so that a search is the same with both objectives.
    if (!can_answer || Splicing::samples(rows, options.k)) return nullptr;
    const Index p = design.columns();
    const bool asks_often = searches >= few || Options::working_set(p, options.k) == p;
    return asks_often ? std::make_unique<GramObjective>(rows, options) : nullptr;
  }

  Index features() const override { return rows_.features(); }
  double perfect_objective() const override { return rows_.perfect_objective(); }
  ModelAccuracy model_accuracy() const override { return ModelAccuracy::exact; }

  RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) override {
    if (goal.exact || iterate.size() == 0 || !is_ready() || !fetch(iterate.support)) return rows_.refit(iterate, goal);
    const Index size = iterate.size(), d = size + intercept_;
    if (!factorise_active(iterate.support)) return rows_.refit(iterate, goal);
    for (Index i = 0; i < size; ++i) solution_[i] = sums_.slope()[iterate.support[std::size_t(i)]];
    if (intercept_) solution_[size] = sums_.constant().slope;
    // F at the minimum is F0 - 1/2 |L^-1 g|^2.
    const auto factor = inverse_.topLeftCorner(d, d).template triangularView<Eigen::Lower>();
    factor.solveInPlace(solution_.head(d));
    const double objective = sums_.constant().objective - 0.5 * solution_.head(d).squaredNorm();
    if (!has_digits(objective)) return rows_.refit(iterate, goal);
    factor.adjoint().solveInPlace(solution_.head(d));
    iterate.coef.head(size) = -solution_.head(size);
    iterate.intercept = intercept_ ? sums_.constant().intercept - solution_[size] : 0.0;
    iterate.objective = objective;
    return {Status::converged, false, 1};
  }

  Status scan(const Iterate& iterate, const Columns& columns, Hessian kind, ScanSink& sink) override {
    const bool ready =
        is_ready() && fetch(iterate.support) && factorise_active(iterate.support) && has_digits(iterate.objective);
    if (!ready) return rows_.scan(iterate, columns, kind, sink);
    if (columns.list && columns.count <= largest_list) sums_.fetch(columns);
    const bool bounds = !columns.list && columns.count == features() && rows_.bound().possible();
    if (bounds) begin_bound(iterate);
    invert(iterate.size() + intercept_);
    const Index d = iterate.size() + intercept_;
    sink.begin_scan({inverse_.topLeftCorner(d, d), nullptr, nullptr, nullptr, diagonal_.data()});
    for (Index begin = 0; begin < columns.count; begin += largest_panel)
      take_panel(iterate, columns.slice(begin, std::min(largest_panel, columns.count - begin)), sink, bounds);
    if (bounds) rows_.bound().end();
    return rows_.interrupted() ? Status::interrupted : Status::converged;
  }

 private:
  // Features that are scanned by name often enter soon, so their products are computed, unless there are more features than
  // this.
  static constexpr Index largest_list = 64;
  // F is known to some 1e-16 of F0 over the least part of an active feature that the others do not explain. Down to this ratio
  // it has the ten digits by which supports are compared.
  static constexpr double least_ratio = 1e-6;

  bool has_digits(double objective) const {
    return std::isfinite(objective) && least_pivot_ * objective >= least_ratio * sums_.constant().objective;
  }

  // Computes the sums over rows once the units are chosen. Returns false before that, or if interrupted.
  bool is_ready() {
    if (!ready_ && rows_.units().chosen()) ready_ = sums_.sum_rows();
    return ready_;
  }

  bool fetch(const std::vector<Index>& support) { return sums_.fetch({0, Index(support.size()), support.data()}); }

  // Computes the Cholesky factor of the Hessian of a support in inverse_. Returns false if the Hessian is numerically singular.
  bool factorise_active(const std::vector<Index>& support) {
    const Index size = Index(support.size()), d = size + intercept_;
    for (Index j = 0; j < size; ++j) {
      const auto products = sums_.products_with(support[std::size_t(j)]);
      for (Index i = j; i < size; ++i) hessian_(i, j) = products[support[std::size_t(i)]];
      hessian_(j, j) += rows_.units().ridge_of(support[std::size_t(j)]);
      if (intercept_) hessian_(size, j) = sums_.mean()[support[std::size_t(j)]];
    }
    if (intercept_) hessian_(size, size) = sums_.constant().weight;
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

  void take_panel(const Iterate& iterate, const Columns& panel, ScanSink& sink, bool bounds) {
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
    pick(sums_.slope().array(), gradient);
    pick(sums_.curvature().array(), curvature);
    for (Index i = 0; i < size; ++i) pick(sums_.products_with(iterate.support[std::size_t(i)]), cross.col(i));
    if (intercept_) pick(sums_.mean(), cross.col(size));
    gradient.matrix().noalias() += cross.leftCols(size) * iterate.coef.head(size);
    if (intercept_) gradient += cross.col(size).array() * (iterate.intercept - sums_.constant().intercept);
    for (Index c = 0; c < count; ++c)
      if (rows_.units().is_constant(panel[c]))
        curvature[c] = 0;
      else
        curvature[c] += rows_.units().ridge_of(panel[c]);
    const ScanPanel answer{panel, gradient, curvature, cross};
    if (bounds) rows_.bound().take(answer);
    sink.take_panel(answer);
  }

  // The rows' slopes w (eta - y) are moved by a common part s / T of their weights, so that they add up to 0, which costs
  // s^2 / (2 T) of the value: squares have a conjugate everywhere. Sums of products of columns are known to gamma times
  // (the norms of their terms), with those of the best constant among them.
  void begin_bound(const Iterate& iterate) {
    const Index size = iterate.size();
    const auto coef = iterate.coef.head(size);
    bound_coef_.setZero(size + 1);
    bound_coef_.head(size) = coef;
    bound_gradient_.setZero(size + 1);
    const double moved = intercept_ ? iterate.intercept - sums_.constant().intercept : 0.0, total = sums_.constant().weight;
    double slope = sums_.constant().slope + moved * total, penalty = 0;
    double norm = std::sqrt(2 * sums_.constant().objective) + std::abs(moved) * std::sqrt(total);  // of all terms of w^(1/2) r
    for (Index i = 0; i < size; ++i) {
      const Index column = iterate.support[std::size_t(i)];
      const auto products = sums_.products_with(column);
      const double ridge = rows_.units().ridge_of(column);
      double& gradient = bound_gradient_[i];
      gradient = sums_.slope()[column] + moved * sums_.mean()[column] + ridge * coef[i];
      for (Index j = 0; j < size; ++j) gradient += products[iterate.support[std::size_t(j)]] * coef[j];
      if (intercept_) slope += sums_.mean()[column] * coef[i];
      penalty += 0.5 * ridge * coef[i] * coef[i];
      norm += std::abs(coef[i]) * std::sqrt(std::max(products[column], 0.0));
    }
    ScanBound::AtRows at;
    const double gamma = (1024 + double(rows_.rows().count())) * std::numeric_limits<double>::epsilon();
    at.slope_norm = norm;
    at.by_spread = (intercept_ ? std::abs(slope) / std::sqrt(total) : 0.0) + 8 * gamma * norm;
    at.value = iterate.objective - penalty - (intercept_ ? 0.5 * slope * slope / total : 0.0) - 8 * gamma * norm * norm;
    rows_.bound().begin(iterate.support, iterate.support, at, bound_coef_, bound_gradient_);
  }

  GlmObjective& rows_;
  GramColumns sums_;
  const bool intercept_;
  bool ready_ = false;
  double least_pivot_ = 1;                           // of the last factor: the least part of an active feature that is its own
  Eigen::MatrixXd hessian_, inverse_;                // (k + 1, k + 1)
  Eigen::VectorXd solution_, diagonal_;              // (k + 1,)
  Eigen::ArrayXd panel_gradient_, panel_curvature_;  // (largest_panel,)
  Eigen::MatrixXd panel_cross_;                      // (largest_panel, k + 1)
  Eigen::VectorXd bound_coef_, bound_gradient_;      // (k + 1,)
};

}  // namespace ksparse
