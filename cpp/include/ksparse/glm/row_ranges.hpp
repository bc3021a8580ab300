// How sums over rows are divided. Sums over all rows are computed range by range, and the small sums of the ranges are added in
// a fixed order, so results depend only on the number of ranges, and only in their last digits. That number depends on the rows
// alone, so every number of threads has the same results. This is the only place that decides which thread sums a range, and
// when.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>

#include "../types.hpp"
#include "../util/workers.hpp"

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
  /// Divides rows into `count` ranges, or into a suitable number if `count` is 0. The workers, which sum them, must exist as
  /// long as this object.
  explicit RowRanges(Index count = 0, Workers* workers = nullptr) noexcept : count_(count), workers_(workers) {}

  /// The number of ranges for this number of rows.
  Index count(Index rows) const noexcept { return count_ > 0 ? count_ : std::clamp<Index>(rows / usual_rows, 1, most_ranges); }

  /// Range r of this number of rows. All ranges except the first begin at `lead` rows plus a multiple of a cache line.
  RowRange range(Index r, Index rows, Index lead = 0) const noexcept {
    const Index first = cut(r, rows, lead);
    return {first, cut(r + 1, rows, lead) - first};
  }

  /// Calls add(r, range) for each range. Returns false if a call returns false, because it was interrupted.
  template <class Add>
  bool for_each(Index rows, Index lead, const Add& add) const {
    return for_each_part(count(rows), [&](Index r) { return add(r, range(r, rows, lead)); });
  }

  /// The same. Afterwards take(r) is called for all ranges but the first, in order, to add their sums to those of the first.
  template <class Add, class Take>
  bool sum(Index rows, Index lead, const Add& add, const Take& take) const {
    if (!for_each(rows, lead, add)) return false;
    for (Index r = 1; r < count(rows); ++r) take(r);
    return true;
  }

  /// Calls do_part(i) for each part of some work whose parts are independent. Returns false if interrupted.
  template <class Part>
  bool for_each_part(Index parts, const Part& do_part) const {
    if (!workers_ || parts == 1) {
      for (Index i = 0; i < parts; ++i)
        if (!do_part(i)) return false;
      return true;
    }
    std::atomic<bool> done{true};
    workers_->run(parts, [&](Index i) {
      if (done.load(std::memory_order_relaxed) && !do_part(i)) done = false;
    });
    return done;
  }
  /// The number of threads that work on parts at the same time.
  Index lanes() const noexcept { return workers_ ? Index(workers_->threads()) : 1; }
  /// Calls do_part(lane, i) for each part of some work. Parts with the same lane, which is less than lanes(), are done one after
  /// the other, so that each lane can have buffers of its own.
  template <class Part>
  bool for_each_in_lanes(Index parts, const Part& do_part) const {
    std::atomic<Index> next{0};
    return for_each_part(std::min(lanes(), parts), [&](Index lane) {
      for (Index i = next++; i < parts; i = next++)
        if (!do_part(lane, i)) return false;
      return true;
    });
  }
  /// Whether several threads should share the columns of a panel.
  bool divides_columns(Index columns, Index rows) const noexcept {
    constexpr Index few_entries = Index(1) << 17;
    return has_workers() && columns * rows >= few_entries;
  }
  /// The same ranges, on the calling thread.
  RowRanges on_one_thread() const noexcept { return RowRanges(count_); }
  /// Whether there are several threads.
  bool has_workers() const noexcept { return workers_ && workers_->threads() > 1; }

 private:
  static constexpr Index line = 8;  // doubles, a whole number of packs
  // A range has enough rows to take longer than waking up a thread, and there are more ranges than cores, so that all cores are
  // busy.
  static constexpr Index usual_rows = 65536, most_ranges = 64;

  Index cut(Index r, Index rows, Index lead) const noexcept {
    if (r == 0) return 0;
    const Index ranges = count(rows);
    if (r == ranges) return rows;
    return std::min(lead + (std::max<Index>(rows - lead, 0) * r / ranges) / line * line, rows);
  }

  Index count_;
  Workers* workers_;
};

}  // namespace ksparse
