// The state of a search: the best point so far, how it was found, and where each of its descents ended.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

#include "objective.hpp"
#include "splicing.hpp"

namespace ksparse {

/// How a search went.
struct SearchReport {
  int rounds = 0;       // descents after the first
  int restarts = 0;     // those that began without any feature of the best answer by then
  int times_found = 0;  // those of them that ended at the answer
};

struct SearchRecord {
  Iterate best{0};
  Index weakest = -1;        // place of the feature of the best that is missed least, or -1: none may leave
  std::vector<double> ends;  // F where each descent ended, by its number
  SearchReport report;
  // Of the descents that began near a good support, the first among them, how many there were and how many ended at the best;
  // and how many there were of the others, which hid features at first (starts.hpp).
  int nearby = 1, returns = 1, hiding = 0;

  /// The first descent of an engine is done.
  void begin(const Splicing& engine) {
    report = {};
    nearby = 1;
    hiding = 0;
    take_as_best(engine);
    ends.assign(1, best.objective);
  }

  /// The number of the next descent.
  int next_descent() const noexcept { return int(ends.size()); }
  /// Notes where the engine's descent ended: where the one ended that it joined, if it did. Returns F there.
  double note_end(const Splicing& engine) {
    const int joined = engine.joined();
    ends.push_back(joined >= 0 ? ends[std::size_t(joined)] : engine.current().objective);
    return ends.back();
  }

  /// Whether the engine went its own way and came to a better point.
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
