// The state of a search: the best point so far, how it was found, and where each of its descents ended.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "objective.hpp"
#include "splicing.hpp"

namespace ksparse {

/// The numbers of rounds and restarts of a search.
struct SearchReport {
  int rounds = 0;       // descents after the first
  int restarts = 0;     // rounds that began without any feature of the best support at that time
  int times_found = 0;  // restarts that ended at the best support
};

struct SearchRecord {
  Iterate best{0};
  Index weakest = -1;        // place of the feature whose removal increases F least, or -1 if none may be removed
  std::vector<double> ends;  // F where each descent ended, by its number
  SearchReport report;
  // The number of descents that began near a good support, including the first, and how many of these ended at the best one;
  // and the number of descents that hid features at first (starts.hpp).
  int nearby = 1, returns = 1, hiding = 0;
  std::vector<double> optima;  // F at the different ends of the first descent and of those that hid features

  /// Called when the first descent of an engine is done.
  void begin(const Splicing& engine) {
    report = {};
    nearby = 1;
    hiding = 0;
    take_as_best(engine);
    ends.assign(1, best.objective);
    optima.assign(1, best.objective);
  }

  /// The number of the next descent.
  int next_descent() const noexcept { return int(ends.size()); }
  /// Records where the descent of the engine ended, which is the end of the descent that it joined, if any. Returns F there.
  double note_end(const Splicing& engine) {
    const int joined = engine.joined();
    ends.push_back(joined >= 0 ? ends[std::size_t(joined)] : engine.current().objective);
    return ends.back();
  }

  /// Records where a descent ended that hid features.
  void note_hiding(double end) {
    ++hiding;
    for (const double other : optima)
      if (end == other || std::abs(end - other) <= tie * other) return;
    optima.push_back(end);
  }
  /// The estimated probability that the next descent that hides features ends at an optimum that none has reached so far: with
  /// w different ends of N descents, w (w + 1) / (N (N - 1)) (Boender & Rinnooy Kan, Bayesian stopping rules for multistart
  /// global optimization methods, Mathematical Programming 37, 1987).
  double chance_of_another() const {
    const double descents = 1 + hiding, different = double(optima.size());
    return hiding == 0 ? 1.0 : std::min(1.0, different * (different + 1) / (descents * (descents - 1)));
  }

  /// Whether the engine reached a better point, without joining an earlier descent.
  bool is_improved_by(const Splicing& engine) const {
    return engine.joined() < 0 && engine.current().objective < best.objective * (1 - tie);
  }
  void take_as_best(const Splicing& engine) {
    best = engine.current();
    weakest = engine.weakest_place();
    returns = 1;
    report.times_found = 0;
  }
};

}  // namespace ksparse
