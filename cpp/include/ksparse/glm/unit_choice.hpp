// Chooses the units from the sums of the first scan: the weighted sums x.w and (x*x).w give the mean and standard deviation of
// a column. If these would cancel (because the mean is much larger than the deviation) or overflow, the column is processed
// separately, now and in each later scan. Such columns are called careful; most data have few or none. Therefore columns of
// 1e150 or 1e-150, or years around 2000, are handled like any others.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "../loss/stable.hpp"
#include "linearisation.hpp"
#include "panel.hpp"
#include "rows.hpp"
#include "units.hpp"

namespace ksparse {

/// The moments of a column, from the sums of the first scan.
struct PlainMoments {
  double mean, variance, slope;

  PlainMoments(double by_slope, double by_weight, double by_square, double weight, const Linearisation& point)
      : mean(point.units().intercept() ? by_weight / weight : 0.0),
        variance(by_square / weight - mean * mean),
        slope(by_slope - mean * point.slope()) {}

  /// Whether these can be used. They cannot if the column is constant, not finite, close to overflow or underflow, or far from
  /// 0 relative to its deviation.
  bool is_plain() const noexcept {
    // Below this ratio of variance to squared mean, the conversion by formula would lose more than half of the digits.
    constexpr double cancellation = 1e-8;
    constexpr double tiny = 1e-280, huge = 1e280;
    return variance > cancellation * mean * mean && variance > tiny && variance < huge && std::isfinite(slope);
  }
};

/// Weighted sums x.w and (x*x).w of all columns, which problems with the same weights need compute only once.
struct ColumnMoments {
  bool known = false;
  Eigen::VectorXd weights;  // (padded,) weights of rows and classes, divided by W; empty if there are no moments yet
  Eigen::ArrayXXd sums;     // (p, 2)
};

class UnitChoice {
 public:
  void reset(Units& units, const Rows& rows, const Linearisation& linearisation) {
    units_ = &units;
    rows_ = &rows;
    linearisation_ = &linearisation;
    column_.resize(block_rows);
    bad_row_ = bad_column_ = -1;
    moments_ = nullptr;
    records_ = false;
  }

  /// Called before the first scan, whose panels must be the same for all problems that share moments. It takes the moments of X
  /// from a problem with the same weights, or stores them for others.
  void share(ColumnMoments& moments) {
    if (units_->chosen()) return;
    const Eigen::VectorXd& weight = rows_->weight();
    if (!moments.known && moments.weights.size() == 0) {
      moments.weights = weight;
      moments.sums.resize(units_->centres().size(), 2);
      records_ = true;
    } else if (moments.weights.size() != weight.size() || (moments.weights.array() != weight.array()).any()) {
      return;
    }
    moments_ = &moments;
  }
  /// Whether the first scan can skip sums that are known already.
  bool knows_moments() const noexcept { return moments_ && !records_; }

  /// Chooses the units of the columns of a panel from its sums, and converts the derivatives to these units. Returns false if X
  /// is not finite, or if bounds require a coefficient that a constant column cannot have.
  bool choose(Panel& panel) {
    if (moments_) exchange(panel);
    const double total = rows_->weight().sum(), average_curvature = linearisation_->curvature() / total;
    for (Index c = 0; c < panel.columns.count; ++c) {
      const Index column = panel.columns[c];
      PlainMoments found(panel.sum(c, Sums::slope), panel.sum(c, Sums::curvature), panel.sum(c, Sums::square), total,
                         *linearisation_);
      if (found.is_plain()) {
        const double factor = stable::power_of_two_near(1 / std::sqrt(found.variance));
        units_->set(column, found.mean, units_->is_negligible(factor) ? 0.0 : factor);
        found.variance *= units_->factor(column) * units_->factor(column);
        found.slope *= units_->factor(column);
      } else {
        if (!examine(column)) return false;
        sum_in_units(column, total, found);
      }
      const bool constant = units_->is_constant(column);
      if (constant && !units_->bounds_hold_zero(column)) {
        bad_column_ = column;  // the coefficient of a constant column is 0
        return false;
      }
      panel.gradient[c] = found.slope;
      units_->set_spread(column, constant ? 0.0 : found.variance);
      const double curvature = found.variance * total * average_curvature + units_->ridge_of(column);
      panel.curvature[c] = constant ? 0.0 : usable_curvature(found.slope, curvature);
    }
    if (units_->intercept()) panel.cross.col(0).head(panel.columns.count).setZero();  // centred at the mean in these weights
    return true;
  }
  /// All columns have their units.
  void end() {
    if (records_) moments_->known = true;
    moments_ = nullptr;
    records_ = false;
    units_->end_choice();
  }

