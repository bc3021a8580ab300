// The sequence of supports of one descent, recorded in the memory of its search. Without a memory, nothing is known and all
// queries return false.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "../types.hpp"
#include "support_memory.hpp"

namespace ksparse {

class Trail {
 public:
  using Key = SupportMemory::Key;

  void reset(SupportMemory* memory) {
    *this = {};
    memory_ = memory;
  }
  /// From now on descents are of the search that this memory belongs to, or of none.
  void follow(SupportMemory* memory) noexcept { memory_ = memory; }
  /// A descent begins. Its number is its own within the search.
  void begin(int number) noexcept {
    number_ = number;
    joined_ = -1;
  }

  /// A support is about to be refitted, and was then taken as the current one.
  void try_support(const std::vector<Index>& support) { tried_ = memory_ ? SupportMemory::of(support) : 0; }
  void take() noexcept { current_ = tried_; }

  /// Records that F on the trial support is at least `floor`, which is predicted or, if its refit has converged, exact.
  void learn(double floor, bool ended) {
    if (memory_) memory_->learn(tried_, floor, ended);
  }
  /// Whether the current support with one unit in the place of another is known to end at `bar` or above.
  bool is_above(Index leaving, Index entering, double bar) const {
    return memory_ && memory_->is_above(exchanged(leaving, entering), bar);
  }
  /// Like is_above(), but also requires that the refit has converged.
  bool ended_above(Index leaving, Index entering, double bar) const {
    return memory_ && memory_->ended_above(exchanged(leaving, entering), bar);
  }

  /// Notes that the descent passes through the current support, and returns whether an earlier one did. Descents from the same
  /// support go the same way, so one that joins another is as good as done.
  bool joins() {
    if (!memory_) return false;
    const int first = memory_->passed_by(current_, number_);
    if (first == number_) return false;
    joined_ = first;
    return true;
  }
  /// The number of the descent that this one joined, or -1.
  int joined() const noexcept { return joined_; }

 private:
  Key exchanged(Index leaving, Index entering) const noexcept {
    return current_ ^ SupportMemory::of(leaving) ^ SupportMemory::of(entering);
  }

  SupportMemory* memory_ = nullptr;
  Key current_ = 0, tried_ = 0;
  int number_ = 0, joined_ = -1;
};

}  // namespace ksparse
