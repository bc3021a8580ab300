// The search for the best support of at most k features, as a resumable state machine: it asks to refit a support or to scan
// features at a point, is told the answers, and never learns who answers (objective.hpp). An explicit machine rather than
// C++20 coroutines: C++17 compilers must do, and the state is then plain data that a batch can hold by the thousand.
//
//   1. refit the empty support, scan all features, keep the best few as the working set
//   2. grow inside the working set: refit, scan, add the best entries by their exact sacrifice
//   3. exchange inside the working set until no exchange that the pair model proposes lowers F
//   4. scan all features, try exchanges; after a success renew the working set and go to 3. With many rows, the scan of all
//      features uses a Hessian of a sample of them, and those that it finds best are scanned exactly (sub-sampled Newton).
//
// That is one descent, from nothing. Others may start from any support (descend_from), as rounds of a longer search and the
// entries of a path do; polish() refits the answer to the user's tolerance.
//
// A scan of the working set costs a small fraction of one of all features, so that large data see few passes over X.
// Pair model (Zhu et al., PNAS 2020, for the sacrifices; the joint form is ours): sacrifice.hpp.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "../options.hpp"
#include "leaving.hpp"
#include "objective.hpp"
#include "sacrifice.hpp"
#include "support_memory.hpp"

namespace ksparse {

/// How far a descent goes.
enum class Reach {
  grow,    // until the support is full
  local,   // and until no exchange within the working set helps
  global,  // and none with any feature
};

class Splicing final : public ScanSink, private MoveRules {
 public:
  enum class Question { refit, scan, done };

  Splicing() = default;  // to be reset
  /// A descent from the empty support; options.k is the most that any descent of this engine may use. A memory, if given,
  /// outlives the engine: supports known to be no better are not refitted, and a descent that comes upon the way of an
  /// earlier one ends there.
  Splicing(const Objective& objective, const Options& options, SupportMemory* memory = nullptr);
  /// The same, but only up to `first` features and to the given reach at first.
  Splicing(const Objective& objective, const Options& options, SupportMemory* memory, Reach reach, Index first);

  /// Whether searches for up to k features scan all of them with a sampled Hessian first.
  static bool samples(const Objective& objective, Index k) {
    return objective.can_sample() && objective.features() > 4 * (candidate_count + std::min(k, objective.features()));
  }

  /// As newly made for another objective; allocates only what it does not have.
  void reset(const Objective& objective, const Options& options, SupportMemory* memory = nullptr);
  void reset(const Objective& objective, const Options& options, SupportMemory* memory, Reach reach, Index first);

  /// Once done: a descent from a support (with any coefficients) to at most k features.
  void descend_from(const Iterate& start, Index k, Reach reach);
  /// Once done: a descent to k features from the working set that the last survey chooses for so many, out of which features
  /// leave; from none, if these separate the classes.
  void descend_from_many(Index k);
  /// Once done: goes on to exchanges with any feature.
  void descend_further();
  /// Once done: refits every exchange of one feature to its end, unless that was done before, whatever the model foresees of
  /// it, and descends further from the first that is better.
  void try_all_exchanges();
  /// How many exchanges of one feature there are at the current point.
  Index exchanges() const noexcept { return current_.size() * (features_ - current_.size()); }
  /// Whether what the model foresees of an exchange is what a refit would find.
  bool foresees_exactly() const noexcept { return foresight_ == Foresight::exact; }
  bool foresees_roughly() const noexcept { return foresight_ == Foresight::rough; }
  /// Once done: refits the current support to the user's tolerance; its status is that of the fit.
  void polish();
  /// Once done: descents are counted from 0 again, with another memory; or go on with one that was used before, in which case
  /// the descents that it knows are those of its own search.
  void begin_search(SupportMemory* memory);
  void resume_search(SupportMemory* memory);
  /// Once done: scans all features at the empty support again and chooses the working set of a search for k features.
  void survey_again(Index k);
  /// Once done: puts the working set back to that of the last survey.
  void restore_survey() { working_ = surveyed_; }
  /// Once done: chooses the working set of a search for k features by what the last scan of all promised.
  void renew_working_set(Index k);
  /// Once done: the working set holds these as well.
  void add_to_working_set(const std::vector<Index>& features);
  /// Once done: makes this the current point; polish() then refits it.
  void adopt(const Iterate& iterate);

