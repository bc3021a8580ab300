// The proposals of a scan: entries and exchanges, the best first, and for each active position the features that could replace
// it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <vector>

#include "../types.hpp"
#include "../util/shape.hpp"

namespace ksparse {

/// An entry or an exchange, with the change of F that the model predicts.
struct Proposal {
  Index entering = -1;  // feature
  Index leaving = -1;   // feature, or -1: none leaves
  Index position = -1;  // of the leaving feature in the active set
  double gain = 0;      // predicted decrease of F, which may be negative for an exchange
  double step = 0;      // predicted coefficient of the entering feature
};

/// The best proposals of a scan, best first, each with its v_j, in fixed memory.
class ProposalList {
 public:
  ProposalList(Index capacity, Index dimension) { reset(capacity, dimension); }

  void reset(Index capacity, Index dimension) {
    set_shape(moves_, dimension, capacity);
    slots_.resize(std::size_t(capacity));
    items_.reserve(std::size_t(capacity));
    clear();
  }

  void clear() noexcept {
    items_.clear();
    for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i] = Index(i);
  }
  Index size() const noexcept { return Index(items_.size()); }
  const Proposal& operator[](Index i) const noexcept { return items_[std::size_t(i)]; }
  auto move(Index i) const { return moves_.col(slots_[std::size_t(i)]); }

  /// Whether a proposal of this gain would be kept. Ties keep the earlier one, which has the smaller feature.
  bool admits(double gain) const noexcept { return gain > bar(); }
  /// Proposals of at most this gain would not be kept.
  double bar() const noexcept {
    return items_.size() < slots_.size() ? -std::numeric_limits<double>::infinity() : items_.back().gain;
  }

  template <class Move>
  void insert(const Proposal& proposal, const Move& move) {
    if (items_.size() == slots_.size()) items_.pop_back();
    std::size_t place = items_.size();
    items_.push_back(proposal);
    const Index slot = slots_[place];
    for (; place > 0 && items_[place - 1].gain < proposal.gain; --place) {
      items_[place] = items_[place - 1];
      slots_[place] = slots_[place - 1];
    }
    items_[place] = proposal;
    slots_[place] = slot;
    moves_.col(slot).head(move.size()) = move;
  }

 private:
  Eigen::MatrixXd moves_;        // (d, capacity) v_j by slot
  std::vector<Index> slots_;     // slot of each item; free slots after the last
  std::vector<Proposal> items_;  // by falling gain
};

/// For each position of the active set, the few features that are predicted to be its best replacements, in fixed memory.
class Replacements {
 public:
  struct Choice {
    Index feature;
    double gain;  // predicted decrease of F by the exchange, usually negative
    double step;  // predicted coefficient of the feature; 0 for groups
  };

  explicit Replacements(Index places, Index width = 8) : width_(width) { reset(places); }

  void reset(Index places) {
    choices_.resize(std::size_t(places * width_));
    counts_.assign(std::size_t(places), 0);
  }

  void clear() noexcept { std::fill(counts_.begin(), counts_.end(), Index(0)); }
  Index count(Index place) const noexcept { return counts_[std::size_t(place)]; }
  const Choice& at(Index place, Index rank) const noexcept { return choices_[std::size_t(place * width_ + rank)]; }

  void offer(Index place, Index feature, double gain, double step) noexcept {
    Index& count = counts_[std::size_t(place)];
    Choice* const list = &choices_[std::size_t(place * width_)];
    if (count == width_ && !(gain > list[width_ - 1].gain)) return;
    Index rank = count < width_ ? count++ : width_ - 1;
    for (; rank > 0 && list[rank - 1].gain < gain; --rank) list[rank] = list[rank - 1];
    list[rank] = {feature, gain, step};
  }
  /// Below this gain an offer for the place would not be kept.
  double bar(Index place) const noexcept {
    return count(place) < width_ ? -std::numeric_limits<double>::infinity() : at(place, width_ - 1).gain;
  }

 private:
  Index width_;
  std::vector<Choice> choices_;  // (places, width)
  std::vector<Index> counts_;    // (places,)
};

}  // namespace ksparse
