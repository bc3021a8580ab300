// The sums that a scan of groups needs: derivatives for each member, and the Hessian within each group. There is a class for
// each way to compute them, which storage.hpp chooses once.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <vector>

#include "linearisation.hpp"
#include "panel.hpp"
#include "rows.hpp"
#include "sparse_sums.hpp"

namespace ksparse {

class GroupSums {
 public:
  virtual ~GroupSums() = default;
  /// Called before a scan of groups with these members, at the point of the last linearisation. Returns false if interrupted.
  virtual bool begin(const Columns& members) = 0;
  /// Called before the groups of a panel, which has all their members. Returns false if interrupted.
  virtual bool begin_panel(Panel& panel) = 0;
  /// Derivatives of the members of a group, which begin at a place in the panel, and the block of the Hessian among them, whose
  /// rows begin there. Returns false if interrupted.
  virtual bool sum(const Columns& group, Index place, Panel& panel, Eigen::MatrixXd& blocks) = 0;
};

/// Gathers the members of a group in units, and computes matrix products over ranges of rows.
class GatheredGroups final : public GroupSums {
 public:
  /// For groups of at most so many members.
  void reset(const Linearisation& linearisation, Index most, Index capacity) {
    constexpr Index wide = 64;  // groups of more members have large sums, and matrix products enough to do
    linearisation_ = &linearisation;
    const Index n = reader().rows().count();
    for (Eigen::MatrixXd* matrix : {&members_, &weighted_members_}) matrix->resize(n, most);
    weighted_.resize(n, capacity);
    ranges_ = reader().source().is_shared() && most <= wide ? linearisation.ranges() : RowRanges(1);
    scratch_.resize(reader().scratch_size(), ranges_.count(n));
    parts_.resize(std::size_t(ranges_.count(n)));
    for (Eigen::MatrixXd& part : parts_) part.resize(most, most + capacity + 2);
  }

  bool begin(const Columns&) override {
    return for_ranges([&](Index, const RowRange& range) {
      auto weighted = weighted_.middleRows(range.first, range.count).leftCols(active().size());
      weighted = active().values().middleRows(range.first, range.count).leftCols(active().size());
      weighted.array().colwise() *= curvature(range).array();
      return true;
    });
  }
  bool begin_panel(Panel&) override { return true; }

  bool sum(const Columns& group, Index place, Panel& panel, Eigen::MatrixXd& blocks) override {
    const Index width = group.count, size = active().size();
    Eigen::MatrixXd& all = parts_.front();
    const auto add = [&](Index r, const RowRange& range) {
      set_part(r, range, group);
      return true;
    };
    const auto take = [&](Index r) {
      all.topLeftCorner(width, width + size + 2) += parts_[std::size_t(r)].topLeftCorner(width, width + size + 2);
    };
    if (!ranges_.sum(members_.rows(), 0, add, take)) return false;
    auto block = blocks.block(place, 0, width, width);
    block = all.topLeftCorner(width, width);
    panel.cross.block(place, 0, width, size) = all.block(0, width, width, size);
    panel.gradient.segment(place, width) = all.col(width + size).head(width).array();
    if (units().intercept()) panel.cross.col(size).segment(place, width) = all.col(width + size + 1).head(width);
    for (Index i = 0; i < width; ++i) {
      block(i, i) += units().ridge_of(group[i]);
      block(i, i) = usable_curvature(panel.gradient[place + i], block(i, i));
      panel.curvature[place + i] = block(i, i);
    }
    return true;
  }

 private:
  const ActiveColumns& active() const noexcept { return linearisation_->active(); }
  const ColumnReader& reader() const noexcept { return active().reader(); }
  const Units& units() const noexcept { return linearisation_->units(); }
  Eigen::Map<const Eigen::VectorXd> slope(const RowRange& range) const {
    return {active().reader().rows().slope().data() + range.first, range.count};
  }
  Eigen::Map<const Eigen::VectorXd> curvature(const RowRange& range) const {
    return {active().reader().rows().curvature().data() + range.first, range.count};
  }
  template <class Visit>
  bool for_ranges(const Visit& visit) const {
    return ranges_.for_each(members_.rows(), 0, visit);
  }