  Question question() const noexcept { return question_; }

  // refit: minimise over trial() to goal(), then answer.
  Iterate& trial() noexcept { return trial_; }
  const RefitGoal& goal() const noexcept { return goal_; }
  void answer_refit(const RefitOutcome& outcome);

  // scan: columns() at current(), panels to this sink, then answer.
  const Iterate& current() const noexcept { return current_; }
  Columns columns() const noexcept;
  Hessian hessian() const noexcept { return phase_ == Phase::screen ? Hessian::sampled : Hessian::exact; }
  void begin_scan(const ScanPoint& point) override;
  void take_panel(const ScanPanel& panel) override;
  void answer_scan(Status status);

  // done: current() is where the descent ended.
  const Info& info() const noexcept { return info_; }
  /// The earlier descent, counted from 0, upon whose way the last one came, or -1: it went its own way.
  int joined() const noexcept { return joined_; }
  int descents() const noexcept { return descents_; }
  /// The refit of the features that must be in (none, without constraints), from which every descent from nothing starts.
  const Iterate& null_model() const noexcept { return null_model_; }
  const std::vector<Index>& working_set() const noexcept { return working_; }
  Index working_size() const noexcept { return working_size_; }
  /// F that is as good as 0, at which a search ends.
  double perfect_objective() const noexcept { return perfect_objective_; }
  /// What the last scan of all features foresaw of others in the place of each active feature.
  const StandIns& stand_ins() const noexcept { return stand_ins_; }
  bool is_required(Index feature) const noexcept { return role_[std::size_t(feature)] == Role::required; }
  bool is_excluded(Index feature) const noexcept { return role_[std::size_t(feature)] == Role::excluded; }
  /// By how much F is foreseen to rise when the feature at a place leaves, at the last scan.
  double leaving_loss(Index place) const { return model_->leaving_loss(place); }

 private:
  enum class Phase {
    null_model,  // refit of the empty support
    survey,      // first scan of all features
    many,        // refit of the working set
    shrink,      // of a support that is too large, or may hold combinations of features, a scan of nothing but the point
    grow,        // refits and scans of the working set until the support is full
    local,       // exchanges within the working set
    screen,      // sampled scan of all features
    global,      // exchanges with any feature, or any that passed the screen
    all,         // every exchange there is, in turn
    polish,      // the answer, to the user's tolerance
    done,
  };

  bool may_enter(Index feature) const override { return !is_active(feature) && !is_excluded(feature); }
  bool may_leave(Index place) const override { return !is_required(current_.support[std::size_t(place)]); }

  enum class Role : char { free, required, excluded };

  void ask_refit(Phase phase);
  void ask_scan(Phase phase);
  void grow_or_exchange();
  void start_from_many();
  void shrink();
  void enter_best();
  void enter_several(Index count);
  Index entries_at_once() const noexcept;
  // Those that must be in are, whatever the budget.
  bool holds_too_many() const noexcept { return current_.size() > std::max(budget_, Index(required_.size())); }
  bool nothing_may_enter() const noexcept { return current_.size() + excluded_ == features_; }
  bool rose_on_entry() const noexcept;
  bool is_hopeless(const Proposal& proposal) const;
  void try_next_exchange();
  bool try_several_exchanges();
  void list_exchanges();
  bool is_large() const noexcept { return current_.size() > Options::few; }
  Index most_tried() const noexcept;
  void try_next_of_all();
  void list_likely();
  void choose_working_set();
  void choose_best(Index size, std::vector<Index>& chosen);
  void scan_beyond_working_set() { ask_scan(screens() ? Phase::screen : Phase::global); }
  bool screens() const noexcept { return samples_ && !covers_all(); }
  void finish(Status status);
  bool covers_all() const noexcept { return Index(working_.size()) == features_; }
  double rank_of(Index feature) const noexcept {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return is_active(feature) ? infinity : !is_excluded(feature) ? score_[std::size_t(feature)] : -infinity;
  }
  bool is_active(Index feature) const noexcept { return position_[std::size_t(feature)] >= 0; }
  void adopt_trial();
  bool joins_an_earlier_descent();
  SupportMemory::Key key_after(const Proposal& proposal) const;

