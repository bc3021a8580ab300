// Solves the relaxation of a node until its bound prunes the node, or until it is clear that the bound will not. Each step
// minimises a quadratic model of L plus the exact penalty (pattern.hpp). At each point, a scan gives a bound (bound.hpp), and
// units are fixed in or out if the bound of the opposite side is above the cutoff.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bound.hpp"
#include "live_columns.hpp"
#include "model_solver.hpp"
#include "node.hpp"
#include "penalty.hpp"
#include "quadratic_model.hpp"
#include "rows.hpp"

namespace ksparse::proof {

enum class Verdict {
  pruned,  // no support of the node is better than the cutoff
  open,    // the node must be branched
  leaf,    // only one support is left, which is the units that are in; it may be better than the cutoff
};

/// The data that all threads share.
struct Shared {
  const Rows& rows;
  LiveColumns& columns;
  Penalty& penalty;
  Index k;

  /// Removes all units except the marked ones. This is only allowed before there are nodes.
  void keep(const std::vector<char>& units) const {
    std::vector<char> kept(std::size_t(columns.columns()), 0);
    for (Index u = 0; u < columns.units(); ++u)
      std::fill(kept.begin() + columns.begin(u), kept.begin() + columns.begin(u + 1), units[std::size_t(u)]);
    penalty.keep(kept);
    columns.keep(units);
  }
};

class Relaxation {
 public:
  explicit Relaxation(const Shared& shared)
      : shared_(shared),
        at_(shared.rows, shared.columns),
        bound_(shared.columns, shared.penalty),
        solver_(shared.penalty, shared.columns.single()) {}

  /// F of the relaxation at the last point, which is at least the minimum of the relaxation.
  double value() const noexcept { return value_; }
  const QuadraticModel& model() const noexcept { return node_model_; }
  /// Returns the smallest bound of the supports that were discarded by fixing or pruning since the last call.
  double take_discarded() noexcept {
    const double least = discarded_;
    discarded_ = infinity;
    return least;
  }

  /// Solves the relaxation, starting at the point of the node. The node is left open once value - bound is less than `share`
  /// times cutoff - bound.
  Verdict solve(Subproblem& node, double cutoff, double share) {
    evaluate(node);
    if (const auto verdict = prune_or_fix(node, cutoff); verdict != Verdict::open) return verdict;
    if (is_settled(node, cutoff, share)) return Verdict::open;
    return iterate(node, cutoff, share, nullptr);
  }

  /// Builds the quadratic model at the point of the node. Its children start with this model.
  Verdict linearise(Subproblem& node, double cutoff) {
    evaluate(node);
    const Verdict verdict = prune_or_fix(node, cutoff);
    if (verdict != Verdict::open) return verdict;
    if (is_leaf(node)) return iterate(node, cutoff, 0, nullptr);
    build_model(node, node_model_, source_);
    return verdict;
  }
  /// Raises the bound of the node to that at its point, if this is larger.
  void raise_bound(Subproblem& node) { evaluate(node); }
  /// Builds a model at the point of the root, from which models of other nodes can take their Hessian (begin_nodes). Returns false
  /// if that would save little.
  bool build_reference(Subproblem& root, QuadraticModel& reference) {
    if (!has_many_rows()) return false;
    evaluate(root);
    build_model(root, reference, nullptr, most_candidates);
    return is_hessian_expensive(reference.columns.size());
  }
  /// Ends the work on the root. Models of other nodes then take their Hessian from the reference, unless it is null.
  void begin_nodes(const QuadraticModel* reference) noexcept {
    at_root_ = false;
    source_ = reference;
  }
  /// Solves the relaxation of a child of the node that was linearised last. A value below the cutoff says that the child cannot be
  /// pruned; more steps would raise its bound, but that takes longer than the bounds of its own children.
  Verdict solve_child(Subproblem& child, double cutoff) { return iterate(child, cutoff, 1, &node_model_); }

  /// Returns the unit to branch on, for the node that was linearised last.
  Index choose_branch(const Subproblem& node, double cutoff) {
    set_places(node, node_model_);
    const Index place = solver_.choose_branch(node_model_, sides_, places_left(node), x_, cutoff - node.bound);
    if (place >= 0) return node_model_.units[std::size_t(place)];
    Index best = -1;  // if all free coefficients are 0, the unit with the largest gain
    for (Index u = 0; u < shared_.columns.units(); ++u)
      if (node.side[std::size_t(u)] == Side::free && (best < 0 || bound_.gain(u) > bound_.gain(best))) best = u;
    return best;
  }

