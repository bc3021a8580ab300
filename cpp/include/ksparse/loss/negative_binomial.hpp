// Negative binomial loss with the log link and a given dispersion a, of which the variance is mu + a mu^2 (NB2; Hilbe, Negative
// Binomial Regression, 2011, section 8.2): half the unit deviance of mu = exp(eta), 0 at mu = y:
//   l   = y log(y / mu) - (y + 1/a) log((1 + a y) / (1 + a mu)),   or log(1 + a mu) / a where y = 0
//   l'  = (mu - y) / (1 + a mu),   l'' = mu (1 + a y) / (1 + a mu)^2
// With c = a y / (1 + a y) and s = eta - log y if that is at most 1/2, else 1 / (1 + a y) and log y - eta, the value is
//   l   = A (log(1 + c (exp(s) - 1)) / c - s)                with A = y, or 1/a
//       = A ((exp(s) - 1 - s) - r(c (exp(s) - 1)) / c)       with r(x) = x - log(1 + x), for small s, where the first cancels
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct NegativeBinomial {
  static constexpr Foresight foresight = Foresight::smooth;
  static constexpr Responses responses = Responses::not_negative;

  double dispersion = 1.0;  ///< a, > 0; towards 0 it is Poisson

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T a(dispersion), one(1.0), y = max(response, T(std::numeric_limits<double>::min()));
    const T mean = stable::exp_bounded(eta), d = eta - log(y), spread = one + a * mean, of_y = one + a * y;
    const T part = mean / spread;
    const auto by_response = [&response](const T& zero, const T& other) {
      return select_less_equal(response, T(0.0), zero, other);
    };
    const T q = a * y / of_y;
    const auto by_size = [&q](const T& small, const T& large) { return select_less_equal(q, T(0.5), small, large); };
    const T c = by_size(q, one / of_y), s = by_size(d, -d), scale = by_size(y, one / a);
    const T excess = stable::exp_excess(s), x = c * (excess + s);
    const T direct = by_long(s, stable::log1p(x), s + log(c)) / c - s;
    const T value = select_less_equal(abs(s), T(0.5), excess - log_excess(x) / c, direct);
    const T slope = select_less_equal(abs(d), T(0.5), y * (stable::exp_excess_near_zero(d) + d), mean - y) / spread;
    return {weight * by_response(stable::log1p(a * mean) / a, scale * value), weight * by_response(part, slope),
            weight * part * by_response(one, of_y) / spread};
  }

  static double link(double mean) noexcept { return std::log(mean); }
  std::optional<std::string> problem() const {
    if (!(dispersion > 0 && std::isfinite(dispersion)))
      return "dispersion must be finite and > 0, got " + std::to_string(dispersion);
    return std::nullopt;
  }

 private:
  // Beyond the range of exp, log(1 + c (exp(s) - 1)) is log(c exp(s)) to all digits.
  template <class T>
  static T by_long(const T& s, const T& near, const T& far) noexcept {
    return select_less_equal(s, T(650.0), near, far);
  }

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
