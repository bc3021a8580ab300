// What a user may set for a fit.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "constraints.hpp"
#include "types.hpp"

namespace ksparse {

/// How much a fit searches beyond one descent (perturbation.hpp).
enum class Effort {
  fast,       // one descent; with few features four rounds of perturbation more
  automatic,  // the same, and rounds of perturbation if chosen features have close rivals
  thorough,   // rounds of perturbation in any case, and more of them
};

struct Options {
  Index k = 10;               ///< most features used, >= 0; more than X has: all. The intercept does not count
  bool fit_intercept = true;  ///< the intercept is never penalised
  double ridge = 0.0;         ///< weight of |beta|^2 / 2, >= 0, in units of the average loss
  double tolerance = 1e-8;    ///< the answer is stationary: Newton decrement sqrt(g' H^-1 g) at most this, > 0
  int max_newton = 100;       ///< Newton iterations per refit, >= 1
  int pairs_tried = 8;        ///< exchanges tried by exact refits per scan of the working set, in [1, most_pairs]
  int pairs_tried_last = 30;  ///< the same for a scan of all features; the answer is swap-optimal within these

  Effort effort = Effort::automatic;
  int max_rounds = 0;              ///< perturbations at most, >= 0; 0: what the effort and the other two allow
  int max_refits = 0;              ///< no new round after so many refits, >= 0; 0: no limit of one's own
  double max_seconds = 0;          ///< no new round after this time, >= 0; 0: no limit of time
  std::uint64_t random_state = 0;  ///< seed of the perturbations
  /// Of a single fit: independent walks that share the budget of rounds and refits, >= 1. They may run on several threads, but
  /// the answer depends on their number alone. In batches and paths, whose problems keep the threads busy, each has one.
  int walks = 1;

  /// Of a path: each entry of up to `few` features, and the last, also starts as a single fit does, and is then never worse
  /// than one. Other entries start from their neighbours alone, and without this all do.
  bool cold_starts = true;
  int path_sweeps = 10;  ///< of a path: rounds in which neighbours seed each other, up and down, at most, >= 0

  Constraints constraints;  ///< features always in, never in, and bounds

  /// Features, such as those of an earlier fit, from which the search descends as well; the answer is no worse than a refit of
  /// them, nor than the descent from nothing. Those of never_in are left out, those of always_in added.
  std::vector<Index> start;

  /// Rounds and refits that the search may use after its first descent, given whether chosen features have close rivals.
  /// Budgets by default are counted in rounds and refits, which a repeated run repeats, not in time.
  int rounds_allowed(Index p, bool close_rivals) const {
    // With few features a round costs next to nothing, and four find most of what a single descent misses.
    const int least = p <= 192 && working_set(p, k) == p ? 4 : 0;
    if (effort == Effort::fast || (effort == Effort::automatic && !close_rivals)) return least;
    if (max_rounds > 0) return share(max_rounds);
    return has_own_budget() ? std::numeric_limits<int>::max() : share(effort == Effort::thorough ? 400 : 40);
  }
  int refits_allowed() const {
    if (max_refits > 0) return share(max_refits);
    if (has_own_budget()) return std::numeric_limits<int>::max();
    // A refit costs the more the more features it has: of many, with their square.
    const Index cost = std::max<Index>(k, 1) * std::max(few, k) / few;
    return share(int((effort == Effort::thorough ? 30000 : 5000) / cost));
  }
  /// Whether the user limits the search, which then goes on however settled its answer is.
  bool has_own_budget() const noexcept { return max_rounds > 0 || max_refits > 0 || max_seconds > 0; }
  /// What one walk has of a number.
  int share(int number) const noexcept { return number / walks + (number % walks != 0); }
  /// Settings of the walk of a number.
  Options of_walk(int walk) const {
    Options options = *this;
    options.random_state += std::uint64_t(walk) * 0x9e3779b97f4a7c15u;  // far from the neighbouring seeds that users take
    return options;
  }

