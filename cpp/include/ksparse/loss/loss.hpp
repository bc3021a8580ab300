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
//   template <class T> Bend<T> bend(the arguments of operator()) const;         of a loss with straight tails: where it bends,
//   BendScale bend_scale() const;                                               and how sharply
//   bool is_convex() const;                  whether l is convex in eta; false if absent
//   Convex convex_envelope() const;          of one that is not: the largest convex loss below it (envelope.hpp), if known
//   ResponseUnits units(double unit) const;  how numbers change with the unit of y, where that is anybody's choice; and then
//   Loss in_units(double unit) const;        the loss of y in that unit (ResponseUnits)
//   static double link(double mean);         the linear predictor of a mean response, from which to start; 0 if absent
//   static double mean(double eta);          the mean response of a linear predictor, of numbers; eta if absent
//
// Losses are >= 0: tolerances are relative to F. Deviances are taken by half, and are 0 where the mean is the response.
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

/// A loss with straight tails at a row.
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
