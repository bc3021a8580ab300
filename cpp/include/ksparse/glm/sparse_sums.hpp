// Sums for panels of a sparse X, over its entries. With compact rows (compact_rows.hpp), only the listed rows are summed,
// without the contribution that all rows of their class have in common. This contribution is added from the moments of the
// classes, which are computed once. Products with the active columns are x.(h z_A) = x.(h (z_A - background)) + background
// (x.h), where the first term is a sum over listed rows.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "../design/sparse.hpp"
#include "../search/objective.hpp"
#include "compact_rows.hpp"
#include "linearisation.hpp"
#include "panel_sums.hpp"
#include "rows.hpp"
#include "unit_choice.hpp"

namespace ksparse {

/// Reads single columns of a sparse X; the reader may keep columns that it has read.
class EntrySource final : public ColumnSource {
 public:
  void reset(const SparseDesign& design, Index most_active, Interruption& interruption) {
    reader_ = design.reader(most_active);
    reads_ahead_ = !design.columns_contiguous();
    entries_.reserve(design.rows());
    interruption_ = &interruption;
  }

  SparseReader& reader() const noexcept { return *reader_; }
  void gather(Index column, Index first, Index rows, double* target) override { reader_->gather(column, first, rows, target); }
  bool reads_ahead() const noexcept override { return reads_ahead_; }
  bool fetch(const Columns& columns) override { return reader_->fetch(columns, interruption_->as_function()); }
  // There may be many of these.
  bool is_empty(Index column, const double* weight) override {
    reader_->entries(column, entries_);
    for (std::size_t e = 0; e < std::size_t(entries_.count); ++e) {
      const double value = entries_.values[e];
      if (!std::isfinite(value) || (value != 0 && weight[entries_.rows[e]] > 0)) return false;
    }
    return true;
  }

 private:
  std::unique_ptr<SparseReader> reader_;
  bool reads_ahead_ = false;
  EntryList entries_;
  Interruption* interruption_ = nullptr;
};

class SparseSums final : public PanelSums {
 public:
  /// `compact` are the reduced rows of the active columns, or null if they always have all rows.
  void reset(EntrySource& source, const CompactRows* compact, const Linearisation& linearisation, Rows& rows, Index columns,
             Index capacity) {
    source_ = &source;
    reduced_ = compact;
    linearisation_ = &linearisation;
    rows_ = &rows;
    columns_ = columns;
    point_ = {};
    entries_.reserve(rows.count());
    cancelled_.reserve(std::size_t(std::min(columns, largest_panel)));
    fetched_.reserve(cancelled_.capacity());
    row_vectors_.resize(rows.count() * RowTerms::stride_for(capacity));
    careful_sums_.resize(RowTerms::stride_for(capacity) + RowTerms::cross);
    background_ = Eigen::VectorXd::Zero(capacity);
    for (Eigen::ArrayXXd& moments : class_moments_) moments.resize(2, compact ? columns : 0);
  }

  void take_point(const SumsPoint& point) override { point_ = point; }
  RowTotals totals() const override { return {linearisation_->slope(), linearisation_->curvature(), &linearisation_->sums()}; }
  bool begin(const Columns& columns) override;
  bool sum(const Columns& panel, const Sums& sums) override;
  bool sum_careful(const Columns& panel, const Sums& sums) override;

 private:
  const ActiveColumns& active() const noexcept { return linearisation_->active(); }
  const Units& units() const noexcept { return linearisation_->units(); }
  Interruption& interruption() const noexcept { return linearisation_->interruption(); }

  void set_terms();
  void set_row_vectors();
  bool fetch_doubtful();
  bool sum_entries(const Columns& panel, const Sums& sums);
  bool sum_in_lanes(const Columns& panel, const Sums& sums);
  bool recount_cancelled(const Columns& panel, const Sums& sums);
  void add_common(const double* zero, const double* one, const Sums& sums) const;
  void add_background(Index count, const Sums& sums) const;
  template <class RowOf, class ValueOf>
  void recount(Index count, const RowOf& row_of, const ValueOf& value_of, const Sums& sums) const;

