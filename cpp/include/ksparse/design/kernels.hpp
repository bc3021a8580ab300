// Inner products of many columns with a few vectors, which are the main computation of scans and Hessians. A tile of 4 columns
// x 3 vectors keeps 12 sums in registers (4 x 6 with AVX-512), so that each load is used for several multiply-adds. The vectors
// of a block of rows are in the cache, and each column of X is read once. If X contains floats, they are converted to double
// when they are loaded, so sums are bitwise those of the same numbers in double.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "../types.hpp"
#include "../util/pack.hpp"

namespace ksparse {

/// The vectors by which a block of rows is multiplied: the slopes r, the curvatures h, and h times each active column.
struct RowBlock {
  Index first;              // index of the first row in X
  Index rows;               // rows in this block
  const double* slope;      // (rows,)
  const double* curvature;  // (rows,)
  const double* cross;      // (rows, cross_count), column-major
  Index cross_stride;       // elements from one column of cross to the next
  Index cross_count;        // 0 for the empty support without an intercept

  RowBlock part(Index begin, Index size) const noexcept {
    return {first + begin, size, slope + begin, curvature + begin, cross + begin, cross_stride, cross_count};
  }
};

/// Sums per column: row 0 x.r, row 1 x.h, row 2 (x*x).h, rows 3.. x.cross; each row is contiguous over the columns.
struct Sums {
  static constexpr Index slope = 0, curvature = 1, square = 2, cross = 3;
  double* data;
  Index stride;
  double* row(Index which) const noexcept { return data + which * stride; }
};

namespace kernels {

/// sums[v][c] += column_c . vector_v over the rows, for C columns and V vectors.
template <int C, int V, class Scalar>
void dot_tile(const Scalar* const* columns, const double* const* vectors, Index rows, double* const* sums) noexcept {
  Pack total[C][V];
  Index i = 0;
  for (; i + Pack::size <= rows; i += Pack::size) {
    Pack vector[V];
    for (int v = 0; v < V; ++v) vector[v] = Pack::load(vectors[v] + i);
    for (int c = 0; c < C; ++c) {
      const Pack x = Pack::load(columns[c] + i);
      for (int v = 0; v < V; ++v) total[c][v] = multiply_add(x, vector[v], total[c][v]);
    }
  }
  for (int c = 0; c < C; ++c)
    for (int v = 0; v < V; ++v) {
      double sum = total[c][v].sum();
      for (Index tail = i; tail < rows; ++tail) sum += double(columns[c][tail]) * vectors[v][tail];
      sums[v][c] += sum;
    }
}

/// The same for any number of vectors, of which as many are processed at a time as have room for their sums in the registers.
/// vector(v) and sums(v) return their addresses.
template <int C, class Scalar, class Vector, class Target>
void dot_tiles(const Scalar* const* columns, Index count, const Vector& vector, Index rows, const Target& sums) noexcept {
  constexpr int most = Pack::size == 8 ? 6 : 3;  // AVX-512 has 32 registers, others 16
  for (Index v = 0; v < count; v += most) {
    const double* vectors[most];
    double* targets[most];
    const Index here = std::min<Index>(most, count - v);
    for (Index i = 0; i < here; ++i) {
      vectors[i] = vector(v + i);
      targets[i] = sums(v + i);
    }
    switch (here) {
      case 1: dot_tile<C, 1>(columns, vectors, rows, targets); break;
      case 2: dot_tile<C, 2>(columns, vectors, rows, targets); break;
      case 3: dot_tile<C, 3>(columns, vectors, rows, targets); break;
      case 4: dot_tile<C, std::min(most, 4)>(columns, vectors, rows, targets); break;
      case 5: dot_tile<C, std::min(most, 5)>(columns, vectors, rows, targets); break;
      default: dot_tile<C, most>(columns, vectors, rows, targets);
    }
  }
}

/// The three sums that every scan needs for C columns: x.r, x.h and (x*x).h.
template <int C, class Scalar>
void moment_tile(const Scalar* const* columns, const RowBlock& block, Index column, const Sums& sums) noexcept {
  Pack slope[C], curvature[C], square[C];
  Index i = 0;
  for (; i + Pack::size <= block.rows; i += Pack::size) {
    const Pack r = Pack::load(block.slope + i), h = Pack::load(block.curvature + i);
    for (int c = 0; c < C; ++c) {
      const Pack x = Pack::load(columns[c] + i), xh = x * h;
      slope[c] = multiply_add(x, r, slope[c]);
      curvature[c] += xh;
      square[c] = multiply_add(x, xh, square[c]);
    }
  }
  for (int c = 0; c < C; ++c) {
    double by_slope = slope[c].sum(), by_curvature = curvature[c].sum(), by_square = square[c].sum();
    for (Index tail = i; tail < block.rows; ++tail) {
      const double x = double(columns[c][tail]), xh = x * block.curvature[tail];
      by_slope += x * block.slope[tail];
      by_curvature += xh;
      by_square += x * xh;
    }
    sums.row(Sums::slope)[column + c] += by_slope;
    sums.row(Sums::curvature)[column + c] += by_curvature;
    sums.row(Sums::square)[column + c] += by_square;
  }
}

/// All sums of C columns, with only the first `cross_count` cross vectors. The first column has the index `column` in the sums.
template <int C, class Scalar>
void column_tile(const Scalar* const* columns, const RowBlock& block, Index cross_count, Index column,
                 const Sums& sums) noexcept {
  moment_tile<C>(columns, block, column, sums);
  dot_tiles<C>(
      columns, cross_count, [&](Index v) { return block.cross + v * block.cross_stride; }, block.rows,
      [&](Index v) { return sums.row(Sums::cross + v) + column; });
}

/// Number of cross vectors up to which tiles in registers are as fast as a matrix product.
constexpr Index few_vectors = 48;

/// sums of the cross vectors += columns' vectors, for columns that are given as a matrix.
template <class Matrix>
void accumulate_product(const Matrix& columns, const RowBlock& block, Index vectors, double* target, Index stride) {
  using Strided = Eigen::OuterStride<>;
  Eigen::Map<Eigen::MatrixXd, 0, Strided>(target, columns.cols(), vectors, Strided(stride)).noalias() +=
      columns.transpose() *
      Eigen::Map<const Eigen::MatrixXd, 0, Strided>(block.cross, block.rows, vectors, Strided(block.cross_stride));
}

/// Number of columns from c on that are evenly spaced in memory, and their distance.
template <class Pointer>
Index evenly_spaced(Index c, Index count, const Pointer& pointer, Index& stride) noexcept {
  stride = c + 1 < count ? Index(pointer(c + 1) - pointer(c)) : 0;
  Index end = std::min(c + 1, count);
  while (end < count && pointer(end) - pointer(end - 1) == stride) ++end;
  return end - c;
}

/// The sums with many cross vectors. For evenly spaced columns they are a matrix product, which is three times as fast.
template <class Pointer, class CrossCount>
void accumulate_many_vectors(Index count, const RowBlock& block, const Sums& sums, const Pointer& pointer,
                             const CrossCount& cross_count) noexcept {
  using Column = decltype(pointer(0));
  using Matrix = Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
  constexpr Index fewest = 8, most = 64;  // columns of a product
  for (Index c = 0; c < count;) {
    if constexpr (std::is_same_v<std::remove_cv_t<std::remove_pointer_t<Column>>, double>) {
      Index stride = 0;
      const Index columns = evenly_spaced(c, std::min(c + most, count), pointer, stride);
      if (columns >= fewest && stride >= block.rows) {
        accumulate_product(Matrix(pointer(c), block.rows, columns, Eigen::OuterStride<>(stride)), block,
                           cross_count(c + columns - 1), sums.row(Sums::cross) + c, sums.stride);
        c += columns;
        continue;
      }
    }
    const auto vector = [&](Index v) { return block.cross + v * block.cross_stride; };
    const auto target = [&](Index v) { return sums.row(Sums::cross + v) + c; };
    if (c + 4 <= count) {
      const Column columns[4] = {pointer(c), pointer(c + 1), pointer(c + 2), pointer(c + 3)};
      dot_tiles<4>(columns, cross_count(c), vector, block.rows, target);
      c += 4;
    } else {
      const Column columns[1] = {pointer(c)};
      dot_tiles<1>(columns, cross_count(c), vector, block.rows, target);
      ++c;
    }
  }
}

/// All sums of `count` columns. pointer(c) returns the address of the first row of column c in the block, and cross_count(c) the
/// number of cross vectors that the tile that begins at column c needs.
template <class Pointer, class CrossCount>
void accumulate_columns(Index count, const RowBlock& block, const Sums& sums, const Pointer& pointer,
                        const CrossCount& cross_count) noexcept {
  using Column = decltype(pointer(0));
  const bool many = block.cross_count > few_vectors;
  Index c = 0;
  for (; c + 4 <= count; c += 4) {
    const Column columns[4] = {pointer(c), pointer(c + 1), pointer(c + 2), pointer(c + 3)};
    column_tile<4>(columns, block, many ? 0 : cross_count(c), c, sums);
  }
  for (; c < count; ++c) {
    const Column columns[1] = {pointer(c)};
    column_tile<1>(columns, block, many ? 0 : cross_count(c), c, sums);
  }
  if (many) accumulate_many_vectors(count, block, sums, pointer, cross_count);
}

/// Only the sums x.r, for C columns.
template <int C, class Scalar>
void slope_tile(const Scalar* const* columns, const RowBlock& block, Index column, const Sums& sums) noexcept {
  double* const target = sums.row(Sums::slope) + column;
  dot_tile<C, 1>(columns, &block.slope, block.rows, &target);
}

/// Only the sums x.r, for `count` columns.
template <class Pointer>
void accumulate_slopes(Index count, const RowBlock& block, const Sums& sums, const Pointer& pointer) noexcept {
  using Column = decltype(pointer(0));
  Index c = 0;
  for (; c + 8 <= count; c += 8) {
    Column columns[8];
    for (Index i = 0; i < 8; ++i) columns[i] = pointer(c + i);
    slope_tile<8>(columns, block, c, sums);
  }
  for (; c < count; ++c) {
    const Column columns[1] = {pointer(c)};
    slope_tile<1>(columns, block, c, sums);
  }
}

/// Only the sums x.r, for `count` columns and several problems. Problem i has the slopes slope(i), and its sums are at target(i).
template <class Pointer, class Slope, class Target>
void accumulate_slopes_of_many(Index count, Index rows, const Pointer& pointer, Index problems, const Slope& slope,
                               const Target& target) noexcept {
  Index c = 0;
  for (; c + 4 <= count; c += 4) {
    const double* columns[4] = {pointer(c), pointer(c + 1), pointer(c + 2), pointer(c + 3)};
    dot_tiles<4>(columns, problems, slope, rows, [&](Index i) { return target(i) + c; });
  }
  for (; c < count; ++c) {
    const double* columns[1] = {pointer(c)};
    dot_tiles<1>(columns, problems, slope, rows, [&](Index i) { return target(i) + c; });
  }
}

/// Prefetches the rows after a tile of R rows, a part of them at each step along the tile, in the order in which they are in
/// memory. Processors recognise a single stream of addresses, but not R streams in turn. With this, X is read in half of the time.
template <int R, class Scalar>
class RowsAhead {
 public:
  RowsAhead(const Scalar* x, Index row_stride, Index columns) noexcept
      : row_(reinterpret_cast<std::uintptr_t>(x)), stride_(bytes(row_stride)), end_(bytes(columns)) {
    row_ += R * stride_;
  }
  /// At each step of Pack::size columns.
  void fetch() noexcept {
    for (std::uintptr_t i = 0; i < step; i += line) prefetch(row_ + at_ + i);
    at_ += step;
    if (at_ < end_) return;
    at_ = 0;
    row_ += stride_;
  }

