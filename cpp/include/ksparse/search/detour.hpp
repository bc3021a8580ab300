// A detour from a support: descents with more than k features add some features, and then features are removed one by one, with
// exchanges at each size. To decide which feature is removed, the support is refitted without each of them, because the model
// predicts this badly for features with heavy tails: on spambase it kept only 4 of the best 5 features. The detour finds pairs
// of features that are better than two others although no single exchange leads there. On 450 random problems (200 to 300 rows,
// 100 to 200 features), abess was better on 5 without the detour, and on none of these with it. It is deterministic and does
// not count as a round. It comes after the rounds, which therefore find the same as without it. If it finds a better support,
// the rounds continue from there.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <limits>
#include <utility>

#include "../options.hpp"
#include "objective.hpp"
#include "search_record.hpp"
#include "splicing.hpp"

namespace ksparse {

class Detour {
 public:
  /// Called when a search begins. The engine must be at the best point of the record.
  void begin_search(const Splicing& engine, const SearchRecord& record, const Options& options) {
    const Index k = record.best.size(), p = engine.roles().units();
    to_ = options.detour_to(p);
    is_due_ = to_ > k && k == std::min(options.k, p) && has_near_substitute(engine, record.best);
    further_ = false;
    leaving_ = -1;
  }
  /// Allocates the memory for supports of up to this many units.
  void reserve(Index places, Index largest_unit) {
    for (Iterate* iterate : {&level_, &without_}) iterate->reset(places, largest_unit);
  }

  /// Whether the detour should be made now. Returns true at most once per search.
  bool take_turn() noexcept { return std::exchange(is_due_, false); }

  /// Sets the engine to the first of its descents.
  void begin(Splicing& engine, const SearchRecord& record) {
    back_at_ = record.best.size();
    refits_before_ = engine.info().refits;
    engine.descend_from(record.best, to_, Reach::global, record.next_descent());
  }

  /// Called after a descent. Starts the next one, at `start`. Returns false if the detour is over; its result is then in the
  /// record.
  bool next(Splicing& engine, SearchRecord& record, Iterate& start) {
    const Iterate& here = engine.current();
    if (leaving_ >= 0) return try_next_leaving(engine, record, start);
    if (here.size() > back_at_) {
      record.ends.push_back(std::numeric_limits<double>::infinity());
      if (engine.joined() >= 0 || here.objective <= engine.perfect_objective()) return false;
      level_ = here;
      without_.objective = std::numeric_limits<double>::infinity();
      return leave_from(0, engine, record, start);
    }
    if (has_improved(engine, record) && !std::exchange(further_, true)) {
      engine.descend_further();
      return true;
    }
    record.note_end(engine);
    return false;
  }

  /// Whether the detour ended at a better point than the best of the record.
  bool has_improved(const Splicing& engine, const SearchRecord& record) const {
    return engine.current().size() <= back_at_ && record.is_improved_by(engine);
  }
  /// The number of refits of the detour so far.
  int refits(const Splicing& engine) const noexcept { return engine.info().refits - refits_before_; }

 private:
  // Called when the engine has refitted the current level without one feature.
  bool try_next_leaving(Splicing& engine, SearchRecord& record, Iterate& start) {
    const Iterate& here = engine.current();
    if (here.size() + 1 == level_.size() && here.objective < without_.objective) without_ = here;
    return leave_from(leaving_ + 1, engine, record, start);
  }

  // Starts the refit without the feature at a place, or, if all were tried, exchanges from the best of these refits. All of
  // this counts as one descent.
  bool leave_from(Index place, Splicing& engine, SearchRecord& record, Iterate& start) {
    const Roles& roles = engine.roles();
    const Index below = level_.size() - 1;
    while (place <= below && roles.is_required(level_.support[std::size_t(place)])) ++place;
    const bool all_tried = place > below;
    leaving_ = all_tried ? -1 : place;
    if (all_tried && without_.objective == std::numeric_limits<double>::infinity()) return false;
    start = all_tried ? without_ : level_;
    if (!all_tried) start.remove(place);
    engine.descend_from(start, below, all_tried ? Reach::local : Reach::grow, record.next_descent());
    return true;
  }

  // Whether some weak feature has a close substitute: its removal is predicted to increase F by less than the fraction `weak`,
  // and another feature is predicted to compensate for at least the fraction `most` of that. A detour exchanges pairs of such
  // features. Clearly separated features have no close substitute (this fraction is 0.46 on an easy problem, and at least 0.82
  // on the 5 problems above). If the support nearly separates the classes, as on the example data, no feature is weak.
  static bool has_near_substitute(const Splicing& engine, const Iterate& best) {
    constexpr double most = 0.75, weak = 0.1;
    const Replacements& replacements = engine.findings().replacements_of_all();
    for (Index place = 0; place < best.size(); ++place) {
      const double loss = engine.findings().model().leaving_loss(place);
      if (loss < weak * best.objective && replacements.count(place) > 0 && replacements.at(place, 0).gain > -(1 - most) * loss)
        return true;
    }
    return false;
  }

  Index to_ = 0;           // the largest number of units
  bool is_due_ = false;    // whether it is still to be made
  bool further_ = false;   // whether it has led to a better support, from which the engine descends further
  Index back_at_ = 0;      // the number of units at its end
  Index leaving_ = -1;     // the place of the feature without which the level is being refitted, or -1
  Iterate level_{0};       // the support from which a feature is removed next
  Iterate without_{0};     // the best refit of the level without one feature
  int refits_before_ = 0;  // the number of refits of the engine when the detour began
};

}  // namespace ksparse
