// A custom loss that was compiled elsewhere (C, Numba, Cython, Julia, ...): one function for a block of rows, or three
// functions for a single row. They are called from several threads at once, hundreds of times per fit.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "kernel.hpp"

namespace ksparse {

/// Computes value, slope and curvature (derivatives with respect to eta) of n rows with weight 1, given linear predictors and
/// responses. Responses are y, or +1 and -1 for labels, so that response * eta is the margin. The arrays do not overlap.
using LossFunction = void (*)(std::int64_t n, const double* eta, const double* response, double* value, double* slope,
                              double* curvature, void* user_data);
/// One of the three functions for a single row.
using ScalarLossFunction = double (*)(double eta, double response);

class CompiledKernel final : public LossKernel {
 public:
  /// falls_for_ever: for labels, whether F decreases towards 0 forever if the classes can be separated.
  CompiledKernel(LossFunction function, void* user_data, Responses responses, bool falls_for_ever)
      : function_(function), user_data_(user_data), responses_(responses), falls_for_ever_(falls_for_ever) {}
  CompiledKernel(ScalarLossFunction value, ScalarLossFunction slope, ScalarLossFunction curvature, Responses responses,
                 bool falls_for_ever)
      : value_(value), slope_(slope), curvature_(curvature), responses_(responses), falls_for_ever_(falls_for_ever) {}

  double class_weight(bool) const noexcept override { return 1.0; }
  Responses responses() const noexcept override { return responses_; }
  bool falls_for_ever() const noexcept override { return falls_for_ever_; }
  bool has_convex_curvature() const noexcept override { return false; }
  ModelAccuracy model_accuracy() const noexcept override { return ModelAccuracy::rough; }
  bool has_units() const noexcept override { return false; }
  ResponseUnits units(double) const noexcept override { return {}; }
  std::shared_ptr<const LossKernel> in_units(double) const override { return nullptr; }
  double start(double) const noexcept override { return 0.0; }
  std::optional<std::string> problem() const override {
    if (falls_for_ever_ && !is_binary()) return "falls_for_ever is for losses of labels";
    return std::nullopt;
  }

  LossSums evaluate(const LossRows& block) const noexcept override {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    LossSums sums;
    double eta[rows_at_once], value[rows_at_once];
    for (Index first = 0; first < block.rows; first += rows_at_once) {
      const Index rows = std::min(rows_at_once, block.rows - first);
      for (Index i = 0; i < rows; i += Pack::size) internal::linear_predictor(block, first + i).store(eta + i);
      const double *const response = block.response + first, *const weight = block.weight + first;
      double *const slope = block.slope + first, *const curvature = block.curvature + first;
      call(rows, eta, response, value, slope, curvature);
      const Pack least(block.kind == Curvature::exact ? -infinity : 0.0), zero(0.0);
      Pack values, slopes, curvatures, lowest_margin(falls_for_ever_ ? infinity : -infinity), lowest_curvature;
      for (Index i = 0; i < rows; i += Pack::size) {
        // A row of weight 0 must not count even if its terms are infinite, because 0 times infinity is NaN.
        const Pack w = Pack::load(weight + i);
        const auto weighted = [&w, &zero](const Pack& term) { return select_less_equal(w, zero, zero, w * term); };
        const Pack s = weighted(Pack::load(slope + i)), exact = weighted(Pack::load(curvature + i)), c = max(exact, least);
        values += weighted(Pack::load(value + i));
        slopes += s;
        curvatures += c;
        lowest_curvature = min(lowest_curvature, exact);
        const Pack margin = select_less_equal(w, zero, lowest_margin, Pack::load(response + i) * Pack::load(eta + i));
        lowest_margin = min(lowest_margin, margin);
        s.store(slope + i);
        c.store(curvature + i);
      }
      sums.add({values.sum(), slopes.sum(), curvatures.sum(), lowest_margin.lowest(), lowest_curvature.lowest() < 0});
    }
    return sums;
  }

  void tabulate(const LossPoints& points) const noexcept override {
    call(points.count, points.eta, points.response, points.value, points.slope, points.curvature);
  }

 private:
  static constexpr Index rows_at_once = 512;

  void call(Index rows, const double* eta, const double* response, double* value, double* slope,
            double* curvature) const noexcept {
    if (function_) return function_(rows, eta, response, value, slope, curvature, user_data_);
    for (Index i = 0; i < rows; ++i) {
      value[i] = value_(eta[i], response[i]);
      slope[i] = slope_(eta[i], response[i]);
      curvature[i] = curvature_(eta[i], response[i]);
    }
  }

  const LossFunction function_ = nullptr;
  void* const user_data_ = nullptr;
  const ScalarLossFunction value_ = nullptr, slope_ = nullptr, curvature_ = nullptr;
  const Responses responses_;
  const bool falls_for_ever_;
};

}  // namespace ksparse
