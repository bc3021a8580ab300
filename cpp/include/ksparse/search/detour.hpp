// A detour from a support: some features are added by descents with more than k features, and then the weakest ones are removed
// one by one, with exchanges at each size. It finds pairs of features that are better than two others although no single
// exchange leads there. On 450 random problems (200 to 300 rows, 100 to 200 features), abess was better on 5 without the
// detour, and on none of these with it. It is deterministic and does not count as a round. It follows the rounds, which
// therefore find the same as without it; if it finds a better support, they continue from there.
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
  /// A search begins, at the best point of its record, where the engine stands.
  void begin_search(const Splicing& engine, const SearchRecord& record, const Options& options) {
    const Index k = record.best.size(), p = engine.roles().units();
    to_ = options.detour_to(p);
    is_due_ = to_ > k && k == std::min(options.k, p) && has_near_substitute(engine, record.best);
    further_ = false;
  }

  /// Whether to make the detour, which happens once.
  bool take_turn() noexcept { return std::exchange(is_due_, false); }

  /// Sets the engine to the first of its descents.
  void begin(Splicing& engine, const SearchRecord& record) {
    back_at_ = record.best.size();
    refits_before_ = engine.info().refits;
    engine.descend_from(record.best, to_, Reach::global, record.next_descent());
  }

  /// Called after a descent: sets the engine to the next one, which begins at `start`. Returns false if the detour is over; its
  /// end is then in the record.
  bool next(Splicing& engine, SearchRecord& record, Iterate& start) {
    const Iterate& here = engine.current();
    if (here.size() > back_at_) {
      record.ends.push_back(std::numeric_limits<double>::infinity());
      const bool own_way = engine.joined() < 0 && here.objective > engine.perfect_objective();
      const Index place = own_way ? engine.weakest_place() : -1;
      if (place < 0) return false;
      start = here;
      start.remove(place);
      engine.descend_from(start, start.size(), Reach::local, record.next_descent());
      return true;
    }
    if (has_improved(engine, record) && !std::exchange(further_, true)) {
      engine.descend_further();
      return true;
    }
    record.note_end(engine);
    return false;
  }

  /// Whether it ended at a better point.
  bool has_improved(const Splicing& engine, const SearchRecord& record) const {
    return engine.current().size() <= back_at_ && record.is_improved_by(engine);
  }
  /// Refits that it has made so far.
  int refits(const Splicing& engine) const noexcept { return engine.info().refits - refits_before_; }

 private:
  // Whether some weak feature has a close substitute: its removal is predicted to increase F only a little, and another feature
  // in its place to compensate for most of that. Pairs of such features are what a detour exchanges. Where features are well
  // separated none has a near substitute (0.46 on an easy problem, 0.82 and more on those 5), and where the answer nearly
  // separates the classes, as on the example data, each of them is worth more than a tenth of F.
  static bool has_near_substitute(const Splicing& engine, const Iterate& best) {
    constexpr double most = 0.75, weak = 0.1;
    const StandIns& stand_ins = engine.stand_ins();
    for (Index place = 0; place < best.size(); ++place) {
      const double loss = engine.leaving_loss(place);
      if (loss < weak * best.objective && stand_ins.count(place) > 0 && stand_ins.at(place, 0).gain > -(1 - most) * loss)
        return true;
    }
    return false;
  }

  Index to_ = 0;           // units at its height
  bool is_due_ = false;    // to be made
  bool further_ = false;   // it has led to a better answer, which descends further
  Index back_at_ = 0;      // units at its end
  int refits_before_ = 0;  // of the engine, when it began
};

}  // namespace ksparse
