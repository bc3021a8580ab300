// The average L of a convex loss over the rows, and its derivatives by the coefficients of the live columns. A proof needs
// nothing else of the data. At every point, the intercept is set to its best value. The derivative of L by it is then 0 up to
// a small rest, which is removed from the slopes r_i of the rows, because a bound needs slopes with sum 0 (bound.hpp).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "../design/kernels.hpp"
#include "../glm/rows.hpp"
#include "../loss/kernel.hpp"
#include "../problem.hpp"
#include "live_columns.hpp"

namespace ksparse::proof {

/// The data of the rows, which all threads share: those of a fit (glm/rows.hpp), in the units of the user, with a convex loss.
struct Rows {
  Index rows, padded;                      // padded: a whole number of packs, with rows of weight 0
  std::shared_ptr<const LossKernel> loss;  // convex
  bool intercept;
  double start = 0;           // approximate intercept of the model without features
  double largest_offset = 0;  // the largest absolute offset

  Rows(const Problem& problem, std::shared_ptr<const LossKernel> convex, bool with_intercept)
      : rows(problem.responses.size()), padded(padded_to_pack(rows)), loss(std::move(convex)), intercept(with_intercept) {
    values_.reset(problem, *loss, {}, intercept);
    if (offset().size()) largest_offset = offset().lpNorm<Eigen::Infinity>();
    if (intercept && !loss->is_binary()) start = loss->start(weight().head(rows).dot(response().head(rows)));
  }

  const Eigen::VectorXd& response() const noexcept { return values_.response(); }
  const Eigen::VectorXd& weight() const noexcept { return values_.weight(); }  // weights of the row and its class, divided by W
  const Eigen::VectorXd& offset() const noexcept { return values_.offset(); }  // empty if there is none

 private:
  ksparse::Rows values_;
};

/// The slopes and curvatures of the rows at the point that was evaluated last. Each thread has its own.
class RowsAt {
 public:
  RowsAt(const Rows& rows, const LiveColumns& columns)
      : rows_(rows), columns_(columns), eta_(rows.padded), slope_(rows.padded), curvature_(rows.padded) {}

  double value() const noexcept { return sums_.value; }
  /// The part of the positive, or of the negative, slopes that was removed to make the sum of the slopes 0.
  double imbalance() const noexcept { return imbalance_; }
  double slope_norm() const noexcept { return slope_norm_; }
  double slope_size() const noexcept { return slope_size_; }  // sum of |r_i|
  /// By which part the slopes must become smaller, at most, to add up to 0 exactly and to be those of a convex loss.
  double slope_error() const noexcept {
    // Slopes have a relative error of at most 16 eps. A sum of one sign, whose blocks may be added in any order, has one of at most
    // (256 + n / 1024) eps, and both signs are summed to find their ratio.
    return (64 + (rows_.intercept ? 4 * (256 + double(rows_.rows) / 1024) : 0.0)) * std::numeric_limits<double>::epsilon();
  }
  double largest_offset() const noexcept { return rows_.largest_offset; }
  double total_curvature() const noexcept { return sums_.curvature; }

  /// Evaluates L at these coefficients. Searches the best intercept from `intercept` on, which it sets.
  void evaluate(const Index* columns, const double* coef, Index count, double& intercept) {
    if (rows_.offset().size())
      eta_ = rows_.offset();
    else
      eta_.setZero();
    for (Index c = 0; c < count; ++c)
      if (coef[c] != 0)
        eta_.head(rows_.rows).noalias() += coef[c] * Eigen::Map<const Eigen::VectorXd>(columns_.data(columns[c]), rows_.rows);
    sum_rows(intercept);
    if (rows_.intercept) solve_intercept(intercept);
    balance();
  }

  /// The derivatives of L by the coefficients of the listed columns.
  void gradient(const Index* columns, Index count, double* target) const {
    const RowBlock block{0, rows_.rows, slope_.data(), nullptr, nullptr, 0, 0};
    std::fill_n(target, count, 0.0);
    // This goes by blocks of rows, so that the slopes stay in the first-level cache.
    for (Index first = 0; first < rows_.rows; first += block_rows)
      kernels::accumulate_slopes(count, block_of(block, first), Sums{target, count},
                                 [&](Index c) { return columns_.data(columns[c]) + first; });
  }

  /// The Hessian of L for the listed columns after L is minimised over the intercept. `follow` is how the best intercept
  /// changes with the coefficients: d intercept = -follow . d coef.
  void hessian(const Index* columns, Index count, Eigen::MatrixXd& target, std::vector<double>& follow) {
    if (target.rows() < count) target.resize(count + 16, count + 17);
    if (weighted_.size() < block_rows * (count + 1)) weighted_.resize(block_rows * (count + 17));
    target.topLeftCorner(count, count + 1).setZero();
    for (Index first = 0; first < rows_.rows; first += block_rows)
      add_block(columns, count, first, std::min(block_rows, rows_.rows - first), target);
    follow.assign(std::size_t(count), 0.0);
    const double whole = sums_.curvature;
    for (Index j = 0; j < count; ++j)
      if (rows_.intercept && whole > 0) follow[std::size_t(j)] = target(j, count) / whole;
    for (Index j = 0; j < count; ++j)
      for (Index i = j; i < count; ++i) {
        target(i, j) -= target(i, count) * follow[std::size_t(j)];
        target(j, i) = target(i, j);
      }
  }

