// What a loss is: a small struct of formulas for T = double or Pack, in one of two forms.
//
// A margin loss is for two classes and treats them in the same way, except for a weight. It is a function
//   template <class T> LossTerms<T> operator()(const T& margin, const T& weight) const;   value, slope, curvature times weight
//   double class_weight(bool positive) const;                                             folded once into the rows' weights
// of the margin m = s eta, eta = x . beta + beta0 + offset, s = +1 or -1 by the label.
//
// A response loss is any other function of the linear predictor and the response of the row:
//   template <class T> LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const;
//   static constexpr Responses responses;                                                 what y may be
// The response is y, or +1 or -1 if y is a label.
//
// Both:
//   std::optional<std::string> problem() const;                                           the first broken rule in words
// and, if they differ from the defaults:
//   static constexpr bool attains_infimum;   whether the loss of correctly classified rows can be exactly 0, so that there is a
//                                            minimiser even if the classes can be separated (hinges); false by default
//   static constexpr ModelAccuracy model_accuracy;   smooth if l has a third derivative, exact if l'' is the same everywhere;
//                                            rough by default
//   template <class T> T convex_curvature(the arguments of operator()) const;   the curvature of the least parabola above the
//                                            loss, of which a quarter replaces a smaller curvature of the loss; 0 by default
//   template <class T> Bend<T> bend(the arguments of operator()) const;         for a loss with straight tails: where it bends,
//   BendScale bend_scale() const;                                               and how sharply
//   bool is_convex() const;                  whether l is convex in eta; false by default
//   Convex convex_envelope() const;          if it is not convex: the largest convex loss below it (envelope.hpp), if known
//   ResponseUnits units(double unit) const;  if y may have any unit: how values change with it (ResponseUnits), and
//   Loss in_units(double unit) const;        the loss of y in this unit
//   static double link(double mean);         the linear predictor of a mean response, where a fit starts; 0 by default
//   static double mean(double eta);          for regression: the mean response of a linear predictor; eta by default
//
// Losses must be >= 0, because tolerances are relative to F. Losses that are deviances are half of the usual ones, and 0 if the
// mean equals the response.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>

#include "../types.hpp"
#include "../util/pack.hpp"

namespace ksparse {

template <class T>
struct LossTerms {
  T value;      // l
  T slope;      // l' by margin, or by eta
  T curvature;  // l''
};

/// Which second derivative to compute.
enum class Curvature {
  exact,   // l'', which may be negative
  convex,  // a value >= 0, so that Hessians are positive semi-definite: max(l'', 0), or convex_curvature of the loss
  wide,    // the larger of max(l'', 0) and the curvature of the loss with a wider bend
};

/// A row of a loss with straight tails.
template <class T>
struct Bend {
  T distance;  // of the row from the middle of the bend, in the linear predictor
  T jump;      // by how much the slope changes from one tail to the other, times the weight

  /// The curvature of jump sqrt(distance^2 + width^2) / 2, which has the same tails and a bend of this width.
  T curvature(double width) const noexcept {
    const T u = distance * T(1 / width), square = multiply_add(u, u, T(1.0));
    return jump * T(0.5 / width) / (square * sqrt(square));
  }
};

struct BendScale {
  double width = 0;  // of the bend in the linear predictor; 0: there are no straight tails
  double slope = 1;  // of the tails
};

/// How a loss l changes into a loss l' of responses y' in another unit. With y = unit y',
///   l(scale eta' + shift, y) = value[0] value[1] / weight l'(eta', y')
/// so that the numbers of the solver are of order one for any size of y. F' has the weights of the rows times `weight`.
struct ResponseUnits {
  double response = 1;          // the unit of y
  double scale = 1, shift = 0;  // of the linear predictor; there is a shift if it is the logarithm of a mean
  double weight = 1;            // factor of the weights of rows, if l' is far from order one
  double value[2] = {1, 1};     // factors of F, whose product may overflow although neither factor does

  double to_user(double objective) const noexcept { return objective * value[0] * value[1]; }
  double ridge(double of_user) const noexcept {
    return of_user > 0 ? std::min(of_user * (scale / value[0]) * (scale / value[1]), 1e300) : 0.0;
  }
};

/// The values that the response y of a row may have.
enum class Responses {
  binary,        // 0 or 1
  finite,        // any number
  not_negative,  // >= 0, and not all 0
  positive,      // > 0
};

}  // namespace ksparse
