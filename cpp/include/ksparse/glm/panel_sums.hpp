// The sums that a scan needs for a panel of columns: sums over rows of x times the slope, the curvature, and the curvature
// times active columns (kernels.hpp). There is a class for each way to compute them: dense_sums.hpp, sampled_sums.hpp,
// sparse_sums.hpp. A scan chooses one when it begins (scan.hpp), and no code checks later which one it is.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include "../design/kernels.hpp"
#include "../design/row_sample.hpp"
#include "../types.hpp"

namespace ksparse {

class Panel;  // panel.hpp

/// The point at which sums are computed: that of the last linearisation, with the first `size` active columns.
struct SumsPoint {
  Index size = 0;
  bool first = false;  // the units are not chosen yet: x.h and (x*x).h are with the rows' weights in place of the curvature
};

/// The same sums of a column of ones, and of the active columns: by these the sums of raw columns become those in units.
struct RowTotals {
  double slope = 0, curvature = 0;
  const Eigen::ArrayXXd* active = nullptr;  // (size, 3 + size) by kernels.hpp
  double scale = 1;                         // from the rows that are summed to all rows; not of slopes, which are of all
};

/// Consecutive columns of a block of rows, as doubles.
struct DenseBlock {
  const double* data;  // column c begins at data + c * stride
  Index stride;
  Index place, count;  // of its columns in the panel
  Index first, rows;
};

class PanelSums {
 public:
  virtual ~PanelSums() = default;

  virtual void take_point(const SumsPoint& point) = 0;
  virtual RowTotals totals() const = 0;
  /// The Hessian on the active columns (lower triangle) is that of all rows; a kind that sums over other rows puts its own.
  virtual void replace_hessian(Eigen::Ref<Eigen::MatrixXd> /*hessian*/) const {}
  /// Before the panels of these columns. Returns false if interrupted.
  virtual bool begin(const Columns& columns) = 0;
  /// Whether a panel of them has its sums in units, not of raw columns.
  virtual bool in_units(const Columns& /*panel*/) const { return false; }
  /// Sets the sums of a panel of them, which are 0. Returns false if interrupted.
  virtual bool sum(const Columns& panel, const Sums& sums) = 0;
  /// Sets those of its careful columns, in units. Returns false if interrupted.
  virtual bool sum_careful(const Columns& panel, const Sums& sums) = 0;
  /// Puts right, in derivatives in units, what the rows that are summed cannot know.
  virtual void correct(Panel& /*panel*/) const {}

  // Where others load blocks of X, for several problems at once (batch.hpp): all blocks of a panel take the place of sum().
  /// Whether blocks are needed for x.r alone, which is left to be added to its sums by whoever has several problems' to add.
  virtual bool needs_slopes_alone() const { return false; }
  virtual void add_block(const DenseBlock& /*block*/, const Sums& /*sums*/) {}
  /// The sample of rows that is needed as well, side by side, or null.
  virtual const RowSample* sample() const { return nullptr; }
  virtual void add_sample(const DenseBlock& /*rows*/, const Sums& /*sums*/) {}
};

}  // namespace ksparse
