// Of glm_objective.hpp: the units of the features, chosen by the first scan, and the way to the user's and back.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "glm_objective.hpp"

namespace ksparse {

inline GlmObjective::PlainMoments GlmObjective::plain_moments(Index place, double total) const {
  const double mean = intercept_ ? sums_(place, Sums::curvature) / total : 0.0;
  return {mean, sums_(place, Sums::square) / total - mean * mean, sums_(place, Sums::slope) - mean * sum_slope_};
}

// From the first scan's sums of a panel: units, and derivatives in these units. False: X is not finite, or bounds ask for a
// coefficient that a constant column cannot have.
inline bool GlmObjective::choose_units(const Columns& panel) {
  const double total = weight_.sum(), average_curvature = sum_curvature_ / total;
  for (Index c = 0; c < panel.count; ++c) {
    const Index column = panel[c];
    const PlainMoments plain = plain_moments(c, total);
    auto [mean, variance, slope] = plain;
    if (plain.is_plain()) {
      centre_[column] = mean;
      const double inverse = stable::power_of_two_near(1 / std::sqrt(variance));
      inverse_scale_[column] = is_negligible(inverse) ? 0.0 : inverse;
      variance *= inverse_scale_[column] * inverse_scale_[column];
      slope *= inverse_scale_[column];
    } else {
      if (!examine_column(column)) return false;
      slope = variance = 0;
      if (inverse_scale_[column] != 0) {
        careful_.push_back(column);
        if (sparse_) careful_column_.resize(n_);
        for (Index first = 0; first < n_; first += block_rows) {
          const Index rows = std::min(block_rows, n_ - first);
          gather_in_units(column, first, rows, column_.data());
          const auto z = column_.head(rows).array();
          slope += (z * slope_.segment(first, rows).array()).sum();
          variance += (z.square() * weight_.segment(first, rows).array()).sum() / total;
        }
      }
    }
    if (inverse_scale_[column] == 0 && !(constraints_->lower_of(column) <= 0 && constraints_->upper_of(column) >= 0)) {
      bad_column_ = column;  // the coefficient of a constant column is 0
      return false;
    }
    panel_gradient_[c] = slope;
    spread_[column] = inverse_scale_[column] != 0 ? variance : 0.0;
    const double curvature = variance * total * average_curvature + ridge_of(column);
    panel_curvature_[c] = inverse_scale_[column] != 0 ? usable_curvature(slope, curvature) : 0.0;
  }
  if (intercept_) panel_cross_.col(0).head(panel.count).setZero();  // centred at the mean in these weights
  return true;
}

// Units of a column whose plain sums are no use.
inline bool GlmObjective::examine_column(Index column) {
  if (sparse_ && has_no_entry(column)) {
    inverse_scale_[column] = 0;
    return true;
  }
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (Index first = 0; first < n_; first += block_rows) {
    const Index rows = std::min(block_rows, n_ - first);
    gather(column, first, rows, column_.data());
    for (Index i = 0; i < rows; ++i) {
      if (!std::isfinite(column_[i])) {
        bad_row_ = first + i;
        bad_column_ = column;
        return false;
      }
      if (weight_[first + i] > 0) {
        lowest = std::min(lowest, column_[i]);
        highest = std::max(highest, column_[i]);
      }
    }
  }
  const double largest = std::max(std::abs(lowest), std::abs(highest));
  centre_[column] = inverse_scale_[column] = 0;
  if (largest == 0 || (intercept_ && lowest == highest)) return true;
  const double shrink = stable::power_of_two_near(1 / largest);
  if (!std::isfinite(shrink) || shrink == 0) return true;  // beyond what a double can rescale: as good as constant
  const double total = weight_.sum();
  const auto weighted_mean = [&](const auto& term) {
    double sum = 0;
    for (Index first = 0; first < n_; first += block_rows) {
      const Index rows = std::min(block_rows, n_ - first);
      gather(column, first, rows, column_.data());
      for (Index i = 0; i < rows; ++i)
        if (weight_[first + i] > 0) sum += weight_[first + i] * term(column_[i] * shrink);
    }
    return sum / total;
  };
  const double mean = intercept_ ? weighted_mean([](double x) { return x; }) : 0.0;
  const double variance = weighted_mean([mean](double x) { return (x - mean) * (x - mean); });
  const double inverse = shrink * stable::power_of_two_near(1 / std::sqrt(variance));
  if (!(variance > 0) || is_negligible(inverse)) return true;
  centre_[column] = mean / shrink;
  inverse_scale_[column] = inverse;
  return true;
}

// Whether a column of a sparse X is finite, and 0 in every row of positive weight. There may be many of these, so no look at
// all rows.
inline bool GlmObjective::has_no_entry(Index column) {
  reader_->entries(column, entries_);
  for (std::size_t e = 0; e < std::size_t(entries_.count); ++e) {
    const double value = entries_.values[e];
    if (!std::isfinite(value) || (value != 0 && weight_[entries_.rows[e]] > 0)) return false;
  }
  return true;
}

inline void GlmObjective::gather_subset(const Columns& columns) {
  // A longer list is that of a single scan, which reads its columns once in any case.
  subset_list_ = columns.count <= subset_.cols() ? columns.list : nullptr;
  if (!subset_list_) return;
  if (Index(subset_columns_.size()) == columns.count &&
      std::equal(subset_columns_.begin(), subset_columns_.end(), columns.list))
    return;
  subset_columns_.assign(columns.list, columns.list + columns.count);
  for (Index c = 0; c < columns.count; ++c) gather_in_units(columns[c], 0, n_, subset_.col(c).data());
}

inline void GlmObjective::to_user(const Iterate& iterate, FitResult& result) const {
  result.coef = Eigen::VectorXd::Zero(p_);
  result.intercept = intercept_ ? iterate.intercept * units_.scale + units_.shift : 0.0;
  result.support.clear();
  for (Index place = 0; place < iterate.size(); ++place) {
    const Index unit = iterate.support[std::size_t(place)];
    for (Index i = 0; i < groups_.width(unit); ++i) {
      const Index column = groups_.column(unit, i);
      const double coef = iterate.coef[place * iterate.stride + i];
      if (coef == 0) continue;
      // Not to step over a bound by rounding.
      result.coef[column] = std::min(std::max(coef * inverse_scale_[column] * units_.scale, constraints_->lower_of(column)),
                                     constraints_->upper_of(column));
      result.intercept -= result.coef[column] * centre_[column];
      result.support.push_back(column);
    }
  }
  std::sort(result.support.begin(), result.support.end());
  result.objective = to_user(iterate.objective);
}

inline Iterate GlmObjective::from_user(const std::vector<Index>& support, const Eigen::Ref<const Eigen::VectorXd>& coef,
                                       double intercept) const {
  Iterate iterate(std::min(capacity_, groups_.units()), groups_.stride());
  iterate.intercept = intercept_ ? (intercept - units_.shift) / units_.scale : 0.0;
  for (std::size_t i = 0; i < support.size(); ++i) {
    const Index column = support[i], unit = groups_.unit_of(column);
    if (inverse_scale_[column] == 0) continue;
    auto place = std::find(iterate.support.begin(), iterate.support.end(), unit) - iterate.support.begin();
    if (place == iterate.size()) iterate.append(unit);
    Index member = 0;
    while (groups_.column(unit, member) != column) ++member;
    iterate.coef[place * iterate.stride + member] = coef[Index(i)] / inverse_scale_[column] / units_.scale;
    if (intercept_) iterate.intercept += coef[Index(i)] * centre_[column] / units_.scale;
  }
  return iterate;
}

}  // namespace ksparse
