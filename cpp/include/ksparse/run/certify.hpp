// Proofs of how far a fit can be from the best support: the definitions of certify and near_optimal.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../certificate.hpp"
#include "../entries.hpp"
#include "../glm/glm.hpp"
#include "../proof/tree.hpp"
#include "fit.hpp"

namespace ksparse {

namespace internal {

/// Refits supports exactly, as a fit does.
class SupportRefit {
 public:
  SupportRefit(const Design& design, const Problem& problem, const LossKernel& loss, const Options& options)
      : objective_(design, problem, loss, options, never_), cold_(options.k, objective_.largest_unit()) {
    // The first scan, at the empty support, chooses the units.
    NoSink sink;
    objective_.refit(cold_, exact_refit_goal());
    status_ = objective_.scan(cold_, {0, objective_.features(), nullptr}, Hessian::exact, sink);
    best.objective = std::numeric_limits<double>::infinity();
  }

  /// Refits the support of the fit whose distance from the best is to be proved.
  Status begin_at(const std::vector<Index>& support) {
    if (status_ != Status::converged) return status_;
    Iterate at = cold_;
    for (const Index unit : support) at.append(unit);
    return finish(at, best);
  }
  /// Returns F on a support of units, or infinity if F has no minimum on it.
  double operator()(const std::vector<Index>& support, FitResult& result) {
    if (!minimise(support, result)) return std::numeric_limits<double>::infinity();
    if (result.objective < best.objective) best = result;
    return result.objective;
  }
  /// Returns false if F has no minimum on the support. Where Newton's method ends early, F at its end is still that of a model.
  bool minimise(const std::vector<Index>& support, FitResult& result) {
    Iterate at = cold_;
    for (const Index unit : support) at.append(unit);
    const Status status = finish(at, result);
    const bool ended = status == Status::converged || status == Status::max_iterations || status == Status::stalled;
    return ended && std::isfinite(result.objective);
  }

  FitResult best;

 private:
  Status finish(Iterate& at, FitResult& result) {
    const Status status = objective_.refit(at, exact_refit_goal()).status;
    objective_.to_user(at, result);
    result.info.status = status;
    return status;
  }
  struct NoSink final : ScanSink {
    void begin_scan(const ScanPoint&) override {}
    void take_panel(const ScanPanel&) override {}
  };
  static RefitGoal exact_refit_goal() { return {std::numeric_limits<double>::infinity(), true, false, {}}; }

  const Interrupt never_;  // the owner of this class checks for interrupts between refits
  GlmObjective objective_;
  Iterate cold_;
  Status status_;
};

/// A message if no lower bound can be computed, which says why not and what would make it possible.
inline std::optional<std::string> no_bound(const LossKernel& loss, const Options& options, Index columns) {
  if (!loss.convex_below())
    return "nothing is known of a convex function below this loss, so no lower bound can be given; the built-in losses have "
           "one";
  const Constraints& constraints = options.constraints;
  for (Index j = 0; options.ridge == 0 && j < columns; ++j)
    if (!(std::isfinite(constraints.lower_of(j)) && std::isfinite(constraints.upper_of(j))))
      return "no lower bound can be given without a ridge penalty, since nothing limits the coefficient of feature " +
             std::to_string(j) +
             "; set a ridge, e.g. ridge=1e-2 for standardised columns, or bounds on both sides, e.g. bounds=(-5, 5)";
  return std::nullopt;
}

/// One run of certify or near_optimal.
class Prover {
 public:
  Prover(const Design& design, const Problem& problem, const LossKernel& loss, const Options& options,
         const ProofOptions& settings, Proof& proof)
      : options_(options),
        settings_(settings),
        proof_(proof),
        refit_(design, problem, loss, options),
        rows_(problem, loss.convex_below(), options.fit_intercept),
        columns_(design, Groups(options.constraints.groups, design.columns()), allowed(design), rows_.weight(),
                 options.fit_intercept),
        penalty_(options.ridge) {}

