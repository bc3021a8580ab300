// What a loss is: a small struct with
//   template <class T> LossTerms<T> operator()(const T& margin, const T& weight) const;   value, slope, curvature times weight
//   double class_weight(bool positive) const;                                             folded once into the rows' weights
//   std::optional<std::string> problem() const;                                           the first broken rule in words
// of the margin m = s (x . beta + beta0 + offset), s = +1 or -1 by the label; T is double or Pack.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace ksparse {

template <class T>
struct LossTerms {
  T value;      // l(m)
  T slope;      // l'(m)
  T curvature;  // l''(m)
};

/// Which second derivative is meant.
enum class Curvature {
  exact,   // l'' as it is, possibly negative
  convex,  // max(l'', 0): Hessians are positive semi-definite
};

}  // namespace ksparse
