// An interface to find fewer rows that give the same sums as all rows, for the columns of one support.
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
  /// Whether the rows can be reduced for these columns and units.
  virtual bool may_gather(const std::vector<Index>& columns, const Units& units) const = 0;
  /// Finds the rows for these columns and writes the columns, in units, to `values`, padded with zeros. Returns false, without
  /// a change of `values`, if reducing the rows does not pay.
  virtual bool gather(const std::vector<Index>& columns, const Units& units, Eigen::MatrixXd& values) = 0;
  /// The rows that were found last.
  virtual RowsView view() noexcept = 0;
};

}  // namespace ksparse
