// Exact sums for panels of a dense X, over ranges of rows and block by block.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../design/design.hpp"
#include "../util/interruption.hpp"
#include "linearisation.hpp"
#include "panel_sums.hpp"

namespace ksparse {

class DenseSums final : public PanelSums {
 public:
  /// For panels of at most so many columns.
  void reset(const Design& design, const Linearisation& linearisation, Index entries, Index capacity) {
    design_ = &design;
    linearisation_ = &linearisation;
    point_ = {};
    list_ = nullptr;
    kept_.reserve(std::size_t(entries));
    parts_.resize(std::size_t(std::max(ranges().count(design.rows()), ranges().lanes())));
    for (std::size_t r = 0; r < parts_.size(); ++r) {
      parts_[r].cross.resize(block_rows, capacity);
      parts_[r].column.resize(block_rows);
      for (Eigen::VectorXd* room : {&parts_[r].block, &parts_[r].scratch}) room->resize(reader().scratch_size());
      if (r > 0) parts_[r].sums.resize(entries, Sums::cross + capacity);
    }
  }

  void take_point(const SumsPoint& point) override { point_ = point; }
  RowTotals totals() const override { return {linearisation_->slope(), linearisation_->curvature(), &linearisation_->sums()}; }

  // Listed columns that are kept, or scattered in X, are summed in units.
  bool begin(const Columns& columns) override {
    list_ = nullptr;
    if (!columns.list || columns.count == 0) return true;
    if (!active().store().keep(columns)) return false;
    kept_.clear();
    for (Index c = 0; c < columns.count; ++c) kept_.push_back(active().store().find(columns[c]));
    const bool all = std::find(kept_.begin(), kept_.end(), nullptr) == kept_.end();
    if (all || !design_->columns_contiguous()) list_ = columns.list;
    return true;
  }
  bool in_units(const Columns& panel) const override { return panel.list && list_; }

  bool sum(const Columns& panel, const Sums& sums) override {
    if (divides_columns(panel)) return sum_parts(panel, sums);
    return sum_ranges(panel, sums, in_units(panel) ? 0 : design_->lead(),
                      [&](const RowRange& range, Part& part, const Sums& to) { return add_range(range, panel, to, part); });
  }
  bool sum_careful(const Columns& panel, const Sums& sums) override;

  void add_block(const DenseBlock& block, const Sums& sums) override {
    const Sums to{sums.data + block.place, sums.stride};
    kernels::accumulate_columns(
        block.count, rows_of(block.first, block.rows, parts_.front()), to,
        [&](Index c) { return block.data + c * block.stride; }, [&](Index) { return point_.size; });
  }

 private:
  // The buffers of a range of rows, or of a thread.
  struct Part {
    Eigen::MatrixXd cross;    // (block_rows, capacity) curvature times active columns of a block
    Eigen::VectorXd column;   // (block_rows,) a stretch of one column
    Eigen::VectorXd block;    // of columns in units that are not kept, a few at a time
    Eigen::VectorXd scratch;  // of the reader
    Eigen::ArrayXXd sums;     // (entries, 3 + capacity); of the first range none, which adds to those of all
  };

  // If X has few rows, threads share the columns of a panel. Each column is summed as by one thread, except in matrix products.
  static constexpr Index columns_of_part = 16;
  bool divides_columns(const Columns& panel) const {
    const Index rows = active().rows().count;
    return ranges().count(rows) == 1 && panel.count > columns_of_part && point_.size <= kernels::few_vectors &&
           ranges().divides_columns(panel.count, rows);
  }
  bool sum_parts(const Columns& panel, const Sums& sums) {
    return ranges().for_each_in_lanes((panel.count + columns_of_part - 1) / columns_of_part, [&](Index lane, Index i) {
      const Index first = i * columns_of_part, count = std::min(columns_of_part, panel.count - first);
      return add_range({0, active().rows().count}, panel.slice(first, count), {sums.data + first, sums.stride},
                       parts_[std::size_t(lane)]);
    });
  }

  const RowRanges& ranges() const noexcept { return linearisation_->ranges(); }
  const ActiveColumns& active() const noexcept { return linearisation_->active(); }
  const ColumnReader& reader() const noexcept { return active().reader(); }
  Interruption& interruption() const noexcept { return linearisation_->interruption(); }

