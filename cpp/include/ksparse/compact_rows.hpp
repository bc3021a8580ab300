// The rows of a refit on sparse columns. A row without an entry in any active column has the same linear predictor as all
// others of its label without one, if there is no offset; these rows, most of them as a rule, are one row for each label here,
// with the sum of their weights. A Newton iteration on ten columns of density 1/1000 then goes over 1 % of the rows.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "design/sparse.hpp"
#include "pack.hpp"

namespace ksparse {

class CompactRows {
 public:
  /// Of all rows of two classes, sign (+1 or -1 by the label) and weight; both outlive this.
  void reset(const SparseDesign& design, const Eigen::VectorXd& sign, const Eigen::VectorXd& weight) {
    design_ = &design;
    all_signs_ = sign.data();
    all_weights_ = weight.data();
    n_ = design.rows();
    for (const int which : {0, 1}) {
      total_[which] = 0;
      positive_[which] = 0;
      background_[which] = -1;
    }
    count_ = 0;
    listed_.reset(n_);
    place_.resize(std::size_t(n_));
    entry_rows_.resize(std::size_t(n_));
    entry_values_.resize(std::size_t(n_));
    rows_.clear();
    rows_.reserve(std::size_t(most()));
    const Index padded = (most() + Index(2) + Pack::size) / Pack::size * Pack::size;
    sign_.resize(padded);
    weight_.resize(padded);
    slope_.resize(padded);
    curvature_.resize(padded);
    for (Index i = 0; i < n_; ++i) {
      total_[label(i)] += weight[i];
      positive_[label(i)] += weight[i] > 0;
    }
  }

  /// Lists the rows of these columns and fills in `active`, by slot, with (x - centre) * factor. False: not worth it, and
  /// nothing in `active` was changed.
  bool gather(const std::vector<Index>& columns, const Eigen::ArrayXd& centre, const Eigen::ArrayXd& factor,
              Eigen::MatrixXd& active) {
    for (const Index row : rows_) listed_.remove(row);
    rows_.clear();
    for (const Index column : columns)
      if (!list(design_->entries(column, entry_rows_.data(), entry_values_.data()))) return false;
    add_background();
    for (std::size_t slot = 0; slot < columns.size(); ++slot) {
      const Index column = columns[slot];
      auto z = active.col(Index(slot));
      z.head(count_).setConstant(-centre[column] * factor[column]);
      z.segment(count_, padded() - count_).setZero();
      const Index entries = design_->entries(column, entry_rows_.data(), entry_values_.data());
      for (Index e = 0; e < entries; ++e)
        z[place_[std::size_t(entry_rows_[std::size_t(e)])]] = (entry_values_[std::size_t(e)] - centre[column]) * factor[column];
    }
    return true;
  }

  Index count() const noexcept { return count_; }                   // rows, those of the background last
  Index padded() const noexcept { return padded_to_pack(count_); }  // with rows of weight 0
  Index listed() const noexcept { return Index(rows_.size()); }     // rows that stand for themselves
  const Eigen::VectorXd& sign() const noexcept { return sign_; }
  const Eigen::VectorXd& weight() const noexcept { return weight_; }
  Eigen::VectorXd& slope() noexcept { return slope_; }
  Eigen::VectorXd& curvature() noexcept { return curvature_; }

  /// Fills in what concerns rows.
  void describe(SparseRows& rows) const {
    rows.listed = &listed_;
    rows.place = place_.data();
    rows.slope = slope_.data();
    rows.curvature = curvature_.data();
    rows.sign = all_signs_;
    rows.weight = all_weights_;
    for (const int which : {0, 1}) {
      const Index at = background_[which];
      const bool any = at >= 0 && weight_[at] > 0;
      rows.background[which][0] = any ? slope_[at] / weight_[at] : 0.0;
      rows.background[which][1] = any ? curvature_[at] / weight_[at] : 0.0;
    }
  }
  /// visit(row, slope, curvature) for each row of X, as described.
  template <class Visit>
  void for_all_rows(const SparseRows& rows, const Visit& visit) const {
    const auto& common = rows.background;
    for (Index i = 0; i < n_; ++i) {
      const double weight = all_weights_[i];
      const bool positive = all_signs_[i] > 0;
      visit(i, weight * (positive ? common[1][0] : common[0][0]), weight * (positive ? common[1][1] : common[0][1]));
    }
    for (Index i = 0; i < listed(); ++i) visit(rows_[std::size_t(i)], slope_[i], curvature_[i]);
  }

 private:
  static Index padded_to_pack(Index count) noexcept { return (count + Pack::size - 1) / Pack::size * Pack::size; }
  // With more rows than that, all rows one by one are as fast.
  Index most() const noexcept { return n_ / 2 - 2 - Pack::size; }
  int label(Index row) const noexcept { return all_signs_[row] > 0; }

  bool list(Index entries) {
    for (Index e = 0; e < entries; ++e) {
      const Index row = entry_rows_[std::size_t(e)];
      if (listed_.has(row)) continue;
      if (listed() >= most()) return false;
      listed_.add(row);
      place_[std::size_t(row)] = listed();
      rows_.push_back(row);
    }
    return true;
  }

  // A row for each label that has others, and padding.
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
      // Rounding must not make a row that counts vanish: whether data are separable may hang on it.
      weight_[count_] = std::max(weight[which], 1e-17 * total_[which]);
      ++count_;
    }
    for (Index i = count_; i < padded(); ++i) {
      sign_[i] = 1;
      weight_[i] = 0;
    }
  }

  const SparseDesign* design_ = nullptr;
  const double *all_signs_ = nullptr, *all_weights_ = nullptr;  // (n,)
  Index n_ = 0;
  double total_[2] = {0, 0};    // weight by label
  Index positive_[2] = {0, 0};  // rows with a positive weight by label
  Index count_ = 0, background_[2] = {-1, -1};
  std::vector<Index> rows_;   // that stand for themselves
  RowSet listed_;             // the same
  std::vector<Index> place_;  // (n,) of a listed row
  Eigen::VectorXd sign_, weight_, slope_, curvature_;
  std::vector<Index> entry_rows_;  // (n,) scratch: a column
  std::vector<double> entry_values_;
};

}  // namespace ksparse