  // Accept only what is lower by more than the accuracy of a refit, so that rounding cannot make the search cycle.
  static constexpr double least_gain = 1e-9;

  // By which an exact model may be wrong about an exchange, for rounding: relative to F, and to what leaves and is made good.
  static constexpr double rounding_of_objective = 1e-6, rounding_of_loss = 1e-10;

  // Of F, relatively, by which a refit that was to lower it may end above where it began: rounding of its tolerance. More is a
  // start from which Newton does not find back.
  static constexpr double most_rise = 1e-3;

  // Of a large support, these parts of it enter, and leave or change, before the next refit.
  static constexpr Index part_entering = 4, part_leaving = 8;

  // Of a large support, an exchange that is foreseen to raise F by more than this part of the loss is not tried.
  static constexpr double largest_rise = 0.03;

  // Several exchanges at once have to bring this part of what the best of them is foreseen to bring.
  static constexpr double least_of_best = 0.9;

  // Proposals whose gains differ by less, relatively, are taken for copies of one column, of which one enters at a time.
  static constexpr double copies = 1e-6;

  // Features scanned exactly after a sampled scan of all.
  static constexpr Index candidate_count = 64;

  Index features_ = 0, capacity_ = 0, excluded_ = 0;  // excluded_: features that may never enter
  double perfect_objective_ = 0;
  bool samples_ = false;  // scans all features with a sampled Hessian first
  Foresight foresight_ = Foresight::rough;
  Options options_;
  Phase phase_ = Phase::null_model;
  Question question_ = Question::refit;
  RefitGoal goal_;
  Info info_;
  Index budget_ = 0;  // most features of the present descent
  Reach reach_ = Reach::global;
  SupportMemory* memory_ = nullptr;
  SupportMemory::Key key_ = 0, trial_key_ = 0;  // of the current and of the tried support
  int descents_ = 0, joined_ = -1;
  Iterate current_{0}, trial_{0}, null_model_{0};
  std::vector<Index> required_;            // sorted
  std::vector<Role> role_;                 // (p,) what the constraints say of each feature
  std::vector<Index> position_;            // (p,) place in the active set, or -1
  std::vector<Index> working_;             // sorted features of the working set
  std::vector<Index> candidates_;          // sorted features that passed the screen
  std::vector<Index> likely_;              // features that the last scan of all proposed to take in
  std::vector<Index> surveyed_;            // the same, as it was after the last survey
  Index working_size_ = 0;                 // how many it holds
  std::vector<double> ranks_, ordered_;    // (p,) scratch of the choice of the working set
  std::vector<double> surveyed_score_;     // (p,) the same of the scan at the empty support
  std::vector<double> score_;              // (p,) what each feature promised in the last scan of all
  Index model_units_ = 0;                  // the features for which the model was made
  std::unique_ptr<SacrificeModel> model_;  // of the last scan
  ProposalList proposals_{0, 0};           // best of the last scan, best first
  StandIns nearby_{0};                     // of the last scan of the working set, of a large support
  StandIns stand_ins_{0};                  // of the last scan of all features with a full support
  Leaving leaving_;                        // of a large support
  struct Exchange {
    Index place;
    StandIns::Choice choice;
  };
  std::vector<Exchange> exchanges_;  // of a large support, those foreseen to lower F, best first
  bool unchecked_ = false;           // several features entered at once: they may be combinations of each other
  bool one_by_one_ = false;          // of this descent, from now on
  Index at_once_ = 0;                // exchanges tried together next, or 0
  Index next_proposal_ = 0;
  Index next_of_all_ = 0;  // place and feature of the exchange that comes next when all are tried
  Index entering_ = -1;    // the unit whose entry is being refitted from the step of the model, or -1
  bool improved_ = false;  // since the last scan
};

inline Splicing::Splicing(const Objective& objective, const Options& options, SupportMemory* memory) {
  reset(objective, options, memory);
}

inline Splicing::Splicing(const Objective& objective, const Options& options, SupportMemory* memory, Reach reach, Index first) {
  reset(objective, options, memory, reach, first);
}

inline void Splicing::reset(const Objective& objective, const Options& options, SupportMemory* memory) {
  reset(objective, options, memory, Reach::global, std::min(options.k, objective.features()));
}

inline void Splicing::reset(const Objective& objective, const Options& options, SupportMemory* memory, Reach reach,
                            Index first) {
  const Index places = options.places(objective.features()), unit = objective.largest_unit();
  // The model's buffers depend on these three alone.
  if (!model_ || capacity_ != places || current_.stride != unit || model_units_ != objective.features()) {
    model_ = make_sacrifice_model(places, unit, objective.features());
    model_units_ = objective.features();
  }
  features_ = objective.features();
  capacity_ = places;
  perfect_objective_ = objective.perfect_objective();
  foresight_ = objective.foresight();
  samples_ = samples(objective, options.k);
  options_ = options;
  phase_ = Phase::null_model;
  question_ = Question::refit;
  goal_ = {};
  info_ = {};
  budget_ = first;
  reach_ = reach;
  memory_ = memory;
  key_ = trial_key_ = 0;
  descents_ = 0;
  joined_ = -1;
  entering_ = -1;
  next_proposal_ = 0;
  improved_ = unchecked_ = one_by_one_ = false;
  at_once_ = 0;
  for (Iterate* iterate : {&current_, &trial_, &null_model_}) iterate->reset(capacity_, unit);
  required_ = options.constraints.required();
  role_.assign(std::size_t(features_), Role::free);
  for (const Index feature : options.constraints.excluded()) role_[std::size_t(feature)] = Role::excluded;
  for (const Index feature : required_) role_[std::size_t(feature)] = Role::required;
  excluded_ = std::count(role_.begin(), role_.end(), Role::excluded);
  position_.assign(std::size_t(features_), -1);
  working_size_ = Options::working_set(features_, std::min(options.k, features_));
  for (std::vector<Index>* list : {&working_, &candidates_, &surveyed_, &likely_}) list->clear();
  working_.reserve(std::size_t(working_size_));
  surveyed_.reserve(std::size_t(working_size_));
  candidates_.reserve(std::size_t(samples_ ? candidate_count + capacity_ : 0));
  ranks_.resize(std::size_t(features_));
  ordered_.resize(std::size_t(features_));
  score_.assign(std::size_t(features_), 0.0);
  surveyed_score_.reserve(std::size_t(features_));
  const Index kept = std::max<Index>({options.pairs_tried, options.pairs_tried_last, 1, capacity_ / part_entering});
  proposals_.reset(kept, model_->move_size());
  likely_.reserve(std::size_t(kept));
  stand_ins_.reset(capacity_);
  nearby_.reset(capacity_ > Options::few ? capacity_ : 0);
}

inline void Splicing::descend_from(const Iterate& start, Index k, Reach reach) {
  budget_ = std::min(k, capacity_);
  reach_ = reach;
  joined_ = -1;
  one_by_one_ = false;
  ++descents_;
  trial_ = start;
  ask_refit(Phase::grow);
}

inline void Splicing::descend_from_many(Index k) {
  budget_ = std::min(k, capacity_);
  reach_ = Reach::global;
  joined_ = -1;
  one_by_one_ = false;
  ++descents_;
  adopt(null_model_);
  score_ = surveyed_score_;
  renew_working_set(k);
  start_from_many();
}

inline void Splicing::start_from_many() {
  trial_ = current_;
  for (const Index j : working_)
    if (may_enter(j) && score_[std::size_t(j)] > 0) trial_.append(j);
  ask_refit(Phase::many);
}

inline void Splicing::descend_further() {
  reach_ = Reach::global;
  scan_beyond_working_set();
}

inline void Splicing::try_all_exchanges() {
  budget_ = current_.size();
  reach_ = Reach::global;
  joined_ = -1;
  one_by_one_ = false;
  ++descents_;
  next_of_all_ = 0;
  try_next_of_all();
}

inline void Splicing::polish() {
  trial_ = current_;
  ask_refit(Phase::polish);
}

inline void Splicing::begin_search(SupportMemory* memory) {
  memory_ = memory;
  descents_ = -1;
}

inline void Splicing::resume_search(SupportMemory* memory) {
  memory_ = memory;
  descents_ = std::numeric_limits<int>::max() - 1;  // after all descents that the memory may know
}

inline void Splicing::survey_again(Index k) {
  working_size_ = Options::working_set(features_, k);
  budget_ = 0;
  reach_ = Reach::grow;
  trial_ = null_model_;
  ask_refit(Phase::null_model);
}

inline void Splicing::renew_working_set(Index k) {
  working_size_ = Options::working_set(features_, k);
  choose_working_set();
}

inline void Splicing::add_to_working_set(const std::vector<Index>& features) {
  working_.insert(working_.end(), features.begin(), features.end());
  std::sort(working_.begin(), working_.end());
  working_.erase(std::unique(working_.begin(), working_.end()), working_.end());
}

inline void Splicing::adopt(const Iterate& iterate) {
  trial_ = iterate;
  trial_key_ = memory_ ? SupportMemory::of(trial_.support) : 0;
  adopt_trial();
}

inline Columns Splicing::columns() const noexcept {
  if (phase_ == Phase::shrink) return {0, 0, working_.data()};
  if (phase_ == Phase::global && screens()) return {0, Index(candidates_.size()), candidates_.data()};
  if (phase_ == Phase::survey || phase_ == Phase::screen || phase_ == Phase::global || covers_all())
    return {0, features_, nullptr};
  return {0, Index(working_.size()), working_.data()};
}

inline void Splicing::ask_refit(Phase phase) {
  phase_ = phase;
  question_ = Question::refit;
  trial_key_ = memory_ ? SupportMemory::of(trial_.support) : 0;
  const bool descent = phase == Phase::local || phase == Phase::global;
  goal_.bar = descent ? current_.objective * (1 - least_gain) : std::numeric_limits<double>::infinity();
  goal_.exact = phase == Phase::polish;
  goal_.rough = phase == Phase::grow && trial_.size() < budget_;
  goal_.likely = {0, Index(likely_.size()), likely_.data()};
}

inline void Splicing::ask_scan(Phase phase) {
  phase_ = phase;
  question_ = Question::scan;
  improved_ = false;
}

inline void Splicing::finish(Status status) {
  info_.status = status;
  phase_ = Phase::done;
  question_ = Question::done;
}

inline void Splicing::adopt_trial() {
  for (const Index feature : current_.support) position_[std::size_t(feature)] = -1;
  std::swap(current_.support, trial_.support);
  current_.coef.swap(trial_.coef);
  current_.intercept = trial_.intercept;
  current_.objective = trial_.objective;
  key_ = trial_key_;
  for (std::size_t i = 0; i < current_.support.size(); ++i) position_[std::size_t(current_.support[i])] = Index(i);
}

// Descents from the same support go the same way, so one that comes upon another's is as good as done.
inline bool Splicing::joins_an_earlier_descent() {
  if (!memory_ || current_.size() != budget_) return false;
  const int first = memory_->passed_by(key_, descents_);
  if (first == descents_) return false;
  joined_ = first;
  return true;
}

inline void Splicing::answer_refit(const RefitOutcome& outcome) {
  ++info_.refits;
  info_.newton_iterations += outcome.newton_iterations;
  if (outcome.status == Status::interrupted) return finish(Status::interrupted);
  const bool lost = phase_ == Phase::grow && rose_on_entry();
  if (memory_ && !goal_.rough && !lost)
    memory_->learn(trial_key_, outcome.abandoned ? goal_.bar : trial_.objective * (1 - least_gain),
                   !outcome.abandoned && outcome.status == Status::converged);
  switch (phase_) {
    case Phase::null_model:
      if (outcome.status == Status::numerical_failure) return finish(Status::numerical_failure);
      adopt_trial();
      null_model_ = current_;
      return ask_scan(Phase::survey);
    case Phase::many:
      // Features that separate the classes, or fit perfectly, have no place to start from: from none, then.
      if (outcome.status != Status::converged || outcome.perfect) return grow_or_exchange();
      adopt_trial();
      unchecked_ = true;
      return grow_or_exchange();
    case Phase::grow:
      if (lost) {
        // From where F is known, with the newcomer at 0, it cannot rise.
        trial_ = current_;
        trial_.append(std::exchange(entering_, Index(-1)));
        return ask_refit(Phase::grow);
      }
      entering_ = -1;
      adopt_trial();
      if (holds_too_many()) return grow_or_exchange();
      // Nothing lowers an objective of 0: a separating support ends the descent.
      if (outcome.status == Status::separable || outcome.perfect || joins_an_earlier_descent())
        return finish(Status::converged);
      return grow_or_exchange();
    case Phase::local:
    case Phase::global: {
      const bool better = !outcome.abandoned && trial_.objective <= goal_.bar;
      if (better) {
        adopt_trial();
        improved_ = true;
        if (outcome.status == Status::separable || outcome.perfect || joins_an_earlier_descent())
          return finish(Status::converged);
        // Near at hand a fresh scan is cheap and better than the rest of an old list; for a pass over all of X it is not.
        if (phase_ == Phase::local || covers_all()) return ask_scan(phase_);
      }
      if (at_once_ > 1) at_once_ = better ? 0 : at_once_ / 2;
      if (at_once_ > 1 && try_several_exchanges()) return;
      return try_next_exchange();
    }
    case Phase::all: {
      // A refit that does not end makes no better support, however low it comes: columns that all but agree have such.
      const bool ended = outcome.status == Status::converged || outcome.status == Status::separable;
      if (!ended || !(trial_.objective <= current_.objective * (1 - least_gain))) return try_next_of_all();
      adopt_trial();
      if (outcome.status == Status::separable || outcome.perfect || joins_an_earlier_descent())
        return finish(Status::converged);
      return scan_beyond_working_set();
    }
    case Phase::polish: adopt_trial(); return finish(outcome.status);
    case Phase::survey:
    case Phase::shrink:
    case Phase::screen:
    case Phase::done: return finish(Status::numerical_failure);  // an answer that was not asked for
  }
}

inline void Splicing::grow_or_exchange() {
  if (holds_too_many() || unchecked_) return ask_scan(Phase::shrink);
  if (current_.size() < budget_) return ask_scan(Phase::grow);
  if (reach_ == Reach::grow || budget_ == 0 || nothing_may_enter()) return finish(Status::converged);
  ask_scan(covers_all() ? Phase::global : Phase::local);
}

inline void Splicing::begin_scan(const ScanPoint& point) {
  model_->set(current_, point);
  if (phase_ == Phase::shrink) leaving_.set(current_, point);
  proposals_.clear();
  next_proposal_ = 0;
  if (phase_ == Phase::global) stand_ins_.clear();
  if (phase_ == Phase::local && is_large()) nearby_.clear();
}

inline void Splicing::take_panel(const ScanPanel& panel) {
  model_->judge(panel);
  const bool full = current_.size() == budget_ && budget_ > 0;
  if (full)
    model_->propose_exchanges(panel, *this, proposals_,
                              phase_ == Phase::global ? &stand_ins_
                              : is_large()            ? &nearby_
                                                      : nullptr);
  else
    model_->propose_entries(panel, *this, proposals_);
  if (phase_ == Phase::survey || phase_ == Phase::screen || phase_ == Phase::global)
    for (Index c = 0; c < panel.columns.count; ++c) score_[std::size_t(panel.columns[c])] = model_->promise(c);
}

inline void Splicing::answer_scan(Status status) {
  info_.scans += columns().list == nullptr;
  if (status != Status::converged) return finish(status);
  if (phase_ == Phase::shrink) return shrink();
  if (phase_ == Phase::screen) {
    choose_best(candidate_count + current_.size(), candidates_);
    return ask_scan(Phase::global);
  }
  if (phase_ == Phase::survey) {
    if (!required_.empty() && null_model_.support.empty()) {
      // The first scan has to be at the empty support. From here on every search starts with the features that must be in.
      trial_ = null_model_;
      for (const Index feature : required_) trial_.append(feature);
      return ask_refit(Phase::null_model);
    }
    choose_working_set();
    surveyed_ = working_;
    surveyed_score_ = score_;
    if (budget_ > Options::few) return start_from_many();
    return grow_or_exchange();
  }
  list_likely();
  if (current_.size() < budget_) return enter_best();
  at_once_ = is_large() ? current_.size() : 0;
  if (at_once_ > 1 && try_several_exchanges()) return;
  try_next_exchange();
}

inline void Splicing::shrink() {
  unchecked_ = false;
  trial_ = current_;
  const Index most = std::max<Index>(current_.size() / part_leaving, 1);
  const bool too_many = holds_too_many();
  const Index gone = leaving_.shrink(trial_, budget_, is_large() ? most : 1, *this, *model_);
  if (gone == 0) return too_many ? finish(Status::numerical_failure) : grow_or_exchange();
  // Where combinations of features entered together, others enter one at a time, and none of them again.
  if (!too_many) one_by_one_ = true;
  ask_refit(Phase::grow);
}

// Features that were scanned by name have been met by whom it helps to know.
inline void Splicing::list_likely() {
  likely_.clear();
  if (columns().list) return;
  for (Index i = 0; i < proposals_.size(); ++i) likely_.push_back(proposals_[i].entering);
}

inline void Splicing::choose_working_set() {
  if (working_size_ < features_) return choose_best(working_size_, working_);
  working_.resize(std::size_t(features_));
  std::iota(working_.begin(), working_.end(), Index(0));
}

// The features that promised most in the last scan of all, and the active ones; of equals the first. Sorted.
inline void Splicing::choose_best(Index size, std::vector<Index>& chosen) {
  chosen.clear();
  if (size == 0) return;
  for (Index j = 0; j < features_; ++j) ranks_[std::size_t(j)] = rank_of(j);
  ordered_ = ranks_;
  std::nth_element(ordered_.begin(), ordered_.begin() + (size - 1), ordered_.end(), std::greater<double>());
  const double last = ordered_[std::size_t(size - 1)];
  // Before it stand all that are above it, and so many equals as there is room for.
  auto equals = std::count(ordered_.begin(), ordered_.begin() + size, last);
  for (Index j = 0; j < features_; ++j) {
    const double rank = ranks_[std::size_t(j)];
    if (rank > last || (rank == last && equals-- > 0)) chosen.push_back(j);
  }
}

inline void Splicing::enter_best() {
  // Nothing in the working set adds anything, and it holds what promises most: the support stays smaller.
  if (proposals_.size() == 0) return finish(Status::converged);
  if (const Index count = entries_at_once(); count > 1) return enter_several(count);
  trial_ = current_;
  entering_ = proposals_[0].entering;
  model_->apply(proposals_[0], proposals_.move(0), trial_);
  ask_refit(Phase::grow);
}

inline Index Splicing::entries_at_once() const noexcept {
  const Index part = current_.size() < Options::few || one_by_one_ ? 1 : current_.size() / part_entering;
  return std::min({part, budget_ - current_.size(), proposals_.size()});
}

// At coefficients of 0, from which one step of Newton's is that of their joint model.
inline void Splicing::enter_several(Index count) {
  trial_ = current_;
  double last = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < proposals_.size() && trial_.size() < current_.size() + count; ++i) {
    if (proposals_[i].gain > last * (1 - copies)) continue;
    last = proposals_[i].gain;
    trial_.append(proposals_[i].entering);
  }
  unchecked_ = true;
  ask_refit(Phase::grow);
}

