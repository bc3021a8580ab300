// Sums of panels of a dense X of which only the slopes are of all rows; the others are of a sample of the rows, scaled up: to
// see which features are worth an exact scan.
//
// A few rows that are far from the rest may have most of the curvature. Whether a sample holds them is luck, and what it then
// says depends on the order of the rows. So the rows that have much of the active columns' curvature are always in it and count
// for themselves alone, and where the sample is wrong about a column, its curvature is summed over all rows.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <vector>

#include "../design/design.hpp"
#include "../design/row_sample.hpp"
#include "linearisation.hpp"
#include "panel.hpp"
#include "panel_sums.hpp"
#include "rows.hpp"
#include "slope_sums.hpp"

namespace ksparse {

class SampledSums final : public PanelSums {
 public:
  /// Rows of the sample for `chosen` active columns in the end: enough to tell features worth a second look from the rest, where
  /// half of the rows have weight 0 as well; where more have, more rows.
  static Index size_for(const Rows& rows, Index chosen) {
    const Index usual = std::max<Index>(256, 8 * (chosen + 1));
    return std::max(usual, Index(double(usual) * double(rows.count()) / (2 * double(rows.positive()))));
  }
  static bool pays(const Rows& rows, Index chosen) { return rows.count() >= 4 * size_for(rows, chosen); }

  void reset(const Design& design, const Linearisation& linearisation, SlopeAdder& slopes, Index size, Index capacity) {
    design_ = &design;
    linearisation_ = &linearisation;
    slopes_ = &slopes;
    sample_.reset(design.rows(), size);
    const Index singles = most_singles(), rows = sample_.rows() + singles;
    sample_.singles().reserve(std::size_t(singles));
    no_slope_ = Eigen::VectorXd::Zero(rows);
    curvature_.resize(rows);
    for (Eigen::MatrixXd* matrix : {&active_, &cross_}) matrix->resize(rows, capacity);
    columns_.resize(rows, design.columns_contiguous() ? slice : 1);
    column_.resize(block_rows);
    share_.resize(design.rows());
    active_sums_.resize(capacity, Sums::cross + capacity);
  }

  // The active columns are scaled so that the diagonal of the sample's Hessian is that of all rows, which is known.
  void take_point(const SumsPoint& point) override {
    const Index size = size_ = point.size;
    choose_singles();
    const Index count = sample_.rows();
    sample_.pick(rows().curvature, curvature_.data());
    const double scale = weigh_singles();
    const auto curvature = curvature_.head(count).array();
    totals_ = {linearisation_->slope(), curvature.sum(), &active_sums_, scale};
    for (Index j = 0; j < size; ++j) {
      auto z = active_.col(j).head(count).array();
      sample_.pick(linearisation_->active().column(j), active_.col(j).data());
      const double all = linearisation_->sums()(j, Sums::cross + j), seen = totals_.scale * (curvature * z.square()).sum();
      z *= seen > least_seen * all ? std::sqrt(all / seen) : 0.0;
      cross_.col(j).head(count).array() = curvature * z;
    }
    active_sums_.topLeftCorner(size, Sums::cross + size).setZero();
    kernels::accumulate_columns(
        size, block(0, count), {active_sums_.data(), active_sums_.outerStride()},
        [&](Index c) { return active_.col(c).data(); }, [&](Index c) { return std::min(c + 4, size); });
  }
  RowTotals totals() const override { return totals_; }
  void replace_hessian(Eigen::Ref<Eigen::MatrixXd> hessian) const override {
    for (Index j = 0; j < size_; ++j) {
      for (Index i = j + 1; i < size_; ++i) hessian(i, j) = totals_.scale * active_sums_(i, Sums::cross + j);
      if (units().intercept()) hessian(size_, j) = totals_.scale * active_sums_(j, Sums::curvature);
    }
  }
  bool begin(const Columns&) override { return true; }

  // A few columns at a time, where these are contiguous: what the first pass over them brought into the caches serves the
  // second, for which the rows of the sample are put side by side.
  bool sum(const Columns& panel, const Sums& sums) override {
    if (!design_->columns_contiguous()) return sum_in_place(panel, sums);
    for (Index place = 0; place < panel.count; place += slice) {
      if (interruption().asked()) return false;
      const Columns columns = panel.slice(place, std::min(slice, panel.count - place));
      slopes_->add(columns, Sums{sums.data + place, sums.stride});
      for (Index c = 0; c < columns.count; ++c) design_->gather_sample(columns[c], sample_, columns_.col(c).data());
      add_sample({columns_.data(), columns_.outerStride(), place, columns.count, 0, sample_.rows()}, sums);
    }
    return true;
  }

  bool sum_careful(const Columns& panel, const Sums& sums) override {
    for (Index c = 0; c < panel.count; ++c) {
      if (!units().is_careful(panel[c])) continue;
      for (Index which = 0; which < Sums::cross + size_; ++which) sums.row(which)[c] = 0;
      if (!slopes_->add_in_units(panel[c], {sums.data + c, sums.stride})) return false;
      double* const x = columns_.data();
      sample_.for_each_run([&](Index first, Index count, Index place) {
        linearisation_->active().reader().gather(panel[c], first, count, x + place);
      });
      add_sample({x, columns_.outerStride(), c, 1, 0, sample_.rows()}, sums);
    }
    return true;
  }