  /// Finds the most promising support of the node that was linearised last, and returns F on it as the model predicts it.
  double foresee(const Subproblem& node, std::vector<Index>& support) {
    set_places(node, node_model_);
    support.clear();
    order_.clear();
    size_.assign(sides_.size(), 0.0);
    for (std::size_t u = 0; u < sides_.size(); ++u) {
      for (Index i = node_model_.start[u]; i < node_model_.start[u + 1]; ++i)
        size_[u] += x_[std::size_t(i)] * x_[std::size_t(i)];
      if (sides_[u] == Side::in) support.push_back(node_model_.units[u]);
      if (sides_[u] == Side::free && size_[u] > 0) order_.push_back(Index(u));
      if (sides_[u] == Side::free) sides_[u] = Side::out;
    }
    std::sort(order_.begin(), order_.end(), [this](Index a, Index b) {
      const double left = size_[std::size_t(a)], right = size_[std::size_t(b)];
      return left != right ? left > right : a < b;
    });
    if (const Index places = places_left(node); Index(order_.size()) > places) order_.resize(std::size_t(places));
    for (const Index u : order_) {
      sides_[std::size_t(u)] = Side::in;
      support.push_back(node_model_.units[std::size_t(u)]);
    }
    solver_.minimise(node_model_, sides_, 0, x_);
    node_model_.slope_at(x_, slopes_);
    return at_.value() + node_model_.value_at(x_, slopes_) +
           solver_.penalty({node_model_.columns, node_model_.start, sides_}, 0, x_);
  }

  Index places_left(const Subproblem& node) const { return shared_.k - node.count(Side::in); }

  static constexpr double share_of_root = 0.3;

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  static constexpr std::size_t most_candidates = 256;
  static constexpr double rounding = 1e-13;  // relative; values of F that differ by less are considered equal

  Verdict iterate(Subproblem& node, double cutoff, double share, const QuadraticModel* given) {
    double before = given || moved_ ? infinity : value_, gap_before = infinity;
    // The model from which the others take their Hessian as long as each step halves the distance between value and bound.
    const QuadraticModel* source = given ? given : source_;
    bool borrows = true;
    for (int iteration = 0; iteration < 60; ++iteration) {
      QuadraticModel& own = source == &own_models_[0] ? own_models_[1] : own_models_[0];
      const bool is_new = !given && !build_model(node, own, borrows ? source : nullptr);
      if (is_new) source = &own;
      if (is_new && at_root_) source_ = source;
      const QuadraticModel& model = given ? *given : own;
      given = nullptr;
      previous_ = node.coef;
      const double previous_intercept = node.intercept, bound_before = node.bound;
      take_step(model, node);
      evaluate(node);
      for (int halving = 0; halving < 12 && !(value_ <= before * (1 + rounding)); ++halving) {
        for (std::size_t c = 0; c < previous_.size(); ++c)
          if (node.coef[c] != previous_[c]) node.coef[c] = 0.5 * (node.coef[c] + previous_[c]);
        node.intercept = 0.5 * (node.intercept + previous_intercept);
        evaluate(node);
      }
      const Verdict verdict = prune_or_fix(node, cutoff);
      if (verdict != Verdict::open || is_settled(node, cutoff, share)) return verdict;
      const bool progressed = moved_ || value_ < before * (1 - rounding) || node.bound > bound_before;
      if (!progressed && (is_new || !borrows)) break;
      const double gap = value_ - bound_.value();
      borrows = progressed && (moved_ || gap < 0.5 * gap_before);
      gap_before = gap;
      before = moved_ ? infinity : value_;
    }
    return is_leaf(node) ? Verdict::leaf : Verdict::open;
  }

  // Whether the node has only one support. If there is a place for every free unit, these are fixed in.
  bool is_leaf(Subproblem& node) const {
    const Index places = places_left(node), free = node.count(Side::free);
    if (free > 0 && free <= places)
      for (Side& side : node.side)
        if (side == Side::free) side = Side::in;
    return places == 0 || free <= places;
  }

  Verdict prune_or_fix(Subproblem& node, double cutoff) {
    if (node.bound >= cutoff) {
      discarded_ = std::min(discarded_, node.bound);
      return Verdict::pruned;
    }
    fix(node, cutoff);
    if (is_leaf(node) && value_ - node.bound <= 1e-10 * std::abs(value_) && !moved_) return Verdict::leaf;
    return Verdict::open;
  }
  bool is_settled(Subproblem& node, double cutoff, double share) const {
    if (moved_ || is_leaf(node)) return false;
    const double gap = value_ - node.bound;
    return (value_ < cutoff && gap < share * (cutoff - node.bound)) || gap <= 1e-10 * std::abs(value_);
  }

