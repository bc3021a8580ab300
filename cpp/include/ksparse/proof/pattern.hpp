// Solves the relaxation of a node on a quadratic model, with a ridge and without bounds. It minimises the model plus
//   (ridge/2) [ sum of x_j^2 over features in + min { sum of x_j^2 / z_j over free features : 0 <= z <= 1, sum z <= places } ].
// The inner minimum is the squared k-support norm (Argyriou, Foygel, Srebro 2012). It is computed as follows. Sort |x| over the
// free features in decreasing order, and find the first r with |x_r| (places - r) < |x_r| + |x_(r+1)| + ... The features before
// r are "whole", with z = 1. The other non-zero features are "fractional", with z_j = |x_j| / t and t = that sum divided by
// (places - r).
//
// For a given pattern of whole and fractional features, the penalty is smooth: a ridge on the whole features, and
// (ridge / (2 (places - r))) (signs.x)^2 on the fractional ones. A semi-smooth Newton method over patterns therefore needs only
// a few of them. Zeros whose slope has an absolute value above ridge t become fractional. If the method fails, accelerated
// proximal steps (Beck & Teboulle 2009) lead to another pattern.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "../types.hpp"
#include "quadratic_model.hpp"

namespace ksparse::proof {

enum class Kind : std::uint8_t { out, zero, in, whole, fractional };

/// Which features have a whole share, a fractional share, or no share of the places.
struct Pattern {
  std::vector<Kind> kind;    // (size,) for the columns of the model
  std::vector<double> sign;  // (size,) signs of fractional features, 0 for others
  double level = 0;          // t: coefficients with a whole share are at least this large
  double left = 0;           // places that the fractional features share
  double threshold = 0;      // zeros with larger slopes become fractional
  Index whole = 0, fractional = 0;
};

class PatternSolver {
 public:
  const Pattern& pattern() const noexcept { return pattern_; }

  /// Minimises the model plus the penalty. Starts at x, and sets x to the minimiser. `sides` is in the order of the model.
  void minimise(const QuadraticModel& model, const std::vector<Side>& sides, Index places, double ridge,
                std::vector<double>& x) {
    model_ = &model;
    sides_ = &sides;
    places_ = places;
    ridge_ = ridge;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (sides[i] == Side::out || (places == 0 && sides[i] == Side::free)) x[i] = 0;
    model.slope_at(x, slope_);
    penalty_at_ = penalty(x);
    double value = model.value_at(x, slope_) + penalty_at_;
    int detours = 0;
    for (int iteration = 0; iteration < 60; ++iteration) {
      set_pattern(x);
      const bool joined = join_violators(model.size());
      set_gradient(x);
      if (!joined && residual() <= tolerance * scale(x)) return;
      if (descend(x, value) || (!settled_ && joined && descend_with_one(x, value))) continue;
      if (settled_) return;
      if (++detours > 3 || !take_proximal_steps(x, value)) return;
    }
  }

  /// The penalty of a point.
  double penalty(const std::vector<Side>& sides, Index places, double ridge, const std::vector<double>& x) {
    sides_ = &sides;
    places_ = places;
    ridge_ = ridge;
    return penalty(x);
  }

  /// The pattern of a point, which Branching uses to predict the effect of a branch.
  const Pattern& pattern_of(const QuadraticModel& model, const std::vector<Side>& sides, Index places, double ridge,
                            const std::vector<double>& x) {
    model_ = &model;
    sides_ = &sides;
    places_ = places;
    ridge_ = ridge;
    set_pattern(x);
    return pattern_;
  }

 private:
  static constexpr double tolerance = 1e-11;
  struct Sized {
    double size, sign;
    Index place;
  };

  double penalty(const std::vector<double>& x) {
    double squares = 0;
    sort_free(x);
    for (std::size_t i = 0; i < x.size(); ++i)
      if ((*sides_)[i] == Side::in) squares += x[i] * x[i];
    double rest = 0;
    for (const Sized& one : sorted_) rest += one.size;
    Index r = 0;
    for (; r < Index(sorted_.size()) && r < places_; ++r) {
      const double size = sorted_[std::size_t(r)].size;
      if (size * double(places_ - r) < rest * (1 - 1e-14)) break;
      squares += size * size;
      rest -= size;
    }
    if (r < Index(sorted_.size())) {
      if (places_ == r) return std::numeric_limits<double>::infinity();
      squares += rest * rest / double(places_ - r);
    }
    return 0.5 * ridge_ * squares;
  }

