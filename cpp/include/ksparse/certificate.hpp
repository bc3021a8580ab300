// What may be set for a proof, and what it says.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "result.hpp"
#include "types.hpp"

namespace ksparse {

struct ProofOptions {
  double max_gap = 1e-6;    ///< the proof is done once (objective - lower_bound) / objective is at most this, > 0
  double max_seconds = 0;   ///< no new nodes after this time, >= 0; 0: no limit
  Index max_nodes = 0;      ///< no new nodes beyond so many, >= 0; 0: no limit
  double memory = 400e6;    ///< bytes of open nodes beyond which the tree is searched depth first, > 0
  double within = 0.01;     ///< of near_optimal: relative distance from the best objective up to which models are listed, >= 0
  Index max_models = 1000;  ///< of near_optimal: the search ends once there are more, >= 1

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

/// What ended a proof.
enum class ProofEnd : int {
  optimal,      // the gap is at most max_gap; of near_optimal: the list is complete
  convex_loss,  // all was searched, but the convex loss below the loss leaves a larger gap
  rounding,     // all was searched, but numbers of very different sizes leave a larger gap to rounding
  max_seconds,
  max_nodes,
  max_models,
  interrupted,
  not_possible,  // there is no bound, or no answer to start from; the message says why
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
  FitResult fit;  ///< the answer: the one that was given, or a better one that was found on the way
  double lower_bound = -std::numeric_limits<double>::infinity();  ///< F of no support is lower
  bool improved = false;                                          ///< whether it is a better one
  double loss_gap = 0;  ///< the part of objective - lower_bound that is owed to a loss that is not convex
  Index nodes = 0;      ///< relaxations solved
  Index open = 0;       ///< nodes that were left
  ProofEnd end = ProofEnd::not_possible;
  std::string message;                   ///< with not_possible: why, and what would make a proof possible
  std::vector<NearOptimalModel> models;  ///< of near_optimal, by rising objective

  /// (objective - lower_bound) / |objective|, in [0, infinity].
  double gap() const {
    const double left = fit.objective - lower_bound;
    return left <= 0 ? 0.0 : left / std::max(std::abs(fit.objective), std::numeric_limits<double>::min());
  }
};

}  // namespace ksparse
