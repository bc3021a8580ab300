// Sparse X by columns (CSC), as it lies in the caller's memory: values of doubles or floats, indices of 32 or 64 bits.
// Centring and scaling stay formulas (glm_objective.hpp), so nothing dense of the size of X ever exists.
//
// Rows are scattered over a column, so a scan takes all of them at once and cuts X along columns only. What it needs of a row
// lies together, slope beside curvature, and products with the active columns are skipped for the rows where all of these are
// 0, which are most: one bit tells. A scan of a few columns does not even lay out the terms of all rows.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gathered.hpp"

namespace ksparse {

/// A set of rows, a bit for each.
class RowSet {
 public:
  /// None of so many rows.
  void reset(Index rows) { words_.assign(std::size_t(rows / 64 + 1), 0); }
  bool has(Index row) const noexcept { return words_[std::size_t(row >> 6)] >> (row & 63) & 1; }
  void add(Index row) noexcept { words_[std::size_t(row >> 6)] |= std::uint64_t(1) << (row & 63); }
  void remove(Index row) noexcept { words_[std::size_t(row >> 6)] &= ~(std::uint64_t(1) << (row & 63)); }

 private:
  std::vector<std::uint64_t> words_;
};

/// What all rows of a sparse X are multiplied with: slope, curvature, and curvature times active columns ("cross").
struct SparseRows {
  const RowSet* listed;  // rows with an entry in cross, or null: all of them
  const Index* place;    // (n,) of a listed row in cross; not needed if all are
  const double* cross;   // (listed rows, cross_stride) by row, filled up with zeros
  Index cross_stride;    // a whole number of packs
  Index cross_count;
  double* cross_sums;  // (cross_stride,) scratch

