// Functions for parts of losses that would lose digits or overflow if they were written naively, for T = double or Pack. All
// range checks are in this file. Callers do not clamp, because a clamped loss and its derivatives would be inconsistent.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>

#include "../util/pack.hpp"

namespace ksparse::stable {

/// exp(x) for x <= 0, which underflows gradually to 0. Vector exponentials clamp their argument near -708, where the result is
/// still a normal number. Squaring the exponential of x / 2 avoids this and costs one product.
template <class T>
T exp_nonpositive(const T& x) noexcept {
  const T root = exp(x * T(0.5));
  return root * root;
}

/// exp(x), but at most exp(650): any line search rejects a term of 1e282, and it remains finite when it is multiplied by a
/// weight of 0. For negative x it is the same as exp_nonpositive.
template <class T>
T exp_bounded(const T& x) noexcept {
  const T root = exp(min(x, T(650.0)) * T(0.5));
  return root * root;
}

/// log(x) for x > 0, including denormal numbers, which vector logarithms treat as the smallest normal number.
template <class T>
T log_positive(const T& x) noexcept {
  constexpr double normal = 2.2250738585072014e-308, up = 18014398509481984.0, log_of_up = 37.42994775023705;  // 2^54
  const T shift = select_less_equal(x, T(normal), T(log_of_up), T(0.0));
  return log(select_less_equal(x, T(normal), x * T(up), x)) - shift;
}

/// The power of two P with P / 2 <= x < P, for x > 0.
inline double power_of_two_near(double x) noexcept {
  int exponent = 0;
  std::frexp(x, &exponent);
  return std::ldexp(1.0, std::min(exponent, 1023));
}

/// (exp(x) - 1 - x) / x for |x| <= 1/2, where the difference would cancel, to full relative accuracy.
template <class T>
T exp_excess_ratio(const T& x) noexcept {
  T sum = T(1.0 / 1307674368000);
  for (const double factorial :
       {87178291200., 6227020800., 479001600., 39916800., 3628800., 362880., 40320., 5040., 720., 120., 24., 6., 2.})
    sum = multiply_add(sum, x, T(1 / factorial));
  return x * sum;
}

/// exp(x) - 1 - x >= 0 for |x| <= 1/2.
template <class T>
T exp_excess_near_zero(const T& x) noexcept {
  return x * exp_excess_ratio(x);
}

/// exp(x) - 1 - x for any x, bounded like exp_bounded.
template <class T>
T exp_excess(const T& x) noexcept {
  return select_less_equal(abs(x), T(0.5), exp_excess_near_zero(x), exp_bounded(x) - T(1.0) - x);
}

/// log(1 + x) for x > -1, to full relative accuracy: the rounding error of 1 + x is corrected to first order.
template <class T>
T log1p(const T& x) noexcept {
  const T u = T(1.0) + x;
  return log(u) + (x - (u - T(1.0))) / u;
}

/// log(1 + e) for e in [0, 1], to full relative accuracy: 2 atanh(s) with s = e / (2 + e) in [0, 1/3]. The coefficients
/// interpolate atanh(sqrt(t)) / sqrt(t) at the 11 Chebyshev points of [0, 1/9]; relative error 3e-18 before rounding.
template <class T>
T log1p_unit(const T& e) noexcept {
  const T s = e / (e + T(2.0));
  const T t = s * s;
  T sum = T(0.08522081781390699);
  sum = multiply_add(sum, t, T(0.0416225325593041));
  sum = multiply_add(sum, t, T(0.06055084364034609));
  sum = multiply_add(sum, t, T(0.06650187016337313));
  sum = multiply_add(sum, t, T(0.07693307021152004));
  sum = multiply_add(sum, t, T(0.09090870416252403));
  sum = multiply_add(sum, t, T(0.11111112040373837));
  sum = multiply_add(sum, t, T(0.14285714272727057));
  sum = multiply_add(sum, t, T(0.20000000000092874));
  sum = multiply_add(sum, t, T(0.33333333333333076));
  sum = multiply_add(sum, t, T(1.0));
  return (s + s) * sum;
}

template <class T>
struct LogisticParts {
  T p;         // sigma(m)
  T q;         // sigma(-m) = 1 - p
  T softplus;  // log(1 + exp(-m)) = -log p
  T tail;      // log(1 + exp(-|m|))
};

/// exp(-|m|) is in (0, 1], so nothing overflows. The smaller of p and q is computed as e / (1 + e), because 1 - p would cancel.
template <class T>
LogisticParts<T> logistic_parts(const T& m) noexcept {
  const T e = exp_nonpositive(-abs(m));
  const T large = T(1.0) / (T(1.0) + e);
  const T small = e * large;
  const T tail = log1p_unit(e);
  return {select_less_equal(T(0.0), m, large, small), select_less_equal(T(0.0), m, small, large), max(-m, T(0.0)) + tail, tail};
}

/// sigma(-m)^gamma, gamma >= 0, with log sigma(-m) = -(max(m, 0) + tail). Small integer exponents are computed as products,
/// which is faster and accurate to a few ulp.
template <class T>
T power_of_q(const T& m, const LogisticParts<T>& parts, double gamma) noexcept {
  const T& q = parts.q;
  if (gamma == 0.0) return T(1.0);
  if (gamma == 1.0) return q;
  if (gamma == 2.0) return q * q;
  if (gamma == 3.0) return q * q * q;
  if (gamma == 4.0) return (q * q) * (q * q);
  return exp_nonpositive((max(m, T(0.0)) + parts.tail) * T(-gamma));
}

}  // namespace ksparse::stable
