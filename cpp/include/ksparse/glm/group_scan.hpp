// Scans of groups of columns, which are like scans of single columns but also compute the Hessian within each group.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../groups.hpp"
#include "../search/objective.hpp"
#include "active_model.hpp"
#include "scan.hpp"
#include "scan_bound.hpp"
#include "storage.hpp"

namespace ksparse {

class GroupScan {
 public:
  /// Prepares for panels of at most this number of columns, whose units are chosen by `units` in the first scan.
  void reset(ActiveModel& model, const Groups& groups, Storage& storage, Scan& units, ScanBound& bound, Index entries,
             Index columns) {
    model_ = &model;
    groups_ = &groups;
    storage_ = &storage;
    units_ = &units;
    bound_ = &bound;
    columns_ = columns;
    blocks_.resize(entries, groups.stride());
    starts_.reserve(std::size_t(entries + 1));
    listed_.reserve(std::size_t(columns));
  }

  Status run(const Iterate& iterate, const Columns& groups, ScanSink& sink) {
    PanelSums& sums = storage_->sums();
    const bool chosen = model_->active().units().chosen();
    if (!model_->set(iterate, sums)) return Status::interrupted;
    if (!chosen) {
      const Status status = units_->choose_units(columns_);
      if (status != Status::converged) return status;
      sums.take_point({model_->active().size(), false});
    }
    const bool all = !groups.list && groups.count > 0;
    if (!storage_->groups().begin(all ? Columns{0, columns_, nullptr} : list_members(groups))) return Status::interrupted;
    bounds_ = all && groups.count == groups_->units() && bound_->possible();
    if (bounds_) bound_->begin(iterate.support, model_->coef(), model_->gradient());
    sink.begin_scan(model_->point());
    const Index per_panel = std::max<Index>(1, largest_panel / groups_->stride());
    for (Index first = 0; first < groups.count; first += per_panel)
      if (!sum_panel(groups.slice(first, std::min(per_panel, groups.count - first)), sink)) return Status::interrupted;
    if (bounds_) bound_->end();
    return Status::converged;
  }

 private:
  bool sum_panel(const Columns& groups, ScanSink& sink) {
    if (model_->interruption().asked()) return false;
    const Columns members = list_members(groups);
    starts_.assign(1, 0);
    for (Index c = 0; c < groups.count; ++c) starts_.push_back(starts_.back() + groups_->width(groups[c]));
    Panel& panel = units_->panel();
    panel.begin(members, model_->active().size(), false);
    if (!storage_->groups().begin_panel(panel)) return false;
    for (Index c = 0; c < groups.count; ++c) {
      const Index place = starts_[std::size_t(c)];
      if (!storage_->groups().sum(members.slice(place, groups_->width(groups[c])), place, panel, blocks_)) return false;
    }
    ScanPanel answer = panel.answer();
    answer.columns = groups;
    answer.starts = starts_.data();
    answer.blocks = &blocks_;
    if (bounds_) bound_->take(answer);
    sink.take_panel(answer);
    return true;
  }

  // The columns of some groups, one after the other.
  Columns list_members(const Columns& groups) {
    listed_.clear();
    for (Index c = 0; c < groups.count; ++c)
      for (Index i = 0; i < groups_->width(groups[c]); ++i) listed_.push_back(groups_->column(groups[c], i));
    return {0, Index(listed_.size()), listed_.data()};
  }

  ActiveModel* model_ = nullptr;
  const Groups* groups_ = nullptr;
  Storage* storage_ = nullptr;
  Scan* units_ = nullptr;
  ScanBound* bound_ = nullptr;
  bool bounds_ = false;  // whether the scan at hand gives a bound
  Index columns_ = 0;
  Eigen::MatrixXd blocks_;     // (entries of a panel, stride) H within groups
  std::vector<Index> starts_;  // (groups of a panel + 1,) where the members of each begin
  std::vector<Index> listed_;  // columns
};

}  // namespace ksparse
