// Where the descents of a longer search begin: the one source of starting supports.
//
// All starts come from one recipe: keep a part of a good support, put others in the place of the rest or leave them to be found,
// and hide some features until the descent has ended among those that it may see. There are four kinds.
//
//   near     up to half of the features are replaced, mostly by their nearest rivals (stand-ins of the last scan of all
//            features), else by members of the working set.
//   wide     a feature of all of X takes the place of the weakest, each feature in its turn, and the descent scans all features
//            from the start. Two columns that are worth little alone and much together (near-equal ones of opposite sign) are
//            found that way.
//   regrown  a random part of the features is kept; those that went and a random part of all others are hidden, and the support
//            grows again out of what is left, now and then by a few features too many, of which the weakest leave.
//   restart  the same with nothing kept: the descent begins without any feature of the answer.
//
// Near starts stay in one funnel of the landscape: with k = 3 on UCI's mushroom data 10,000 of them end where the first descent
// did, at 0.1266, which regrown ones leave for 0.0672 after 7 on average. (Growing by 1 to 6 features without hiding any, and
// shrinking, does not leave it; nor do restarts find everything: of spambase's k = 5 none in 2000 did.) Starts are of the last
// good end rather than always of the best, which walks along plateaus of near-equal supports.
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

/// Where a descent begins.
enum class Start { near, wide, regrown, restart };

class Starts {
 public:
  /// Allocates what searches of up to k of so many units need.
  void reserve(Index k, Index largest_unit, Index features) {
    walk_.reset(k, largest_unit);
    stand_ins_.reset(k);
    turns_.reserve(std::size_t(features));
    hidden_.reserve(std::size_t(features));
  }

  /// A search begins, at the best point of its record.
  void begin(const Splicing& engine, const SearchRecord& record, const Options& options) {
    random_.seed(options.random_state);
    scans_cheaply_ = options.scans_all_cheaply(engine.roles().units());
    to_ = options.detour_to(engine.roles().units());
    turns_.clear();
    next_ = 0;
    walk_from(engine, record);
  }

  /// Makes `start` where the next round begins, and the working set what it may see. Returns its kind.
  Start next(Splicing& engine, const SearchRecord& record, Iterate& start) {
    const Start kind = next_kind(record);
    start = walk_;
    switch (kind) {
      case Start::near: replace_several(engine, false, record.returns, start); break;
      case Start::wide:
        if (uniform() < one_by_one)
          put_next_feature(engine.roles(), start);
        else
          replace_several(engine, true, record.returns, start);
        break;
      case Start::regrown: keep(engine, below(start.size()), start); break;
      case Start::restart:
        start = record.best;
        keep(engine, 0, start);
        break;
    }
    return kind;
  }
  /// How many features more than k a regrown support has before the weakest leave; mostly none.
  Index surplus(Index k) { return to_ > k && uniform() < part_with_surplus ? 1 + below(to_ - k) : 0; }

  /// A round has ended at the engine's point, with F at `end`: there the next one starts, if that is good.
  void go_on(const Splicing& engine, const SearchRecord& record, double end) {
    const Iterate& here = engine.current();
    if (engine.joined() < 0 && end < record.best.objective * (1 + good) && here.size() == record.best.size()) {
      walk_ = here;
      weakest_ = engine.weakest_place();
      stand_ins_ = engine.findings().stand_ins_of_all();
    } else if (uniform() < back_to_best) {
      walk_ = record.best;
      weakest_ = record.weakest;
    }
  }
  /// The next round starts from the best, which is where the engine stands.
  void walk_from(const Splicing& engine, const SearchRecord& record) {
    walk_ = record.best;
    weakest_ = record.weakest;
    stand_ins_ = engine.findings().stand_ins_of_all();
  }

