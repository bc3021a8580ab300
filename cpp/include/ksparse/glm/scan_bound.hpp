// Lower bounds on F of every support of at most k units, from scans of all features that the search makes anyway. Any scan gives
// one, at whatever point (beta, beta0) it is; the best is kept, for every k.
//
// Derivation. All of this is in units (units.hpp), z_j the columns, w the weights of the rows over W, T their sum, and
// |v|_w^2 = sum_i w_i v_i^2. Let m be a convex loss nowhere above l and >= 0: l itself, or its convex envelope. At the linear
// predictors eta of the point, the loss has slopes w_i l'_i =: r_i, which the scan multiplies with the columns, and m has slopes
// w_i m'_i =: c_i. For any q_i in [0, 1] take q_i c_i in place of c_i. Since the conjugate m* is convex and -m*(0) = min m >= 0,
//   -(w m)*(q c) >= q (-(w m)*(c)) = q (w m(eta) - c eta),
// and so, for every (b, b0), by Fenchel's inequality
//   sum_i w_i m(z_i b + b0 + offset_i) >= sum_i q_i w_i m(eta_i) + sum_i q_i c_i (z_i b + b0 + offset_i - eta_i).
// With an intercept, q is chosen so that the q_i c_i add up to 0: q_i = 1 - t on the heavier sign of c and 1 on the other, where
// t = |P - N| / max(P, N) for the sums P and N of both signs. The intercept need not be at its optimum, and no b0 is excluded:
// it has left the inequality. With h_j = sum_i q_i c_i z_ij and phi_j as in gain.hpp, hence
//   F >= (1 - t) L_m - sum_j h_j beta_j - (the sum of the largest phi_j(h_j) of as many units as may be in).
// h is not known, but the scan's gradient g_j = sum_i r_i z_ij is, and by Cauchy and Schwarz
//   |h_j - g_j| <= (t |c/w|_w + |(c - r)/w|_w) |z_j|_w.
// phi is convex, so that its maximum over that interval is at an end of it. After a refit t is about as small as the tolerance of
// the refit, and c = r unless there are badly misfitted rows and the loss is not convex.
//
// Rounding, with u = 2^-53 and gamma = (1024 + n) 2 u, which is above the relative error of a sum of n terms in any order:
//   - t is known to some gamma in an exact sum to 0, and slopes to 32 u of themselves, or they are those of a point nearby:
//     t is taken larger by 16 gamma + 128 u, which shrinks all slopes a little into the domain of the conjugate;
//   - g_j, a sum of raw columns that is centred later, is known to 2 gamma (|c/w|_w |z_j|_w + 3 T s |centre_j| factor_j), where
//     s is the largest |r_i| / w_i (reduced rows, whose weights are differences, included);
//   - L and the linear predictors are known to gamma times the sum of the sizes of all terms.
// The bound is lowered by all of these, so that it holds in floating point, up to the accuracy of the library's exp and log.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "../groups.hpp"
#include "../loss/kernel.hpp"
#include "../options.hpp"
#include "../search/objective.hpp"
#include "gain.hpp"
#include "largest_gains.hpp"
#include "linearisation.hpp"
#include "rows.hpp"
#include "units.hpp"

namespace ksparse {

class ScanBound {
 public:
  /// What the rows say at a point: a lower bound of the first sum, and how far a gradient may be from that of the bound:
  /// by_spread |z_j|_w + by_centre |centre_j| factor_j.
  struct AtRows {
    double value = 0, by_spread = 0, by_centre = 0;
    double slope_norm = 0;  // |c/w|_w, at least: what one unit of |beta_j| |z_j|_w adds to the size of the terms
  };

  void reset(const Units& units, const Rows& rows, const Groups& groups, const Linearisation& linearisation,
             const Options& options, Index columns) {
    units_ = &units;
    groups_ = &groups;
    linearisation_ = &linearisation;
    constraints_ = &options.constraints;
    scanning_ = false;
    convex_.reset();
    best_.clear();
    possible_ = limits_coefficients(columns, options) && find_convex(linearisation.loss());
    if (!possible_) return;
    required_ = constraints_->required();
    excluded_ = constraints_->excluded();
    const Index k = std::min(options.k, groups.units());
    best_.assign(std::size_t(k + 1), -infinity);
    const Index places = options.places(groups.units());
    largest_.reset(std::max<Index>(k - Index(required_.size()), 0), places);
    active_.reserve(std::size_t(places));
    gamma_ = (1024 + double(rows.count())) * std::numeric_limits<double>::epsilon();
    total_ = rows.weight().sum();
    root_total_ = std::sqrt(total_);
    offset_norm_ = rows.offset().size() ? std::sqrt((rows.weight().array() * rows.offset().array().square()).sum()) : 0.0;
  }

  /// No support of at most k units has a lower F, in units; -infinity where that is not known.
  double of(Index k) const { return k >= 0 && k < Index(best_.size()) ? best_[std::size_t(k)] : -infinity; }
  bool possible() const noexcept { return possible_; }

