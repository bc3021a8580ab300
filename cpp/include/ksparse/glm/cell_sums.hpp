// Sums of panels of two-valued columns if the rows of the active columns are grouped into cells (cells.hpp). A column is
// z = low + step b in units, where b is 0 for its low value and 1 for its high value. With R the sum of r,
//   z.r = low R + step (b.r)      z.(h z_A) = low (h.z_A) + step (b.(h z_A))
// As r and h only depend on the cell, b.r and b.h are products with the contingency table. This table takes one addition for
// each distinct row and column, for any size of the support. If a support has too many cells, all rows are summed instead.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include "cell_rows.hpp"
#include "contingency.hpp"
#include "dense_sums.hpp"
#include "linearisation.hpp"
#include "panel_sums.hpp"

namespace ksparse {

class CellSums final : public PanelSums {
 public:
  /// `dense` computes the sums over all rows of the same X.
  CellSums(const CellRows& rows, const Linearisation& linearisation, DenseSums& dense)
      : rows_(rows), linearisation_(linearisation), dense_(dense), contingency_(rows.rows()) {}

  void take_point(const SumsPoint& point) override {
    in_cells_ = linearisation_.active().is_reduced();
    if (!in_cells_) dense_.take_point(point);
  }
  RowTotals totals() const override { return dense_.totals(); }  // of the last linearisation, over cells or over all rows

  bool begin(const Columns& columns) override {
    if (!in_cells_) return dense_.begin(columns);
    if (columns.count > 0) multiply(columns);
    return true;
  }
  bool in_units(const Columns& panel) const override { return in_cells_ || dense_.in_units(panel); }

  bool sum(const Columns& panel, const Sums& sums) override {
    if (!in_cells_) return dense_.sum(panel, sums);
    const Index first = panel.list ? Index(panel.list - counted_.list) : panel[0];
    for (Index c = 0; c < panel.count; ++c) add(panel[c], first + c, {sums.data + c, sums.stride});
    return !linearisation_.interruption().asked();
  }
  bool sum_careful(const Columns& panel, const Sums& sums) override { return dense_.sum_careful(panel, sums); }

 private:
  const ActiveColumns& active() const noexcept { return linearisation_.active(); }

  // Multiplies the contingency table by the slope, the curvature, and the curvature times the active columns of each cell, each
  // divided by the weight of the cell.
  void multiply(const Columns& columns) {
    const Index k = active().size();
    contingency_.count(rows_.cells(), columns);
    counted_ = columns;
    const RowsView& cells = active().rows();
    const auto array = [&cells](const double* data) { return Eigen::Map<const Eigen::ArrayXd>(data, cells.count); };
    const auto weight = array(cells.weight), curvature = array(cells.curvature);
    by_weight_.resize(cells.count, 2 + k);
    by_weight_.col(0).array() = array(cells.slope) / weight;
    by_weight_.col(1).array() = curvature / weight;
    for (Index j = 0; j < k; ++j) by_weight_.col(2 + j).array() = by_weight_.col(1).array() * array(active().column(j));
    of_high_.noalias() = contingency_.table() * by_weight_;
  }

  void add(Index column, Index place, const Sums& sums) const {
    const double low = rows_.low(column), step = rows_.step(column);
    const auto high = of_high_.row(place);
    const double curvature = linearisation_.curvature();
    *sums.row(Sums::slope) += low * linearisation_.slope() + step * high[0];
    *sums.row(Sums::curvature) += low * curvature + step * high[1];
    *sums.row(Sums::square) += low * low * curvature + step * (2 * low + step) * high[1];
    for (Index j = 0; j < active().size(); ++j)
      *sums.row(Sums::cross + j) += low * linearisation_.sums()(j, Sums::curvature) + step * high[2 + j];
  }

  const CellRows& rows_;
  const Linearisation& linearisation_;
  DenseSums& dense_;
  Contingency contingency_;
  Columns counted_;                      // columns of the current scan
  bool in_cells_ = false;                // whether the rows of the point are grouped into cells
  Eigen::MatrixXd by_weight_, of_high_;  // (cells, 2 + k), (columns, 2 + k)
};

}  // namespace ksparse
