// Exponential loss of the margin m, as in AdaBoost (Friedman, Hastie, Tibshirani, Annals of Statistics 2000, section 4); its
// minimiser at a point is half the log-odds:
//   l = exp(-m),   l' = -l,   l'' = l        held at m = -650 (stable.hpp)
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Exponential {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  template <class T>
  LossTerms<T> operator()(const T& margin, const T& weight) const noexcept {
    const T value = weight * stable::exp_bounded(-margin);
    return {value, -value, value};
  }

  double class_weight(bool) const noexcept { return 1.0; }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const { return std::nullopt; }
};

}  // namespace ksparse
