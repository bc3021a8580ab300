// A contingency table of columns and cells. Its entries are the total weight of the rows of a cell in which a column has its
// high value. Sums over rows of numbers that only depend on the cell are products with this table (Agresti, Categorical Data
// Analysis, 2013).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "../design/two_valued_rows.hpp"
#include "../types.hpp"
#include "../util/pack.hpp"
#include "cells.hpp"

namespace ksparse {

class Contingency {
 public:
  explicit Contingency(const TwoValuedRows& rows) : rows_(rows), expanded_(8, 256) {
    for (int byte = 0; byte < 256; ++byte)
      for (int bit = 0; bit < 8; ++bit) expanded_(bit, byte) = byte >> bit & 1;
  }

  /// Computes the table for these cells of the same rows.
  void count(const Cells& cells) {
    const Index stride = 8 * rows_.row_bytes();
    if (table_.cols() < cells.count()) table_.resize(stride, cells.count() + cells.count() / 2);
    cells_ = cells.count();
    table_.leftCols(cells_).setZero();
    const Index row_bytes = rows_.row_bytes();
    const double* const expanded = expanded_.data();
    const std::uint8_t* bytes = rows_.row(0);
    for (Index i = 0; i < rows_.count(); ++i, bytes += row_bytes) {
      double* target = table_.data() + cells.cell_of(i) * stride;
      const Pack weight(rows_.weight(i));
      for (Index b = 0; b < row_bytes; ++b, target += 8) {
        const double* const bits = expanded + 8 * Index(bytes[b]);
        for (Index c = 0; c < 8; c += Pack::size)
          multiply_add(weight, Pack::load(bits + c), Pack::load(target + c)).store(target + c);
      }
    }
  }

  /// The table (columns, cells).
  auto table() const { return table_.topLeftCorner(rows_.columns(), cells_); }

 private:
  const TwoValuedRows& rows_;
  Eigen::MatrixXd expanded_;  // (8, 256) the bits of each byte, as numbers
  Eigen::MatrixXd table_;     // (8 * row_bytes, at least cells)
  Index cells_ = 0;
};

}  // namespace ksparse
