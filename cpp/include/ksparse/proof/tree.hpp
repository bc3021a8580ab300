// Branch and bound over supports. Nodes are taken in the order of their bounds, in batches whose size does not depend on the
// number of threads, so that the result does not either. The tree does not know the loss or the storage of X, which are behind
// the relaxation of a node (relaxation.hpp). The owner of the tree refits the supports that it proposes.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "../search/support_memory.hpp"
#include "../util/parallel.hpp"
#include "open_nodes.hpp"
#include "relaxation.hpp"

namespace ksparse::proof {

/// The aim and the limits of the search.
struct Target {
  double gap = 1e-6;          // the relative difference that may remain between the lower bound and the best F
  double within = -1;         // if >= 0, list all supports whose F is at most (1 + within) times the best F instead
  double node_bytes = 400e6;  // memory of open nodes; beyond it, the newest nodes come first
  double rounding = 1e-12;    // relative rounding error of F
  int threads = 1;
};

/// A support as sorted units of the user, and F after a refit on it.
struct ListedModel {
  std::vector<Index> support;
  double objective;
};

class Tree {
 public:
  /// Refits a support, given as sorted units of the user, and returns F, or infinity if the refit fails. The second argument is the
  /// same support, from which units whose coefficients are 0 are removed.
  using Refit = std::function<double(const std::vector<Index>&, std::vector<Index>&)>;

  /// Moves a node to the minimum of F on a support, which a refit has found. Returns false if the refit fails.
  using MoveToMinimum = std::function<bool(const std::vector<Index>&, Subproblem&)>;

  /// `known` is the best support known so far, as sorted units of the user, and `best` is F on it.
  Tree(const Shared& shared, const Target& target, Refit refit, const std::vector<Index>& known, double best,
       MoveToMinimum move_to_minimum = {})
      : shared_(shared),
        target_(target),
        refit_(std::move(refit)),
        move_to_minimum_(std::move(move_to_minimum)),
        open_(target.node_bytes) {
    tried_.insert(SupportMemory::of(known));
    best_ = best;
    if (Index(known.size()) == shared_.k) list(known, best);
    for (int i = 0; i < std::max(target.threads, 1); ++i) relaxations_.push_back(std::make_unique<Relaxation>(shared_));
  }

  /// Solves the relaxation of all supports, and removes the units that no better support can contain. `sides` has an entry for
  /// each live unit.
  void start(std::vector<Side> sides, const std::vector<Index>& known) {
    bound_known(sides, known);
    Subproblem root = whole(std::move(sides));
    Relaxation& relaxation = *relaxations_.front();
    ++nodes_;
    Verdict verdict = relaxation.solve(root, cutoff(), Relaxation::share_of_root);
    // Tries the most promising supports first: the known support may be poor, and with a better one more units are fixed.
    for (int round = 0; round < 10 && verdict == Verdict::open; ++round) {
      const double before = best_;
      verdict = relaxation.linearise(root, cutoff());
      if (verdict != Verdict::open || !(relaxation.foresee(root, likely_) < best_ * (1 + 1e-3)) || !try_likely(likely_)) break;
      if (best_ < before) verdict = relaxation.solve(root, cutoff(), Relaxation::share_of_root);
    }
    // Units that are fixed here are fixed in all nodes, so more steps are worth their time.
    if (verdict == Verdict::open) verdict = relaxation.solve(root, cutoff(), 0.01);
    discard(relaxation.take_discarded());
    if (verdict == Verdict::leaf) end_leaf(root);
    if (verdict == Verdict::open) {
      compact(root);
      const bool saves_time = relaxation.build_reference(root, reference_);
      for (const auto& each : relaxations_) each->begin_nodes(saves_time ? &reference_ : nullptr);
      open_.push(root);
    }
  }

  /// Processes the next batch of nodes. Returns false if there are none, or if it was interrupted.
  bool advance(const Interrupt& interrupt) {
    take_batch();
    if (batch_count_ == 0) return false;
    const double bar = cutoff();
    std::atomic<Index> next{0};
    const Index workers = std::min<Index>(Index(relaxations_.size()), batch_count_);
    const bool finished = for_each_task(workers, int(workers), interrupt, [&](Index worker, const Interrupt& stopped) {
      for (Index i = next++; i < batch_count_ && !(stopped && stopped()); i = next++)
        expand(*relaxations_[std::size_t(worker)], batch_[std::size_t(i)], bar);
    });
    for (Index i = 0; i < batch_count_; ++i) merge(batch_[std::size_t(i)]);
    return finished;
  }

