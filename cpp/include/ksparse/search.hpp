// A fit from nothing to the polished answer as one resumable machine: the first descent, rounds of perturbation as the options
// allow, and the last refit. It asks through its engine; a single fit and a batch drive it alike.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "objective.hpp"
#include "options.hpp"
#include "perturbation.hpp"
#include "result.hpp"
#include "splicing.hpp"
#include "support_memory.hpp"

namespace ksparse {

class Search {
 public:
  /// The options outlive the search.
  Search(const Objective& objective, const Options& options)
      : options_(options),
        features_(objective.features()),
        may_perturb_(options.rounds_allowed(features_, true) > 0 || !options.start.empty()),
        engine_(objective, options, may_perturb_ ? &memory_ : nullptr) {}
  Search(const Search&) = delete;  // the engine refers to the memory beside it
  Search& operator=(const Search&) = delete;

  Splicing& engine() noexcept { return engine_; }
  bool done() const noexcept { return stage_ == Stage::done; }

  /// Once the engine is done: sets it to what comes next, if anything does.
  void advance() {
    const bool converged = engine_.info().status == Status::converged;
    switch (stage_) {
      case Stage::descent:
        if (!converged) return end();
        if (may_perturb_) {
          perturbation_.emplace(engine_, features_, options_);
          stage_ = Stage::rounds;
          if (perturbation_->begin()) return;
        }
        return polish();
      case Stage::rounds:
        if (perturbation_->next()) return;
        return engine_.info().status == Status::converged ? polish() : end();
      case Stage::polish:
      case Stage::done: return end();
    }
  }

  /// Once done: the work that it took, and how the answer was found.
  Info info() const {
    Info info = engine_.info();
    if (perturbation_) {
      info.rounds = perturbation_->report().rounds;
      info.times_found = perturbation_->report().times_found;
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

  const Options& options_;
  const Index features_;
  const bool may_perturb_;
  SupportMemory memory_;
  Splicing engine_;
  std::optional<Perturbation> perturbation_;
  Stage stage_ = Stage::descent;
};

}  // namespace ksparse
