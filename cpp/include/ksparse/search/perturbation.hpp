// A longer search than one descent: perturb, descend again, keep the better (iterated local search).
// A round replaces up to half of the features of a good support, mostly by their nearest rivals (stand-ins of the last scan of
// all features), else by members of the working set; it descends inside the working set, and goes on to all features
// where that ended near the best. Rounds start from the last good end rather than always from the best, which walks along
// plateaus of near-equal supports. Supports refitted once are remembered, and a round that comes upon an earlier one's way ends
// there, so that a settled answer costs little to confirm. Deterministic for a given seed. Like the engine it is resumable: it
// says what descent comes next, and whoever drives the engine calls again when that is done.
//
// Rounds near at hand stay in one funnel of the landscape. So once the answer has been found often, ever more rounds are wide:
// their features come from all of X, mostly one at a time in the place of the weakest, each feature in its turn, and they
// descend by scans of all features from the start. Two columns that are worth little alone and much together (near-equal ones
// of opposite sign) are found that way: on blocks-300x1000 it took the search from 0.256178, which 10,000 rounds near at hand
// did not leave, to 0.239712.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "../options.hpp"
#include "objective.hpp"
#include "splicing.hpp"

namespace ksparse {

/// How a search went.
struct SearchReport {
  int rounds = 0;       // descents after the first
  int times_found = 1;  // descents that ended at the answer, the first to find it included
};

class Perturbation {
 public:
  /// Allocates what begin() needs for searches of up to k of so many units with these options.
  void reserve(Index k, Index largest_unit, Index features, const Options& options) {
    constexpr int usual = 1000;  // rounds; only searches of days make more
    for (Iterate* iterate : {&best_, &walk_, &start_}) iterate->reset(k, largest_unit);
    stand_ins_.reset(k);
    turns_.reserve(std::size_t(features));
    ends_.reserve(std::size_t(std::min(options.rounds_allowed(features, true), usual) + 8));  // and of the detour
  }

  /// Once the first descent of an engine is done: starts a round, from the user's start if there is one, else if the options
  /// allow any. False: there is none to make. The arguments outlive the search.
  bool begin(Splicing& engine, Index features, const Options& options) {
    engine_ = &engine;
    options_ = &options;
    features_ = features;
    random_.seed(options.random_state);
    for (Iterate* iterate : {&best_, &walk_, &start_}) *iterate = engine.current();
    stand_ins_ = engine.stand_ins();
    turns_.clear();
    next_ = 0;
    report_ = {};
    stage_ = Stage::local;
    further_ = false;
    const Index k = best_.size(), p = features_;
    rugged_ = has_close_rivals();
    rounds_allowed_ = k == 0 || k >= p ? 0 : options_->rounds_allowed(p, rugged_);
    ends_.assign(1, best_.objective);
    weakest_ = weakest_of_best_ = weakest_place();
    refits_before_ = engine_->info().refits;
    begin_ = Clock::now();
    verified_ = false;
    detours_ = options_->detour_to(p) > k && k == std::min(options_->k, p) && has_near_substitute();
    return descend_from_users_start() || go_on();
  }

  /// Once the engine is done again: goes on. False: the search is over, and the engine, done, is at the best point found, or
  /// stopped with its status.
  bool next() {
    const bool converged = engine_->info().status == Status::converged;
    if (converged && stage_ == Stage::verification) {
      take_verified();
      return go_on();
    }
    if (converged && stage_ == Stage::detour) return shrink() || go_on();
    const bool promising =
        engine_->joined() < 0 && (stage_ == Stage::wide || engine_->current().objective < best_.objective * (1 + near));
    if (converged && stage_ != Stage::further && promising) {
      stage_ = Stage::further;
      engine_->descend_further();
      return true;
    }
    if (converged) {
      judge();
      return go_on();
    }
    engine_->adopt(best_);
    return false;
  }

  const SearchReport& report() const noexcept { return report_; }

 private:
  using Clock = std::chrono::steady_clock;

