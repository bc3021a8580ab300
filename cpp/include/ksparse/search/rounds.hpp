// The starting points of the rounds of a longer search.
//
// A round replaces up to half of the features of a good support, mostly by their closest competitors (the best replacements in
// the last scan of all features), else by members of the working set. Rounds start from the last good end rather than always
// from the best, which walks along plateaus of near-equal supports.
//
// Such rounds stay in one funnel of the landscape. So once the answer has been found often, ever more rounds are wide: their
// features come from all of X, mostly one at a time in the place of the weakest, each feature in its turn, and they descend by
// scans of all features from the start. Two columns that are worth little alone and much together (near-equal ones of opposite
// sign) are found that way: on blocks-300x1000 it took the search from 0.256178, which 10,000 rounds near at hand did not leave,
// to 0.239712.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "../options.hpp"
#include "objective.hpp"
#include "search_record.hpp"
#include "splicing.hpp"

namespace ksparse {

class Rounds {
 public:
  /// Allocates what searches of up to k of so many units need.
  void reserve(Index k, Index largest_unit, Index features) {
    walk_.reset(k, largest_unit);
    stand_ins_.reset(k);
    turns_.reserve(std::size_t(features));
  }

  /// A search begins, at the best point of its record.
  void begin(const Splicing& engine, const SearchRecord& record, const Options& options) {
    random_.seed(options.random_state);
    usual_ = options.share(near_at_hand);
    turns_.clear();
    next_ = 0;
    walk_from(engine, record);
  }

  /// Makes `start` where the next round begins. Returns whether it is wide.
  bool next(const Splicing& engine, const SearchRecord& record, Iterate& start) {
    const int found = record.report.times_found;
    const bool wide = is_next_wide(found);
    start = walk_;
    if (wide && uniform() < one_by_one)
      put_next_feature(engine.roles(), start);
    else
      perturb(engine, wide, found, start);
    return wide;
  }

  /// A round has ended at the engine's point, with F at `end`: there the next one starts, if that is good.
  void go_on(const Splicing& engine, const SearchRecord& record, double end) {
    const Iterate& here = engine.current();
    if (engine.joined() < 0 && end < record.best.objective * (1 + good) && here.size() == record.best.size()) {
      walk_ = here;
      weakest_ = engine.weakest_place();
      stand_ins_ = engine.stand_ins();
    } else if (uniform() < back_to_best) {
      walk_ = record.best;
      weakest_ = record.weakest;
    }
  }
  /// The next round starts from the best, which is where the engine stands.
  void walk_from(const Splicing& engine, const SearchRecord& record) {
    walk_ = record.best;
    weakest_ = record.weakest;
    stand_ins_ = engine.stand_ins();
  }

 private:
  // An end this near to the best, relative to F, is where the next round starts.
  static constexpr double good = 0.01;
  // After an end that is not good, the next round goes back to the best in this part of the cases.
  static constexpr double back_to_best = 0.1;
  // Features come from the rivals of the one replaced in this part of the draws, from the working set in the others.
  static constexpr double from_rivals = 0.6;
  // No round is wide until the answer was found so often; all are at twice that.
  static constexpr int near_at_hand = 100;
  // Part of the wide rounds that put one feature in the place of the weakest; the others replace several at random.
  static constexpr double one_by_one = 0.8;

  // The standard's distributions differ between libraries; its generators do not.
  double uniform() { return double(random_() >> 11) * 0x1.0p-53; }
  Index below(Index count) { return std::min(Index(uniform() * double(count)), count - 1); }

  bool is_next_wide(int found) {
    const double part = double(found - usual_) / usual_;
    return part > 0 && uniform() < part;
  }

  // The more often the answer was found again, the further a round jumps.
  void perturb(const Splicing& engine, bool wide, int found, Iterate& start) {
    const Roles& roles = engine.roles();
    const Index k = start.size(), most = std::min<Index>(k, std::max<Index>(k / 2, 1) + found / 25);
    const Index replaced = 1 + below(most);
    for (Index i = 0; i < replaced; ++i) {
      const Index place = below(k), feature = draw(engine, place, wide);
      if (!roles.is_required(start.support[std::size_t(place)]) && roles.may_enter(start.support, feature))
        start.replace(place, feature);
    }
  }

  Index draw(const Splicing& engine, Index place, bool wide) {
    if (uniform() < from_rivals && stand_ins_.count(place) > 0)
      return stand_ins_.at(place, below(stand_ins_.count(place))).feature;
    if (wide) return below(engine.roles().units());
    const std::vector<Index>& members = engine.working_set().members();
    return members[std::size_t(below(Index(members.size())))];
  }

  // Puts the next of all features, in an order drawn at random, in the place of the weakest one.
  void put_next_feature(const Roles& roles, Iterate& start) {
    if (weakest_ < 0) return;
    for (Index tried = 0; tried < roles.units(); ++tried) {
      if (next_ == turns_.size()) shuffle_turns(roles.units());
      const Index feature = turns_[next_++];
      if (roles.may_enter(start.support, feature)) return start.replace(weakest_, feature);
    }
  }

  void shuffle_turns(Index features) {
    turns_.resize(std::size_t(features));
    std::iota(turns_.begin(), turns_.end(), Index(0));
    for (Index left = features; left > 1; --left) std::swap(turns_[std::size_t(left - 1)], turns_[std::size_t(below(left))]);
    next_ = 0;
  }

  std::mt19937_64 random_;
  int usual_ = near_at_hand;  // near_at_hand, or what one of several walks has of it
  Iterate walk_{0};           // where the next round starts
  Index weakest_ = -1;        // place of its weakest feature
  StandIns stand_ins_{0};     // for its features
  std::vector<Index> turns_;  // all features in the order in which wide rounds take them
  std::size_t next_ = 0;
};

}  // namespace ksparse
