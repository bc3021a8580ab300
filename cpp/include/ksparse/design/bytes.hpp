// Dense X of booleans or integers of 8 bits in the caller's memory, in column-major or row-major order. It is never copied: a few
// values at a time are converted to double and then summed by the same kernels as doubles, so 8-bit types need no kernels of
// their own.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "dense.hpp"
#include "gathered.hpp"
#include "kernels.hpp"

namespace ksparse {

namespace internal {

template <class Scalar>
constexpr bool is_byte =
    std::is_same_v<Scalar, bool> || std::is_same_v<Scalar, std::uint8_t> || std::is_same_v<Scalar, std::int8_t>;

/// The number that a byte represents. An array of booleans may contain any byte, and all bytes except 0 are true.
template <class Scalar>
double number_of(std::uint8_t byte) noexcept {
  if constexpr (std::is_same_v<Scalar, bool>)
    return double(byte != 0);
  else
    return double(static_cast<Scalar>(byte));
}

/// Whether an Eigen object contains bytes that can be viewed in place.
template <class Object, bool by_rows>
constexpr bool is_viewable_bytes() {
  return is_viewable<Object, bool, by_rows>() || is_viewable<Object, std::uint8_t, by_rows>() ||
         is_viewable<Object, std::int8_t, by_rows>();
}

}  // namespace internal

/// Column-major X (Fortran order) of bytes, columns `stride` elements apart.
template <class Scalar>
class ByteColumns final : public GatheredDesign {
  static_assert(internal::is_byte<Scalar>, "ksparse: a design of bytes is of bool, std::uint8_t or std::int8_t");

 public:
  ByteColumns(const void* data, Index rows, Index columns, Index stride) noexcept
      : data_(static_cast<const std::uint8_t*>(data)), rows_(rows), columns_(columns), stride_(stride) {}
  /// Makes a view of a matrix, or of a Map, Ref or Block. A temporary matrix is rejected.
  template <class Object, std::enable_if_t<internal::is_viewable<Object, Scalar, false>(), int> = 0>
  explicit ByteColumns(Object&& X) noexcept : ByteColumns(X.data(), X.rows(), X.cols(), X.outerStride()) {}

  Index rows() const noexcept override { return rows_; }
  Index columns() const noexcept override { return columns_; }

  ByteColumn bytes(Index column) const noexcept override { return {data_ + column * stride_, 1}; }
  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    const std::uint8_t* const source = data_ + column * stride_ + first;
    for (Index i = 0; i < rows; ++i) target[i] = internal::number_of<Scalar>(source[i]);
  }

 private:
  const std::uint8_t* data_;
  Index rows_, columns_, stride_;
};

/// Row-major X (C order) of bytes, rows `stride` elements apart.
template <class Scalar>
class ByteRows final : public GatheredDesign {
  static_assert(internal::is_byte<Scalar>, "ksparse: a design of bytes is of bool, std::uint8_t or std::int8_t");

 public:
  ByteRows(const void* data, Index rows, Index columns, Index stride) noexcept
      : data_(static_cast<const std::uint8_t*>(data)), rows_(rows), columns_(columns), stride_(stride) {}
  /// Makes a view of a matrix, or of a Map, Ref or Block. A temporary matrix is rejected.
  template <class Object, std::enable_if_t<internal::is_viewable<Object, Scalar, true>(), int> = 0>
  explicit ByteRows(Object&& X) noexcept : ByteRows(X.data(), X.rows(), X.cols(), X.outerStride()) {}

  Index rows() const noexcept override { return rows_; }
  Index columns() const noexcept override { return columns_; }
  bool columns_contiguous() const noexcept override { return false; }

  ByteColumn bytes(Index column) const noexcept override { return {at(0, column), stride_}; }
  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    const std::uint8_t* const source = at(first, column);
    for (Index i = 0; i < rows; ++i) target[i] = internal::number_of<Scalar>(source[i * stride_]);
  }

  // Columns are gathered if they are scattered, or if there are many cross vectors, for which the sums are a matrix product.
  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    if (columns.list || block.cross_count > kernels::few_vectors) return GatheredDesign::accumulate(columns, block, sums);
    for_tiles(columns, block, sums, [&](const double* x, Index count, Index row, Index rows, const Sums& to) {
      if (rows == tile)
        kernels::row_tile<tile>(x, width, count, block, row, to);
      else
        kernels::row_tile<1>(x, width, count, block, row, to);
    });
  }
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    if (columns.list) return GatheredDesign::accumulate_slopes(columns, block, sums);
    for_tiles(columns, block, sums, [&](const double* x, Index count, Index row, Index rows, const Sums& to) {
      if (rows == tile)
        kernels::slope_row_tile<tile>(x, width, count, block, row, to);
      else
        kernels::slope_row_tile<1>(x, width, count, block, row, to);
    });
  }

 private:
  static constexpr int tile = 8;       // rows
  static constexpr Index width = 128;  // columns that are converted at a time

  const std::uint8_t* at(Index row, Index column) const noexcept { return data_ + row * stride_ + column; }

  // Calls visit(x, count, row, rows, sums) for tiles of `count` columns and `rows` rows of the block, which begin at `row`. There
  // are as many rows as a tile has, or one.
  template <class Visit>
  void for_tiles(const Columns& columns, const RowBlock& block, const Sums& sums, const Visit& visit) const noexcept {
    double buffer[tile * width];
    for (Index row = 0, rows = 0; row < block.rows; row += rows) {
      rows = row + tile <= block.rows ? tile : 1;
      for (Index place = 0; place < columns.count; place += width) {
        const Index count = std::min(width, columns.count - place);
        for (Index r = 0; r < rows; ++r) {
          const std::uint8_t* const source = at(block.first + row + r, columns.first + place);
          for (Index j = 0; j < count; ++j) buffer[r * width + j] = internal::number_of<Scalar>(source[j]);
        }
        visit(buffer, count, row, rows, Sums{sums.data + place, sums.stride});
      }
    }
  }

  const std::uint8_t* data_;
  Index rows_, columns_, stride_;
};

}  // namespace ksparse