  void run(bool list, const Run& run) {
    const std::vector<Index> known = known_support();
    if (!begin(known)) return;
    set_bounds();
    std::vector<proof::Side> sides = sides_of_root();
    const Index possible =
        Index(std::count_if(sides.begin(), sides.end(), [](proof::Side s) { return s != proof::Side::out; }));
    const proof::Shared shared{rows_, columns_, penalty_, std::min(options_.k, possible)};
    proof::Target target;
    target.gap = settings_.max_gap * 0.999;  // the rest is for rounding
    if (list) target.within = settings_.within;
    target.node_bytes = settings_.memory;
    target.threads = run.threads;
    proof::Tree tree(
        shared, target,
        [this](const std::vector<Index>& support, std::vector<Index>& chosen) { return refit(support, chosen); }, known,
        proof_.fit.objective,
        [this](const std::vector<Index>& support, proof::Subproblem& node) { return move_to_minimum(support, node); });
    tree.start(std::move(sides), known);
    const ProofEnd end = search(tree, list, run.interrupt);
    finish(tree, end);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<char> allowed(const Design& design) const {
    std::vector<char> units(std::size_t(options_.constraints.units(design.columns())), 1);
    for (const Index unit : options_.constraints.excluded()) units[std::size_t(unit)] = 0;
    return units;
  }

  // The units of the fit to start from, and the required ones.
  std::vector<Index> known_support() const {
    std::vector<Index> units = options_.constraints.units_of(options_.start);
    for (const Index unit : options_.constraints.required())
      if (!std::binary_search(units.begin(), units.end(), unit))
        units.insert(std::lower_bound(units.begin(), units.end(), unit), unit);
    return units;
  }

  // Refits the fit to start from. Returns false if no proof is possible; the message of the proof then says why.
  bool begin(const std::vector<Index>& known) {
    const Status status = refit_.begin_at(known);
    proof_.fit = refit_.best;
    if (status == Status::interrupted) proof_.end = ProofEnd::interrupted;
    if (status != Status::converged)
      proof_.message = std::string("the fit to start from did not converge (") + to_string(status) + "): " + advice(status);
    else if (columns_.too_large())
      proof_.message = "X is too large for a proof: its columns would take more than 2 GB as doubles";
    return proof_.message.empty();
  }

  void set_bounds() {
    const Constraints& constraints = options_.constraints;
    if (!constraints.bounded()) return;
    std::vector<double> lower, upper;
    for (Index c = 0; c < columns_.columns(); ++c) {
      lower.push_back(constraints.lower_of(columns_.feature(c)));
      upper.push_back(constraints.upper_of(columns_.feature(c)));
    }
    penalty_.set_bounds(std::move(lower), std::move(upper));
  }

  std::vector<proof::Side> sides_of_root() const {
    std::vector<proof::Side> sides(std::size_t(columns_.units()), proof::Side::free);
    const std::vector<Index> required = options_.constraints.required();
    for (Index u = 0; u < columns_.units(); ++u) {
      const bool in = std::binary_search(required.begin(), required.end(), columns_.name(u));
      if (in) sides[std::size_t(u)] = proof::Side::in;
      if (!in && columns_.is_constant(u)) sides[std::size_t(u)] = proof::Side::out;
    }
    return sides;
  }

  // Refits a support, and removes units without a coefficient from `chosen`, which is the same support, as a fit does. Required
  // units stay.
  double refit(const std::vector<Index>& support, std::vector<Index>& chosen) {
    FitResult found;
    const double objective = refit_(support, found);
    const std::vector<Index> used = options_.constraints.units_of(found.support), required = options_.constraints.required();
    const auto holds = [](const std::vector<Index>& units, Index u) {
      return std::binary_search(units.begin(), units.end(), u);
    };
    chosen.erase(std::remove_if(chosen.begin(), chosen.end(), [&](Index u) { return !holds(used, u) && !holds(required, u); }),
                 chosen.end());
    return objective;
  }

  bool move_to_minimum(const std::vector<Index>& support, proof::Subproblem& node) {
    FitResult found;
    if (!refit_.minimise(support, found)) return false;
    for (Index c = 0; c < columns_.columns(); ++c) node.coef[std::size_t(c)] = found.coef[columns_.feature(c)];
    node.intercept = found.intercept;
    return true;
  }

  ProofEnd search(proof::Tree& tree, bool list, const Interrupt& interrupt) const {
    constexpr double between = 0.1;  // seconds
    const auto began = Clock::now();
    double told = -between;
    for (bool more = true; more;) {
      const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
      if (settings_.progress && (seconds >= told + between || tree.open() == 0)) {
        settings_.progress({seconds, tree.best(), tree.lower_bound(), tree.nodes(), tree.open()});
        told = seconds;
      }
      if (list && Index(tree.models().size()) > settings_.max_models) return ProofEnd::max_models;
      if (tree.open() == 0) break;
      if (settings_.max_seconds > 0 && seconds >= settings_.max_seconds) return ProofEnd::max_seconds;
      if (settings_.max_nodes > 0 && tree.nodes() >= settings_.max_nodes) return ProofEnd::max_nodes;
      if (interrupt && interrupt()) return ProofEnd::interrupted;
      more = tree.advance(interrupt);
    }
    return tree.open() > 0 ? ProofEnd::interrupted : ProofEnd::optimal;
  }

  void finish(const proof::Tree& tree, ProofEnd how) {
    proof_.improved = refit_.best.objective < proof_.fit.objective * (1 - tie);
    if (proof_.improved) proof_.fit = refit_.best;
    const double objective = proof_.fit.objective;
    proof_.nodes = tree.nodes();
    proof_.open = tree.open();
    proof_.lower_bound = std::min(tree.lower_bound(), objective);
    if (std::isfinite(tree.leaf_bound())) proof_.loss_gap = std::max(0.0, objective - tree.leaf_bound());
    proof_.end = how;
    for (const proof::ListedModel& model : tree.models())
      if (model.objective <= tree.cutoff()) proof_.models.push_back({model.support, model.objective});
    std::sort(proof_.models.begin(), proof_.models.end(), [](const NearOptimalModel& a, const NearOptimalModel& b) {
      return a.objective != b.objective ? a.objective < b.objective : a.units < b.units;
    });
  }

  const Options& options_;
  const ProofOptions& settings_;
  Proof& proof_;
  SupportRefit refit_;
  const proof::Rows rows_;
  proof::LiveColumns columns_;
  proof::Penalty penalty_;
};

inline Proof prove(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, const Options& given,
                   const std::vector<Index>& start, const ProofOptions& settings, bool list, const Run& run) {
  Proof proof;
  const CheckedDesign checked(*X, given);
  Options options = given;
  options.limit_k(X->columns());
  options.start = start;
  auto wrong = settings.problem();
  if (!wrong) wrong = broken_rule(checked, problem, loss, options, options.k);
  if (!wrong) wrong = no_bound(*loss, options, X->columns());
  if (wrong) {
    proof.message = std::move(*wrong);
    return proof;
  }
  Prover(*checked, problem, *loss, options, settings, proof).run(list, run);
  if (!list && proof.end == ProofEnd::optimal && proof.gap() > settings.max_gap)
    proof.end = loss->is_convex() ? ProofEnd::rounding : ProofEnd::convex_loss;
  return proof;
}

}  // namespace internal

KSPARSE_ENTRY Proof certify(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, const Options& options,
                            const std::vector<Index>& start, const ProofOptions& settings, const Run& run) {
  return internal::prove(X, problem, loss, options, start, settings, false, run);
}

KSPARSE_ENTRY Proof near_optimal(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, const Options& options,
                                 const std::vector<Index>& start, const ProofOptions& settings, const Run& run) {
  return internal::prove(X, problem, loss, options, start, settings, true, run);
}

}  // namespace ksparse
