// How a support grows to its size, or shrinks if it contains too many units. A small support grows by the best entry of each
// scan. To a large support, whose refits and scans cost more, several units are added at once. They may be linearly dependent,
// so such a support is checked, and shrunk if necessary, before it grows further.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "../options.hpp"
#include "findings.hpp"
#include "leaving.hpp"
#include "objective.hpp"
#include "position.hpp"

namespace ksparse {

/// Whether a support is so large that several of its units change between one refit and the next.
inline bool is_large(const Iterate& iterate) noexcept { return iterate.size() > Options::few; }

/// At most this fraction of a large support is removed or exchanged before the next refit.
constexpr Index part_leaving = 8;

class Growth {
 public:
  /// At most this fraction of a large support is added before the next refit.
  static constexpr Index part_entering = 4;

  /// Prepares for supports of up to `places` units.
  void reset(Index places) {
    leaving_.reserve(places);
    unchecked_ = one_by_one_ = false;
    entering_ = -1;
  }
  void begin_descent() noexcept { unchecked_ = one_by_one_ = false; }

  /// Tries the current support with what the scan of it proposes; at least one unit more, at most as many as fit the budget.
  /// There is a proposal.
  void enter(const Findings& findings, Index budget, Position& position) {
    Iterate& trial = position.try_from_current();
    const ProposalList& proposals = findings.proposals();
    const Index size = trial.size();
    const Index part = size < Options::few || one_by_one_ ? 1 : size / part_entering;
    const Index count = std::min({part, budget - size, proposals.size()});
    if (count > 1) return enter_several(proposals, count, trial);
    entering_ = proposals[0].entering;
    findings.model().apply(proposals[0], proposals.move(0), trial);
  }
  /// Whether the refit after an entry ended above its starting value. The step of the model may lead to a point from which a
  /// refit cannot return; F is then not the minimum on the support.
  bool is_lost(const Position& position) const noexcept {
    const double before = position.current().objective;
    return entering_ >= 0 && !(position.trial().objective <= before + most_rise * std::abs(before));
  }
  /// Resets the trial with a coefficient of 0 for the new unit. F is known there, and a refit cannot increase it.
  void enter_at_zero(Position& position) { position.try_from_current().append(std::exchange(entering_, Index(-1))); }
  /// The refit has ended well.
  void entered() noexcept { entering_ = -1; }

  /// Whether the support may contain linearly dependent features.
  bool is_unchecked() const noexcept { return unchecked_; }
  void must_be_checked() noexcept { unchecked_ = true; }

  /// A scan for shrink() begins at a point.
  void set(const Iterate& current, const ScanPoint& point) { leaving_.set(current, point); }
  /// Tries the current support without some of its units: combinations of others, and some of those that are too many for
  /// `size`. Returns how many.
  Index shrink(const Findings& findings, Index size, Position& position) {
    unchecked_ = false;
    Iterate& trial = position.try_from_current();
    const Index most = is_large(trial) ? std::max<Index>(trial.size() / part_leaving, 1) : 1;
    const Index gone = leaving_.shrink(trial, size, most, position.active(), findings.model());
    // If linearly dependent features were added together, further ones are added one at a time, and the removed ones are not
    // added again.
    if (gone > 0 && !position.exceeds(size)) one_by_one_ = true;
    return gone;
  }

 private:
  // A refit may end above its starting value by this fraction of F, because of its tolerance. If it ends higher, Newton's
  // method could not return from its start.
  static constexpr double most_rise = 1e-3;
  // Proposals whose gains differ by less, relatively, are taken for copies of one column, of which one enters at a time.
  static constexpr double copies = 1e-6;

  // The units enter with coefficients of 0, from which one step of Newton's method is that of their joint model.
  void enter_several(const ProposalList& proposals, Index count, Iterate& trial) {
    const Index most = trial.size() + count;
    double last = std::numeric_limits<double>::infinity();
    for (Index i = 0; i < proposals.size() && trial.size() < most; ++i) {
      if (proposals[i].gain > last * (1 - copies)) continue;
      last = proposals[i].gain;
      trial.append(proposals[i].entering);
    }
    unchecked_ = true;
  }

  Leaving leaving_;
  bool unchecked_ = false;   // several units entered at once
  bool one_by_one_ = false;  // for the rest of this descent
  Index entering_ = -1;      // the unit whose entry is being refitted from the step of the model, or -1
};

}  // namespace ksparse