  // A local optimum of the working set this near to the best, relative to F, is worth scans of all features.
  static constexpr double near = 0.05;
  // An end this near to the best, relative to F, is where the next round starts.
  static constexpr double good = 0.01;
  // Features come from the rivals of the one replaced in this part of the draws, from the working set in the others.
  static constexpr double from_rivals = 0.6;
  // After an end that is not good, the next round goes back to the best in this part of the cases.
  static constexpr double back_to_best = 0.1;
  // Descents that ended at the answer after which it counts as settled, unless the user set the budget. Fewer where nearly all
  // did and no close rivals hint at other optima. With such rivals only all will do: 114 of 120 ended at an optimum that later
  // rounds left.
  static constexpr int settled = 200, settled_by_all = 100, settled_at_once = 40;
  static constexpr double nearly_all = 0.95;
  // No round is wide until the answer was found so often; all are at twice that.
  static constexpr int near_at_hand = 100;
  // Part of the wide rounds that put one feature in the place of the weakest; the others replace several at random.
  static constexpr double one_by_one = 0.8;

  // So few exchanges of one feature are all tried before an answer counts as settled; more, if they are few beside the refits
  // that the search has made. The model misjudges some, above all where a curvature stands in for none or features have heavy
  // tails, and those that it holds to be useless are not tried on the way.
  // With a loss whose exchanges the model foresees roughly, more are worth it: of 900 problems with 21 to 49 exchanges, 11 % of
  // the answers with the squared hinge could be improved by one that had not been tried.
  static constexpr Index few_exchanges = 24, few_if_rough = 100, part_of_refits = 16;

  // What the present round has come to.
  enum class Stage { detour, local, wide, further, verification };

  bool is_settled() const {
    const int descents = report_.rounds + 1, found = report_.times_found;
    if (!rugged_ && found >= nearly_all * descents) return found >= options_->share(settled_at_once);
    return found >= options_->share(found == descents ? settled_by_all : settled);
  }

  bool late() const {
    return options_->max_seconds > 0 && std::chrono::duration<double>(Clock::now() - begin_).count() > options_->max_seconds;
  }

  // A detour from the answer: a few features more by exchanges with any, and from there the weakest leave one by one, with
  // exchanges on each level. It finds pairs of features that are worth more than two others although no single exchange leads
  // there: of 450 random problems (200 to 300 rows, 100 to 200 features) abess was better on 5, and is on none of these with
  // it. It draws nothing at random and is no round. It comes after the rounds, which find what they found without it; where it
  // finds better, they go on from there.
  bool begin_detour() {
    if (!std::exchange(detours_, false) || late() || best_.objective <= engine_->perfect_objective()) return false;
    stage_ = Stage::detour;
    back_at_ = best_.size();
    refits_at_detour_ = engine_->info().refits;
    engine_->descend_from(best_, options_->detour_to(features_), Reach::global);
    return true;
  }

  // Whether some weak feature has a near substitute: its leaving is foreseen to cost little of F, and another feature in its place
  // to make good most of that. Pairs of such features are what a detour exchanges. Where features are well separated none has a
  // near substitute (0.46 on an easy problem, 0.82 and more on those 5), and where the answer nearly separates the classes, as
  // on the example data, each of them is worth more than a tenth of F.
  bool has_near_substitute() const {
    constexpr double most = 0.75, weak = 0.1;
    for (Index place = 0; place < best_.size(); ++place) {
      const double loss = engine_->leaving_loss(place);
      if (loss < weak * best_.objective && stand_ins_.count(place) > 0 && stand_ins_.at(place, 0).gain > -(1 - most) * loss)
        return true;
    }
    return false;
  }

  // On the way back of a detour. False: it is over.
  bool shrink() {
    const Iterate& here = engine_->current();
    const bool own_way = engine_->joined() < 0 && here.objective > engine_->perfect_objective();
    const bool better = engine_->joined() < 0 && here.size() <= back_at_ && here.objective < best_.objective * (1 - tie);
    if (here.size() > back_at_) {
      ends_.push_back(std::numeric_limits<double>::infinity());
      const Index place = own_way ? weakest_place() : -1;
      if (place >= 0) {
        start_ = here;
        start_.remove(place);
        engine_->descend_from(start_, start_.size(), Reach::local);
        return true;
      }
    } else if (better && !std::exchange(further_, true)) {
      engine_->descend_further();
      return true;
    } else {
      ends_.push_back(engine_->joined() < 0 ? here.objective : ends_[std::size_t(engine_->joined())]);
      if (better) take_as_best();
    }
    refits_before_ += engine_->info().refits - refits_at_detour_;
    return false;
  }

