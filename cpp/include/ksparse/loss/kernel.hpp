// The interface between loops over rows and a loss: one virtual call for a block of rows, in which the formulas are inlined.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "../types.hpp"
#include "../util/pack.hpp"
#include "loss.hpp"

namespace ksparse {

/// A block of rows (a multiple of the pack size), and the arrays for their slopes and curvatures.
struct LossRows {
  Index rows;
  Index size;            // number of active columns
  const double* active;  // (rows, size), columns `stride` apart
  Index stride;
  const double* coef;  // (size,)
  double intercept;
  const double* offset;    // (rows,) or null
  const double* response;  // (rows,) y, as +1 or -1 if it is a label
  const double* weight;    // (rows,) weight of the row times that of its class, divided by W
  double* slope;           // (rows,) dF/d eta
  double* curvature;       // (rows,) d2F/d eta2
  Curvature kind;
  double width = 1;  // of the bend for Curvature::wide
};

/// Sums over the rows.
struct LossSums {
  double value = 0, slope = 0, curvature = 0;
  // Over rows with a positive weight. It is at most 0 for a loss for which no sign of eta is correct, or that attains its
  // infimum.
  double lowest_margin = std::numeric_limits<double>::infinity();
  bool concave = false;  // whether some curvature differs from that of Curvature::convex

  void add(const LossSums& more) {
    value += more.value;
    slope += more.slope;
    curvature += more.curvature;
    lowest_margin = std::min(lowest_margin, more.lowest_margin);
    concave = concave || more.concave;
  }
};

/// Points at which a loss is evaluated, each with a weight of 1 that includes the class weight.
struct LossPoints {
  Index count;
  const double* eta;
  const double* response;             // y, as +1 or -1 if it is a label
  double *value, *slope, *curvature;  // (count,) with respect to eta
};

class LossKernel {
 public:
  virtual ~LossKernel() = default;
  virtual LossSums evaluate(const LossRows& rows) const noexcept = 0;
  virtual void tabulate(const LossPoints& points) const noexcept = 0;
  virtual double class_weight(bool positive) const noexcept = 0;
  /// The values that y may have.
  virtual Responses responses() const noexcept = 0;
  /// Whether F decreases towards 0 forever if the classes can be separated.
  virtual bool falls_for_ever() const noexcept = 0;
  /// A message about the first invalid parameter of the loss.
  virtual std::optional<std::string> problem() const = 0;

  /// Whether Curvature::convex replaces a curvature of 0, instead of being max(l'', 0).
  virtual bool has_convex_curvature() const noexcept = 0;
  /// How sharply a loss with straight tails bends; Curvature::wide differs from max(l'', 0) only for these.
  virtual BendScale bend_scale() const noexcept { return {}; }
  /// How well the derivatives of F at a point predict its values nearby.
  virtual ModelAccuracy model_accuracy() const noexcept = 0;
  /// Whether the unit of y is arbitrary. If so, how numbers change with the unit, and the loss of y in another unit.
  virtual bool has_units() const noexcept = 0;
  virtual ResponseUnits units(double unit) const noexcept = 0;
  virtual std::shared_ptr<const LossKernel> in_units(double unit) const = 0;
  /// A convex loss that is nowhere above this one, for lower bounds on F (proof/): a copy of this one if it is convex, or else
  /// its convex envelope. Null if the envelope is not known.
  virtual std::shared_ptr<const LossKernel> convex_below() const { return nullptr; }
  /// Whether it is known to be convex itself.
  virtual bool is_convex() const noexcept { return false; }
  /// The linear predictor of a mean response, which is used as a start.
  virtual double start(double mean) const noexcept = 0;
  /// For regression, the mean response of a linear predictor.
  virtual double mean(double eta) const noexcept { return eta; }

