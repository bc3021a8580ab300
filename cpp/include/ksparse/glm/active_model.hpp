// The quadratic model of F on the active columns at the point of a scan: the inverse of the Hessian without coefficients that
// are held at a bound by their gradient.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <vector>

#include "../groups.hpp"
#include "../newton/newton.hpp"
#include "../search/objective.hpp"
#include "linearisation.hpp"
#include "panel_sums.hpp"

namespace ksparse {

class ActiveModel {
 public:
  /// With groups, no coefficient is held at a bound, because groups enter or leave as a whole.
  void reset(Linearisation& linearisation, bool groups, Index capacity) {
    linearisation_ = &linearisation;
    holds_ = linearisation.units().bounded() && !groups;
    groups_ = groups;
    const Index d = capacity + 1;
    for (Eigen::VectorXd* vector : {&coef_, &gradient_, &diagonal_}) vector->resize(d);
    for (Eigen::MatrixXd* matrix : {&hessian_, &inverse_}) matrix->resize(d, d);
    if (holds_) {
      lower_.resize(d);
      upper_.resize(d);
      whole_hessian_.resize(d, d);
    }
    held_.clear();
    held_.reserve(std::size_t(capacity));
  }

  /// At an iterate, with the Hessian of the rows that these sums go over. Returns false if interrupted.
  bool set(const Iterate& iterate, PanelSums& sums) {
    ActiveColumns& active = linearisation_->active();
    if (!active.take(iterate, {}, coef_)) return false;
    const Index d = active.dimension();
    auto hessian = hessian_.topLeftCorner(d, d);
    linearisation_->compute_convex(coef_.head(d), gradient_.head(d), hessian);
    if (linearisation_->interruption().happened()) return false;
    sums.take_point({active.size(), !linearisation_->units().chosen()});
    sums.replace_hessian(hessian);
    held_.clear();
    if (holds_) hold_at_bounds();
    diagonal_.head(d) = hessian.diagonal();
    invert(d);
    return true;
  }

  ScanPoint point() const {
    const Index d = linearisation_->active().dimension();
    const auto inverse = inverse_.topLeftCorner(d, d);
    if (groups_) return {inverse, nullptr, nullptr, linearisation_->active().starts().data()};
    const bool any_held = !held_.empty();
    return {inverse, any_held ? &whole_hessian_ : nullptr, any_held ? &gradient_ : nullptr, nullptr, diagonal_.data()};
  }
  /// The point, the intercept last if there is one, and the gradient of F there.
  const Eigen::VectorXd& coef() const noexcept { return coef_; }
  const Eigen::VectorXd& gradient() const noexcept { return gradient_; }
  const ActiveColumns& active() const noexcept { return linearisation_->active(); }
  Interruption& interruption() const noexcept { return linearisation_->interruption(); }

 private:
  // Takes coefficients that their gradient presses against a bound out of the Hessian, after a copy of it.
  void hold_at_bounds() {
    const Index size = active().size(), d = active().dimension();
    linearisation_->units().bounds_of(active().columns(), lower_, upper_);
    for (Index i = 0; i < size; ++i) {
      const bool held = (coef_[i] <= lower_[i] && gradient_[i] > 0) || (coef_[i] >= upper_[i] && gradient_[i] < 0);
      if (held) held_.push_back(i);
    }
    if (held_.empty()) return;
    whole_hessian_.topLeftCorner(d, d) = hessian_.topLeftCorner(d, d).template selfadjointView<Eigen::Lower>();
    for (const Index i : held_) {
      hessian_.row(i).head(d).setZero();
      hessian_.col(i).head(d).setZero();
      hessian_(i, i) = 1;
    }
  }

  void invert(Index d) {
    auto hessian = hessian_.topLeftCorner(d, d);
    auto inverse = inverse_.topLeftCorner(d, d);
    bool done = false;
    for (double shift = 0; !done && shift < 1; shift = shift == 0 ? 1e-10 : shift * 100)
      done = factorise(hessian, inverse, shift);
    if (!done) {  // no curvature at all: any positive definite matrix will do to rank features by their gradient
      inverse.setIdentity();
      return;
    }
    hessian.template triangularView<Eigen::Lower>() = inverse;  // L; the Hessian itself is no longer needed
    inverse.setIdentity();
    hessian.template triangularView<Eigen::Lower>().solveInPlace(inverse);
    hessian.template triangularView<Eigen::Lower>().adjoint().solveInPlace(inverse);
    for (const Index i : held_) inverse(i, i) = 0;
  }

  Linearisation* linearisation_ = nullptr;
  bool holds_ = false, groups_ = false;
  Eigen::VectorXd coef_, gradient_;    // (capacity + 1,)
  Eigen::VectorXd diagonal_;           // (capacity + 1,) of the Hessian
  Eigen::MatrixXd hessian_, inverse_;  // (capacity + 1, capacity + 1)
  Eigen::MatrixXd whole_hessian_;      // (capacity + 1, capacity + 1) before the held coefficients were taken out
  Eigen::VectorXd lower_, upper_;      // (capacity + 1,) bounds in units
  std::vector<Index> held_;            // places of coefficients held at a bound
};

}  // namespace ksparse
