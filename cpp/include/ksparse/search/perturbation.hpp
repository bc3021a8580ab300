// A longer search than one descent: perturb the support, descend again, and keep the better result (iterated local search).
//
// It makes descents of four kinds: one from the user's start, if there is one; rounds (starts.hpp), which descend within the
// working set, and on to all features if the result is near the best; a detour through larger supports (detour.hpp); and, if
// there are only few exchanges, a trial of all of them. Refitted supports are remembered, and a round ends when it reaches a
// support of an earlier descent, so that confirming a result takes little time. The search is deterministic for a given seed.
// It is resumable like the engine: it starts a descent, and its caller runs the engine and calls next() when the descent is
// done.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "../options.hpp"
#include "budget.hpp"
#include "detour.hpp"
#include "objective.hpp"
#include "search_record.hpp"
#include "splicing.hpp"
#include "starts.hpp"

namespace ksparse {

class Perturbation {
 public:
  /// Allocates the memory for searches of up to k units out of `features` with these options.
  void reserve(Index k, Index largest_unit, Index features, const Options& options) {
    constexpr int usual = 1000;  // rounds; only searches that take days make more
    for (Iterate* iterate : {&record_.best, &start_}) iterate->reset(k, largest_unit);
    starts_.reserve(k, largest_unit, features);
    detour_.reserve(k, largest_unit);
    // Some rounds have two descents, and the detour has a few.
    const int rounds = std::min(options.rounds_allowed(features, true), usual);
    record_.ends.reserve(std::size_t(rounds + rounds / 8 + 16));
    record_.optima.reserve(std::size_t(rounds + 1));
  }

  /// Called when the first descent of an engine, which has the number 0, is done. Starts a descent from the user's start if
  /// there is one, otherwise a round. Returns false if the options allow neither. The arguments must exist as long as the
  /// search.
  bool begin(Splicing& engine, const Options& options) {
    engine_ = &engine;
    options_ = &options;
    start_ = engine.current();
    record_.begin(engine);
    starts_.begin(engine, record_, options);
    budget_.begin(options, engine, has_close_rivals());
    detour_.begin_search(engine, record_, options);
    verified_ = false;
    return descend_from_users_start() || go_on();
  }

  /// Called when the engine is done again. Starts the next descent. Returns false if the search is over; the engine is then at
  /// the best point found, or has the status that stopped it.
  bool next() {
    if (engine_->info().status != Status::converged) {
      engine_->adopt(record_.best);
      return false;
    }
    switch (stage_) {
      case Stage::detour:
        if (detour_.next(*engine_, record_, start_)) return true;
        if (detour_.has_improved(*engine_, record_)) take_as_best();
        budget_.add_free_refits(detour_.refits(*engine_));
        return go_on();
      case Stage::verification: take_verified(); return go_on();
      case Stage::surplus:
        if (engine_->joined() < 0) {
          shed_surplus();
          return true;
        }
        take_round();
        return go_on();
      case Stage::round:
        if (is_promising()) {
          go_further();
          return true;
        }
        take_round();
        return go_on();
      case Stage::further: take_round(); return go_on();
    }
    return false;
  }

  const SearchReport& report() const noexcept { return record_.report; }
  /// The number of descents, including the first.
  int descents() const noexcept { return record_.next_descent(); }

 private:
  // The purpose of the current descent.
  enum class Stage { round, surplus, further, detour, verification };

  // All features are scanned if a local optimum within the working set is worse than the best by less than this fraction of F.
  static constexpr double close = 0.05;

  // If there are at most this many exchanges of one feature, or at most 1 / `part_of_refits` of the refits so far, all of them
  // are tried at the end. The predictions of the model may be wrong, especially with a substitute curvature or heavy-tailed
  // features, and exchanges that it predicts to be useless were not tried before. With a loss for which predictions are rough,
  // more are tried: on 900 problems with 21 to 49 exchanges and the squared hinge, 11 % of the results could be improved by an
  // exchange that had not been tried.
  static constexpr Index few_exchanges = 24, few_if_rough = 100, part_of_refits = 16;

  // Whether no support can be better.
  bool is_perfect() const { return record_.best.objective <= engine_->perfect_objective(); }

  // Starts the next descent, or sets the engine to the best point if there is none.
  bool go_on() {
    if (!is_perfect() && budget_.allows_round(record_, *engine_)) {
      begin_round();
      return true;
    }
    if (detour_.take_turn() && !budget_.is_over() && !is_perfect()) {
      stage_ = Stage::detour;
      detour_.begin(*engine_, record_);
      return true;
    }
    engine_->adopt(record_.best);
    return verify();
  }

