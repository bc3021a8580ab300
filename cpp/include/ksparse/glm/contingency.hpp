// A contingency table of columns and cells. Its entries are the total weight of the rows of a cell in which a column has its
// high value. Sums over rows of numbers that only depend on the cell are products with this table (Agresti, Categorical Data
// Analysis, 2013).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "../design/two_valued_rows.hpp"
#include "../types.hpp"
#include "cells.hpp"

namespace ksparse {

class Contingency {
 public:
  explicit Contingency(const TwoValuedRows& rows) : rows_(rows), expanded_(256), times_(std::size_t(rows.count())) {
    for (std::size_t byte = 0; byte < 256; ++byte)
      for (std::size_t bit = 0; bit < width; ++bit) expanded_[byte].columns[bit] = byte >> bit & 1;
    counts_ = find_times();
  }

  /// Computes the table for these columns and for these cells of the same rows.
  void count(const Cells& cells, const Columns& columns) {
    count_ = columns.count;
    const Bits bits = bits_of(columns);
    if (table_.rows() != Index(width) * bits.per_row || table_.cols() < cells.count())
      table_.resize(Index(width) * bits.per_row, cells.count() + cells.count() / 2);
    cells_ = cells.count();
    table_.leftCols(cells_).setZero();
    if (counts_)
      add_counts(cells, bits);
    else
      add_weights(cells, bits);
  }

  /// The table (columns, cells).
  auto table() const { return table_.topLeftCorner(count_, cells_); }

 private:
  // Columns per byte, and the largest count.
  static constexpr std::size_t width = 8;
  static constexpr Index block_rows = 1024;
  static constexpr unsigned largest_count = std::numeric_limits<std::uint16_t>::max();

  struct Expanded {
    std::uint16_t columns[width];
  };
  // The rows of some columns, with one bit for each column.
  struct Bits {
    const std::uint8_t* rows;
    Index per_row;  // bytes
  };

  // Determines whether the weights of each class are small multiples of the smallest one, as they are without sample weights.
  // These multiples are in `times_`.
  bool find_times() {
    constexpr double infinity = std::numeric_limits<double>::infinity(), largest = largest_count, rounding = 1e-13;
    unit_[0] = unit_[1] = infinity;
    for (Index i = 0; i < rows_.count(); ++i) {
      double& unit = unit_[rows_.is_positive(i)];
      unit = std::min(unit, rows_.weight(i));
    }
    for (Index i = 0; i < rows_.count(); ++i) {
      const double times = rows_.weight(i) / unit_[rows_.is_positive(i)], whole = std::round(times);
      if (!(whole <= largest) || std::abs(times - whole) > rounding * whole) return false;
      times_[std::size_t(i)] = std::uint16_t(whole);
    }
    return true;
  }

  // The bits of all columns, or of some. The latter are packed and kept, because the same columns are often scanned again.
  Bits bits_of(const Columns& columns) {
    if (!columns.list) return {rows_.row(0), rows_.row_bytes()};
    const Index per_row = (columns.count + Index(width) - 1) / Index(width);
    if (Index(kept_.size()) != columns.count || !std::equal(kept_.begin(), kept_.end(), columns.list)) {
      kept_.assign(columns.list, columns.list + columns.count);
      kept_bits_.resize(std::size_t(rows_.count() * per_row));
      for (Index byte = 0; byte < per_row; ++byte)
        for (Index first = 0; first < rows_.count(); first += block_rows) pack(byte, per_row, first);
    }
    return {kept_bits_.data(), per_row};
  }

  // Packs the columns of one byte for a block of rows.
  void pack(Index byte, Index per_row, Index first) {
    const Index rows = std::min(block_rows, rows_.count() - first), begin = byte * Index(width);
    std::uint8_t packed[block_rows] = {};
    for (Index c = begin; c < std::min(begin + Index(width), Index(kept_.size())); ++c) {
      const std::uint8_t* const column = rows_.column(kept_[std::size_t(c)]) + first;
      for (Index i = 0; i < rows; ++i) packed[i] = std::uint8_t(packed[i] | column[i] << (c - begin));
    }
    std::uint8_t* const target = kept_bits_.data() + first * per_row + byte;
    for (Index i = 0; i < rows; ++i) target[i * per_row] = packed[i];
  }

  // Integers of 16 bits need a quarter of the memory of weights. They are added to the table before they overflow.
  void add_counts(const Cells& cells, const Bits& bits) {
    numbers_.assign(std::size_t(bits.per_row * cells_), Expanded{});
    unsigned room = largest_count;
    const std::uint8_t* bytes = bits.rows;
    for (Index i = 0; i < rows_.count(); ++i, bytes += bits.per_row) {
      const std::uint16_t times = times_[std::size_t(i)];
      if (times > room) {
        empty_counts(cells);
        room = largest_count;
      }
      room -= times;
      Expanded* target = numbers_.data() + cells.cell_of(i) * bits.per_row;
      for (Index b = 0; b < bits.per_row; ++b, ++target) {
        Expanded sum = expanded_[bytes[b]];
        for (std::size_t c = 0; c < width; ++c) sum.columns[c] = std::uint16_t(target->columns[c] + sum.columns[c] * times);
        *target = sum;
      }
    }
    empty_counts(cells);
  }
  void empty_counts(const Cells& cells) {
    const Index rows = table_.rows();
    const std::uint16_t* number = numbers_.data()->columns;
    for (Index cell = 0; cell < cells_; ++cell) {
      const double unit = unit_[cells.sign()[cell] > 0];
      double* const target = table_.data() + cell * rows;
      for (Index j = 0; j < rows; ++j) target[j] += unit * *number++;
    }
    std::fill(numbers_.begin(), numbers_.end(), Expanded{});
  }

  void add_weights(const Cells& cells, const Bits& bits) {
    const std::uint8_t* bytes = bits.rows;
    for (Index i = 0; i < rows_.count(); ++i, bytes += bits.per_row) {
      double* target = table_.data() + cells.cell_of(i) * table_.rows();
      const double weight = rows_.weight(i);
      for (Index b = 0; b < bits.per_row; ++b, target += width) {
        const Expanded& ones = expanded_[bytes[b]];
        for (std::size_t c = 0; c < width; ++c) target[c] += weight * ones.columns[c];
      }
    }
  }

  const TwoValuedRows& rows_;
  std::vector<Expanded> expanded_;    // (256,) the bits of each byte, as numbers
  std::vector<std::uint16_t> times_;  // (rows,) weight of the row divided by the unit of its class
  double unit_[2];                    // smallest weight of each class
  bool counts_;                       // whether integers can replace weights
  std::vector<Index> kept_;           // columns of the last list
  std::vector<std::uint8_t> kept_bits_;
  std::vector<Expanded> numbers_;  // (bytes per row, cells) counts that are not in the table yet
  Eigen::MatrixXd table_;          // (8 * bytes per row, at least cells)
  Index count_ = 0, cells_ = 0;
};

}  // namespace ksparse
