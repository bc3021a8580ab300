// The position of a descent: its current point, the trial point that is refitted next, and the supports that led there.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <utility>

#include "../options.hpp"
#include "active_set.hpp"
#include "objective.hpp"
#include "trail.hpp"

namespace ksparse {

class Position {
 public:
  /// Everything is empty, with space for supports of this size. Allocates only what it does not have.
  void reset(const Constraints& constraints, Index features, Index places, Index largest_unit, SupportMemory* memory) {
    for (Iterate* iterate : {&current_, &trial_, &null_model_}) iterate->reset(places, largest_unit);
    active_.reset(constraints, features, places);
    trail_.reset(memory);
  }

  const Iterate& current() const noexcept { return current_; }
  Iterate& trial() noexcept { return trial_; }
  const Iterate& trial() const noexcept { return trial_; }
  /// The refit of the features that must be in, which may be none, from which every descent from nothing starts.
  const Iterate& null_model() const noexcept { return null_model_; }
  /// The support of the current point.
  const ActiveSet& active() const noexcept { return active_; }
  Trail& trail() noexcept { return trail_; }
  const Trail& trail() const noexcept { return trail_; }

  /// A trial is set by changing a copy of the current point.
  Iterate& try_from_current() {
    trial_ = current_;
    return trial_;
  }
  /// The trial is about to be refitted.
  void announce_trial() { trail_.try_support(trial_.support); }
  /// The trial becomes the current point.
  void take_trial() {
    std::swap(current_.support, trial_.support);
    current_.coef.swap(trial_.coef);
    current_.intercept = trial_.intercept;
    current_.objective = trial_.objective;
    trail_.take();
    active_.set(current_.support);
  }
  /// The current point is the null model.
  void keep_null_model() { null_model_ = current_; }

  /// Whether more than `budget` units are active. Required units stay in, whatever the budget.
  bool exceeds(Index budget) const noexcept {
    return current_.size() > std::max(budget, Index(active_.roles().required().size()));
  }
  /// The number of exchanges of one active unit for another.
  Index exchanges() const noexcept { return current_.size() * (active_.roles().units() - current_.size()); }

 private:
  Iterate current_{0}, trial_{0}, null_model_{0};
  ActiveSet active_;
  Trail trail_;
};

}  // namespace ksparse