  /// Before the panels of a scan of all units, at the point of the last linearisation: coefficients, and the gradient of F.
  void begin(const std::vector<Index>& support, const Eigen::VectorXd& coef, const Eigen::VectorXd& gradient) {
    // Before the first scan columns have no units; a point without any needs none.
    scanning_ = possible_ && (units_->chosen() || support.empty());
    if (!scanning_) return;
    const double intercept = units_->intercept() ? coef[linearisation_->active().size()] : 0.0;
    begin(support, linearisation_->active().columns(), at_rows(coef, intercept), coef, gradient);
  }
  /// The same with what the rows say at the point.
  void begin(const std::vector<Index>& support, const std::vector<Index>& columns, const AtRows& at,
             const Eigen::VectorXd& coef, const Eigen::VectorXd& gradient) {
    scanning_ = possible_ && std::isfinite(at.value) && std::isfinite(at.by_spread + at.by_centre);
    at_ = at;
    value_ = at.value;
    largest_.clear();
    active_.clear();
    required_gain_ = 0;
    for (std::size_t place = 0, i = 0; scanning_ && place < support.size(); ++place) {
      double gain = 0;
      for (Index width = groups_->width(support[place]); width > 0; --width, ++i)
        gain += gain_of_active(columns[i], coef[Index(i)], gradient[Index(i)]);
      active_.push_back(support[place]);
      if (is_in(required_, support[place]))
        required_gain_ += gain;
      else
        largest_.keep(gain);
    }
    // Those that must be in are in every support of the search; else nothing would be known of what they gain.
    for (const Index unit : required_)
      scanning_ = scanning_ && std::find(active_.begin(), active_.end(), unit) != active_.end();
    std::sort(active_.begin(), active_.end());
  }

  void take(const ScanPanel& panel) {
    if (!scanning_) return;
    if (panel.starts) return take_groups(panel);
    const double ridge = units_->ridge();
    for (Index c = 0; c < panel.columns.count; ++c) {
      const Index column = panel.columns[c];
      const double factor = units_->factor(column), slope = panel.gradient[c], error = error_of(column);
      const double most = std::abs(slope) + error, least = largest_.bar();
      // What the ridge alone or the bounds alone allow is not below phi, and hardly any column gets beyond that.
      if (ridge > 0 && most * most <= 2 * ridge * factor * factor * least) continue;
      if (panel.lower && most * std::max(-panel.lower[c], panel.upper[c]) <= least) continue;
      if (factor != 0 && !is_in(active_, column)) list(column, gain_of(column, slope, error));
    }
  }

