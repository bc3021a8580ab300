// The quadratic model of F on the active columns at the point of a scan.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include "../search/active_hessian.hpp"
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
    coef_.resize(d);
    model_.reserve(d, holds_);
    if (holds_) {
      lower_.resize(d);
      upper_.resize(d);
    }
  }

  /// At an iterate, with the Hessian of the rows that these sums go over. Returns false if interrupted.
  bool set(const Iterate& iterate, PanelSums& sums) {
    ActiveColumns& active = linearisation_->active();
    if (!active.take(iterate, {}, coef_)) return false;
    const Index d = active.dimension();
    auto hessian = model_.hessian(d);
    linearisation_->compute_convex(coef_.head(d), model_.gradient(d), hessian);
    if (linearisation_->interruption().happened()) return false;
    sums.take_point({active.size(), !linearisation_->units().chosen()});
    sums.replace_hessian(hessian);
    if (holds_) linearisation_->units().bounds_of(active.columns(), lower_, upper_);
    model_.invert(d, active.size(), coef_.data(), holds_ ? lower_.data() : nullptr, holds_ ? upper_.data() : nullptr);
    return true;
  }

  ScanPoint point() const {
    const ActiveColumns& active = linearisation_->active();
    return groups_ ? model_.point_of_groups(active.dimension(), active.starts().data()) : model_.point(active.dimension());
  }
  /// The point, the intercept last if there is one, and the gradient of F there.
  const Eigen::VectorXd& coef() const noexcept { return coef_; }
  const Eigen::VectorXd& gradient() const noexcept { return model_.gradient(); }
  const ActiveColumns& active() const noexcept { return linearisation_->active(); }
  Interruption& interruption() const noexcept { return linearisation_->interruption(); }

 private:
  Linearisation* linearisation_ = nullptr;
  bool holds_ = false, groups_ = false;
  Eigen::VectorXd coef_;           // (capacity + 1,)
  Eigen::VectorXd lower_, upper_;  // (capacity + 1,) bounds in units
  ActiveHessian model_;
};

}  // namespace ksparse
