// The options and the result of a proof.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "result.hpp"
#include "types.hpp"

namespace ksparse {

/// The state of a proof that is running.
struct ProofState {
  double seconds;  // since it began
  double objective, lower_bound;
  Index nodes, open;  // relaxations solved, and nodes that are left

  double gap() const noexcept { return relative_gap(objective, lower_bound); }
};

/// A function that receives the state of a proof about every 100 ms and at its end. It is called from the calling thread only. An
/// exception that it throws ends the proof and is passed on to the caller.
using ProofProgress = std::function<void(const ProofState&)>;

struct ProofOptions {
  double max_gap = 1e-6;    ///< the proof ends once (objective - lower_bound) / objective is at most this, > 0
  double max_seconds = 0;   ///< the proof ends after this time, >= 0; 0 means no limit
  Index max_nodes = 0;      ///< the proof ends after this number of nodes, >= 0; 0 means no limit
  double memory = 400e6;    ///< bytes of open nodes beyond which the tree is searched depth first, > 0
  double within = 0.01;     ///< near_optimal lists models up to this relative distance from the best objective, >= 0
  Index max_models = 1000;  ///< near_optimal ends once it has found more models than this, >= 1
  ProofProgress progress;   ///< receives the state of the proof, unless it is empty

  /// The first broken rule in words.
  std::optional<std::string> problem() const {
    const auto number = [](double value) { return std::to_string(value); };
    if (!(max_gap > 0 && std::isfinite(max_gap))) return "max_gap must be finite and > 0, got " + number(max_gap);
    if (!(max_seconds >= 0 && std::isfinite(max_seconds)))
      return "max_seconds must be finite and >= 0, got " + number(max_seconds) + "; 0 means no limit of time";
    if (max_nodes < 0) return "max_nodes must be >= 0, got " + std::to_string(max_nodes) + "; 0 means no limit";
    if (!(memory > 0)) return "memory must be > 0, got " + number(memory);
    if (!(within >= 0 && std::isfinite(within))) return "within must be finite and >= 0, got " + number(within);
    if (max_models < 1) return "max_models must be >= 1, got " + std::to_string(max_models);
    return std::nullopt;
  }
};

/// Why a proof ended.
enum class ProofEnd : int {
  optimal,      // the gap is at most max_gap, or the list of near_optimal is complete
  convex_loss,  // no node is left, but the gap is larger, because bounds are for a convex function below the loss
  rounding,     // no node is left, but the gap is larger, because rounding errors of very different numbers are
  max_seconds,
  max_nodes,
  max_models,
  interrupted,
  not_possible,  // there is no bound, or no fit to start from; the message says why
};

constexpr const char* to_string(ProofEnd end) noexcept {
  switch (end) {
    case ProofEnd::optimal: return "optimal";
    case ProofEnd::convex_loss: return "convex_loss";
    case ProofEnd::rounding: return "rounding";
    case ProofEnd::max_seconds: return "max_seconds";
    case ProofEnd::max_nodes: return "max_nodes";
    case ProofEnd::max_models: return "max_models";
    case ProofEnd::interrupted: return "interrupted";
    case ProofEnd::not_possible: return "not_possible";
  }
  return "unknown";
}

struct NearOptimalModel {
  std::vector<Index> units;  // features, or groups of them, sorted
  double objective;          // F after a refit
};

struct Proof {
  FitResult fit;                                                  ///< the given fit, or a better one if the proof found one
  double lower_bound = -std::numeric_limits<double>::infinity();  ///< no support has a lower F than this
  bool improved = false;                                          ///< whether the proof found a better fit
  double loss_gap = 0;  ///< the part of objective - lower_bound that is due to a loss that is not convex
  Index nodes = 0;      ///< number of relaxations that were solved
  Index open = 0;       ///< number of nodes that were left
  ProofEnd end = ProofEnd::not_possible;
  std::string message;                   ///< if end is not_possible: the reason, and what would make a proof possible
  std::vector<NearOptimalModel> models;  ///< the list of near_optimal, in the order of their objectives

  /// (objective - lower_bound) / |objective|, in [0, infinity].
  double gap() const noexcept { return relative_gap(fit.objective, lower_bound); }
};

}  // namespace ksparse
