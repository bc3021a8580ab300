// Negative binomial loss with the log link and a given dispersion a, of which the variance is mu + a mu^2 (NB2; Hilbe, Negative
// Binomial Regression, 2011, section 8.2): half the unit deviance of mu = exp(eta), 0 at mu = y:
//   l   = y log(y / mu) - (y + 1/a) log((1 + a y) / (1 + a mu)),   or log(1 + a mu) / a where y = 0
//   l'  = (mu - y) / (1 + a mu),   l'' = mu (1 + a y) / (1 + a mu)^2
// With c = a y / (1 + a y) and s = eta - log y if that is at most 1/2, else 1 / (1 + a y) and log y - eta, the value is
//   l   = A (log(1 + c (exp(s) - 1)) / c - s)                with A = y, or 1/a
//       = A ((exp(s) - 1 - s) - r(c (exp(s) - 1)) / c)       with r(x) = x - log(1 + x), for small s, where the first cancels
// In both A / c = (1 + a y) / a, and c (exp(s) - 1) is a (mu - y) / (1 + a y) or (y / mu - 1) / (1 + a y).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct NegativeBinomial {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  static constexpr Responses responses = Responses::not_negative;

  double dispersion = 1.0;  ///< the dispersion a, > 0; as it tends to 0, the loss tends to Poisson

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T a(dispersion), one(1.0), y = max(response, T(std::numeric_limits<double>::min()));
    const T mean = stable::exp_bounded(eta), d = eta - stable::log_positive(y), spread = one + a * mean, of_y = one + a * y;
    const T part = mean / spread;
    const auto by_response = [&response](const T& zero, const T& other) {
      return select_less_equal(response, T(0.0), zero, other);
    };
    const T q = a * y / of_y;
    const auto by_size = [&q](const T& small, const T& large) { return select_less_equal(q, T(0.5), small, large); };
    const T c = by_size(q, one / of_y), s = by_size(d, -d), scale = by_size(y, one / a);
    const T excess = stable::exp_excess_near_zero(s), near = c * (excess + s);
    // For very large x, 1 + x equals x in floating point. This covers clamped means (stable.hpp) and overflow of y / mu.
    const T held = select_less_equal(eta, T(650.0), a * (mean - y) / of_y, T(1e300));
    const T far = by_size(held, (y / mean - one) / of_y), beyond = by_size(eta, s) + log(by_size(a, one) / of_y);
    const T logarithm = select_less_equal(far, T(1e280), stable::log1p(far), beyond);
    const T value =
        select_less_equal(abs(s), T(0.5), scale * excess - of_y / a * log_excess(near), of_y / a * logarithm - scale * s);
    const T slope = select_less_equal(abs(d), T(0.5), y * (stable::exp_excess_near_zero(d) + d), mean - y) / spread;
    return {weight * by_response(stable::log1p(a * mean) / a, value), weight * by_response(part, slope),
            weight * part * by_response(one, of_y) / spread};
  }

  /// But for a straight line, l is y + 1/a times the logistic loss of eta + log(a).
  template <class T>
  Bend<T> bend(const T& eta, const T& response, const T& weight) const noexcept {
    return {eta + T(std::log(dispersion)), weight * (response + T(1 / dispersion))};
  }
  BendScale bend_scale() const noexcept { return {1, 1 / dispersion}; }

  /// For means far above 1/a, where the variance is proportional to their square, l is of order 1/a.
  ResponseUnits units(double unit) const noexcept {
    unit = std::min(unit, stable::power_of_two_near(std::min(1e300 / dispersion, 1e300)));
    const double spread = stable::power_of_two_near(1 + dispersion * unit);
    return {unit, 1, std::log(unit), spread, {unit / spread, 1}};
  }
  NegativeBinomial in_units(double unit) const noexcept { return {std::max(dispersion * unit, 1e-300)}; }
  static double link(double mean) noexcept { return std::log(mean); }
  static double mean(double eta) noexcept { return std::exp(eta); }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const {
    if (!(dispersion > 0 && std::isfinite(dispersion)))
      return "dispersion must be finite and > 0, got " + std::to_string(dispersion);
    return std::nullopt;
  }

 private:
  // x - log(1 + x) for |x| <= 0.4, by log(1 + x) = 2 atanh(z), z = x / (2 + x).
  template <class T>
  static T log_excess(const T& x) noexcept {
    const T z = x / (T(2.0) + x), square = z * z;
    T sum(1.0 / 25);
    for (const double odd : {23., 21., 19., 17., 15., 13., 11., 9., 7., 5., 3.}) sum = multiply_add(sum, square, T(1 / odd));
    return T(2.0) * square * (T(1.0) / (T(1.0) - z) - z * sum);
  }
};

}  // namespace ksparse