  void take_as_best() {
    best_ = walk_ = engine_->current();
    weakest_ = weakest_of_best_ = weakest_place();
    stand_ins_ = engine_->stand_ins();
    report_.times_found = 1;
  }

  // Starts the next round, or puts the engine to the best point if there is none.
  bool go_on() {
    const bool more = report_.rounds < rounds_allowed_ && (options_->has_own_budget() || !is_settled()) &&
                      engine_->info().refits - refits_before_ < options_->refits_allowed() && !late() &&
                      best_.objective > engine_->perfect_objective();  // nothing is better
    if (!more) {
      if (begin_detour()) return true;
      engine_->adopt(best_);
      return verify();
    }
    ++report_.rounds;
    const bool wide = is_next_wide();
    if (wide && uniform() < one_by_one)
      put_next_feature();
    else
      perturb(wide);
    stage_ = wide ? Stage::wide : Stage::local;
    // A descent that only grows refits the start, from which the wide ones go on to exchanges with any feature.
    engine_->descend_from(start_, best_.size(), wide ? Reach::grow : Reach::local);
    return true;
  }

  // Tries all exchanges of the best, once, if they are few. False: there is nothing to try.
  bool verify() {
    const Index refits = engine_->info().refits - refits_before_, count = engine_->exchanges();
    const Index least = engine_->foresees_roughly() ? few_if_rough : few_exchanges;
    const bool few = count <= std::max(least, refits / part_of_refits) &&
                     (options_->max_refits == 0 || refits + count <= options_->refits_allowed());
    if (verified_ || engine_->foresees_exactly() || count == 0 || !few || late() ||
        best_.objective <= engine_->perfect_objective())
      return false;
    verified_ = true;
    stage_ = Stage::verification;
    engine_->try_all_exchanges();
    return true;
  }

  // What was better is the best, and the search goes on from there.
  void take_verified() {
    const Iterate& here = engine_->current();
    const bool better = engine_->joined() < 0 && here.objective < best_.objective * (1 - tie);
    ends_.push_back(here.objective);
    if (!better) return;
    best_ = walk_ = here;
    stand_ins_ = engine_->stand_ins();
    weakest_ = weakest_of_best_ = weakest_place();
    report_.times_found = 1;
    verified_ = false;
  }

  bool descend_from_users_start() {
    if (options_->start.empty() || best_.objective <= engine_->perfect_objective()) return false;
    start_.support.clear();
    start_.coef.setZero();
    for (const auto& units : {options_->constraints.required(), options_->constraints.units_of(options_->start)})
      for (const Index unit : units)
        if (may_enter(unit) && start_.size() < options_->k) start_.append(unit);
    if (start_.size() == 0) return false;
    ++report_.rounds;
    ++rounds_allowed_;
    stage_ = Stage::further;
    engine_->add_to_working_set(start_.support);
    engine_->descend_from(start_, options_->k, Reach::global);
    return true;
  }

  // The standard's distributions differ between libraries; its generators do not.
  double uniform() { return double(random_() >> 11) * 0x1.0p-53; }
  Index below(Index count) { return std::min(Index(uniform() * double(count)), count - 1); }

  // Whether more than a quarter of the chosen features have a rival that is foreseen to cost less than a hundredth of F: the
  // landscape is then flat enough to hold several local optima. (On designs with well separated features none has.)
  bool has_close_rivals() const {
    Index places = 0;
    for (Index place = 0; place < best_.size(); ++place)
      places += stand_ins_.count(place) > 0 && stand_ins_.at(place, 0).gain > -0.01 * best_.objective;
    return 4 * places > best_.size();
  }

  bool is_next_wide() {
    const int usual = options_->share(near_at_hand);
    const double part = double(report_.times_found - usual) / usual;
    return part > 0 && uniform() < part;
  }

