// Sparse X, and X by columns (CSC) in the caller's memory: values are doubles or floats, and indices have 32 or 64 bits.
// Centring and scaling are applied in formulas (panel.hpp), so no dense copy of X is ever made.
//
// Most rows have no entry in any active column. Among these, all rows of a class have the same linear predictor, and therefore
// the same slope and curvature up to their weights. The few rows with an entry in an active column are called "listed". For each
// column, a scan needs its weighted sums over each class, which are computed once (ClassMoments), and its entries in the listed
// rows, with the differences of their slopes and curvatures from those of the other rows (RowTerms).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "gathered.hpp"

namespace ksparse {

namespace internal {

/// Whether an Eigen object stores its entries in three arrays, like a compressed sparse matrix, by rows or by columns.
template <class Object, bool by_rows>
constexpr bool is_sparse() {
  if constexpr (std::is_base_of_v<Eigen::SparseCompressedBase<Object>, Object>)
    return bool(Object::IsRowMajor) == by_rows &&
           (std::is_same_v<typename Object::Scalar, double> || std::is_same_v<typename Object::Scalar, float>);
  return false;
}

/// Offsets of the rows (or columns) of a sparse Eigen object; null unless they are contiguous from the first entry.
template <class Object>
auto starts_of(const Object& X) noexcept {
  const auto* const starts = X.outerIndexPtr();
  return X.isCompressed() && starts && starts[0] == 0 ? starts : nullptr;
}

constexpr const char* not_compressed =
    "sparse X is not compressed, or is a part of another matrix; call X.makeCompressed(), or copy the part, first";

}  // namespace internal

/// A set of rows or columns, with a bit for each.
class IndexSet {
 public:
  /// Makes an empty set with room for this many.
  void reset(Index count) { words_.assign(std::size_t(count / 64 + 1), 0); }
  bool has(Index i) const noexcept { return words_[std::size_t(i >> 6)] >> (i & 63) & 1; }
  void add(Index i) noexcept { words_[std::size_t(i >> 6)] |= std::uint64_t(1) << (i & 63); }
  void remove(Index i) noexcept { words_[std::size_t(i >> 6)] &= ~(std::uint64_t(1) << (i & 63)); }

 private:
  std::vector<std::uint64_t> words_;
};

/// The classes of rows, 0 or 1, and their weights.
struct RowClasses {
  const IndexSet* second;      // the rows of class 1
  const double* weight;        // (n,)
  const double* class_weight;  // (2,) the common weight of the rows of each class, or null if weights differ
};

/// For each class, the sums x.w and (x*x).w over its rows; those of column j are at 2 j and 2 j + 1.
struct ClassMoments {
  double* of_class[2];
};

/// The vectors by which rows of a sparse X are multiplied: slope, curvature, and curvature times active columns.
struct RowTerms {
  static constexpr Index slope = 0, curvature = 1, cross = 3;  // indices in a vector; 2 is reserved for the square

  const IndexSet* listed;  // rows that have a vector, or null if all of them do
  const Index* rows;       // (count,) the listed rows; not needed if all rows are listed
  const Index* place;      // (n,) index of a listed row in the vectors; not needed if all rows are listed
  const double* vectors;   // (count, stride), row-major, padded with zeros
  Index count;
  Index stride;  // a multiple of the pack size, or narrow() for only slope and curvature
  Index cross_count;