  const double* terms;  // (n, 2) by row: slope and curvature; or null, to have them from what follows as they are needed
  const double *slope, *curvature;  // (listed rows,)
  const double *sign, *weight;      // (n,) sign +1 or -1 by the label
  double background[2][2];          // by label, of a row of unit weight that is not listed: slope, curvature
};

namespace kernels {

/// Adds to sums the products of some rows of cross with values, in packs that stay in registers.
template <int packs>
void add_cross(const Index* places, const double* values, Index count, const SparseRows& rows, double* sums) noexcept {
  Pack total[packs];
  for (int v = 0; v < packs; ++v) total[v] = Pack::load(sums + v * Pack::size);
  const double* const cross = rows.cross + (sums - rows.cross_sums);
  for (Index e = 0; e < count; ++e) {
    const double* const vector = cross + places[e] * rows.cross_stride;
    const Pack value(values[e]);
    for (int v = 0; v < packs; ++v) total[v] = multiply_add(value, Pack::load(vector + v * Pack::size), total[v]);
  }
  for (int v = 0; v < packs; ++v) total[v].store(sums + v * Pack::size);
}

inline void add_all_cross(const Index* places, const double* values, Index count, const SparseRows& rows) noexcept {
  constexpr Index most = 4;
  Index v = 0;
  for (; v + most * Pack::size <= rows.cross_stride; v += most * Pack::size)
    add_cross<most>(places, values, count, rows, rows.cross_sums + v);
  for (; v < rows.cross_stride; v += Pack::size) add_cross<1>(places, values, count, rows, rows.cross_sums + v);
}

/// All sums of one column with `count` entries, entry e of which has the value value_of(e) in the row row_of(e), whose slope
/// and curvature terms_of(row) gives.
template <class RowOf, class ValueOf, class TermsOf>
void sparse_column(Index count, const RowOf& row_of, const ValueOf& value_of, const TermsOf& terms_of, const SparseRows& rows,
                   Index column, const Sums& sums) noexcept {
  constexpr Index most = 128;
  Index places[most];
  double values[most];
  double slope[2] = {0, 0}, curvature[2] = {0, 0}, square[2] = {0, 0};
  const auto add = [&](Index e, int lane) {  // two lanes: one alone would wait for its last addition
    const double x = value_of(e), *const terms = terms_of(row_of(e)), xh = x * terms[1];
    slope[lane] += x * terms[0];
    curvature[lane] += xh;
    square[lane] += x * xh;
  };
  std::fill_n(rows.cross_sums, rows.cross_stride, 0.0);
  for (Index begin = 0; begin < count; begin += most) {
    const Index end = std::min(begin + most, count);
    Index e = begin;
    for (; e + 2 <= end; e += 2) {
      add(e, 0);
      add(e + 1, 1);
    }
    if (e < end) add(e, 0);
    if (rows.cross_count == 0) continue;
    Index found = 0;
    if (rows.listed) {
      for (e = begin; e < end; ++e) {  // without a branch, which would be mispredicted where some rows are listed
        const Index row = row_of(e);
        places[found] = row;
        values[found] = value_of(e);
        found += Index(rows.listed->has(row));
      }
      for (Index i = 0; i < found; ++i) places[i] = rows.place[places[i]];
    } else {
      for (e = begin; e < end; ++e, ++found) {
        places[found] = row_of(e);
        values[found] = value_of(e);
      }
    }
    if (found > 0) add_all_cross(places, values, found, rows);
  }
  sums.row(Sums::slope)[column] += slope[0] + slope[1];
  sums.row(Sums::curvature)[column] += curvature[0] + curvature[1];
  sums.row(Sums::square)[column] += square[0] + square[1];
  for (Index v = 0; v < rows.cross_count; ++v) sums.row(Sums::cross + v)[column] += rows.cross_sums[v];
}

/// The same, with the terms that the rows have.
template <class RowOf, class ValueOf>
void sparse_column(Index count, const RowOf& row_of, const ValueOf& value_of, const SparseRows& rows, Index column,
                   const Sums& sums) noexcept {
  if (rows.terms) {
    const auto terms_of = [&](Index row) { return rows.terms + 2 * row; };
    return sparse_column(count, row_of, value_of, terms_of, rows, column, sums);
  }
  double terms[2];
  const auto terms_of = [&](Index row) {
    if (rows.listed->has(row)) {
      terms[0] = rows.slope[rows.place[row]];
      terms[1] = rows.curvature[rows.place[row]];
    } else {
      const double* const common = rows.background[rows.sign[row] > 0];
      terms[0] = rows.weight[row] * common[0];
      terms[1] = rows.weight[row] * common[1];
    }
    return static_cast<const double*>(terms);
  };
  sparse_column(count, row_of, value_of, terms_of, rows, column, sums);
}

}  // namespace kernels

/// A sparse X. Scans ask for sums over all rows; blocks of rows can be had as from a dense X, but are not fast.
class SparseDesign : public GatheredDesign {
 public:
  const SparseDesign* sparse() const noexcept final { return this; }

  /// Copies the entries of a column, rows increasing; returns how many, at most rows().
  virtual Index entries(Index column, Index* row_numbers, double* values) const noexcept = 0;
  /// Whether a column is finite, and 0 in every row of positive weight.
  virtual bool is_zero(Index column, const double* weights) const noexcept = 0;
  /// Adds all sums over all rows.
  virtual void accumulate(const Columns& columns, const SparseRows& rows, const Sums& sums) const noexcept = 0;

  using GatheredDesign::accumulate;
};

/// Columns of X in compressed form: the entries of column j are those from starts[j] to starts[j + 1], their rows increasing.
template <class Scalar, class StorageIndex>
class SparseColumns final : public SparseDesign {
 public:
  using Matrix = Eigen::SparseMatrix<Scalar, Eigen::ColMajor, StorageIndex>;

  SparseColumns(Index rows, Index columns, const StorageIndex* starts, const StorageIndex* row_numbers,
                const Scalar* values) noexcept
      : rows_(rows), columns_(columns), starts_(starts), row_numbers_(row_numbers), values_(values) {}
  /// X must be compressed, X.makeCompressed().
  explicit SparseColumns(const Matrix& X) noexcept
      : SparseColumns(X.rows(), X.cols(), X.outerIndexPtr(), X.innerIndexPtr(), X.valuePtr()) {}
  explicit SparseColumns(Matrix&&) = delete;  // would dangle

