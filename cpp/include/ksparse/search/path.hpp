// Fits for every k of a list. Each of them begins as a single fit does, with one shared growth of the support. Then fits start
// from their neighbours, from a smaller k by adding the best feature and from a larger k by removing the one with the least
// sacrifice, until none improves. Therefore no fit is worse than a single fit with the same options, and F never increases with
// k. Beyond Options::few features, where each refit costs more, fits start only from their neighbours, and only the last one
// begins as a single fit.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "../options.hpp"
#include "../util/progress.hpp"
#include "drive.hpp"
#include "objective.hpp"
#include "perturbation.hpp"
#include "splicing.hpp"

namespace ksparse {

class Path {
 public:
  struct Entry {
    Entry(Index capacity, Index largest_unit) : iterate(capacity, largest_unit) {}
    Iterate iterate;
    SearchReport report;
    int descents = 1;  // number of descents of its own search
    Status status = Status::converged;
    int improvements = 0;                                // how often it was replaced
    int seeded_from_below = -1, seeded_from_above = -1;  // improvements of the neighbour when it last seeded this one
  };

  /// ks are increasing values in [0, features].
  Path(Objective& objective, const Options& options, const std::vector<Index>& ks)
      : objective_(objective), options_(options), ks_(ks), memories_(ks.size()) {
    options_.k = ks.back();
    entries_.assign(ks.size(), Entry(std::min(ks.back(), objective.features()), objective.largest_unit()));
  }

  /// Starts the entries at the supports of a similar problem, for example one with another ridge. All features are then scanned
  /// only where an exchange within the working set helps. There is one iterate for each k, in the units of the objective, so
  /// this must be called after the units are chosen.
  using Seeds = std::function<std::vector<Iterate>()>;
  void seed_by(Seeds seeds) { seeds_ = std::move(seeds); }

  /// Reports progress: counts an entry when its first fit is done, and the last entry when the whole path is done.
  void count_by(ProgressCounter& counter) { counter_ = &counter; }

  /// Returns false if interrupted or if X is not finite, as info() tells.
  bool run() {
    Splicing engine(objective_, options_, nullptr, Begin::with_survey);
    const bool done =
        settle(engine) && (seeds_ ? adapt_seeds(engine) : fit_each(engine)) && exchange_seeds(engine) && polish(engine);
    info_ = engine.info();
    if (done) count();
    return done;
  }

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  const Info& info() const noexcept { return info_; }

 private:
  void count() {
    if (counter_) counter_->count();
  }

  bool settle(Splicing& engine) {
    drive(engine, objective_);
    return engine.info().status == Status::converged;
  }

  // Entries with at most this many features also start like a single fit. With more features, this would be most of the work,
  // and neighbours differ by little. Then only the last entry does so, and the others start from the entry before them.
  static constexpr Index most_cold = Options::few;

  bool starts_cold(std::size_t i) const {
    return options_.cold_starts && (i == 0 || ks_[i] <= most_cold || i + 1 == ks_.size());
  }

  bool fit_each(Splicing& engine) {
    Iterate grown = engine.null_model();
    for (std::size_t i = 0; i < ks_.size(); ++i) {
      memories_[i] = std::make_unique<SupportMemory>();
      if (!first_descent(engine, grown, i) || !settle(engine)) return false;
      if (!starts_cold(i) && ks_[i] > most_cold) {
        engine.descend_further();
        if (!settle(engine)) return false;
      }
      Options options = options_;
      options.k = ks_[i];
      // An entry that starts from the one before it makes no search of its own.
      if (!starts_cold(i) && ks_[i] > most_cold) options.search = Effort::fast;
      Perturbation perturbation;
      for (bool more = perturbation.begin(engine, options); more; more = perturbation.next()) drive(engine, objective_);
      if (engine.info().status != Status::converged) return false;
      entries_[i].report = perturbation.report();
      entries_[i].descents = perturbation.descents();
      entries_[i].iterate = engine.current();
      if (i + 1 < ks_.size()) count();
    }
    return true;
  }

  // Sets the engine to the first descent of an entry. Returns false if interrupted.
  bool first_descent(Splicing& engine, Iterate& grown, std::size_t i) {
    const Index k = ks_[i];
    const bool cold = starts_cold(i);
    if (cold && k <= Options::few && !grow(engine, grown, k)) return false;
    engine.follow(memories_[i].get());
    if (cold && k > Options::few) {
      engine.descend_from_many(k, 0);
    } else if (cold) {
      engine.descend_from(grown, k, Reach::global, 0);
    } else {
      engine.working_set().set_size_for(k);
      engine.working_set().renew(engine.active());
      engine.descend_from(i > 0 ? entries_[i - 1].iterate : engine.null_model(), k, k > most_cold ? Reach::grow : Reach::global,
                          0);
      if (i > 0) entries_[i].seeded_from_below = entries_[i - 1].improvements;
    }
    return true;
  }

