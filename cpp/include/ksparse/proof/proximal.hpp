// Solves the relaxation of a node on a quadratic model in the general case: with bounds on coefficients, with groups, or
// without a ridge. The penalty of a coefficient is pen(b) = ridge b^2 / 2 within its bounds. In a unit with a share z of the
// places, it is replaced by its perspective z pen(x / z), so that the bounds are multiplied by z. The method is accelerated
// proximal steps (Beck & Teboulle 2009) with restarts (O'Donoghue & Candes 2015). If no unit is free, the problem is a
// quadratic program with box constraints, which is solved by projected Newton steps.
//
// The proximal operator at u with step s has a multiplier theta for the number of places. The share z of a unit solves
// theta = sum over its columns of phi_j((x_j(z) - u_j) / s) with x_j(z) = clip(z u_j / (z + s ridge), z lower_j, z upper_j).
// This has a closed form unless the unit has several columns with bounds.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../types.hpp"
#include "node.hpp"
#include "penalty.hpp"
#include "quadratic_model.hpp"

namespace ksparse::proof {

/// The columns of a model, ordered by units, and the side of each unit.
struct UnitsAt {
  const std::vector<Index>& columns;
  const std::vector<Index>& start;  // (units + 1,) where the places of each begin
  const std::vector<Side>& sides;   // (units,)
};

class ProximalSolver {
 public:
  explicit ProximalSolver(const Penalty& penalty) : penalty_(penalty) {}

  /// The share of each unit in the penalty that was computed last.
  const std::vector<double>& shares() const noexcept { return shares_; }

  /// The least penalty over all ways to share the places, or infinity if no way allows this point.
  double penalty(const UnitsAt& at, Index places, const std::vector<double>& x) {
    const std::size_t units = at.sides.size();
    least_.assign(units, 0.0);
    norm_.assign(units, 0.0);
    shares_.assign(units, 0.0);
    double fixed = 0, needed = 0;
    Index used = 0;
    for (std::size_t u = 0; u < units; ++u) {
      for (Index i = at.start[u]; i < at.start[u + 1]; ++i) {
        const double coef = x[std::size_t(i)];
        norm_[u] += coef * coef;
        if (coef != 0) least_[u] = std::max(least_[u], coef / (coef > 0 ? upper(at, i) : lower(at, i)));
      }
      norm_[u] = std::sqrt(norm_[u]);
      if (at.sides[u] == Side::in) {
        shares_[u] = 1;
        fixed += norm_[u] * norm_[u];
        if (least_[u] > 1 + 1e-12) return infinity;
      } else {
        needed += least_[u];
        used += norm_[u] != 0;
      }
    }
    const double room = double(places) * (1 + 1e-12);
    if (needed > room || (places == 0 && used > 0)) return infinity;
    const auto share = [&](std::size_t u, double theta) {
      return at.sides[u] != Side::free || norm_[u] == 0 ? 0.0 : std::clamp(norm_[u] / theta, std::min(least_[u], 1.0), 1.0);
    };
    double low = 0, high = 0;
    for (std::size_t u = 0; u < units; ++u) high = std::max(high, at.sides[u] == Side::free ? norm_[u] : 0.0);
    high = std::max(high * double(std::max<Index>(used, 1)) / double(std::max<Index>(places, 1)), 1e-300);
    for (int doubling = 0; used > places && doubling < 200; ++doubling, high *= 2) {
      double sum = 0;
      for (std::size_t u = 0; u < units; ++u) sum += share(u, high);
      if (sum <= room) break;
    }
    for (int halving = 0; used > places && halving < 60; ++halving) {
      const double middle = 0.5 * (low + high);
      double sum = 0;
      for (std::size_t u = 0; u < units; ++u) sum += share(u, middle);
      (sum > double(places) ? low : high) = middle;
    }
    double squares = fixed;
    for (std::size_t u = 0; u < units; ++u) {
      if (at.sides[u] != Side::free || norm_[u] == 0) continue;
      shares_[u] = used > places ? share(u, high) : 1.0;
      squares += norm_[u] * norm_[u] / shares_[u];
    }
    return 0.5 * penalty_.ridge() * squares;
  }

