// The columns of X that a proof still needs, which are those of the units (features, or groups of features) that are not yet
// excluded from all supports. They are kept as centred copies, which nodes read one after the other. A large X that is stored
// as columns of doubles is read in place instead.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "../design/design.hpp"
#include "../groups.hpp"
#include "../types.hpp"

namespace ksparse::proof {

class LiveColumns {
 public:
  /// Columns are always copied if the copies take at most `always_copied` bytes. Copies never take more than `most_copied`.
  static constexpr double always_copied = 128e6, most_copied = 2e9;

  /// Takes the columns of the units that `allowed` marks. `weight` (rows,) has the weights of the rows. With an intercept, copies
  /// of columns are centred at their weighted mean.
  LiveColumns(const Design& design, const Groups& groups, const std::vector<char>& allowed, const Eigen::VectorXd& weight,
              bool intercept)
      : rows_(design.rows()) {
    start_.push_back(0);
    for (Index unit = 0; unit < groups.units(); ++unit) {
      if (!allowed[std::size_t(unit)]) continue;
      for (Index i = 0; i < groups.width(unit); ++i) features_.push_back(groups.column(unit, i));
      names_.push_back(unit);
      start_.push_back(Index(features_.size()));
    }
    stride_ = block_stride(rows_);
    const double bytes = 8.0 * double(stride_) * double(columns());
    const bool in_place = bytes > always_copied && lie_in_place(design);
    too_large_ = !in_place && bytes > most_copied;
    if (too_large_) return;
    if (!in_place) copies_.setZero(stride_ * columns());
    data_.resize(features_.size());
    centre_.assign(features_.size(), 0.0);
    norm_.resize(features_.size());
    constant_.assign(features_.size(), 0);
    Eigen::VectorXd scratch(stride_);
    for (Index c = 0; c < columns(); ++c) take(design, c, weight, intercept, in_place, scratch);
  }

  /// Whether the copies would need more memory than a proof may use; there are no columns then.
  bool too_large() const noexcept { return too_large_; }
  Index rows() const noexcept { return rows_; }
  Index columns() const noexcept { return Index(features_.size()); }
  Index units() const noexcept { return Index(names_.size()); }
  /// The columns of unit u are those from begin(u) to begin(u + 1).
  Index begin(Index unit) const noexcept { return start_[std::size_t(unit)]; }
  bool single() const noexcept { return units() == columns(); }
  const double* data(Index column) const noexcept { return data_[std::size_t(column)]; }
  double norm(Index column) const noexcept { return norm_[std::size_t(column)]; }
  Index feature(Index column) const noexcept { return features_[std::size_t(column)]; }
  /// The number of a unit among the units of the user.
  Index name(Index unit) const noexcept { return names_[std::size_t(unit)]; }
  /// Whether no column of a unit can have a coefficient.
  bool is_constant(Index unit) const noexcept {
    for (Index c = begin(unit); c < begin(unit + 1); ++c)
      if (!constant_[std::size_t(c)]) return false;
    return true;
  }
  bool is_constant_column(Index column) const noexcept { return constant_[std::size_t(column)] != 0; }

  /// Removes all units except those that `kept` marks, and keeps their order.
  void keep(const std::vector<char>& kept) {
    Index column = 0, unit = 0;
    for (Index u = 0; u < units(); ++u) {
      if (!kept[std::size_t(u)]) continue;
      const Index first = begin(u), last = begin(u + 1);
      for (Index c = first; c < last; ++c, ++column) {
        const std::size_t from = std::size_t(c), to = std::size_t(column);
        features_[to] = features_[from];
        data_[to] = data_[from];
        centre_[to] = centre_[from];
        norm_[to] = norm_[from];
        constant_[to] = constant_[from];
        if (copies_.size() > 0 && c != column) {
          std::copy_n(data_[from], stride_, copies_.data() + column * stride_);
          data_[to] = copies_.data() + column * stride_;
        }
      }
      names_[std::size_t(unit)] = names_[std::size_t(u)];
      start_[std::size_t(++unit)] = column;
    }
    for (auto* list : {&centre_, &norm_}) list->resize(std::size_t(column));
    features_.resize(std::size_t(column));
    data_.resize(std::size_t(column));
    constant_.resize(std::size_t(column));
    names_.resize(std::size_t(unit));
    start_.resize(std::size_t(unit + 1));
  }

 private:
  bool lie_in_place(const Design& design) const {
    if (design.sparse() || !design.columns_contiguous()) return false;
    double nothing[1];
    Index stride = 0;
    const Columns first{0, 1, nullptr};
    return design.columns() > 0 && design.load_block(first, 0, 1, nothing, stride) != nothing;
  }

  void take(const Design& design, Index column, const Eigen::VectorXd& weight, bool intercept, bool in_place,
            Eigen::VectorXd& scratch) {
    const std::size_t at = std::size_t(column);
    const double* x = nullptr;
    double* const target = in_place ? scratch.data() : copies_.data() + column * stride_;
    if (in_place) {
      Index stride = 0;
      x = design.load_block({features_[at], 1, nullptr}, 0, rows_, scratch.data(), stride);
    } else {
      design.gather(features_[at], 0, rows_, target);
      x = target;
    }
    double lowest = 0, highest = 0, sum = 0, total = 0;
    bool any = false;
    for (Index i = 0; i < rows_; ++i) {
      if (!(weight[i] > 0)) continue;
      lowest = any ? std::min(lowest, x[i]) : x[i];
      highest = any ? std::max(highest, x[i]) : x[i];
      any = true;
      sum += weight[i] * x[i];
      total += weight[i];
    }
    constant_[at] = !any || (lowest == highest && (intercept || lowest == 0));
    // Columns that are read in place are not centred. This only matters for rounding, which the bounds take into account.
    if (intercept && !in_place) {
      const double centre = constant_[at] ? lowest : sum / total;
      for (Index i = 0; i < rows_; ++i) target[i] -= centre;
      centre_[at] = centre;
    }
    norm_[at] = Eigen::Map<const Eigen::VectorXd>(x, rows_).norm();
    data_[at] = x;
  }

  Index rows_, stride_ = 0;
  bool too_large_ = false;
  std::vector<Index> features_, names_, start_;
  std::vector<const double*> data_;
  std::vector<double> centre_, norm_;
  std::vector<char> constant_;
  Eigen::VectorXd copies_;  // columns at a distance of `stride_`, or empty if columns are read in place
};

}  // namespace ksparse::proof