  static constexpr Index narrow() noexcept { return 2; }
  static constexpr Index stride_for(Index cross_count) noexcept {
    return cross_count == 0 ? narrow() : padded_to_pack(cross + cross_count);
  }
  bool is_narrow() const noexcept { return stride == narrow(); }
  /// Distance between the sums of two columns, which are those of the vectors and the square.
  Index sum_stride() const noexcept { return is_narrow() ? cross : stride; }
  Index sum_count() const noexcept { return cross + cross_count; }
};

namespace kernels {

/// Lists the numbers e in [begin, end) whose index_of(e) is in a set, and returns their count. There is space for end - begin.
template <class IndexOf>
Index find_members(const IndexSet& set, Index begin, Index end, const IndexOf& index_of, Index* found) noexcept {
  Index count = 0, e = begin;
  const auto look = [&](Index at) {  // without a branch, which would often be mispredicted
    found[count] = at;
    count += Index(set.has(index_of(at)));
  };
  for (; e + 8 <= end; e += 8) {  // if few are in the set, most blocks of eight contain none
    bool any = false;
    for (Index i = 0; i < 8; ++i) any |= set.has(index_of(e + i));
    if (any)
      for (Index i = 0; i < 8; ++i) look(e + i);
  }
  for (; e < end; ++e) look(e);
  return count;
}

/// Adds the products of vectors and values to sums that stay in registers. Two independent sums are used, because a single one
/// would wait for each addition.
template <int packs>
void add_vectors(const Index* places, const double* values, Index count, const double* vectors, Index stride,
                 double* sums) noexcept {
  Pack total[2][packs];
  for (int v = 0; v < packs; ++v) total[0][v] = Pack::load(sums + v * Pack::size);
  const auto add = [&](Index e, int lane) {
    const double* const vector = vectors + places[e] * stride;
    const Pack value(values[e]);
    for (int v = 0; v < packs; ++v) total[lane][v] = multiply_add(value, Pack::load(vector + v * Pack::size), total[lane][v]);
  };
  Index e = 0;
  for (; e + 2 <= count; e += 2) {
    add(e, 0);
    add(e + 1, 1);
  }
  if (e < count) add(e, 0);
  for (int v = 0; v < packs; ++v) (total[0][v] + total[1][v]).store(sums + v * Pack::size);
}

/// All sums of `count` entries of a column; entry e has the value value_of(e) and the vector at place_of(e). Two independent
/// sums are used, because a single one would wait for each addition.
template <class PlaceOf, class ValueOf>
void add_narrow(Index count, const PlaceOf& place_of, const ValueOf& value_of, const RowTerms& rows, double* sums) noexcept {
  double total[2][3] = {};
  const auto add = [&](Index e, int lane) {
    const double x = value_of(e), *const vector = rows.vectors + rows.stride * place_of(e);
    const double xh = x * vector[RowTerms::curvature];
    total[lane][0] += x * vector[RowTerms::slope];
    total[lane][1] += xh;
    total[lane][2] += x * xh;
  };
  Index e = 0;
  for (; e + 2 <= count; e += 2) {
    add(e, 0);
    add(e + 1, 1);
  }
  if (e < count) add(e, 0);
  for (int which = 0; which < 3; ++which) sums[which] += total[0][which] + total[1][which];
}

inline void add_wide(const Index* places, const double* values, Index count, const RowTerms& rows, double* sums) noexcept {
  constexpr Index most = 4;
  double square[2] = {0, 0};  // computed as x (x h), which is 0 if h is, although x x may be infinite
  for (Index e = 0; e < count; ++e)
    square[e & 1] += values[e] * (values[e] * rows.vectors[places[e] * rows.stride + RowTerms::curvature]);
  Index v = 0;
  for (; v + most * Pack::size <= rows.stride; v += most * Pack::size)
    add_vectors<most>(places, values, count, rows.vectors + v, rows.stride, sums + v);
  for (; v + 2 * Pack::size <= rows.stride; v += 2 * Pack::size)
    add_vectors<2>(places, values, count, rows.vectors + v, rows.stride, sums + v);
  for (; v < rows.stride; v += Pack::size) add_vectors<1>(places, values, count, rows.vectors + v, rows.stride, sums + v);
  sums[Sums::square] += square[0] + square[1];
}

/// Adds to all sums of a column (rows.sum_stride() of them) those of `count` entries; entry e has the value value_of(e) in row
/// row_of(e).
template <class RowOf, class ValueOf>
void add_entries(Index count, const RowOf& row_of, const ValueOf& value_of, const RowTerms& rows, double* sums) noexcept {
  constexpr Index most = 128;
  Index places[most];
  double values[most];
  if (!rows.listed && rows.is_narrow()) return add_narrow(count, row_of, value_of, rows, sums);
  for (Index begin = 0; begin < count; begin += most) {
    const Index end = std::min(begin + most, count);
    Index found = 0;
    if (rows.listed) {
      found = find_members(*rows.listed, begin, end, row_of, places);
      for (Index i = 0; i < found; ++i) {
        values[i] = value_of(places[i]);
        places[i] = rows.place[row_of(places[i])];
      }
    } else {
      for (Index e = begin; e < end; ++e, ++found) {
        places[found] = row_of(e);
        values[found] = value_of(e);
      }
    }
    if (found == 0) continue;
    if (rows.is_narrow())
      add_narrow(found, [&](Index i) { return places[i]; }, [&](Index i) { return values[i]; }, rows, sums);
    else
      add_wide(places, values, found, rows, sums);
  }
}

/// Sets all sums of a column.
template <class RowOf, class ValueOf>
void sparse_column(Index count, const RowOf& row_of, const ValueOf& value_of, const RowTerms& rows, double* sums) noexcept {
  std::fill_n(sums, rows.sum_stride(), 0.0);
  add_entries(count, row_of, value_of, rows, sums);
}

/// Sums of a column for each class: moments[class] has x.w and (x*x).w.
template <class RowOf, class ValueOf>
void class_moments(Index count, const RowOf& row_of, const ValueOf& value_of, const RowClasses& classes,
                   double* const* moments) noexcept {
  constexpr double member[2] = {0, 1};
  double first[2][2] = {}, second[2][2] = {};  // for each class and lane
  const auto add = [&](double x, double xw, Index row, int lane) {
    const double of_one = xw * member[classes.second->has(row)], of_zero = xw - of_one;
    first[0][lane] += of_zero;
    first[1][lane] += of_one;
    second[0][lane] += of_zero * x;
    second[1][lane] += of_one * x;
  };
  const auto add_all = [&](const auto& weighted) {
    Index e = 0;
    for (; e + 2 <= count; e += 2)
      for (int lane = 0; lane < 2; ++lane) add(value_of(e + lane), weighted(e + lane), row_of(e + lane), lane);
    if (e < count) add(value_of(e), weighted(e), row_of(e), 0);
  };
  if (classes.class_weight)
    add_all([&](Index e) { return value_of(e); });
  else
    add_all([&](Index e) { return value_of(e) * classes.weight[row_of(e)]; });
  for (const int which : {0, 1}) {
    const double unit = classes.class_weight ? classes.class_weight[which] : 1.0;
    moments[which][0] = unit * (first[which][0] + first[which][1]);
    moments[which][1] = unit * (second[which][0] + second[which][1]);
  }
}

/// A message if the compressed columns (or rows) of X are invalid. All indices are checked before any of them is used.
template <class StorageIndex>
std::optional<std::string> problem_of_compressed(Index lines, Index length, const StorageIndex* starts,
                                                 const StorageIndex* numbers, const std::string& line,
                                                 const std::string& other) {
  const std::string malformed = "sparse X is malformed: ";
  const auto name = [&](Index i) { return malformed + line + " " + std::to_string(i); };
  if (starts[0] != 0) return malformed + "its first " + line + " does not start at entry 0";
  for (Index j = 0; j < lines; ++j)
    if (starts[j + 1] < starts[j]) return name(j) + " ends before it starts";
  // Decreasing indices are counted in fast loops over all entries. Those between lines are subtracted, because they are
  // allowed.
  Index falls = 0;
  constexpr Index at_once = 1 << 14;  // so that small integers are sufficient for counting
  for (Index begin = 1; begin < Index(starts[lines]); begin += at_once) {
    const Index end = std::min(begin + at_once, Index(starts[lines]));
    StorageIndex here = 0;
    for (Index e = begin; e < end; ++e) here += StorageIndex(numbers[e] <= numbers[e - 1]);
    falls += Index(here);
  }
  for (Index j = 0; j < lines; ++j) {
    const StorageIndex begin = starts[j], end = starts[j + 1];
    if (begin == end) continue;
    if (begin > 0) falls -= numbers[begin] <= numbers[begin - 1];
  }
  for (Index j = 0; j < lines; ++j) {
    const StorageIndex begin = starts[j], end = starts[j + 1];
    if (begin == end) continue;
    const StorageIndex first = numbers[begin], last = numbers[end - 1];
    if (falls > 0)
      for (StorageIndex e = begin + 1; e < end; ++e)
        if (numbers[e] <= numbers[e - 1]) return name(j) + " has unsorted or duplicate " + other + " indices";
    if (first < 0 || Index(last) >= length)
      return name(j) + " has the " + other + " index " + std::to_string(first < 0 ? first : last) + ", but there are " +
             std::to_string(length) + " " + other + "s";
  }
  return std::nullopt;
}

}  // namespace kernels

/// Entries of a column, with increasing rows.
struct EntryList {
  std::vector<Index> rows;
  std::vector<double> values;
  Index count = 0;