  void sort_free(const std::vector<double>& x) {
    sorted_.clear();
    for (std::size_t i = 0; i < x.size(); ++i)
      if ((*sides_)[i] == Side::free && x[i] != 0) sorted_.push_back({std::abs(x[i]), x[i] > 0 ? 1.0 : -1.0, Index(i)});
    std::sort(sorted_.begin(), sorted_.end(),
              [](const Sized& a, const Sized& b) { return a.size != b.size ? a.size > b.size : a.place < b.place; });
  }

  void set_pattern(const std::vector<double>& x) {
    const std::size_t n = x.size();
    pattern_.kind.resize(n);
    pattern_.sign.assign(n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      pattern_.kind[i] = (*sides_)[i] == Side::in ? Kind::in : (*sides_)[i] == Side::out ? Kind::out : Kind::zero;
    sort_free(x);
    double rest = 0;
    for (const Sized& one : sorted_) rest += one.size;
    Index r = 0;
    for (; r < Index(sorted_.size()) && r < places_; ++r) {
      const double size = sorted_[std::size_t(r)].size;
      if (size * double(places_ - r) < rest * (1 - 1e-14)) break;
      pattern_.kind[std::size_t(sorted_[std::size_t(r)].place)] = Kind::whole;
      rest -= size;
    }
    for (Index i = r; i < Index(sorted_.size()); ++i) {
      const std::size_t place = std::size_t(sorted_[std::size_t(i)].place);
      pattern_.kind[place] = Kind::fractional;
      pattern_.sign[place] = x[place] > 0 ? 1.0 : -1.0;
    }
    pattern_.whole = r;
    pattern_.fractional = Index(sorted_.size()) - r;
    pattern_.left = double(places_ - r);
    if (pattern_.fractional > 0)
      pattern_.level = rest / pattern_.left;
    else
      pattern_.level = r == places_ && r > 0 ? sorted_[std::size_t(r - 1)].size : 0.0;
    pattern_.threshold = ridge_ * pattern_.level;
  }

  // Makes zeros fractional whose slopes are above the threshold. Returns false if there are none.
  bool join_violators(Index size) {
    violators_.clear();
    if (places_ == 0) return false;
    const double bar = pattern_.threshold * (1 + 1e-9) + 1e-14 * largest(slope_);
    for (Index i = 0; i < size; ++i)
      if (pattern_.kind[std::size_t(i)] == Kind::zero && std::abs(slope_[std::size_t(i)]) > bar) violators_.push_back(i);
    if (violators_.empty()) return false;
    admit(violators_);
    return true;
  }
  void admit(const std::vector<Index>& places) {
    // If there is a place for each of them, they get whole shares.
    if (pattern_.fractional == 0 && pattern_.whole + Index(places.size()) <= places_) {
      for (const Index i : places) pattern_.kind[std::size_t(i)] = Kind::whole;
      pattern_.whole += Index(places.size());
      pattern_.left = double(places_ - pattern_.whole);
      return;
    }
    for (const Index i : places) {
      pattern_.kind[std::size_t(i)] = Kind::fractional;
      pattern_.sign[std::size_t(i)] = slope_[std::size_t(i)] > 0 ? -1.0 : 1.0;
      ++pattern_.fractional;
    }
    if (pattern_.left < 1) {  // no place is left to share, so the smallest whole feature becomes fractional as well
      const Sized& smallest = sorted_[std::size_t(pattern_.whole - 1)];
      const std::size_t last = std::size_t(smallest.place);
      pattern_.kind[last] = Kind::fractional;
      pattern_.sign[last] = smallest.sign;
      ++pattern_.fractional;
      --pattern_.whole;
      pattern_.left += 1;
    }
  }

  void set_gradient(const std::vector<double>& x) {
    active_.clear();
    gradient_.clear();
    double shared = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (pattern_.kind[i] == Kind::fractional) shared += pattern_.sign[i] * x[i];
    shared = pattern_.fractional > 0 ? ridge_ * shared / pattern_.left : 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Kind kind = pattern_.kind[i];
      if (kind == Kind::out || kind == Kind::zero) continue;
      active_.push_back(Index(i));
      gradient_.push_back(slope_[i] + (kind == Kind::fractional ? shared * pattern_.sign[i] : ridge_ * x[i]));
    }
  }

