// Fewer rows that stand for all rows of a problem, as long as only the columns of one support matter.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <vector>

#include "rows.hpp"
#include "units.hpp"

namespace ksparse {

class ReducedRows {
 public:
  virtual ~ReducedRows() = default;
  /// Whether columns in these units may be gathered in fewer rows.
  virtual bool may_gather(const std::vector<Index>& columns, const Units& units) const = 0;
  /// Finds the rows for these columns and fills in `values` (at least as many rows, columns) in units, padded with zeros. False:
  /// it is not worth it, and nothing in `values` was changed.
  virtual bool gather(const std::vector<Index>& columns, const Units& units, Eigen::MatrixXd& values) = 0;
  /// The rows that were found last.
  virtual RowsView view() noexcept = 0;
};

}  // namespace ksparse