  /// Makes space for a column with this many rows.
  void reserve(Index most) {
    rows.resize(std::size_t(most));
    values.resize(std::size_t(most));
  }
};

/// Access of one problem to the entries of a sparse X. It may cache entries, so threads do not share it.
class SparseReader {
 public:
  virtual ~SparseReader() = default;
  /// Announces columns that will be read soon, so that entries(), gather() and scans of them are fast. Returns false if
  /// interrupted.
  virtual bool fetch(const Columns& columns, const Interrupt& interrupt) = 0;
  /// Copies the entries of a column into a list with space for all rows.
  virtual void entries(Index column, EntryList& list) = 0;
  /// Copies consecutive rows of a column, like Design::gather.
  virtual void gather(Index column, Index first, Index rows, double* target) = 0;
  /// Sets the sums of all columns for each class. Returns false if interrupted.
  virtual bool class_moments(const RowClasses& classes, const ClassMoments& moments, const Interrupt& interrupt) = 0;
  /// Called before the panels of a scan of these columns, during which the terms must not change. Returns false if interrupted.
  virtual bool begin_scan(const Columns& columns, const RowTerms& rows, const Interrupt& interrupt) = 0;
  /// Sets all sums of a panel of these columns over the listed rows; it is fast if panels are in order. Returns false if
  /// interrupted.
  virtual bool sum(const Columns& panel, const RowTerms& rows, const Sums& sums, const Interrupt& interrupt) = 0;
  /// Allows calls of sum_part with lanes below this number. Returns false if columns cannot be summed independently.
  virtual bool reserve_lanes(Index /*lanes*/) { return false; }
  /// Sets all sums of some columns of a panel, like sum(). Threads may call it at the same time with different lanes.
  virtual void sum_part(Index /*lane*/, const Columns& /*panel*/, Index /*first*/, Index /*count*/, const RowTerms& /*rows*/,
                        const Sums& /*sums*/) {}
  static constexpr Index most_together = 64;  // columns of one call
};

/// A sparse X. Scans use sums over all rows. Blocks of rows are available as for a dense X, but slow.
class SparseDesign : public GatheredDesign {
 public:
  const SparseDesign* sparse() const noexcept final { return this; }
  /// Makes a reader for a problem with at most this many active columns.
  virtual std::unique_ptr<SparseReader> reader(Index most_active) const = 0;
};

/// X by compressed columns: the entries of column j are those from starts[j] to starts[j + 1], with increasing rows.
template <class Scalar, class StorageIndex>
class SparseColumns final : public SparseDesign {
 public:
  using Matrix = Eigen::SparseMatrix<Scalar, Eigen::ColMajor, StorageIndex>;