  double residual() const { return largest(gradient_); }
  double scale(const std::vector<double>& x) const { return largest(model_->gradient) + ridge_ * largest(x) + 1e-300; }
  static double largest(const std::vector<double>& values) {
    double most = 0;
    for (const double value : values) most = std::max(most, std::abs(value));
    return most;
  }

  // Takes a Newton step for the current pattern, shortened until the value falls. Returns false if it does not fall.
  bool descend(std::vector<double>& x, double& value) {
    const Index n = Index(active_.size());
    if (n == 0 || !solve(n)) return false;
    const double decrease = -step_.head(n).dot(Eigen::Map<const Eigen::VectorXd>(gradient_.data(), n));
    settled_ = decrease <= 1e-15 * (std::abs(value) + penalty_at_);
    if (settled_) return false;
    double step = 1;
    for (int halving = 0; halving < 7; ++halving, step *= 0.5)
      if (accept(x, value, step)) return true;
    return false;
  }

  bool solve(Index n) {
    if (system_.rows() < n) {
      system_.resize(n + 16, n + 16);
      step_.resize(n + 16);
    }
    double shift = 1e-13;
    for (int attempt = 0; attempt < 4; ++attempt, shift *= 1e3) {
      fill(n, shift);
      auto matrix = system_.topLeftCorner(n, n);
      Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(matrix);
      if (factor.info() != Eigen::Success) continue;
      auto step = step_.head(n);
      step = -Eigen::Map<const Eigen::VectorXd>(gradient_.data(), n);
      factor.solveInPlace(step);
      if (step.allFinite()) return true;
    }
    return false;
  }
  void fill(Index n, double shift) {
    const double shared = pattern_.fractional > 0 ? ridge_ / pattern_.left : 0.0;
    for (Index b = 0; b < n; ++b) {
      const std::size_t j = std::size_t(active_[std::size_t(b)]);
      for (Index a = b; a < n; ++a) {
        const std::size_t i = std::size_t(active_[std::size_t(a)]);
        system_(a, b) = model_->hessian(Index(i), Index(j)) + shared * pattern_.sign[i] * pattern_.sign[j];
      }
      if (pattern_.kind[j] != Kind::fractional) system_(b, b) += ridge_;
      system_(b, b) += shift * (system_(b, b) + ridge_);
    }
  }

  bool accept(std::vector<double>& x, double& value, double step) {
    trial_ = x;
    bool moved = false;
    for (std::size_t a = 0; a < active_.size(); ++a) {
      const std::size_t i = std::size_t(active_[a]);
      double next = x[i] + step * step_[Index(a)];
      // The penalty of the pattern is not valid beyond a change of sign, so fractional features stop at 0.
      if (pattern_.kind[i] == Kind::fractional && next * pattern_.sign[i] <= 0) next = 0;
      moved = moved || next != x[i];
      trial_[i] = next;
    }
    if (!moved) return false;
    model_->slope_at(trial_, trial_slope_);
    const double paid = penalty(trial_), reached = model_->value_at(trial_, trial_slope_) + paid;
    if (!(reached < value)) return false;
    value = reached;
    penalty_at_ = paid;
    x.swap(trial_);
    slope_.swap(trial_slope_);
    return true;
  }

  // Like descend(), but only the zero with the largest slope becomes fractional.
  bool descend_with_one(std::vector<double>& x, double& value) {
    const Index worst = *std::max_element(violators_.begin(), violators_.end(), [this](Index a, Index b) {
      return std::abs(slope_[std::size_t(a)]) < std::abs(slope_[std::size_t(b)]);
    });
    set_pattern(x);
    one_.assign(1, worst);
    admit(one_);
    set_gradient(x);
    return descend(x, value);
  }

