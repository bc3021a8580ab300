// The rows of a refit on two-valued columns: one row for each cell of a support (cells.hpp), with the total weight of its rows.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../design/two_valued_rows.hpp"
#include "../util/pack.hpp"
#include "cells.hpp"
#include "reduced_rows.hpp"

namespace ksparse {

class CellRows final : public ReducedRows {
 public:
  /// `rows` are the distinct rows of X, which has `all` rows. They must exist as long as this object.
  CellRows(const TwoValuedRows& rows, Index all)
      : rows_(rows), cells_(rows, most_cells(rows, all)), low_(rows.columns()), step_(rows.columns()) {
    const Index padded = cells_.most() + Pack::size;
    for (Eigen::VectorXd* vector : {&slope_, &curvature_}) vector->resize(padded);
  }

  // The first scan, which chooses the units, uses all rows.
  bool may_gather(const std::vector<Index>& columns, const Units& units) const override {
    return units.chosen() && Index(columns.size()) <= Cells::most_columns;
  }

  bool gather(const std::vector<Index>& columns, const Units& units, Eigen::MatrixXd& values) override {
    if (!converted_) convert(units);
    if (!cells_.group(columns)) return false;
    const Index count = cells_.count();
    for (Index place = 0; place < Index(columns.size()); ++place) {
      const Index column = columns[std::size_t(place)];
      for (Index c = 0; c < count; ++c) values(c, place) = low_[column] + step_[column] * cells_.is_high(c, place);
      values.col(place).segment(count, cells_.padded() - count).setZero();
    }
    return true;
  }

  RowsView view() noexcept override {
    return {cells_.count(), cells_.padded(), cells_.sign().data(), cells_.weight().data(),
            nullptr,        slope_.data(),   curvature_.data()};
  }

  const TwoValuedRows& rows() const noexcept { return rows_; }
  const Cells& cells() const noexcept { return cells_; }
  /// The low value of a column in the units of the search, and the difference between the high value and the low value.
  double low(Index column) const { return low_[column]; }
  double step(Index column) const { return step_[column]; }

 private:
  // More cells than half of the rows save no work. Where the rows of X are not even stored, cells may not need much memory either.
  static Index most_cells(const TwoValuedRows& rows, Index all) noexcept {
    return std::min(rows.count(), all / (rows.is_in_place() ? 16 : 2));
  }

  void convert(const Units& units) {
    for (Index j = 0; j < rows_.columns(); ++j) {
      low_[j] = (rows_.low(j) - units.centre(j)) * units.factor(j);
      step_[j] = (rows_.high(j) - rows_.low(j)) * units.factor(j);
    }
    converted_ = true;
  }

  const TwoValuedRows& rows_;
  Cells cells_;
  bool converted_ = false;
  Eigen::ArrayXd low_, step_;          // (p,)
  Eigen::VectorXd slope_, curvature_;  // (cells,) at the last point
};

}  // namespace ksparse
