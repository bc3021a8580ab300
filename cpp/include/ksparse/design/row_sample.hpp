// The rows of a sampled Hessian: short blocks, one in each stratum of the rows, at positions that a fixed random generator
// draws. Therefore periodic patterns in the rows do not bias the sample (stratified sampling; Cochran, Sampling Techniques,
// 1977, section 8.4), and the sample is the same in every run, on every thread and for every storage of X. Rows that matter so
// much that no other can stand for them are added one by one.
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
    singles_.clear();
    for (Index s = 0; s < count; ++s) {
      const Index begin = s * places / count, end = (s + 1) * places / count;
      first_[std::size_t(s)] = length * (begin + Index(drawn(std::uint64_t(s)) % std::uint64_t(end - begin)));
    }
  }

  Index stretches() const noexcept { return Index(first_.size()); }
  /// The first row of a block in X; these increase.
  Index first(Index stretch) const noexcept { return first_[std::size_t(stretch)]; }
  /// Rows that are in the sample beside the stretches, which may hold some of them as well; rising.
  const std::vector<Index>& singles() const noexcept { return singles_; }
  std::vector<Index>& singles() noexcept { return singles_; }

  Index in_stretches() const noexcept { return stretches() * length; }
  Index rows() const noexcept { return in_stretches() + Index(singles_.size()); }
  /// Where a row is among those of the stretches, or -1.
  Index place_in_stretches(Index row) const noexcept {
    const auto after = std::upper_bound(first_.begin(), first_.end(), row);
    if (after == first_.begin() || row >= *(after - 1) + length) return -1;
    return Index(after - first_.begin() - 1) * length + row - *(after - 1);
  }

  /// visit(first, count, place) for consecutive rows of X and their place in the sample.
  template <class Visit>
  void for_each_run(const Visit& visit) const {
    for (Index s = 0; s < stretches(); ++s) visit(first(s), length, s * length);
    for (Index i = 0; i < Index(singles_.size()); ++i) visit(singles_[std::size_t(i)], Index(1), in_stretches() + i);
  }
  /// Puts the rows of an array of n side by side.
  template <class Scalar>
  void pick(const Scalar* from, double* target) const noexcept {
    for_each_run([&](Index first, Index count, Index place) { std::copy_n(from + first, count, target + place); });
  }

  friend bool operator==(const RowSample& a, const RowSample& b) noexcept {
    return a.first_ == b.first_ && a.singles_ == b.singles_;
  }

 private:
  // The finaliser of SplitMix64 (Steele, Lea & Flood 2014).
  static std::uint64_t drawn(std::uint64_t number) noexcept {
    std::uint64_t z = (number + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::vector<Index> first_;  // of each stretch
  std::vector<Index> singles_;
};

}  // namespace ksparse
