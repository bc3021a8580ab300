// How sums over rows are divided. Sums over all rows are computed range by range, and the small sums of the ranges are added in
// a fixed order, so results depend only on the number of ranges, and only in their last digits. This is the only place that
// decides which thread sums a range, and when.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>

#include "../types.hpp"

namespace ksparse {

/// Number of rows that are summed at a time, so that their parts of the vectors and gathered columns stay in the first two
/// cache levels.
constexpr Index block_rows = 512;

struct RowRange {
  Index first, count;
  Index end() const noexcept { return first + count; }
};

class RowRanges {
 public:
  explicit RowRanges(Index count = 1) noexcept : count_(std::max<Index>(count, 1)) {}

  Index count() const noexcept { return count_; }

  /// Range r of so many rows. All but the first begin a multiple of a cache line behind `lead` rows.
  RowRange range(Index r, Index rows, Index lead = 0) const noexcept {
    const Index first = cut(r, rows, lead);
    return {first, cut(r + 1, rows, lead) - first};
  }

  /// add(r, range) for each range. False as soon as one call returns that: interrupted.
  template <class Add>
  bool for_each(Index rows, Index lead, const Add& add) const {
    for (Index r = 0; r < count_; ++r)
      if (!add(r, range(r, rows, lead))) return false;
    return true;
  }

 private:
  static constexpr Index line = 8;  // doubles, a whole number of packs

  Index cut(Index r, Index rows, Index lead) const noexcept {
    if (r == 0) return 0;
    if (r == count_) return rows;
    return std::min(lead + (std::max<Index>(rows - lead, 0) * r / count_) / line * line, rows);
  }

  Index count_;
};

}  // namespace ksparse