  /// After the last panel: every unit was there.
  void end() {
    if (!scanning_) return;
    scanning_ = false;
    const std::vector<double>& gains = largest_.sorted();
    double bound = value_ - required_gain_;
    std::size_t place = 0;
    for (std::size_t k = required_.size(); k < best_.size(); ++k) {
      const double rounding = 8 * std::numeric_limits<double>::epsilon() * double(k + 1) * (value_ + value_ - bound);
      if (std::isfinite(bound)) best_[k] = std::max(best_[k], std::max(bound - rounding, 0.0));  // losses are >= 0
      if (place < gains.size()) bound -= gains[place++];
    }
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  static bool is_in(const std::vector<Index>& sorted, Index unit) {
    return std::binary_search(sorted.begin(), sorted.end(), unit);
  }

  static bool limits_coefficients(Index columns, const Options& options) {
    const Constraints& constraints = options.constraints;
    for (Index j = 0; !(options.ridge > 0) && j < columns; ++j)
      if (!(std::isfinite(constraints.lower_of(j)) && std::isfinite(constraints.upper_of(j)))) return false;
    return true;
  }

  bool find_convex(const LossKernel& loss) {
    if (loss.is_convex()) return true;
    convex_ = loss.convex_below();
    scratch_.resize(convex_ ? 2 * block_rows : 0);
    return convex_ != nullptr;
  }

  /// Sums over the rows: of the convex loss L_m, of its slopes by sign, and |c/w|_w^2 and |(c - r)/w|_w^2.
  struct Sums {
    double value = 0, positive = 0, negative = 0, square = 0, apart = 0, steepest = 0;

    // `at` are the slopes of the loss itself, or null: the same.
    void add(const double* slopes, const double* weights, const double* at, Index count) {
      const Eigen::Map<const Eigen::ArrayXd> slope(slopes, count), weight(weights, count);
      const auto ratio = (weight > 0).select(slope.abs() / weight, 0.0);
      positive += slope.max(0.0).sum();
      negative -= slope.min(0.0).sum();
      square += (ratio.square() * weight).sum();
      steepest = std::max(steepest, ratio.maxCoeff());
      if (!at) return;
      const Eigen::Map<const Eigen::ArrayXd> other(at, count);
      apart += (weight > 0).select((slope - other).square() / weight, 0.0).sum();
      steepest = std::max(steepest, (weight > 0).select(other.abs() / weight, 0.0).maxCoeff());
    }
  };

  AtRows at_rows(const Eigen::VectorXd& coef, double intercept) {
    const Sums sums = convex_ ? sums_of_convex(coef, intercept) : sums_of_loss();
    const double larger = std::max(sums.positive, sums.negative), norm = std::sqrt(sums.square);
    double taken = 128 * std::numeric_limits<double>::epsilon();
    if (units_->intercept() && larger > 0) taken += std::abs(sums.positive - sums.negative) / larger + 16 * gamma_;
    taken = std::min(taken, 1.0);
    AtRows at;
    at.slope_norm = norm;
    at.by_spread = std::sqrt(sums.apart) + taken * norm + 2 * gamma_ * norm;
    at.by_centre = 6 * gamma_ * total_ * sums.steepest;
    // Rows that stand for many, whose weight may have lost digits, have a loss of at most l(0) + |l'| |eta|.
    const double size = sums.value + total_ * (1 + sums.steepest * predictor_size(coef, intercept)) + norm * offset_norm_;
    at.value = (1 - taken) * sums.value - gamma_ * size;
    return at;
  }
  // |eta| of a row without entries.
  double predictor_size(const Eigen::VectorXd& coef, double intercept) const {
    const std::vector<Index>& columns = linearisation_->active().columns();
    double size = std::abs(intercept);
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (!units_->is_careful(columns[i]))
        size += std::abs(coef[Index(i)] * units_->centre(columns[i])) * units_->factor(columns[i]);
    return size;
  }
  Sums sums_of_loss() const {
    const RowsView& rows = linearisation_->active().rows();
    Sums sums;
    sums.value = linearisation_->value();
    for (Index first = 0; first < rows.padded; first += block_rows)
      sums.add(rows.slope + first, rows.weight + first, nullptr, std::min(block_rows, rows.padded - first));
    return sums;
  }
  Sums sums_of_convex(const Eigen::VectorXd& coef, double intercept) {
    const ActiveColumns& active = linearisation_->active();
    const RowsView& rows = active.rows();
    double *const slope = scratch_.data(), *const curvature = slope + block_rows;
    Sums sums;
    for (Index first = 0; first < rows.padded; first += block_rows) {
      const Index count = std::min(block_rows, rows.padded - first);
      sums.value += convex_
                        ->evaluate({count, active.size(), active.column(0) + first, active.values().outerStride(), coef.data(),
                                    intercept, rows.offset ? rows.offset + first : nullptr, rows.response + first,
                                    rows.weight + first, slope, curvature, Curvature::convex})
                        .value;
      sums.add(slope, rows.weight + first, rows.slope + first, count);
    }
    return sums;
  }

  // |z_j|_w, at least: a root is at most the mean of 1 and its square, and spreads are between 1/2 and 2.
  double spread_of(Index column) const { return root_total_ * (0.5 + 0.5 * units_->spread(column)); }
  double error_of(Index column) const {
    const double by_centre = units_->is_careful(column) ? 0.0 : std::abs(units_->centre(column)) * units_->factor(column);
    return (at_.by_spread * spread_of(column) + at_.by_centre * by_centre) * (1 + 1e-9);
  }
  double gain_of(Index column, double slope, double error) const {
    if (units_->is_constant(column)) return 0;
    return largest_gain_near(slope, error, units_->ridge_of(column), units_->lower(column), units_->upper(column));
  }
  // Takes what the coefficient contributes to the bound as well.
  double gain_of_active(Index column, double coef, double gradient) {
    if (units_->is_constant(column)) return 0;
    const double slope = gradient - units_->ridge_of(column) * coef, size = std::abs(coef);
    const double error = error_of(column) + 4 * std::numeric_limits<double>::epsilon() * std::abs(gradient - slope);
    value_ -= slope * coef + error * size + gamma_ * at_.slope_norm * spread_of(column) * size;
    return gain_of(column, slope, error);
  }

  void take_groups(const ScanPanel& panel) {
    for (Index c = 0; c < panel.columns.count; ++c) {
      const Index unit = panel.columns[c];
      double gain = 0;
      for (Index i = 0; i < groups_->width(unit); ++i) {
        const Index column = groups_->column(unit, i);
        gain += gain_of(column, panel.gradient[panel.starts[c] + i], error_of(column));
      }
      if (gain > largest_.bar() && !is_in(active_, unit)) list(unit, gain);
    }
  }

  void list(Index unit, double gain) {
    if (gain > largest_.bar() && !is_in(excluded_, unit)) largest_.add(gain);
  }

  const Units* units_ = nullptr;
  const Groups* groups_ = nullptr;
  const Linearisation* linearisation_ = nullptr;
  const Constraints* constraints_ = nullptr;
  std::shared_ptr<const LossKernel> convex_;  // below a loss that is not convex
  bool possible_ = false, scanning_ = false;
  double gamma_ = 0, total_ = 0, root_total_ = 0, offset_norm_ = 0;
  std::vector<Index> required_, excluded_, active_;  // units, sorted; those of the scan at hand
  std::vector<double> best_;                         // (k + 1,)
  // The scan at hand.
  AtRows at_;
  double value_ = 0, required_gain_ = 0;
  LargestGains largest_;     // of the active units that need not be in, and of others
  Eigen::VectorXd scratch_;  // (2 block_rows,) slopes and curvatures of the convex loss
};

}  // namespace ksparse
