// Exact sums for panels of a dense X, over ranges of rows and block by block.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../design/design.hpp"
#include "../options.hpp"
#include "../util/interruption.hpp"
#include "linearisation.hpp"
#include "panel_sums.hpp"

namespace ksparse {

class DenseSums final : public PanelSums {
 public:
  /// Prepares for panels of at most `entries` columns. If the columns of X are not contiguous, those of the working set, which
  /// are scanned often, are gathered once and kept. The same is done for large supports (`chosen` active columns at the end),
  /// because their scans are matrix products of adjacent columns.
  void reset(const Design& design, const Linearisation& linearisation, Index entries, Index capacity, Index chosen) {
    design_ = &design;
    linearisation_ = &linearisation;
    point_ = {};
    kept_list_ = nullptr;
    kept_columns_.clear();
    parts_.resize(
        std::size_t(std::max(linearisation.ranges().count(design.rows()), (entries + columns_of_part - 1) / columns_of_part)));
    for (std::size_t r = 0; r < parts_.size(); ++r) {
      parts_[r].cross.resize(block_rows, capacity);
      parts_[r].column.resize(block_rows);
      if (r > 0) parts_[r].sums.resize(entries, Sums::cross + capacity);
    }
    const bool keeps = !design.columns_contiguous() || chosen > kernels::few_vectors;
    // There is room for more columns, because a path adds the features of its entries to the working set. Unused memory costs
    // nothing.
    const Index usual = Options::working_set(design.columns(), capacity);
    kept_.resize(active().values().rows(), keeps ? std::min(usual + usual / 2, design.columns()) : 0);
    kept_columns_.reserve(std::size_t(kept_.cols()));
  }

  void take_point(const SumsPoint& point) override { point_ = point; }
  RowTotals totals() const override { return {linearisation_->slope(), linearisation_->curvature(), &linearisation_->sums()}; }

  bool begin(const Columns& columns) override {
    if (columns.list && columns.count > 0) keep(columns);
    return true;
  }
  bool in_units(const Columns& panel) const override { return panel.list && kept_list_; }

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
  // The buffers of a range of rows.
  struct Part {
    Eigen::MatrixXd cross;   // (block_rows, capacity) curvature times active columns of a block
    Eigen::VectorXd column;  // (block_rows,) a stretch of one column
    Eigen::ArrayXXd sums;    // (entries, 3 + capacity); of the first range none, which adds to those of all
  };

  // If X has few rows, threads share the columns of a panel. Each column is summed as by one thread, except in matrix products.
  static constexpr Index columns_of_part = 64, few_entries = Index(1) << 17;
  bool divides_columns(const Columns& panel) const {
    const Index rows = active().rows().count;
    return ranges().has_workers() && ranges().count(rows) == 1 && panel.count > columns_of_part &&
           point_.size <= kernels::few_vectors && panel.count * rows >= few_entries;
  }
  bool sum_parts(const Columns& panel, const Sums& sums) {
    return ranges().for_each_part((panel.count + columns_of_part - 1) / columns_of_part, [&](Index i) {
      const Index first = i * columns_of_part, count = std::min(columns_of_part, panel.count - first);
      return add_range({0, active().rows().count}, panel.slice(first, count), {sums.data + first, sums.stride},
                       parts_[std::size_t(i)]);
    });
  }

  const RowRanges& ranges() const noexcept { return linearisation_->ranges(); }
  const ActiveColumns& active() const noexcept { return linearisation_->active(); }
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
    const bool done = ranges().for_each(active().rows().count, lead, [&](Index r, RowRange range) {
      Part& part = parts_[std::size_t(r)];
      if (r == 0) return add(range, part, sums);
      part.sums.topLeftCorner(panel.count, width).setZero();
      return add(range, part, Sums{part.sums.data(), part.sums.outerStride()});
    });
    if (!done) return false;
    for (std::size_t r = 1; r < std::size_t(ranges().count(active().rows().count)); ++r)
      for (Index which = 0; which < width; ++which)
        Eigen::Map<Eigen::ArrayXd>(sums.row(which), panel.count) += parts_[r].sums.col(which).head(panel.count);
    return true;
  }

  // Adds the sums of a range of rows. Returns false if interrupted.
  bool add_range(const RowRange& range, const Columns& panel, const Sums& sums, Part& part) const {
    const bool kept = in_units(panel);
    const Index lead = kept ? 0 : design_->lead();
    for (Index first = range.first, rows = 0; first < range.end(); first += rows) {
      if (interruption().asked()) return false;
      rows = std::min(first < lead ? lead : block_rows, range.end() - first);
      const RowBlock block = rows_of(first, rows, part);
      if (kept)
        kernels::accumulate_columns(
            panel.count, block, sums,
            [&](Index c) { return kept_.data() + (panel.list - kept_list_ + c) * kept_.outerStride() + first; },
            [&](Index) { return point_.size; });
      else
        design_->accumulate(panel, block, sums);
    }
    return true;
  }

  bool add_careful_range(const RowRange& range, const Columns& panel, const Sums& sums, Part& part) const;

  void keep(const Columns& columns) {
    // A longer list belongs to a single scan, which reads its columns only once.
    kept_list_ = columns.count <= kept_.cols() ? columns.list : nullptr;
    if (!kept_list_) return;
    if (Index(kept_columns_.size()) == columns.count && std::equal(kept_columns_.begin(), kept_columns_.end(), columns.list))
      return;
    kept_columns_.assign(columns.list, columns.list + columns.count);
    for (Index c = 0; c < columns.count; ++c) active().reader().gather(columns[c], 0, design_->rows(), kept_.col(c).data());
  }

  const Design* design_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  SumsPoint point_;
  std::vector<Part> parts_;           // one for each range
  Eigen::MatrixXd kept_;              // (padded, most) columns of the working set in units
  std::vector<Index> kept_columns_;   // which these are
  const Index* kept_list_ = nullptr;  // by which list they are named in the scan at hand, or null: none is kept
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
      active().reader().gather(panel[c], first, rows, part.column.data());
      const double* const x[1] = {part.column.data()};
      kernels::column_tile<1>(x, block, point_.size, 0, {sums.data + c, sums.stride});
    }
  }
  return true;
}

}  // namespace ksparse
