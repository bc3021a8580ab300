// The working set contains the features that are scanned often, between rare scans of all features. These are the most
// promising features of the last scan of all features, and the active ones. A survey is the first such scan, at the empty
// support.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "../options.hpp"
#include "../types.hpp"
#include "active_set.hpp"

namespace ksparse {

class WorkingSet {
 public:
  /// Makes the set empty, for searches for up to k of the units. choose_candidates chooses at most `candidates` units.
  void reset(Index units, Index k, Index candidates) {
    units_ = units;
    set_size_for(k);
    for (std::vector<Index>* list : {&members_, &surveyed_, &candidates_}) list->clear();
    members_.reserve(std::size_t(size_));
    surveyed_.reserve(std::size_t(size_));
    candidates_.reserve(std::size_t(candidates));
    ranks_.resize(std::size_t(units));
    ordered_.resize(std::size_t(units));
    promise_.assign(std::size_t(units), 0.0);
    promise_of_survey_.reserve(std::size_t(units));
  }

  /// Changes the size of the set to that for searches for up to k units.
  void set_size_for(Index k) noexcept { size_ = Options::working_set(units_, k); }
  Index size() const noexcept { return size_; }

  /// Sets the predicted gain ("promise") of a unit, from a scan of all units.
  void note(Index unit, double promise) noexcept { promise_[std::size_t(unit)] = promise; }
  double promise(Index unit) const noexcept { return promise_[std::size_t(unit)]; }

  /// Chooses the members by their current promise.
  void renew(const ActiveSet& active) {
    hides_ = false;
    if (size_ < units_) return choose(size_, active, members_);
    members_.resize(std::size_t(units_));
    std::iota(members_.begin(), members_.end(), Index(0));
  }
  /// Chooses the members among the units that are not hidden; `kept` are always members. If `surveyed` is true, the promise of
  /// the last survey is used. The next call of renew() makes hidden units available again.
  void renew_without(const std::vector<char>& hidden, const std::vector<Index>& kept, bool surveyed) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::vector<double>& promise = surveyed && !promise_of_survey_.empty() ? promise_of_survey_ : promise_;
    for (Index j = 0; j < units_; ++j) ranks_[std::size_t(j)] = hidden[std::size_t(j)] ? -infinity : promise[std::size_t(j)];
    for (const Index unit : kept) ranks_[std::size_t(unit)] = infinity;
    const Index visible = units_ - Index(std::count(ranks_.begin(), ranks_.end(), -infinity));
    choose_by_rank(std::min(size_, visible), members_);
    hides_ = true;
  }
  bool hides() const noexcept { return hides_; }
  /// Chooses the members after a survey, and stores them and the promises.
  void survey(const ActiveSet& active) {
    renew(active);
    surveyed_ = members_;
    promise_of_survey_ = promise_;
  }
  /// Restores the members of the last survey.
  void restore() { members_ = surveyed_; }
  /// Restores the promises of the last survey.
  void restore_promises() { promise_ = promise_of_survey_; }
  void add(const std::vector<Index>& units) {
    members_.insert(members_.end(), units.begin(), units.end());
    std::sort(members_.begin(), members_.end());
    members_.erase(std::unique(members_.begin(), members_.end()), members_.end());
  }

  const std::vector<Index>& members() const noexcept { return members_; }  // sorted
  bool covers_all() const noexcept { return Index(members_.size()) == units_; }
  Columns columns() const noexcept { return covers_all() ? all() : Columns{0, Index(members_.size()), members_.data()}; }
  Columns all() const noexcept { return {0, units_, nullptr}; }

  /// Chooses a number of units by their current promise, whether they are members or not.
  void choose_candidates(Index count, const ActiveSet& active) { choose(count, active, candidates_); }
  Columns candidates() const noexcept { return {0, Index(candidates_.size()), candidates_.data()}; }

 private:
  // Sets a sorted list to the units with the largest promise, and the active ones. Among equal units, the first ones are
  // chosen.
  void choose(Index count, const ActiveSet& active, std::vector<Index>& chosen) {
    for (Index j = 0; j < units_; ++j) ranks_[std::size_t(j)] = rank(j, active);
    choose_by_rank(count, chosen);
  }

  void choose_by_rank(Index count, std::vector<Index>& chosen) {
    chosen.clear();
    if (count == 0) return;
    ordered_ = ranks_;
    std::nth_element(ordered_.begin(), ordered_.begin() + (count - 1), ordered_.end(), std::greater<double>());
    const double last = ordered_[std::size_t(count - 1)];
    // All units with a larger promise than the last one are chosen, and as many equal ones as there is room for.
    auto equals = std::count(ordered_.begin(), ordered_.begin() + count, last);
    for (Index j = 0; j < units_; ++j) {
      const double rank = ranks_[std::size_t(j)];
      if (rank > last || (rank == last && equals-- > 0)) chosen.push_back(j);
    }
  }

  double rank(Index unit, const ActiveSet& active) const noexcept {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return active.holds(unit) ? infinity : active.roles().is_excluded(unit) ? -infinity : promise(unit);
  }

  Index units_ = 0;
  Index size_ = 0;                         // number of units to choose
  bool hides_ = false;                     // whether some units are hidden
  std::vector<Index> members_;             // sorted
  std::vector<Index> surveyed_;            // the members after the last survey
  std::vector<Index> candidates_;          // sorted
  std::vector<double> promise_;            // (units,) from the last scan of all units
  std::vector<double> promise_of_survey_;  // (units,)
  std::vector<double> ranks_, ordered_;    // (units,) scratch of the choice
};

}  // namespace ksparse
