// Tweedie loss with the log link: half the unit deviance of mu = exp(eta) with the variance mu^power, between Poisson (1) and
// gamma (2) (Jorgensen, JRSS B 1987; The Theory of Dispersion Models, 1997, chapter 4), 0 at mu = y. With a = power - 1,
// b = 2 - power, d = eta - log y and e(x) = exp(x) - 1 - x:
//   l   = y^b / (-a b) + y mu^(-a) / a + mu^b / b = y^b (e(-a d) / a + e(b d) / b),   or mu^b / b where y = 0
//   l'  = mu^b - y mu^(-a) = y^b (e(b d) - e(-a d) + d)
//   l'' = b mu^b + a y mu^(-a)                                                        held far out (stable.hpp)
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Tweedie {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  static constexpr Responses responses = Responses::not_negative;

  double power = 1.5;  ///< power of the mean in the variance, in (1, 2)

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T a(power - 1), b(2 - power),
        log_response = stable::log_positive(max(response, T(std::numeric_limits<double>::denorm_min())));
    const T d = eta - log_response, up = stable::exp_excess(b * d), down = stable::exp_excess(-a * d);
    const T of_mean = stable::exp_bounded(b * eta), of_response = stable::exp_bounded(b * log_response);
    const auto by_response = [&response](const T& zero, const T& other) {
      return select_less_equal(response, T(0.0), zero, other);
    };
    const T value = by_response(of_mean / b, of_response * (down / a + up / b));
    const T slope = by_response(of_mean, of_response * (up - down + d));
    const T curvature = b * of_mean + by_response(T(0.0), a * response * stable::exp_bounded(-a * eta));
    return {weight * value, weight * slope, weight * curvature};
  }

  ResponseUnits units(double unit) const noexcept { return {unit, 1, std::log(unit), 1, {std::pow(unit, 2 - power), 1}}; }
  Tweedie in_units(double) const noexcept { return *this; }
  static double link(double mean) noexcept { return std::log(mean); }
  static double mean(double eta) noexcept { return std::exp(eta); }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const {
    if (!(power > 1 && power < 2)) return "power must be in (1, 2), got " + std::to_string(power);
    return std::nullopt;
  }
};

}  // namespace ksparse
