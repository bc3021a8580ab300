// A memory of supports that were refitted, so that a long search refits none twice. The hash of a support is the exclusive or
// of one pseudo-random word per feature (Zobrist 1970), so an exchange changes it by two words. The hashes are in an
// open-addressing table, which is cleared by incrementing its epoch and keeps its memory.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "../types.hpp"

namespace ksparse {

class SupportMemory {
 public:
  using Key = std::uint64_t;

  /// One word per feature: the finaliser of splitmix64 (Steele, Lea & Flood 2014).
  static Key of(Index feature) noexcept {
    Key z = Key(feature) + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  static Key of(const std::vector<Index>& support) noexcept {
    Key key = 0;
    for (const Index feature : support) key ^= of(feature);
    return key;
  }

  /// Removes all supports.
  void clear() noexcept {
    count_ = 0;
    if (++epoch_ == 0) {
      table_.assign(table_.size(), Entry{});
      epoch_ = 1;
    }
  }
  /// Allocates memory for this number of supports.
  void reserve(std::size_t supports) {
    std::size_t size = smallest;
    while (size < 2 * supports) size *= 2;
    if (size > table_.size()) rebuild(size);
  }

  /// Whether a refit of this support is known to end at `bar` or above.
  bool is_above(Key key, double bar) const noexcept {
    if (table_.empty()) return false;
    const Entry& entry = table_[place_of(key)];
    return entry.epoch == epoch_ && entry.floor >= bar;
  }
  /// Whether a refit of this support converged at `bar` or above. For a refit that was given up, this is only predicted.
  bool ended_above(Key key, double bar) const noexcept {
    if (table_.empty()) return false;
    const Entry& entry = table_[place_of(key)];
    return entry.epoch == epoch_ && entry.ended && entry.floor >= bar;
  }
  /// Records that F on this support is at least `floor`, which is predicted or, if its refit has converged, exact.
  void learn(Key key, double floor, bool ended) {
    Entry& entry = entry_of(key);
    if (ended || (!entry.ended && entry.floor < floor)) entry.floor = floor;
    entry.ended = entry.ended || ended;
  }

  /// The first descent that passed through this support; the one given, if no other did.
  int passed_by(Key key, int descent) {
    Entry& entry = entry_of(key);
    if (entry.descent < 0) entry.descent = descent;
    return entry.descent;
  }

 private:
  struct Entry {
    Key key = 0;
    double floor = -std::numeric_limits<double>::infinity();
    int descent = -1;
    std::uint32_t epoch = 0;  // free, unless it is the table's
    bool ended = false;       // whether the floor is that of a refit that ended
  };

  static constexpr std::size_t smallest = 64;  // a power of two, as all sizes

  std::size_t place_of(Key key) const noexcept {
    const std::size_t mask = table_.size() - 1;
    std::size_t place = std::size_t(key) & mask;
    while (table_[place].epoch == epoch_ && table_[place].key != key) place = (place + 1) & mask;
    return place;
  }

  Entry& entry_of(Key key) {
    if (2 * (count_ + 1) > table_.size()) rebuild(table_.empty() ? smallest : 2 * table_.size());
    Entry& entry = table_[place_of(key)];
    if (entry.epoch != epoch_) {
      entry = Entry{};
      entry.key = key;
      entry.epoch = epoch_;
      ++count_;
    }
    return entry;
  }

  void rebuild(std::size_t size) {
    std::vector<Entry> old(size);
    old.swap(table_);
    for (const Entry& entry : old)
      if (entry.epoch == epoch_) table_[place_of(entry.key)] = entry;
  }

  std::vector<Entry> table_;
  std::size_t count_ = 0;
  std::uint32_t epoch_ = 1;
};

}  // namespace ksparse
