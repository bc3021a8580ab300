// Half the squared error of the linear predictor eta (Legendre 1805):
//   l = (eta - y)^2 / 2,   l' = eta - y,   l'' = 1
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "../util/pack.hpp"
#include "loss.hpp"

namespace ksparse {

struct Squared {
  static constexpr Responses responses = Responses::finite;
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::exact;

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T residual = eta - response, slope = weight * residual;
    return {T(0.5) * slope * residual, slope, weight};
  }

  ResponseUnits units(double unit) const noexcept { return {unit, unit, 0, 1, {unit, unit}}; }
  Squared in_units(double) const noexcept { return {}; }
  static double link(double mean) noexcept { return mean; }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const { return std::nullopt; }
};

}  // namespace ksparse
