// Which rows a sampled Hessian is of: short stretches, one in each of as many strata of all rows, at a place that a fixed
// generator draws. So neither a period in the rows nor their order decides what the sample sees (stratified sampling; Cochran,
// Sampling Techniques, 1977, section 8.4), and it is the same in every run, on every thread and in every storage of X.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../types.hpp"

namespace ksparse {

class RowSample {
 public:
  static constexpr Index length = 8;  // rows of a stretch: a cache line of doubles of a column

  /// At least so many of n rows, and a stretch of every 512.
  void reset(Index n, Index least) {
    const Index places = n / length, count = std::min(std::max((least + length - 1) / length, (n + 511) / 512), places);
    first_.resize(std::size_t(count));
    for (Index s = 0; s < count; ++s) {
      const Index begin = s * places / count, end = (s + 1) * places / count;
      first_[std::size_t(s)] = length * (begin + Index(drawn(std::uint64_t(s)) % std::uint64_t(end - begin)));
    }
  }

  Index stretches() const noexcept { return Index(first_.size()); }
  Index rows() const noexcept { return stretches() * length; }
  /// Row of X with which a stretch begins; rising.
  Index first(Index stretch) const noexcept { return first_[std::size_t(stretch)]; }

  /// Puts the rows of an array of n side by side.
  void pick(const double* from, double* target) const noexcept {
    for (const Index first : first_) target = std::copy_n(from + first, length, target);
  }

 private:
  // The finaliser of SplitMix64 (Steele, Lea & Flood 2014).
  static std::uint64_t drawn(std::uint64_t number) noexcept {
    std::uint64_t z = (number + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::vector<Index> first_;
};

}  // namespace ksparse