// The model's step may lead to where the loss is out of a refit's reach; F is then not that of the support.
inline bool Splicing::rose_on_entry() const noexcept {
  return entering_ >= 0 && !(trial_.objective <= current_.objective + most_rise * std::abs(current_.objective));
}

inline SupportMemory::Key Splicing::key_after(const Proposal& proposal) const {
  return key_ ^ SupportMemory::of(proposal.leaving) ^ SupportMemory::of(proposal.entering);
}

// Whether the model, which is exact and of this very point, rules an exchange out. A model that leaves something out does not,
// not even of a smooth loss: on tables of categories, exchanges that it held to fall short by far were needed (spambase-k10,
// mammo-k5).
inline bool Splicing::is_hopeless(const Proposal& proposal) const {
  if (foresight_ != Foresight::exact || improved_ || !(current_.objective > 0)) return false;
  return proposal.gain < -(rounding_of_objective * current_.objective + rounding_of_loss * leaving_loss(proposal.position));
}

// Exchanges tried after a scan; of a large support the fewer, the more each costs.
inline Index Splicing::most_tried() const noexcept {
  const Index most = phase_ == Phase::local ? options_.pairs_tried : options_.pairs_tried_last;
  return std::min(proposals_.size(), is_large() ? std::max<Index>(most * Options::few / current_.size(), 2) : most);
}

