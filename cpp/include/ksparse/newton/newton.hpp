// Safeguarded Newton on the few coefficients of one support: Cholesky of the Hessian, with a convex substitute and a shift
// where it is not positive definite, and Armijo backtracking on F itself, so that F never rises (Nocedal & Wright 2006,
// sections 3.1 and 3.4). The convergence criterion is the Newton decrement sqrt(g' H^-1 g), which does not depend on units. The
// same steps minimise linear models over X (glm/refit.hpp) and functions that Python computes
// (python/bindings/bind_newton.hpp). Bounds on coefficients are handled by projected Newton steps (Bertsekas 1982): free
// coefficients take the step and are clipped, and coefficients at a bound are held if their gradient or their step points
// outwards.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../result.hpp"
#include "../types.hpp"

namespace ksparse {

/// Cholesky factor of H + shift * diag(H), where the shift is 0 unless H is numerically singular. Returns false if even that
/// failed.
template <class Matrix>
bool factorise(const Matrix& hessian, Eigen::Ref<Eigen::MatrixXd> factor, double shift) {
  // Relative to the diagonal, a pivot below this is rounding of a collinear column, not information.
  constexpr double smallest_pivot = 1e-13;
  const Index d = hessian.rows();
  factor = hessian;
  if (shift > 0) factor.diagonal() *= 1 + shift;
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> cholesky(factor);
  if (cholesky.info() != Eigen::Success) return false;
  for (Index j = 0; j < d; ++j) {
    const double pivot = factor(j, j) * factor(j, j);
    if (!(pivot > smallest_pivot * hessian(j, j))) return false;
  }
  return true;
}

struct NewtonLimits {
  int max_iterations = 100;
  double relative_tolerance = 0;                         // stop when half the squared decrement is below this fraction of F
  double tolerance = 0;                                  // stop when the decrement is below this
  double bar = std::numeric_limits<double>::infinity();  // give up when F minus the squared decrement is above this
  const double* lower = nullptr;                         // (d,) lower bounds, or null without bounds
  const double* upper = nullptr;                         // (d,) upper bounds
  double separable = 0;                                  // F below this counts as 0 if the function decreases forever
  double perfect = 0;  // F below this counts as 0 in any case, which is a minimum unless steps are still large
  double noise = 0;    // numerical error of F, in addition to the rounding of a sum
  int max_cut_short =
      std::numeric_limits<int>::max();  // limit of consecutive iterations in which F is not finite along most of the step
};

struct NewtonOutcome {
  Status status = Status::converged;
  bool abandoned = false;
  bool singular = false;  // whether the last Hessian was numerically singular
  int iterations = 0;
  double objective = 0;
};

/// Buffers for Newton's method on up to `capacity` coefficients. A Function offers
///   double linearise(coef, allowed, gradient, hessian)   F there, and where F <= allowed its derivatives (hessian: the lower
///                                                         triangle at least); NaN if any of these is not finite
///   bool can_be_concave()                                 whether there is a substitute for a Hessian that is not positive
///                                                         semi-definite
///   void make_convex(coef, gradient, hessian)             replaces the Hessian at coef, the last point, by the substitute
///   bool convex_stands_in()                               whether the substitute replaces a curvature of 0
///   double usual_width()                                  of the bend of terms with straight tails; 0 if there are none
///   double width_at(F)                                    about how far terms are from their bends where the function is F
///   void widen(coef, width, gradient, hessian)            replaces the Hessian at coef, the last point, by one with bends of
///                                                         this width
///   bool separates(coef)                                  whether F falls towards 0 along the ray through the last point
///   bool has_no_minimum()                                 whether F decreases forever along some ray; called at most once
///   bool interrupted()                                    whether to stop
class Newton {
 public:
  Newton() = default;
  explicit Newton(Index capacity) { reserve(capacity); }

  void reserve(Index capacity) {
    for (Eigen::VectorXd* vector : {&gradient_, &start_gradient_, &step_, &trial_}) vector->resize(capacity);
    for (Eigen::MatrixXd* matrix : {&hessian_, &factor_, &exact_, &convex_}) matrix->resize(capacity, capacity);
    held_.assign(std::size_t(capacity), 0);
  }