  SparseColumns(Index rows, Index columns, const StorageIndex* starts, const StorageIndex* row_numbers,
                const Scalar* values) noexcept
      : rows_(rows), columns_(columns), starts_(starts), row_numbers_(row_numbers), values_(values) {}
  /// Makes a view of a SparseMatrix, or of a Map or Ref. X must be compressed; call X.makeCompressed() otherwise.
  template <class Object, std::enable_if_t<internal::is_sparse<Object, false>(), int> = 0>
  explicit SparseColumns(const Object& X) noexcept
      : SparseColumns(X.rows(), X.cols(), internal::starts_of(X), X.innerIndexPtr(), X.valuePtr()) {}
  explicit SparseColumns(Matrix&&) = delete;  // would dangle

  Index rows() const noexcept override { return rows_; }
  Index columns() const noexcept override { return columns_; }

  std::optional<std::string> problem() const override {
    if (!starts_) return internal::not_compressed;
    return kernels::problem_of_compressed(columns_, rows_, starts_, row_numbers_, "column", "row");
  }

  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    std::fill_n(target, rows, 0.0);
    const StorageIndex* const end = row_numbers_ + starts_[column + 1];
    const StorageIndex* row = row_numbers_ + starts_[column];
    if (first > 0) row = std::lower_bound(row, end, first, [](StorageIndex a, Index b) { return Index(a) < b; });
    for (; row != end && Index(*row) < first + rows; ++row) target[Index(*row) - first] = double(values_[row - row_numbers_]);
  }