  // Takes accelerated proximal steps. Returns false if the value does not fall.
  bool take_proximal_steps(std::vector<double>& x, double& value) {
    const Index n = model_->size();
    double largest_row = 0;
    for (Index i = 0; i < n; ++i) largest_row = std::max(largest_row, model_->hessian.col(i).head(n).cwiseAbs().sum());
    if (!(largest_row > 0)) return false;
    const double length = 1 / largest_row;
    ahead_ = x;
    current_ = x;
    double momentum = 1, share_factor = 0;
    for (int step = 0; step < 60; ++step) {
      model_->slope_at(ahead_, trial_slope_);
      trial_ = ahead_;
      for (Index i = 0; i < n; ++i) trial_[std::size_t(i)] -= length * trial_slope_[std::size_t(i)];
      shrink(trial_, length, share_factor);
      const double next = 0.5 * (1 + std::sqrt(1 + 4 * momentum * momentum));
      for (std::size_t i = 0; i < trial_.size(); ++i) ahead_[i] = trial_[i] + (momentum - 1) / next * (trial_[i] - current_[i]);
      momentum = next;
      current_ = trial_;
    }
    model_->slope_at(current_, trial_slope_);
    const double paid = penalty(current_), reached = model_->value_at(current_, trial_slope_) + paid;
    if (!(reached < value)) return false;
    value = reached;
    penalty_at_ = paid;
    x = current_;
    slope_ = trial_slope_;
    return true;
  }

  // The proximal operator: z_j = clip(t |u_j| - s ridge, 0, 1) with sum z = places, x_j = z_j u_j / (z_j + s ridge). Neighbouring
  // steps have a similar t, so the search for it starts from that of the last one.
  void shrink(std::vector<double>& u, double s, double& t) const {
    const double weight = s * ridge_;
    double total = 0;
    Index free = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      if ((*sides_)[i] != Side::free || u[i] == 0) continue;
      total += std::abs(u[i]);
      ++free;
    }
    const bool all_whole = free <= places_;
    if (!all_whole) t = find_share_factor(u, weight, t > 0 ? t : (double(places_) + weight * double(free)) / total);
    for (std::size_t i = 0; i < u.size(); ++i) {
      const Side side = (*sides_)[i];
      const double z = side == Side::in    ? 1.0
                       : side == Side::out ? 0.0
                       : all_whole         ? 1.0
                                           : std::clamp(t * std::abs(u[i]) - weight, 0.0, 1.0);
      u[i] = z > 0 ? z * u[i] / (z + weight) : 0.0;
    }
  }
  // The t at which the shares use all places. Their sum is piecewise linear in t and does not decrease, so that Newton's method
  // is exact once it is on the right piece; a bracket keeps it from moving back and forth.
  double find_share_factor(const std::vector<double>& u, double weight, double t) const {
    const double places = double(places_);
    double low = 0, high = std::numeric_limits<double>::infinity();
    for (int iteration = 0; iteration < 100; ++iteration) {
      double sum = 0, slope = 0;
      for (std::size_t i = 0; i < u.size(); ++i) {
        if ((*sides_)[i] != Side::free) continue;
        const double size = std::abs(u[i]), share = t * size - weight;
        const bool inside = share > 0 && share < 1;
        sum += std::clamp(share, 0.0, 1.0);
        slope += inside ? size : 0.0;
      }
      if (std::abs(sum - places) <= 1e-13 * places) break;
      (sum > places ? high : low) = t;
      double next = slope > 0 ? t + (places - sum) / slope : 0.0;
      if (!(next > low && next < high)) next = std::isfinite(high) ? 0.5 * (low + high) : 2 * t;
      if (next == t) break;
      t = next;
    }
    return t;
  }

  const QuadraticModel* model_ = nullptr;
  const std::vector<Side>* sides_ = nullptr;
  Index places_ = 0;
  double ridge_ = 0;
  Pattern pattern_;
  std::vector<Sized> sorted_;
  bool settled_ = false;   // whether the predicted decrease of the last step was rounding
  double penalty_at_ = 0;  // the penalty of x
  std::vector<Index> active_, violators_, one_;
  std::vector<double> slope_, gradient_, trial_, trial_slope_, ahead_, current_;
  Eigen::MatrixXd system_;
  Eigen::VectorXd step_;
};

}  // namespace ksparse::proof