  /// Minimises the model plus the penalty. Starts near x, and sets x to the minimiser.
  void minimise(const QuadraticModel& model, const std::vector<Side>& sides, Index places, std::vector<double>& x) {
    const UnitsAt at{model.columns, model.start, sides};
    double largest_row = 0;
    const Index n = model.size();
    for (Index i = 0; i < n; ++i) largest_row = std::max(largest_row, model.hessian.col(i).head(n).cwiseAbs().sum());
    const double length = largest_row > 0 ? 1 / largest_row : 1.0;
    shrink(at, places, length, x);
    const bool choice = places > 0 && std::find(sides.begin(), sides.end(), Side::free) != sides.end();
    if (choice)
      accelerate(at, model, places, length, x);
    else
      project(at, model, x);
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  double lower(const UnitsAt& at, Index place) const { return penalty_.lower(at.columns[std::size_t(place)]); }
  double upper(const UnitsAt& at, Index place) const { return penalty_.upper(at.columns[std::size_t(place)]); }

  void accelerate(const UnitsAt& at, const QuadraticModel& model, Index places, double length, std::vector<double>& x) {
    const std::size_t n = x.size();
    ahead_ = x;
    double momentum = 1;
    for (int step = 0; step < 500; ++step) {
      model.slope_at(ahead_, slope_);
      trial_ = ahead_;
      for (std::size_t i = 0; i < n; ++i) trial_[i] -= length * slope_[i];
      shrink(at, places, length, trial_);
      double uphill = 0, moved = 0, size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        uphill += (ahead_[i] - trial_[i]) * (trial_[i] - x[i]);
        moved = std::max(moved, std::abs(trial_[i] - ahead_[i]));
        size = std::max(size, std::abs(trial_[i]));
      }
      const double next = uphill > 0 ? 1.0 : 0.5 * (1 + std::sqrt(1 + 4 * momentum * momentum));
      const double weight = uphill > 0 ? 0.0 : (momentum - 1) / next;
      for (std::size_t i = 0; i < n; ++i) ahead_[i] = trial_[i] + weight * (trial_[i] - x[i]);
      momentum = next;
      x.swap(trial_);
      if (moved <= 1e-12 * size) return;
    }
  }

  // The proximal operator: replaces u by the minimiser x of |x - u|^2 / (2 s) + penalty(x).
  void shrink(const UnitsAt& at, Index places, double s, std::vector<double>& u) {
    const std::size_t units = at.sides.size();
    shares_.assign(units, 0.0);
    norm_.assign(units, 0.0);
    double high = 0;
    Index free = 0;
    for (std::size_t unit = 0; unit < units; ++unit) {
      if (at.sides[unit] != Side::free) continue;
      double gain = 0;
      for (Index i = at.start[unit]; i < at.start[unit + 1]; ++i) {
        norm_[unit] += u[std::size_t(i)] * u[std::size_t(i)];
        gain += penalty_.gain(at.columns[std::size_t(i)], -u[std::size_t(i)] / s);
      }
      norm_[unit] = std::sqrt(norm_[unit]);
      high = std::max(high, gain);
      free += gain > 0;
    }
    const bool all_whole = free <= places;
    double low = 0;
    for (int halving = 0; !all_whole && places > 0 && halving < 60; ++halving) {
      const double middle = 0.5 * (low + high);
      double sum = 0;
      for (std::size_t unit = 0; unit < units; ++unit)
        if (at.sides[unit] == Side::free) sum += share(at, unit, s, middle, u);
      (sum > double(places) ? low : high) = middle;
    }
    for (std::size_t unit = 0; unit < units; ++unit) {
      double z = 0;
      if (at.sides[unit] == Side::in)
        z = 1;
      else if (at.sides[unit] == Side::free && places > 0)
        z = all_whole ? 1.0 : share(at, unit, s, high, u);
      shares_[unit] = z;
      for (Index i = at.start[unit]; i < at.start[unit + 1]; ++i) u[std::size_t(i)] = at_share(at, i, s, z, u[std::size_t(i)]);
    }
  }

  double at_share(const UnitsAt& at, Index place, double s, double z, double u) const {
    if (z <= 0) return 0.0;
    return std::min(std::max(z * u / (z + s * penalty_.ridge()), z * lower(at, place)), z * upper(at, place));
  }

