// The exchanges that are refitted after a scan, and their order. For a large support, several are tried together as long as
// that helps, then one at a time, the best first. Exchanges that cannot help, or are known not to, are skipped.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "../options.hpp"
#include "findings.hpp"
#include "growth.hpp"
#include "objective.hpp"
#include "position.hpp"

namespace ksparse {

/// A support counts as better only if F is lower by more than this fraction, which is more than the accuracy of a refit, so
/// that rounding errors cannot cause cycles.
constexpr double least_gain = 1e-9;

class Exchanges {
 public:
  void reset(const Options& options, ModelAccuracy model_accuracy) {
    most_nearby_ = options.pairs_tried;
    most_of_all_ = options.pairs_tried_last;
    model_accuracy_ = model_accuracy;
    next_ = together_ = 0;
    improved_ = false;
  }
  ModelAccuracy model_accuracy() const noexcept { return model_accuracy_; }

  /// A scan is asked for; the last one is forgotten.
  void begin_scan() noexcept {
    improved_ = false;
    next_ = 0;
  }
  /// It has ended, at the current support, which is full.
  void begin(const Iterate& current, ScanOf of) noexcept {
    of_ = of;
    together_ = is_large(current) ? current.size() : 0;
  }

  /// Sets the trial to the next support to refit. Returns false if no exchange of this scan is left.
  bool next(const Findings& findings, Position& position) {
    bar_ = std::numeric_limits<double>::infinity();
    if (together_ > 1 && next_together(findings, position)) return true;
    together_ = 0;
    return next_alone(findings, position);
  }
  /// The value below which F must be after the refit, in addition to being lower than before.
  double bar() const noexcept { return bar_; }
  /// The refit has ended: the trial is the current support now, or was no better.
  void tried(bool better) noexcept {
    improved_ = improved_ || better;
    if (together_ > 1) together_ = better ? 0 : together_ / 2;
  }
  /// Whether an exchange since the last scan was better.
  bool improved() const noexcept { return improved_; }

  /// Starts trying all exchanges of one unit, whatever the model predicts.
  void begin_all() noexcept { next_of_all_ = 0; }
  /// Sets the trial to the next of them that has not been refitted to convergence before. Returns false if none is left.
  bool next_of_all(Position& position) {
    const ActiveSet& active = position.active();
    const Iterate& current = position.current();
    const Index units = active.roles().units();
    for (; next_of_all_ < current.size() * units; ++next_of_all_) {
      const Index place = next_of_all_ / units, unit = next_of_all_ % units;
      if (!active.may_leave(place) || !active.may_enter(unit)) continue;
      if (position.trail().ended_above(current.support[std::size_t(place)], unit, bar_of_known(current))) continue;
      position.try_from_current().replace(place, unit);
      ++next_of_all_;
      return true;
    }
    return false;
  }

 private:
  struct Exchange {
    Index place;
    Replacements::Choice choice;
  };

  // Rounding errors of the prediction of an exact model, relative to F and to the two terms of the exchange.
  static constexpr double rounding_of_objective = 1e-6, rounding_of_loss = 1e-10;
  // For a large support, an exchange that is predicted to increase F by more than this fraction of the loss is not tried.
  static constexpr double largest_rise = 0.03;
  // Several exchanges at once must achieve this fraction of the predicted decrease of the best of them.
  static constexpr double least_of_best = 0.9;

  // A support that is known to end above this value is not better, by more than the accuracy of two refits.
  static double bar_of_known(const Iterate& current) noexcept { return current.objective * (1 - 2 * least_gain); }