  // Computes z'(h z), z'(h z_A), z'r and z'h, next to each other, for the members z of a group and a range of rows.
  void set_part(Index r, const RowRange& range, const Columns& group) {
    Eigen::MatrixXd& part = parts_[std::size_t(r)];
    const Index width = group.count, size = active().size();
    auto z = members_.middleRows(range.first, range.count).leftCols(width);
    auto weighted = weighted_members_.middleRows(range.first, range.count).leftCols(width);
    reader().gather(group, range.first, range.count, scratch_.col(r).data(), [&](Index i) { return z.col(i).data(); });
    for (Index i = 0; i < width; ++i)
      if (units().is_constant(group[i])) z.col(i).setZero();
    weighted = z;
    weighted.array().colwise() *= curvature(range).array();
    part.topLeftCorner(width, width).noalias() = z.transpose() * weighted;
    part.block(0, width, width, size).noalias() = z.transpose() * weighted_.middleRows(range.first, range.count).leftCols(size);
    part.col(width + size).head(width).noalias() = z.transpose() * slope(range);
    part.col(width + size + 1).head(width).noalias() = z.transpose() * curvature(range);
  }

  const Linearisation* linearisation_ = nullptr;
  Eigen::MatrixXd members_, weighted_members_;  // (n, most) members of one group in units, and these times the curvature
  Eigen::MatrixXd weighted_;                    // (n, capacity) curvature times active columns
  Eigen::MatrixXd scratch_;                     // (reader's, ranges)
  RowRanges ranges_;
  std::vector<Eigen::MatrixXd> parts_;  // by range, (most, most + capacity + 2)
};

/// Sums over the entries of a sparse X, except for groups with a careful member.
class EntryGroups final : public GroupSums {
 public:
  void reset(EntrySource& source, const Linearisation& linearisation, SparseSums& sums, GatheredGroups& gathered) {
    source_ = &source;
    linearisation_ = &linearisation;
    sums_ = &sums;
    gathered_ = &gathered;
    const Index n = linearisation.active().reader().rows().count();
    member_ = Eigen::VectorXd::Zero(n);
    entries_.reserve(n);
    others_.reserve(n);
  }

  bool begin(const Columns& members) override {
    return sums_->begin(members) && (units().careful().empty() || gathered_->begin(members));
  }

  bool begin_panel(Panel& panel) override {
    if (!source_->fetch(panel.columns) || !sums_->sum(panel.columns, panel.sums())) return false;
    panel.convert(*sums_);
    return true;
  }

  bool sum(const Columns& group, Index place, Panel& panel, Eigen::MatrixXd& blocks) override {
    if (units().any_is_careful(group)) return gathered_->sum(group, place, panel, blocks);
    auto block = blocks.block(place, 0, group.count, group.count);
    block.setZero();
    for (Index i = 0; i < group.count; ++i) {
      if (linearisation_->interruption().asked()) return false;
      if (units().is_constant(group[i])) {  // whatever its sums: they may be infinite
        panel.gradient[place + i] = panel.curvature[place + i] = 0;
        panel.cross.row(place + i).head(linearisation_->active().dimension()).setZero();
        continue;
      }
      block(i, i) = panel.curvature[place + i];
      spread_member(group[i]);
      for (Index j = i + 1; j < group.count; ++j)
        if (!units().is_constant(group[j]))
          block(i, j) = block(j, i) = in_units(product_with(group[j]), place + i, place + j, panel);
      clear_member();
    }
    return true;
  }

 private:
  const Units& units() const noexcept { return linearisation_->units(); }

  // Multiplies the raw entries of a member by the curvature.
  void spread_member(Index column) {
    const Eigen::VectorXd& curvature = linearisation_->active().reader().rows().curvature();
    source_->reader().entries(column, entries_);
    for (std::size_t e = 0; e < std::size_t(entries_.count); ++e)
      member_[entries_.rows[e]] = entries_.values[e] * curvature[entries_.rows[e]];
  }
  void clear_member() {
    for (std::size_t e = 0; e < std::size_t(entries_.count); ++e) member_[entries_.rows[e]] = 0;
  }
  double product_with(Index column) {
    source_->reader().entries(column, others_);
    double product = 0;
    for (std::size_t e = 0; e < std::size_t(others_.count); ++e) product += member_[others_.rows[e]] * others_.values[e];
    return product;
  }

  // Converts x_i.(h x_j) to z_i.(h z_j), where x = centre + scale z.
  double in_units(double product, Index i, Index j, const Panel& panel) const {
    const double of_i = panel.sum(i, Sums::curvature), of_j = panel.sum(j, Sums::curvature);
    product -= panel.centre(i) * of_j + panel.centre(j) * (of_i - panel.centre(i) * linearisation_->curvature());
    return product * panel.factor(i) * panel.factor(j);
  }

  EntrySource* source_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  SparseSums* sums_ = nullptr;
  GatheredGroups* gathered_ = nullptr;
  Eigen::VectorXd member_;      // (n,) zeros, except while a member of a group is multiplied by others
  EntryList entries_, others_;  // the entries of this member, and of another one
};

}  // namespace ksparse