 private:
  static constexpr Index block_rows = 512;

  RowBlock block_of(const RowBlock& all, Index first) const {
    return {first, std::min(block_rows, rows_.rows - first), all.slope + first, nullptr, nullptr, 0, 0};
  }

  void sum_rows(double intercept) {
    sums_ = {};
    for (Index first = 0; first < rows_.padded; first += block_rows) {
      const Index count = std::min(block_rows, rows_.padded - first);
      sums_.add(rows_.loss->evaluate({count, 0, nullptr, 0, nullptr, intercept, eta_.data() + first,
                                      rows_.response().data() + first, rows_.weight().data() + first, slope_.data() + first,
                                      curvature_.data() + first, Curvature::convex}));
    }
  }

  /// The sums of the absolute values of the slopes of each sign.
  struct Sides {
    double positive = 0, negative = 0;
    double heavier() const { return std::max(positive, negative); }
  };
  Sides sides() const {
    Sides sum;
    for (Index first = 0; first < rows_.padded; first += block_rows) {
      const auto block = slope_.segment(first, std::min(block_rows, rows_.padded - first));
      sum.positive += block.cwiseMax(0.0).sum();
      sum.negative -= block.cwiseMin(0.0).sum();
    }
    return sum;
  }

  // Finds the root of the sum of the slopes, which increases with the intercept: Newton steps within a bracket, and bisection
  // where these leave it.
  void solve_intercept(double& intercept) {
    constexpr double good_enough = 1e-9, infinity = std::numeric_limits<double>::infinity();
    double low = -infinity, high = infinity, longest = 4.0 + std::abs(intercept);
    for (int iteration = 0; iteration < 60; ++iteration) {
      const double sum = sums_.slope, side = sides().heavier();
      if (!std::isfinite(sums_.value) || !(std::abs(sum) > good_enough * side)) return;
      (sum > 0 ? high : low) = intercept;
      double step = sums_.curvature > 0 ? -sum / sums_.curvature : sum > 0 ? -infinity : infinity;
      step = std::min(std::max(step, -longest), longest);
      double next = intercept + step;
      if (!(next > low && next < high) || (iteration > 8 && std::isfinite(high - low))) next = 0.5 * (low + high);
      if (next == intercept || !std::isfinite(next)) return;
      if (std::abs(step) >= longest) longest *= 2;
      intercept = next;
      sum_rows(intercept);
    }
  }

  // Reduces the positive or the negative slopes so that their sum is 0. The bound is valid for any such reduction (bound.hpp).
  void balance() {
    imbalance_ = 0;
    if (rows_.intercept) {
      const auto [positive, negative] = sides();
      const double larger = std::max(positive, negative);
      if (larger > 0 && positive != negative) {
        const double part = std::min(positive, negative) / larger;
        imbalance_ = 1 - part;
        if (positive > negative)
          slope_ = slope_.cwiseMin(0.0) + part * slope_.cwiseMax(0.0);
        else
          slope_ = slope_.cwiseMax(0.0) + part * slope_.cwiseMin(0.0);
      }
    }
    slope_norm_ = slope_.norm();
    slope_size_ = slope_.lpNorm<1>();
  }

  void add_block(const Index* columns, Index count, Index first, Index rows, Eigen::MatrixXd& target) {
    const auto weighted = [&](Index v) { return weighted_.data() + v * block_rows; };
    const Eigen::Map<const Eigen::ArrayXd> h(curvature_.data() + first, rows);
    for (Index c = 0; c < count; ++c)
      Eigen::Map<Eigen::ArrayXd>(weighted(c), rows) =
          h * Eigen::Map<const Eigen::ArrayXd>(columns_.data(columns[c]) + first, rows);
    std::copy_n(curvature_.data() + first, rows, weighted(count));
    const auto column = [&](Index c) { return columns_.data(columns[c]) + first; };
    Index c = 0;
    for (; c + 4 <= count; c += 4) {
      const double* const four[4] = {column(c), column(c + 1), column(c + 2), column(c + 3)};
      add_tile<4>(four, c, count, rows, target);
    }
    for (; c < count; ++c) {
      const double* const one[1] = {column(c)};
      add_tile<1>(one, c, count, rows, target);
    }
  }
  // Rows c to c + C of the lower triangle, and of the intercept's column.
  template <int C>
  void add_tile(const double* const* tile, Index c, Index count, Index rows, Eigen::MatrixXd& target) {
    const Index below = c + C;  // columns of the triangle
    kernels::dot_tiles<C>(
        tile, below + rows_.intercept, [&](Index v) { return weighted_.data() + (v < below ? v : count) * block_rows; }, rows,
        [&](Index v) { return target.data() + (v < below ? v : count) * target.rows() + c; });
  }

  const Rows& rows_;
  const LiveColumns& columns_;
  Eigen::VectorXd eta_, slope_, curvature_;  // (padded,) eta without the intercept
  Eigen::VectorXd weighted_;                 // (block_rows, count + 1) a block of columns times the curvature
  LossSums sums_;
  double imbalance_ = 0, slope_norm_ = 0, slope_size_ = 0;
};

}  // namespace ksparse::proof
