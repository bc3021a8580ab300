// A longer search than one descent: perturb, descend again, keep the better (iterated local search).
// A round replaces up to half of the features of a good support, mostly by their nearest rivals (stand-ins of the last scan of
// all features), else by members of the working set; it descends inside the working set, and goes on to all features
// where that ended near the best. Rounds start from the last good end rather than always from the best, which walks along
// plateaus of near-equal supports. Supports refitted once are remembered, and a round that comes upon an earlier one's way ends
// there, so that a settled answer costs little to confirm. Deterministic for a given seed.
//
// Rounds near at hand stay in one funnel of the landscape. So once the answer has been found often, ever more rounds are wide:
// their features come from all of X, mostly one at a time in the place of the weakest, each feature in its turn, and they
// descend by scans of all features from the start. Two columns that are worth little alone and much together (near-equal ones
// of opposite sign) are found that way: on blocks-300x1000 it took the search from 0.256178, which 10,000 rounds near at hand
// did not leave, to 0.239712.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include "drive.hpp"
#include "objective.hpp"
#include "options.hpp"
#include "splicing.hpp"
#include "weakest.hpp"

namespace ksparse {

/// How a search went.
struct SearchReport {
  int rounds = 0;       // descents after the first
  int times_found = 1;  // descents that ended at the answer, the first to find it included
};

class Perturbation {
 public:
  Perturbation(Splicing& engine, Objective& objective, const Options& options)
      : engine_(engine),
        objective_(objective),
        options_(options),
        random_(options.random_state),
        best_(engine.current()),
        walk_(engine.current()),
        start_(engine.current()),
        stand_ins_(engine.stand_ins()) {}

