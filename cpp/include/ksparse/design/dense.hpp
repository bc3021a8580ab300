// Dense X of doubles or floats in the caller's memory, in column-major or row-major order. It is never copied; floats are
// converted to double when they are loaded into registers.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "design.hpp"
#include "kernels.hpp"

namespace ksparse {

namespace internal {

/// Whether an Eigen object can be viewed in place, with contiguous rows or columns, and without a dangling reference: a matrix
/// that is not a temporary, or a Map, Ref or Block.
template <class Object, class Scalar, bool by_rows, class Plain = std::remove_cv_t<std::remove_reference_t<Object>>>
constexpr bool is_viewable() {
  if constexpr (is_in_memory<Plain, Scalar>())
    return bool(Plain::IsRowMajor) == by_rows &&
           (std::is_lvalue_reference_v<Object> || !std::is_base_of_v<Eigen::PlainObjectBase<Plain>, Plain>);
  return false;
}

}  // namespace internal

/// Column-major X (Fortran order), columns `stride` elements apart.
template <class Scalar>
class BasicColumnView final : public Design {
 public:
  using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

  BasicColumnView(const Scalar* data, Index rows, Index columns, Index stride) noexcept
      : data_(data), rows_(rows), columns_(columns), stride_(stride) {}
  /// Makes a view of a matrix, or of a Map, Ref or Block. A temporary matrix is rejected.
  template <class Object, std::enable_if_t<internal::is_viewable<Object, Scalar, false>(), int> = 0>
  explicit BasicColumnView(Object&& X) noexcept : BasicColumnView(X.data(), X.rows(), X.cols(), X.outerStride()) {}

  Index rows() const noexcept override { return rows_; }
  Index columns() const noexcept override { return columns_; }
  bool columns_contiguous() const noexcept override { return true; }

  /// Number of rows before the first cache line, because loads that cross cache lines take a third more time. Large NumPy
  /// arrays begin 16 bytes after a cache line. It is 0 if the alignment differs between columns, or if columns are short.
  Index lead() const noexcept override {
    constexpr Index item = sizeof(Scalar), line = 64;
    const Index past = Index(reinterpret_cast<std::uintptr_t>(data_) % std::uintptr_t(line));
    return rows_ < 1024 || stride_ * item % line != 0 || past % item != 0 ? 0 : (line - past) % line / item;
  }

  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    std::copy_n(at(column, first), rows, target);
  }
  void gather_sample(Index column, const RowSample& sample, double* target) const noexcept override {
    const Scalar* const x = at(column, 0);
    for (Index s = 0; s < sample.stretches(); ++s) target = std::copy_n(x + sample.first(s), RowSample::length, target);
  }

  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    kernels::accumulate_columns(
        columns.count, block, sums, [&](Index c) { return at(columns[c], block.first); },
        [&](Index) { return block.cross_count; });
  }
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    kernels::accumulate_slopes(columns.count, block, sums, [&](Index c) { return at(columns[c], block.first); });
  }

  const double* load_block(const Columns& columns, Index first, Index rows, double* scratch,
                           Index& stride) const noexcept override {
    if constexpr (std::is_same_v<Scalar, double>)
      if (!columns.list) {
        stride = stride_;
        return at(columns.first, first);
      }
    stride = block_stride(rows);
    for (Index c = 0; c < columns.count; ++c) gather(columns[c], first, rows, scratch + c * stride);
    return scratch;
  }

 private:
  const Scalar* at(Index column, Index row) const noexcept { return data_ + column * stride_ + row; }

  const Scalar* data_;
  Index rows_, columns_, stride_;
};

/// Row-major X (C order), rows `stride` elements apart.
template <class Scalar>
class BasicRowView final : public Design {
 public:
  using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  BasicRowView(const Scalar* data, Index rows, Index columns, Index stride) noexcept
      : data_(data), rows_(rows), columns_(columns), stride_(stride) {}
  /// Makes a view of a matrix, or of a Map, Ref or Block. A temporary matrix is rejected.
  template <class Object, std::enable_if_t<internal::is_viewable<Object, Scalar, true>(), int> = 0>
  explicit BasicRowView(Object&& X) noexcept : BasicRowView(X.data(), X.rows(), X.cols(), X.outerStride()) {}

