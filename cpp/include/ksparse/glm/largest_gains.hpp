// The units outside the support whose gains are largest: a heap of at most so many.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

#include "../types.hpp"

namespace ksparse {

class LargestGains {
 public:
  /// Keeps at most `most` gains, behind those of up to `others` units that are kept in any case.
  void reset(Index most, Index others) {
    most_ = most;
    gains_.clear();
    gains_.reserve(std::size_t(most + others + 1));
    kept_ = 0;
  }
  /// Forgets all gains.
  void clear() noexcept {
    gains_.clear();
    kept_ = 0;
  }
  /// A gain that is kept in any case; these come before all calls of add.
  void keep(double gain) {
    gains_.push_back(gain);
    kept_ = gains_.size();
  }
  /// A gain that is not above this one changes nothing.
  double bar() const { return size() < most_ ? 0.0 : most_ > 0 ? gains_[kept_] : std::numeric_limits<double>::infinity(); }
  /// Adds a gain above the bar.
  void add(double gain) {
    if (size() == most_) {
      std::pop_heap(begin(), gains_.end(), std::greater<double>());
      gains_.pop_back();
    }
    gains_.push_back(gain);
    std::push_heap(begin(), gains_.end(), std::greater<double>());
  }
  /// All gains, the largest first. Nothing is added after that.
  const std::vector<double>& sorted() {
    std::sort(gains_.begin(), gains_.end(), std::greater<double>());
    return gains_;
  }

 private:
  Index size() const noexcept { return Index(gains_.size() - kept_); }
  std::vector<double>::iterator begin() { return gains_.begin() + std::ptrdiff_t(kept_); }

  Index most_ = 0;
  std::size_t kept_ = 0;
  std::vector<double> gains_;  // those that are kept in any case, then the heap, whose least is first
};

}  // namespace ksparse
