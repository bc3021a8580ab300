// F, its gradient and its Hessian on the active columns at a point, as sums over ranges of rows. The last sums are cached,
// because a refit ends at the point where a scan begins.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <vector>

#include "../design/kernels.hpp"
#include "../loss/kernel.hpp"
#include "../util/interruption.hpp"
#include "active_columns.hpp"
#include "row_ranges.hpp"

namespace ksparse {

class Linearisation {
 public:
  /// The contribution of a range of rows.
  struct Part {
    LossSums loss;
    Eigen::ArrayXXd sums;   // (capacity, 3 + capacity) of the active columns (kernels.hpp), squares of the curvature included
    Eigen::MatrixXd cross;  // (block_rows, capacity) curvature times active columns, one block
  };

  void reset(const LossKernel& loss, ActiveColumns& active, Index capacity, const RowRanges& ranges,
             Interruption& interruption) {
    loss_ = &loss;
    active_ = &active;
    ranges_ = ranges;
    interruption_ = &interruption;
    parts_.resize(std::size_t(ranges.count(active.rows().padded)));
    for (Part& part : parts_) {
      part.loss = {};
      part.sums.resize(capacity, Sums::cross + capacity);
      part.cross.resize(block_rows, capacity);
    }
    total().loss.slope = total().loss.curvature = total().loss.lowest_margin = 0;
    known_ = false;
    known_columns_.clear();
    known_columns_.reserve(std::size_t(capacity));
    known_coef_.resize(capacity + 1);
  }

  /// F of the active columns at `coef`, and its derivatives there (lower triangle of the Hessian). NaN: interrupted.
  /// The width is that of Curvature::wide.
  double compute(const Eigen::Ref<const Eigen::VectorXd>& coef, Curvature kind, Eigen::Ref<Eigen::VectorXd> gradient,
                 Eigen::Ref<Eigen::MatrixXd> hessian, double width = 1) {
    known_ = false;
    const auto add = [&](Index r, RowRange range) {
      Part& part = parts_[std::size_t(r)];
      part.loss = {};
      part.sums.topLeftCorner(size(), Sums::cross + size()).setZero();
      return add_range(range, coef, kind, part, width);
    };
    const auto take = [&](Index r) {
      const Part& part = parts_[std::size_t(r)];
      total().loss.add(part.loss);
      total().sums.topLeftCorner(size(), Sums::cross + size()) += part.sums.topLeftCorner(size(), Sums::cross + size());
    };
    const bool done = ranges_.sum(active_->rows().padded, 0, add, take);
    if (!done) return std::numeric_limits<double>::quiet_NaN();
    const double penalty = assemble(coef, gradient, hessian);
    // A convex linearisation and one without concave rows give the same sums.
    known_ = kind == Curvature::convex || (kind == Curvature::exact && !total().loss.concave);
    if (known_) {
      known_columns_ = active_->columns();
      known_coef_.head(coef.size()) = coef;
      known_version_ = active_->version();
    }
    return total().loss.value + penalty;
  }

  /// The same derivatives with a curvature that is not negative, from the cached sums if they belong to this point.
  void compute_convex(const Eigen::Ref<const Eigen::VectorXd>& coef, Eigen::Ref<Eigen::VectorXd> gradient,
                      Eigen::Ref<Eigen::MatrixXd> hessian) {
    const bool known = known_ && known_version_ == active_->version() && known_columns_ == active_->columns() &&
                       known_coef_.head(coef.size()) == coef;
    if (known)
      assemble(coef, gradient, hessian);
    else
      compute(coef, Curvature::convex, gradient, hessian);
  }

  /// Adds the sums of a range of the rows (whole packs), whose slopes and curvatures are set. Returns false if interrupted.
  bool add_range(const RowRange& range, const Eigen::Ref<const Eigen::VectorXd>& coef, Curvature kind, Part& part,
                 double width = 1) const {
    const RowsView& rows = active_->rows();
    const double intercept = active_->units().intercept() ? coef[size()] : 0.0;
    const Sums sums{part.sums.data(), part.sums.outerStride()};
    for (Index first = range.first; first < range.end(); first += block_rows) {
      if ((first - range.first) % (64 * block_rows) == 0 && first > range.first && interruption_->asked()) return false;
      const Index count = std::min(block_rows, range.end() - first);
      part.loss.add(loss_->evaluate({count, size(), active_->column(0) + first, active_->values().outerStride(), coef.data(),
                                     intercept, rows.offset ? rows.offset + first : nullptr, rows.response + first,
                                     rows.weight + first, rows.slope + first, rows.curvature + first, kind, width}));
      const RowBlock block = active_->block(first, count, size(), rows.curvature, part.cross);
      // The Hessian is symmetric: a tile that begins at column c needs the products with columns 0 .. c + 3 only.
      kernels::accumulate_columns(
          size(), block, sums, [&](Index c) { return active_->column(c) + first; },
          [&](Index c) { return std::min(c + 4, size()); });
    }
    return true;
  }

  // Over all rows, at the last point.
  double value() const noexcept { return total().loss.value; }  // without the ridge
  double slope() const noexcept { return total().loss.slope; }
  double curvature() const noexcept { return total().loss.curvature; }
  const Eigen::ArrayXXd& sums() const noexcept { return total().sums; }  // lower triangle
  double lowest_margin() const noexcept { return total().loss.lowest_margin; }
  bool saw_concave() const noexcept { return total().loss.concave; }

  ActiveColumns& active() const noexcept { return *active_; }
  const Units& units() const noexcept { return active_->units(); }
  const LossKernel& loss() const noexcept { return *loss_; }
  const RowRanges& ranges() const noexcept { return ranges_; }
  Interruption& interruption() const noexcept { return *interruption_; }

 private:
  Index size() const noexcept { return active_->size(); }
  // The sums of the other ranges are added to those of the first.
  Part& total() noexcept { return parts_.front(); }
  const Part& total() const noexcept { return parts_.front(); }

  // Gradient and Hessian (lower triangle) from the sums over rows; returns the penalty.
  double assemble(const Eigen::Ref<const Eigen::VectorXd>& coef, Eigen::Ref<Eigen::VectorXd> gradient,
                  Eigen::Ref<Eigen::MatrixXd> hessian) const {
    const bool intercept = units().intercept();
    double penalty = 0;
    for (Index j = 0; j < size(); ++j) {
      const Index column = (*active_)[j];
      const double ridge = units().ridge_of(column);
      penalty += 0.5 * ridge * coef[j] * coef[j];
      gradient[j] = sums()(j, Sums::slope) + ridge * coef[j];
      for (Index i = j; i < size(); ++i) hessian(i, j) = sums()(i, Sums::cross + j);
      hessian(j, j) += ridge;
      if (units().is_constant(column)) hessian(j, j) = 1;  // 0 in every row: it stays where it is
      if (intercept) hessian(size(), j) = sums()(j, Sums::curvature);
    }
    if (intercept) {
      gradient[size()] = slope();
      hessian(size(), size()) = curvature();
    }
    return penalty;
  }

  const LossKernel* loss_ = nullptr;
  ActiveColumns* active_ = nullptr;
  RowRanges ranges_;
  Interruption* interruption_ = nullptr;
  std::vector<Part> parts_;  // by range
  // The point of the sums, if they are those of a convex linearisation.
  bool known_ = false;
  std::vector<Index> known_columns_;
  Eigen::VectorXd known_coef_;  // (capacity + 1,)
  Index known_version_ = 0;     // of the rows
};

}  // namespace ksparse