  Index rows() const noexcept override { return rows_; }
  Index columns() const noexcept override { return columns_; }
  bool columns_contiguous() const noexcept override { return false; }

  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    const Scalar* source = at(first, column);
    for (Index i = 0; i < rows; ++i) target[i] = double(source[i * stride_]);
  }

  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    if (columns.list) return accumulate_listed(columns, block, sums);
    const Scalar* x = at(block.first, columns.first);
    RowBlock tiled = block;
    if constexpr (std::is_same_v<Scalar, double>)
      if (block.cross_count > kernels::few_vectors) {
        using Rows = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
        kernels::accumulate_product(Rows(x, block.rows, columns.count, Eigen::OuterStride<>(stride_)), block, block.cross_count,
                                    sums.row(Sums::cross), sums.stride);
        tiled.cross_count = 0;
      }
    Index i = 0;
    for (; i + 8 <= block.rows; i += 8) kernels::row_tile<8>(x + i * stride_, stride_, columns.count, tiled, i, sums);
    for (; i < block.rows; ++i) kernels::row_tile<1>(x + i * stride_, stride_, columns.count, tiled, i, sums);
  }
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    const Scalar* x = at(block.first, columns.first);
    Index i = 0;
    for (; i + 8 <= block.rows; i += 8) kernels::slope_row_tile<8>(x + i * stride_, stride_, columns.count, block, i, sums);
    for (; i < block.rows; ++i) kernels::slope_row_tile<1>(x + i * stride_, stride_, columns.count, block, i, sums);
  }

  // Squares of packs are transposed in registers: rows are read in order, and each square writes whole cache lines of columns.
  const double* load_block(const Columns& columns, Index first, Index rows, double* scratch,
                           Index& stride) const noexcept override {
    stride = block_stride(rows);
    if (columns.list) {
      load_listed(columns, first, rows, scratch, stride);
      return scratch;
    }
    constexpr Index size = Pack::size;
    const Index whole_rows = rows / size * size, whole_columns = columns.count / size * size;
    for (Index i = 0; i < whole_rows; i += size)
      for (Index c = 0; c < whole_columns; c += size) {
        const Scalar* x = at(first + i, columns.first + c);
        Pack square[size];
        for (Index r = 0; r < size; ++r) square[r] = Pack::load(x + r * stride_);
        transpose(square);
        for (Index r = 0; r < size; ++r) square[r].store(scratch + (c + r) * stride + i);
      }
    for (Index c = 0; c < columns.count; ++c) {
      const Index begin = c < whole_columns ? whole_rows : 0;
      gather(columns.first + c, first + begin, rows - begin, scratch + c * stride + begin);
    }
    return scratch;
  }

 private:
  const Scalar* at(Index row, Index column) const noexcept { return data_ + row * stride_ + column; }

  // Copies a few rows of all listed columns at a time. Rows are then read in order, columns on the same cache line fetch it once,
  // and whole cache lines of the copies are written. If columns were copied one after the other, each entry would fetch a cache
  // line of its own.
  void load_listed(const Columns& columns, Index first, Index rows, double* scratch, Index stride) const noexcept {
    constexpr Index line = 8;
    Index i = 0;
    for (; i + line <= rows; i += line)
      for (Index c = 0; c < columns.count; ++c) {
        const Scalar* const x = at(first + i, columns[c]);
        double* const target = scratch + c * stride + i;
        for (Index r = 0; r < line; ++r)
          prefetch(reinterpret_cast<std::uintptr_t>(x) + std::uintptr_t((line + r) * stride_) * sizeof(Scalar));
        for (Index r = 0; r < line; ++r) target[r] = double(x[r * stride_]);
      }
    for (Index c = 0; c < columns.count; ++c) gather(columns[c], first + i, rows - i, scratch + c * stride + i);
  }

  // Scattered columns are copied a few at a time. A caller that often scans the same ones copies them once (column_store.hpp).
  void accumulate_listed(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept {
    Index c = 0;
    for (; c + 4 <= columns.count; c += 4) accumulate_few<4>(columns, c, block, sums);
    for (; c < columns.count; ++c) accumulate_few<1>(columns, c, block, sums);
  }
  template <int C>
  void accumulate_few(const Columns& columns, Index place, const RowBlock& block, const Sums& sums) const noexcept {
    constexpr Index strip = 128;
    double buffer[C][strip];
    const double* pointers[C];
    for (int c = 0; c < C; ++c) pointers[c] = buffer[c];
    for (Index begin = 0; begin < block.rows; begin += strip) {
      const RowBlock part = block.part(begin, std::min(strip, block.rows - begin));
      for (int c = 0; c < C; ++c) gather(columns[place + c], part.first, part.rows, buffer[c]);
      kernels::column_tile<C>(pointers, part, part.cross_count, place, sums);
    }
  }

  const Scalar* data_;
  Index rows_, columns_, stride_;
};

using ColumnView = BasicColumnView<double>;
using RowView = BasicRowView<double>;

}  // namespace ksparse