  std::unique_ptr<SparseReader> reader(Index most_active) const override {
    return std::make_unique<Reader>(*this, most_active);
  }

  // The functions of a reader, without a cache.
  /// The number of rows that a scan should go over at a time. If the vectors of the rows do not fit the cache, and columns have
  /// many entries, almost each entry waits for its vector, which was in the cache for the column before.
  Index block_for(const RowTerms& rows) const noexcept {
    constexpr Index first_cache = Index(1) << 15, last_cache = Index(1) << 17, few_entries = 8;  // in numbers
    if (rows.listed || rows.count * rows.stride <= last_cache) return rows.count;
    const Index block = first_cache / rows.stride;
    const double entries = double(starts_[columns_]) / double(columns_) / double(rows_) * double(block);
    return entries < few_entries ? rows.count : block;
  }
  /// Sets rows.sum_stride() sums of each of some columns, for `block` rows at a time.
  void sum(const Index* columns, Index count, const RowTerms& rows, Index block, Index* next, double* sums) const noexcept {
    std::fill_n(sums, count * rows.sum_stride(), 0.0);
    for (Index c = 0; c < count; ++c) next[c] = Index(starts_[columns[c]]);
    for (Index end_row = std::min(block, rows.count);; end_row = std::min(end_row + block, rows.count)) {
      for (Index c = 0; c < count; ++c) {
        const Index begin = next[c],
                    end = end_row < rows.count ? first_from(end_row, begin, columns[c], block) : Index(starts_[columns[c] + 1]);
        const StorageIndex* const row = row_numbers_ + begin;
        const Scalar* const value = values_ + begin;
        kernels::add_entries(
            end - begin, [row](Index e) { return Index(row[e]); }, [value](Index e) { return double(value[e]); }, rows,
            sums + c * rows.sum_stride());
        next[c] = end;
      }
      if (end_row >= rows.count) return;
    }
  }
  void entries(Index column, EntryList& list) const noexcept {
    list.count = size(column);
    for (Index e = 0; e < list.count; ++e) {
      list.rows[std::size_t(e)] = Index(row_numbers_[starts_[column] + e]);
      list.values[std::size_t(e)] = double(values_[starts_[column] + e]);
    }
  }
  /// Sets rows.sum_stride() sums of a column.
  void sum(Index column, const RowTerms& rows, double* sums) const noexcept {
    for_column(column, [&](Index count, const auto& row_of, const auto& value_of) {
      kernels::sparse_column(count, row_of, value_of, rows, sums);
    });
  }

 private:
  // Access by columns is fast, so no cache is needed.
  class Reader final : public SparseReader {
   public:
    Reader(const SparseColumns& design, Index most_active) : design_(design), lanes_(1) {
      lanes_.front().sums.resize(std::size_t(most_together * (RowTerms::stride_for(most_active) + RowTerms::cross)));
    }

