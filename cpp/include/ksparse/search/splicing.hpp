// The search for the best support of at most k features, as a resumable state machine: it requests a refit of a support or a
// scan of features at a point, receives the results, and does not know how they are computed (objective.hpp). It is an explicit
// machine rather than a set of C++20 coroutines because C++17 compilers must do, and its state is then plain data that a batch
// can hold by the thousand.
//
//   1. refit the empty support, scan all features, keep the best few as the working set
//   2. grow inside the working set: refit, scan, add the best entries by their exact sacrifice
//   3. exchange inside the working set until no exchange that the pair model proposes lowers F
//   4. scan all features, try exchanges; after a success renew the working set and go to 3. With many rows, the scan of all
//      features uses a Hessian of a sample of them, and those that it finds best are scanned exactly (sub-sampled Newton).
//
// This is one descent from the empty support. A descent may also start from any other support (descend_from), like the rounds
// of a longer search and the entries of a path. polish() refits the result to the user's tolerance.
//
// This file has the phases, and what follows from the result of a request. The results of a scan are in findings.hpp, how
// supports grow and shrink is in growth.hpp, and which exchanges are tried is in exchanges.hpp. A scan of the working set
// (working_set.hpp) costs a small fraction of one of all features, so that large data see few passes over X. The pair model
// (Zhu et al., PNAS 2020, for the sacrifices; the joint form is ours) is described in sacrifice_model.hpp.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <vector>

#include "../options.hpp"
#include "../util/assert.hpp"
#include "exchanges.hpp"
#include "findings.hpp"
#include "growth.hpp"
#include "objective.hpp"
#include "phase.hpp"
#include "position.hpp"
#include "working_set.hpp"

namespace ksparse {

class Splicing final : public ScanSink {
 public:
  enum class Question { refit, scan, done };

  Splicing() = default;  // to be reset
  /// options.k is the largest number of features of any descent. A memory, if given, must exist as long as the engine. Supports
  /// that are known to be no better are then not refitted, and a descent ends when it reaches a support of an earlier one.
  Splicing(const Objective& objective, const Options& options, SupportMemory* memory = nullptr,
           Begin begin = Begin::with_descent) {
    reset(objective, options, memory, begin);
  }

  /// Whether searches for up to k features scan all of them with a sampled Hessian first.
  static bool samples(const Objective& objective, Index k) {
    return objective.can_sample() && objective.features() > 4 * (candidate_count + std::min(k, objective.features()));
  }

  /// Prepares for another objective. It allocates only if it needs more memory than before.
  void reset(const Objective& objective, const Options& options, SupportMemory* memory = nullptr,
             Begin begin = Begin::with_descent);

  // Commands, which are only allowed when the engine is done. Each descent has a number, which later descents of the same
  // search, with the same memory, report if they reach one of its supports.

  /// Starts a descent from a support (with any coefficients) to at most k features.
  void descend_from(const Iterate& start, Index k, Reach reach, int number) {
    KSPARSE_ASSERT(is_done(), "descend_from: the engine is not done");
    KSPARSE_ASSERT(start.coef.size() == current().coef.size(),
                   "descend_from: the start has room for another number of features");
    begin_descent(k, reach, number);
    // The scans did not choose this support, and nearly equal features may be among it.
    if (start.size() > 1) growth_.must_be_checked();
    position_.trial() = start;
    ask_refit(Phase::grow);
  }
  /// Starts a descent to k features from the whole working set for k, from which features are removed. If the working set
  /// separates the classes, the descent starts from the empty support.
  void descend_from_many(Index k, int number) {
    KSPARSE_ASSERT(is_done(), "descend_from_many: the engine is not done");
    begin_descent(k, Reach::global, number);
    adopt(null_model());
    working_set_.restore_promises();
    working_set_.set_size_for(k);
    working_set_.renew(active());
    KSPARSE_ASSERT(working_set_.size() <= findings_.places(), "descend_from_many: the engine is for smaller supports");
    start_from_many();
  }
  /// Continues the descent with exchanges with any feature.
  void descend_further() {
    KSPARSE_ASSERT(is_done(), "descend_further: the engine is not done");
    reach_ = Reach::global;
    exchange_with_any();
  }
  /// Refits every exchange of one feature to convergence, whatever the model predicts, unless this was done before. Descends
  /// further from the first exchange that is better.
  void try_all_exchanges(int number) {
    KSPARSE_ASSERT(is_done(), "try_all_exchanges: the engine is not done");
    begin_descent(current().size(), Reach::global, number);
    exchanges_.begin_all();
    try_next_of_all();
  }
  /// Refits the current support to the user's tolerance; its status is that of the fit.
  void polish() {
    KSPARSE_ASSERT(is_done(), "polish: the engine is not done");
    position_.try_from_current();
    ask_refit(Phase::polish);
  }
  /// Makes this the current point.
  void adopt(const Iterate& iterate) {
    KSPARSE_ASSERT(is_done(), "adopt: the engine is not done");
    position_.trial() = iterate;
    position_.announce_trial();
    position_.take_trial();
  }
  /// Makes later descents part of the search that this memory belongs to, or of no search if it is null.
  void follow(SupportMemory* memory) {
    KSPARSE_ASSERT(is_done(), "follow: the engine is not done");
    position_.trail().follow(memory);
  }
  /// Scans all features at the empty support again and chooses the working set of a search for k features.
  void survey_again(Index k) {
    KSPARSE_ASSERT(is_done(), "survey_again: the engine is not done");
    working_set_.set_size_for(k);
    budget_ = 0;
    position_.trial() = null_model();
    ask_refit(Phase::null_model);
  }
  /// Access to the working set, to restore it, to add to it, or to choose it again.
  WorkingSet& working_set() {
    KSPARSE_ASSERT(is_done(), "working_set: the engine is not done");
    return working_set_;
  }

