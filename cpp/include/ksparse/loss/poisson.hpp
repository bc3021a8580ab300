// Poisson loss with the log link: half the unit deviance of mu = exp(eta) (McCullagh & Nelder, Generalized Linear Models, 1989,
// section 2.3), which differs from minus the log-likelihood by terms without mu, and is 0 at mu = y:
//   l = y log(y / mu) - (y - mu) = y (exp(d) - 1 - d) with d = eta - log y,   or mu where y = 0
//   l' = mu - y,   l'' = mu                                                   held at eta = 650 (stable.hpp)
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Poisson {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  static constexpr Responses responses = Responses::not_negative;

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T mean = stable::exp_bounded(eta), d = eta - log(max(response, T(std::numeric_limits<double>::min())));
    const T excess = stable::exp_excess_near_zero(d), slope = mean - response;
    const auto by_size = [&d](const T& near, const T& far) { return select_less_equal(abs(d), T(0.5), near, far); };
    const auto by_response = [&response](const T& zero, const T& other) {
      return select_less_equal(response, T(0.0), zero, other);
    };
    return {weight * by_response(mean, by_size(response * excess, slope - response * d)),
            weight * by_size(response * (excess + d), slope), weight * mean};
  }

  ResponseUnits units(double unit) const noexcept { return {unit, 1, std::log(unit), 1, {unit, 1}}; }
  Poisson in_units(double) const noexcept { return {}; }
  static double link(double mean) noexcept { return std::log(mean); }
  static double mean(double eta) noexcept { return std::exp(eta); }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const { return std::nullopt; }
};

}  // namespace ksparse
