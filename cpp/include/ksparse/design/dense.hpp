// Dense X in double precision as it lies in the caller's memory, in either order; never a copy. A design offers:
//   rows(), columns()
//   columns_contiguous            whether scattered columns are cheap to read
//   gather(column, first, rows, target)           a stretch of one column
//   accumulate(columns, block, sums)              all sums of a block of rows, see kernels.hpp
//   accumulate_slopes(columns, block, sums)       the first of them alone
//   load_block(columns, first, rows, scratch, stride)   a block as columns of doubles, in place where it is that already
//   lead()                                        rows of a first short block after which whole blocks are read fastest
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>

#include "kernels.hpp"

namespace ksparse {

/// Column-major X (Fortran order), columns `stride` elements apart.
class ColumnView {
 public:
  static constexpr bool columns_contiguous = true;

  ColumnView(const double* data, Index rows, Index columns, Index stride) noexcept
      : data_(data), rows_(rows), columns_(columns), stride_(stride) {}
  explicit ColumnView(const Eigen::MatrixXd& X) noexcept : ColumnView(X.data(), X.rows(), X.cols(), X.outerStride()) {}
  explicit ColumnView(Eigen::MatrixXd&&) = delete;  // would dangle

  Index rows() const noexcept { return rows_; }
  Index columns() const noexcept { return columns_; }

  /// Rows up to the first cache line: loads that straddle two lines cost a third of a scan. NumPy's large arrays begin 16 bytes
  /// after a line. 0 if columns lie differently, or are short.
  Index lead() const noexcept {
    constexpr Index item = sizeof(double), line = 64;
    const Index past = Index(reinterpret_cast<std::uintptr_t>(data_) % std::uintptr_t(line));
    return rows_ < 1024 || stride_ * item % line != 0 || past % item != 0 ? 0 : (line - past) % line / item;
  }

  void gather(Index column, Index first, Index rows, double* target) const noexcept {
    std::copy_n(data_ + column * stride_ + first, rows, target);
  }

  /// Of consecutive columns.
  const double* load_block(const Columns& columns, Index first, Index, double*, Index& stride) const noexcept {
    stride = stride_;
    return data_ + columns.first * stride_ + first;
  }

  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept {
    kernels::accumulate_columns(
        columns.count, block, sums, [&](Index c) { return data_ + columns[c] * stride_ + block.first; },
        [&](Index) { return block.cross_count; });
  }
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept {
    kernels::accumulate_slopes(columns.count, block, sums, [&](Index c) { return data_ + columns[c] * stride_ + block.first; });
  }

 private:
  const double* data_;
  Index rows_, columns_, stride_;
};

/// Row-major X (C order), rows `stride` elements apart.
class RowView {
 public:
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  static constexpr bool columns_contiguous = false;

  RowView(const double* data, Index rows, Index columns, Index stride) noexcept
      : data_(data), rows_(rows), columns_(columns), stride_(stride) {}
  explicit RowView(const Matrix& X) noexcept : RowView(X.data(), X.rows(), X.cols(), X.outerStride()) {}
  explicit RowView(Matrix&&) = delete;  // would dangle

  Index rows() const noexcept { return rows_; }
  Index columns() const noexcept { return columns_; }
  Index lead() const noexcept { return 0; }

  void gather(Index column, Index first, Index rows, double* target) const noexcept {
    const double* source = data_ + first * stride_ + column;
    for (Index i = 0; i < rows; ++i) target[i] = source[i * stride_];
  }

  const double* load_block(const Columns& columns, Index first, Index rows, double* scratch, Index& stride) const noexcept {
    stride = rows;
    for (Index c = 0; c < columns.count; ++c) gather(columns[c], first, rows, scratch + c * stride);
    return scratch;
  }

  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept {
    if (columns.list) return accumulate_listed(columns, block, sums);
    const double* x = data_ + block.first * stride_ + columns.first;
    Index i = 0;
    for (; i + 8 <= block.rows; i += 8) kernels::row_tile<8>(x + i * stride_, stride_, columns.count, block, i, sums);
    for (; i < block.rows; ++i) kernels::row_tile<1>(x + i * stride_, stride_, columns.count, block, i, sums);
  }
  /// Of consecutive columns.
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept {
    const double* x = data_ + block.first * stride_ + columns.first;
    Index i = 0;
    for (; i + 8 <= block.rows; i += 8) kernels::slope_row_tile<8>(x + i * stride_, stride_, columns.count, block, i, sums);
    for (; i < block.rows; ++i) kernels::slope_row_tile<1>(x + i * stride_, stride_, columns.count, block, i, sums);
  }

 private:
  // Scattered columns: correct, not fast; a caller that scans the same few often gathers them once (glm_objective.hpp).
  void accumulate_listed(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept {
    constexpr Index strip = 128;
    double buffer[strip];
    for (Index c = 0; c < columns.count; ++c)
      for (Index begin = 0; begin < block.rows; begin += strip) {
        RowBlock part = block;
        part.first += begin;
        part.rows = std::min(strip, block.rows - begin);
        part.slope += begin;
        part.curvature += begin;
        part.cross += begin;
        gather(columns[c], part.first, part.rows, buffer);
        const double* pointer[1] = {buffer};
        kernels::column_tile<1>(pointer, part, part.cross_count, c, sums);
      }
  }

  const double* data_;
  Index rows_, columns_, stride_;
};

}  // namespace ksparse
