// The units of the features. The solver uses z_j = (x_j - centre_j) * factor_j, where the centre is the weighted mean and the
// factor is the inverse of a power of two close to the standard deviation (without an intercept, the centre is 0 and the factor
// uses the root mean square), so that coefficients are of order one. They are chosen by the first scan (unit_choice.hpp).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../groups.hpp"
#include "../loss/loss.hpp"
#include "../options.hpp"
#include "../result.hpp"
#include "../search/objective.hpp"

namespace ksparse {

class Units {
 public:
  /// Prepares for this many columns, whose units are not chosen yet. The options must exist until this object is destroyed or
  /// reset.
  void reset(const ResponseUnits& responses, const Options& options, Index columns) {
    responses_ = responses;
    constraints_ = &options.constraints;
    intercept_ = options.fit_intercept;
    ridge_ = responses.ridge(options.ridge);
    centre_ = Eigen::ArrayXd::Zero(columns);
    factor_ = Eigen::ArrayXd::Ones(columns);
    spread_.resize(columns);
    careful_.clear();
    chosen_ = false;
  }

  bool chosen() const noexcept { return chosen_; }
  bool intercept() const noexcept { return intercept_; }
  double centre(Index column) const { return centre_[column]; }
  /// The inverse of the scale, or 0 if the column can never enter.
  double factor(Index column) const { return factor_[column]; }
  bool is_constant(Index column) const { return factor_[column] == 0; }
  const Eigen::ArrayXd& centres() const noexcept { return centre_; }
  const Eigen::ArrayXd& factors() const noexcept { return factor_; }
  /// The weighted mean square of the column in its unit.
  double spread(Index column) const { return spread_[column]; }
  /// Whether sums of the raw column would cancel or overflow in the conversion, so that the column is gathered in each scan.
  bool is_careful(Index column) const {
    return !careful_.empty() && std::binary_search(careful_.begin(), careful_.end(), column);
  }
  bool any_is_careful(const Columns& columns) const {
    for (Index c = 0; c < columns.count; ++c)
      if (is_careful(columns[c])) return true;
    return false;
  }
  const std::vector<Index>& careful() const noexcept { return careful_; }

  // The choice, column by column in rising order.
  void set(Index column, double centre, double factor) {
    centre_[column] = centre;
    factor_[column] = factor;
  }
  void set_spread(Index column, double spread) { spread_[column] = spread; }
  void add_careful(Index column) { careful_.push_back(column); }
  void end_choice() noexcept { chosen_ = true; }
  /// Whether a column is too small to be useful, because its coefficient would overflow or the ridge penalty makes it 0.
  bool is_negligible(double factor) const {
    constexpr double most = 1e290;
    return !(factor < most && ridge_ * factor * factor < most);
  }

  /// The ridge of the coefficients of raw columns, and of a column in units.
  double ridge() const noexcept { return ridge_; }
  double ridge_of(Index column) const { return ridge_ > 0 ? ridge_ * factor_[column] * factor_[column] : 0.0; }

  /// Bounds of a coefficient in its unit. Those of a column that can never enter do not matter.
  bool bounded() const { return constraints_->bounded(); }
  double lower(Index column) const { return in_units(constraints_->lower_of(column), column); }
  double upper(Index column) const { return in_units(constraints_->upper_of(column), column); }
  /// The bounds of some columns, and of the intercept, which has none.
  void bounds_of(const std::vector<Index>& columns, Eigen::VectorXd& lower_bounds, Eigen::VectorXd& upper_bounds) const {
    const Index size = Index(columns.size());
    for (Index i = 0; i < size; ++i) {
      lower_bounds[i] = lower(columns[std::size_t(i)]);
      upper_bounds[i] = upper(columns[std::size_t(i)]);
    }
    upper_bounds[size] = std::numeric_limits<double>::infinity();
    lower_bounds[size] = -upper_bounds[size];
  }
  bool bounds_hold_zero(Index column) const {
    return constraints_->lower_of(column) <= 0 && constraints_->upper_of(column) >= 0;
  }

  /// F in the user's units.
  double to_user(double objective) const noexcept { return responses_.to_user(objective); }
  /// Coefficients of the user's columns.
  void to_user(const Iterate& iterate, const Groups& groups, FitResult& result) const {
    result.coef = Eigen::VectorXd::Zero(centre_.size());
    result.intercept = intercept_ ? iterate.intercept * responses_.scale + responses_.shift : 0.0;
    result.support.clear();
    for (Index place = 0; place < iterate.size(); ++place) {
      const Index unit = iterate.support[std::size_t(place)];
      for (Index i = 0; i < groups.width(unit); ++i) {
        const Index column = groups.column(unit, i);
        const double coef = iterate.coef[place * iterate.stride + i];
        if (coef == 0) continue;
        // Rounding must not violate a bound.
        result.coef[column] = std::min(std::max(coef * factor_[column] * responses_.scale, constraints_->lower_of(column)),
                                       constraints_->upper_of(column));
        result.intercept -= result.coef[column] * centre_[column];
        result.support.push_back(column);
      }
    }
    std::sort(result.support.begin(), result.support.end());
    result.objective = to_user(iterate.objective);
  }
  /// Adds the user's coefficients of some columns to an empty iterate, but those of columns that can never enter.
  void from_user(const std::vector<Index>& support, const Eigen::Ref<const Eigen::VectorXd>& coef, double intercept,
                 const Groups& groups, Iterate& iterate) const {
    iterate.intercept = intercept_ ? (intercept - responses_.shift) / responses_.scale : 0.0;
    for (std::size_t i = 0; i < support.size(); ++i) {
      const Index column = support[i], unit = groups.unit_of(column);
      if (factor_[column] == 0) continue;
      const auto place = std::find(iterate.support.begin(), iterate.support.end(), unit) - iterate.support.begin();
      if (place == iterate.size()) iterate.append(unit);
      Index member = 0;
      while (groups.column(unit, member) != column) ++member;
      iterate.coef[place * iterate.stride + member] = coef[Index(i)] / factor_[column] / responses_.scale;
      if (intercept_) iterate.intercept += coef[Index(i)] * centre_[column] / responses_.scale;
    }
  }

 private:
  double in_units(double bound, Index column) const {
    return bound == 0 || factor_[column] == 0 ? bound : bound / factor_[column] / responses_.scale;
  }

  ResponseUnits responses_;  // of y, the linear predictor and F; coefficients are in its scale
  const Constraints* constraints_ = nullptr;
  bool intercept_ = true, chosen_ = false;
  double ridge_ = 0;
  Eigen::ArrayXd centre_, factor_, spread_;  // (p,)
  std::vector<Index> careful_;               // sorted
};

}  // namespace ksparse