  Question question() const noexcept { return question_; }

  // Request refit: minimise over trial() to the accuracy goal(), then pass on the result.
  Iterate& trial() {
    KSPARSE_ASSERT(question_ == Question::refit, "trial: the engine did not ask for a refit");
    return position_.trial();
  }
  const RefitGoal& goal() const noexcept { return goal_; }
  void answer_refit(const RefitOutcome& outcome);

  // Request scan: scan columns() at current(), with this object as the sink of the panels, then pass on the status.
  const Iterate& current() const noexcept { return position_.current(); }
  Columns columns() const noexcept;
  Hessian hessian() const noexcept { return phase_ == Phase::screen ? Hessian::sampled : Hessian::exact; }
  void begin_scan(const ScanPoint& point) override;
  void take_panel(const ScanPanel& panel) override;
  void answer_scan(Status status);

  // Request done: current() is the end of the descent.
  const Info& info() const noexcept { return info_; }
  /// The number of the earlier descent that the last one joined, or -1 if it joined none.
  int joined() const noexcept { return position_.trail().joined(); }
  /// The refit of the required features, or of the empty support if there are none, from which descents start by default.
  const Iterate& null_model() const noexcept { return position_.null_model(); }
  const WorkingSet& working_set() const noexcept { return working_set_; }
  const ActiveSet& active() const noexcept { return position_.active(); }
  const Roles& roles() const noexcept { return active().roles(); }
  /// F below this counts as 0 and ends a search.
  double perfect_objective() const noexcept { return perfect_objective_; }
  /// How well the predictions of the model agree with refits.
  ModelAccuracy model_accuracy() const noexcept { return exchanges_.model_accuracy(); }
  /// The number of possible exchanges of one feature at the current point.
  Index exchanges() const noexcept { return position_.exchanges(); }

  /// What the last scan found.
  const Findings& findings() const noexcept { return findings_; }
  /// The place of the feature whose removal increases F least, or -1 if none may be removed.
  Index weakest_place() const { return findings_.model().weakest_place(active()); }

 private:
  void begin_descent(Index k, Reach reach, int number);
  void ask_refit(Phase phase);
  void ask_scan(Phase phase);
  void finish(Status status);

  // The next step after the result of a request, for each phase.
  void after_null_model(const RefitOutcome& outcome);
  void after_entry(const RefitOutcome& outcome);
  void after_exchange(const RefitOutcome& outcome);
  void after_one_of_all(const RefitOutcome& outcome);
  void after_survey();
  void after_shrink_scan();

  void start_from_many();
  void grow_or_exchange();
  void exchange();
  void try_next_of_all();
  void exchange_in_working_set() { ask_scan(working_set_.covers_all() ? Phase::global : Phase::local); }
  void exchange_with_any() { ask_scan(screens() ? Phase::screen : Phase::global); }
  bool screens() const noexcept { return samples_ && !working_set_.covers_all(); }
  bool holds_too_many() const noexcept { return position_.exceeds(budget_); }
  // An objective of 0 cannot be lowered, and a descent that joins an earlier one would only repeat it.
  bool ends_at(const RefitOutcome& outcome) {
    return outcome.status == Status::separable || outcome.perfect || (current().size() == budget_ && position_.trail().joins());
  }
  bool is_done() const noexcept { return question_ == Question::done; }

  // Features scanned exactly after a sampled scan of all.
  static constexpr Index candidate_count = 64;

