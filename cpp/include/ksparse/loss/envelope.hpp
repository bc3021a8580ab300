// The convex envelope of a margin loss that is concave far to the left: the largest convex function that is nowhere above it.
// A focal loss l of the margin m has a slope -a at m = -infinity. It is concave up to an inflection point, and convex from there
// on. Let m_t be the point of the convex part with l'(m_t) = -a. The envelope is l for m >= m_t, and the line of slope -a through
// (m_t, l(m_t)) for m < m_t. Lower bounds of proofs (proof/) need a convex loss; the envelope weakens them by the sum of
// l - envelope over the rows with m < m_t.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "loss.hpp"

namespace ksparse {

/// The margin below which the envelope is a line, and the value and slope of the line per unit of weight.
struct EnvelopeTangent {
  double margin = -1e300;  // the default means that there is no line, because the loss is convex
  double value = 0, slope = -1;
};

namespace internal {

/// Finds the line for a margin loss that is convex to the right of an inflection point and concave to its left, with the slope
/// `slope` at -infinity. `terms` returns the value, slope and curvature at a margin. The line begins between the inflection
/// point and 0, where the loss is convex; the search starts at 0.
template <class Terms>
EnvelopeTangent tangent_of(const Terms& terms, double slope) {
  double high = 0, low = 0;
  // To the right of the inflection point the slope increases with m. Go left from 0 until it is that of the line, or until the
  // loss is concave.
  for (int step = 0; step < 4000; ++step) {
    low -= 0.01;
    const auto at = terms(low);
    if (at.curvature <= 0) break;
    if (at.slope <= slope) break;
    high = low;
  }
  if (terms(low).slope > slope) return {};  // the slope is smallest at -infinity, so the loss is convex
  for (int step = 0; step < 100; ++step) {
    const double middle = 0.5 * (low + high);
    (terms(middle).slope <= slope ? low : high) = middle;
  }
  return {high, terms(high).value * (1 - 1e-14), slope};  // a little lower, because of rounding and of the bisection
}

/// The terms of the envelope from those of the loss, for T = double or Pack.
template <class T>
LossTerms<T> below_tangent(const EnvelopeTangent& tangent, const T& margin, const T& weight, const LossTerms<T>& terms) {
  const T at(tangent.margin), distance = margin - at;
  const auto choose = [&](const T& line, const T& loss) { return select_less_equal(margin, at, line, loss); };
  return {choose(weight * multiply_add(T(tangent.slope), distance, T(tangent.value)), terms.value),
          choose(weight * T(tangent.slope), terms.slope), choose(T(0.0), terms.curvature)};
}

}  // namespace internal

/// The envelope of a margin loss that treats both classes in the same way, except for a weight.
template <class Loss>
struct Envelope {
  static constexpr ModelAccuracy model_accuracy = Loss::model_accuracy;

  Loss loss;
  EnvelopeTangent tangent;

  Envelope(const Loss& of, double slope_at_infinity)
      : loss(of),
        tangent(internal::tangent_of([&of](double m) { return of.template operator()<double>(m, 1.0); }, slope_at_infinity)) {}

  template <class T>
  LossTerms<T> operator()(const T& margin, const T& weight) const noexcept {
    return internal::below_tangent(tangent, margin, weight, loss(margin, weight));
  }
  double class_weight(bool positive) const noexcept { return loss.class_weight(positive); }
  std::optional<std::string> problem() const { return loss.problem(); }
  bool is_convex() const noexcept { return true; }
};

/// The envelope of a classification loss that is a different margin loss for each class.
template <class Loss>
struct EnvelopeByLabel {
  static constexpr ModelAccuracy model_accuracy = Loss::model_accuracy;
  static constexpr Responses responses = Responses::binary;

  Loss loss;
  EnvelopeTangent positive, negative;

  EnvelopeByLabel(const Loss& of, double slope_at_infinity)
      : loss(of),
        positive(
            internal::tangent_of([&of](double m) { return of.template operator()<double>(m, 1.0, 1.0); }, slope_at_infinity)),
        negative(internal::tangent_of(
            [&of](double m) {
              const LossTerms<double> by_eta = of.template operator()<double>(-m, -1.0, 1.0);
              return LossTerms<double>{by_eta.value, -by_eta.slope, by_eta.curvature};
            },
            slope_at_infinity)) {}

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T margin = response * eta;
    const LossTerms<T> by_eta = loss(eta, response, weight);
    const LossTerms<T> terms{by_eta.value, response * by_eta.slope, by_eta.curvature};
    const LossTerms<T> of_positive = internal::below_tangent(positive, margin, weight, terms);
    const LossTerms<T> of_negative = internal::below_tangent(negative, margin, weight, terms);
    const auto by_label = [&response](const T& a, const T& b) { return select_less_equal(response, T(0.0), b, a); };
    return {by_label(of_positive.value, of_negative.value), response * by_label(of_positive.slope, of_negative.slope),
            by_label(of_positive.curvature, of_negative.curvature)};
  }
  std::optional<std::string> problem() const { return loss.problem(); }
  bool is_convex() const noexcept { return true; }
};

}  // namespace ksparse
