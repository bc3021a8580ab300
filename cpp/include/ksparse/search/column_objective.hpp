// A base class for objectives that work with columns and their coefficients, whether columns enter one by one or in groups. It
// handles groups and bounds for the search; a derived class implements three functions of columns.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <utility>
#include <vector>

#include "../constraints.hpp"
#include "../groups.hpp"
#include "active_hessian.hpp"
#include "objective.hpp"

namespace ksparse {

class ColumnObjective : public Objective {
 public:
  /// Takes the groups and bounds from the constraints of the fit.
  ColumnObjective(Index columns, Constraints constraints)
      : constraints_(std::move(constraints)), groups_(constraints_.groups, columns) {}

  Index features() const final { return groups_.units(); }
  Index largest_unit() const final { return groups_.stride(); }

  RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) final {
    const Columns units = take_active(iterate);
    announce(goal.likely, false);
    const RefitOutcome outcome = refit_columns(active_, coef_, iterate.objective, goal);
    groups_.scatter(units, coef_.data(), iterate.coef.data());
    if (has_intercept()) iterate.intercept = coef_[Index(active_.size())];
    return outcome;
  }

  Status scan(const Iterate& iterate, const Columns& units, Hessian, ScanSink& sink) final {
    take_active(iterate);
    announce(units, true);
    const Index d = coef_.size();
    model_.reserve(d, constraints_.bounded());
    if (const Status status = begin_scan(active_, coef_, {model_.gradient(d), model_.hessian(d)}); status != Status::converged)
      return status;
    sink.begin_scan(invert());
    const bool bounded = constraints_.bounded();
    const Index per_panel = std::max<Index>(1, largest_panel / groups_.stride());
    for (Index begin = 0; begin < units.count; begin += per_panel) {
      const Columns panel = units.slice(begin, std::min(per_panel, units.count - begin));
      groups_.list(panel, asked_, asked_starts_);
      const bool single = groups_.single();
      const Status status = scan_columns(asked_, single ? nullptr : &asked_starts_, panel_);
      if (status != Status::converged) return status;
      if (bounded) take_bounds(asked_);
      sink.take_panel({panel, panel_.gradient, panel_.curvature, panel_.cross, bounded ? lower_.data() : nullptr,
                       bounded ? upper_.data() : nullptr, single ? nullptr : asked_starts_.data(),
                       single ? nullptr : &panel_.blocks});
    }
    return Status::converged;
  }

 protected:
  using List = std::vector<Index>;

  /// F at the point of a scan, by the d active coefficients, the intercept last.
  struct Point {
    Eigen::Ref<Eigen::VectorXd> gradient;  // (d,) F'
    Eigen::Ref<Eigen::MatrixXd> hessian;   // (d, d) F'', positive semi-definite; the lower triangle is read
  };
  /// The result of a scan for some columns.
  struct Panel {
    Eigen::ArrayXd gradient, curvature;  // (columns,) F' and F''; a curvature of 0 for a column that can never enter
    Eigen::MatrixXd cross;               // (columns, d) H between them and the active columns
    Eigen::MatrixXd blocks;              // (columns, stride) with groups: H between each and the columns of its group
  };

  /// Minimises over the coefficients of the active columns, starting at their current values, and sets F, which never
  /// increases.
  virtual RefitOutcome refit_columns(const List& active, Eigen::VectorXd& coef, double& objective, const RefitGoal& goal) = 0;
  /// Sets the point of the following scans of panels. Returns converged, interrupted or invalid_input, like the next function.
  virtual Status begin_scan(const List& active, const Eigen::VectorXd& coef, Point point) = 0;
  /// Sets what a scan says of some columns. Starts: with groups, where the columns of each begin (groups + 1,), else null.
  virtual Status scan_columns(const List& columns, const List* starts, Panel& panel) = 0;

  /// Whether there is an intercept, which is then the last coefficient, after those of the active columns.
  virtual bool has_intercept() const { return false; }
  /// Called before a refit with the columns that this or the next refits may add, and before a scan with those that it covers.
  virtual void expect(const List& /*columns*/, bool /*scanned*/) {}

  /// Columns of the largest group; 1 without groups.
  Index stride() const noexcept { return groups_.stride(); }

 private:
  Columns take_active(const Iterate& iterate) {
    const Columns units{0, iterate.size(), iterate.support.data()};
    groups_.list(units, active_, starts_);
    coef_.resize(Index(active_.size()) + has_intercept());
    groups_.gather(units, iterate.coef.data(), coef_.data());
    if (has_intercept()) coef_[Index(active_.size())] = iterate.intercept;
    return units;
  }
  void announce(const Columns& units, bool scanned) {
    groups_.list(units, asked_, asked_starts_);
    expect(asked_, scanned);
  }
  // The model at the point of the scan, whose derivatives are set.
  ScanPoint invert() {
    const Index d = coef_.size();
    const bool holds = constraints_.bounded() && groups_.single();
    if (holds) take_bounds(active_);
    model_.invert(d, Index(active_.size()), coef_.data(), holds ? lower_.data() : nullptr, holds ? upper_.data() : nullptr);
    return groups_.single() ? model_.point(d) : model_.point_of_groups(d, starts_.data());
  }
  void take_bounds(const List& columns) {
    lower_.clear();
    upper_.clear();
    for (const Index column : columns) {
      lower_.push_back(constraints_.lower_of(column));
      upper_.push_back(constraints_.upper_of(column));
    }
  }

  const Constraints constraints_;
  const Groups groups_;
  List active_, starts_;  // columns of the current iterate, and where those of each place begin
  Eigen::VectorXd coef_;  // of the active columns
  ActiveHessian model_;
  List asked_, asked_starts_;  // columns of the current panel, and where those of each unit begin
  Panel panel_;
  std::vector<double> lower_, upper_;  // of the active columns, and then of the panel's
};

}  // namespace ksparse
