// The quadratic model of F on the active coefficients at the point of a scan: the inverse of the Hessian without coefficients
// that are held at a bound by their gradient.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../newton/newton.hpp"
#include "../types.hpp"
#include "objective.hpp"

namespace ksparse {

class ActiveHessian {
 public:
  /// Makes room for d coefficients, of which some may be held at a bound if `bounds`.
  void reserve(Index d, bool bounds) {
    if (d > hessian_.rows()) {
      for (Eigen::MatrixXd* matrix : {&hessian_, &inverse_}) matrix->resize(d, d);
      gradient_.resize(d);
      diagonal_.resize(d);
    }
    if (bounds && d > whole_.rows()) whole_.resize(d, d);
    held_.reserve(std::size_t(d));
  }

  /// H and F' at the point, which the caller sets; of H, the lower triangle.
  Eigen::Block<Eigen::MatrixXd> hessian(Index d) { return hessian_.topLeftCorner(d, d); }
  Eigen::VectorBlock<Eigen::VectorXd> gradient(Index d) { return gradient_.head(d); }
  const Eigen::VectorXd& gradient() const noexcept { return gradient_; }

  /// Inverts H once it is set. Of `size` coefficients, those that their gradient presses against a bound are taken out; without
  /// bounds, lower and upper are null.
  void invert(Index d, Index size, const double* coef, const double* lower, const double* upper) {
    held_.clear();
    if (lower) hold(d, size, coef, lower, upper);
    diagonal_.head(d) = hessian_.topLeftCorner(d, d).diagonal();
    invert(d);
  }

  ScanPoint point(Index d) const {
    const bool any_held = !held_.empty();
    return {inverse_.topLeftCorner(d, d), any_held ? &whole_ : nullptr, any_held ? &gradient_ : nullptr, nullptr,
            diagonal_.data()};
  }
  /// The same for groups, of which none is held at a bound; `starts` is where the coefficients of each place begin.
  ScanPoint point_of_groups(Index d, const Index* starts) const {
    return {inverse_.topLeftCorner(d, d), nullptr, nullptr, starts};
  }

 private:
  void hold(Index d, Index size, const double* coef, const double* lower, const double* upper) {
    for (Index i = 0; i < size; ++i)
      if ((coef[i] <= lower[i] && gradient_[i] > 0) || (coef[i] >= upper[i] && gradient_[i] < 0)) held_.push_back(i);
    if (held_.empty()) return;
    whole_.topLeftCorner(d, d) = hessian_.topLeftCorner(d, d).template selfadjointView<Eigen::Lower>();
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

  Eigen::MatrixXd hessian_, inverse_;    // (capacity, capacity)
  Eigen::MatrixXd whole_;                // (capacity, capacity) H before the held coefficients were taken out, with bounds
  Eigen::VectorXd gradient_, diagonal_;  // (capacity,)
  std::vector<Index> held_;              // places of coefficients held at a bound
};

}  // namespace ksparse
