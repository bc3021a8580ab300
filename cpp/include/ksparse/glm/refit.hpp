// Of glm_objective.hpp: F and its derivatives on the gathered columns, and refits by Newton's method.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "objective.hpp"

namespace ksparse {

// The block of rows as the kernels take it, curvature times active columns filled in.
inline RowBlock GlmObjective::row_block(Index first, Index rows, Index size, const double* curvature) {
  for (Index j = 0; j < size; ++j)
    cross_.col(j).head(rows).array() =
        Eigen::Map<const Eigen::ArrayXd>(rows_.curvature + first, rows) * active_.col(j).segment(first, rows).array();
  return {first, rows, rows_.slope + first, curvature + first, cross_.data(), cross_.outerStride(), size};
}

inline double GlmObjective::linearise(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef, Curvature curvature,
                                      Eigen::Ref<Eigen::VectorXd> gradient, Eigen::Ref<Eigen::MatrixXd> hessian) {
  const double intercept = intercept_ ? coef[size] : 0.0;
  LossSums sums_over_rows;
  linearised_ = false;
  active_sums_.topLeftCorner(size, Sums::cross + size).setZero();
  const Sums sums{active_sums_.data(), active_sums_.outerStride()};
  for (Index first = 0; first < rows_.padded; first += block_rows) {
    if (first % (64 * block_rows) == 0 && first > 0 && interrupted()) return std::numeric_limits<double>::quiet_NaN();
    const Index rows = std::min(block_rows, rows_.padded - first);
    sums_over_rows.add(loss_->evaluate({rows, size, active_.data() + first, active_.outerStride(), coef.data(), intercept,
                                        rows_.offset ? rows_.offset + first : nullptr, rows_.response + first,
                                        rows_.weight + first, rows_.slope + first, rows_.curvature + first, curvature}));
    const RowBlock block = row_block(first, rows, size, rows_.curvature);
    // The Hessian is symmetric: a tile that begins at column c needs the products with columns 0 .. c + 3 only.
    kernels::accumulate_columns(
        size, block, sums, [&](Index c) { return active_.data() + c * active_.outerStride() + first; },
        [&](Index c) { return std::min(c + 4, size); });
  }
  sum_slope_ = sums_over_rows.slope;
  sum_curvature_ = sums_over_rows.curvature;
  lowest_margin_ = sums_over_rows.lowest_margin;
  saw_concave_ = sums_over_rows.concave;
  const double penalty = assemble(size, coef, gradient, hessian);
  // Row loops of a convex linearisation and of one without concave rows give the same.
  linearised_ = curvature == Curvature::convex || !saw_concave_;
  if (linearised_) {
    linearised_columns_.assign(slots_.begin(), slots_.begin() + size);
    linearised_coef_.head(coef.size()) = coef;
  }
  return sums_over_rows.value + penalty;
}

// Gradient and Hessian (lower triangle) from the sums over rows; returns the penalty.
inline double GlmObjective::assemble(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef,
                                     Eigen::Ref<Eigen::VectorXd> gradient, Eigen::Ref<Eigen::MatrixXd> hessian) const {
  double penalty = 0;
  for (Index j = 0; j < size; ++j) {
    const double ridge = ridge_ > 0 ? ridge_of(slots_[std::size_t(j)]) : 0.0;
    penalty += 0.5 * ridge * coef[j] * coef[j];
    gradient[j] = active_sums_(j, Sums::slope) + ridge * coef[j];
    for (Index i = j; i < size; ++i) hessian(i, j) = active_sums_(i, Sums::cross + j);
    hessian(j, j) += ridge;
    if (inverse_scale_[slots_[std::size_t(j)]] == 0) hessian(j, j) = 1;  // 0 in every row: it stays where it is
    if (intercept_) hessian(size, j) = active_sums_(j, Sums::curvature);
  }
  if (intercept_) {
    gradient[size] = sum_slope_;
    hessian(size, size) = sum_curvature_;
  }
  return penalty;
}

inline RefitOutcome GlmObjective::refit(Iterate& iterate, const RefitGoal& goal) {
  // While searching, an objective to ten digits is enough to compare supports; the answer is refitted to the user's tolerance.
  constexpr double search_tolerance = 1e-10, rough_tolerance = 1e-4;
  const Index size = take_active(iterate, goal.likely), d = size + intercept_;
  if (interrupted_) return {Status::interrupted};
  SupportFunction function(*this, size);
  if (!started_) {
    started_ = true;
    if (size == 0 && intercept_ && iterate.intercept == 0) beta_[0] = start_;
  }
  NewtonLimits limits;
  limits.max_iterations = max_newton_;
  limits.bar = goal.bar;
  if (constraints_->bounded()) {
    set_bounds(active_columns_);
    limits.lower = lower_.data();
    limits.upper = upper_.data();
  }
  limits.tolerance = least_tolerance_;
  if (goal.exact)
    limits.tolerance = std::max(tolerance_ * tolerance_unit_, least_tolerance_);
  else
    limits.relative_tolerance = goal.rough ? rough_tolerance : search_tolerance;
  const NewtonOutcome outcome = newton_.minimise(function, beta_.head(d), limits);
  if (!loss_->is_binary() && size == 0) tolerance_unit_ = std::sqrt(std::min(1.0, outcome.objective));
  for (Index place = 0; place < iterate.size(); ++place)
    for (Index j = starts_[std::size_t(place)], i = 0; j < starts_[std::size_t(place + 1)]; ++j, ++i)
      iterate.coef[place * iterate.stride + i] = beta_[j];
  iterate.intercept = intercept_ ? beta_[size] : 0.0;
  iterate.objective = outcome.objective;
  RefitOutcome answer{outcome.status, outcome.abandoned, outcome.iterations};
  answer.perfect = !loss_->falls_for_ever() && outcome.objective <= perfect_objective_;
  if (interrupted_) answer.status = Status::interrupted;
  // A ridge with which the Hessian is singular all the same is none.
  if (goal.exact && answer.status == Status::converged && (ridge_ == 0 || outcome.singular) && size > 0) {
    const bool runs_away =
        loss_->falls_for_ever() &&
        (outcome.singular ? columns_are_independent(size) : largest_move_is_unbounded(size, newton_.last_step(d)));
    if (runs_away)
      answer.status = Status::separable;
    else if (outcome.singular && holds_near_twins(size))
      answer.status = Status::stalled;
  }
  return answer;
}

// Where part of the rows can be separated, F falls for ever along a ray, by ever less: Newton's decrement vanishes, but its
// step still moves those rows' margins by about one (their loss is exponential). At a proper minimiser the step vanishes too.
inline bool GlmObjective::largest_move_is_unbounded(Index size, const Eigen::Ref<const Eigen::VectorXd>& step) const {
  constexpr double unbounded = 0.05;
  for (Index i = 0; i < rows_.count; ++i) {
    if (rows_.weight[i] <= 0) continue;
    double move = intercept_ ? step[size] : 0.0;
    for (Index j = 0; j < size; ++j) move += active_(i, j) * step[j];
    if (std::abs(move) > unbounded) return true;
  }
  return false;
}

// Whether the active columns (and the intercept) are linearly independent over the rows that count. If they are and the Hessian
// is singular all the same, the curvature has died out along some direction: the rows that move along it are separated.
inline bool GlmObjective::columns_are_independent(Index size) {
  const Index d = size + intercept_;
  auto gram = hessian_.topLeftCorner(d, d);
  gram.setZero();
  for (Index i = 0; i < rows_.count; ++i) {
    if (rows_.weight[i] <= 0) continue;
    gradient_.head(size) = active_.row(i).head(size);
    if (intercept_) gradient_[size] = 1;
    gram.template selfadjointView<Eigen::Lower>().rankUpdate(gradient_.head(d), rows_.weight[i]);
  }
  return factorise(gram, inverse_.topLeftCorner(d, d), 0);
}

// Whether some active column differs from a combination of others by more than the rounding of its entries, but by less than
// Newton's method can make use of: the combinations that their difference allows are out of its reach, whatever they are worth.
// By the residual of each column's regression on those before it, taken twice, as for Gram-Schmidt (Bjorck 1996,
// section 2.4.5).
inline bool GlmObjective::holds_near_twins(Index size) {
  constexpr double clear = 1e-7;  // of its own length: then Newton tells it from the others
  const double rounding = 32 * std::numeric_limits<double>::epsilon();
  const Index rows = rows_.count;
  linearised_ = false;
  const Eigen::Map<const Eigen::ArrayXd> weight(rows_.weight, rows);
  Eigen::Map<Eigen::VectorXd> residual(rows_.slope, rows), weighted(rows_.curvature, rows);
  const auto column = [&](Index place) { return active_.col(place).head(rows); };
  Index kept = 0;
  held_places_.clear();  // those kept
  for (Index j = 0; j < size; ++j) {
    residual = column(j);
    const double length = std::sqrt((weight * residual.array().square()).sum());
    for (int pass = 0; pass < 2; ++pass) {
      if (intercept_) residual.array() -= (weight * residual.array()).sum() / weight.sum();
      if (kept == 0) continue;
      weighted = weight * residual.array();
      auto coef = gradient_.head(kept);
      for (Index i = 0; i < kept; ++i) coef[i] = column(held_places_[std::size_t(i)]).dot(weighted);
      const auto factor = inverse_.topLeftCorner(kept, kept).template triangularView<Eigen::Lower>();
      factor.solveInPlace(coef);
      factor.adjoint().solveInPlace(coef);
      for (Index i = 0; i < kept; ++i) residual -= coef[i] * column(held_places_[std::size_t(i)]);
    }
    const double left = std::sqrt((weight * residual.array().square()).sum());
    const Index feature = slots_[std::size_t(j)];
    if (left <= clear * length) {
      const double entries = 1 + std::abs(centre_[feature]) * inverse_scale_[feature];
      if (left > rounding * entries * length) return true;
      continue;
    }
    held_places_.push_back(j);
    for (Index i = 0; i <= kept; ++i) {
      const Index other = held_places_[std::size_t(i)];
      double product = (weight * column(j).array() * column(other).array()).sum();
      if (intercept_) product -= (weight * column(j).array()).sum() * (weight * column(other).array()).sum() / weight.sum();
      hessian_(kept, i) = product;
    }
    ++kept;
    if (!factorise(hessian_.topLeftCorner(kept, kept), inverse_.topLeftCorner(kept, kept), 0)) return true;
  }
  return false;
}

}  // namespace ksparse
