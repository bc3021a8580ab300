// A loss as the loops over rows see it: one virtual call for a block of rows, inside which the loss's formulas are inlined.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "../pack.hpp"
#include "../types.hpp"
#include "loss.hpp"

namespace ksparse {

/// A block of rows (a whole number of packs), and where their slopes and curvatures go.
struct LossRows {
  Index rows;
  Index size;            // active columns
  const double* active;  // (rows, size), columns `stride` apart
  Index stride;
  const double* coef;  // (size,)
  double intercept;
  const double* offset;  // (rows,) or null
  const double* sign;    // (rows,) +1 or -1 by the label
  const double* weight;  // (rows,) of the row and its class, over W
  double* slope;         // (rows,) dF/d eta
  double* curvature;     // (rows,) d2F/d eta2
  Curvature kind;
};

/// Sums over the rows.
struct LossSums {
  double value = 0, slope = 0, curvature = 0;
  double lowest_margin = std::numeric_limits<double>::infinity();  // of rows that count
  bool concave = false;                                            // some curvature is negative

  void add(const LossSums& more) {
    value += more.value;
    slope += more.slope;
    curvature += more.curvature;
    lowest_margin = std::min(lowest_margin, more.lowest_margin);
    concave = concave || more.concave;
  }
};

class LossKernel {
 public:
  virtual ~LossKernel() = default;
  virtual LossSums evaluate(const LossRows& rows) const noexcept = 0;
  virtual double class_weight(bool positive) const noexcept = 0;
  /// The first broken rule of the loss's parameters in words.
  virtual std::optional<std::string> problem() const = 0;
};

/// The kernel of a loss (loss.hpp).
template <class Loss>
class KernelOf final : public LossKernel {
 public:
  explicit KernelOf(const Loss& loss) : loss_(loss) {}

  double class_weight(bool positive) const noexcept override { return loss_.class_weight(positive); }
  std::optional<std::string> problem() const override { return loss_.problem(); }

  LossSums evaluate(const LossRows& block) const noexcept override {
    Pack value, slopes, curvatures, lowest_margin(std::numeric_limits<double>::infinity()), lowest_curvature;
    for (Index i = 0; i < block.rows; i += Pack::size) {
      Pack eta(block.intercept);
      if (block.offset) eta += Pack::load(block.offset + i);
      for (Index j = 0; j < block.size; ++j)
        eta = multiply_add(Pack::load(block.active + j * block.stride + i), Pack(block.coef[j]), eta);
      const Pack sign = Pack::load(block.sign + i), weight = Pack::load(block.weight + i);
      const Pack margin = sign * eta;
      const LossTerms<Pack> terms = loss_(margin, weight);
      const Pack slope = sign * terms.slope;
      Pack second = terms.curvature;
      lowest_curvature = min(lowest_curvature, second);
      if (block.kind == Curvature::convex) second = max(second, Pack(0.0));
      value += terms.value;
      slopes += slope;
      curvatures += second;
      lowest_margin = min(lowest_margin, select_less_equal(weight, Pack(0.0), lowest_margin, margin));
      slope.store(block.slope + i);
      second.store(block.curvature + i);
    }
    return {value.sum(), slopes.sum(), curvatures.sum(), lowest_margin.lowest(), lowest_curvature.lowest() < 0};
  }

 private:
  const Loss loss_;
};

template <class Loss>
std::shared_ptr<const LossKernel> kernel_of(const Loss& loss) {
  return std::make_shared<KernelOf<Loss>>(loss);
}

/// Enables overloads that take a loss rather than its kernel.
template <class Loss>
using IfLoss = std::enable_if_t<!std::is_base_of_v<LossKernel, Loss>, int>;

}  // namespace ksparse
