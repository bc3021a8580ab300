// Logistic loss (cross entropy) of the margin m. With p = sigma(m), q = sigma(-m):
//   l = softplus(-m),   l' = -q,   l'' = p q
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Logistic {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  template <class T>
  LossTerms<T> operator()(const T& margin, const T& weight) const noexcept {
    const auto parts = stable::logistic_parts(margin);
    const T slope = weight * parts.q;
    return {weight * parts.softplus, -slope, slope * parts.p};
  }

  template <class T>
  Bend<T> bend(const T& margin, const T& weight) const noexcept {
    return {margin, weight};
  }
  BendScale bend_scale() const noexcept { return {1, 1}; }

  double class_weight(bool) const noexcept { return 1.0; }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const { return std::nullopt; }
};

}  // namespace ksparse
