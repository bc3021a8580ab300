// The columns of the current support, gathered in units, with their rows. These are all rows, or fewer rows that represent all
// of them (reduced_rows.hpp).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../design/kernels.hpp"
#include "../groups.hpp"
#include "../search/objective.hpp"
#include "column_store.hpp"
#include "reduced_rows.hpp"
#include "row_ranges.hpp"
#include "rows.hpp"

namespace ksparse {

class ActiveColumns {
 public:
  /// For at most `capacity` columns at once. `reduced`: how fewer rows are found, or null.
  void reset(Rows& rows, ColumnStore& columns, const Groups& groups, Index capacity, ReducedRows* reduced) {
    rows_ = &rows;
    columns_ = &columns;
    groups_ = &groups;
    values_.resize(rows.padded(), capacity);
    values_.bottomRows(rows.padded() - rows.count()).setZero();
    slots_.assign(std::size_t(capacity), -1);
    stale_.reserve(std::size_t(capacity));
    fresh_.reserve(std::size_t(capacity));
    listed_.clear();
    listed_.reserve(std::size_t(capacity));
    starts_.clear();
    starts_.reserve(std::size_t(capacity) + 1);
    version_ = 0;
    reduced_ = reduced;
    go_over_all_rows();
  }

  /// Gathers the columns of an iterate, and its coefficients, the intercept last if there is one. Returns false if interrupted.
  bool take(const Iterate& iterate, const Columns& likely, Eigen::VectorXd& coef) {
    listed_.clear();
    starts_.assign(1, 0);
    for (Index place = 0; place < iterate.size(); ++place) {
      const Index unit = iterate.support[std::size_t(place)];
      for (Index i = 0; i < groups_->width(unit); ++i) {
        coef[size()] = iterate.coef[place * iterate.stride + i];
        listed_.push_back(groups_->column(unit, i));
      }
      starts_.push_back(size());
    }
    if (units().intercept()) coef[size()] = iterate.intercept;
    return gather(likely);
  }
  /// Copies the coefficients back to an iterate.
  void give(const Eigen::VectorXd& coef, Iterate& iterate) const {
    for (Index place = 0; place < iterate.size(); ++place)
      for (Index j = starts_[std::size_t(place)], i = 0; j < starts_[std::size_t(place + 1)]; ++j, ++i)
        iterate.coef[place * iterate.stride + i] = coef[j];
    iterate.intercept = units().intercept() ? coef[size()] : 0.0;
  }

  Index size() const noexcept { return Index(listed_.size()); }
  /// Columns, and the intercept if there is one.
  Index dimension() const noexcept { return size() + Index(units().intercept()); }
  const std::vector<Index>& columns() const noexcept { return listed_; }
  Index operator[](Index place) const { return listed_[std::size_t(place)]; }
  /// (units + 1,) where the columns of each unit of the iterate begin.
  const std::vector<Index>& starts() const noexcept { return starts_; }
  const double* column(Index place) const { return values_.data() + place * values_.outerStride(); }
  const Eigen::MatrixXd& values() const noexcept { return values_; }  // (padded, capacity)
  /// The rows of these values, where slopes and curvatures at a point go.
  const RowsView& rows() const noexcept { return view_; }
  /// Whether these are the reduced ones.
  bool is_reduced() const noexcept { return is_reduced_; }
  /// Changes when the rows change, after which slopes and curvatures are not set.
  Index version() const noexcept { return version_; }
  ColumnStore& store() const noexcept { return *columns_; }
  const ColumnReader& reader() const noexcept { return columns_->reader(); }
  const Units& units() const noexcept { return reader().units(); }

  /// A block of rows as the kernels take it, with the first `size` columns times the curvature at the last point, which are put
  /// into `cross` (block_rows, capacity); and with a curvature that need not be that one.
  RowBlock block(Index first, Index rows, Index size, const double* curvature, Eigen::MatrixXd& cross) const {
    const Eigen::Map<const Eigen::ArrayXd> factor(view_.curvature + first, rows);
    for (Index j = 0; j < size; ++j) cross.col(j).head(rows).array() = factor * values_.col(j).segment(first, rows).array();
    return {first, rows, view_.slope + first, curvature + first, cross.data(), cross.outerStride(), size};
  }

 private:
  void go_over_all_rows() {
    view_ = rows_->view();
    is_reduced_ = false;
  }

  bool gather(const Columns& likely) {
    const bool reduces = reduced_ && reduced_->may_gather(listed_, units());
    if (reduces && is_reduced_ && size() == reduced_size_ && std::equal(listed_.begin(), listed_.end(), slots_.begin()))
      return true;
    if (reader().source().reads_ahead() && !fetch(likely)) return false;
    if (reduces) {
      ++version_;
      if (reduced_->gather(listed_, units(), values_)) {
        std::copy(listed_.begin(), listed_.end(), slots_.begin());
        reduced_size_ = size();
        is_reduced_ = true;
        view_ = reduced_->view();
        return true;
      }
    }
    if (is_reduced_) {
      ++version_;
      go_over_all_rows();
      std::fill(slots_.begin(), slots_.end(), Index(-1));
    }
    stale_.clear();
    fresh_.clear();
    for (Index slot = 0; slot < size(); ++slot) {
      const Index column = listed_[std::size_t(slot)];
      if (slots_[std::size_t(slot)] == column) continue;
      slots_[std::size_t(slot)] = column;
      stale_.push_back(slot);
      fresh_.push_back(column);
    }
    const bool done = columns_->copy({0, Index(fresh_.size()), fresh_.data()},
                                     [&](Index i) { return values_.col(stale_[std::size_t(i)]).data(); });
    if (!done) std::fill(slots_.begin(), slots_.end(), Index(-1));
    return done;
  }

  bool fetch(const Columns& likely) {
    fetched_.assign(listed_.begin(), listed_.end());
    for (Index c = 0; c < likely.count; ++c)
      for (Index i = 0; i < groups_->width(likely[c]); ++i) fetched_.push_back(groups_->column(likely[c], i));
    return reader().source().fetch({0, Index(fetched_.size()), fetched_.data()});
  }

  Rows* rows_ = nullptr;
  ColumnStore* columns_ = nullptr;
  const Groups* groups_ = nullptr;
  Eigen::MatrixXd values_;            // (padded, capacity) by slot
  std::vector<Index> slots_;          // column gathered in each slot, or -1
  std::vector<Index> listed_;         // columns of the current iterate
  std::vector<Index> starts_;         // where those of each of its units begin
  std::vector<Index> fetched_;        // columns that will be read
  std::vector<Index> stale_, fresh_;  // slots whose columns are replaced, and by which
  RowsView view_;
  Index version_ = 0;
  ReducedRows* reduced_ = nullptr;
  bool is_reduced_ = false;
  Index reduced_size_ = 0;  // columns in the reduced rows
};

}  // namespace ksparse