  EntrySource* source_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  Rows* rows_ = nullptr;
  Index columns_ = 0;
  SumsPoint point_;
  const CompactRows* reduced_ = nullptr;  // the reduced rows, if there are any
  const CompactRows* compact_ = nullptr;  // the same if the current scan uses them, or null if it uses all rows
  CompactRows::Common common_[2];         // slope and curvature of rows that are not listed, for each class
  Eigen::ArrayXXd class_moments_[2];      // (2, p) each; not needed if rows are never compact
  RowTerms terms_{};                      // the vectors by which a scan multiplies the rows of X
  Eigen::VectorXd row_vectors_;           // (n * stride,) their numbers
  Eigen::VectorXd background_;            // (capacity,) active columns in units in rows that are not listed
  Eigen::VectorXd careful_column_;        // (n,) if there are careful columns
  Eigen::VectorXd careful_sums_;          // (stride + 3,) of one of them
  EntryList entries_;
  std::vector<Index> cancelled_;  // places of a panel whose sums have lost digits and are computed again
  std::vector<Index> fetched_;    // columns to be read
};

// Called before a scan of some columns. Returns false if interrupted.
inline bool SparseSums::begin(const Columns& columns) {
  if (columns.count == 0) return true;  // the scan only needs the model at the point
  const Interrupt stopped = interruption().as_function();
  SparseReader& reader = source_->reader();
  compact_ = active().is_reduced() ? reduced_ : nullptr;
  if (point_.first && compact_ &&
      !reader.class_moments(compact_->classes(), {{class_moments_[0].data(), class_moments_[1].data()}}, stopped))
    return false;
  set_terms();
  set_row_vectors();
  const std::vector<Index>& careful = units().careful();
  if (!careful.empty()) careful_column_.resize(rows_->count());
  if (!columns.list && !source_->fetch({0, Index(careful.size()), careful.data()})) return false;
  return reader.begin_scan(columns, terms_, stopped) && (!point_.first || fetch_doubtful());
}

// Finds the listed rows, and the slope and curvature of the others.
inline void SparseSums::set_terms() {
  const Index size = point_.size;
  terms_ = {nullptr, nullptr, nullptr, row_vectors_.data(), rows_->count(), RowTerms::stride_for(size), size};
  background_.head(size).setZero();
  if (!compact_) return;
  compact_->describe(terms_);
  for (const int which : {0, 1}) {
    common_[which] = compact_->common(which);
    if (point_.first) common_[which].curvature = 1;
  }
  // The choice of units may ask for the slope of any row.
  if (point_.first) {
    double* const slopes = rows_->view().slope;
    compact_->for_all_slopes([slopes](Index row, double slope) { slopes[row] = slope; });
  }
  for (Index j = 0; j < size; ++j) background_[j] = -units().centre(active()[j]) * units().factor(active()[j]);
}

inline void SparseSums::set_row_vectors() {
  const RowsView& rows = active().rows();
  for (Index i = 0; i < terms_.count; ++i) {
    double* const vector = row_vectors_.data() + i * terms_.stride;
    const CompactRows::Common common = compact_ ? common_[compact_->class_of(i)] : CompactRows::Common();
    const double weight = rows.weight[i], curvature = rows.curvature[i];
    vector[RowTerms::slope] = rows.slope[i] - weight * common.slope;
    vector[RowTerms::curvature] = (point_.first ? weight : curvature) - weight * common.curvature;
    if (terms_.is_narrow()) continue;
    std::fill(vector + Sums::square, vector + terms_.stride, 0.0);
    for (Index j = 0; j < point_.size; ++j)
      vector[RowTerms::cross + j] = curvature * (active().values()(i, j) - background_[j]);
  }
}

// If columns are not contiguous, reads all columns together that the first scan would otherwise read one by one.
inline bool SparseSums::fetch_doubtful() {
  if (!source_->reads_ahead()) return true;
  std::vector<Index> doubtful;
  const double total = rows_->weight().sum();
  Eigen::ArrayXXd sums(std::min(columns_, largest_panel), Sums::cross + point_.size);
  for (Index begin = 0; begin < columns_; begin += largest_panel) {
    const Columns panel{begin, std::min(largest_panel, columns_ - begin), nullptr};
    if (!sum_entries(panel, {sums.data(), sums.outerStride()})) return false;
    for (Index c = 0; c < panel.count; ++c) {
      const PlainMoments moments(sums(c, Sums::slope), sums(c, Sums::curvature), sums(c, Sums::square), total, *linearisation_);
      if (!moments.is_plain()) doubtful.push_back(panel[c]);
    }
  }
  return source_->fetch({0, Index(doubtful.size()), doubtful.data()});
}

inline bool SparseSums::sum(const Columns& panel, const Sums& sums) {
  if (!sum_entries(panel, sums)) return false;
  add_background(panel.count, sums);
  return !interruption().asked();
}

inline bool SparseSums::sum_entries(const Columns& panel, const Sums& sums) {
  if (!sum_in_lanes(panel, sums)) return false;
  return !compact_ || recount_cancelled(panel, sums);
}

// Threads share the columns of a panel. Each column is summed by one thread over all rows, so the sums are the same for every
// number of threads.
inline bool SparseSums::sum_in_lanes(const Columns& panel, const Sums& sums) {
  SparseReader& reader = source_->reader();
  const RowRanges& ranges = linearisation_->ranges();
  if (!ranges.divides_columns(panel.count, terms_.count) || !reader.reserve_lanes(ranges.lanes()))
    return reader.sum(panel, terms_, sums, interruption().as_function());
  const Index at_a_time = std::min(SparseReader::most_together, (panel.count + ranges.lanes() - 1) / ranges.lanes());
  return ranges.for_each_in_lanes((panel.count + at_a_time - 1) / at_a_time, [&](Index lane, Index part) {
    const Index first = part * at_a_time;
    reader.sum_part(lane, panel, first, std::min(at_a_time, panel.count - first), terms_, sums);
    return !interruption().asked();
  });
}

// Adds the contribution of all rows of a class. The difference between this sum and that of the listed rows may lose at most
// this many digits, because models with nearly equal columns need the rest.
inline bool SparseSums::recount_cancelled(const Columns& panel, const Sums& sums) {
  constexpr double cancellation = 1e-3;
  cancelled_.clear();
  fetched_.clear();
  for (Index c = 0; c < panel.count; ++c) {
    const double *const zero = class_moments_[0].col(panel[c]).data(), *const one = class_moments_[1].col(panel[c]).data();
    add_common(zero, one, {sums.data + c, sums.stride});
    const double of_all = common_[0].curvature * zero[1] + common_[1].curvature * one[1];
    if (point_.first || units().is_constant(panel[c]) || !(*(sums.row(Sums::square) + c) < cancellation * of_all)) continue;
    cancelled_.push_back(c);
    fetched_.push_back(panel[c]);
  }
  if (cancelled_.empty()) return true;
  if (!source_->fetch({0, Index(fetched_.size()), fetched_.data()})) return false;
  for (const Index c : cancelled_) {
    source_->reader().entries(panel[c], entries_);
    recount(
        entries_.count, [this](Index e) { return entries_.rows[std::size_t(e)]; },
        [this](Index e) { return entries_.values[std::size_t(e)]; }, {sums.data + c, sums.stride});
  }
  return true;
}

// Adds the contribution of all rows of a class to the sums of a column, computed from its moments.
inline void SparseSums::add_common(const double* zero, const double* one, const Sums& sums) const {
  *sums.row(Sums::slope) += common_[0].slope * zero[0] + common_[1].slope * one[0];
  *sums.row(Sums::curvature) += common_[0].curvature * zero[0] + common_[1].curvature * one[0];
  *sums.row(Sums::square) += common_[0].curvature * zero[1] + common_[1].curvature * one[1];
}

inline void SparseSums::add_background(Index count, const Sums& sums) const {
  for (Index j = 0; j < point_.size; ++j)
    if (background_[j] != 0)
      Eigen::Map<Eigen::ArrayXd>(sums.row(Sums::cross + j), count) +=
          background_[j] * Eigen::Map<const Eigen::ArrayXd>(sums.row(Sums::curvature), count);
}

// Computes the first three sums of a column over compact rows, entry by entry.
template <class RowOf, class ValueOf>
void SparseSums::recount(Index count, const RowOf& row_of, const ValueOf& value_of, const Sums& sums) const {
  const RowsView& rows = active().rows();
  double slope = 0, curvature = 0, square = 0;
  for (Index e = 0; e < count; ++e) {
    const Index row = row_of(e), listed = compact_->place_of_row(row);
    const CompactRows::Common& common = common_[compact_->class_of_row(row)];
    const double weight = rows_->weight()[row];
    const double x = value_of(e), xh = x * (listed >= 0 ? rows.curvature[listed] : weight * common.curvature);
    slope += x * (listed >= 0 ? rows.slope[listed] : weight * common.slope);
    curvature += xh;
    square += x * xh;
  }
  *sums.row(Sums::slope) = slope;
  *sums.row(Sums::curvature) = curvature;
  *sums.row(Sums::square) = square;
}

// Computes the sums as if the columns had an entry in every row.
inline bool SparseSums::sum_careful(const Columns& panel, const Sums& sums) {
  const double* const z = careful_column_.data();
  const auto row_of = [](Index e) { return e; };
  const auto value_of = [z](Index e) { return z[e]; };
  const Index n = rows_->count();
  for (Index c = 0; c < panel.count; ++c) {
    if (!units().is_careful(panel[c])) continue;
    if (interruption().asked()) return false;
    const Sums here{sums.data + c, sums.stride};
    active().reader().gather(panel[c], 0, n, careful_column_.data());
    kernels::sparse_column(n, row_of, value_of, terms_, careful_sums_.data());
    for (Index which = 0; which < terms_.sum_count(); ++which) *here.row(which) = careful_sums_[which];
    if (compact_) recount(n, row_of, value_of, here);
    add_background(1, here);
  }
  return true;
}

}  // namespace ksparse