  Index draw(Index place, bool wide) {
    if (uniform() < from_rivals && stand_ins_.count(place) > 0)
      return stand_ins_.at(place, below(stand_ins_.count(place))).feature;
    if (wide) return below(features_);
    const auto& working = engine_->working_set();
    return working[std::size_t(below(Index(working.size())))];
  }

  // The more often the answer was found again, the further a round jumps.
  void perturb(bool wide) {
    start_ = walk_;
    const Index k = start_.size(), most = std::min<Index>(k, std::max<Index>(k / 2, 1) + report_.times_found / 25);
    const Index replaced = 1 + below(most);
    for (Index i = 0; i < replaced; ++i) {
      const Index place = below(k), feature = draw(place, wide);
      if (!engine_->is_required(start_.support[std::size_t(place)]) && may_enter(feature)) start_.replace(place, feature);
    }
  }

  bool may_enter(Index feature) const {
    const std::vector<Index>& support = start_.support;
    return !engine_->is_excluded(feature) && std::find(support.begin(), support.end(), feature) == support.end();
  }

  // The next of all features, in an order drawn at random, in the place of the weakest one.
  void put_next_feature() {
    start_ = walk_;
    if (weakest_ < 0) return;
    for (Index tried = 0; tried < features_; ++tried) {
      if (next_ == turns_.size()) shuffle_turns();
      const Index feature = turns_[next_++];
      if (may_enter(feature)) return start_.replace(weakest_, feature);
    }
  }

  void shuffle_turns() {
    turns_.resize(std::size_t(features_));
    std::iota(turns_.begin(), turns_.end(), Index(0));
    for (Index left = Index(turns_.size()); left > 1; --left)
      std::swap(turns_[std::size_t(left - 1)], turns_[std::size_t(below(left))]);
    next_ = 0;
  }

  // The place whose feature is foreseen to be missed least, by the last scan, which ended the descent; -1: all must be in.
  Index weakest_place() const {
    Index weakest = -1;
    const Iterate& here = engine_->current();
    for (Index i = 0; i < here.size(); ++i)
      if (!engine_->is_required(here.support[std::size_t(i)]) &&
          (weakest < 0 || engine_->leaving_loss(i) < engine_->leaving_loss(weakest)))
        weakest = i;
    return weakest;
  }

  void judge() {
    const Iterate& here = engine_->current();
    const bool joined = engine_->joined() >= 0;
    const double end = joined ? ends_[std::size_t(engine_->joined())] : here.objective;
    ends_.push_back(end);
    if (!joined && end < best_.objective * (1 + good) && here.size() == best_.size()) {
      walk_ = here;
      weakest_ = weakest_place();
      stand_ins_ = engine_->stand_ins();
    } else if (uniform() < back_to_best) {
      walk_ = best_;
      weakest_ = weakest_of_best_;
    }
    if (!joined && end < best_.objective * (1 - tie)) {
      best_ = here;
      weakest_of_best_ = weakest_place();
      report_.times_found = 1;
    } else if (end <= best_.objective * (1 + tie)) {
      ++report_.times_found;
    }
  }

  Splicing* engine_ = nullptr;
  const Options* options_ = nullptr;
  Index features_ = 0;
  std::mt19937_64 random_;
  Iterate best_{0}, walk_{0}, start_{0};
  StandIns stand_ins_{0};                      // at the point of the walk
  Index weakest_ = -1, weakest_of_best_ = -1;  // place of the weakest feature of the walk and of the best
  std::vector<Index> turns_;                   // all features in the order in which wide rounds take them
  std::size_t next_ = 0;
  std::vector<double> ends_;  // F where each descent ended, by its number
  SearchReport report_;
  int rounds_allowed_ = 0, refits_before_ = 0, refits_at_detour_ = 0;
  Clock::time_point begin_;
  Stage stage_ = Stage::local;
  bool rugged_ = false;                     // chosen features have close rivals
  bool verified_ = false;                   // all exchanges of the best were tried, or are
  bool detours_ = false, further_ = false;  // a detour is to come; it has led to a better answer, which descends further
  Index back_at_ = 0;                       // units at the end of the detour
};

}  // namespace ksparse
