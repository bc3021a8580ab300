// Of glm_objective.hpp: F and its derivatives on the gathered columns, and refits by Newton's method.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "glm_objective.hpp"
#include "separation.hpp"

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
  limits.separable = separable_objective;
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
  // For a search only F counts, which is as low as it gets; only one of 0 ends it.
  if (!goal.exact && answer.status == Status::separable && outcome.objective > separable_objective)
    answer.status = Status::converged;
  answer.perfect = !loss_->falls_for_ever() && outcome.objective <= perfect_objective_;
  if (interrupted_) answer.status = Status::interrupted;
  // A ridge with which the Hessian is singular all the same is none.
  if (goal.exact && size > 0 && (ridge_ == 0 || outcome.singular)) answer.status = judge_end(size, outcome, answer.status);
  return answer;
}

// The status of a refit that is to be exact. One that ran out of iterations, or could not descend, may be one without a
// minimum; and one that met the tolerance as well, since F falls by ever less.
inline Status GlmObjective::judge_end(Index size, const NewtonOutcome& outcome, Status status) {
  const bool converged = status == Status::converged;
  if (!converged && status != Status::max_iterations && status != Status::stalled) return status;
  const bool ruled_out = converged && !outcome.singular && slopes_rule_out_separation(size);
  if (loss_->falls_for_ever() && !ruled_out && active_rows_separate(size)) return Status::separable;
  return converged && outcome.singular && holds_near_twins(size) ? Status::stalled : status;
}

// With slopes l_i and signs s_i, F' = sum_i |l_i| (-s_i x_i), and multipliers |l_i| > 0 with which that were exactly 0 would
// prove that nothing separates the rows (separation.hpp). The Newton step d takes F' to 0 to first order, so that
// l_i + h_i x_i.d are such multipliers, up to their sign, unless one of them passes 0. Where rows can be separated, h_i x_i.d
// is about -l_i in some, however far out and whatever the tail of the loss. Rows so far out that their slope is 0 do not
// matter: multipliers as small as one likes serve them. Rounding of F' changes h_i x_i.d by its decrement times the root of h_i
// at most.
inline bool GlmObjective::slopes_rule_out_separation(Index size) {
  constexpr double most = 0.5, rounding_of_sum = 1e-15;
  const Index rows = rows_.count, d = size + intercept_;
  const auto active = active_.topLeftCorner(rows, size);
  const Eigen::Map<const Eigen::VectorXd> slope(rows_.slope, rows), curvature(rows_.curvature, rows);
  auto errors = gradient_.head(d);
  for (Index j = 0; j < size; ++j) errors[j] = rounding_of_sum * active.col(j).cwiseAbs().dot(slope.cwiseAbs());
  if (intercept_) errors[size] = rounding_of_sum * slope.cwiseAbs().sum();
  const double error = newton_.decrement_of(errors);
  const auto step = newton_.last_step(d);
  for (Index i = 0; i < rows; ++i) {
    if (rows_.weight[i] <= 0) continue;
    double move = intercept_ ? step[size] : 0.0;
    for (Index j = 0; j < size; ++j) move += active(i, j) * step[j];
    const double change = std::abs(curvature[i] * move) + std::sqrt(std::abs(curvature[i])) * error;
    if (!(change <= most * std::abs(slope[i]))) return false;
  }
  return true;
}

// Whether the rows can be separated by the active columns, completely or in part. Not so if rounding leaves that open.
inline bool GlmObjective::active_rows_separate(Index size) const {
  const bool bounded = constraints_->bounded();
  Separation separation({rows_.count, size, intercept_, active_.data(), active_.outerStride(), rows_.response, rows_.weight,
                         bounded ? lower_.data() : nullptr, bounded ? upper_.data() : nullptr});
  return separation.exists().value_or(false);
}

// Whether all margins, which are above 0, grow for ever along the ray through the coefficients: not those that an offset makes,
// nor where bounds end the ray.
inline bool GlmObjective::ray_separates(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef) const {
  if (constraints_->bounded())
    for (Index j = 0; j < size; ++j)
      if ((coef[j] < 0 && std::isfinite(lower_[j])) || (coef[j] > 0 && std::isfinite(upper_[j]))) return false;
  if (!rows_.offset) return true;
  for (Index i = 0; i < rows_.count; ++i) {
    if (rows_.weight[i] <= 0) continue;
    double eta = intercept_ ? coef[size] : 0.0;
    for (Index j = 0; j < size; ++j) eta += active_(i, j) * coef[j];
    if (!(rows_.response[i] * eta > 0)) return false;
  }
  return true;
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
