// The open nodes of a tree. The node with the smallest bound comes first. Once the nodes take too much memory, the newest node
// comes first (depth first), so that their number hardly grows.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "node.hpp"

namespace ksparse::proof {

class OpenNodes {
 public:
  explicit OpenNodes(double most_bytes) : most_bytes_(most_bytes) {}

  /// Prepares for nodes of this number of units and columns, whose points have up to `coefs` non-zero coefficients.
  void reset(Index units, Index columns, Index coefs) { pool_ = std::make_unique<NodePool>(units, columns, coefs); }

  Index count() const noexcept { return Index(queue_.size() + stack_.size()); }
  /// Whether nodes take so much memory that the newest come first.
  bool deep() const noexcept { return !stack_.empty() || (pool_ && double(count()) * pool_->bytes_per_node() >= most_bytes_); }
  double least_bound() const {
    double least = queue_.empty() ? std::numeric_limits<double>::infinity() : queue_.front().bound;
    for (const Entry& entry : stack_) least = std::min(least, entry.bound);
    return least;
  }

  void push(const Subproblem& node) {
    const bool to_stack = deep();
    const Entry entry{node.bound, number_++, pool_->store(node)};
    (to_stack ? stack_ : queue_).push_back(entry);
    if (!to_stack) std::push_heap(queue_.begin(), queue_.end(), Later());
  }
  /// Removes the next node and copies it to `node`. There must be one.
  void pop(Subproblem& node) {
    std::vector<Entry>& from = stack_.empty() ? queue_ : stack_;
    if (stack_.empty()) std::pop_heap(queue_.begin(), queue_.end(), Later());
    pool_->take(from.back().place, node);
    from.pop_back();
  }

 private:
  struct Entry {
    double bound;
    std::uint64_t number;  // counts the nodes in the order in which they were added
    NodePool::Place place;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.bound != b.bound ? a.bound > b.bound : a.number > b.number;
    }
  };

  const double most_bytes_;
  std::unique_ptr<NodePool> pool_;
  std::vector<Entry> queue_;  // a heap
  std::vector<Entry> stack_;
  std::uint64_t number_ = 0;
};

}  // namespace ksparse::proof
