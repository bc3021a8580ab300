// The objective of one problem with X in memory. Refits are passes over gathered columns, and scans are passes over X. This
// file composes the parts, each of which has its own header (glm.hpp lists them).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "../design/design.hpp"
#include "../groups.hpp"
#include "../loss/kernel.hpp"
#include "../options.hpp"
#include "../problem.hpp"
#include "../search/objective.hpp"
#include "../util/interruption.hpp"
#include "active_columns.hpp"
#include "active_model.hpp"
#include "column_reader.hpp"
#include "column_store.hpp"
#include "group_scan.hpp"
#include "linearisation.hpp"
#include "refit.hpp"
#include "row_ranges.hpp"
#include "rows.hpp"
#include "scan.hpp"
#include "scan_bound.hpp"
#include "storage.hpp"
#include "unit_choice.hpp"
#include "unit_of_responses.hpp"
#include "units.hpp"

namespace ksparse {

class GlmObjective final : public Objective {
 public:
  GlmObjective() = default;  // to be reset
  /// The arguments, except for the views of the problem, must exist until this object is destroyed or reset. Sums over rows are
  /// divided into `ranges`.
  GlmObjective(const Design& design, const Problem& problem, const LossKernel& loss, const Options& options,
               const Interrupt& interrupt, const RowRanges& ranges = RowRanges()) {
    reset(design, problem, loss, options, interrupt, ranges);
  }
  GlmObjective(const GlmObjective&) = delete;  // it points into itself
  GlmObjective& operator=(const GlmObjective&) = delete;

  /// Starts a new problem, as if newly made. It allocates only memory that it does not have.
  void reset(const Design& design, const Problem& problem, const LossKernel& loss, const Options& options,
             const Interrupt& interrupt, const RowRanges& ranges = RowRanges()) {
    const Index p = design.columns();
    const ResponseUnits responses = loss.units(unit_of_responses(problem, loss, options.fit_intercept));
    loss_in_units_ = responses.response == 1 ? nullptr : loss.in_units(responses.response);
    loss_ = loss_in_units_ ? loss_in_units_.get() : &loss;
    interruption_.reset(interrupt);
    groups_.reset(options.constraints.groups, p);
    capacity_ = groups_.most_columns(options.places(groups_.units()));
    units_.reset(responses, options, p);
    rows_.reset(problem, *loss_, responses, options.fit_intercept);
    storage_.choose(design, rows_, may_reduce(), capacity_, interruption_);
    const Index chosen = groups_.most_columns(options.k);
    columns_.reset(storage_.source(), units_, rows_);
    store_.reset(columns_, storage_.room(chosen, capacity_), capacity_, ranges, interruption_);
    active_.reset(rows_, store_, groups_, capacity_, storage_.reduced_rows());
    linearisation_.reset(*loss_, active_, capacity_, ranges, interruption_);
    refit_.reset(linearisation_, rows_, options, capacity_);
    // Columns of a panel; of groups, as many as fit, one at least.
    const Index entries = std::min(std::max(largest_panel, groups_.stride()), p);
    storage_.connect(linearisation_, rows_, {entries, capacity_, chosen, groups_.single() ? 0 : groups_.stride()});
    choice_.reset(units_, rows_, linearisation_);
    model_.reset(linearisation_, !groups_.single(), capacity_);
    bound_.reset(units_, rows_, groups_, linearisation_, options, p);
    scan_.reset(model_, units_, choice_, storage_, bound_, entries, capacity_);
    if (!groups_.single()) group_scan_.reset(model_, groups_, storage_, scan_, bound_, entries, p);
  }

  Index features() const override { return groups_.units(); }
  Index largest_unit() const override { return groups_.stride(); }
  RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) override { return refit_.run(iterate, goal); }
  Status scan(const Iterate& iterate, const Columns& columns, Hessian hessian, ScanSink& sink) override {
    return groups_.single() ? scan_.run(iterate, columns, hessian, sink) : group_scan_.run(iterate, columns, sink);
  }
  double perfect_objective() const override { return refit_.perfect_objective(); }
  bool can_sample() const override { return storage_.sampled() != nullptr; }
  ModelAccuracy model_accuracy() const override { return units_.bounded() ? ModelAccuracy::rough : loss_->model_accuracy(); }

  /// Whether a batch may run scans in parts, with scan_parts().
  bool scans_by_blocks() const noexcept { return groups_.single() && storage_.sums_blocks(); }
  Scan& scan_parts() noexcept { return scan_; }
  /// Before the first scan: see UnitChoice.
  void share_moments(ColumnMoments& moments) { choice_.share(moments); }

  /// Coefficients of the user's columns from an iterate in units.
  void to_user(const Iterate& iterate, FitResult& result) const { units_.to_user(iterate, groups_, result); }
  /// No support of at most k units has a lower F than this, in the user's units, by the scans so far; NaN where they say nothing.
  double lower_bound(Index k) const noexcept {
    const double bound = bound_.of(k);
    return std::isfinite(bound) ? units_.to_user(bound) : std::numeric_limits<double>::quiet_NaN();
  }
  /// F in the user's units.
  double to_user(double objective) const noexcept { return units_.to_user(objective); }
  /// Whether F, which is of order one here, is not so large that losses were held from overflowing (stable.hpp).
  bool is_in_range(const Iterate& iterate) const noexcept { return iterate.objective < 1e250; }
  /// The inverse of the first conversion, after the first scan has chosen the units. Features that can never enter are left
  /// out.
  Iterate from_user(const std::vector<Index>& support, const Eigen::Ref<const Eigen::VectorXd>& coef, double intercept) const {
    Iterate iterate(std::min(capacity_, groups_.units()), groups_.stride());
    units_.from_user(support, coef, intercept, groups_, iterate);
    return iterate;
  }

  // Access for another objective of the same rows (gram_objective.hpp).
  const Units& units() const noexcept { return units_; }
  const Rows& rows() const noexcept { return rows_; }
  const ColumnReader& columns() const noexcept { return columns_; }
  Linearisation& linearisation() noexcept { return linearisation_; }
  ScanBound& bound() noexcept { return bound_; }
  bool interrupted() { return interruption_.asked(); }

  Index bad_row() const noexcept { return choice_.bad_row(); }
  Index bad_column() const noexcept { return choice_.bad_column(); }

 private:
  // Whether rows that agree in all active columns are alike, and many enough to be worth the trouble.
  bool may_reduce() const {
    return loss_->is_binary() && groups_.single() && !rows_.offset().size() && rows_.count() > 16 * Pack::size;
  }

  std::shared_ptr<const LossKernel> loss_in_units_;  // if y is in a unit of its own
  const LossKernel* loss_ = nullptr;
  Interruption interruption_;
  Groups groups_;
  Index capacity_ = 0;  // most active columns
  Units units_;
  Rows rows_;
  Storage storage_;
  ColumnReader columns_;
  ColumnStore store_;
  ActiveColumns active_;
  Linearisation linearisation_;
  Refit refit_;
  UnitChoice choice_;
  ActiveModel model_;
  ScanBound bound_;
  Scan scan_;
  GroupScan group_scan_;
};

}  // namespace ksparse