 private:
  // An end this near to the best, relative to F, is where the next round starts. (On blocks-300x1000, 0.01 takes the search to
  // 0.2450 in two to five times as many rounds.)
  static constexpr double good = 0.002;
  // After an end that is not good, the next round goes back to the best in this part of the cases.
  static constexpr double back_to_best = 0.1;
  // Features come from the rivals of the one replaced in this part of the draws, from the working set in the others.
  static constexpr double from_rivals = 0.6;
  // The first rounds are all near. Then, in those that a short search makes as well, one in so many hides features, two
  // times of three to restart. Of the rounds after these one in so many does, where scans of all features cost little or much. Of the
  // others this part is wide, once so many near ones have led back to the answer, or, where regrown ones are few, if some have
  // not.
  static constexpr int near_at_hand = 10, short_search = 40, hides_soon = 2, hides_often = 4, hides_seldom = 8;
  static constexpr int returns_near_at_hand = 100;
  static constexpr double part_wide = 0.5;
  // Part of the wide rounds that put one feature in the place of the weakest; the others replace several at random.
  static constexpr double one_by_one = 0.8;
  // Part of the features that may be seen, drawn for each start anew.
  static constexpr double least_seen = 0.3, most_seen = 0.9;
  static constexpr double part_with_surplus = 0.25;

  // The standard's distributions differ between libraries; its generators do not.
  double uniform() { return double(random_() >> 11) * 0x1.0p-53; }
  Index below(Index count) { return std::min(Index(uniform() * double(count)), count - 1); }

  Start next_kind(const SearchRecord& record) {
    const int round = record.report.rounds;
    if (round <= near_at_hand) return Start::near;
    const bool is_early = round <= short_search;
    const int hides = is_early ? hides_soon : scans_cheaply_ ? hides_often : hides_seldom;
    // Where scans of all features cost much, a short search hides none as long as all near starts have led back to the answer, and
    // a longer one does so twice. Of large supports each growth is a search of its own.
    const bool pays = scans_cheaply_ || record.returns < record.nearby || (!is_early && record.hiding < 2);
    if (pays && round % hides == 0 && walk_.size() <= Options::few)
      return record.hiding % 3 == 1 ? Start::regrown : Start::restart;
    const bool elsewhere = !scans_cheaply_ && record.returns < record.nearby;
    const bool far = !is_early && (elsewhere || record.returns > returns_near_at_hand);
    return far && uniform() < part_wide ? Start::wide : Start::near;
  }

  // The more often the answer was found again, the further a round jumps.
  void replace_several(const Splicing& engine, bool wide, int found, Iterate& start) {
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

  // Keeps so many features, drawn at random, and those that must be in; hides the others, and a part of those outside.
  void keep(Splicing& engine, Index kept, Iterate& start) {
    const Roles& roles = engine.roles();
    const double seen = least_seen + (most_seen - least_seen) * uniform();
    hidden_.resize(std::size_t(roles.units()));
    for (Index unit = 0; unit < roles.units(); ++unit)
      hidden_[std::size_t(unit)] = uniform() >= seen || roles.is_excluded(unit);
    Index free = 0;
    for (const Index unit : start.support) free += !roles.is_required(unit);
    for (Index place = start.size(); place-- > 0;) {
      const Index unit = start.support[std::size_t(place)];
      hidden_[std::size_t(unit)] = false;
      if (roles.is_required(unit)) continue;
      if (uniform() * double(free--) < double(kept)) {
        --kept;
      } else {
        hidden_[std::size_t(unit)] = true;
        start.remove(place);
      }
    }
    engine.working_set().renew_without(hidden_, start.support, uniform() < 0.5);
  }

  std::mt19937_64 random_;
  bool scans_cheaply_ = false;  // all features
  Index to_ = 0;                // most units that a support may hold on the way
  Iterate walk_{0};             // where the next round starts
  Index weakest_ = -1;          // place of its weakest feature
  StandIns stand_ins_{0};       // for its features
  std::vector<Index> turns_;    // all features in the order in which wide rounds take them
  std::size_t next_ = 0;
  std::vector<char> hidden_;  // (units,) scratch
};

}  // namespace ksparse
