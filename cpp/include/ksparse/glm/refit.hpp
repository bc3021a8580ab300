// Refits of a support by Newton's method, and the interpretation of their results: separable data, and nearly collinear
// columns.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "../newton/newton.hpp"
#include "../options.hpp"
#include "../search/objective.hpp"
#include "linearisation.hpp"
#include "near_twins.hpp"
#include "separation.hpp"
#include "unit_of_responses.hpp"

namespace ksparse {

class Refit {
 public:
  void reset(Linearisation& linearisation, const Rows& rows, const Options& options, Index capacity) {
    linearisation_ = &linearisation;
    tolerance_ = options.tolerance;
    max_newton_ = options.max_newton;
    scale_ = {};
    started_ = false;
    newton_.reserve(capacity + 1);
    for (Eigen::VectorXd* vector : {&coef_, &errors_, &lower_, &upper_}) vector->resize(capacity + 1);
    if (!linearisation.loss().is_binary())
      measure_scale(rows);
    else if (!linearisation.loss().falls_for_ever())
      scale_.least_tolerance = rounding_of_labels;
  }

  RefitOutcome run(Iterate& iterate, const RefitGoal& goal);

  /// F below this counts as 0.
  double perfect_objective() const noexcept { return scale_.perfect; }

 private:
  // Relative to F at coefficients of 0: residuals of some 1e-14 of the responses are a perfect fit; and the decrement that is
  // left to the rounding of residuals, relative to the square root of that F.
  static constexpr double perfect = 1e-28, rounding = 1e-15;
  // The same decrement for labels, for which F can be 0.
  static constexpr double rounding_of_labels = 1e-13;

  // The scale of F, from which the size of rounding errors follows. The defaults are for labels, for which F is of order one.
  struct Scale {
    double perfect = separable_objective;
    double least_tolerance = 0;  // the decrement that is rounding
    double tolerance_unit = 1;   // of the user's tolerance
    double start = 0;            // intercept of the first refit
  };

  // F and its derivatives on the active columns, as Newton asks for them.
  class Function {
   public:
    explicit Function(const Refit& refit) : refit_(refit), linearisation_(*refit.linearisation_) {}
    double linearise(const Eigen::Ref<const Eigen::VectorXd>& coef, double /*allowed*/, Eigen::Ref<Eigen::VectorXd> gradient,
                     Eigen::Ref<Eigen::MatrixXd> hessian) {
      return linearisation_.compute(coef, Curvature::exact, gradient, hessian);
    }
    bool can_be_concave() const { return linearisation_.saw_concave(); }
    void make_convex(const Eigen::Ref<const Eigen::VectorXd>& coef, Eigen::Ref<Eigen::VectorXd> gradient,
                     Eigen::Ref<Eigen::MatrixXd> hessian) {
      linearisation_.compute(coef, Curvature::convex, gradient, hessian);
    }
    bool convex_stands_in() const { return linearisation_.loss().has_convex_curvature(); }
    double usual_width() const { return linearisation_.loss().bend_scale().width; }
    double width_at(double value) const { return value / linearisation_.loss().bend_scale().slope; }
    void widen(const Eigen::Ref<const Eigen::VectorXd>& coef, double width, Eigen::Ref<Eigen::VectorXd> gradient,
               Eigen::Ref<Eigen::MatrixXd> hessian) {
      linearisation_.compute(coef, Curvature::wide, gradient, hessian, width);
    }
    bool separates(const Eigen::Ref<const Eigen::VectorXd>& coef) const {
      return linearisation_.units().ridge() == 0 && linearisation_.lowest_margin() > 0 && refit_.ray_separates(coef);
    }
    bool has_no_minimum() const {
      return linearisation_.units().ridge() == 0 && linearisation_.loss().falls_for_ever() && refit_.rows_separate();
    }
    bool interrupted() { return linearisation_.interruption().asked(); }

   private:
    const Refit& refit_;
    Linearisation& linearisation_;
  };

  const ActiveColumns& active() const noexcept { return linearisation_->active(); }
  bool bounded() const { return linearisation_->units().bounded(); }
  bool intercept() const noexcept { return linearisation_->units().intercept(); }

