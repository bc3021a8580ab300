// Chooses the supports from which the descents of a longer search start.
//
// Each start keeps a part of a good support. The other features are replaced, or left to be found by the descent, and some
// features may be hidden until the descent has ended. There are four kinds:
//
//   near     Up to half of the features are replaced, mostly by the features that the last scan predicts to be their best
//            replacements, and otherwise by members of the working set.
//   wide     A feature takes the place of the weakest one, and each feature of X has its turn. The descent scans all features
//            from the start. This finds pairs of columns that are worth little alone and much together, such as nearly equal
//            columns with coefficients of opposite sign.
//   regrown  A random part of the features is kept. The removed features and a random part of all others are hidden, and the
//            support grows again from the rest. Sometimes it first grows by a few features more than k.
//   restart  Like regrown, but nothing is kept, so that the descent starts without any feature of the best support.
//
// Near starts seldom leave the region of one local optimum. With k = 3 on UCI's mushroom data, 10,000 of them end at the result
// of the first descent, 0.1266, whereas regrown starts find 0.0672 after 7 rounds on average. Growing by 1 to 6 features and
// shrinking again, without hiding any, does not leave the region either. Restarts do not find everything: on spambase with
// k = 5, none of 2000 found the best support. Starts use the last good result of a descent instead of always the best one,
// because this moves along plateaus of nearly equal supports.
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

/// The kind of a start.
enum class Start { near, wide, regrown, restart };

class Starts {
 public:
  /// Allocates the memory for searches of up to k units out of `features`.
  void reserve(Index k, Index largest_unit, Index features) {
    walk_.reset(k, largest_unit);
    replacements_.reset(k);
    turns_.reserve(std::size_t(features));
    lots_.reserve(std::size_t(features));
    hidden_.reserve(std::size_t(features));
  }

  /// Called when a search begins, at the best point of its record.
  void begin(const Splicing& engine, const SearchRecord& record, const Options& options) {
    random_.seed(options.random_state);
    scans_cheaply_ = options.scans_all_cheaply(engine.roles().units());
    is_thorough_ = options.search == Effort::thorough;
    to_ = options.detour_to(engine.roles().units());
    turns_.clear();
    next_ = 0;
    walk_from(engine, record);
  }

