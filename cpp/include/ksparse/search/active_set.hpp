// The current support with the position of each of its units, and which units may be added or removed according to their roles.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "../types.hpp"
#include "roles.hpp"

namespace ksparse {

class ActiveSet {
 public:
  ActiveSet() = default;  // to be reset
  ActiveSet(const Constraints& constraints, Index units) { reset(constraints, units, units); }

  /// Makes the set empty, with space for a support of this size.
  void reset(const Constraints& constraints, Index units, Index places) {
    roles_.reset(constraints, units);
    support_.clear();
    support_.reserve(std::size_t(places));
    place_.assign(std::size_t(units), -1);
  }

  void set(const std::vector<Index>& support) {
    for (const Index unit : support_) place_[std::size_t(unit)] = -1;
    support_ = support;
    for (std::size_t i = 0; i < support_.size(); ++i) place_[std::size_t(support_[i])] = Index(i);
  }

  const Roles& roles() const noexcept { return roles_; }
  Index size() const noexcept { return Index(support_.size()); }
  bool holds(Index unit) const noexcept { return place_[std::size_t(unit)] >= 0; }
  bool holds_all_allowed() const noexcept { return size() == roles_.allowed(); }

  bool may_enter(Index unit) const noexcept { return !holds(unit) && !roles_.is_excluded(unit); }
  bool may_leave(Index place) const noexcept { return !roles_.is_required(support_[std::size_t(place)]); }

 private:
  Roles roles_;
  std::vector<Index> support_;  // units by place
  std::vector<Index> place_;    // (units,) place of each, or -1
};

}  // namespace ksparse