  bool is_binary() const noexcept { return responses() == Responses::binary; }
  /// The value that the loops over rows use for a y.
  double response_of(double y) const noexcept { return !is_binary() ? y : y != 0.0 ? 1.0 : -1.0; }
};

namespace internal {

template <class Loss>
constexpr bool is_margin_loss = std::is_invocable_v<const Loss&, const Pack&, const Pack&>;
template <class Loss>
constexpr bool is_loss = is_margin_loss<Loss> || std::is_invocable_v<const Loss&, const Pack&, const Pack&, const Pack&>;

template <class Loss>
constexpr Responses responses_of() {
  if constexpr (is_margin_loss<Loss>)
    return Responses::binary;
  else
    return Loss::responses;
}

template <class Loss, class = void>
struct AttainsInfimum : std::false_type {};
template <class Loss>
struct AttainsInfimum<Loss, std::void_t<decltype(Loss::attains_infimum)>> : std::bool_constant<Loss::attains_infimum> {};

// Takes the place of the arguments of convex_curvature in unevaluated expressions.
template <class Loss, class = void>
struct HasConvexCurvature : std::false_type {};
template <class Loss>
struct HasConvexCurvature<
    Loss, std::void_t<decltype(std::declval<const Loss&>().convex_curvature(std::declval<Pack>(), std::declval<Pack>()))>>
    : std::true_type {};
template <class Loss, class = void>
struct HasConvexCurvatureOfResponse : std::false_type {};
template <class Loss>
struct HasConvexCurvatureOfResponse<Loss, std::void_t<decltype(std::declval<const Loss&>().convex_curvature(
                                              std::declval<Pack>(), std::declval<Pack>(), std::declval<Pack>()))>>
    : std::true_type {};

template <class Loss, class = void>
struct HasBend : std::false_type {};
template <class Loss>
struct HasBend<Loss, std::void_t<decltype(std::declval<const Loss&>().bend_scale())>> : std::true_type {};

template <class Loss, class = void>
struct ModelAccuracyOf : std::integral_constant<ModelAccuracy, ModelAccuracy::rough> {};
template <class Loss>
struct ModelAccuracyOf<Loss, std::void_t<decltype(Loss::model_accuracy)>>
    : std::integral_constant<ModelAccuracy, Loss::model_accuracy> {};

template <class Loss, class = void>
struct HasUnits : std::false_type {};
template <class Loss>
struct HasUnits<Loss, std::void_t<decltype(std::declval<const Loss&>().in_units(1.0))>> : std::true_type {};
template <class Loss, class = void>
struct HasLink : std::false_type {};
template <class Loss>
struct HasLink<Loss, std::void_t<decltype(Loss::link(1.0))>> : std::true_type {};
template <class Loss, class = void>
struct HasMean : std::false_type {};
template <class Loss>
struct HasMean<Loss, std::void_t<decltype(Loss::mean(1.0))>> : std::true_type {};

template <class Loss, class = void>
struct MayBeConvex : std::false_type {};
template <class Loss>
struct MayBeConvex<Loss, std::void_t<decltype(std::declval<const Loss&>().is_convex())>> : std::true_type {};
template <class Loss, class = void>
struct HasEnvelope : std::false_type {};
template <class Loss>
struct HasEnvelope<Loss, std::void_t<decltype(std::declval<const Loss&>().convex_envelope())>> : std::true_type {};

/// Computes the linear predictors of the pack of rows that begins at row i of a block.
inline Pack linear_predictor(const LossRows& block, Index i) noexcept {
  Pack eta(block.intercept);
  if (block.offset) eta += Pack::load(block.offset + i);
  for (Index j = 0; j < block.size; ++j)
    eta = multiply_add(Pack::load(block.active + j * block.stride + i), Pack(block.coef[j]), eta);
  return eta;
}

}  // namespace internal

/// The kernel of a loss (loss.hpp).
template <class Loss>
class KernelOf final : public LossKernel {
  static constexpr bool of_margin = internal::is_margin_loss<Loss>;
  static constexpr bool binary = internal::responses_of<Loss>() == Responses::binary;
  static constexpr bool may_separate = binary && !internal::AttainsInfimum<Loss>::value;
  static constexpr bool substitutes =
      internal::HasConvexCurvature<Loss>::value || internal::HasConvexCurvatureOfResponse<Loss>::value;

 public:
  explicit KernelOf(const Loss& loss) : loss_(loss) {}

  double class_weight([[maybe_unused]] bool positive) const noexcept override {
    if constexpr (of_margin)
      return loss_.class_weight(positive);
    else
      return 1.0;
  }
  Responses responses() const noexcept override { return internal::responses_of<Loss>(); }
  bool falls_for_ever() const noexcept override { return may_separate; }
  std::optional<std::string> problem() const override { return loss_.problem(); }
  bool has_convex_curvature() const noexcept override { return substitutes; }
  BendScale bend_scale() const noexcept override {
    if constexpr (internal::HasBend<Loss>::value)
      return loss_.bend_scale();
    else
      return {};
  }
  ModelAccuracy model_accuracy() const noexcept override { return internal::ModelAccuracyOf<Loss>::value; }
  bool has_units() const noexcept override { return internal::HasUnits<Loss>::value; }
  ResponseUnits units([[maybe_unused]] double unit) const noexcept override {
    if constexpr (internal::HasUnits<Loss>::value)
      return loss_.units(unit);
    else
      return {};
  }
  std::shared_ptr<const LossKernel> in_units([[maybe_unused]] double unit) const override {
    if constexpr (internal::HasUnits<Loss>::value)
      return std::make_shared<KernelOf<Loss>>(loss_.in_units(unit));
    else
      return nullptr;
  }
  bool is_convex() const noexcept override {
    if constexpr (internal::MayBeConvex<Loss>::value)
      return loss_.is_convex();
    else
      return false;
  }
  std::shared_ptr<const LossKernel> convex_below() const override {
    if (is_convex()) return std::make_shared<KernelOf<Loss>>(loss_);
    if constexpr (internal::HasEnvelope<Loss>::value) {
      using Convex = decltype(loss_.convex_envelope());
      return std::make_shared<KernelOf<Convex>>(loss_.convex_envelope());
    }
    return nullptr;
  }
  double start([[maybe_unused]] double mean) const noexcept override {
    if constexpr (internal::HasLink<Loss>::value)
      return Loss::link(mean);
    else
      return 0.0;
  }

