// What a user may set for a fit.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "types.hpp"

namespace ksparse {

struct Options {
  Index k = 10;               ///< most features used, >= 0; the intercept does not count
  bool fit_intercept = true;  ///< the intercept is never penalised
  double ridge = 0.0;         ///< weight of |beta|^2 / 2, >= 0, in units of the average loss
  double tolerance = 1e-8;    ///< the answer is stationary: Newton decrement sqrt(g' H^-1 g) at most this, > 0
  int max_newton = 100;       ///< Newton iterations per refit, >= 1
  int pairs_tried = 8;        ///< exchanges tried by exact refits per scan of the working set, >= 1
  int pairs_tried_last = 30;  ///< the same for a scan of all features; the answer is swap-optimal within these

  /// Most features in the working set, which is scanned often between scans of all p.
  Index working_set(Index p) const {
    const Index most = std::max<Index>(32, 2 * k + 16) + k;
    return 2 * most < p ? most : p;
  }

  /// The first broken rule in words, e.g. "ridge must be >= 0, got -1".
  std::optional<std::string> problem() const {
    if (k < 0) return "k must be >= 0, got " + std::to_string(k);
    if (!(ridge >= 0 && std::isfinite(ridge))) return "ridge must be finite and >= 0, got " + std::to_string(ridge);
    if (!(tolerance > 0 && std::isfinite(tolerance))) return "tolerance must be > 0, got " + std::to_string(tolerance);
    if (max_newton < 1) return "max_newton must be >= 1, got " + std::to_string(max_newton);
    if (pairs_tried < 1) return "pairs_tried must be >= 1, got " + std::to_string(pairs_tried);
    if (pairs_tried_last < 1) return "pairs_tried_last must be >= 1, got " + std::to_string(pairs_tried_last);
    return std::nullopt;
  }
};

}  // namespace ksparse
