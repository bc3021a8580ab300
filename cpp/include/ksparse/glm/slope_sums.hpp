// Sums of only the slopes, for panels of a dense X.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <utility>
#include <vector>

#include "../design/design.hpp"
#include "linearisation.hpp"
#include "panel_sums.hpp"

namespace ksparse {

/// Adds x.r over all rows, with the slopes at the last point.
class SlopeAdder {
 public:
  /// For at most so many columns at once.
  void reset(const Design& design, const Linearisation& linearisation, Index entries) {
    design_ = &design;
    linearisation_ = &linearisation;
    parts_.resize(std::size_t(linearisation.ranges().count(design.rows())));
    for (std::size_t r = 0; r < parts_.size(); ++r) {
      parts_[r].sums.resize(r > 0 ? entries : 0);
      parts_[r].column.resize(block_rows);
    }
  }

  /// Adds the sums of raw columns.
  void add(const Columns& columns, const Sums& sums) {
    add_ranges(columns.count, design_->lead(), sums, [&](const RowRange& range, Part&, const Sums& to) {
      add_range(range, columns, to);
      return true;
    });
  }
  /// The same on the calling thread alone, which may be one of several that sum other columns; `part` has room for the columns.
  void add_alone(const Columns& columns, const Sums& sums, Eigen::Ref<Eigen::ArrayXd> part) const {
    const Index rows = design_->rows(), lead = design_->lead();
    add_range(ranges().range(0, rows, lead), columns, sums);
    for (Index r = 1; r < ranges().count(rows); ++r) {
      part.setZero();
      add_range(ranges().range(r, rows, lead), columns, Sums{part.data(), 0});
      Eigen::Map<Eigen::ArrayXd>(sums.row(Sums::slope), columns.count) += part.head(columns.count);
    }
  }

  /// Adds the sum of one column in units. Returns false if interrupted.
  bool add_in_units(Index column, const Sums& sums) {
    return add_ranges(1, 0, sums, [&](const RowRange& range, Part& part, const Sums& to) {
      for (Index first = range.first; first < range.end(); first += block_rows) {
        if (linearisation_->interruption().asked()) return false;
        const Index rows = std::min(block_rows, range.end() - first);
        linearisation_->active().reader().gather(column, first, rows, part.column.data());
        const double* const x[1] = {part.column.data()};
        kernels::slope_tile<1>(x, {first, rows, slope() + first, nullptr, nullptr, 0, 0}, 0, to);
      }
      return true;
    });
  }

 private:
  // The buffers of a range of rows.
  struct Part {
    Eigen::VectorXd column;  // (block_rows,) a stretch of one column
    Eigen::ArrayXd sums;     // (entries,); of the first range none, which adds to those of all
  };

  const RowRanges& ranges() const noexcept { return linearisation_->ranges(); }
  void add_range(const RowRange& range, const Columns& columns, const Sums& sums) const {
    const Index split = std::clamp(design_->lead(), range.first, range.end());
    for (const auto& [first, end] : {std::pair{range.first, split}, std::pair{split, range.end()}})
      if (end > first) design_->accumulate_slopes(columns, {first, end - first, slope() + first, nullptr, nullptr, 0, 0}, sums);
  }
  const double* slope() const noexcept { return linearisation_->active().rows().slope; }

  template <class Add>
  bool add_ranges(Index count, Index lead, const Sums& sums, const Add& add) {
    const auto add_part = [&](Index r, RowRange range) {
      Part& part = parts_[std::size_t(r)];
      if (r == 0) return add(range, part, sums);
      part.sums.head(count).setZero();
      return add(range, part, Sums{part.sums.data(), 0});
    };
    return ranges().sum(design_->rows(), lead, add_part, [&](Index r) {
      Eigen::Map<Eigen::ArrayXd>(sums.row(Sums::slope), count) += parts_[std::size_t(r)].sums.head(count);
    });
  }

  const Design* design_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  std::vector<Part> parts_;  // one for each range
};

/// The sums of a first scan if all others are known (unit_choice.hpp).
class SlopeSums final : public PanelSums {
 public:
  void reset(const Linearisation& linearisation, SlopeAdder& slopes) noexcept {
    linearisation_ = &linearisation;
    slopes_ = &slopes;
  }

  void take_point(const SumsPoint&) override {}
  RowTotals totals() const override { return {linearisation_->slope(), linearisation_->curvature(), &linearisation_->sums()}; }
  bool begin(const Columns&) override { return true; }
  bool sum(const Columns& panel, const Sums& sums) override {
    slopes_->add(panel, sums);
    return !linearisation_->interruption().asked();
  }
  bool sum_careful(const Columns&, const Sums&) override { return true; }  // there are none before the units are chosen
  bool needs_slopes_alone() const override { return true; }

 private:
  const Linearisation* linearisation_ = nullptr;
  SlopeAdder* slopes_ = nullptr;
};

}  // namespace ksparse
