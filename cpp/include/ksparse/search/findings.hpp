// The results of the last scan, according to the quadratic model at its point: which units should be added or exchanged, which
// could replace each active unit, and how much each active unit contributes.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "../options.hpp"
#include "active_set.hpp"
#include "objective.hpp"
#include "phase.hpp"
#include "sacrifice.hpp"

namespace ksparse {

class Findings {
 public:
  /// Prepares for supports of up to `places` units of up to `largest_unit` features each, out of `units`. At most `kept`
  /// proposals are kept. It allocates only if it needs more memory than before.
  void reset(Index places, Index largest_unit, Index units, Index kept) {
    if (!model_ || places != places_ || largest_unit != largest_unit_ || units != units_) {
      model_ = make_sacrifice_model(places, largest_unit, units);
      places_ = places;
      largest_unit_ = largest_unit;
      units_ = units;
    }
    proposals_.reset(kept, model_->move_size());
    entering_.clear();
    entering_.reserve(std::size_t(kept));
    of_all_.reset(places);
    of_working_set_.reset(places > Options::few ? places : 0);
  }

  /// Starts a scan at a point. With a full support it proposes exchanges, otherwise entries.
  void begin(const Iterate& at, const ScanPoint& point, ScanOf of, bool full) {
    model_->set(at, point);
    proposals_.clear();
    full_ = full;
    // Small supports change one feature at a time, for which the proposals suffice.
    replacements_ = of == ScanOf::all                                       ? &of_all_
                    : of == ScanOf::working_set && at.size() > Options::few ? &of_working_set_
                                                                            : nullptr;
    if (replacements_) replacements_->clear();
  }
  void take(const ScanPanel& panel, const ActiveSet& active) {
    model_->evaluate(panel);
    if (full_)
      model_->propose_exchanges(panel, active, proposals_, replacements_);
    else
      model_->propose_entries(panel, active, proposals_);
  }
  /// The best predicted gain of a unit of the last panel.
  double promise(Index c) const { return model_->promise(c); }
  /// A scan has ended; `exact` if it was one of all units without a sample.
  void end(bool exact) {
    entering_.clear();
    for (Index i = 0; exact && i < proposals_.size(); ++i) entering_.push_back(proposals_[i].entering);
  }

  const SacrificeModel& model() const noexcept { return *model_; }
  const ProposalList& proposals() const noexcept { return proposals_; }
  /// The units that the last scan of all units proposes to add; none after other scans.
  Columns entering() const noexcept { return {0, Index(entering_.size()), entering_.data()}; }
  /// What the last scan of all units, or the last scan of any kind, found for the place of each active unit.
  const Replacements& replacements_of_all() const noexcept { return of_all_; }
  const Replacements& replacements() const noexcept { return replacements_ ? *replacements_ : of_working_set_; }

  Index places() const noexcept { return places_; }

 private:
  Index places_ = 0, largest_unit_ = 0, units_ = 0;  // what the model was made for
  std::unique_ptr<SacrificeModel> model_;
  bool full_ = false;
  ProposalList proposals_{0, 0};  // best first
  std::vector<Index> entering_;
  Replacements of_all_{0}, of_working_set_{0};
  Replacements* replacements_ = nullptr;  // that the last scan filled in
};

}  // namespace ksparse
