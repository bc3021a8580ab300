// Whether rows of two classes can be separated, completely or in part: whether some direction d has a_i.d >= 0 for all rows
// a_i = s_i (x_i, 1) and a_i.d > 0 for one of them (Albert & Anderson, Biometrika 1984). A loss that decreases forever has no
// minimum in this case. By Stiemke's lemma there is no such direction if and only if some multipliers lambda_i > 0 have sum_i
// lambda_i a_i = 0, so both answers have a proof, and one problem of non-negative least squares finds it:
//   minimise |r|^2,  r = sum_i (1 + mu_i) a_i + sum_b nu_b e_b  over mu, nu >= 0     e_b: a bound that a coefficient runs into
// At its minimum a_i.r >= 0 and e_b.r >= 0, with 0 for those in use. Hence r = 0 gives the multipliers, and any other r is a
// direction that separates, since |r|^2 = sum_i a_i.r. The method is that of active sets (Lawson & Hanson, Solving Least
// Squares Problems, 1974, chapter 23); the rows are scaled to length 1, which changes neither answer.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "../types.hpp"

namespace ksparse {

class Separation {
 public:
  struct Rows {
    Index count, columns;
    bool intercept;
    const double* values;  // (count, columns), columns `stride` apart
    Index stride;
    const double* sign;    // (count,) +1 or -1
    const double* weight;  // (count,) rows of weight 0 do not count
    const double* lower;   // (columns,) lower bounds, or null without bounds
    const double* upper;   // (columns,) upper bounds
  };

  explicit Separation(const Rows& rows)
      : rows_(rows),
        values_(rows.values, rows.count, rows.columns, Eigen::OuterStride<>(rows.stride)),
        dimension_(rows.columns + rows.intercept),
        scale_(rows.count),
        along_(rows.count),
        basis_(dimension_, dimension_),
        triangle_(dimension_, dimension_) {
    note_bounds();
    set_scales();
  }

  /// Whether some direction separates the rows, or nothing if rounding errors or the limit of iterations do not allow a
  /// decision.
  std::optional<bool> exists() {
    residual_ = start_;
    const double all = std::sqrt(start_.squaredNorm()) + double(rows_.count);
    for (Index iteration = 0; iteration < most_iterations(); ++iteration) {
      const double length = residual_.norm();
      if (Index(used_.size()) == dimension_ || length <= rounding * all) return false;
      const Index worst = most_violated(length);
      if (worst < 0) return largest_ > clear * length ? std::optional<bool>(true) : std::nullopt;
      use(worst);
    }
    return std::nullopt;
  }

 private:
  // Thresholds for directions and rows of length 1: values below the first are 0 up to rounding, and values above the second
  // are certainly positive.
  static constexpr double rounding = 1e-11, violated = 1e-9, clear = 1e-7;

  struct Barrier {
    Index column;
    double sign;
  };

  // Several times the number of steps that such methods usually take.
  Index most_iterations() const { return 20 * dimension_ + 100; }

  bool is_fixed(Index column) const { return !fixed_.empty() && fixed_[std::size_t(column)]; }

  // A direction may not lead a coefficient to a finite bound.
  void note_bounds() {
    if (!rows_.lower) return;
    fixed_.assign(std::size_t(rows_.columns), 0);
    for (Index j = 0; j < rows_.columns; ++j) {
      const bool below = std::isfinite(rows_.lower[j]), above = std::isfinite(rows_.upper[j]);
      fixed_[std::size_t(j)] = below && above;
      if (below != above) barriers_.push_back({j, below ? 1.0 : -1.0});
    }
  }

  void set_scales() {
    start_.setZero(dimension_);
    Eigen::VectorXd row(dimension_);
    for (Index i = 0; i < rows_.count; ++i) {
      scale_[i] = 1;
      take_row(i, row);
      // By the largest entry first: a square would overflow.
      const double largest = row.size() ? row.cwiseAbs().maxCoeff() : 0.0;
      scale_[i] = 0;
      if (!(rows_.weight[i] > 0 && largest > 0 && std::isfinite(largest))) continue;
      row /= largest;
      const double length = row.norm();
      scale_[i] = 1 / (largest * length);
      start_ += row / length;
    }
  }

  // a_i, or e_b for numbers after those of the rows.
  void take_row(Index i, Eigen::VectorXd& row) const {
    if (i >= rows_.count) {
      const Barrier& barrier = barriers_[std::size_t(i - rows_.count)];
      row.setZero();
      row[barrier.column] = barrier.sign;
      return;
    }
    const double factor = rows_.sign[i] * scale_[i];
    for (Index j = 0; j < rows_.columns; ++j) row[j] = is_fixed(j) ? 0.0 : factor * values_(i, j);
    if (rows_.intercept) row[rows_.columns] = factor;
  }

