// Whole columns of X in units. Those of the working set, which are scanned often, are kept where X scatters its columns, so that
// each of their entries is fetched from X once; and for large supports, whose scans are products of columns that lie side by
// side. A refit copies its columns from those that are kept.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../types.hpp"
#include "../util/interruption.hpp"
#include "column_reader.hpp"
#include "row_ranges.hpp"

namespace ksparse {

class ColumnStore {
 public:
  /// Columns that are kept.
  struct Room {
    Index most = 0;             // of them
    bool side_by_side = false;  // in the order of their list, a distance of stride() apart
  };

  /// `capacity`: the most columns that are copied at once.
  void reset(const ColumnReader& reader, const Room& room, Index capacity, const RowRanges& ranges,
             Interruption& interruption) {
    reader_ = &reader;
    room_ = room;
    ranges_ = reader.source().is_shared() ? ranges : ranges.on_one_thread();
    interruption_ = &interruption;
    scratch_.resize(reader.scratch_size(), ranges_.count(reader.rows().count()));
    values_.resize(reader.rows().padded(), room.most);
    held_.assign(std::size_t(room.most), -1);
    for (std::vector<Index>* list : {&missing_, &places_}) list->reserve(std::size_t(std::max(room.most, capacity)));
  }

  /// Keeps these columns, and no others, unless they are too many: then it keeps what it has. Returns false if interrupted.
  bool keep(const Columns& columns) {
    if (columns.count > room_.most) return true;
    missing_.clear();
    places_.clear();
    if (room_.side_by_side)
      line_up(columns);
    else
      replace(columns);
    const bool done = gather([&](Index i) { return values_.col(places_[std::size_t(i)]).data(); });
    if (!done) std::fill(held_.begin(), held_.end(), Index(-1));
    return done;
  }
  /// A column that is kept, (padded,), or null.
  const double* find(Index column) const noexcept {
    const auto at = std::find(held_.begin(), held_.end(), column);
    return at != held_.end() ? values_.col(at - held_.begin()).data() : nullptr;
  }

  /// Copies columns, that of the one at place c to target(c). Returns false if interrupted.
  template <class Target>
  bool copy(const Columns& columns, const Target& target) {
    missing_.clear();
    places_.clear();
    for (Index c = 0; c < columns.count; ++c) {
      if (const double* const kept = find(columns[c])) {
        std::copy_n(kept, reader_->rows().count(), target(c));
        continue;
      }
      missing_.push_back(columns[c]);
      places_.push_back(c);
    }
    return gather([&](Index i) { return target(places_[std::size_t(i)]); });
  }

  const ColumnReader& reader() const noexcept { return *reader_; }

 private:
  // Rows that are read between two checks for an interrupt.
  static constexpr Index rows_at_once = 64 * block_rows;

  void line_up(const Columns& columns) {
    for (Index c = 0; c < columns.count; ++c) {
      if (held_[std::size_t(c)] == columns[c]) continue;
      held_[std::size_t(c)] = columns[c];
      missing_.push_back(columns[c]);
      places_.push_back(c);
    }
  }

  // Others take the places of those that are no longer listed.
  void replace(const Columns& columns) {
    const auto is_listed = [&](Index column) {
      for (Index c = 0; c < columns.count; ++c)
        if (columns[c] == column) return true;
      return false;
    };
    for (Index& column : held_)
      if (!is_listed(column)) column = -1;
    for (Index c = 0; c < columns.count; ++c) {
      if (std::find(held_.begin(), held_.end(), columns[c]) != held_.end()) continue;
      const auto free = std::find(held_.begin(), held_.end(), Index(-1));
      *free = columns[c];
      missing_.push_back(columns[c]);
      places_.push_back(free - held_.begin());
    }
  }

  // The missing columns, the i-th to target(i).
  template <class Target>
  bool gather(const Target& target) {
    if (missing_.empty()) return true;
    const Columns columns{0, Index(missing_.size()), missing_.data()};
    return ranges_.for_each(reader_->rows().count(), 0, [&](Index r, RowRange range) {
      for (Index first = range.first; first < range.end(); first += rows_at_once) {
        if (first > range.first && interruption_->asked()) return false;
        reader_->gather(columns, first, std::min(rows_at_once, range.end() - first), scratch_.col(r).data(),
                        [&](Index i) { return target(i) + first; });
      }
      return true;
    });
  }

  const ColumnReader* reader_ = nullptr;
  Room room_;
  RowRanges ranges_;
  Interruption* interruption_ = nullptr;
  Eigen::MatrixXd scratch_;              // (reader's, ranges)
  Eigen::MatrixXd values_;               // (padded, most); memory that is not used is not touched
  std::vector<Index> held_;              // (most,) the column in each place, or -1
  std::vector<Index> missing_, places_;  // columns to be gathered, and where they go
};

}  // namespace ksparse
