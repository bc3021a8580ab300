// The unit in which the solver has y, so that its numbers are of order one and tolerances mean the same whatever the user's
// unit.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "../loss/kernel.hpp"
#include "../loss/stable.hpp"
#include "../problem.hpp"

namespace ksparse {

/// Whether the linear predictor is the logarithm of a mean.
inline bool predicts_logarithm(const LossKernel& loss) { return loss.units(2).shift != 0; }

namespace internal {

// Weighted means over the rows of a problem, of terms of its responses. No sum on the way can leave the range.
class ResponseMeans {
 public:
  ResponseMeans(const Problem& problem, bool with_offset)
      : problem_(problem),
        with_offset_(with_offset && problem.offset.size()),
        heaviest_(problem.weights.size() ? problem.weights.maxCoeff() : 1.0) {
    for (Index i = 0; i < problem.responses.size(); ++i) {
      const double size = std::max(std::abs(problem.responses[i]), std::abs(offset_of(i)));
      if (!(weight_of(i) > 0) || size == 0) continue;
      largest = std::max(largest, size);
      least = std::min(least, size);
    }
    unit = largest > 0 ? stable::power_of_two_near(largest) : 1.0;
  }

  /// The mean of term(y / unit, weight), where that includes the weight.
  template <class Term>
  double mean_of(const Term& term) const {
    double sum = 0, total = 0;
    for (Index i = 0; i < problem_.responses.size(); ++i) {
      const double weight = weight_of(i);
      if (weight > 0) sum += term(problem_.responses[i] / unit - offset_of(i) / unit, weight);
      total += weight;
    }
    return sum / total;
  }

  double largest = 0, least = std::numeric_limits<double>::infinity();  // in size, of responses and offsets that are not 0
  double unit = 1;                                                      // a power of two near the largest

 private:
  double weight_of(Index i) const { return problem_.weights.size() ? problem_.weights[i] / heaviest_ : 1.0; }
  double offset_of(Index i) const { return with_offset_ ? problem_.offset[i] : 0.0; }

  const Problem& problem_;
  const bool with_offset_;
  const double heaviest_;
};

}  // namespace internal

/// A power of two near the standard deviation of y, where that is what the linear predictor is of the size of; near its mean,
/// where the linear predictor is the logarithm of one. 1 for a loss whose y has no unit.
inline double unit_of_responses(const Problem& problem, const LossKernel& loss, bool centred) {
  if (!loss.has_units()) return 1.0;
  constexpr double greatest = 0x1p1023, far = 0x1p1000;
  const bool of_logarithm = predicts_logarithm(loss);
  const internal::ResponseMeans means(problem, !of_logarithm);
  const double unit = means.unit;
  if (means.largest == 0) return 1.0;
  const double size = means.mean_of([](double y, double weight) { return weight * std::abs(y); });
  if (!(size > 0)) return unit;
  const double near_size = stable::power_of_two_near(size);
  if (of_logarithm) {
    // Without an intercept, a mean is 1 before features enter. No response may become infinite, nor one that is > 0 become 0.
    double near_mean = std::max(std::min(near_size * unit, greatest), centred ? 0.0 : 1.0);
    if (loss.responses() == Responses::positive) near_mean = std::min(near_mean, std::min(means.least, 1.0) * far);
    return std::max(near_mean, means.largest / far);
  }
  const double mean = centred ? means.mean_of([=](double y, double weight) { return weight * (y / near_size); }) : 0.0;
  const double variance = means.mean_of([=](double y, double weight) {
    const double away = y / near_size - mean;
    return weight * away * away;
  });
  // If all responses are equal up to rounding, the unit is their absolute value.
  const double spread = variance > 1e-24 ? std::sqrt(variance) : 1.0;
  return std::min(stable::power_of_two_near(spread) * near_size * unit, greatest);
}

}  // namespace ksparse
