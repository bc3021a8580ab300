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

/// The point at which sums are computed, which is that of the last linearisation with the first `size` active columns.
struct SumsPoint {
  Index size = 0;
  bool first = false;  // if the units are not chosen yet, x.h and (x*x).h use the weights of the rows as the curvature
};

/// The same sums for a column of ones and for the active columns. They are needed to convert sums of raw columns to units.
struct RowTotals {
  double slope = 0, curvature = 0;
  const Eigen::ArrayXXd* active = nullptr;  // (size, 3 + size), see kernels.hpp
  double scale = 1;                         // factor from sums over a sample to sums over all rows; not for slopes
};

/// Consecutive columns of a block of rows, as doubles.
struct DenseBlock {
  const double* data;  // column c begins at data + c * stride
  Index stride;
  Index place, count;  // place of its first column in the panel, and number of columns
  Index first, rows;
};

class PanelSums {
 public:
  virtual ~PanelSums() = default;

  virtual void take_point(const SumsPoint& point) = 0;
  virtual RowTotals totals() const = 0;
  /// Replaces the Hessian on the active columns (lower triangle), which is that of all rows, if sums are over other rows.
  virtual void replace_hessian(Eigen::Ref<Eigen::MatrixXd> /*hessian*/) const {}
  /// Called before the panels of these columns. Returns false if interrupted.
  virtual bool begin(const Columns& columns) = 0;
  /// Whether the sums of a panel are for columns in units, and not for raw columns.
  virtual bool in_units(const Columns& /*panel*/) const { return false; }
  /// Adds the sums of a panel to `sums`, which are 0. Returns false if interrupted.
  virtual bool sum(const Columns& panel, const Sums& sums) = 0;
  /// Computes the sums of the careful columns of a panel, in units (units.hpp). Returns false if interrupted.
  virtual bool sum_careful(const Columns& panel, const Sums& sums) = 0;
  /// Corrects the derivatives, in units, if the sums are over a sample.
  virtual void correct(Panel& /*panel*/) const {}

  // The batch loads blocks of X for several problems at once (run/batch.hpp). It then passes all blocks of a panel to
  // add_block() instead of calling sum().
  /// Whether only x.r is needed. The batch then computes it together with that of other problems.
  virtual bool needs_slopes_alone() const { return false; }
  virtual void add_block(const DenseBlock& /*block*/, const Sums& /*sums*/) {}
  /// The sample of rows that add_sample() needs, or null.
  virtual const RowSample* sample() const { return nullptr; }
  virtual void add_sample(const DenseBlock& /*rows*/, const Sums& /*sums*/) {}
};

}  // namespace ksparse