  bool samples_ = false;  // scans all features with a sampled Hessian first
  double perfect_objective_ = 0;
  Phase phase_ = Phase::null_model;
  Question question_ = Question::refit;
  RefitGoal goal_;
  Info info_;
  Index budget_ = 0;  // most features of the present descent
  Reach reach_ = Reach::global;
  Position position_;
  WorkingSet working_set_;
  Findings findings_;  // of the last scan
  Growth growth_;
  Exchanges exchanges_;
};

inline void Splicing::reset(const Objective& objective, const Options& options, SupportMemory* memory, Begin begin) {
  const Index features = objective.features(), unit = objective.largest_unit(), places = options.places(features);
  samples_ = samples(objective, options.k);
  perfect_objective_ = objective.perfect_objective();
  phase_ = Phase::null_model;
  question_ = Question::refit;
  goal_ = {};
  info_ = {};
  budget_ = begin == Begin::with_descent ? std::min(options.k, features) : 0;
  reach_ = Reach::global;
  position_.reset(options.constraints, features, places, unit, memory);
  working_set_.reset(features, std::min(options.k, features), samples_ ? candidate_count + places : 0);
  findings_.reset(places, unit, features,
                  std::max<Index>({options.pairs_tried, options.pairs_tried_last, 1, places / Growth::part_entering}));
  growth_.reset(unit == 1 ? places : 0);
  exchanges_.reset(options, objective.model_accuracy());
}

inline void Splicing::begin_descent(Index k, Reach reach, int number) {
  budget_ = std::min(k, findings_.places());
  reach_ = reach;
  position_.trail().begin(number);
  growth_.begin_descent();
}

// ----------------------------------------------------------------------------------------------------------------- questions

inline void Splicing::ask_refit(Phase phase) {
  phase_ = phase;
  question_ = Question::refit;
  position_.announce_trial();
  goal_.bar = std::numeric_limits<double>::infinity();
  goal_.exact = phase == Phase::polish;
  goal_.rough = phase == Phase::grow && position_.trial().size() < budget_;
}

inline void Splicing::ask_scan(Phase phase) {
  phase_ = phase;
  question_ = Question::scan;
  exchanges_.begin_scan();
}

inline void Splicing::finish(Status status) {
  info_.status = status;
  phase_ = Phase::done;
  question_ = Question::done;
}

inline Columns Splicing::columns() const noexcept {
  if (phase_ == Phase::shrink) return {0, 0, working_set_.members().data()};
  if (phase_ == Phase::global && screens()) return working_set_.candidates();
  return scan_of(phase_) == ScanOf::working_set ? working_set_.columns() : working_set_.all();
}

// ------------------------------------------------------------------------------------------------------------ after a refit

inline void Splicing::answer_refit(const RefitOutcome& outcome) {
  KSPARSE_ASSERT(question_ == Question::refit, "answer_refit: the engine did not ask for a refit");
  ++info_.refits;
  info_.newton_iterations += outcome.newton_iterations;
  if (outcome.status == Status::interrupted) return finish(Status::interrupted);
  const bool lost = phase_ == Phase::grow && growth_.is_lost(position_);
  if (!goal_.rough && !lost)
    position_.trail().learn(outcome.abandoned ? goal_.bar : position_.trial().objective * (1 - least_gain),
                            !outcome.abandoned && outcome.status == Status::converged);
  if (lost) {
    growth_.enter_at_zero(position_);
    return ask_refit(Phase::grow);
  }
  switch (phase_) {
    case Phase::null_model: return after_null_model(outcome);
    case Phase::many:
      // If the features separate the classes or fit perfectly, there are no coefficients to start from, so it starts from none.
      if (outcome.status == Status::converged && !outcome.perfect) {
        position_.take_trial();
        growth_.must_be_checked();
      }
      return grow_or_exchange();
    case Phase::grow: return after_entry(outcome);
    case Phase::local:
    case Phase::global: return after_exchange(outcome);
    case Phase::all: return after_one_of_all(outcome);
    case Phase::polish: position_.take_trial(); return finish(outcome.status);
    case Phase::survey:
    case Phase::shrink:
    case Phase::screen:
    case Phase::done: return finish(Status::numerical_failure);  // an answer that was not asked for
  }
}

inline void Splicing::after_null_model(const RefitOutcome& outcome) {
  if (outcome.status == Status::numerical_failure) return finish(Status::numerical_failure);
  position_.take_trial();
  position_.keep_null_model();
  ask_scan(Phase::survey);
}

inline void Splicing::after_entry(const RefitOutcome& outcome) {
  growth_.entered();
  position_.take_trial();
  if (!holds_too_many() && ends_at(outcome)) return finish(Status::converged);
  grow_or_exchange();
}

inline void Splicing::after_exchange(const RefitOutcome& outcome) {
  const bool better = !outcome.abandoned && position_.trial().objective <= goal_.bar;
  exchanges_.tried(better);
  if (better) {
    position_.take_trial();
    if (ends_at(outcome)) return finish(Status::converged);
    // A new scan of the working set is cheap, and better than the rest of an old list. A pass over all of X is not cheap.
    if (phase_ == Phase::local || working_set_.covers_all()) return ask_scan(phase_);
  }
  exchange();
}

inline void Splicing::after_one_of_all(const RefitOutcome& outcome) {
  // A refit that does not converge does not make a support better, however low F is. This happens with nearly equal columns.
  const bool ended = outcome.status == Status::converged || outcome.status == Status::separable;
  if (!ended || !(position_.trial().objective <= current().objective * (1 - least_gain))) return try_next_of_all();
  position_.take_trial();
  if (ends_at(outcome)) return finish(Status::converged);
  exchange_with_any();
}

inline void Splicing::grow_or_exchange() {
  if (holds_too_many() || growth_.is_unchecked()) return ask_scan(Phase::shrink);
  if (current().size() < budget_) return ask_scan(Phase::grow);
  if (reach_ == Reach::grow || budget_ == 0 || active().holds_all_allowed()) return finish(Status::converged);
  exchange_in_working_set();
}

// ------------------------------------------------------------------------------------------------------------- after a scan

inline void Splicing::begin_scan(const ScanPoint& point) {
  KSPARSE_ASSERT(question_ == Question::scan, "begin_scan: the engine did not ask for a scan");
  findings_.begin(current(), point, scan_of(phase_), current().size() == budget_ && budget_ > 0);
  if (phase_ == Phase::shrink) growth_.set(current(), point);
}

inline void Splicing::take_panel(const ScanPanel& panel) {
  KSPARSE_ASSERT(question_ == Question::scan, "take_panel: the engine did not ask for a scan");
  findings_.take(panel, active());
  if (scan_of(phase_) == ScanOf::working_set) return;
  for (Index c = 0; c < panel.columns.count; ++c) working_set_.note(panel.columns[c], findings_.promise(c));
}

inline void Splicing::answer_scan(Status status) {
  KSPARSE_ASSERT(question_ == Question::scan, "answer_scan: the engine did not ask for a scan");
  const bool of_all = columns().list == nullptr;
  info_.scans += of_all;
  if (status != Status::converged) return finish(status);
  if (phase_ == Phase::shrink) return after_shrink_scan();
  if (phase_ == Phase::survey) return after_survey();
  if (phase_ == Phase::screen) {
    working_set_.choose_candidates(candidate_count + current().size(), active());
    return ask_scan(Phase::global);
  }
  findings_.end(of_all);
  if (current().size() >= budget_) {
    exchanges_.begin(current(), reach_ == Reach::local ? ScanOf::working_set : scan_of(phase_));
    return exchange();
  }
  // The working set has the most promising features. If none of them lowers F, the support remains smaller.
  if (findings_.proposals().size() == 0) return finish(Status::converged);
  growth_.enter(findings_, budget_, position_);
  ask_refit(Phase::grow);
}

inline void Splicing::after_survey() {
  const std::vector<Index>& required = active().roles().required();
  if (!required.empty() && null_model().support.empty()) {
    // The first scan must be at the empty support. From here on, every search starts with the required features.
    position_.trial() = null_model();
    for (const Index feature : required) position_.trial().append(feature);
    return ask_refit(Phase::null_model);
  }
  working_set_.survey(active());
  if (budget_ > Options::few) return start_from_many();
  grow_or_exchange();
}

inline void Splicing::start_from_many() {
  Iterate& trial = position_.try_from_current();
  for (const Index j : working_set_.members())
    if (active().may_enter(j) && working_set_.promise(j) > 0) trial.append(j);
  ask_refit(Phase::many);
}

inline void Splicing::after_shrink_scan() {
  if (growth_.shrink(findings_, budget_, position_) > 0) return ask_refit(Phase::grow);
  if (holds_too_many()) return finish(Status::numerical_failure);
  grow_or_exchange();
}

inline void Splicing::exchange() {
  if (exchanges_.next(findings_, position_)) {
    ask_refit(phase_);
    goal_.bar = std::min(current().objective * (1 - least_gain), exchanges_.bar());
    return;
  }
  if (phase_ == Phase::local) return reach_ == Reach::local ? finish(Status::converged) : exchange_with_any();
  if (!exchanges_.improved()) return finish(Status::converged);
  working_set_.renew(active());
  exchange_in_working_set();
}

inline void Splicing::try_next_of_all() {
  if (!exchanges_.next_of_all(position_)) return finish(Status::converged);
  ask_refit(Phase::all);
}

}  // namespace ksparse
