// The rows of a problem: labels, weights, offset. Views of the caller's arrays, which are never changed.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <optional>
#include <string>

#include "types.hpp"

namespace ksparse {

/// minimise (1/W) sum_i w_i l(m_i) + (ridge/2) |beta|^2 with m_i = (2 y_i - 1)(x_i . beta + beta0 + offset_i), W = sum w_i.
struct Problem {
  using Vector = Eigen::Map<const Eigen::VectorXd>;

  Vector labels{nullptr, 0};   // (n,) 0 or 1
  Vector weights{nullptr, 0};  // (n,) >= 0, or empty: all 1
  Vector offset{nullptr, 0};   // (n,) added to the linear predictor, or empty: 0

  /// The first broken rule in words, for a design of n rows.
  std::optional<std::string> problem(Index n) const {
    const auto wrong_size = [n](const char* name, Index size) {
      return std::string(name) + " has " + std::to_string(size) + " entries but X has " + std::to_string(n) + " rows";
    };
    if (n < 1) return "X has no rows";
    if (labels.size() != n) return wrong_size("y", labels.size());
    if (weights.size() != 0 && weights.size() != n) return wrong_size("sample_weight", weights.size());
    if (offset.size() != 0 && offset.size() != n) return wrong_size("offset", offset.size());
    double total[2] = {0, 0};
    for (Index i = 0; i < n; ++i) {
      if (labels[i] != 0.0 && labels[i] != 1.0)
        return "y[" + std::to_string(i) + "] is " + std::to_string(labels[i]) + "; labels must be 0 or 1";
      const double weight = weights.size() ? weights[i] : 1.0;
      if (!(weight >= 0 && std::isfinite(weight)))
        return "sample_weight[" + std::to_string(i) + "] is " + std::to_string(weight) + "; weights must be finite and >= 0";
      if (offset.size() && !std::isfinite(offset[i]))
        return "offset[" + std::to_string(i) + "] is " + std::to_string(offset[i]) + "; it must be finite";
      total[labels[i] == 1.0] += weight;
    }
    for (const int label : {0, 1})
      if (!(total[label] > 0))
        return "y has no row of class " + std::to_string(label) + " with a positive weight; both classes are needed";
    if (!std::isfinite(total[0] + total[1])) return "sample_weight must have a finite sum";
    return std::nullopt;
  }
};

}  // namespace ksparse
