// Asymmetric focal loss of the linear predictor eta, with a focusing exponent for each class (Ridnik et al., ICCV 2021, arXiv
// 2009.14119, equation 5). With m = s eta, p = sigma(m), q = sigma(-m), and the exponent g of the class of the row:
//   l = q^g softplus(-m),   derivatives as in focal.hpp
// The probability shift of their equation 6 is not included: max(p - shift, 0) has a kink without a second derivative, and rows
// beyond it have no influence, so F would be constant there and scores could not be converted to probabilities. The loss is not
// convex.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include "envelope.hpp"
#include "focal.hpp"
#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct AsymmetricFocal {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  static constexpr Responses responses = Responses::binary;

  double gamma_positive = 0.0;  ///< focusing exponent of rows with y = 1, >= 0
  double gamma_negative = 4.0;  ///< focusing exponent of rows with y = 0, >= 0

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T margin = response * eta;
    const LossTerms<T> positive = Focal{0.5, gamma_positive}(margin, weight);
    const LossTerms<T> negative = Focal{0.5, gamma_negative}(margin, weight);
    const auto by_label = [&response](const T& a, const T& b) { return select_less_equal(response, T(0.0), b, a); };
    return {by_label(positive.value, negative.value), response * by_label(positive.slope, negative.slope),
            by_label(positive.curvature, negative.curvature)};
  }

  template <class T>
  Bend<T> bend(const T& eta, const T&, const T& weight) const noexcept {
    return {eta, weight};
  }
  BendScale bend_scale() const noexcept { return {1, 1}; }

  bool is_convex() const noexcept { return gamma_positive == 0 && gamma_negative == 0; }
  EnvelopeByLabel<AsymmetricFocal> convex_envelope() const { return {*this, -1.0}; }

  std::optional<std::string> problem() const {
    const auto wrong = [](const char* name, double gamma) {
      return std::string(name) + " must be finite and >= 0, got " + std::to_string(gamma);
    };
    if (!(gamma_positive >= 0 && std::isfinite(gamma_positive))) return wrong("gamma_positive", gamma_positive);
    if (!(gamma_negative >= 0 && std::isfinite(gamma_negative))) return wrong("gamma_negative", gamma_negative);
    return std::nullopt;
  }
};

}  // namespace ksparse
