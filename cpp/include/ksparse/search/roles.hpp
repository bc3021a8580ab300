// The role of each unit (a feature, or a group of features) according to the constraints: required in every support, excluded
// from all of them, or free. The engine, the perturbation and the alternatives use it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "../constraints.hpp"
#include "../types.hpp"

namespace ksparse {

class Roles {
 public:
  Roles() = default;  // to be reset
  Roles(const Constraints& constraints, Index units) { reset(constraints, units); }

  void reset(const Constraints& constraints, Index units) {
    required_ = constraints.required();
    roles_.assign(std::size_t(units), Role::free);
    for (const Index unit : constraints.excluded()) roles_[std::size_t(unit)] = Role::excluded;
    for (const Index unit : required_) roles_[std::size_t(unit)] = Role::required;
    excluded_ = Index(std::count(roles_.begin(), roles_.end(), Role::excluded));
  }

  Index units() const noexcept { return Index(roles_.size()); }
  bool is_required(Index unit) const noexcept { return roles_[std::size_t(unit)] == Role::required; }
  bool is_excluded(Index unit) const noexcept { return roles_[std::size_t(unit)] == Role::excluded; }
  /// The required units, sorted.
  const std::vector<Index>& required() const noexcept { return required_; }
  /// How many units may be in a support.
  Index allowed() const noexcept { return units() - excluded_; }

  /// Whether a unit may be added to a support.
  bool may_enter(const std::vector<Index>& support, Index unit) const {
    return !is_excluded(unit) && std::find(support.begin(), support.end(), unit) == support.end();
  }

 private:
  enum class Role : char { free, required, excluded };

  std::vector<Role> roles_;      // (units,)
  std::vector<Index> required_;  // sorted
  Index excluded_ = 0;           // how many are
};

}  // namespace ksparse
