// The rows of a problem as the loops over them see them: responses, weights and offset, and the loss's slope and curvature at
// the point where it was evaluated last. They are padded with rows of weight 0 to a whole number of packs, so that loops have no
// tail.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include "../loss/kernel.hpp"
#include "../problem.hpp"
#include "../util/pack.hpp"

namespace ksparse {

/// Some rows: those of a problem, or fewer that stand for all of them (compact_rows.hpp).
struct RowsView {
  Index count = 0, padded = 0;
  const double* response = nullptr;  // (padded,) y in its unit; +1 or -1 where it is a label
  const double* weight = nullptr;    // (padded,) weight of the row and its class, over W
  const double* offset = nullptr;    // (padded,) or null
  double* slope = nullptr;           // (padded,) dF/d eta at the last point
  double* curvature = nullptr;       // (padded,) d2F/d eta2
};

class Rows {
 public:
  /// Without an intercept, which has it otherwise, the shift of the linear predictor is one of the offset.
  void reset(const Problem& problem, const LossKernel& loss, const ResponseUnits& units, bool intercept) {
    count_ = problem.responses.size();
    padded_ = padded_to_pack(count_);
    slope_.resize(padded_);
    curvature_.resize(padded_);
    take_responses(problem, loss, units);
    const double shift = intercept ? 0.0 : units.shift;
    offset_ = Eigen::VectorXd::Zero(problem.offset.size() || shift != 0 ? padded_ : 0);
    if (problem.offset.size()) offset_.head(count_) = problem.offset / units.scale;
    if (shift != 0) offset_.head(count_).array() -= shift;
    positive_ = (weight_.head(count_).array() > 0).count();
    if (has_absent()) clear_absent();
  }

  Index count() const noexcept { return count_; }
  Index padded() const noexcept { return padded_; }
  const Eigen::VectorXd& response() const noexcept { return response_; }    // (padded,)
  const Eigen::VectorXd& weight() const noexcept { return weight_; }        // (padded,)
  const Eigen::VectorXd& offset() const noexcept { return offset_; }        // (padded,) or empty
  const Eigen::VectorXd& slope() const noexcept { return slope_; }          // (padded,)
  const Eigen::VectorXd& curvature() const noexcept { return curvature_; }  // (padded,)
  /// Rows of positive weight.
  Index positive() const noexcept { return positive_; }
  /// Whether a row has weight 0; what X holds there, no gathered column does.
  bool has_absent() const noexcept { return positive_ < count_; }

  RowsView view() noexcept {
    return {count_,        padded_,          response_.data(), weight_.data(), offset_.size() ? offset_.data() : nullptr,
            slope_.data(), curvature_.data()};
  }

 private:
  void take_responses(const Problem& problem, const LossKernel& loss, const ResponseUnits& units) {
    response_ = Eigen::VectorXd::Ones(padded_);
    weight_ = Eigen::VectorXd::Zero(padded_);
    const double largest = problem.weights.size() ? problem.weights.maxCoeff() : 1.0;
    double total = 0;
    for (Index i = 0; i < count_; ++i) {
      // Divided by the largest first: a sum of weights near 1e308 would overflow.
      const double weight = problem.weights.size() ? problem.weights[i] / largest : 1.0;
      response_[i] = loss.response_of(problem.responses[i]) / units.response;
      weight_[i] = weight * loss.class_weight(problem.responses[i] != 0.0);
      total += weight;
    }
    weight_ *= units.weight;
    weight_ /= total;
  }

  // Rows of weight 0 are made like those of the padding, so that nothing that they hold can reach a sum as infinity times 0.
  void clear_absent() {
    for (Index i = 0; i < count_; ++i) {
      if (weight_[i] > 0) continue;
      response_[i] = 1;
      if (offset_.size()) offset_[i] = 0;
    }
  }

  Index count_ = 0, padded_ = 0, positive_ = 0;
  Eigen::VectorXd response_, weight_, offset_, slope_, curvature_;
};

}  // namespace ksparse