  double mean(double eta) const noexcept override {
    if constexpr (internal::HasMean<Loss>::value)
      return Loss::mean(eta);
    else
      return eta;
  }

  LossSums evaluate(const LossRows& block) const noexcept override {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Pack value, slopes, curvatures, lowest_margin(may_separate ? infinity : -infinity), lowest_curvature;
    for (Index i = 0; i < block.rows; i += Pack::size) {
      const Pack eta = internal::linear_predictor(block, i);
      const Pack response = Pack::load(block.response + i), weight = Pack::load(block.weight + i);
      const LossTerms<Pack> terms = terms_of(eta, response, weight);
      Pack second = terms.curvature;
      if constexpr (substitutes) {
        Pack convex;
        if constexpr (of_margin)
          convex = loss_.convex_curvature(response * eta, weight);
        else
          convex = loss_.convex_curvature(eta, response, weight);
        lowest_curvature = min(lowest_curvature, second - convex);
        if (block.kind == Curvature::convex) second = max(second, Pack(part_of_convex) * convex);
      } else {
        lowest_curvature = min(lowest_curvature, second);
        if (block.kind == Curvature::convex) second = max(second, Pack(0.0));
      }
      if (block.kind == Curvature::wide) second = widened(terms.curvature, eta, response, weight, block.width);
      value += terms.value;
      slopes += terms.slope;
      curvatures += second;
      if constexpr (may_separate)
        lowest_margin = min(lowest_margin, select_less_equal(weight, Pack(0.0), lowest_margin, response * eta));
      terms.slope.store(block.slope + i);
      second.store(block.curvature + i);
    }
    return {value.sum(), slopes.sum(), curvatures.sum(), lowest_margin.lowest(), lowest_curvature.lowest() < 0};
  }

  void tabulate(const LossPoints& points) const noexcept override {
    for (Index i = 0; i < points.count; i += Pack::size) {
      const Index count = std::min<Index>(Pack::size, points.count - i);
      double eta[Pack::size], response[Pack::size], weight[Pack::size], terms[3][Pack::size];
      for (Index j = 0; j < Pack::size; ++j) {
        const Index place = i + std::min(j, count - 1);
        eta[j] = points.eta[place];
        response[j] = points.response[place];
        weight[j] = class_weight(response[j] > 0);
      }
      const LossTerms<Pack> t = terms_of(Pack::load(eta), Pack::load(response), Pack::load(weight));
      t.value.store(terms[0]);
      t.slope.store(terms[1]);
      t.curvature.store(terms[2]);
      std::copy_n(terms[0], count, points.value + i);
      std::copy_n(terms[1], count, points.slope + i);
      std::copy_n(terms[2], count, points.curvature + i);
    }
  }

 private:
  // The full curvature of the least parabola above the loss makes exchanges look less useful than they are. With it, 5 of 120
  // fits with the Huberised hinge could be improved by a swap, but only 1 with a quarter of it, and fits took 41 and 30 Newton
  // iterations. With a tenth of it, long searches gave worse results.
  static constexpr double part_of_convex = 0.25;

  Pack widened(const Pack& exact, [[maybe_unused]] const Pack& eta, [[maybe_unused]] const Pack& response,
               [[maybe_unused]] const Pack& weight, [[maybe_unused]] double width) const noexcept {
    Pack least(0.0);
    if constexpr (internal::HasBend<Loss>::value && of_margin)
      least = loss_.bend(response * eta, weight).curvature(width);
    else if constexpr (internal::HasBend<Loss>::value)
      least = loss_.bend(eta, response, weight).curvature(width);
    return max(exact, least);
  }

  /// Derivatives with respect to eta.
  LossTerms<Pack> terms_of(const Pack& eta, const Pack& response, const Pack& weight) const noexcept {
    if constexpr (of_margin) {
      const LossTerms<Pack> terms = loss_(response * eta, weight);
      return {terms.value, response * terms.slope, terms.curvature};
    } else {
      return loss_(eta, response, weight);
    }
  }

  const Loss loss_;
};

}  // namespace ksparse
