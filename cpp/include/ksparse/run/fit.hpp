// One fit, and a path of fits over k.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../entries.hpp"
#include "../glm/glm.hpp"
#include "../glm/gram_objective.hpp"
#include "../options.hpp"
#include "../problem.hpp"
#include "../result.hpp"
#include "../search/drive.hpp"
#include "../search/path.hpp"
#include "../search/search.hpp"
#include "../util/parallel.hpp"
#include "../util/progress.hpp"
#include "../util/workers.hpp"

namespace ksparse {

/// The result for invalid input.
inline FitResult refused(Index columns, std::string message) {
  FitResult result;
  result.coef = Eigen::VectorXd::Zero(columns);
  result.info.status = Status::invalid_input;
  result.info.message = std::move(message);
  return result;
}

inline void note_bad_entry(const GlmObjective& objective, Info& info) {
  if (info.status != Status::invalid_input) return;
  info.bad_row = objective.bad_row();
  info.bad_column = objective.bad_column();
  if (info.bad_row < 0)
    info.message = "bounds of feature " + std::to_string(info.bad_column) +
                   " must hold 0, the coefficient of a column that is as good as constant";
  else
    info.message = "X[" + std::to_string(info.bad_row) + ", " + std::to_string(info.bad_column) + "] is not finite";
}

/// X after a check of its storage. It is copied by columns if that is useful, for many problems or for groups, whose members
/// are read one by one.
class CheckedDesign {
 public:
  CheckedDesign(const Design& design, Index problems, bool groups) : CheckedDesign(design, problems >= many || groups) {}
  CheckedDesign(const Design& design, const Options& options) : CheckedDesign(design, !options.constraints.groups.empty()) {}
  CheckedDesign(const CheckedDesign&) = delete;
  CheckedDesign& operator=(const CheckedDesign&) = delete;

  const Design& operator*() const noexcept { return *design_; }
  const Design* operator->() const noexcept { return design_; }
  const std::optional<std::string>& problem() const noexcept { return problem_; }

 private:
  static constexpr Index many = 32;  // a copy takes as long as a few fits, and saves a small part of the time of each

  CheckedDesign(const Design& design, bool by_columns) : design_(&design), problem_(design.problem()) {
    if (problem_ || !by_columns) return;
    by_columns_ = design.by_columns();
    if (by_columns_) design_ = by_columns_.get();
  }