  /// Features in the working set of a search for up to k, which is scanned often between scans of all p; all features where
  /// there are few. Doubled as needed, so that searches for neighbouring k grow in the same set; of large sets, whose scans
  /// take most of the time, by a sixth at a time.
  static Index working_set(Index p, Index k) {
    constexpr Index least = 24, usual = 48;
    Index size = least;
    if (k <= usual) {
      while (size < std::min(4 * k, usual) || size < 2 * k) size *= 2;
      return p > 2 * std::max(size, usual) ? size : p;
    }
    for (size = 2 * usual; 2 * size < 3 * k + usual;) size += size / 6;
    return 4 * size < 3 * p ? size : p;
  }

  /// Makes k the number of features among p, or of their groups, where it is larger, so that the search itself
  /// never sees a larger one.
  void limit_k(Index p) { k = std::min(k, constraints.units(p)); }

  /// Supports of up to so many features are searched one feature at a time; larger ones, of which each refit and scan costs
  /// more, several at a time, from a start that holds too many.
  static constexpr Index few = 32;

  /// Most units that the support of a search may hold on the way.
  Index places(Index units) const { return k > few ? working_set(units, k) : detour_to(units); }

  /// So many units does the detour of a first answer hold (perturbation.hpp), k if there is none. It scans all features a few
  /// times and is made where these are not many times those of the working set.
  Index detour_to(Index units) const {
    constexpr Index more = 3, many = 8;
    const Index most = std::min(k, units);
    if (effort == Effort::fast || most > few || units > many * working_set(units, most)) return most;
    return std::min(most + more, units);
  }

  static constexpr int most_pairs = 10000;  ///< that may be tried of a scan: each is held in memory with k + 1 numbers

  /// What is wrong with the start of a search for k of p features, or of their groups, in words.
  std::optional<std::string> problem_of_start(Index p) const {
    for (const Index j : start)
      if (j < 0 || j >= p) return "start names feature " + std::to_string(j) + " but X has " + std::to_string(p) + " columns";
    if (const Index named = Index(constraints.units_of(start).size()); named > k)
      return "start names " + std::to_string(named) + (constraints.groups.empty() ? " features" : " groups") + " but k is " +
             std::to_string(k);
    return std::nullopt;
  }

  /// The first broken rule in words, e.g. "ridge must be >= 0, got -1".
  std::optional<std::string> problem() const {
    if (k < 0) return "k must be >= 0, got " + std::to_string(k);
    if (!(ridge >= 0 && std::isfinite(ridge))) return "ridge must be finite and >= 0, got " + std::to_string(ridge);
    if (!(tolerance > 0 && std::isfinite(tolerance))) return "tolerance must be > 0, got " + std::to_string(tolerance);
    if (max_newton < 1) return "max_newton must be >= 1, got " + std::to_string(max_newton);
    const auto pairs = [](const char* name, int number) {
      return std::string(name) + " must be in [1, " + std::to_string(most_pairs) + "], got " + std::to_string(number);
    };
    if (pairs_tried < 1 || pairs_tried > most_pairs) return pairs("pairs_tried", pairs_tried);
    if (pairs_tried_last < 1 || pairs_tried_last > most_pairs) return pairs("pairs_tried_last", pairs_tried_last);
    if (max_rounds < 0) return "max_rounds must be >= 0, got " + std::to_string(max_rounds);
    if (max_refits < 0) return "max_refits must be >= 0, got " + std::to_string(max_refits);
    if (walks < 1) return "walks must be >= 1, got " + std::to_string(walks);
    if (path_sweeps < 0) return "path_sweeps must be >= 0, got " + std::to_string(path_sweeps);
    if (!(max_seconds >= 0 && std::isfinite(max_seconds)))
      return "max_seconds must be finite and >= 0, got " + std::to_string(max_seconds) + "; 0 means no limit of time";
    return std::nullopt;
  }
};

}  // namespace ksparse
