// What a loss is: a small struct of formulas for T = double or Pack, in one of two forms.
//
// A margin loss is of two classes and treats them alike but for a weight:
//   template <class T> LossTerms<T> operator()(const T& margin, const T& weight) const;   value, slope, curvature times weight
//   double class_weight(bool positive) const;                                             folded once into the rows' weights
// of the margin m = s eta, eta = x . beta + beta0 + offset, s = +1 or -1 by the label.
//
// A response loss is any other function of the linear predictor and the row's response:
//   template <class T> LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const;
//   static constexpr Responses responses;                                                 what y may be
// whose response is y, but +1 or -1 where y is a label.
//
// Both:
//   std::optional<std::string> problem() const;                                           the first broken rule in words
// and if they differ from what is usual:
//   static constexpr bool attains_infimum;   whether rows on their right sides can have a loss of exactly 0, so that data that
//                                            can be separated have a minimiser all the same (hinges); false if absent
//   static constexpr Foresight foresight;    smooth where l has a third derivative, exact where l'' is the same everywhere; rough
//                                            if absent
//   template <class T> T convex_curvature(the arguments of operator()) const;   that of the least parabola above the
//                                            loss, of which a quarter stands in where the loss has less; 0 if absent
//   Loss in_units(double unit) const;        the loss l' with l(unit eta, unit y) = unit^2 l'(eta, y), where the unit of y is
//                                            anybody's choice
//   static double link(double mean);         the linear predictor of a mean response, from which to start; 0 if absent
//
// Losses are >= 0: tolerances are relative to F. Deviances are taken by half, and are 0 where the mean is the response.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace ksparse {

template <class T>
struct LossTerms {
  T value;      // l
  T slope;      // l' by margin, or by eta
  T curvature;  // l''
};

/// Which second derivative is meant.
enum class Curvature {
  exact,   // l'' as it is, possibly negative
  convex,  // one that is >= 0, so that Hessians are positive semi-definite: max(l'', 0), or what the loss says
};

/// What the response y of a row may be.
enum class Responses {
  binary,        // 0 or 1
  finite,        // any number
  not_negative,  // >= 0, and not all 0
  positive,      // > 0
};

}  // namespace ksparse