  template <class Function>
  NewtonOutcome minimise(Function& function, Eigen::Ref<Eigen::VectorXd> coef, const NewtonLimits& limits) {
    const Index d = coef.size();
    auto gradient = gradient_.head(d);
    auto hessian = hessian_.topLeftCorner(d, d);
    NewtonOutcome outcome;
    clip(coef, limits);
    outcome.objective = function.linearise(coef, std::numeric_limits<double>::infinity(), gradient, hessian);
    double& F = outcome.objective;
    if (!std::isfinite(F)) return end(outcome, Status::numerical_failure);
    bool asked = false;
    int cut_short = 0;
    damping_ = 1;
    width_ = 0;
    while (true) {
      if (function.interrupted()) return end(outcome, Status::interrupted);
      if (d == 0) return outcome;
      const bool wide = width_ > function.usual_width();
      if (wide) function.widen(coef, width_, gradient, hessian);
      if (!solve_for_step(function, coef, d, limits, outcome.singular)) return end(outcome, Status::stalled);
      if (flat_ && width_ == 0 && function.usual_width() > 0 && F > limits.separable) {
        width_ = function.width_at(F);
        continue;
      }
      const double squared = -gradient.dot(step_.head(d));  // the squared decrement
      const double tolerance = std::max(limits.tolerance, rounding_of_gradient * std::sqrt(F));
      if (squared <= std::max({2 * limits.relative_tolerance * F, tolerance * tolerance, limits.noise})) {
        if (squared > 0 && squared <= limits.noise) take_last_step(function, coef, d, limits, F);
        if (wide) {  // a short step may be due to the width
          width_ *= much_narrower;
          F = function.linearise(coef, std::numeric_limits<double>::infinity(), gradient, hessian);
          continue;
        }
        if (!stands_in_ || damping_ <= least_damping) return outcome;
        damping_ = std::max(damping_ * 0.01, least_damping);  // a short step may be due to the substitute curvature
        continue;
      }
      const bool separates = function.separates(coef);
      // F -> 0 along the ray through a separating point: there is no minimiser, and F counts as 0.
      if (separates && F <= limits.separable) return end(outcome, Status::separable);
      // At a perfect fit, steps consist of rounding errors; on the way to an infimum at infinity they do not.
      if (F > 0 && F <= limits.perfect) return end(outcome, is_settled(coef, d) ? Status::converged : Status::separable);
      // F hardly decreases any more after many iterations. It may decrease forever along a ray, if the loss has a slow tail.
      if (!asked && outcome.iterations >= many_iterations && squared <= rounding * F) {
        asked = true;
        if (function.has_no_minimum()) return end(outcome, Status::separable);
      }
      // The quadratic model predicts F - squared / 2. Twice that decrease is allowed before a support is given up. With a
      // substitute curvature the prediction is not a bound, so it is not used.
      if (!separates && !stands_in_ && F - squared > limits.bar) {
        outcome.abandoned = true;
        return outcome;
      }
      if (outcome.iterations == limits.max_iterations)
        return end(outcome, separates ? Status::separable : Status::max_iterations);
      ++outcome.iterations;
      if (!backtrack(function, coef, d, limits, squared, F))
        return end(outcome, squared <= std::max(rounding * F, 10 * limits.noise) ? Status::converged : Status::stalled);
      if (function.usual_width() > 0) adapt_width(function.usual_width(), function.width_at(F));
      // Near the boundary of the region where F is finite, steps may be cut to almost nothing in every iteration.
      cut_short = not_finite_ > 2 ? cut_short + 1 : 0;
      if (cut_short == limits.max_cut_short) return end(outcome, Status::stalled);
    }
  }

  /// The last Newton step, which was not taken: an estimate of the remaining error of the coefficients.
  auto last_step(Index d) const { return step_.head(d); }

  /// An upper bound for the decrement of a gradient whose entries are at most errors_j in absolute value, with the last
  /// Hessian.
  double decrement_of(const Eigen::Ref<const Eigen::VectorXd>& errors) {
    const Index d = errors.size();
    const auto factor = factor_.topLeftCorner(d, d).triangularView<Eigen::Lower>();
    double sum = 0;
    for (Index j = 0; j < d; ++j) {
      trial_.head(d).setZero();
      trial_[j] = errors[j];
      factor.solveInPlace(trial_.head(d));
      sum += trial_.head(d).norm();
    }
    return sum;
  }

 private:
  // Below this fraction of F, the predicted decrease of a step is smaller than the rounding error of F.
  static constexpr double rounding = 1e-9;
  // If there is no curvature along some direction, as for hinges with few rows inside their margin, steps with a substitute
  // curvature are short. As in the Levenberg-Marquardt method, its weight decreases with the number of successful full steps.
  static constexpr double least_damping = 1e-8;
  // Where tails are straight and few rows are near their bends, the Hessian is that of these rows alone. Other rows pass their
  // bends along the step, so that only a small part of it is taken. With wider bends, the Hessian is that of all rows that are
  // about as near. As in a trust region, the width increases after a step that was cut hard, and decreases after a full one. With
  // offsets of 10,000 times the coefficients' usual effect, logistic fits take a tenth of the iterations.
  static constexpr double wider = 4, narrower = 0.25, much_narrower = 0.01;
  // The decrement that rounding errors of the gradient cause, relative to the square root of F. If F is above 1e10, for
  // example, a smaller tolerance cannot be reached.
  static constexpr double rounding_of_gradient = 1e-13;
  // With exponential tails, separable rows take about 35 iterations to the usual tolerance, and a proper minimum takes a few.
  static constexpr int many_iterations = 40;
  // The rounding error of F, a sum over blocks of rows, relative to F: some hundred units in the last place, even for a million
  // rows. With a value of four units, line searches failed, and a hundred tiny steps were taken, with packs of two numbers
  // (baseline).
  static constexpr double rounding_of_sum = 1e-13;

