// Complementary log-log loss of the linear predictor eta: minus the log-likelihood of labels with P(y = 1) = 1 - exp(-u),
// u = exp(eta) (Fisher 1922; McCullagh & Nelder, Generalized Linear Models, 1989, section 4.3). It is not symmetric in the
// labels:
//   y = 0:  l = u,                  l' = u,     l'' = u
//   y = 1:  l = -log(1 - exp(-u)),  l' = -s,    l'' = s (s + u - 1)      with s = u / (exp(u) - 1)
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "loss.hpp"
#include "stable.hpp"

namespace ksparse {

struct Cloglog {
  static constexpr ModelAccuracy model_accuracy = ModelAccuracy::smooth;
  static constexpr Responses responses = Responses::binary;

  template <class T>
  LossTerms<T> operator()(const T& eta, const T& response, const T& weight) const noexcept {
    const T u = stable::exp_bounded(eta), e = stable::exp_nonpositive(-u);
    const auto by_size = [&u](const T& small, const T& large) { return select_less_equal(u, T(0.5), small, large); };
    // For small u, these use r = (exp(u) - 1 - u) / u for u and -u, which does not cancel; for large u, they use exp(-u).
    const T near = min(u, T(0.5)), ratio = stable::exp_excess_ratio(near), one(1.0);
    const T share = one + stable::exp_excess_ratio(-near);  // (1 - exp(-u)) / u
    const T s = by_size(one / (one + ratio), u * e / (one - e));
    const T excess = by_size(near - ratio / (one + ratio), s + u - one);  // s + u - 1
    const T value = by_size(-eta - log(share), -stable::log1p(-min(e, T(0.75))));
    const auto by_label = [&response](const T& positive, const T& negative) {
      return select_less_equal(response, T(0.0), negative, positive);
    };
    return {weight * by_label(value, u), weight * by_label(-s, u), weight * by_label(s * excess, u)};
  }

  bool is_convex() const noexcept { return true; }
  std::optional<std::string> problem() const { return std::nullopt; }
};

}  // namespace ksparse