  double best() const noexcept { return best_; }
  Index nodes() const noexcept { return nodes_; }
  Index open() const noexcept { return open_.count(); }
  /// No support has a lower F than this.
  double lower_bound() const { return std::min({best_, discarded_, open_.least_bound()}); }
  /// The smallest bound of a leaf that is below the cutoff, or infinity. Only a loss that is not convex has such leaves,
  /// because bounds are computed for a convex function below the loss.
  double leaf_bound() const noexcept { return leaf_bound_; }
  /// Supports that were within the range when they were found. The range may be smaller now.
  const std::vector<ListedModel>& models() const noexcept { return models_; }

  /// Nodes whose bound is at least this are pruned.
  double cutoff() const {
    if (target_.within >= 0) return best_ + std::abs(best_) * (target_.within + target_.rounding);
    // The lower bound of the whole tree is at most leaf_bound_, so nodes with larger bounds cannot improve it.
    return std::min(best_ - std::abs(best_) * target_.gap, leaf_bound_);
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  static constexpr Index most_at_once = 32;

  /// A node and the results of its expansion.
  struct Work {
    Subproblem node, child[2];
    Verdict verdict[2];
    Verdict own;
    std::vector<Index> likely;  // live units
    double foreseen = infinity, discarded = infinity;
    bool done = false;
  };

  Subproblem whole(std::vector<Side> sides) const {
    Subproblem node;
    node.side = std::move(sides);
    node.coef.assign(std::size_t(shared_.columns.columns()), 0.0);
    node.intercept = shared_.rows.start;
    node.bound = -infinity;
    return node;
  }

  // For a loss that is not convex, the lower bound of the tree is at most the bound on the known support alone. If that is
  // below the cutoff, then it is the best lower bound that can be reached.
  void bound_known(const std::vector<Side>& sides, const std::vector<Index>& known) {
    if (target_.within >= 0) return;
    Subproblem leaf = whole(sides);
    for (Index u = 0; u < shared_.columns.units(); ++u)
      if (leaf.side[std::size_t(u)] == Side::free)
        leaf.side[std::size_t(u)] =
            std::binary_search(known.begin(), known.end(), shared_.columns.name(u)) ? Side::in : Side::out;
    relaxations_.front()->solve(leaf, infinity, 0);
    relaxations_.front()->take_discarded();
    raise_bound(leaf);
    if (!(leaf.bound < cutoff())) return;
    leaf_bound_ = leaf.bound;
    discard(leaf.bound);
  }

  void take_batch() {
    const double bar = cutoff();
    const bool deep = open_.deep();
    const Index most = deep ? 1 : std::clamp<Index>(open_.count() / 8, 1, most_at_once);
    batch_count_ = 0;
    while (batch_count_ < most && open_.count() > 0) {
      Work& work = batch_[std::size_t(batch_count_)];
      open_.pop(work.node);
      if (work.node.bound >= bar)
        discard(work.node.bound);
      else
        ++batch_count_;
    }
  }

  void expand(Relaxation& relaxation, Work& work, double bar) {
    work.foreseen = infinity;
    work.own = relaxation.linearise(work.node, bar);
    if (work.own == Verdict::open) {
      work.foreseen = relaxation.foresee(work.node, work.likely);
      const Index unit = relaxation.choose_branch(work.node, bar);
      for (int which = 0; which < 2; ++which) {
        Subproblem& child = work.child[which];
        child = work.node;
        ++child.depth;
        child.side[std::size_t(unit)] = which ? Side::in : Side::out;
        work.verdict[which] = relaxation.solve_child(child, bar);
      }
    }
    work.discarded = relaxation.take_discarded();
    work.done = true;
  }

  void merge(Work& work) {
    if (!work.done) {  // interrupted before its turn
      open_.push(work.node);
      return;
    }
    work.done = false;
    discard(work.discarded);
    if (work.own == Verdict::leaf) end_leaf(work.node);
    if (work.own != Verdict::open) return;
    if (work.foreseen < best_) try_likely(work.likely);
    for (int which = 0; which < 2; ++which) {
      ++nodes_;
      if (work.verdict[which] == Verdict::leaf) end_leaf(work.child[which]);
      if (work.verdict[which] == Verdict::open) open_.push(work.child[which]);
    }
  }

  void discard(double bound) { discarded_ = std::min(discarded_, bound); }

  // The leaf has one support. It is refitted, because the bound of the leaf is only about the convex function below the loss.
  void end_leaf(Subproblem& leaf) {
    likely_.clear();
    for (Index u = 0; u < shared_.columns.units(); ++u)
      if (leaf.side[std::size_t(u)] == Side::in) likely_.push_back(u);
    try_likely(likely_);
    raise_bound(leaf);
    if (leaf.bound < cutoff()) leaf_bound_ = std::min(leaf_bound_, leaf.bound);
    discard(leaf.bound);
  }

  // Where a loss has little curvature, the steps of a relaxation may end far from the minimum on the support of a leaf. A refit ends
  // there, and a bound from that point is as good as rounding and the convex function below the loss allow.
  void raise_bound(Subproblem& leaf) {
    if (!move_to_minimum_ || target_.within >= 0 || !(leaf.bound < cutoff())) return;
    support_.clear();
    for (Index u = 0; u < shared_.columns.units(); ++u)
      if (leaf.side[std::size_t(u)] == Side::in) support_.push_back(shared_.columns.name(u));
    std::sort(support_.begin(), support_.end());
    if (move_to_minimum_(support_, leaf)) relaxations_.front()->raise_bound(leaf);
  }

  // Refits a support of live units, and returns true, unless it was refitted before.
  bool try_likely(const std::vector<Index>& units) {
    support_.clear();
    for (const Index u : units) support_.push_back(shared_.columns.name(u));
    std::sort(support_.begin(), support_.end());
    if (!tried_.insert(SupportMemory::of(support_)).second) return false;
    chosen_ = support_;
    const double objective = refit_(support_, chosen_);
    best_ = std::min(best_, objective);
    if (Index(support_.size()) == shared_.k) list(chosen_, objective);
    return true;
  }
  // With bounds, refits on several supports may end at one model, because coefficients at a bound of 0 are no part of it.
  void list(const std::vector<Index>& chosen, double objective) {
    if (target_.within >= 0 && objective <= cutoff() && listed_.insert(SupportMemory::of(chosen)).second)
      models_.push_back({chosen, objective});
  }

  // Removes the units that are out at the root, because they are out in all nodes.
  void compact(Subproblem& root) {
    std::vector<char> kept(root.side.size(), 0);
    Subproblem smaller = whole({});
    smaller.coef.clear();
    smaller.intercept = root.intercept;
    smaller.bound = root.bound;
    Index active = 0;
    for (Index u = 0; u < shared_.columns.units(); ++u) {
      if (root.side[std::size_t(u)] == Side::out) continue;
      kept[std::size_t(u)] = 1;
      smaller.side.push_back(root.side[std::size_t(u)]);
      for (Index c = shared_.columns.begin(u); c < shared_.columns.begin(u + 1); ++c) {
        smaller.coef.push_back(root.coef[std::size_t(c)]);
        active += root.coef[std::size_t(c)] != 0;
      }
    }
    shared_.keep(kept);
    open_.reset(shared_.columns.units(), shared_.columns.columns(), std::max<Index>(2 * active, 16));
    root = std::move(smaller);
  }

  const Shared& shared_;
  const Target target_;
  const Refit refit_;
  const MoveToMinimum move_to_minimum_;
  double best_ = infinity, discarded_ = infinity, leaf_bound_ = infinity;
  Index nodes_ = 0;
  std::vector<std::unique_ptr<Relaxation>> relaxations_;  // one for each thread
  QuadraticModel reference_;                              // the model at the root
  OpenNodes open_;
  std::vector<Work> batch_ = std::vector<Work>(std::size_t(most_at_once));
  Index batch_count_ = 0;
  std::unordered_set<std::uint64_t> tried_, listed_;
  std::vector<ListedModel> models_;
  std::vector<Index> support_, likely_, chosen_;
};

}  // namespace ksparse::proof