  static NewtonOutcome end(NewtonOutcome outcome, Status status) {
    outcome.status = status;
    return outcome;
  }

  static void clip(Eigen::Ref<Eigen::VectorXd> coef, const NewtonLimits& limits) {
    if (!limits.lower) return;
    for (Index i = 0; i < coef.size(); ++i) coef[i] = std::min(std::max(coef[i], limits.lower[i]), limits.upper[i]);
  }

  // Holds the coefficients at a bound that `direction` would violate. Returns false if there are no new ones.
  template <class Direction>
  bool hold(const Eigen::Ref<Eigen::VectorXd>& coef, Index d, const NewtonLimits& limits, const Direction& direction) {
    bool more = false;
    for (Index i = 0; i < d; ++i) {
      const double move = direction(i);
      const bool outward = (coef[i] <= limits.lower[i] && move < 0) || (coef[i] >= limits.upper[i] && move > 0);
      if (!outward || held_[std::size_t(i)]) continue;
      held_[std::size_t(i)] = more = true;
    }
    return more;
  }

  // Removes the held coefficients from the Hessian.
  void mask_held(Index d) {
    auto hessian = hessian_.topLeftCorner(d, d);
    for (Index i = 0; i < d; ++i) {
      if (!held_[std::size_t(i)]) continue;
      hessian.row(i).setZero();
      hessian.col(i).setZero();
      hessian(i, i) = 1;
    }
  }

  template <class Function>
  bool solve_for_step(Function& function, const Eigen::Ref<Eigen::VectorXd>& coef, Index d, const NewtonLimits& limits,
                      bool& singular) {
    std::fill(held_.begin(), held_.end(), char(0));
    if (!limits.lower) return solve_free(function, coef, d, singular);
    hold(coef, d, limits, [&](Index i) { return -gradient_[i]; });
    do
      if (!solve_free(function, coef, d, singular)) return false;
    while (hold(coef, d, limits, [&](Index i) { return step_[i]; }));
    return true;
  }

  template <class Function>
  bool solve_free(Function& function, const Eigen::Ref<Eigen::VectorXd>& coef, Index d, bool& singular) {
    auto gradient = gradient_.head(d);
    auto hessian = hessian_.topLeftCorner(d, d);
    auto factor = factor_.topLeftCorner(d, d);
    mask_held(d);
    bool done = factorise(hessian, factor, 0);
    stands_in_ = !done && function.can_be_concave() && function.convex_stands_in();
    if (!done && function.can_be_concave()) {
      if (stands_in_) exact_.topLeftCorner(d, d) = hessian;
      function.make_convex(coef, gradient, hessian);
      mask_held(d);
      // Use the full substitute if a part of it is still singular.
      if (stands_in_ && damping_ < 1) {
        convex_.topLeftCorner(d, d) = hessian;
        hessian = damping_ * convex_.topLeftCorner(d, d) + (1 - damping_) * exact_.topLeftCorner(d, d);
        done = factorise(hessian, factor, 0);
        if (!done) hessian = convex_.topLeftCorner(d, d);
      }
      if (!done) done = factorise(hessian, factor, 0);
    }
    singular = !done;
    for (double shift = 1e-10; !done && shift < 1; shift *= 100) done = factorise(hessian, factor, shift);
    set_downhill(d);
    flat_ = false;
    if (done) {
      factor.template triangularView<Eigen::Lower>().solveInPlace(step_.head(d));
      factor.template triangularView<Eigen::Lower>().adjoint().solveInPlace(step_.head(d));
      if (step_.head(d).allFinite()) return true;
      singular = true;  // the curvature is too small to divide by it
      set_downhill(d);
    }
    flat_ = true;
    // There is no curvature at all, as in the far tails of the loss: take a gradient step of the length of the coefficients, or
    // of length 1.
    const double slope = step_.head(d).norm();
    if (!(slope > 0) || !std::isfinite(slope)) return slope == 0;
    step_.head(d) *= std::max(1.0, coef.norm()) / slope;
    return true;
  }

  // The negative gradient of the coefficients that are not held.
  void set_downhill(Index d) {
    step_.head(d) = -gradient_.head(d);
    for (Index i = 0; i < d; ++i)
      if (held_[std::size_t(i)]) step_[i] = 0;
  }