// The best of the foreseen exchanges, no feature in two of them and at most at_once_, in one refit; it has to bring nearly what
// the best alone is foreseen to. False: there are no two.
inline bool Splicing::try_several_exchanges() {
  list_exchanges();
  const Index most = std::min(at_once_, std::max<Index>(current_.size() / part_leaving, 2));
  trial_ = current_;
  Index count = 0;
  for (std::size_t i = 0; i < exchanges_.size() && count < most; ++i) {
    const auto& [place, choice] = exchanges_[i];
    const auto entered = std::find(trial_.support.begin(), trial_.support.end(), choice.feature);
    if (entered != trial_.support.end() || trial_.support[std::size_t(place)] != current_.support[std::size_t(place)]) continue;
    trial_.replace(place, choice.feature);
    trial_.coef[place * trial_.stride] = choice.step;
    ++count;
  }
  at_once_ = count;
  if (count < 2) return false;
  ask_refit(phase_);
  goal_.bar = std::min(goal_.bar, current_.objective - least_of_best * exchanges_[0].choice.gain);
  return true;
}

// Those of the last scan that are foreseen to lower F, best first.
inline void Splicing::list_exchanges() {
  const StandIns& rivals = phase_ == Phase::global ? stand_ins_ : nearby_;
  exchanges_.clear();
  for (Index place = 0; place < current_.size(); ++place)
    for (Index rank = 0; rank < rivals.count(place) && rivals.at(place, rank).gain > 0; ++rank)
      exchanges_.push_back({place, rivals.at(place, rank)});
  std::sort(exchanges_.begin(), exchanges_.end(), [](const Exchange& a, const Exchange& b) {
    return a.choice.gain != b.choice.gain ? a.choice.gain > b.choice.gain : a.place < b.place;
  });
}