  Index rows() const noexcept override { return rows_; }
  Index columns() const noexcept override { return columns_; }

  /// All indices are read, and none is used before that.
  std::optional<std::string> problem() const override {
    if (starts_[0] != 0) return "sparse X is malformed: its first column does not start at entry 0";
    for (Index j = 0; j < columns_; ++j)
      if (starts_[j + 1] < starts_[j]) return "sparse X is malformed: column " + std::to_string(j) + " ends before it starts";
    // Falls from one entry to the next in one loop over all, which is fast, and those between columns, which are in order.
    Index falls = 0;
    for (Index e = 1; e < Index(starts_[columns_]); ++e) falls += row_numbers_[e] <= row_numbers_[e - 1];
    for (Index j = 0; j < columns_; ++j) {
      const StorageIndex begin = starts_[j], end = starts_[j + 1];
      if (begin == end) continue;
      if (begin > 0) falls -= row_numbers_[begin] <= row_numbers_[begin - 1];
    }
    for (Index j = 0; j < columns_; ++j) {
      const StorageIndex begin = starts_[j], end = starts_[j + 1];
      if (begin == end) continue;
      const StorageIndex first = row_numbers_[begin], last = row_numbers_[end - 1];
      if (falls > 0)
        for (StorageIndex e = begin + 1; e < end; ++e)
          if (row_numbers_[e] <= row_numbers_[e - 1])
            return "sparse X is malformed: column " + std::to_string(j) + " has unsorted or duplicate row indices";
      if (first < 0 || Index(last) >= rows_)
        return "sparse X is malformed: column " + std::to_string(j) + " has the row index " +
               std::to_string(first < 0 ? first : last) + ", but there are " + std::to_string(rows_) + " rows";
    }
    return std::nullopt;
  }

  Index entries(Index column, Index* row_numbers, double* values) const noexcept override {
    const Index count = size(column);
    for (Index e = 0; e < count; ++e) {
      row_numbers[e] = Index(row_numbers_[starts_[column] + e]);
      values[e] = double(values_[starts_[column] + e]);
    }
    return count;
  }

  bool is_zero(Index column, const double* weights) const noexcept override {
    for (StorageIndex e = starts_[column]; e < starts_[column + 1]; ++e) {
      const double value = double(values_[e]);
      if (!std::isfinite(value) || (value != 0 && weights[row_numbers_[e]] > 0)) return false;
    }
    return true;
  }

  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    std::fill_n(target, rows, 0.0);
    const StorageIndex* const end = row_numbers_ + starts_[column + 1];
    const StorageIndex* row = row_numbers_ + starts_[column];
    if (first > 0) row = std::lower_bound(row, end, first, [](StorageIndex a, Index b) { return Index(a) < b; });
    for (; row != end && Index(*row) < first + rows; ++row) target[Index(*row) - first] = double(values_[row - row_numbers_]);
  }

  using SparseDesign::accumulate;
  void accumulate(const Columns& columns, const SparseRows& rows, const Sums& sums) const noexcept override {
    for (Index c = 0; c < columns.count; ++c) {
      const Index j = columns[c];
      const StorageIndex* const row = row_numbers_ + starts_[j];
      const Scalar* const value = values_ + starts_[j];
      kernels::sparse_column(
          size(j), [row](Index e) { return Index(row[e]); }, [value](Index e) { return double(value[e]); }, rows, c, sums);
    }
  }

 private:
  Index size(Index column) const noexcept { return Index(starts_[column + 1]) - Index(starts_[column]); }

  Index rows_, columns_;
  const StorageIndex* starts_;
  const StorageIndex* row_numbers_;
  const Scalar* values_;
};

}  // namespace ksparse