    bool fetch(const Columns&, const Interrupt&) override { return true; }
    void entries(Index column, EntryList& list) override { design_.entries(column, list); }
    void gather(Index column, Index first, Index rows, double* target) override { design_.gather(column, first, rows, target); }
    bool class_moments(const RowClasses& classes, const ClassMoments& moments, const Interrupt& interrupt) override {
      for (Index j = 0; j < design_.columns(); ++j) {
        if (j % at_once == 0 && interrupt()) return false;
        double* const target[2] = {moments.of_class[0] + 2 * j, moments.of_class[1] + 2 * j};
        design_.for_column(j, [&](Index count, const auto& row_of, const auto& value_of) {
          kernels::class_moments(count, row_of, value_of, classes, target);
        });
      }
      return true;
    }
    bool begin_scan(const Columns&, const RowTerms& rows, const Interrupt&) override {
      block_ = design_.block_for(rows);
      return true;
    }
    bool sum(const Columns& panel, const RowTerms& rows, const Sums& sums, const Interrupt& interrupt) override {
      for (Index first = 0; first < panel.count; first += most_together) {
        if (interrupt()) return false;
        sum_part(0, panel, first, std::min(most_together, panel.count - first), rows, sums);
      }
      return true;
    }
    bool reserve_lanes(Index lanes) override {
      lanes_.resize(std::max(lanes_.size(), std::size_t(lanes)), lanes_.front());
      return true;
    }
    void sum_part(Index lane, const Columns& panel, Index first, Index count, const RowTerms& rows, const Sums& sums) override {
      Lane& mine = lanes_[std::size_t(lane)];
      const Index at_a_time = block_ < rows.count ? count : 1, stride = rows.sum_stride();
      for (Index begin = first; begin < first + count; begin += at_a_time) {
        for (Index c = 0; c < at_a_time; ++c) mine.columns[c] = panel[begin + c];
        design_.sum(mine.columns, at_a_time, rows, block_, mine.next, mine.sums.data());
        for (Index which = 0; which < rows.sum_count(); ++which)
          for (Index c = 0; c < at_a_time; ++c) sums.row(which)[begin + c] = mine.sums[std::size_t(c * stride + which)];
      }
    }

   private:
    static constexpr Index at_once = 512;  // columns between two checks for an interrupt

    // Buffers of one thread.
    struct Lane {
      Index columns[most_together] = {}, next[most_together] = {};  // summed columns; first entry of each in the next block
      std::vector<double> sums;                                     // of these columns
    };

    const SparseColumns design_;
    Index block_ = 0;  // number of rows at a time; all of them in most cases
    std::vector<Lane> lanes_;
  };

  // The first entry of a column, from `begin` on and within `block` entries, whose row is at least this.
  Index first_from(Index row, Index begin, Index column, Index block) const noexcept {
    const Index end = std::min(Index(starts_[column + 1]), begin + block);
    const auto before = [](StorageIndex a, Index b) { return Index(a) < b; };
    return std::lower_bound(row_numbers_ + begin, row_numbers_ + end, row, before) - row_numbers_;
  }
  Index size(Index column) const noexcept { return Index(starts_[column + 1]) - Index(starts_[column]); }
  // Calls visit(count, row_of, value_of), where row_of and value_of are functions of the number of an entry.
  template <class Visit>
  void for_column(Index column, const Visit& visit) const noexcept {
    const StorageIndex* const row = row_numbers_ + starts_[column];
    const Scalar* const value = values_ + starts_[column];
    visit(size(column), [row](Index e) { return Index(row[e]); }, [value](Index e) { return double(value[e]); });
  }

  Index rows_, columns_;
  const StorageIndex* starts_;
  const StorageIndex* row_numbers_;
  const Scalar* values_;
};

template <class Object>
explicit SparseColumns(const Object&) -> SparseColumns<typename Object::Scalar, typename Object::StorageIndex>;

}  // namespace ksparse
