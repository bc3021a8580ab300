// The features that could replace a chosen one, and the objective with each of them, which helps to interpret a model with
// correlated features.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "../entries.hpp"
#include "../glm/glm.hpp"
#include "../search/active_set.hpp"
#include "../search/sacrifice.hpp"
#include "fit.hpp"

namespace ksparse {

namespace internal {

// The best replacements in one scan of all features.
class ReplacementScan final : public ScanSink {
 public:
  ReplacementScan(const Iterate& at, const Constraints& constraints, Index units, Index width)
      : replacements(at.size(), width),
        at_(at),
        active_(constraints, units),
        model_(make_sacrifice_model(at.size(), at.stride, units)),
        proposals_(1, model_->move_size()) {
    active_.set(at.support);
  }

  void begin_scan(const ScanPoint& point) override { model_->set(at_, point); }
  void take_panel(const ScanPanel& panel) override {
    model_->evaluate(panel);
    model_->propose_exchanges(panel, active_, proposals_, &replacements);
  }

  Replacements replacements;

 private:
  const Iterate& at_;
  ActiveSet active_;
  const std::unique_ptr<SacrificeModel> model_;
  ProposalList proposals_;
};

constexpr RefitGoal exact_refit{std::numeric_limits<double>::infinity(), true};

// Refits `trial` with another unit in one place, starting at its coefficients. Without the replaced unit, the others may lead
// to linear predictors so extreme that the refit does not end, or ends above F of the model without features. It then starts
// again from `cold`, which is that model.
inline Status refit_in_place(GlmObjective& objective, const Iterate& cold, Index place, Index unit, Iterate& trial) {
  const auto ended = [](Status status) { return status == Status::converged || status == Status::separable; };
  trial.replace(place, unit);
  const Status status = objective.refit(trial, exact_refit).status;
  if (status == Status::interrupted || (ended(status) && trial.objective <= cold.objective * (1 + tie))) return status;
  Iterate again = cold;
  again.replace(place, unit);
  const Status second = objective.refit(again, exact_refit).status;
  if (second == Status::interrupted) return second;
  const bool better = ended(second) != ended(status) ? ended(second) : again.objective < trial.objective;
  if (!better) return status;
  trial = std::move(again);
  return second;
}

}  // namespace internal

KSPARSE_ENTRY Alternatives alternatives(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, Options options,
                                        const std::vector<Index>& support, Index count, const Run& run) {
  Alternatives answer;
  options.k = Index(support.size());
  const CheckedDesign checked(*X, options);
  auto wrong = broken_rule(checked, problem, loss, options, options.k);
  if (!wrong && options.k > options.constraints.units(X->columns())) wrong = "support names a feature twice";
  if (!wrong && count < 1) wrong = "count must be >= 1, got " + std::to_string(count);
  if (wrong) {
    answer.info.status = Status::invalid_input;
    answer.info.message = std::move(*wrong);
    return answer;
  }
  GlmObjective objective(*checked, problem, *loss, options, run.interrupt);
  const Index units = objective.features();
  for (const Index unit : support)
    if (unit < 0 || unit >= units) {
      answer.info.status = Status::invalid_input;
      answer.info.message = "support names feature " + std::to_string(unit);
      return answer;
    }
  count = std::min(count, units);  // there are no more; and twice a larger number may overflow
  const auto stopped = [&](Status status) {
    answer.info.status = status;
    if (status == Status::interrupted || status == Status::numerical_failure || status == Status::invalid_input) {
      note_bad_entry(objective, answer.info);
      return true;
    }
    return false;
  };
  // The first scan, at the empty support, chooses the units.
  Iterate at(options.k, objective.largest_unit());
  internal::ReplacementScan first(at, options.constraints, units, 1);
  if (stopped(objective.refit(at, internal::exact_refit).status)) return answer;
  if (stopped(objective.scan(at, {0, units, nullptr}, Hessian::exact, first))) return answer;
  Iterate cold = at;
  at.support = cold.support = support;
  at.coef.setZero();
  cold.coef.setZero();
  if (stopped(objective.refit(at, internal::exact_refit).status)) return answer;
  internal::ReplacementScan scan(at, options.constraints, units, std::min(2 * count, units));
  if (stopped(objective.scan(at, {0, units, nullptr}, Hessian::exact, scan))) return answer;
  for (Index place = 0; place < at.size(); ++place) {
    std::vector<Alternative> refitted;
    for (Index rank = 0; rank < scan.replacements.count(place); ++rank) {
      Iterate trial = at;
      const Index replacement = scan.replacements.at(place, rank).feature;
      const Status status = internal::refit_in_place(objective, cold, place, replacement, trial);
      if (stopped(status)) return answer;
      refitted.push_back({support[std::size_t(place)], replacement, objective.to_user(trial.objective), status});
    }
    std::stable_sort(refitted.begin(), refitted.end(),
                     [](const Alternative& a, const Alternative& b) { return a.objective < b.objective; });
    if (Index(refitted.size()) > count) refitted.resize(std::size_t(count));
    answer.choices.insert(answer.choices.end(), refitted.begin(), refitted.end());
  }
  answer.info.status = Status::converged;
  return answer;
}

}  // namespace ksparse
