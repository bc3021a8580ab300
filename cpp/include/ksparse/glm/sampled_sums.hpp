// Sums for panels of a dense X. The sums of slopes are over all rows. The other sums are over a sample of the rows and are
// scaled, which is accurate enough to find the features that need an exact scan.
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
  /// The number of rows of the sample for `chosen` active columns at the end. It is large enough to find the features that need
  /// an exact scan if up to half of the rows have weight 0, and larger if more rows have.
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
    const Index rows = sample_.rows();
    no_slope_ = Eigen::VectorXd::Zero(rows);
    curvature_.resize(rows);
    for (Eigen::MatrixXd* matrix : {&active_, &cross_}) matrix->resize(rows, capacity);
    lanes_.resize(std::size_t(linearisation.ranges().lanes()));
    for (Lane& lane : lanes_) {
      lane.columns.resize(rows, design.columns_contiguous() ? slice : 1);
      lane.slopes.resize(slice);
    }
    active_sums_.resize(capacity, Sums::cross + capacity);
  }

  // The active columns are scaled such that the diagonal of the Hessian of the sample equals that of all rows, which is known.
  void take_point(const SumsPoint& point) override {
    const Index size = size_ = point.size;
    const auto curvature = curvature_.array();
    sample_.pick(rows().curvature, curvature_.data());
    const double all_curvature = linearisation_->curvature(), seen_curvature = curvature.sum();
    totals_ = {linearisation_->slope(), seen_curvature, &active_sums_,
               seen_curvature > 0 ? all_curvature / seen_curvature : 1.0};
    for (Index j = 0; j < size; ++j) {
      auto z = active_.col(j).array();
      sample_.pick(linearisation_->active().column(j), active_.col(j).data());
      const double all = linearisation_->sums()(j, Sums::cross + j), seen = totals_.scale * (curvature * z.square()).sum();
      z *= seen > least_seen * all ? std::sqrt(all / seen) : 0.0;
      cross_.col(j).array() = curvature * z;
    }
    active_sums_.topLeftCorner(size, Sums::cross + size).setZero();
    kernels::accumulate_columns(
        size, block(0, sample_.rows()), {active_sums_.data(), active_sums_.outerStride()},
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

  // If columns are contiguous, a few of them are processed at a time. The second pass, over the rows of the sample, which are
  // copied next to each other, then finds them in the cache. Threads share the columns of a panel.
  bool sum(const Columns& panel, const Sums& sums) override {
    const bool contiguous = design_->columns_contiguous();
    const Index width = contiguous ? slice : wide_slice, parts = (panel.count + width - 1) / width;
    const bool by_ranges = !contiguous && linearisation_->ranges().count(design_->rows()) > 1;
    if (by_ranges) slopes_->add(panel, sums);
    const auto add = [&](Index lane, Index i) {
      const Columns columns = panel.slice(i * width, std::min(width, panel.count - i * width));
      const Sums to{sums.data + i * width, sums.stride};
      if (!by_ranges) slopes_->add_alone(columns, to, lanes_[std::size_t(lane)].slopes);
      if (contiguous)
        add_gathered_sample(columns, to, lanes_[std::size_t(lane)].columns);
      else
        add_sample_in_place(columns, to);
      return !interruption().asked();
    };
    if (linearisation_->ranges().divides_columns(panel.count, design_->rows()))
      return linearisation_->ranges().for_each_in_lanes(parts, add);
    for (Index i = 0; i < parts; ++i)
      if (!add(0, i)) return false;
    return true;
  }

  bool sum_careful(const Columns& panel, const Sums& sums) override {
    for (Index c = 0; c < panel.count; ++c) {
      if (!units().is_careful(panel[c])) continue;
      for (Index which = 0; which < Sums::cross + size_; ++which) sums.row(which)[c] = 0;
      if (!slopes_->add_in_units(panel[c], {sums.data + c, sums.stride})) return false;
      Eigen::MatrixXd& room = lanes_.front().columns;
      double* const x = room.data();
      for (Index s = 0; s < sample_.stretches(); ++s)
        linearisation_->active().reader().gather(panel[c], sample_.first(s), RowSample::length, x + s * RowSample::length);
      add_sample({x, room.outerStride(), c, 1, 0, sample_.rows()}, sums);
    }
    return true;
  }

  // A sample may or may not contain the few rows in which a column has extreme values. If its curvature is far from the one
  // that follows from the spread of the column over all rows, then the curvature of all rows is used, with the correlations of
  // the sample.
  void correct(Panel& panel) const override {
    constexpr double far =
        16;  // 256 rows of an even column err by a tenth; curvature that varies with the column may double it
    for (Index c = 0; c < panel.columns.count; ++c) {
      const double expected = units().spread(panel.columns[c]) * linearisation_->curvature(), seen = panel.curvature[c];
      if (seen <= far * expected && expected <= far * seen) continue;
      panel.cross.row(c).head(size_ + Index(units().intercept())) *=
          seen > least_seen * expected ? std::sqrt(expected / seen) : 0.0;
      panel.curvature[c] = expected;
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
  // Columns that are summed at a time; of an X that scatters them, more.
  static constexpr Index slice = 8, wide_slice = 128;
  // If the sample has less than this part of the curvature of a column, its sums for this column are not used.
  static constexpr double least_seen = 1e-4;

  const RowsView& rows() const noexcept { return linearisation_->active().rows(); }
  const Units& units() const noexcept { return linearisation_->units(); }
  Interruption& interruption() const noexcept { return linearisation_->interruption(); }

  // A block of rows of the sample, beginning at a place in it, with slopes of 0, because slopes are summed over all rows.
  RowBlock block(Index place, Index count) const {
    return {place, count, no_slope_.data(), curvature_.data() + place, cross_.data() + place, cross_.outerStride(), size_};
  }

  void add_gathered_sample(const Columns& columns, const Sums& sums, Eigen::MatrixXd& room) {
    for (Index c = 0; c < columns.count; ++c) design_->gather_sample(columns[c], sample_, room.col(c).data());
    add_sample({room.data(), room.outerStride(), 0, columns.count, 0, sample_.rows()}, sums);
  }
  void add_sample_in_place(const Columns& columns, const Sums& sums) const {
    for (Index s = 0; s < sample_.stretches(); ++s) {
      RowBlock stretch = block(s * RowSample::length, RowSample::length);
      stretch.first = sample_.first(s);
      design_->accumulate(columns, stretch, sums);
    }
  }

  // The buffers of a thread.
  struct Lane {
    Eigen::MatrixXd columns;  // (sample, slice) of X
    Eigen::ArrayXd slopes;    // (slice,) of one range of rows
  };

  const Design* design_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  SlopeAdder* slopes_ = nullptr;
  Index size_ = 0;  // number of active columns
  RowSample sample_;
  RowTotals totals_;
  Eigen::VectorXd no_slope_;        // (sample,) zeros
  Eigen::VectorXd curvature_;       // (sample,)
  Eigen::MatrixXd active_, cross_;  // (sample, capacity) active columns, and these times the curvature
  std::vector<Lane> lanes_;
  Eigen::ArrayXXd active_sums_;  // (capacity, 3 + capacity)
};

}  // namespace ksparse