  double share(const UnitsAt& at, std::size_t unit, double s, double theta, const std::vector<double>& u) const {
    const double ridge = penalty_.ridge();
    const Index first = at.start[unit], last = at.start[unit + 1];
    const double interior = ridge > 0 ? std::clamp(norm_[unit] * std::sqrt(0.5 * ridge / theta) - s * ridge, 0.0, 1.0) : 0.0;
    if (!penalty_.bounded()) return interior;
    if (last - first == 1) {
      const double value = u[std::size_t(first)], bound = value > 0 ? upper(at, first) : -lower(at, first);
      if (bound <= 0) return 0.0;
      if (ridge > 0 && 2 * theta <= ridge * bound * bound) return interior;
      return std::clamp((std::abs(value) - s * (theta / bound + 0.5 * ridge * bound)) / bound, 0.0, 1.0);
    }
    double low = 0, high = 1;
    for (int halving = 0; halving < 45; ++halving) {
      const double middle = halving == 0 ? 1.0 : 0.5 * (low + high);
      double gain = 0;
      for (Index i = first; i < last; ++i) {
        const double value = u[std::size_t(i)];
        gain += penalty_.gain(at.columns[std::size_t(i)], (at_share(at, i, s, middle, value) - value) / s);
      }
      if (halving == 0 && gain >= theta) return 1.0;
      (gain >= theta ? low : high) = middle;
    }
    return low;
  }

  // Solves the quadratic program with box constraints if all units are in or out.
  void project(const UnitsAt& at, const QuadraticModel& model, std::vector<double>& x) {
    const double ridge = penalty_.ridge();
    const auto is_in = [&](std::size_t unit) { return at.sides[unit] == Side::in; };
    const auto value_of = [&](const std::vector<double>& point, const std::vector<double>& slope) {
      double squares = 0;
      for (const double coef : point) squares += coef * coef;
      return model.value_at(point, slope) + 0.5 * ridge * squares;
    };
    model.slope_at(x, slope_);
    double value = value_of(x, slope_);
    for (int iteration = 0; iteration < 100; ++iteration) {
      free_.clear();
      for (std::size_t unit = 0; unit < at.sides.size(); ++unit)
        for (Index i = at.start[unit]; is_in(unit) && i < at.start[unit + 1]; ++i) {
          const double coef = x[std::size_t(i)], down = slope_[std::size_t(i)] + ridge * coef;
          const bool held = (coef <= lower(at, i) && down > 0) || (coef >= upper(at, i) && down < 0);
          if (!held) free_.push_back(i);
        }
      if (free_.empty() || !solve(model, x)) return;
      double step = 1;
      bool better = false;
      for (int halving = 0; halving < 30 && !better; ++halving, step *= 0.5) {
        trial_ = x;
        for (std::size_t a = 0; a < free_.size(); ++a) {
          const Index i = free_[a];
          trial_[std::size_t(i)] = std::min(std::max(x[std::size_t(i)] + step * step_[Index(a)], lower(at, i)), upper(at, i));
        }
        model.slope_at(trial_, trial_slope_);
        const double reached = value_of(trial_, trial_slope_);
        better = reached < value;
        if (better) value = reached;
      }
      if (!better) return;
      x.swap(trial_);
      slope_.swap(trial_slope_);
    }
  }

  bool solve(const QuadraticModel& model, const std::vector<double>& x) {
    const Index n = Index(free_.size());
    if (system_.rows() < n) {
      system_.resize(n + 16, n + 16);
      step_.resize(n + 16);
    }
    for (Index b = 0; b < n; ++b) {
      const Index j = free_[std::size_t(b)];
      for (Index a = b; a < n; ++a) system_(a, b) = model.hessian(free_[std::size_t(a)], j);
      system_(b, b) += penalty_.ridge() + 1e-13 * (system_(b, b) + penalty_.ridge());
      step_[b] = -(slope_[std::size_t(j)] + penalty_.ridge() * x[std::size_t(j)]);
    }
    auto matrix = system_.topLeftCorner(n, n);
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(matrix);
    if (factor.info() != Eigen::Success) return false;
    auto step = step_.head(n);
    factor.solveInPlace(step);
    return step.allFinite();
  }

  const Penalty& penalty_;
  std::vector<double> shares_, least_, norm_, ahead_, trial_, slope_, trial_slope_;
  std::vector<Index> free_;
  Eigen::MatrixXd system_;
  Eigen::VectorXd step_;
};

}  // namespace ksparse::proof