  // Computes L, the slopes of all units that are not out, and the bound at the point of the node.
  void evaluate(Subproblem& node) {
    const LiveColumns& columns = shared_.columns;
    for (auto* list : {&point_.columns, &point_.units, &point_.listed, &point_.listed_columns}) list->clear();
    point_.coefs.clear();
    point_.start.assign(1, 0);
    for (Index u = 0; u < columns.units(); ++u) {
      const Side side = node.side[std::size_t(u)];
      const Index first = columns.begin(u), last = columns.begin(u + 1);
      if (side == Side::out) {
        std::fill(node.coef.begin() + first, node.coef.begin() + last, 0.0);
        continue;
      }
      point_.listed.push_back(u);
      bool active = side == Side::in;
      for (Index c = first; c < last; ++c) {
        point_.listed_columns.push_back(c);
        active = active || node.coef[std::size_t(c)] != 0;
      }
      if (!active) continue;
      for (Index c = first; c < last; ++c) {
        point_.columns.push_back(c);
        point_.coefs.push_back(node.coef[std::size_t(c)]);
      }
      point_.start.push_back(Index(point_.columns.size()));
      point_.units.push_back(u);
    }
    at_.evaluate(point_.columns.data(), point_.coefs.data(), Index(point_.columns.size()), node.intercept);
    slopes_.resize(point_.listed_columns.size());
    at_.gradient(point_.listed_columns.data(), Index(slopes_.size()), slopes_.data());
    const Index places = places_left(node);
    bound_.compute(at_, point_.listed, slopes_.data(), node, places);
    node.bound = std::max(node.bound, bound_.value());
    set_value(node);
    moved_ = false;
  }

  void set_value(const Subproblem& node) {
    sides_.clear();
    for (const Index u : point_.units) sides_.push_back(node.side[std::size_t(u)]);
    value_ = at_.value() + solver_.penalty({point_.columns, point_.start, sides_}, places_left(node), point_.coefs);
  }

  // Fixes free units in or out if the bound of the opposite side is above the cutoff.
  void fix(Subproblem& node, double cutoff) {
    bool any_in = false;
    for (const Index u : point_.listed) {
      Side& side = node.side[std::size_t(u)];
      if (side != Side::free) continue;
      if (const double bound = bound_.with_in(u); bound > cutoff) {
        side = Side::out;
        discarded_ = std::min(discarded_, bound);
        for (Index c = shared_.columns.begin(u); c < shared_.columns.begin(u + 1); ++c) {
          moved_ = moved_ || node.coef[std::size_t(c)] != 0;
          node.coef[std::size_t(c)] = 0;
        }
      } else if (const double without = bound_.with_out(u); without > cutoff) {
        side = Side::in;
        discarded_ = std::min(discarded_, without);
        any_in = true;
      }
    }
    if (any_in && !moved_) set_value(node);  // because fewer places are left for the other units
  }

  // Whether the Hessian for this number of columns takes much longer than an evaluation of the node: for 10000 rows and 300 of 1000
  // columns about 50 times as long. The Hessian of another node is then good enough.
  bool is_hessian_expensive(std::size_t size) const {
    return has_many_rows() && size * size > 8 * point_.listed_columns.size();
  }
  bool has_many_rows() const { return shared_.rows.rows >= 1000; }

  // Builds the model at the point that was evaluated last, with at least `candidates` units without a coefficient. Its Hessian is
  // that of `source` if there is one and a new one would be expensive. Returns whether it is.
  bool build_model(const Subproblem& node, QuadraticModel& model, const QuadraticModel* source, std::size_t candidates = 0) {
    candidates = std::max(candidates, std::size_t(std::min<Index>(places_left(node) + 4, 64)));
    if (source && is_hessian_expensive(point_.columns.size() + candidates)) {
      choose_units(node, candidates, source);
      list_units(node, model);
      if (model.borrow_hessian(*source, at_.total_curvature())) return true;
    }
    choose_units(node, candidates, nullptr);
    list_units(node, model);
    at_.hessian(model.columns.data(), model.size(), model.hessian, model.follow);
    model.curvature = at_.total_curvature();
    return false;
  }
  // Copies the chosen units, their columns, the point and the gradient there to the model.
  void list_units(const Subproblem& node, QuadraticModel& model) {
    const LiveColumns& columns = shared_.columns;
    model.columns.clear();
    model.units.clear();
    model.start.assign(1, 0);
    model.at.clear();
    std::size_t active = 0;
    for (Index u = 0; u < columns.units(); ++u) {
      if (!chosen_[std::size_t(u)]) continue;
      for (Index c = columns.begin(u); c < columns.begin(u + 1); ++c) {
        while (active < point_.columns.size() && point_.columns[active] < c) ++active;
        model.columns.push_back(c);
        model.at.push_back(active < point_.columns.size() && point_.columns[active] == c ? point_.coefs[active] : 0.0);
      }
      model.units.push_back(u);
      model.start.push_back(model.size());
    }
    model.gradient.resize(model.columns.size());
    at_.gradient(model.columns.data(), model.size(), model.gradient.data());
    model.intercept = node.intercept;
  }