  // The largest absolute entry; a Euclidean norm could overflow.
  template <class Vector>
  static double largest(const Vector& vector) {
    return vector.cwiseAbs().maxCoeff();
  }

  // Leaves the function and coef linearised at the accepted point. Returns false if no step decreases F.
  template <class Function>
  bool backtrack(Function& function, Eigen::Ref<Eigen::VectorXd> coef, Index d, const NewtonLimits& limits, double squared,
                 double& F) {
    constexpr double sufficient = 1e-4;  // Armijo's constant
    constexpr int max_halvings = 40;
    auto gradient = gradient_.head(d);
    auto hessian = hessian_.topLeftCorner(d, d);
    // This close to the minimum, a full step is correct, and changes of F are rounding errors of its sum over the rows.
    const bool is_near = squared <= std::max(rounding * F, 100 * limits.noise);
    const double slack = is_near ? std::max(rounding_of_sum * F, limits.noise) : 0.0;
    not_finite_ = 0;
    if (limits.lower) start_gradient_.head(d) = gradient;
    const double length = largest(step_.head(d)), longest = longest_step(largest(coef));
    double t = length > longest ? longest / length : 1.0;
    for (int halving = 0; halving < max_halvings; ++halving) {
      trial_.head(d) = coef + t * step_.head(d);
      double promised = t * squared;  // predicted by the slope at the start
      if (limits.lower) {
        clip(trial_.head(d), limits);
        promised = std::max(0.0, start_gradient_.head(d).dot(coef - trial_.head(d)));
      }
      const double allowed = F - sufficient * promised + slack;
      const double value = function.linearise(trial_.head(d), allowed, gradient, hessian);
      if (value <= allowed) {
        halvings_ = halving;
        damping_ = halving == 0 ? std::max(damping_ * 0.1, least_damping) : std::min(damping_ * 10, 1.0);
        coef = trial_.head(d);
        F = value;
        return true;
      }
      if (function.interrupted()) return false;
      // The minimiser of the parabola through F, its slope and the trial value, limited to [t / 10, t / 2].
      const double excess = value - F + t * squared;
      not_finite_ += !std::isfinite(value);
      t *= std::isfinite(excess) && excess > 0 ? std::clamp(0.5 * t * squared / excess, 0.1, 0.5) : 0.1;
      if (t * squared < 1e-3 * limits.noise) break;
    }
    return false;
  }

  // After a line search that succeeded. `far` is the width with which to begin.
  void adapt_width(double usual, double far) {
    if (halvings_ == 0) width_ = std::max(width_ * narrower, std::min(width_, usual));
    if (halvings_ > 1) width_ = width_ > 0 ? width_ * wider : far;
  }

  // Takes a step whose predicted decrease is below the noise of F, if F does not seem to increase.
  template <class Function>
  void take_last_step(Function& function, Eigen::Ref<Eigen::VectorXd> coef, Index d, const NewtonLimits& limits, double& F) {
    trial_.head(d) = coef + step_.head(d);
    clip(trial_.head(d), limits);
    const double value = function.linearise(trial_.head(d), F, gradient_.head(d), hessian_.topLeftCorner(d, d));
    if (!(value <= F)) return;
    coef = trial_.head(d);
    F = value;
  }

  // Whether the step changes the coefficients only negligibly.
  bool is_settled(const Eigen::Ref<Eigen::VectorXd>& coef, Index d) const {
    return largest(step_.head(d)) <= 1e-6 * std::max(largest(coef), 1e-6);
  }

  Eigen::VectorXd gradient_;        // (capacity,)
  Eigen::VectorXd start_gradient_;  // (capacity,) where a line search with bounds began
  Eigen::VectorXd step_;            // (capacity,)
  Eigen::VectorXd trial_;           // (capacity,) coefficients tried
  Eigen::MatrixXd hessian_;         // (capacity, capacity), lower triangle
  Eigen::MatrixXd factor_;          // (capacity, capacity), lower triangle
  Eigen::MatrixXd exact_, convex_;  // (capacity, capacity) Hessians whose mixture is hessian_, if there is a substitute
  int halvings_ = 0;                // number of times that the last line search cut the step
  double width_ = 0;                // of the bends in the Hessian; 0 as long as no step was cut hard
  bool flat_ = false;               // whether there was no curvature for the last step
  int not_finite_ = 0;              // number of trial points of the last line search at which F was not finite
  double damping_ = 1;              // the weight of the substitute curvature in the Hessian
  bool stands_in_ = false;          // whether the last step used a substitute curvature
  std::vector<char> held_;          // (capacity,) whether a coefficient stays at its bound in this step
};

}  // namespace ksparse
