// Probit loss of the margin m, -log Phi(m) with Phi the normal distribution function (Bliss 1934; McCullagh & Nelder,
// Generalized Linear Models, 1989, section 4.3). With phi the density and h = phi(m) / Phi(m):
//   l = -log Phi(m),   l' = -h,   l'' = h (h + m)
// All terms use Mills' ratio R(x) = Phi(-x) / phi(x) at x = |m|: Phi(m) is phi(x) R(x) for m < 0, and 1 minus that for m >= 0,
// so no term is a difference of two numbers close to 1. (x + 1) R(x) and, for m < 0, l'' itself are polynomials in t = (x - 4)
// / (x + 4), interpolated at Chebyshev points of t in [-1, 1] by mpmath: relative errors 2e-16 and 2e-16.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Probit {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  template <class T>
  LossTerms<T> operator()(const T& margin, const T& weight) const noexcept {
    constexpr double log_root_two_pi = 0.91893853320467274178, inverse_root_two_pi = 0.39894228040143267794;
    const T m = max(min(margin, T(farthest)), T(-farthest)), x = abs(m), t = (x - T(4.0)) / (x + T(4.0));
    const T ratio = polynomial(mills, t) / (x + T(1.0));
    const T half_square = T(0.5) * x * x, density = T(inverse_root_two_pi) * stable::exp_nonpositive(-half_square);
    const T tail = density * ratio, hazard = density / (T(1.0) - tail);  // for m >= 0
    const auto by_sign = [&m](const T& negative, const T& other) { return select_less_equal(T(0.0), m, other, negative); };
    return {weight * by_sign(half_square + T(log_root_two_pi) - log(ratio), -stable::log1p(-tail)),
            -weight * by_sign(T(1.0) / ratio, hazard),
            weight * by_sign(polynomial(curvature_of_negative, t), hazard * (hazard + m))};
  }

  double class_weight(bool) const noexcept { return 1.0; }
  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const { return std::nullopt; }

 private:
  static constexpr double farthest = 1e150;  // squares do not overflow

  template <class T, std::size_t size>
  static T polynomial(const double (&coefficients)[size], const T& t) noexcept {
    T sum(coefficients[size - 1]);
    for (std::size_t i = size - 1; i-- > 0;) sum = multiply_add(sum, t, T(coefficients[i]));
    return sum;
  }

  static constexpr double mills[] = {
      1.1832619145678034,     -0.2423996705218081,    0.035091880234748005,    0.07169048120143744,     -0.0807080096790523,
      0.04495912907706981,    -0.01253910362039814,   -0.0007159509052838121,  0.001741848773732585,    -0.00023670175882712258,
      -0.0002202155756957516, 5.3266970938315365e-05, 3.415881433183821e-05,   -8.606187876096938e-06,  -6.5533544552582505e-06,
      1.0194890870987357e-06, 1.390762707984928e-06,  -3.101083609757584e-09,  -2.869299965207942e-07,  -4.494916382038613e-08,
      5.077844122332048e-08,  1.3723059452459651e-08, -6.5624402369464745e-09, -1.6952996818880583e-09, 4.480233382099169e-10};
  static constexpr double curvature_of_negative[] = {
      0.9533271616025774,      0.14285071446126693,    -0.16135973134979498,    0.06799977169295864,
      0.023472872237193066,    -0.03991459547035288,   0.008078243850301753,    0.013322028478009236,
      -0.008064667422121693,   -0.0027649234418055143, 0.0039924354650741995,   1.3511248562153224e-06,
      -0.0015039464935134644,  0.0003400590384942317,  0.00046470109502140327,  -0.00021018833805485685,
      -0.00011627156698463029, 8.98282378937903e-05,   2.04709298950116e-05,    -3.116672184117724e-05,
      -4.4272103240847615e-07, 9.005432967924535e-06,  -1.4718095092700427e-06, -2.0842170413463443e-06,
      6.747547634013847e-07,   3.430974974311509e-07,  -1.5956875405939218e-07, -2.9558639298290955e-08,
      1.718067498387223e-08};
};

}  // namespace ksparse