  const Design* design_;
  std::shared_ptr<const Design> by_columns_;
  std::optional<std::string> problem_;
};

/// A message if the arguments of a fit are invalid, else nullopt.
inline std::optional<std::string> broken_rule(const CheckedDesign& design, const Problem& problem, const AnyLoss& loss,
                                              const Options& options, Index smallest_k) {
  if (auto wrong = options.problem()) return wrong;
  if (!loss) return "the problem has no loss";
  if (auto wrong = loss->problem()) return wrong;
  if (auto wrong = problem.problem(design->rows(), loss->responses())) return wrong;
  if (design.problem()) return design.problem();
  if (auto wrong = options.constraints.problem(design->columns(), smallest_k)) return wrong;
  return options.problem_of_start(design->columns());
}

namespace internal {

/// A result with numbers that exceed the range of a double, such as squares of responses of 1e200, counts as a failure.
inline void check_range(const GlmObjective& objective, const Iterate& iterate, FitResult& result) {
  const bool finite = std::isfinite(result.objective) && std::isfinite(result.intercept) && result.coef.allFinite();
  if (!(finite && objective.is_in_range(iterate)) && result.info.status != Status::interrupted &&
      result.info.status != Status::invalid_input)
    result.info.status = Status::numerical_failure;
}

/// What the scans of a search say of all supports of at most k units.
inline void take_bound(const GlmObjective& objective, Index k, FitResult& result) {
  const bool answered = result.info.status != Status::interrupted && result.info.status != Status::invalid_input &&
                        result.info.status != Status::numerical_failure;
  result.lower_bound =
      answered ? std::min(objective.lower_bound(k), result.objective) : std::numeric_limits<double>::quiet_NaN();
}

/// The result of a search for k units that has ended.
inline void take_answer(const Search& search, const GlmObjective& objective, Index k, FitResult& result) {
  objective.to_user(search.engine().current(), result);
  result.info = search.info();
  note_bad_entry(objective, result.info);
  check_range(objective, search.engine().current(), result);
  take_bound(objective, k, result);
}

}  // namespace internal

struct Workspace::Memory {
  Options options;
  GlmObjective objective;
  Search search;
  FitResult result;
};

KSPARSE_ENTRY Workspace::Workspace() : memory_(std::make_unique<Memory>()) {}
KSPARSE_ENTRY Workspace::~Workspace() = default;
KSPARSE_ENTRY Workspace::Workspace(Workspace&&) noexcept = default;
KSPARSE_ENTRY Workspace& Workspace::operator=(Workspace&&) noexcept = default;

KSPARSE_ENTRY const FitResult& Workspace::fit(const AnyDesign& X, const Problem& problem, const AnyLoss& loss,
                                              const Options& options, const Run& run) {
  if (!memory_) memory_ = std::make_unique<Memory>();  // moved from
  auto& [own, objective, search, result] = *memory_;
  const CheckedDesign checked(*X, options);
  if (auto wrong = broken_rule(checked, problem, loss, options, options.k))
    return result = refused(X->columns(), std::move(*wrong));
  own = options;
  own.limit_k(checked->columns());
  own.walks = 1;
  objective.reset(*checked, problem, *loss, own, run.interrupt);
  search.reset(objective, own);
  search.reserve();
  drive(search, objective);
  internal::take_answer(search, objective, own.k, result);
  return result;
}

namespace internal {

/// One walk of a search, with valid arguments.
inline FitResult fit_by_one_walk(const Design& design, const Problem& problem, const LossKernel& loss, const Options& options,
                                 const Interrupt& interrupt, int threads) {
  FitResult result;
  Workers workers(threads);
  GlmObjective objective(design, problem, loss, options, interrupt, RowRanges(0, &workers));
  const auto by_gram = GramObjective::if_worthwhile(objective, design, loss, options, 1);
  Objective& answering = by_gram ? static_cast<Objective&>(*by_gram) : objective;
  Search search(answering, options);
  drive(search, answering);
  take_answer(search, objective, options.k, result);
  return result;
}

/// The best result of several walks (the first one among ties), with the total work.
inline FitResult best_of(std::vector<FitResult> ends) {
  const auto better = [](const FitResult& a, const FitResult& b) {
    const bool ended = a.info.status == Status::converged;
    return ended != (b.info.status == Status::converged) ? ended : a.objective < b.objective * (1 - tie);
  };
  const std::size_t best = std::size_t(std::min_element(ends.begin(), ends.end(), better) - ends.begin());
  Info total = ends[best].info;
  for (std::size_t i = 0; i < ends.size(); ++i)
    if (i != best) {
      total.add(ends[i].info, !better(ends[best], ends[i]));
      ends[best].lower_bound = std::fmax(ends[best].lower_bound, ends[i].lower_bound);
    }
  ends[best].info = std::move(total);
  return std::move(ends[best]);
}

}  // namespace internal

KSPARSE_ENTRY FitResult fit(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, const Options& given,
                            const Run& run) {
  const CheckedDesign checked(*X, given);
  if (auto wrong = broken_rule(checked, problem, loss, given, given.k)) return refused(X->columns(), std::move(*wrong));
  Options options = given;
  options.limit_k(X->columns());
  if (options.walks == 1) return internal::fit_by_one_walk(*checked, problem, *loss, options, run.interrupt, run.threads);
  std::vector<FitResult> ends(std::size_t(options.walks));
  const auto walk = [&](Index number, const Interrupt& stopped) {
    ends[std::size_t(number)] = internal::fit_by_one_walk(*checked, problem, *loss, options.of_walk(int(number)), stopped, 1);
  };
  if (!for_each_task(options.walks, run.threads, run.interrupt, walk)) {
    FitResult stopped = refused(X->columns(), {});
    stopped.info.status = Status::interrupted;
    return stopped;
  }
  return internal::best_of(std::move(ends));
}

namespace internal {

/// A message if the ks of a path are invalid.
inline std::optional<std::string> problem_of(const std::vector<Index>& ks) {
  const bool increasing = std::adjacent_find(ks.begin(), ks.end(), std::greater_equal<Index>()) == ks.end();
  if (!ks.empty() && increasing && ks.front() >= 0) return std::nullopt;
  return "ks must be an increasing list of at least one number >= 0";
}

/// Replaces each k above the number of units by that number, which is fitted once.
inline void limit(std::vector<Index>& ks, Options& options, Index columns) {
  options.limit_k(columns);
  ks.erase(std::lower_bound(ks.begin(), ks.end(), options.k), ks.end());
  ks.push_back(options.k);
}

/// Runs a path. Returns a result for each requested k, to which take(iterate, result) adds the coefficients, or a single result
/// that says why there is no path.
template <class Take>
std::vector<FitResult> run_path(Path& path, Index columns, std::size_t asked, ProgressCounter& counter, const Take& take) {
  if (!path.run()) {
    FitResult failed = refused(columns, {});
    failed.info = path.info();
    return {failed};
  }
  std::vector<FitResult> results;
  for (const Path::Entry& entry : path.entries()) {
    FitResult result;
    result.info = path.info();  // the work of the whole path
    result.info.status = entry.status;
    result.info.rounds = entry.report.rounds;
    result.info.restarts = entry.report.restarts;
    result.info.times_found = entry.report.times_found;
    take(entry.iterate, result);
    results.push_back(std::move(result));
  }
  for (; results.size() < asked; results.push_back(FitResult(results.back()))) counter.count();
  return results;
}

/// fit_path with a number of threads and a counter of fits. `seeds` are fits of a similar problem to start from, one for each
/// k, or null.
inline std::vector<FitResult> fit_path(const CheckedDesign& design, const Problem& problem, const AnyLoss& loss,
                                       std::vector<Index> ks, Options options, const Interrupt& interrupt, int threads,
                                       const std::vector<CompactFit>* seeds, ProgressCounter& counter) {
  if (auto wrong = problem_of(ks)) return {refused(design->columns(), std::move(*wrong))};
  options.k = ks.back();
  options.walks = 1;
  if (auto wrong = broken_rule(design, problem, loss, options, ks.front()))
    return {refused(design->columns(), std::move(*wrong))};
  const std::size_t asked = ks.size();
  limit(ks, options, design->columns());
  Workers workers(threads);
  GlmObjective objective(*design, problem, *loss, options, interrupt, RowRanges(0, &workers));
  const auto by_gram = GramObjective::if_worthwhile(objective, *design, *loss, options, Index(ks.size()));
  Path path(by_gram ? static_cast<Objective&>(*by_gram) : objective, options, ks);
  path.count_by(counter);
  if (seeds)
    path.seed_by([&] {
      std::vector<Iterate> iterates;
      for (std::size_t i = 0; i < ks.size(); ++i) {
        const CompactFit& seed = (*seeds)[i];
        iterates.push_back(objective.from_user(seed.support, seed.coef, seed.intercept));
      }
      return iterates;
    });
  std::vector<FitResult> results =
      run_path(path, design->columns(), asked, counter, [&](const Iterate& iterate, FitResult& result) {
        objective.to_user(iterate, result);
        check_range(objective, iterate, result);
      });
  for (std::size_t i = 0; i < results.size(); ++i) take_bound(objective, ks[std::min(i, ks.size() - 1)], results[i]);
  note_bad_entry(objective, results.front().info);
  return results;
}

}  // namespace internal

KSPARSE_ENTRY std::vector<FitResult> fit_path(const AnyDesign& X, const Problem& problem, const AnyLoss& loss,
                                              const std::vector<Index>& ks, const Options& options, const Run& run) {
  ProgressCounter counter(run.progress, Index(ks.size()), run.interrupt);
  const Interrupt asked = counter.interrupt();
  std::vector<FitResult> results =
      internal::fit_path(CheckedDesign(*X, options), problem, loss, ks, options, asked, run.threads, nullptr, counter);
  counter.finish();
  return results;
}

}  // namespace ksparse
