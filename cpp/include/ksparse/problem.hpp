// Responses, weights and offset of a problem, as views of the caller's arrays, which are never modified.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <optional>
#include <string>

#include "loss/loss.hpp"
#include "types.hpp"

namespace ksparse {

/// minimise (1/W) sum_i w_i l(eta_i, y_i) + (ridge/2) |beta|^2 with eta_i = x_i . beta + beta0 + offset_i, W = sum w_i. For two
/// classes, l is usually a function of the margin (2 y_i - 1) eta_i.
struct Problem {
  using Vector = Eigen::Map<const Eigen::VectorXd>;

  Vector responses{nullptr, 0};  // (n,) y: 0 or 1, or values that the loss allows
  Vector weights{nullptr, 0};    // (n,) >= 0, or empty, which means 1
  Vector offset{nullptr, 0};     // (n,) added to the linear predictor, or empty, which means 0

  Problem() = default;
  /// Makes views of Eigen vectors, which must exist as long as the problem. The constructor is implicit, so y alone is a
  /// problem.
  template <class Y = Vector, class W = Vector, class O = Vector>
  Problem(const Y& y, const W& sample_weight = W(nullptr, 0), const O& added = O(nullptr, 0))
      : responses(view(y)), weights(view(sample_weight)), offset(view(added)) {}

  /// A message about the first invalid value, for n rows and this kind of responses.
  std::optional<std::string> problem(Index n, Responses kind) const {
    const auto wrong_size = [n](const char* name, Index size) {
      return std::string(name) + " has " + std::to_string(size) + " entries but X has " + std::to_string(n) + " rows";
    };
    if (n < 1) return "X has no rows";
    if (responses.size() != n) return wrong_size("y", responses.size());
    if (weights.size() != 0 && weights.size() != n) return wrong_size("sample_weight", weights.size());
    if (offset.size() != 0 && offset.size() != n) return wrong_size("offset", offset.size());
    double total[2] = {0, 0};  // total weight of the rows with y <= 0, and of those with y > 0
    for (Index i = 0; i < n; ++i) {
      const double y = responses[i], weight = weights.size() ? weights[i] : 1.0;
      if (!allows(kind, y)) return "y[" + std::to_string(i) + "] is " + std::to_string(y) + "; " + rule(kind);
      if (!(weight >= 0 && std::isfinite(weight)))
        return "sample_weight[" + std::to_string(i) + "] is " + std::to_string(weight) + "; weights must be finite and >= 0";
      if (offset.size() && !std::isfinite(offset[i]))
        return "offset[" + std::to_string(i) + "] is " + std::to_string(offset[i]) + "; it must be finite";
      total[y > 0] += weight;
    }
    for (const int label : {0, 1})
      if (kind == Responses::binary && !(total[label] > 0))
        return "y has no row of class " + std::to_string(label) + " with a positive weight; both classes are needed";
    if (!(total[0] + total[1] > 0)) return "sample_weight is 0 in every row; at least one row needs a positive weight";
    if (kind == Responses::not_negative && !(total[1] > 0)) return "y is 0 in every row of positive weight; some must be > 0";
    return std::nullopt;
  }

 private:
  template <class V>
  static constexpr bool is_readable() {
    if constexpr (internal::is_in_memory<V, double>()) return bool(V::IsVectorAtCompileTime);
    return false;
  }
  template <class V>
  static Vector view(const V& vector) {
    constexpr bool readable = is_readable<V>();
    static_assert(readable,
                  "ksparse: y, weights and offset must be Eigen vectors of double that lie in memory without gaps, such as a "
                  "VectorXd, a Map or a column of a MatrixXd; evaluate or convert anything else into a VectorXd first");
    if constexpr (readable)
      return {vector.data(), vector.size()};
    else
      return {nullptr, 0};
  }
  static bool allows(Responses kind, double y) {
    switch (kind) {
      case Responses::binary: return y == 0.0 || y == 1.0;
      case Responses::finite: return std::isfinite(y);
      case Responses::not_negative: return y >= 0 && std::isfinite(y);
      case Responses::positive: return y > 0 && std::isfinite(y);
    }
    return false;
  }
  static const char* rule(Responses kind) {
    switch (kind) {
      case Responses::binary: return "labels must be 0 or 1";
      case Responses::finite: return "responses must be finite";
      case Responses::not_negative: return "responses must be finite and >= 0 for this loss";
      case Responses::positive: return "responses must be finite and > 0 for this loss";
    }
    return "";
  }
};

}  // namespace ksparse