  // Combines the best proposed exchanges, at most together_ of them and without a unit in two of them, in one refit, which must
  // achieve almost as much as the best alone is predicted to. Returns false if there are not two of them.
  bool next_together(const Findings& findings, Position& position) {
    const Iterate& current = position.current();
    list(findings.replacements(), current.size());
    const Index most = std::min(together_, std::max<Index>(current.size() / part_leaving, 2));
    Iterate& trial = position.try_from_current();
    Index count = 0;
    for (std::size_t i = 0; i < list_.size() && count < most; ++i) {
      const auto& [place, choice] = list_[i];
      const auto entered = std::find(trial.support.begin(), trial.support.end(), choice.feature);
      if (entered != trial.support.end() || trial.support[std::size_t(place)] != current.support[std::size_t(place)]) continue;
      trial.replace(place, choice.feature);
      trial.coef[place * trial.stride] = choice.step;
      ++count;
    }
    together_ = count;
    if (count < 2) return false;
    bar_ = current.objective - least_of_best * list_[0].choice.gain;
    return true;
  }

  // The exchanges that are predicted to decrease F, the best first.
  void list(const Replacements& replacements, Index size) {
    list_.clear();
    for (Index place = 0; place < size; ++place)
      for (Index rank = 0; rank < replacements.count(place) && replacements.at(place, rank).gain > 0; ++rank)
        list_.push_back({place, replacements.at(place, rank)});
    std::sort(list_.begin(), list_.end(), [](const Exchange& a, const Exchange& b) {
      return a.choice.gain != b.choice.gain ? a.choice.gain > b.choice.gain : a.place < b.place;
    });
  }

  bool next_alone(const Findings& findings, Position& position) {
    const Iterate& current = position.current();
    const ProposalList& proposals = findings.proposals();
    const SacrificeModel& model = findings.model();
    for (const Index most = most_tried(proposals.size(), current); next_ < most; ++next_) {
      const Proposal& proposal = proposals[next_];
      const double loss = model.leaving_loss(proposal.position);
      if (is_hopeless(proposal, loss, current) || (is_large(current) && proposal.gain < -largest_rise * loss)) continue;
      const bool stale =
          position.active().holds(proposal.entering) || current.support[std::size_t(proposal.position)] != proposal.leaving;
      if (stale || position.trail().is_above(proposal.leaving, proposal.entering, bar_of_known(current))) continue;
      Iterate& trial = position.try_from_current();
      if (improved_)  // the model belongs to an earlier point, so only its step for the new feature is still useful
        model.replace(proposal, proposals.move(next_), trial);
      else
        model.apply(proposal, proposals.move(next_), trial);
      ++next_;
      return true;
    }
    return false;
  }

  // For a large support, fewer exchanges are tried, because each costs more.
  Index most_tried(Index proposed, const Iterate& current) const noexcept {
    const Index most = of_ == ScanOf::working_set ? most_nearby_ : most_of_all_;
    return std::min(proposed, is_large(current) ? std::max<Index>(most * Options::few / current.size(), 2) : most);
  }

  // Whether the model, which is exact and of this very point, rules an exchange out. A model that leaves something out does
  // not, not even that of a smooth loss: on tables of categories, exchanges that it held to fall short by far were needed
  // (spambase-k10, mammo-k5).
  bool is_hopeless(const Proposal& proposal, double loss, const Iterate& current) const noexcept {
    if (model_accuracy_ != ModelAccuracy::exact || improved_ || !(current.objective > 0)) return false;
    return proposal.gain < -(rounding_of_objective * current.objective + rounding_of_loss * loss);
  }

  Index most_nearby_ = 0, most_of_all_ = 0;  // exchanges tried after a scan of the working set, and of all units
  ModelAccuracy model_accuracy_ = ModelAccuracy::rough;
  ScanOf of_ = ScanOf::all;     // the last scan
  Index together_ = 0;          // exchanges tried together next, or 0
  std::vector<Exchange> list_;  // those that are predicted to decrease F, the best first
  Index next_ = 0;              // proposal that is tried next
  Index next_of_all_ = 0;       // place and unit of the exchange that comes next when all are tried
  double bar_ = 0;
  bool improved_ = false;  // since the last scan
};

}  // namespace ksparse
