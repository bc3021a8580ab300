// Settings of a fit.
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

/// How long a fit searches after the first descent (perturbation.hpp).
enum class Effort {
  fast,       // one descent; with few features, four perturbation rounds follow
  automatic,  // the same, followed by perturbation rounds if chosen features have close competitors
  thorough,   // always perturbation rounds, and more of them
};

struct Options {
  Index k = 10;               ///< maximum number of features, >= 0; the intercept does not count
  bool fit_intercept = true;  ///< the intercept is never penalised
  double ridge = 0.0;         ///< weight of |beta|^2 / 2, >= 0, in units of the average loss
  double tolerance = 1e-8;    ///< a refit stops when its Newton decrement sqrt(g' H^-1 g) is at most this, > 0
  int max_newton = 100;       ///< maximum number of Newton iterations per refit, >= 1
  int pairs_tried = 8;        ///< exchanges that are refitted per scan of the working set, in [1, most_pairs]
  int pairs_tried_last = 30;  ///< the same for a scan of all features; no other of these exchanges improves the result

  Effort effort = Effort::automatic;
  int max_rounds = 0;              ///< maximum number of perturbation rounds, >= 0; with 0, the effort sets it
  int max_refits = 0;              ///< no round begins after this many refits, >= 0; with 0, the effort sets it
  double max_seconds = 0;          ///< no round begins after this time in seconds, >= 0; 0 means no limit
  std::uint64_t random_state = 0;  ///< seed of the perturbations
  /// Number of independent searches of a single fit, >= 1, which share the limits on rounds and refits. They can run on several
  /// threads, but the result depends only on their number. Problems of batches and paths have one each, because their number
  /// keeps the threads busy.
  int walks = 1;

  /// For a path: whether the fits with up to `few` features, and the last one, also start as a single fit does. They are then
  /// never worse than a single fit. Otherwise fits start only from their neighbours.
  bool cold_starts = true;
  int path_sweeps = 10;  ///< for a path: maximum number of sweeps in which fits start from their neighbours, >= 0

  Constraints constraints;  ///< required and excluded features, bounds and groups

  /// Features from which an additional descent starts, e.g. those of an earlier fit. The result is at least as good as a refit
  /// of them, and as a fit without them. Features in never_in are removed, and those in always_in are added.
  std::vector<Index> start;

  /// Maximum number of rounds, and of refits, after the first descent; it depends on whether chosen features have close
  /// competitors. The default limits are numbers of rounds and refits instead of a time, so that results are reproducible.
  int rounds_allowed(Index p, bool close_rivals) const {
    // With few features, a round costs almost nothing, and four rounds find most improvements on a single descent.
    const int least = p <= 192 && working_set(p, k) == p ? 4 : 0;
    if (effort == Effort::fast || (effort == Effort::automatic && !close_rivals)) return least;
    if (max_rounds > 0) return share(max_rounds);
    return has_own_budget() ? std::numeric_limits<int>::max() : share(effort == Effort::thorough ? 400 : 40);
  }
  int refits_allowed() const {
    if (max_refits > 0) return share(max_refits);
    if (has_own_budget()) return std::numeric_limits<int>::max();
    // The cost of a refit increases with the number of features, and with its square if there are many.
    const Index cost = std::max<Index>(k, 1) * std::max(few, k) / few;
    return share(int((effort == Effort::thorough ? 30000 : 5000) / cost));
  }
  /// Whether the user has set limits for the search, which then continues until they are reached.
  bool has_own_budget() const noexcept { return max_rounds > 0 || max_refits > 0 || max_seconds > 0; }
  /// The share of one walk of a limit.
  int share(int number) const noexcept { return number / walks + (number % walks != 0); }
  /// The options of the walk with this index.
  Options of_walk(int walk) const {
    Options options = *this;
    options.random_state +=
        std::uint64_t(walk) * 0x9e3779b97f4a7c15u;  // far from the consecutive seeds that users tend to choose
    return options;
  }

  /// Size of the working set for up to k features, which is scanned often between scans of all p features. It contains all
  /// features if there are few. Sizes are powers of two times a constant, so that searches for neighbouring k use the same set.
  /// Large sets, whose scans take most of the time, grow by a sixth instead.
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

  /// Reduces k to the number of features (p), or of groups, if it is larger.
  void limit_k(Index p) { k = std::min(k, constraints.units(p)); }

  /// Supports of up to this size are searched by adding one feature at a time. For larger ones, whose refits and scans cost
  /// more, the search starts with too many features and removes several at a time.
  static constexpr Index few = 32;

  /// Maximum number of units in the support during the search.
  Index places(Index units) const { return k > few ? working_set(units, k) : detour_to(units); }

  /// Number of units in the detour from the first result (perturbation.hpp), or k if there is no detour. It scans all features
  /// several times, so it is made only if they are not many more than those of the working set.
  Index detour_to(Index units) const {
    constexpr Index more = 3, many = 8;
    const Index most = std::min(k, units);
    if (effort == Effort::fast || most > few || units > many * working_set(units, most)) return most;
    return std::min(most + more, units);
  }

  static constexpr int most_pairs = 10000;  ///< limit of pairs_tried, because each pair takes k + 1 numbers in memory

  /// An error message if `start` is invalid for k of p features, or of their groups.
  std::optional<std::string> problem_of_start(Index p) const {
    for (const Index j : start)
      if (j < 0 || j >= p) return "start names feature " + std::to_string(j) + " but X has " + std::to_string(p) + " columns";
    if (const Index named = Index(constraints.units_of(start).size()); named > k)
      return "start names " + std::to_string(named) + (constraints.groups.empty() ? " features" : " groups") + " but k is " +
             std::to_string(k);
    return std::nullopt;
  }

  /// A message about the first invalid setting, e.g. "ridge must be >= 0, got -1".
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
