// The limits of a search after its first descent. It ends after the rounds, refits or seconds that the options allow, or when
// the best support has been found so often that further rounds are unlikely to find a better one (it is "settled").
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>

#include "../options.hpp"
#include "search_record.hpp"

namespace ksparse {

class Budget {
 public:
  /// Starts a search after its first descent. `rugged` means that chosen features have close competitors. The options must
  /// exist as long as the search.
  void begin(const Options& options, const Splicing& engine, bool rugged) {
    const Index k = engine.current().size(), p = engine.roles().units();
    options_ = &options;
    rugged_ = rugged;
    hides_often_ = options.scans_all_cheaply(p);
    rounds_ = k == 0 || k >= p ? 0 : options.rounds_allowed(p, rugged);
    free_refits_ = engine.info().refits;
    begin_ = Clock::now();
  }

  /// Allows one more round than the options.
  void add_round() noexcept { ++rounds_; }
  /// Excludes this many refits from the count.
  void add_free_refits(int refits) noexcept { free_refits_ += refits; }

  bool allows_round(const SearchRecord& record, const Splicing& engine) const {
    return record.report.rounds < rounds_ && (options_->has_own_budget() || !is_settled(record)) &&
           refits(engine) < options_->refits_allowed(engine.roles().units()) && !is_over();
  }
  /// Whether this many further refits are within the limit that the user has set, if any.
  bool allows_refits(Index more, const Splicing& engine) const {
    return options_->max_refits == 0 || refits(engine) + more <= options_->refits_allowed(engine.roles().units());
  }
  /// Whether the time limit has been reached.
  bool is_over() const {
    return options_->max_seconds > 0 && std::chrono::duration<double>(Clock::now() - begin_).count() > options_->max_seconds;
  }
  /// Refits that were counted.
  Index refits(const Splicing& engine) const noexcept { return engine.info().refits - free_refits_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Number of descents that end at the best support after which it counts as settled, unless the user has set limits. Fewer are
  // sufficient if almost all descents from nearby end there and no close competitors suggest other optima. With competitors,
  // all must end there: in one case, 114 of 120 ended at an optimum that later rounds improved.
  static constexpr int settled = 200, settled_by_all = 100, settled_at_once = 40;
  static constexpr double nearly_all = 0.9;
  // A restart that ended at the best support counts as this many other descents.
  static constexpr int worth_of_restart = 10;
  // The search also ends when the estimated probability of another optimum is below this number times k, in a thorough search and
  // in a shorter one. If scans of all features are cheap, many rounds hide some features, and only this counts. Descents to few
  // features take little time, and more of them are made: on UCI's mushroom data with k = 3, one restart in ten finds the best.
  static constexpr double settled_chance = 0.002, settled_chance_of_short = 0.02;

  bool is_settled(const SearchRecord& record) const {
    const int found = record.returns, evidence = found + worth_of_restart * record.report.times_found;
    const bool is_thorough = options_->search == Effort::thorough;
    // Of several walks, each makes its share of the descents, on whose square the probability depends.
    const double chance = (is_thorough ? settled_chance : settled_chance_of_short) * double(record.best.size()) *
                          double(options_->walks) * double(options_->walks);
    if ((hides_often_ || is_thorough) && record.chance_of_another() <= chance) return true;
    if (!rugged_ && found >= nearly_all * record.nearby && (is_thorough || !hides_often_))
      return evidence >= options_->share(settled_at_once);
    if (hides_often_) return false;
    const int enough = found == record.nearby ? settled_by_all : settled;
    return evidence >= options_->share(is_thorough ? enough : settled_at_once);
  }

  const Options* options_ = nullptr;
  bool rugged_ = false, hides_often_ = false;
  int rounds_ = 0, free_refits_ = 0;
  Clock::time_point begin_;
};

}  // namespace ksparse