 private:
  static constexpr std::uintptr_t line = 64, step = R * Pack::size * sizeof(Scalar);
  static std::uintptr_t bytes(Index count) noexcept { return std::uintptr_t(count) * sizeof(Scalar); }
  std::uintptr_t row_, stride_, end_, at_ = 0;
};

/// All sums of contiguous columns for R consecutive rows at a distance of `row_stride` (row-major X). The loop runs along the
/// columns, so that rows are read in order and the sums stay in the first-level cache.
template <int R, class Scalar>
void row_tile(const Scalar* x, Index row_stride, Index columns, const RowBlock& block, Index first, const Sums& sums) noexcept {
  double* const by_slope = sums.row(Sums::slope);
  double* const by_curvature = sums.row(Sums::curvature);
  double* const by_square = sums.row(Sums::square);
  RowsAhead<R, Scalar> ahead(x, row_stride, columns);
  Index j = 0;
  for (; j + Pack::size <= columns; j += Pack::size) {
    ahead.fetch();
    Pack value[R];
    Pack slope = Pack::load(by_slope + j), curvature = Pack::load(by_curvature + j), square = Pack::load(by_square + j);
    for (int i = 0; i < R; ++i) {
      value[i] = Pack::load(x + i * row_stride + j);
      const Pack xh = value[i] * Pack(block.curvature[first + i]);
      slope = multiply_add(value[i], Pack(block.slope[first + i]), slope);
      curvature += xh;
      square = multiply_add(value[i], xh, square);
    }
    slope.store(by_slope + j);
    curvature.store(by_curvature + j);
    square.store(by_square + j);
    for (Index v = 0; v < block.cross_count; ++v) {
      const double* vector = block.cross + v * block.cross_stride + first;
      double* const target = sums.row(Sums::cross + v) + j;
      Pack total = Pack::load(target);
      for (int i = 0; i < R; ++i) total = multiply_add(value[i], Pack(vector[i]), total);
      total.store(target);
    }
  }
  for (; j < columns; ++j)
    for (int i = 0; i < R; ++i) {
      const double value = double(x[i * row_stride + j]), xh = value * block.curvature[first + i];
      by_slope[j] += value * block.slope[first + i];
      by_curvature[j] += xh;
      by_square[j] += value * xh;
      for (Index v = 0; v < block.cross_count; ++v)
        sums.row(Sums::cross + v)[j] += value * block.cross[v * block.cross_stride + first + i];
    }
}

/// Only the sums x.r, in the same way as row_tile.
template <int R, class Scalar>
void slope_row_tile(const Scalar* x, Index row_stride, Index columns, const RowBlock& block, Index first,
                    const Sums& sums) noexcept {
  double* const by_slope = sums.row(Sums::slope);
  RowsAhead<R, Scalar> ahead(x, row_stride, columns);
  Index j = 0;
  for (; j + Pack::size <= columns; j += Pack::size) {
    ahead.fetch();
    Pack slope = Pack::load(by_slope + j);
    for (int i = 0; i < R; ++i) slope = multiply_add(Pack::load(x + i * row_stride + j), Pack(block.slope[first + i]), slope);
    slope.store(by_slope + j);
  }
  for (; j < columns; ++j)
    for (int i = 0; i < R; ++i) by_slope[j] += double(x[i * row_stride + j]) * block.slope[first + i];
}

}  // namespace kernels
}  // namespace ksparse
