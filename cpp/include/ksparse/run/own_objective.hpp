// Fits and paths for a custom objective.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../entries.hpp"
#include "../groups.hpp"
#include "../search/drive.hpp"
#include "../search/objective.hpp"
#include "../search/path.hpp"
#include "../search/search.hpp"
#include "fit.hpp"

namespace ksparse {

namespace internal {

/// Checks for an interrupt before each call of another objective.
class StoppableObjective final : public Objective {
 public:
  StoppableObjective(Objective& objective, const Interrupt& interrupt) : objective_(objective), interrupt_(interrupt) {}

  Index features() const override { return objective_.features(); }
  Index largest_unit() const override { return objective_.largest_unit(); }
  double perfect_objective() const override { return objective_.perfect_objective(); }
  bool can_sample() const override { return objective_.can_sample(); }
  ModelAccuracy model_accuracy() const override { return objective_.model_accuracy(); }
  RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) override {
    if (interrupt_ && interrupt_()) return {Status::interrupted};
    return objective_.refit(iterate, goal);
  }
  Status scan(const Iterate& iterate, const Columns& columns, Hessian hessian, ScanSink& sink) override {
    if (interrupt_ && interrupt_()) return Status::interrupted;
    return objective_.scan(iterate, columns, hessian, sink);
  }

 private:
  Objective& objective_;
  const Interrupt& interrupt_;
};

/// A message if the settings of a fit are invalid for an objective.
inline std::optional<std::string> broken_rule(const Objective& objective, const Options& options, Index columns,
                                              Index smallest_k) {
  if (columns < 1) return "the objective has no features";
  if (auto wrong = options.problem()) return wrong;
  if (auto wrong = options.constraints.problem(columns, smallest_k)) return wrong;
  const Groups groups(options.constraints.groups, columns);
  if (groups.units() != objective.features() || groups.stride() > objective.largest_unit())
    return "groups makes " + std::to_string(groups.units()) + " units of up to " + std::to_string(groups.stride()) +
           " columns, but the objective has " + std::to_string(objective.features()) + " of up to " +
           std::to_string(objective.largest_unit());
  return options.problem_of_start(columns);
}

inline Index columns_of(const Objective& objective, const Options& options) {
  return options.constraints.groups.empty() ? objective.features() : Index(options.constraints.groups.size());
}

/// Sets the coefficients of all columns, in the units of the objective, and the chosen columns, even if a coefficient is 0.
inline void take_coefficients(const Options& options, Index columns, const Iterate& iterate, FitResult& result) {
  const Groups groups(options.constraints.groups, columns);
  const Columns chosen{0, iterate.size(), iterate.support.data()};
  std::vector<Index> starts;
  groups.list(chosen, result.support, starts);
  Eigen::VectorXd coef(Index(result.support.size()));
  groups.gather(chosen, iterate.coef.data(), coef.data());
  result.coef = Eigen::VectorXd::Zero(columns);
  for (std::size_t i = 0; i < result.support.size(); ++i) result.coef[result.support[i]] = coef[Index(i)];
  std::sort(result.support.begin(), result.support.end());
  result.intercept = iterate.intercept;
  result.objective = iterate.objective;
}

}  // namespace internal

KSPARSE_ENTRY FitResult fit(Objective& objective, const Options& given, const Run& run) {
  const Index columns = internal::columns_of(objective, given);
  if (auto wrong = internal::broken_rule(objective, given, columns, given.k)) return refused(columns, std::move(*wrong));
  Options options = given;
  options.limit_k(columns);
  options.walks = 1;
  internal::StoppableObjective answering(objective, run.interrupt);
  Search search(answering, options);
  drive(search, answering);
  FitResult result;
  result.info = search.info();
  internal::take_coefficients(options, columns, search.engine().current(), result);
  return result;
}

KSPARSE_ENTRY std::vector<FitResult> fit_path(Objective& objective, std::vector<Index> ks, const Options& given,
                                              const Run& run) {
  const Index columns = internal::columns_of(objective, given);
  if (auto wrong = internal::problem_of(ks)) return {refused(columns, std::move(*wrong))};
  Options options = given;
  options.k = ks.back();
  options.walks = 1;
  if (auto wrong = internal::broken_rule(objective, options, columns, ks.front())) return {refused(columns, std::move(*wrong))};
  const std::size_t asked = ks.size();
  internal::limit(ks, options, columns);
  ProgressCounter counter(run.progress, Index(asked), run.interrupt);
  const Interrupt interrupt = counter.interrupt();
  internal::StoppableObjective answering(objective, interrupt);
  Path path(answering, options, ks);
  path.count_by(counter);
  std::vector<FitResult> results = internal::run_path(path, columns, asked, counter, [&](const Iterate& at, FitResult& result) {
    internal::take_coefficients(options, columns, at, result);
  });
  counter.finish();
  return results;
}

}  // namespace ksparse
