// Scans, which compute panels of columns in order and pass them to a sink. A batch runs the parts of a scan itself
// (run/batch.hpp): begin; for each panel begin_panel, all blocks of its columns and rows, and end_panel; end.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "../search/objective.hpp"
#include "active_model.hpp"
#include "panel.hpp"
#include "panel_sums.hpp"
#include "scan_bound.hpp"
#include "storage.hpp"
#include "unit_choice.hpp"
#include "units.hpp"

namespace ksparse {

class Scan {
 public:
  void reset(ActiveModel& model, Units& units, UnitChoice& choice, Storage& storage, ScanBound& bound, Index entries,
             Index capacity) {
    model_ = &model;
    units_ = &units;
    choice_ = &choice;
    storage_ = &storage;
    bound_ = &bound;
    sums_ = &storage.sums();
    panel_.reset(units, entries, capacity);
  }

  Status run(const Iterate& iterate, const Columns& columns, Hessian kind, ScanSink& sink) {
    const bool all = !columns.list && columns.count == units_->factors().size();
    if (!begin(iterate, kind, sink, all) || !sums_->begin(columns)) return Status::interrupted;
    for (Index first = 0; first < columns.count; first += largest_panel) {
      const Columns panel = columns.slice(first, std::min(largest_panel, columns.count - first));
      begin_panel(panel);
      if (!sums_->sum(panel, panel_.sums())) return Status::interrupted;
      const Status status = end_panel(sink);
      if (status != Status::converged) return status;
    }
    end();
    return Status::converged;
  }

  /// Scans all columns, or some of them. Returns false if interrupted.
  bool begin(const Iterate& iterate, Hessian kind, ScanSink& sink, bool all) {
    sums_ = &choose_sums(kind);
    if (!model_->set(iterate, *sums_)) return false;
    bounds_ = all && bound_->possible();
    if (bounds_) bound_->begin(iterate.support, model_->coef(), model_->gradient());
    sink.begin_scan(model_->point());
    return true;
  }
  void begin_panel(const Columns& panel) { panel_.begin(panel, model_->active().size(), sums_->in_units(panel)); }
  /// Begins a range of rows after the first one (row_ranges.hpp). Its blocks are those until end_range().
  void begin_range(Index place, Index count) {
    panel_.begin_range(place, count);
    apart_ = true;
  }
  void end_range(Index place, Index count) {
    panel_.end_range(place, count);
    apart_ = false;
  }
  void add_block(const DenseBlock& block) { sums_->add_block(block, sums_of_range()); }
  void add_sample(const DenseBlock& sample) { sums_->add_sample(sample, panel_.sums()); }
  Status end_panel(ScanSink& sink) {
    if (panel_.any_careful() && !sums_->sum_careful(panel_.columns, panel_.sums())) return Status::interrupted;
    if (units_->chosen())
      panel_.convert(*sums_);
    else if (!choice_->choose(panel_))
      return Status::invalid_input;
    const ScanPanel answer = panel_.answer();
    if (bounds_) bound_->take(answer);
    sink.take_panel(answer);
    return Status::converged;
  }
  void end() {
    if (!units_->chosen()) choice_->end();
    if (bounds_) bound_->end();
  }

  // These describe the current scan if a batch runs its parts.
  bool needs_slopes_alone() const { return sums_->needs_slopes_alone(); }
  const RowSample* sample() const { return sums_->sample(); }
  const double* slopes() const { return model_->active().rows().slope; }  // (n,)
  double* slope_sums() { return sums_of_range().row(Sums::slope); }       // (columns of the panel,)

  /// Chooses the units of all columns, if scans are not of single columns. Afterwards the sums belong to another point.
  Status choose_units(Index columns) {
    PanelSums& sums = storage_->sums();
    sums.take_point({0, true});
    if (!sums.begin({0, columns, nullptr})) return Status::interrupted;
    for (Index first = 0; first < columns; first += largest_panel) {
      const Columns panel{first, std::min(largest_panel, columns - first), nullptr};
      panel_.begin(panel, 0, false);
      if (!sums.sum(panel, panel_.sums())) return Status::interrupted;
      if (!choice_->choose(panel_)) return Status::invalid_input;
    }
    choice_->end();
    return Status::converged;
  }
  Panel& panel() noexcept { return panel_; }

 private:
  Sums sums_of_range() { return apart_ ? panel_.of_range() : panel_.sums(); }
  PanelSums& choose_sums(Hessian kind) const {
    if (kind == Hessian::sampled) return *storage_->sampled();
    return choice_->knows_moments() ? *storage_->slopes() : storage_->sums();
  }

  ActiveModel* model_ = nullptr;
  Units* units_ = nullptr;
  UnitChoice* choice_ = nullptr;
  Storage* storage_ = nullptr;
  PanelSums* sums_ = nullptr;  // those of the current scan
  ScanBound* bound_ = nullptr;
  bool bounds_ = false;  // whether the scan at hand gives a bound
  Panel panel_;
  bool apart_ = false;  // whether blocks of a range are summed apart
};

}  // namespace ksparse