inline void Splicing::try_next_exchange() {
  at_once_ = 0;
  const Index most = most_tried();
  for (; next_proposal_ < most; ++next_proposal_) {
    const Proposal& proposal = proposals_[next_proposal_];
    if (is_hopeless(proposal)) continue;
    if (is_large() && proposal.gain < -largest_rise * model_->leaving_loss(proposal.position)) continue;
    const bool stale = is_active(proposal.entering) || current_.support[std::size_t(proposal.position)] != proposal.leaving;
    if (stale || (memory_ && memory_->is_above(key_after(proposal), current_.objective * (1 - 2 * least_gain)))) continue;
    trial_ = current_;
    if (improved_)  // the model is of an earlier point: only its step for the new feature is still worth something
      model_->replace(proposal, proposals_.move(next_proposal_), trial_);
    else
      model_->apply(proposal, proposals_.move(next_proposal_), trial_);
    ++next_proposal_;
    return ask_refit(phase_);
  }
  if (phase_ == Phase::local) return reach_ == Reach::local ? finish(Status::converged) : scan_beyond_working_set();
  if (!improved_) return finish(Status::converged);
  choose_working_set();
  ask_scan(covers_all() ? Phase::global : Phase::local);
}

inline void Splicing::try_next_of_all() {
  for (; next_of_all_ < current_.size() * features_; ++next_of_all_) {
    const Index place = next_of_all_ / features_, feature = next_of_all_ % features_;
    if (!may_leave(place) || !may_enter(feature)) continue;
    const SupportMemory::Key key = key_ ^ SupportMemory::of(current_.support[std::size_t(place)]) ^ SupportMemory::of(feature);
    if (memory_ && memory_->ended_above(key, current_.objective * (1 - 2 * least_gain))) continue;
    trial_ = current_;
    trial_.replace(place, feature);
    ++next_of_all_;
    return ask_refit(Phase::all);
  }
  finish(Status::converged);
}

}  // namespace ksparse