  // The first scan multiplies squares by the weights of the rows, which are never negative and whose mean is the best centre.
  // Its curvatures are these moments times the average curvature of the loss.
  RowBlock rows_of(Index first, Index rows, Part& part) const {
    const RowsView& all = active().rows();
    return active().block(first, rows, point_.size, point_.first ? all.weight : all.curvature, part.cross);
  }

  // Calls add(range, part, sums) for each range of the rows, and adds the sums of all ranges to `sums`.
  template <class Add>
  bool sum_ranges(const Columns& panel, const Sums& sums, Index lead, const Add& add) {
    const Index width = Sums::cross + point_.size;
    const auto add_part = [&](Index r, RowRange range) {
      Part& part = parts_[std::size_t(r)];
      if (r == 0) return add(range, part, sums);
      part.sums.topLeftCorner(panel.count, width).setZero();
      return add(range, part, Sums{part.sums.data(), part.sums.outerStride()});
    };
    return ranges().sum(active().rows().count, lead, add_part, [&](Index r) {
      for (Index which = 0; which < width; ++which)
        Eigen::Map<Eigen::ArrayXd>(sums.row(which), panel.count) += parts_[std::size_t(r)].sums.col(which).head(panel.count);
    });
  }

  // Adds the sums of a range of rows. Returns false if interrupted.
  bool add_range(const RowRange& range, const Columns& panel, const Sums& sums, Part& part) const {
    const bool listed = in_units(panel);
    const Index lead = listed ? 0 : design_->lead();
    for (Index first = range.first, rows = 0; first < range.end(); first += rows) {
      if (interruption().asked()) return false;
      rows = std::min(first < lead ? lead : block_rows, range.end() - first);
      const RowBlock block = rows_of(first, rows, part);
      if (listed)
        add_listed(block, panel, sums, part);
      else
        design_->accumulate(panel, block, sums);
    }
    return true;
  }

  // Columns in units; those that are not kept are read block by block.
  void add_listed(const RowBlock& block, const Columns& panel, const Sums& sums, Part& part) const {
    constexpr Index most = ColumnReader::columns_at_once;
    for (Index place = 0; place < panel.count; place += most) {
      const Columns columns = panel.slice(place, std::min(most, panel.count - place));
      const double* const* const kept = kept_.data() + (columns.list - list_);
      const double* at[most];
      Index missing[most], count = 0;
      const auto room = [&](Index i) { return part.block.data() + i * block_stride(block_rows); };
      for (Index c = 0; c < columns.count; ++c) {
        at[c] = kept[c] ? kept[c] + block.first : room(count);
        if (!kept[c]) missing[count++] = columns[c];
      }
      reader().gather({0, count, missing}, block.first, block.rows, part.scratch.data(), room);
      kernels::accumulate_columns(
          columns.count, block, Sums{sums.data + place, sums.stride}, [&](Index c) { return at[c]; },
          [&](Index) { return point_.size; });
    }
  }

  bool add_careful_range(const RowRange& range, const Columns& panel, const Sums& sums, Part& part) const;

  const Design* design_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  SumsPoint point_;
  std::vector<Part> parts_;          // one for each range
  std::vector<const double*> kept_;  // by place in the list of the scan at hand: where the column is kept, or null
  const Index* list_ = nullptr;      // that list, or null if its columns are summed where they are
};

inline bool DenseSums::sum_careful(const Columns& panel, const Sums& sums) {
  const Units& units = active().units();
  for (Index c = 0; c < panel.count; ++c)
    for (Index which = 0; which < Sums::cross + point_.size && units.is_careful(panel[c]); ++which) sums.row(which)[c] = 0;
  return sum_ranges(panel, sums, 0, [&](const RowRange& range, Part& part, const Sums& to) {
    return add_careful_range(range, panel, to, part);
  });
}

inline bool DenseSums::add_careful_range(const RowRange& range, const Columns& panel, const Sums& sums, Part& part) const {
  for (Index first = range.first; first < range.end(); first += block_rows) {
    if (interruption().asked()) return false;
    const Index rows = std::min(block_rows, range.end() - first);
    const RowBlock block = rows_of(first, rows, part);
    for (Index c = 0; c < panel.count; ++c) {
      if (!active().units().is_careful(panel[c])) continue;
      reader().gather(panel[c], first, rows, part.column.data());
      const double* const x[1] = {part.column.data()};
      kernels::column_tile<1>(x, block, point_.size, 0, {sums.data + c, sums.stride});
    }
  }
  return true;
}

}  // namespace ksparse