  // Where the sample sees another curvature by far than the spread of the column over all rows lets expect, the curvature is
  // summed over all rows. What the sample says of correlations stands.
  void correct(Panel& panel) override {
    for (Index c = 0; c < panel.columns.count; ++c) {
      const double expected = units().spread(panel.columns[c]) * linearisation_->curvature(), seen = panel.curvature[c];
      if (seen <= far_from_expected * expected && expected <= far_from_expected * seen) continue;
      const double all = curvature_of_all(panel.columns[c]);
      panel.cross.row(c).head(size_ + Index(units().intercept())) *= seen > least_seen * all ? std::sqrt(all / seen) : 0.0;
      panel.curvature[c] = all;
    }
  }

  bool needs_slopes_alone() const override { return true; }
  const RowSample* sample() const override { return &sample_; }
  void add_sample(const DenseBlock& rows, const Sums& sums) override {
    const Sums to{sums.data + rows.place, sums.stride};
    kernels::accumulate_columns(
        rows.count, block(0, sample_.rows()), to, [&](Index c) { return rows.data + c * rows.stride; },
        [&](Index) { return size_; });
  }

 private:
  static constexpr Index slice = 16;  // columns
  // A sample that holds less than this part of a column's curvature knows nothing of the column.
  static constexpr double least_seen = 1e-4;
  // Where the sample sees a curvature that differs from what is expected by more than this factor, that of all rows is summed.
  // 256 rows of an even column err by a tenth, and curvature that varies with the column adds to that. With this factor some of
  // the columns are summed where few rows have an event; with 2, more answers depend on the order of rows where each column has
  // a far entry of its own.
  static constexpr double far_from_expected = 1.5;
  // A row that has more than the part of so many rows of the sample, on average over the active columns, is always in it.
  static constexpr Index far = 4;

  // The parts of all rows sum up to 1.
  Index most_singles() const noexcept { return sample_.in_stretches() / far; }

  const RowsView& rows() const noexcept { return linearisation_->active().rows(); }
  const Units& units() const noexcept { return linearisation_->units(); }
  Interruption& interruption() const noexcept { return linearisation_->interruption(); }

  // Some rows of the sample, from a place in it on, with slopes of 0: the slopes of all rows are summed apart.
  RowBlock block(Index place, Index count) const {
    return {place, count, no_slope_.data(), curvature_.data() + place, cross_.data() + place, cross_.outerStride(), size_};
  }

  bool sum_in_place(const Columns& panel, const Sums& sums) {
    slopes_->add(panel, sums);
    sample_.for_each_run([&](Index first, Index count, Index place) {
      RowBlock run = block(place, count);
      run.first = first;
      design_->accumulate(panel, run, sums);
    });
    return !interruption().asked();
  }

  // The rows that have much of the active columns' curvature.
  void choose_singles() {
    std::vector<Index>& singles = sample_.singles();
    singles.clear();
    const Index n = rows().count;
    share_.setZero();
    for (Index j = 0; j < size_; ++j) {
      const double all = linearisation_->sums()(j, Sums::cross + j);
      const Eigen::Map<const Eigen::ArrayXd> z(linearisation_->active().column(j), n);
      if (all > 0) share_ += z.square() * (1 / all);
    }
    share_ *= Eigen::Map<const Eigen::ArrayXd>(rows().curvature, n);
    const double much = double(size_) / double(most_singles());
    for (Index i = 0; i < n && Index(singles.size()) < most_singles(); ++i)
      if (share_[i] > much) singles.push_back(i);
  }

  // Lets the single rows count for themselves and the others of the sample for all that are left. Returns by how much what is
  // summed is to be scaled up.
  double weigh_singles() {
    const Index rest = sample_.in_stretches();
    const double all = linearisation_->curvature();
    for (const Index row : sample_.singles())
      if (const Index place = sample_.place_in_stretches(row); place >= 0) curvature_[place] = 0;
    const double seen = curvature_.head(rest).sum();
    const double left = all - curvature_.segment(rest, sample_.rows() - rest).sum(), scale = seen > 0 ? left / seen : 1.0;
    if (sample_.singles().empty()) return scale;
    curvature_.head(rest) *= std::max(scale, 0.0);
    return 1;
  }

  // Of a column in units, by a pass over it.
  double curvature_of_all(Index column) {
    double sum = 0;
    for (Index first = 0, count = 0; first < rows().count; first += count) {
      count = std::min(block_rows, rows().count - first);
      linearisation_->active().reader().gather(column, first, count, column_.data());
      const Eigen::Map<const Eigen::ArrayXd> curvature(rows().curvature + first, count);
      sum += (curvature * column_.head(count).square()).sum();
    }
    return sum;
  }

  const Design* design_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  SlopeAdder* slopes_ = nullptr;
  Index size_ = 0;  // active columns
  RowSample sample_;
  RowTotals totals_;
  Eigen::VectorXd no_slope_;        // (sample,) zeros
  Eigen::VectorXd curvature_;       // (sample,)
  Eigen::MatrixXd active_, cross_;  // (sample, capacity) active columns; and times the curvature
  Eigen::MatrixXd columns_;         // (sample, slice) of X
  Eigen::ArrayXd column_;           // (block_rows,) of one column
  Eigen::ArrayXd share_;            // (n,) of each row in the curvature of the active columns
  Eigen::ArrayXXd active_sums_;     // (capacity, 3 + capacity)
};

}  // namespace ksparse