  void begin_round() {
    SearchReport& report = record_.report;
    ++report.rounds;
    start_kind_ = starts_.next(*engine_, record_, start_);
    const Index k = record_.best.size(), surplus = start_kind_ == Start::regrown ? starts_.surplus(k) : 0;
    stage_ = surplus > 0 ? Stage::surplus : Stage::round;
    // The first descent of a wide round only refits the start; it then goes on to exchanges with any feature.
    const bool grows = surplus > 0 || start_kind_ == Start::wide;
    engine_->descend_from(start_, k + surplus, grows ? Reach::grow : Reach::local, record_.next_descent());
  }

  // Removes the weakest features of a support that has more than k, and continues the round.
  void shed_surplus() {
    record_.ends.push_back(std::numeric_limits<double>::infinity());
    start_ = engine_->current();
    stage_ = Stage::round;
    engine_->descend_from(start_, record_.best.size(), Reach::local, record_.next_descent());
  }

  bool is_promising() const {
    return engine_->joined() < 0 &&
           (start_kind_ != Start::near || engine_->current().objective < record_.best.objective * (1 + close));
  }

  // Continues the round with all features. If some were hidden, the support may have fewer than k features, and it grows first.
  void go_further() {
    stage_ = Stage::further;
    show_all();
    if (engine_->current().size() == record_.best.size()) return engine_->descend_further();
    start_ = engine_->current();
    engine_->descend_from(start_, record_.best.size(), Reach::global, record_.next_descent());
  }
  void show_all() {
    if (engine_->working_set().hides()) engine_->working_set().renew(engine_->active());
  }

  void take_round() {
    show_all();
    const bool restart = start_kind_ == Start::restart;
    const double end = record_.note_end(*engine_);
    starts_.go_on(*engine_, record_, end);
    const bool near = start_kind_ == Start::near;
    record_.report.restarts += restart;
    record_.nearby += near;
    if (restart || start_kind_ == Start::regrown) record_.note_hiding(end);
    if (record_.is_improved_by(*engine_))
      record_.take_as_best(*engine_);
    else if (end <= record_.best.objective * (1 + tie))
      record_.returns += near;
    record_.report.times_found += restart && end <= record_.best.objective * (1 + tie);
  }

  // Takes the current point as the best one, and continues from there.
  void take_as_best() {
    record_.take_as_best(*engine_);
    starts_.walk_from(*engine_, record_);
  }

  // Tries all exchanges of the best support, once, if they are few. Returns false if they are not tried.
  bool verify() {
    const Index refits = budget_.refits(*engine_), count = engine_->exchanges();
    const Index least = engine_->model_accuracy() == ModelAccuracy::rough ? few_if_rough : few_exchanges;
    const bool few = count <= std::max(least, refits / part_of_refits) && budget_.allows_refits(count, *engine_);
    if (verified_ || engine_->model_accuracy() == ModelAccuracy::exact || count == 0 || !few || budget_.is_over() ||
        is_perfect())
      return false;
    verified_ = true;
    stage_ = Stage::verification;
    engine_->try_all_exchanges(record_.next_descent());
    return true;
  }

  void take_verified() {
    record_.note_end(*engine_);
    if (!record_.is_improved_by(*engine_)) return;
    take_as_best();
    verified_ = false;
  }

  bool descend_from_users_start() {
    if (options_->start.empty() || is_perfect()) return false;
    start_.support.clear();
    start_.coef.setZero();
    for (const auto& units : {options_->constraints.required(), options_->constraints.units_of(options_->start)})
      for (const Index unit : units)
        if (engine_->roles().may_enter(start_.support, unit) && start_.size() < options_->k) start_.append(unit);
    if (start_.size() == 0) return false;
    ++record_.report.rounds;
    budget_.add_round();
    stage_ = Stage::further;
    start_kind_ = Start::wide;
    engine_->working_set().add(start_.support);
    engine_->descend_from(start_, options_->k, Reach::global, record_.next_descent());
    return true;
  }

  // Whether more than a quarter of the chosen features have a competitor that is predicted to cost less than 1 % of F. There
  // may then be several local optima. (On designs with clearly separated features, no feature has one.)
  bool has_close_rivals() const {
    const Replacements& replacements = engine_->findings().replacements_of_all();
    Index places = 0;
    for (Index place = 0; place < record_.best.size(); ++place)
      places += replacements.count(place) > 0 && replacements.at(place, 0).gain > -0.01 * record_.best.objective;
    return 4 * places > record_.best.size();
  }

  Splicing* engine_ = nullptr;
  const Options* options_ = nullptr;
  SearchRecord record_;
  Budget budget_;
  Starts starts_;
  Detour detour_;
  Iterate start_{0};  // of the current descent
  Stage stage_ = Stage::round;
  Start start_kind_ = Start::near;  // of the current round
  bool verified_ = false;           // whether all exchanges of the best support were tried, or are being tried
};

}  // namespace ksparse
