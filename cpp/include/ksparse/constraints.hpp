// What a user may ask of the answer beyond its size.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "types.hpp"

namespace ksparse {

struct Constraints {
  std::vector<Index> always_in;  ///< features in every support; they count towards k and are penalised like all
  std::vector<Index> never_in;   ///< features in none
  Eigen::VectorXd lower;         ///< (p,) least coefficients, <= 0, or empty: no bound
  Eigen::VectorXd upper;         ///< (p,) largest coefficients, >= 0, or empty: no bound

  bool bounded() const { return lower.size() > 0 || upper.size() > 0; }
  double lower_of(Index feature) const { return lower.size() ? lower[feature] : -std::numeric_limits<double>::infinity(); }
  double upper_of(Index feature) const { return upper.size() ? upper[feature] : std::numeric_limits<double>::infinity(); }

  /// The first broken rule in words, for p features of which the smallest budget chooses k.
  std::optional<std::string> problem(Index p, Index k) const {
    const auto feature = [](Index j) { return "feature " + std::to_string(j); };
    for (const auto* list : {&always_in, &never_in})
      for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string name = list == &always_in ? "always_in" : "never_in";
        const Index j = (*list)[i];
        if (j < 0 || j >= p) return name + " names " + feature(j) + " but X has " + std::to_string(p) + " columns";
        if (std::count(list->begin(), list->begin() + std::ptrdiff_t(i), j)) return name + " names " + feature(j) + " twice";
      }
    if (Index(always_in.size()) > k)
      return "always_in names " + std::to_string(always_in.size()) + " features but k is " + std::to_string(k);
    for (const Index j : always_in)
      if (std::count(never_in.begin(), never_in.end(), j)) return feature(j) + " is both in always_in and in never_in";
    if (lower.size() && lower.size() != p) return "lower has " + std::to_string(lower.size()) + " entries, not one per column";
    if (upper.size() && upper.size() != p) return "upper has " + std::to_string(upper.size()) + " entries, not one per column";
    for (Index j = 0; bounded() && j < p; ++j) {
      const double low = lower_of(j), high = upper_of(j);
      const std::string given = " (got " + std::to_string(low) + " and " + std::to_string(high) + ")";
      if (!(low <= high)) return "bounds of " + feature(j) + " must have lower <= upper" + given;
      if (low > 0 || high < 0)
        return "bounds of " + feature(j) + " must hold 0, the coefficient of a feature that is not chosen" + given;
      if (low == high && std::count(always_in.begin(), always_in.end(), j))
        return feature(j) + " is in always_in, but its bounds leave 0 only";
    }
    return std::nullopt;
  }
};

}  // namespace ksparse
