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
    per_row_ = (columns.count + Index(width) - 1) / Index(width);
    if (columns.list) keep_bits_of(columns);
    if (table_.rows() != Index(width) * per_row_ || table_.cols() < cells.count())
      table_.resize(Index(width) * per_row_, cells.count() + cells.count() / 2);
    cells_ = cells.count();
    table_.leftCols(cells_).setZero();
    if (counts_) numbers_.assign(std::size_t(per_row_ * cells_), Expanded{});
    room_ = largest_count;
    for (Index first = 0; first < rows_.count(); first += block_rows) {
      const Index rows = std::min(block_rows, rows_.count() - first);
      const std::uint8_t* const bits = bits_of(columns, first, rows);
      if (counts_)
        add_counts(cells, bits, first, rows);
      else
        add_weights(cells, bits, first, rows);
    }
    if (counts_) empty_counts(cells);
  }

  /// The table (columns, cells).
  auto table() const { return table_.topLeftCorner(count_, cells_); }

 private:
  // Columns per byte, and the largest count.
  static constexpr std::size_t width = 8;
  static constexpr Index block_rows = 2048;
  static constexpr unsigned largest_count = std::numeric_limits<std::uint16_t>::max();

  struct Expanded {
    std::uint16_t columns[width];
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

  // The bits of a block of rows, (rows, per_row) bytes.
  const std::uint8_t* bits_of(const Columns& columns, Index first, Index rows) {
    if (columns.list) return kept_bits_.data() + first * per_row_;
    if (!rows_.is_in_place()) return rows_.row(first);
    block_.resize(std::size_t(block_rows * per_row_));
    if (rows_.column(0).stride == 1)
      pack(columns, first, rows, block_.data());
    else
      pack_rows(first, rows, block_.data());
    return block_.data();
  }

  // Some columns are packed and kept, because the same columns are often scanned again.
  void keep_bits_of(const Columns& columns) {
    if (Index(kept_.size()) == columns.count && std::equal(kept_.begin(), kept_.end(), columns.list)) return;
    kept_.assign(columns.list, columns.list + columns.count);
    kept_bits_.resize(std::size_t(rows_.count() * per_row_));
    for (Index first = 0; first < rows_.count(); first += block_rows)
      pack(columns, first, std::min(block_rows, rows_.count() - first), kept_bits_.data() + first * per_row_);
  }

  // Packs all columns of a block of rows that lie one after another in memory.
  void pack_rows(Index first, Index rows, std::uint8_t* target) const noexcept {
    const ByteColumn start = rows_.column(0);
    for (Index i = first; i < first + rows; ++i) {
      const std::uint8_t* const entries = start.first + i * start.stride;
      for (Index begin = 0; begin < count_; begin += Index(width)) {
        const Index end = std::min(begin + Index(width), count_);
        unsigned byte = 0;
        for (Index c = begin; c < end; ++c) byte |= unsigned(entries[c]) << (c - begin);
        *target++ = std::uint8_t(byte);
      }
    }
  }

  // Packs a block of rows, column by column.
  void pack(const Columns& columns, Index first, Index rows, std::uint8_t* target) const {
    std::uint8_t packed[block_rows];
    for (Index byte = 0; byte < per_row_; ++byte) {
      std::fill_n(packed, rows, std::uint8_t(0));
      const Index begin = byte * Index(width);
      for (Index c = begin; c < std::min(begin + Index(width), columns.count); ++c)
        add_bit(rows_.column(columns[c]), first, rows, int(c - begin), packed);
      for (Index i = 0; i < rows; ++i) target[i * per_row_ + byte] = packed[i];
    }
  }
  static void add_bit(const ByteColumn& column, Index first, Index rows, int bit, std::uint8_t* packed) noexcept {
    const std::uint8_t* const source = column.first + first * column.stride;
    if (column.stride == 1)
      for (Index i = 0; i < rows; ++i) packed[i] = std::uint8_t(packed[i] | source[i] << bit);
    else
      for (Index i = 0; i < rows; ++i) packed[i] = std::uint8_t(packed[i] | source[i * column.stride] << bit);
  }

  // Integers of 16 bits need a quarter of the memory of weights. They are added to the table before they overflow.
  void add_counts(const Cells& cells, const std::uint8_t* bits, Index first, Index rows) {
    for (Index i = first; i < first + rows; ++i, bits += per_row_) {
      const std::uint16_t times = times_[std::size_t(i)];
      if (times > room_) {
        empty_counts(cells);
        room_ = largest_count;
      }
      room_ -= times;
      Expanded* target = numbers_.data() + cells.cell_of(i) * per_row_;
      for (Index b = 0; b < per_row_; ++b, ++target) {
        Expanded sum = expanded_[bits[b]];
        for (std::size_t c = 0; c < width; ++c) sum.columns[c] = std::uint16_t(target->columns[c] + sum.columns[c] * times);
        *target = sum;
      }
    }
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

  void add_weights(const Cells& cells, const std::uint8_t* bits, Index first, Index rows) {
    for (Index i = first; i < first + rows; ++i, bits += per_row_) {
      double* target = table_.data() + cells.cell_of(i) * table_.rows();
      const double weight = rows_.weight(i);
      for (Index b = 0; b < per_row_; ++b, target += width) {
        const Expanded& ones = expanded_[bits[b]];
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
  std::vector<std::uint8_t> block_;            // bits of a block of rows that are read in place
  std::vector<Expanded> numbers_;              // (bytes per row, cells) counts that are not in the table yet
  Eigen::MatrixXd table_;                      // (8 * bytes per row, at least cells)
  Index count_ = 0, cells_ = 0, per_row_ = 0;  // columns, cells, and bytes of a row
  unsigned room_ = 0;                          // rows that can be counted before 16 bits overflow
};

}  // namespace ksparse