  // The row, or bound, that the residual goes against most, or -1; largest_ is the most that it goes along with a row.
  Index most_violated(double length) {
    along_.setConstant(rows_.intercept ? residual_[rows_.columns] : 0.0);
    for (Index j = 0; j < rows_.columns; ++j)
      if (!is_fixed(j)) along_ += residual_[j] * values_.col(j);
    Index worst = -1;
    double least = -violated * length;
    largest_ = 0;
    for (Index i = 0; i < rows_.count; ++i) {
      const double move = rows_.sign[i] * scale_[i] * along_[i];
      largest_ = std::max(largest_, move);
      if (move < least) least = move, worst = i;
    }
    for (std::size_t b = 0; b < barriers_.size(); ++b) {
      const double move = barriers_[b].sign * residual_[barriers_[b].column];
      if (move < least) least = move, worst = rows_.count + Index(b);
    }
    return worst;
  }

  // Takes a row into the active set; others whose multiplier would fall below 0 leave it.
  void use(Index entering) {
    used_.push_back(entering);
    multipliers_.push_back(0);
    orthogonalise_from(used_.size() - 1);
    while (true) {
      const Index count = Index(used_.size());
      Eigen::VectorXd best = -(basis_.leftCols(count).transpose() * start_);
      triangle_.topLeftCorner(count, count).triangularView<Eigen::Upper>().solveInPlace(best);
      double part = 1;
      for (Index i = 0; i < count; ++i) {
        const double now = multipliers_[std::size_t(i)];
        if (best[i] <= 0) part = std::min(part, now / (now - best[i]));
      }
      if (!(part >= 0)) part = 0;  // 0 / 0
      for (Index i = 0; i < count; ++i) {
        double& now = multipliers_[std::size_t(i)];
        now = part == 1 ? best[i] : now + part * (best[i] - now);
      }
      if (part == 1) break;
      if (!drop(best)) break;
    }
    const auto basis = basis_.leftCols(Index(used_.size()));
    residual_ = start_ - basis * (basis.transpose() * start_);
    residual_ -= basis * (basis.transpose() * residual_);
  }

  // Leaves out those whose multiplier has come to 0; false if there are none.
  bool drop(const Eigen::VectorXd& best) {
    std::size_t kept = 0, first = used_.size();
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const bool leaves = best[Index(i)] <= 0 && multipliers_[i] <= 1e-14 * std::max(1.0, -best[Index(i)]);
      if (leaves) {
        first = std::min(first, i);
        continue;
      }
      used_[kept] = used_[i];
      multipliers_[kept++] = std::max(multipliers_[i], 0.0);
    }
    if (kept == used_.size()) return false;
    used_.resize(kept);
    multipliers_.resize(kept);
    orthogonalise_from(first);
    return true;
  }

  // The orthonormal basis of the active rows from one on, and their coordinates in it, by Gram-Schmidt taken twice.
  void orthogonalise_from(std::size_t first) {
    Eigen::VectorXd row(dimension_);
    for (Index i = Index(first); i < Index(used_.size()); ++i) {
      take_row(used_[std::size_t(i)], row);
      auto coordinates = triangle_.col(i);
      coordinates.setZero();
      for (int pass = 0; pass < 2; ++pass) {
        const Eigen::VectorXd part = basis_.leftCols(i).transpose() * row;
        row -= basis_.leftCols(i) * part;
        coordinates.head(i) += part;
      }
      coordinates[i] = std::max(row.norm(), std::numeric_limits<double>::min());
      basis_.col(i) = row / coordinates[i];
    }
  }

  const Rows rows_;
  const Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>> values_;
  const Index dimension_;
  Eigen::VectorXd scale_;  // (count,) 1 / length, or 0: the row does not count
  Eigen::VectorXd along_;  // (count,) rows times the residual
  Eigen::VectorXd start_;  // (dimension,) sum of all rows
  Eigen::VectorXd residual_;
  Eigen::MatrixXd basis_, triangle_;  // of the active rows, side by side: basis times triangle
  std::vector<Index> used_;           // the active set: rows, then bounds
  std::vector<double> multipliers_;   // of those
  std::vector<Barrier> barriers_;
  std::vector<char> fixed_;  // (columns,) held between two bounds; empty: none
  double largest_ = 0;
};

}  // namespace ksparse
