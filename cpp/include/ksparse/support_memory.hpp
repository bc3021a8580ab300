// What is known of supports that were refitted before, so that a long search refits none twice.
// A support is known by the exclusive or of one random-looking word per feature (Zobrist 1970): an exchange changes two words.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "types.hpp"

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

  /// Whether a refit of this support is known to end at `bar` or above.
  bool is_above(Key key, double bar) const {
    const auto found = floors_.find(key);
    return found != floors_.end() && found->second >= bar;
  }
  /// F on this support is at least `floor`.
  void learn(Key key, double floor) {
    const auto [place, is_new] = floors_.try_emplace(key, floor);
    if (!is_new && place->second < floor) place->second = floor;
  }

  /// The descent that passed through this support, or -1; if none, `descent` is noted as the one that does.
  int passed_by(Key key, int descent) { return passed_.try_emplace(key, descent).first->second; }

 private:
  std::unordered_map<Key, double> floors_;
  std::unordered_map<Key, int> passed_;
};

}  // namespace ksparse