  void measure_scale(const Rows& rows);
  NewtonLimits limits_for(const RefitGoal& goal);
  Status status_of_end(const NewtonOutcome& outcome, Status status);
  bool slopes_rule_out_separation();
  bool rows_separate() const;
  bool ray_separates(const Eigen::Ref<const Eigen::VectorXd>& coef) const;

  Linearisation* linearisation_ = nullptr;
  double tolerance_ = 0;
  int max_newton_ = 0;
  Scale scale_;
  bool started_ = false;
  Newton newton_;
  Eigen::VectorXd coef_, errors_;  // (capacity + 1,)
  Eigen::VectorXd lower_, upper_;  // (capacity + 1,) bounds in units of the active columns, if there are any
};

// F at coefficients of 0, and the linear predictor from which to start. Where the linear predictor is the logarithm of a mean, F
// at 0 may be of any size, and rounding is to be compared with 1, its unit.
inline void Refit::measure_scale(const Rows& rows) {
  double at_zero = 1.0;
  if (!predicts_logarithm(linearisation_->loss())) {
    const Index d = intercept();
    double zero = 0, slope, curvature;
    at_zero = linearisation_->compute(Eigen::Map<const Eigen::VectorXd>(&zero, d), Curvature::exact,
                                      Eigen::Map<Eigen::VectorXd>(&slope, d), Eigen::Map<Eigen::MatrixXd>(&curvature, d, d));
  }
  scale_.perfect = perfect * at_zero;
  scale_.least_tolerance = rounding * std::sqrt(at_zero);
  if (!intercept()) return;
  const double total = rows.weight().sum();
  const double start = linearisation_->loss().start(rows.weight().dot(rows.response()) / total);
  scale_.start = start - (rows.offset().size() ? rows.weight().dot(rows.offset()) / total : 0.0);
}

// During the search, ten correct digits of the objective are sufficient to compare supports. The final support is refitted to
// the user's tolerance.
inline NewtonLimits Refit::limits_for(const RefitGoal& goal) {
  constexpr double search_tolerance = 1e-10, rough_tolerance = 1e-4;
  NewtonLimits limits;
  limits.max_iterations = max_newton_;
  limits.bar = goal.bar;
  limits.separable = separable_objective;
  if (bounded()) {
    linearisation_->units().bounds_of(active().columns(), lower_, upper_);
    limits.lower = lower_.data();
    limits.upper = upper_.data();
  }
  limits.tolerance = scale_.least_tolerance;
  if (goal.exact)
    limits.tolerance = std::max(tolerance_ * scale_.tolerance_unit, scale_.least_tolerance);
  else
    limits.relative_tolerance = goal.rough ? rough_tolerance : search_tolerance;
  return limits;
}

inline RefitOutcome Refit::run(Iterate& iterate, const RefitGoal& goal) {
  if (!linearisation_->active().take(iterate, goal.likely, coef_)) return {Status::interrupted};
  const Index size = active().size();
  if (!started_) {
    started_ = true;
    if (size == 0 && intercept() && iterate.intercept == 0) coef_[0] = scale_.start;
  }
  const LossKernel& loss = linearisation_->loss();
  Function function(*this);
  const NewtonOutcome outcome = newton_.minimise(function, coef_.head(active().dimension()), limits_for(goal));
  if (!loss.is_binary() && size == 0) scale_.tolerance_unit = std::sqrt(std::min(1.0, outcome.objective));
  active().give(coef_, iterate);
  iterate.objective = outcome.objective;
  RefitOutcome answer{outcome.status, outcome.abandoned, outcome.iterations};
  // The search uses only F, which cannot be decreased further here. It ends only if F is 0.
  if (!goal.exact && answer.status == Status::separable && outcome.objective > separable_objective)
    answer.status = Status::converged;
  answer.perfect = !loss.falls_for_ever() && outcome.objective <= scale_.perfect;
  if (linearisation_->interruption().happened()) answer.status = Status::interrupted;
  // A ridge with which the Hessian is still singular has no effect.
  if (goal.exact && size > 0 && (linearisation_->units().ridge() == 0 || outcome.singular))
    answer.status = status_of_end(outcome, answer.status);
  return answer;
}

// The status of an exact refit. If it reached the limit of iterations, or could not decrease F, there may be no minimum. The
// same is possible if it met the tolerance, because F may decrease ever more slowly.
inline Status Refit::status_of_end(const NewtonOutcome& outcome, Status status) {
  const bool converged = status == Status::converged;
  if (!converged && status != Status::max_iterations && status != Status::stalled) return status;
  const bool ruled_out = converged && !outcome.singular && slopes_rule_out_separation();
  if (linearisation_->loss().falls_for_ever() && !ruled_out && rows_separate()) return Status::separable;
  return converged && outcome.singular && NearTwins(active()).exist() ? Status::stalled : status;
}

// With slopes l_i and signs s_i, F' = sum_i |l_i| (-s_i x_i), and multipliers |l_i| > 0 with which that were exactly 0 would
// prove that nothing separates the rows (separation.hpp). The Newton step d takes F' to 0 to first order, so that
// l_i + h_i x_i.d are such multipliers, up to their sign, unless one of them passes 0. Where rows can be separated, h_i x_i.d
// is about -l_i in some, however far out and whatever the tail of the loss. Rows so far out that their slope is 0 do not
// matter: multipliers as small as one likes serve them. Rounding of F' changes h_i x_i.d by its decrement times the root of h_i
// at most.
inline bool Refit::slopes_rule_out_separation() {
  constexpr double most = 0.5, rounding_of_sum = 1e-15;
  const RowsView& rows = active().rows();
  const Index size = active().size(), d = active().dimension();
  const auto values = active().values().topLeftCorner(rows.count, size);
  const Eigen::Map<const Eigen::VectorXd> slope(rows.slope, rows.count), curvature(rows.curvature, rows.count);
  auto errors = errors_.head(d);
  for (Index j = 0; j < size; ++j) errors[j] = rounding_of_sum * values.col(j).cwiseAbs().dot(slope.cwiseAbs());
  if (intercept()) errors[size] = rounding_of_sum * slope.cwiseAbs().sum();
  const double error = newton_.decrement_of(errors);
  const auto step = newton_.last_step(d);
  for (Index i = 0; i < rows.count; ++i) {
    if (rows.weight[i] <= 0) continue;
    double move = intercept() ? step[size] : 0.0;
    for (Index j = 0; j < size; ++j) move += values(i, j) * step[j];
    const double change = std::abs(curvature[i] * move) + std::sqrt(std::abs(curvature[i])) * error;
    if (!(change <= most * std::abs(slope[i]))) return false;
  }
  return true;
}

// Whether the active columns separate the rows, completely or in part. Returns false if rounding errors do not allow a
// decision.
inline bool Refit::rows_separate() const {
  const RowsView& rows = active().rows();
  Separation separation({rows.count, active().size(), intercept(), active().column(0), active().values().outerStride(),
                         rows.response, rows.weight, bounded() ? lower_.data() : nullptr, bounded() ? upper_.data() : nullptr});
  return separation.exists().value_or(false);
}

// Whether all margins, which are above 0, grow forever along the ray through the coefficients. They do not if they are due to
// an offset, or if bounds end the ray.
inline bool Refit::ray_separates(const Eigen::Ref<const Eigen::VectorXd>& coef) const {
  const RowsView& rows = active().rows();
  const Index size = active().size();
  if (bounded())
    for (Index j = 0; j < size; ++j)
      if ((coef[j] < 0 && std::isfinite(lower_[j])) || (coef[j] > 0 && std::isfinite(upper_[j]))) return false;
  if (!rows.offset) return true;
  for (Index i = 0; i < rows.count; ++i) {
    if (rows.weight[i] <= 0) continue;
    double eta = intercept() ? coef[size] : 0.0;
    for (Index j = 0; j < size; ++j) eta += active().values()(i, j) * coef[j];
    if (!(rows.response[i] * eta > 0)) return false;
  }
  return true;
}

}  // namespace ksparse
