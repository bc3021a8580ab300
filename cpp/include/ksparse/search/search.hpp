// A complete search as one resumable state machine: the first descent, perturbation rounds as the options allow, and the final
// refit. Its engine requests refits and scans; single fits and batches run it in the same way.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>

#include "../options.hpp"
#include "../result.hpp"
#include "objective.hpp"
#include "perturbation.hpp"
#include "splicing.hpp"
#include "support_memory.hpp"

namespace ksparse {

class Search {
 public:
  Search() = default;  // to be reset
  /// The options must exist as long as the search, or until the next reset.
  Search(const Objective& objective, const Options& options) { reset(objective, options); }
  Search(const Search&) = delete;  // the engine has a pointer to memory_
  Search& operator=(const Search&) = delete;

  /// Prepares for another objective. It allocates only if it needs more memory than before.
  void reset(const Objective& objective, const Options& options) {
    options_ = &options;
    features_ = objective.features();
    may_perturb_ = options.rounds_allowed(features_, true) > 0 || !options.start.empty();
    perturbs_ = false;
    stage_ = Stage::descent;
    memory_.clear();
    engine_.reset(objective, options, may_perturb_ ? &memory_ : nullptr);
  }

  /// Allocates the memory that searches of this kind may need, so that they do not allocate later.
  void reserve() {
    if (!may_perturb_) return;
    constexpr int usual = 10000;  // refits; only searches that take days make more
    memory_.reserve(std::size_t(std::min(options_->refits_allowed(features_), usual)));
    perturbation_.reserve(engine_.current().coef.size() / engine_.current().stride, engine_.current().stride, features_,
                          *options_);
  }

  Splicing& engine() noexcept { return engine_; }
  const Splicing& engine() const noexcept { return engine_; }
  bool done() const noexcept { return stage_ == Stage::done; }

  /// Called when the engine is done. Starts its next descent or the final refit, if there is one.
  void advance() {
    const bool converged = engine_.info().status == Status::converged;
    switch (stage_) {
      case Stage::descent:
        if (!converged) return end();
        if (may_perturb_) {
          perturbs_ = true;
          stage_ = Stage::rounds;
          if (perturbation_.begin(engine_, *options_)) return;
        }
        return polish();
      case Stage::rounds:
        if (perturbation_.next()) return;
        return engine_.info().status == Status::converged ? polish() : end();
      case Stage::polish:
      case Stage::done: return end();
    }
  }

  /// The work of a search that is done, and how its result was found.
  Info info() const {
    Info info = engine_.info();
    if (perturbs_) {
      info.rounds = perturbation_.report().rounds;
      info.restarts = perturbation_.report().restarts;
      info.times_found = perturbation_.report().times_found;
    }
    return info;
  }

 private:
  enum class Stage { descent, rounds, polish, done };

  void polish() {
    stage_ = Stage::polish;
    engine_.polish();
  }
  void end() { stage_ = Stage::done; }

  const Options* options_ = nullptr;
  Index features_ = 0;
  bool may_perturb_ = false, perturbs_ = false;
  SupportMemory memory_;
  Splicing engine_;
  Perturbation perturbation_;
  Stage stage_ = Stage::descent;
};

}  // namespace ksparse