  // What choose() answered false for; without a row: the bounds.
  Index bad_row() const noexcept { return bad_row_; }
  Index bad_column() const noexcept { return bad_column_; }

 private:
  ColumnSource& source() const noexcept { return linearisation_->active().reader().source(); }

  // visit(first, rows) of each block of a column, raw, which is then in column_. False as soon as one call returns that.
  template <class Visit>
  bool for_blocks(Index column, const Visit& visit) {
    for (Index first = 0; first < rows_->count(); first += block_rows) {
      const Index rows = std::min(block_rows, rows_->count() - first);
      source().gather(column, first, rows, column_.data());
      if (!visit(first, rows)) return false;
    }
    return true;
  }

  // Slope and mean square of a column that is careful from now on, unless it is as good as constant.
  void sum_in_units(Index column, double total, PlainMoments& found) {
    found.slope = found.variance = 0;
    if (units_->is_constant(column)) return;
    units_->add_careful(column);
    for (Index first = 0; first < rows_->count(); first += block_rows) {
      const Index rows = std::min(block_rows, rows_->count() - first);
      linearisation_->active().reader().gather(column, first, rows, column_.data());
      const auto z = column_.head(rows).array();
      found.slope += (z * rows_->slope().segment(first, rows).array()).sum();
      found.variance += (z.square() * rows_->weight().segment(first, rows).array()).sum() / total;
    }
  }

  // Chooses the units of a column whose plain sums cannot be used. Returns false if the column is not finite.
  bool examine(Index column) {
    const double* const weight = rows_->weight().data();
    units_->set(column, 0, 0);
    if (source().is_empty(column, weight)) return true;
    double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
    const bool finite = for_blocks(column, [&](Index first, Index rows) {
      for (Index i = 0; i < rows; ++i) {
        if (!std::isfinite(column_[i])) {
          bad_row_ = first + i;
          bad_column_ = column;
          return false;
        }
        if (weight[first + i] > 0) {
          lowest = std::min(lowest, column_[i]);
          highest = std::max(highest, column_[i]);
        }
      }
      return true;
    });
    if (!finite) return false;
    const double largest = std::max(std::abs(lowest), std::abs(highest));
    if (largest == 0 || (units_->intercept() && lowest == highest)) return true;
    const double shrink = stable::power_of_two_near(1 / largest);
    if (!std::isfinite(shrink) || shrink == 0) return true;  // beyond what a double can rescale: as good as constant
    const double mean = units_->intercept() ? mean_of(column, [=](double x) { return x * shrink; }) : 0.0;
    const double variance = mean_of(column, [=](double x) { return (x * shrink - mean) * (x * shrink - mean); });
    const double factor = shrink * stable::power_of_two_near(1 / std::sqrt(variance));
    if (!(variance > 0) || units_->is_negligible(factor)) return true;
    units_->set(column, mean / shrink, factor);
    return true;
  }

  // The weighted mean of a term of a column.
  template <class Term>
  double mean_of(Index column, const Term& term) {
    const double* const weight = rows_->weight().data();
    double sum = 0;
    for_blocks(column, [&](Index first, Index rows) {
      for (Index i = 0; i < rows; ++i)
        if (weight[first + i] > 0) sum += weight[first + i] * term(column_[i]);
      return true;
    });
    return sum / rows_->weight().sum();
  }

  // Moments of a panel of consecutive columns: taken over from another problem, or left for others.
  void exchange(Panel& panel) const {
    for (const auto& [which, kept] : {std::pair{Sums::curvature, 0}, std::pair{Sums::square, 1}}) {
      auto here = panel.sum(which);
      auto there = moments_->sums.col(kept).segment(panel.columns.first, panel.columns.count);
      if (records_)
        there = here;
      else
        here = there;
    }
  }

  Units* units_ = nullptr;
  const Rows* rows_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  Eigen::VectorXd column_;  // (block_rows,) a stretch of one column
  Index bad_row_ = -1, bad_column_ = -1;
  ColumnMoments* moments_ = nullptr;  // shared in the first scan, or null
  bool records_ = false;              // whether they are left there
};

}  // namespace ksparse
