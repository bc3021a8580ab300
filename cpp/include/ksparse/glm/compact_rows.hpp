// The rows of a refit on sparse columns. Without an offset, all rows of a label that have no entry in any active column have
// the same linear predictor. These are usually most of the rows. They are replaced by one row for each label, with the sum of
// their weights. A Newton iteration on ten columns of density 1/1000 then goes over 1 % of the rows.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../design/sparse.hpp"
#include "../util/pack.hpp"
#include "reduced_rows.hpp"

namespace ksparse {

class CompactRows final : public ReducedRows {
 public:
  /// For n rows of two classes. The sign is +1 or -1, according to the label. The arrays and the reader of X must exist as long
  /// as this object.
  void reset(Index n, const Eigen::VectorXd& sign, const Eigen::VectorXd& weight, SparseReader& reader) {
    reader_ = &reader;
    entries_.reserve(n);
    all_signs_ = sign.data();
    all_weights_ = weight.data();
    n_ = n;
    for (const int which : {0, 1}) {
      total_[which] = 0;
      positive_[which] = 0;
      background_[which] = -1;
      class_weight_[which] = -1;
    }
    one_weight_by_class_ = true;
    count_ = 0;
    listed_.reset(n_);
    place_.resize(std::size_t(n_));
    second_.reset(n_);
    rows_.clear();
    rows_.reserve(std::size_t(most()));
    const Index padded = (most() + Index(2) + Pack::size) / Pack::size * Pack::size;
    sign_.resize(padded);
    weight_.resize(padded);
    slope_.resize(padded);
    curvature_.resize(padded);
    for (Index i = 0; i < n_; ++i) {
      const int which = label(i);
      total_[which] += weight[i];
      positive_[which] += weight[i] > 0;
      if (which == 1) second_.add(i);
      double& common = class_weight_[which];
      if (common < 0) common = weight[i];
      one_weight_by_class_ = one_weight_by_class_ && weight[i] == common;
    }
    for (double& common : class_weight_) common = std::max(common, 0.0);
    has_absent_ = positive_[0] + positive_[1] < n_;
  }

  // In rows without an entry, a careful column has a value in units that is far larger than its spread.
  bool may_gather(const std::vector<Index>& columns, const Units& units) const override {
    return std::none_of(columns.begin(), columns.end(), [&](Index j) { return units.is_careful(j); });
  }

  bool gather(const std::vector<Index>& columns, const Units& units, Eigen::MatrixXd& values) override {
    for (const Index row : rows_) listed_.remove(row);
    rows_.clear();
    for (const Index column : columns) {
      reader_->entries(column, entries_);
      if (!list(entries_)) return false;
    }
    add_background();
    for (std::size_t slot = 0; slot < columns.size(); ++slot) {
      const Index column = columns[slot];
      const double centre = units.centre(column), factor = units.factor(column);
      auto z = values.col(Index(slot));
      z.head(count_).setConstant(-centre * factor);
      z.segment(count_, padded() - count_).setZero();
      reader_->entries(column, entries_);
      for (std::size_t e = 0; e < std::size_t(entries_.count); ++e)
        if (!has_absent_ || listed_.has(entries_.rows[e]))
          z[place_[std::size_t(entries_.rows[e])]] = (entries_.values[e] - centre) * factor;
    }
    return true;
  }

  /// The rows for the background come last.
  RowsView view() noexcept override {
    return {count_, padded(), sign_.data(), weight_.data(), nullptr, slope_.data(), curvature_.data()};
  }
  Index listed() const noexcept { return Index(rows_.size()); }  // number of rows that are not merged

  /// The classes of all rows, and the listed rows, for sums over a sparse X.
  RowClasses classes() const noexcept { return {&second_, all_weights_, one_weight_by_class_ ? class_weight_ : nullptr}; }
  void describe(RowTerms& terms) const noexcept {
    terms.listed = &listed_;
    terms.rows = rows_.data();
    terms.place = place_.data();
    terms.count = listed();
  }

  /// The slope and the curvature of rows that are not listed, for each class and per unit of weight.
  struct Common {
    double slope = 0, curvature = 0;
  };
  Common common(int which) const noexcept {
    const Index at = background_[which];
    if (at < 0 || !(weight_[at] > 0)) return {};
    return {slope_[at] / weight_[at], curvature_[at] / weight_[at]};
  }
  int class_of(Index place) const noexcept { return sign_[place] > 0; }  // of a listed row
  int class_of_row(Index row) const noexcept { return label(row); }
  Index place_of_row(Index row) const noexcept { return listed_.has(row) ? place_[std::size_t(row)] : -1; }
  /// Calls visit(row, slope) for each row of X.
  template <class Visit>
  void for_all_slopes(const Visit& visit) const {
    const Common by_class[2] = {common(0), common(1)};
    for (Index i = 0; i < n_; ++i) visit(i, all_weights_[i] * by_class[label(i)].slope);
    for (Index i = 0; i < listed(); ++i) visit(rows_[std::size_t(i)], slope_[i]);
  }

 private:
  Index padded() const noexcept { return padded_to_pack(count_); }  // with rows of weight 0
  // With more listed rows than this, using all rows is as fast.
  Index most() const noexcept { return n_ / 2 - 2 - Pack::size; }
  int label(Index row) const noexcept { return all_signs_[row] > 0; }

  bool list(const EntryList& entries) {
    for (Index e = 0; e < entries.count; ++e) {
      const Index row = entries.rows[std::size_t(e)];
      if (listed_.has(row) || !(all_weights_[row] > 0)) continue;  // the values of rows of weight 0 must not matter
      if (listed() >= most()) return false;
      listed_.add(row);
      place_[std::size_t(row)] = listed();
      rows_.push_back(row);
    }
    return true;
  }

  // Adds a row for each label with merged rows, and padding.
  void add_background() {
    double weight[2] = {total_[0], total_[1]};
    Index positive[2] = {positive_[0], positive_[1]};
    for (Index i = 0; i < listed(); ++i) {
      const Index row = rows_[std::size_t(i)];
      sign_[i] = all_signs_[row];
      weight_[i] = all_weights_[row];
      weight[label(row)] -= weight_[i];
      positive[label(row)] -= weight_[i] > 0;
    }
    count_ = listed();
    for (const int which : {0, 1}) {
      background_[which] = -1;
      if (positive[which] == 0) continue;
      background_[which] = count_;
      sign_[count_] = which ? 1.0 : -1.0;
      // Rounding must not remove the weight of a row, because it may decide whether the data are separable.
      weight_[count_] = std::max(weight[which], 1e-17 * total_[which]);
      ++count_;
    }
    for (Index i = count_; i < padded(); ++i) {
      sign_[i] = 1;
      weight_[i] = 0;
    }
  }

  SparseReader* reader_ = nullptr;
  EntryList entries_;
  const double *all_signs_ = nullptr, *all_weights_ = nullptr;  // (n,)
  Index n_ = 0;
  double total_[2] = {0, 0};    // total weight of each label
  Index positive_[2] = {0, 0};  // number of rows of each label with a positive weight
  bool has_absent_ = false;     // whether there are rows of weight 0, which are never listed
  Index count_ = 0, background_[2] = {-1, -1};
  std::vector<Index> rows_;   // the listed rows, which are not merged
  IndexSet listed_;           // the same rows
  std::vector<Index> place_;  // (n,) the place of each listed row
  Eigen::VectorXd sign_, weight_, slope_, curvature_;
  IndexSet second_;  // all rows of sign +1
  double class_weight_[2] = {0, 0};
  bool one_weight_by_class_ = true;
};

}  // namespace ksparse
