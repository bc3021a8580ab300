// A longer search than one descent: perturb, descend again, keep the better (iterated local search).
//
// It consists of descents of four kinds: one from the user's start, if there is one; rounds (starts.hpp), each of which
// descends inside the working set and goes on to all features where that ended near the best; a detour over more features
// (detour.hpp); and, where exchanges are few, the trial of all of them. Supports refitted once are remembered, and a round that
// comes upon an earlier one's way ends there, so that a settled answer costs little to confirm. The search is deterministic for
// a given seed. Like the engine it is resumable: it says what descent comes next, and whoever drives the engine calls again when
// that is done.
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
  /// Allocates what begin() needs for searches of up to k of so many units with these options.
  void reserve(Index k, Index largest_unit, Index features, const Options& options) {
    constexpr int usual = 1000;  // rounds; only searches of days make more
    for (Iterate* iterate : {&record_.best, &start_}) iterate->reset(k, largest_unit);
    starts_.reserve(k, largest_unit, features);
    detour_.reserve(k, largest_unit);
    // Some rounds consist of two descents, and the detour of a few.
    const int rounds = std::min(options.rounds_allowed(features, true), usual);
    record_.ends.reserve(std::size_t(rounds + rounds / 8 + 16));
  }

  /// Once the first descent of an engine, which has the number 0, is done: starts a descent from the user's start if there is
  /// one, else a round if the options allow any. False: there is none to make. The arguments outlive the search.
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

  /// Once the engine is done again: goes on. False: the search is over, and the engine, done, is at the best point found, or
  /// stopped with its status.
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
  /// How many descents there were, the first included.
  int descents() const noexcept { return record_.next_descent(); }

 private:
  // What the present descent is of.
  enum class Stage { round, surplus, further, detour, verification };

  // A local optimum of the working set this near to the best, relative to F, is worth scans of all features.
  static constexpr double close = 0.05;

  // So few exchanges of one feature are all tried before an answer counts as settled; more, if they are few beside the refits
  // that the search has made. The predictions of the model may be wrong, especially with a substitute curvature or heavy-tailed
  // features, and exchanges that it predicts to be useless are not tried before. With a loss for which predictions are rough,
  // it pays to try more: of 900 problems with 21 to 49 exchanges, 11 % of the answers with the squared hinge could be improved
  // by one that had not been tried.
  static constexpr Index few_exchanges = 24, few_if_rough = 100, part_of_refits = 16;

  // Nothing is better.
  bool is_perfect() const { return record_.best.objective <= engine_->perfect_objective(); }

  // Starts what comes next, or puts the engine to the best point if there is nothing left.
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
    // A descent that only grows refits the start, from which the wide ones go on to exchanges with any feature.
    const bool grows = surplus > 0 || start_kind_ == Start::wide;
    engine_->descend_from(start_, k + surplus, grows ? Reach::grow : Reach::local, record_.next_descent());
  }

  // The weakest features of a support that has grown too large leave, and the round goes on.
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

  // A descent that could not see all features may have found less than k.
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
    record_.hiding += restart || start_kind_ == Start::regrown;
    if (record_.is_improved_by(*engine_))
      record_.take_as_best(*engine_);
    else if (end <= record_.best.objective * (1 + tie))
      record_.returns += near;
    record_.report.times_found += restart && end <= record_.best.objective * (1 + tie);
  }

  // What was better is the best, and the search goes on from there.
  void take_as_best() {
    record_.take_as_best(*engine_);
    starts_.walk_from(*engine_, record_);
  }

  // Tries all exchanges of the best, once, if they are few. False: there is nothing to try.
  bool verify() {
    const Index refits = budget_.refits(*engine_), count = engine_->exchanges();
    const Index least = engine_->foresight() == Foresight::rough ? few_if_rough : few_exchanges;
    const bool few = count <= std::max(least, refits / part_of_refits) && budget_.allows_refits(count, *engine_);
    if (verified_ || engine_->foresight() == Foresight::exact || count == 0 || !few || budget_.is_over() || is_perfect())
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
    const StandIns& stand_ins = engine_->findings().stand_ins_of_all();
    Index places = 0;
    for (Index place = 0; place < record_.best.size(); ++place)
      places += stand_ins.count(place) > 0 && stand_ins.at(place, 0).gain > -0.01 * record_.best.objective;
    return 4 * places > record_.best.size();
  }

  Splicing* engine_ = nullptr;
  const Options* options_ = nullptr;
  SearchRecord record_;
  Budget budget_;
  Starts starts_;
  Detour detour_;
  Iterate start_{0};  // of the present descent
  Stage stage_ = Stage::round;
  Start start_kind_ = Start::near;  // of the present round
  bool verified_ = false;           // all exchanges of the best were tried, or are
};

}  // namespace ksparse
