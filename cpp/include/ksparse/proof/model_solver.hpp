// Solves the relaxation of a node on a quadratic model: by patterns (pattern.hpp) if units are single features whose bounds do
// not matter, and otherwise by proximal steps (proximal.hpp). The constructor chooses what is possible for these data.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <vector>

#include "branching.hpp"
#include "pattern.hpp"
#include "penalty.hpp"
#include "proximal.hpp"
#include "quadratic_model.hpp"

namespace ksparse::proof {

class ModelSolver {
 public:
  ModelSolver(const Penalty& penalty, bool single)
      : penalty_(penalty),
        has_patterns_(single && penalty.ridge() > 0),
        by_pattern_(has_patterns_ && !penalty.bounded()),
        proximal_(penalty) {}

  /// Minimises the model plus the penalty. Starts at x, and sets x to the minimiser.
  void minimise(const QuadraticModel& model, const std::vector<Side>& sides, Index places, std::vector<double>& x) {
    if (has_patterns_) {
      pattern_.minimise(model, sides, places, penalty_.ridge(), x);
      if (by_pattern_ || keeps_to_bounds(model, sides, places, x)) return;
    }
    proximal_.minimise(model, sides, places, x);
  }

  /// The least penalty of a point over all ways to share the places, or infinity if no way allows this point.
  double penalty(const UnitsAt& at, Index places, const std::vector<double>& x) {
    return by_pattern_ ? pattern_.penalty(at.sides, places, penalty_.ridge(), x) : proximal_.penalty(at, places, x);
  }

  /// Returns the unit to branch on, as its place among the units of the model, or -1 if no free unit has a coefficient. x is
  /// the minimiser of the model plus the penalty.
  Index choose_branch(const QuadraticModel& model, const std::vector<Side>& sides, Index places, const std::vector<double>& x,
                      double needed) {
    if (has_patterns_) {
      const Pattern& pattern = pattern_.pattern_of(model, sides, places, penalty_.ridge(), x);
      return branching_.choose(model, pattern, penalty_.ridge(), x, needed);
    }
    proximal_.penalty({model.columns, model.start, sides}, places, x);
    Index best = -1;
    double best_share = 0;  // of the unit whose share is farthest from 0 and 1
    for (std::size_t u = 0; u < sides.size(); ++u) {
      const double share = proximal_.shares()[u], apart = std::min(share, 1 - share) + 1e-3 * share;
      if (sides[u] == Side::free && apart > best_share) {
        best_share = apart;
        best = Index(u);
      }
    }
    return best;
  }

 private:
  bool keeps_to_bounds(const QuadraticModel& model, const std::vector<Side>& sides, Index places,
                       const std::vector<double>& x) {
    const Pattern& pattern = pattern_.pattern_of(model, sides, places, penalty_.ridge(), x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Index column = model.columns[i];
      const double coef = pattern.kind[i] == Kind::fractional ? pattern.sign[i] * pattern.level : x[i];
      if (pattern.kind[i] == Kind::out || pattern.kind[i] == Kind::zero) continue;
      if (coef < penalty_.lower(column) || coef > penalty_.upper(column)) return false;
    }
    return true;
  }

  const Penalty& penalty_;
  const bool has_patterns_, by_pattern_;
  PatternSolver pattern_;
  ProximalSolver proximal_;
  Branching branching_;
};

}  // namespace ksparse::proof
