// A panel of columns in a scan: sums over rows of the raw columns, and their conversion to derivatives in units. With x =
// centre + scale z, formulas convert the sums x.r, x.h, (x x).h and x.(h z_A) to those of z, so X is neither copied nor
// modified.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "../design/kernels.hpp"
#include "../search/objective.hpp"
#include "panel_sums.hpp"
#include "units.hpp"

namespace ksparse {

/// The curvature of a column in a scan. Where a loss is linear, as far on its wrong side, the curvature may be 0 in all rows in
/// which the column is not 0. Such a column may still decrease F, with the longest step if necessary.
inline double usable_curvature(double gradient, double curvature) {
  constexpr double none = 1e-100;  // of the gradient
  return curvature >= 0 && curvature <= none * std::abs(gradient) ? std::abs(gradient) / longest_step(0) : curvature;
}

class Panel {
 public:
  /// For at most `entries` columns at once, and `capacity` active ones.
  void reset(const Units& units, Index entries, Index capacity) {
    units_ = &units;
    sums_.resize(entries, Sums::cross + capacity);
    of_range_.resize(0, 0);
    for (Eigen::ArrayXd* array : {&gradient, &curvature, &centre_, &factor_}) array->resize(entries);
    cross.resize(entries, capacity + 1);
    for (Eigen::ArrayXd* array : {&lower_, &upper_}) array->resize(units.bounded() ? entries : 0);
  }

  /// Other columns, whose sums are 0. Of columns that are careful, or all `in_units`, sums will be in units.
  void begin(const Columns& columns_of_panel, Index active_size, bool in_units) {
    columns = columns_of_panel;
    size = active_size;
    sums_.topRows(columns.count).leftCols(Sums::cross + size).setZero();
    any_careful_ = false;
    for (Index c = 0; c < columns.count; ++c) {
      const Index column = columns[c];
      const bool converted = in_units || units_->is_careful(column);
      any_careful_ = any_careful_ || (converted && !in_units);
      centre_[c] = converted ? 0.0 : units_->centre(column);
      factor_[c] = converted ? double(!units_->is_constant(column)) : units_->factor(column);
    }
  }

  Sums sums() { return {sums_.data(), sums_.outerStride()}; }
  // If a batch sums several ranges of rows (row_ranges.hpp), the sums of each range but the first are computed separately, and then
  // added to the others.
  void begin_range(Index place, Index count) {
    if (of_range_.size() == 0) of_range_.resize(sums_.rows(), sums_.cols());
    of_range_.middleRows(place, count).leftCols(Sums::cross + size).setZero();
  }
  Sums of_range() { return {of_range_.data(), of_range_.outerStride()}; }
  void end_range(Index place, Index count) {
    sums_.middleRows(place, count).leftCols(Sums::cross + size) +=
        of_range_.middleRows(place, count).leftCols(Sums::cross + size);
  }
  double sum(Index place, Index which) const { return sums_(place, which); }
  /// One kind of sum, by column.
  auto sum(Index which) { return sums_.col(which).head(columns.count); }
  /// Whether there are columns whose sums have to be taken in units.
  bool any_careful() const noexcept { return any_careful_; }
  double centre(Index place) const { return centre_[place]; }
  double factor(Index place) const { return factor_[place]; }

  /// Sums to derivatives in units.
  void convert(const PanelSums& kind) {
    const Index count = columns.count;
    const RowTotals rows = kind.totals();
    const auto centre = centre_.head(count), factor = factor_.head(count);
    gradient.head(count) = (sum(Sums::slope) - centre * rows.slope) * factor;
    curvature.head(count) =
        rows.scale * (sum(Sums::square) - centre * (2 * sum(Sums::curvature) - centre * rows.curvature)) * factor.square();
    for (Index i = 0; i < size; ++i)
      cross.col(i).head(count).array() =
          rows.scale * (sum(Sums::cross + i) - centre * (*rows.active)(i, Sums::curvature)) * factor;
    if (units_->intercept())
      cross.col(size).head(count).array() = rows.scale * (sum(Sums::curvature) - centre * rows.curvature) * factor;
    kind.correct(*this);
    if (units_->ridge() > 0)
      for (Index c = 0; c < count; ++c)
        if (!units_->is_constant(columns[c])) curvature[c] += units_->ridge_of(columns[c]);
    for (Index c = 0; c < count; ++c) curvature[c] = usable_curvature(gradient[c], curvature[c]);
  }

  /// The answer of the scan, once the derivatives are known.
  ScanPanel answer() {
    const Index count = columns.count, d = size + Index(units_->intercept());
    const bool bounded = lower_.size() > 0;
    for (Index c = 0; c < count && bounded; ++c) {
      lower_[c] = units_->lower(columns[c]);
      upper_[c] = units_->upper(columns[c]);
    }
    return {columns,
            gradient.head(count),
            curvature.head(count),
            cross.topRows(count).leftCols(d),
            bounded ? lower_.data() : nullptr,
            bounded ? upper_.data() : nullptr};
  }

  Columns columns;
  Index size = 0;                      // active columns
  Eigen::ArrayXd gradient, curvature;  // (entries,)
  Eigen::MatrixXd cross;               // (entries, capacity + 1), the last column in use is the intercept's

 private:
  const Units* units_ = nullptr;
  Eigen::ArrayXXd sums_;            // (entries, 3 + capacity)
  Eigen::ArrayXXd of_range_;        // the same, or empty
  Eigen::ArrayXd centre_, factor_;  // (entries,) of the conversion
  Eigen::ArrayXd lower_, upper_;    // (entries,) bounds in units, or empty
  bool any_careful_ = false;
};

}  // namespace ksparse