  // Chooses the units of the model: those with a coefficient at the point (even if fixed out since then), and the units without one
  // (of those in `source`, if there is one) that have the largest gains: all that gain more than a unit with a coefficient, since they
  // will get one, but at least `candidates`.
  void choose_units(const Subproblem& node, std::size_t candidates, const QuadraticModel* source) {
    const LiveColumns& columns = shared_.columns;
    chosen_.assign(std::size_t(columns.units()), 0);
    if (source) {
      in_source_.assign(chosen_.size(), 0);
      for (const Index u : source->units) in_source_[std::size_t(u)] = 1;
    }
    order_.clear();
    std::size_t active = 0;
    double bar = infinity;
    for (const Index u : point_.listed) {
      while (active < point_.columns.size() && point_.columns[active] < columns.begin(u)) ++active;
      char& chosen = chosen_[std::size_t(u)];
      chosen = node.side[std::size_t(u)] == Side::in ||
               (active < point_.columns.size() && point_.columns[active] < columns.begin(u + 1));
      if (node.side[std::size_t(u)] != Side::free) continue;
      if (chosen)
        bar = std::min(bar, 0.9 * bound_.gain(u));
      else if (bound_.gain(u) > 0 && (!source || in_source_[std::size_t(u)]))
        order_.push_back(u);
    }
    const auto gains_more = [this](Index a, Index b) {
      return bound_.gain(a) != bound_.gain(b) ? bound_.gain(a) > bound_.gain(b) : a < b;
    };
    const auto entering = std::count_if(order_.begin(), order_.end(), [&](Index u) { return bound_.gain(u) > bar; });
    const std::size_t most = std::clamp(std::size_t(entering), candidates, most_candidates);
    if (order_.size() > most) {
      std::nth_element(order_.begin(), order_.begin() + std::ptrdiff_t(most), order_.end(), gains_more);
      order_.resize(most);
    }
    for (const Index u : order_) chosen_[std::size_t(u)] = 1;
  }

  // Copies the coefficients and sides of a node in the order of a model.
  void set_places(const Subproblem& node, const QuadraticModel& model) {
    sides_.clear();
    x_.clear();
    for (const Index u : model.units) sides_.push_back(node.side[std::size_t(u)]);
    for (const Index c : model.columns) x_.push_back(node.coef[std::size_t(c)]);
  }

  void take_step(const QuadraticModel& model, Subproblem& node) {
    set_places(node, model);
    solver_.minimise(model, sides_, places_left(node), x_);
    for (std::size_t i = 0; i < x_.size(); ++i) node.coef[std::size_t(model.columns[i])] = x_[i];
    node.intercept = model.intercept_at(x_);
  }

  /// The point that was evaluated last.
  struct Point {
    std::vector<Index> units, columns, start;   // units that are in or have a coefficient, their columns, where each begins
    std::vector<double> coefs;                  // coefficients of these columns
    std::vector<Index> listed, listed_columns;  // units that are not out, and their columns
  };

  const Shared& shared_;
  RowsAt at_;
  Bound bound_;
  ModelSolver solver_;
  QuadraticModel node_model_, own_models_[2];
  const QuadraticModel* source_ = nullptr;  // the reference; at the root, the last model with a Hessian of its own
  bool at_root_ = true;
  Point point_;
  double value_ = 0, discarded_ = infinity;
  bool moved_ = false;  // a coefficient was set to 0 since the last evaluation
  std::vector<Index> order_;
  std::vector<double> slopes_, previous_, x_, size_;
  std::vector<Side> sides_;
  std::vector<char> chosen_, in_source_;
};

}  // namespace ksparse::proof
