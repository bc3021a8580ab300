// Gamma loss with the log link: half the unit deviance of mu = exp(eta) (McCullagh & Nelder, Generalized Linear Models, 1989,
// section 8.3.2), 0 at mu = y. With d = log y - eta:
//   l = y / mu - 1 - log(y / mu) = exp(d) - 1 - d,   l' = 1 - exp(d),   l'' = exp(d)        held at d = 650 (stable.hpp)
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Gamma {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  static constexpr Responses responses = Responses::positive;

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T d = stable::log_positive(response) - eta, excess = stable::exp_excess(d);
    return {weight * excess, -weight * (excess + d), weight * stable::exp_bounded(d)};
  }

  ResponseUnits units(double unit) const noexcept { return {unit, 1, std::log(unit), 1, {1, 1}}; }
  Gamma in_units(double) const noexcept { return {}; }
  static double link(double mean) noexcept { return std::log(mean); }
  static double mean(double eta) noexcept { return std::exp(eta); }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const { return std::nullopt; }
};

}  // namespace ksparse
