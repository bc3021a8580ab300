// The rows of a sampled Hessian: short blocks, one in each stratum of the rows, at positions that a fixed random generator
// draws. Therefore periodic patterns in the rows do not bias the sample (stratified sampling; Cochran, Sampling Techniques,
// 1977, section 8.4), and the sample is the same in every run, on every thread and for every storage of X.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../types.hpp"

namespace ksparse {

class RowSample {
 public:
  static constexpr Index length = 8;  // rows of a block: a cache line of a column of doubles

  /// Samples at least this many of n rows, and at least one block of every 512 rows.
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
  /// The first row of a block in X. Blocks are in increasing order.
  Index first(Index stretch) const noexcept { return first_[std::size_t(stretch)]; }

  /// Copies the sampled rows of an array of n.
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
