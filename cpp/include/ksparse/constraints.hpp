// Constraints on the support and the coefficients.
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
  std::vector<Index> always_in;  ///< features in every support; they count towards k and are penalised like others
  std::vector<Index> never_in;   ///< features that no support contains
  Eigen::VectorXd lower;  ///< (p,) lower bounds of the coefficients, <= 0 unless the feature is required; empty without bounds
  Eigen::VectorXd upper;  ///< (p,) upper bounds of the coefficients, >= 0 unless the feature is required; empty without bounds
  std::vector<Index> groups;  ///< (p,) group of each column, from 0 on without gaps, or empty; k then counts groups, and a
                              ///< group is in or out as its members are asked to be

  bool bounded() const { return lower.size() > 0 || upper.size() > 0; }
  double lower_of(Index feature) const { return lower.size() ? lower[feature] : -std::numeric_limits<double>::infinity(); }
  double upper_of(Index feature) const { return upper.size() ? upper[feature] : std::numeric_limits<double>::infinity(); }

  /// Units (features or groups) that are required, or excluded, without repetition.
  std::vector<Index> required() const { return units_of(always_in); }
  std::vector<Index> excluded() const { return units_of(never_in); }
  /// The units of some features, without repetition.
  std::vector<Index> units_of(std::vector<Index> features) const {
    if (!groups.empty())
      for (Index& feature : features) feature = groups[std::size_t(feature)];
    std::sort(features.begin(), features.end());
    features.erase(std::unique(features.begin(), features.end()), features.end());
    return features;
  }

  /// Number of units among p features, which k counts.
  Index units(Index p) const { return groups.empty() ? p : *std::max_element(groups.begin(), groups.end()) + 1; }

  /// A message about the first invalid constraint, for p features and at most k units. A k above the number of units is allowed
  /// and means all of them.
  std::optional<std::string> problem(Index p, Index k) const {
    if (auto wrong = problem_of_groups(p)) return wrong;
    const auto feature = [](Index j) { return "feature " + std::to_string(j); };
    for (const auto* list : {&always_in, &never_in})
      for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string name = list == &always_in ? "always_in" : "never_in";
        const Index j = (*list)[i];
        if (j < 0 || j >= p) return name + " names " + feature(j) + " but X has " + std::to_string(p) + " columns";
        if (std::count(list->begin(), list->begin() + std::ptrdiff_t(i), j)) return name + " names " + feature(j) + " twice";
      }
    if (const Index named = Index(required().size()); named > k)
      return "always_in names " + std::to_string(named) + (groups.empty() ? " features" : " groups") + " but k is " +
             std::to_string(k);
    for (const Index j : always_in) {
      if (std::count(never_in.begin(), never_in.end(), j)) return feature(j) + " is both in always_in and in never_in";
      for (const Index l : never_in)
        if (!groups.empty() && groups[std::size_t(j)] == groups[std::size_t(l)])
          return feature(j) + " of always_in and " + feature(l) + " of never_in are of one group";
    }
    if (lower.size() && lower.size() != p) return "lower has " + std::to_string(lower.size()) + " entries, not one per column";
    if (upper.size() && upper.size() != p) return "upper has " + std::to_string(upper.size()) + " entries, not one per column";
    const std::vector<Index> in = required();
    const auto is_required = [&](Index j) {
      return std::binary_search(in.begin(), in.end(), groups.empty() ? j : groups[std::size_t(j)]);
    };
    for (Index j = 0; bounded() && j < p; ++j) {
      const double low = lower_of(j), high = upper_of(j);
      const auto given = [&] { return " (got " + std::to_string(low) + " and " + std::to_string(high) + ")"; };
      if (!(low <= high)) return "bounds of " + feature(j) + " must have lower <= upper" + given();
      if ((low > 0 || high < 0) && !is_required(j))
        return "bounds of " + feature(j) + " must hold 0, the coefficient of a feature that is not chosen" + given() +
               "; to have it in every model with a coefficient within them, name it in always_in";
      if (low == 0 && high == 0 && std::count(always_in.begin(), always_in.end(), j))
        return feature(j) + " is in always_in, but its bounds leave 0 only";
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> problem_of_groups(Index p) const {
    if (groups.empty()) return std::nullopt;
    if (Index(groups.size()) != p)
      return "groups has " + std::to_string(groups.size()) + " entries but X has " + std::to_string(p) + " columns";
    std::vector<char> seen(groups.size(), 0);
    Index largest = 0;
    for (std::size_t j = 0; j < groups.size(); ++j) {
      if (groups[j] < 0 || groups[j] >= p)
        return "groups[" + std::to_string(j) + "] is " + std::to_string(groups[j]) + "; groups are numbered from 0 on";
      seen[std::size_t(groups[j])] = 1;
      largest = std::max(largest, groups[j]);
    }
    for (Index group = 0; group <= largest; ++group)
      if (!seen[std::size_t(group)]) return "groups has no member of group " + std::to_string(group);
    return std::nullopt;
  }
};

}  // namespace ksparse