  /// Sets `start` to the start of the next round, and the working set to the features that it may use. Returns the kind.
  Start next(Splicing& engine, const SearchRecord& record, Iterate& start) {
    const Start kind = next_kind(record);
    start = walk_;
    switch (kind) {
      case Start::near: replace_several(engine, false, record.returns, start); break;
      case Start::wide:
        if (uniform() < one_by_one)
          put_next_feature(engine, start);
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
  /// The number of features by which a regrown support exceeds k before the weakest are removed, which is usually 0.
  Index surplus(Index k) { return to_ > k && uniform() < part_with_surplus ? 1 + below(to_ - k) : 0; }

  /// Called after a round, which ended at the current point of the engine with an objective of `end`. If it is good, the next
  /// round starts from there.
  void go_on(const Splicing& engine, const SearchRecord& record, double end) {
    const Iterate& here = engine.current();
    if (engine.joined() < 0 && end < record.best.objective * (1 + good) && here.size() == record.best.size()) {
      walk_ = here;
      weakest_ = engine.weakest_place();
      replacements_ = engine.findings().replacements_of_all();
    } else if (uniform() < back_to_best) {
      walk_ = record.best;
      weakest_ = record.weakest;
    }
  }
  /// The next round starts from the best point, which must be the current point of the engine.
  void walk_from(const Splicing& engine, const SearchRecord& record) {
    walk_ = record.best;
    weakest_ = record.weakest;
    replacements_ = engine.findings().replacements_of_all();
  }

 private:
  // The next round starts from the result of this one if it is worse than the best by at most this fraction of F. (On
  // blocks-300x1000, the search needs two to five times as many rounds with 0.01 to reach 0.2450.)
  static constexpr double good = 0.002;
  // If the result is not good, the next round starts from the best support with this probability.
  static constexpr double back_to_best = 0.1;
  // A feature is replaced by one of its best replacements with this probability, and otherwise by one of the working set.
  static constexpr double from_rivals = 0.6;
  // The first rounds are near: `near_at_hand` of them, or `few_near_at_hand` in a short search whose scans of all features are
  // cheap. Up to round `short_search`, one of `hides_soon` rounds hides features (regrown, or, two times out of three, restart).
  // After that it is one of `hides_often`, or of `hides_seldom` if scans of all features are expensive. Of the other rounds,
  // the part `part_wide` is wide once `returns_near_at_hand` near ones have led back to the best support, or, if scans of all
  // features are expensive, as soon as one of them has not.
  static constexpr int near_at_hand = 10, few_near_at_hand = 4, short_search = 40, hides_soon = 2, hides_often = 4,
                       hides_seldom = 8;
  static constexpr int returns_near_at_hand = 100;
  static constexpr double part_wide = 0.5;
  // The part of the wide rounds that replace the weakest feature by one other; the rest replace several features at random.
  static constexpr double one_by_one = 0.8;
  // The part of the features that are not hidden is drawn from this range for each start.
  static constexpr double least_seen = 0.3, most_seen = 0.9;
  static constexpr double part_with_surplus = 0.25;

  // The distributions of the C++ standard library differ between implementations; its generators do not.
  double uniform() { return double(random_() >> 11) * 0x1.0p-53; }
  Index below(Index count) { return std::min(Index(uniform() * double(count)), count - 1); }

  Start next_kind(const SearchRecord& record) {
    const int round = record.report.rounds;
    const bool is_early = round <= short_search, is_short = is_early && !is_thorough_;
    if (round <= (is_short && scans_cheaply_ ? few_near_at_hand : near_at_hand)) return Start::near;
    // A short search does not pay for descents that scan all features where that is expensive: on factor-500x500 and
    // blocks-300x1000, they took two thirds of its time and found nothing.
    if (is_short && !scans_cheaply_) return Start::near;
    const int hides = is_early ? hides_soon : scans_cheaply_ ? hides_often : hides_seldom;
    // If scans of all features are expensive, a thorough search hides no features at first as long as all near starts have led
    // back to the best support, and does so twice later on. Large supports are not regrown, because growing one takes as long
    // as another search.
    const bool pays = scans_cheaply_ || record.returns < record.nearby || (!is_early && record.hiding < 2);
    if (pays && round % hides == 0 && walk_.size() <= Options::few)
      return record.hiding % 3 == 1 ? Start::regrown : Start::restart;
    const bool elsewhere = !scans_cheaply_ && record.returns < record.nearby;
    const bool far = !is_early && (elsewhere || record.returns > returns_near_at_hand);
    return far && uniform() < part_wide ? Start::wide : Start::near;
  }

  // The more often the best support was found again, the more features are replaced.
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
    if (uniform() < from_rivals && replacements_.count(place) > 0)
      return replacements_.at(place, below(replacements_.count(place))).feature;
    if (wide) return below(engine.roles().units());
    const std::vector<Index>& members = engine.working_set().members();
    return members[std::size_t(below(Index(members.size())))];
  }

  // Replaces the weakest feature by the next feature of X, in the order of what they promised when the list was made, and equal
  // ones in a random order. (All in a random order take 2000 rounds on blocks-300x1000, of which a search makes some 350, and
  // came below F = 0.2561 with none of five seeds; in this order, two of five reach 0.2432 or 0.2397.)
  void put_next_feature(const Splicing& engine, Iterate& start) {
    if (weakest_ < 0) return;
    for (Index tried = 0; tried < engine.roles().units(); ++tried) {
      if (next_ == turns_.size()) order_turns(engine.roles().units(), engine.working_set());
      const Index feature = turns_[next_++];
      if (engine.roles().may_enter(start.support, feature)) return start.replace(weakest_, feature);
    }
  }

  void order_turns(Index features, const WorkingSet& promises) {
    turns_.resize(std::size_t(features));
    lots_.resize(std::size_t(features));
    std::iota(turns_.begin(), turns_.end(), Index(0));
    for (Index left = features; left > 1; --left) std::swap(turns_[std::size_t(left - 1)], turns_[std::size_t(below(left))]);
    for (std::size_t i = 0; i < turns_.size(); ++i) lots_[std::size_t(turns_[i])] = i;
    std::sort(turns_.begin(), turns_.end(), [&](Index a, Index b) {
      const double first = promises.promise(a), second = promises.promise(b);
      return first != second ? first > second : lots_[std::size_t(a)] < lots_[std::size_t(b)];
    });
    next_ = 0;
  }

  // Keeps `kept` random features and the required ones. Hides the removed features, and a random part of those outside.
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
  bool is_thorough_ = false;       // whether the search is not a short one
  bool scans_cheaply_ = false;     // whether scans of all features are cheap
  Index to_ = 0;                   // the largest size of a support during a round
  Iterate walk_{0};                // where the next round starts
  Index weakest_ = -1;             // place of its weakest feature
  Replacements replacements_{0};   // the best replacements of its features
  std::vector<Index> turns_;       // all features in the order in which wide rounds use them
  std::vector<std::size_t> lots_;  // (units,) which of equal features comes first
  std::size_t next_ = 0;
  std::vector<char> hidden_;  // (units,) scratch
};

}  // namespace ksparse
