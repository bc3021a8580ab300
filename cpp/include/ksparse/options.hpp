// Settings of a fit.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "constraints.hpp"
#include "settings.hpp"
#include "types.hpp"

namespace ksparse {

/// How long a fit searches after the first descent (perturbation.hpp, starts.hpp).
enum class Effort {
  fast,       // one descent; with few features, four perturbation rounds follow
  automatic,  // the same, followed by perturbation rounds if chosen features have close competitors
  thorough,   // always perturbation rounds, and more of them
};

struct Options {
  // A member for each setting, with its default.
#define KSPARSE_MEMBER(type, name, initial, rule, words, text) type name = initial;
  KSPARSE_SETTINGS(KSPARSE_MEMBER)
#undef KSPARSE_MEMBER

  Constraints constraints;  ///< required and excluded features, bounds and groups

  /// Features from which an additional descent starts, e.g. those of an earlier fit. The result is at least as good as a refit
  /// of them, and as a fit without them. Features in never_in are removed, and those in always_in are added.
  std::vector<Index> start;

  /// Maximum number of rounds, and of refits, after the first descent; it depends on whether chosen features have close
  /// competitors. The default limits are numbers of rounds and refits instead of a time, so that results are reproducible.
  int rounds_allowed(Index p, bool close_rivals) const {
    // With few features, a round costs almost nothing, and four rounds find most improvements on a single descent. A longer
    // search does not depend on competitors then: it ends soon if restarts agree (budget.hpp). On 500 small tables of
    // categories, 2.2 % of the answers of those four rounds were not the best.
    const int least = p <= 192 && working_set(p, k) == p ? 4 : 0;
    if (search == Effort::fast || (search == Effort::automatic && !close_rivals && least == 0)) return least;
    if (max_rounds > 0) return share(max_rounds);
    return has_own_budget() ? std::numeric_limits<int>::max() : share(search != Effort::thorough ? 40 : k > few ? 400 : 800);
  }
  int refits_allowed(Index units) const {
    if (max_refits > 0) return share(max_refits);
    if (has_own_budget()) return std::numeric_limits<int>::max();
    // The cost of a refit increases with the number of features, and with its square if there are many. Descents that hide
    // features need more of them.
    const Index cost = std::max<Index>(k, 1) * std::max(few, k) / few;
    const int usual = search != Effort::thorough ? 5000 : k > few ? 30000 : 80000;
    return share(int((scans_all_cheaply(units) ? std::max(usual, 10000) : usual) / cost));
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
    constexpr Index more = 3;
    const Index most = std::min(k, units);
    if (search == Effort::fast || most > few || !scans_all_cheaply(units)) return most;
    return std::min(most + more, units);
  }

  /// Whether a scan of all units takes at most a few times as long as a scan of the working set.
  bool scans_all_cheaply(Index units) const {
    constexpr Index many = 8;
    return units <= many * working_set(units, std::min(k, units));
  }

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
#define KSPARSE_CHECK(type, name, initial, rule, words, text) \
  if ([[maybe_unused]] const type value = name; !(rule)) return std::string(#name " must be " words ", got ") + text_of(value);
    KSPARSE_SETTINGS(KSPARSE_CHECK)
#undef KSPARSE_CHECK
    return std::nullopt;
  }

 private:
  template <class T>
  static std::string text_of(T value) {
    if constexpr (std::is_enum_v<T>)
      return std::to_string(int(value));
    else
      return std::to_string(value);
  }
};

}  // namespace ksparse