  /// Rounds after the engine's first descent, as the options allow; leaves the engine, done, at the best point found.
  SearchReport run() {
    SearchReport report;
    const Index k = best_.size(), p = objective_.features();
    const bool rugged = has_close_rivals();
    const int rounds = options_.rounds_allowed(p, rugged), most_refits = options_.refits_allowed();
    if (k == 0 || k >= p || rounds == 0) return report;
    ends_.assign(1, best_.objective);
    const int refits = engine_.info().refits;
    const auto begin = Clock::now();
    const bool own_budget = options_.max_rounds > 0 || options_.max_seconds > 0;
    while (report.rounds < rounds && (own_budget || !is_settled(report, rugged)) &&
           engine_.info().refits - refits < most_refits && !late(begin)) {
      ++report.rounds;
      const bool wide = is_next_wide(report.times_found);
      if (wide && uniform() < one_by_one)
        put_next_feature();
      else
        perturb(report.times_found, wide);
      // A descent that only grows refits the start, from which the wide ones go on to exchanges with any feature.
      engine_.descend_from(start_, k, wide ? Reach::grow : Reach::local);
      drive(engine_, objective_);
      const bool promising = engine_.joined() < 0 && (wide || engine_.current().objective < best_.objective * (1 + near));
      if (promising && engine_.info().status == Status::converged) {
        engine_.descend_further();
        drive(engine_, objective_);
      }
      if (engine_.info().status != Status::converged) break;
      judge(report);
    }
    engine_.adopt(best_);
    return report;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // A local optimum of the working set this near to the best, relative to F, is worth scans of all features.
  static constexpr double near = 0.05;
  // An end this near to the best, relative to F, is where the next round starts.
  static constexpr double good = 0.01;
  // Objectives that differ by less are of the same support, or of a tie.
  static constexpr double tie = 1e-9;
  // Features come from the rivals of the one replaced in this part of the draws, from the working set in the others.
  static constexpr double from_rivals = 0.6;
  // After an end that is not good, the next round goes back to the best in this part of the cases.
  static constexpr double back_to_best = 0.1;
  // Descents that ended at the answer after which it counts as settled, unless the user set the budget. Fewer where nearly all
  // did and no close rivals hint at other optima. With such rivals only all will do: 114 of 120 ended at an optimum that later
  // rounds left.
  static constexpr int settled = 200, settled_by_all = 100, settled_at_once = 40;
  static constexpr double nearly_all = 0.95;
  // No round is wide until the answer was found so often; all are at twice that.
  static constexpr int near_at_hand = 100;
  // Part of the wide rounds that put one feature in the place of the weakest; the others replace several at random.
  static constexpr double one_by_one = 0.8;

  static bool is_settled(const SearchReport& report, bool rugged) {
    const int descents = report.rounds + 1, found = report.times_found;
    if (!rugged && found >= nearly_all * descents) return found >= settled_at_once;
    return found >= (found == descents ? settled_by_all : settled);
  }

  bool late(Clock::time_point begin) const {
    return options_.max_seconds > 0 && std::chrono::duration<double>(Clock::now() - begin).count() > options_.max_seconds;
  }

  // The standard's distributions differ between libraries; its generators do not.
  double uniform() { return double(random_() >> 11) * 0x1.0p-53; }
  Index below(Index count) { return std::min(Index(uniform() * double(count)), count - 1); }

  // Whether more than a quarter of the chosen features have a rival that is foreseen to cost less than a hundredth of F: the
  // landscape is then flat enough to hold several local optima. (On designs with well separated features none has.)
  bool has_close_rivals() const {
    Index places = 0;
    for (Index place = 0; place < best_.size(); ++place)
      places += stand_ins_.count(place) > 0 && stand_ins_.at(place, 0).gain > -0.01 * best_.objective;
    return 4 * places > best_.size();
  }

  bool is_next_wide(int times_found) {
    const double part = double(times_found - near_at_hand) / near_at_hand;
    return part > 0 && uniform() < part;
  }

  Index draw(Index place, bool wide) {
    if (uniform() < from_rivals && stand_ins_.count(place) > 0)
      return stand_ins_.at(place, below(stand_ins_.count(place))).feature;
    if (wide) return below(objective_.features());
    const auto& working = engine_.working_set();
    return working[std::size_t(below(Index(working.size())))];
  }

  // The more often the answer was found again, the further a round jumps.
  void perturb(int times_found, bool wide) {
    start_ = walk_;
    const Index k = start_.size(), most = std::min<Index>(k, std::max<Index>(k / 2, 1) + times_found / 25);
    const Index replaced = 1 + below(most);
    for (Index i = 0; i < replaced; ++i) {
      const Index place = below(k), feature = draw(place, wide);
      if (!engine_.is_required(start_.support[std::size_t(place)]) && may_enter(feature)) start_.replace(place, feature);
    }
  }

  bool may_enter(Index feature) const {
    const std::vector<Index>& support = start_.support;
    return !engine_.is_excluded(feature) && std::find(support.begin(), support.end(), feature) == support.end();
  }

  // The next of all features, in an order drawn at random, in the place of the weakest one.
  void put_next_feature() {
    start_ = walk_;
    if (!weakest_) {
      WeakestPlace weakest(walk_, engine_);
      // An interrupt is seen by the descent that follows.
      if (objective_.scan(walk_, Columns{}, Hessian::exact, weakest) != Status::converged) return;
      weakest_ = weakest.place();
    }
    if (*weakest_ < 0) return;
    for (Index tried = 0; tried < objective_.features(); ++tried) {
      if (next_ == turns_.size()) shuffle_turns();
      const Index feature = turns_[next_++];
      if (may_enter(feature)) return start_.replace(*weakest_, feature);
    }
  }

  void shuffle_turns() {
    turns_.resize(std::size_t(objective_.features()));
    std::iota(turns_.begin(), turns_.end(), Index(0));
    for (Index left = Index(turns_.size()); left > 1; --left)
      std::swap(turns_[std::size_t(left - 1)], turns_[std::size_t(below(left))]);
    next_ = 0;
  }

  void walk_to(const Iterate& point) {
    if (point.objective != walk_.objective) weakest_.reset();
    walk_ = point;
  }

  void judge(SearchReport& report) {
    const Iterate& here = engine_.current();
    const bool joined = engine_.joined() >= 0;
    const double end = joined ? ends_[std::size_t(engine_.joined())] : here.objective;
    ends_.push_back(end);
    if (!joined && end < best_.objective * (1 + good) && here.size() == best_.size()) {
      walk_to(here);
      stand_ins_ = engine_.stand_ins();
    } else if (uniform() < back_to_best) {
      walk_to(best_);
    }
    if (!joined && end < best_.objective * (1 - tie)) {
      best_ = here;
      report.times_found = 1;
    } else if (end <= best_.objective * (1 + tie)) {
      ++report.times_found;
    }
  }

  Splicing& engine_;
  Objective& objective_;
  const Options& options_;
  std::mt19937_64 random_;
  Iterate best_, walk_, start_;
  StandIns stand_ins_;            // at the point of the walk
  std::optional<Index> weakest_;  // place of the walk's weakest feature, once known
  std::vector<Index> turns_;      // all features in the order in which wide rounds take them
  std::size_t next_ = 0;
  std::vector<double> ends_;  // F where each descent ended, by its number
};

}  // namespace ksparse
