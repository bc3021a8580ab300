// Groups of columns that enter and leave the model together. The search chooses units, which are single columns or whole
// groups.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "types.hpp"

namespace ksparse {

class Groups {
 public:
  Groups() = default;
  /// group_of: (columns,) the group of each column, numbered from 0 without gaps, or empty if there are no groups.
  Groups(const std::vector<Index>& group_of, Index columns) { reset(group_of, columns); }

  void reset(const std::vector<Index>& group_of, Index columns) {
    units_ = columns;
    stride_ = 1;
    begin_.clear();
    if (group_of.empty()) return;
    units_ = *std::max_element(group_of.begin(), group_of.end()) + 1;
    begin_.assign(std::size_t(units_ + 1), 0);
    for (const Index group : group_of) ++begin_[std::size_t(group + 1)];
    stride_ = *std::max_element(begin_.begin(), begin_.end());
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    columns_.resize(group_of.size());
    std::vector<Index> next(begin_.begin(), begin_.end() - 1);
    for (std::size_t j = 0; j < group_of.size(); ++j) columns_[std::size_t(next[std::size_t(group_of[j])]++)] = Index(j);
    unit_of_ = group_of;
  }

  bool single() const noexcept { return begin_.empty(); }
  Index units() const noexcept { return units_; }
  /// Number of columns in the largest unit.
  Index stride() const noexcept { return stride_; }
  Index width(Index unit) const noexcept { return single() ? 1 : begin_[std::size_t(unit + 1)] - begin_[std::size_t(unit)]; }
  Index column(Index unit, Index i) const noexcept {
    return single() ? unit : columns_[std::size_t(begin_[std::size_t(unit)] + i)];
  }
  Index unit_of(Index column) const noexcept { return single() ? column : unit_of_[std::size_t(column)]; }
  /// Lists the columns of some units, one unit after the other, and where those of each begin: starts (units + 1,).
  void list(const Columns& units, std::vector<Index>& columns, std::vector<Index>& starts) const {
    columns.clear();
    starts.assign(1, 0);
    for (Index c = 0; c < units.count; ++c) {
      for (Index i = 0; i < width(units[c]); ++i) columns.push_back(column(units[c], i));
      starts.push_back(Index(columns.size()));
    }
  }
  /// Copies numbers of some units, which have stride() places each, side by side in the order of list(); and back.
  void gather(const Columns& units, const double* places, double* listed) const {
    for (Index c = 0; c < units.count; ++c, places += stride_) listed = std::copy_n(places, width(units[c]), listed);
  }
  void scatter(const Columns& units, const double* listed, double* places) const {
    for (Index c = 0; c < units.count; listed += width(units[c]), ++c, places += stride_)
      std::copy_n(listed, width(units[c]), places);
  }
  /// Number of columns in the k largest units.
  Index most_columns(Index k) const {
    if (single()) return std::min(k, units_);
    std::vector<Index> widths;
    for (Index unit = 0; unit < units_; ++unit) widths.push_back(width(unit));
    std::sort(widths.begin(), widths.end(), std::greater<Index>());
    return std::accumulate(widths.begin(), widths.begin() + std::min(k, units_), Index(0));
  }

 private:
  Index units_ = 0, stride_ = 1;
  std::vector<Index> begin_;    // (units + 1,) where the columns of each unit begin in columns_, or empty without groups
  std::vector<Index> columns_;  // sorted by unit
  std::vector<Index> unit_of_;  // (columns,)
};

}  // namespace ksparse
