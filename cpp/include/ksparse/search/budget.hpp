// How long a search goes on after its first descent: as many rounds, refits and seconds as the options allow, or until its
// answer has been found so often that it counts as settled.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>

#include "../options.hpp"
#include "search_record.hpp"

namespace ksparse {

class Budget {
 public:
  /// A search begins, whose first descent is done. Rugged: the chosen features have close rivals. The options outlive it.
  void begin(const Options& options, const Splicing& engine, bool rugged) {
    const Index k = engine.current().size(), p = engine.roles().units();
    options_ = &options;
    rugged_ = rugged;
    rounds_ = k == 0 || k >= p ? 0 : options.rounds_allowed(p, rugged);
    free_refits_ = engine.info().refits;
    begin_ = Clock::now();
  }

  /// One more round is allowed than the options say.
  void add_round() noexcept { ++rounds_; }
  /// So many refits of the search are not counted.
  void add_free_refits(int refits) noexcept { free_refits_ += refits; }

  bool allows_round(const SearchReport& report, const Splicing& engine) const {
    return report.rounds < rounds_ && (options_->has_own_budget() || !is_settled(report)) &&
           refits(engine) < options_->refits_allowed() && !is_over();
  }
  /// Whether so many refits more are within the limit that the user set, if any.
  bool allows_refits(Index more, const Splicing& engine) const {
    return options_->max_refits == 0 || refits(engine) + more <= options_->refits_allowed();
  }
  /// Whether the time is up.
  bool is_over() const {
    return options_->max_seconds > 0 && std::chrono::duration<double>(Clock::now() - begin_).count() > options_->max_seconds;
  }
  /// Refits that were counted.
  Index refits(const Splicing& engine) const noexcept { return engine.info().refits - free_refits_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Descents that ended at the answer after which it counts as settled, unless the user set the budget. Fewer suffice where
  // nearly all did and no close rivals hint at other optima. With such rivals only all will do: 114 of 120 ended at an optimum
  // that later rounds left.
  static constexpr int settled = 200, settled_by_all = 100, settled_at_once = 40;
  static constexpr double nearly_all = 0.95;

  bool is_settled(const SearchReport& report) const {
    const int descents = report.rounds + 1, found = report.times_found;
    if (!rugged_ && found >= nearly_all * descents) return found >= options_->share(settled_at_once);
    return found >= options_->share(found == descents ? settled_by_all : settled);
  }

  const Options* options_ = nullptr;
  bool rugged_ = false;
  int rounds_ = 0, free_refits_ = 0;
  Clock::time_point begin_;
};

}  // namespace ksparse