  // Continues the growth of the previous k to k features, as a single fit would grow, if both use the same working set.
  bool grow(Splicing& engine, Iterate& grown, Index k) {
    engine.follow(nullptr);
    if (Options::working_set(objective_.features(), k) != engine.working_set().size()) {
      engine.survey_again(k);
      if (!settle(engine)) return false;
      grown = engine.null_model();
    } else {
      engine.working_set().restore();
    }
    engine.descend_from(grown, k, Reach::grow, 0);
    if (!settle(engine)) return false;
    grown = engine.current();
    return true;
  }

  bool adapt_seeds(Splicing& engine) {
    const std::vector<Iterate> seeds = seeds_();
    std::vector<Index> pool;
    for (const Iterate& seed : seeds) pool.insert(pool.end(), seed.support.begin(), seed.support.end());
    engine.working_set().add(pool);
    for (std::size_t i = 0; i < ks_.size(); ++i) {
      memories_[i] = std::make_unique<SupportMemory>();
      engine.follow(memories_[i].get());
      engine.descend_from(seeds[i], ks_[i], Reach::local, 0);
      if (!settle(engine)) return false;
      if (!same_support(engine.current(), seeds[i])) {
        engine.descend_further();
        if (!settle(engine)) return false;
      }
      entries_[i].iterate = engine.current();
      if (i + 1 < ks_.size()) count();
    }
    return true;
  }

  static bool same_support(const Iterate& a, const Iterate& b) {
    return a.size() == b.size() && std::is_permutation(a.support.begin(), a.support.end(), b.support.begin());
  }

  // There is another sweep only if the last one improved an entry, so there are only few.
  bool exchange_seeds(Splicing& engine) {
    bool improved = true;
    for (int sweep = 0; improved && sweep < options_.path_sweeps; ++sweep) {
      improved = false;
      for (std::size_t i = 1; i < ks_.size(); ++i)
        if (!seed(engine, entries_[i], i, entries_[i - 1], entries_[i].seeded_from_below, sweep, improved)) return false;
      for (std::size_t i = ks_.size() - 1; i-- > 0;)
        if (!seed(engine, entries_[i], i, entries_[i + 1], entries_[i].seeded_from_above, sweep, improved)) return false;
    }
    return true;
  }

  // Makes a descent of an entry from the support of a neighbour. With many features, exchanges follow only if the refit of this
  // support is already better, and there is only one sweep, from neighbours that have changed.
  bool seed(Splicing& engine, Entry& entry, std::size_t i, const Entry& neighbour, int& seeded, int sweep, bool& improved) {
    const bool large = ks_[i] > most_cold;
    if (large && (sweep > 0 || seeded == neighbour.improvements)) return true;
    seeded = neighbour.improvements;
    const auto better = [&] {
      return engine.joined() < 0 && engine.current().objective < entry.iterate.objective * (1 - least_gain);
    };
    engine.follow(memories_[i].get());
    // All of these descents have the same number, after those of the entry's own search. Each of them therefore ends when it
    // reaches a support of that search, but not when it reaches one of another neighbour's descent, which has another working
    // set.
    engine.descend_from(neighbour.iterate, ks_[i], large ? Reach::grow : Reach::global, entry.descents);
    if (!settle(engine)) return false;
    if (large && better()) {
      engine.descend_further();
      if (!settle(engine)) return false;
    }
    if (better()) {
      entry.iterate = engine.current();
      entry.report.times_found = 0;
      ++entry.improvements;
      improved = true;
    }
    return true;
  }

  bool polish(Splicing& engine) {
    for (std::size_t i = 0; i < ks_.size(); ++i) {
      Entry& entry = entries_[i];
      engine.adopt(entry.iterate);
      engine.polish();
      drive(engine, objective_);
      entry.status = engine.info().status;
      entry.iterate = engine.current();
      if (entry.status == Status::interrupted) return false;
      // A support of fewer features is also allowed for a larger k.
      if (i > 0 && entries_[i - 1].iterate.objective < entry.iterate.objective) entry = entries_[i - 1];
    }
    return true;
  }

  Objective& objective_;
  Options options_;
  Seeds seeds_;
  const std::vector<Index>& ks_;
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<SupportMemory>> memories_;  // one per k
  Info info_;
  ProgressCounter* counter_ = nullptr;
};

}  // namespace ksparse
