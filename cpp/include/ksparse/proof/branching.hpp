// Chooses the feature to branch on. The score of a feature is the product of the predicted increases of the bound in the two
// children, each clipped to between 1e-4 and 1.2 times the increase that prunes the node. Both are predicted from the Hessian K
// of the relaxation on its pattern (pattern.hpp), without solving another problem:
//   out   x_j^2 / (2 (K^-1)_jj)
//   in    0 if j has a whole share. Otherwise the penalty changes from (ridge / 2 p) u^2, where u = s.x is the sum over the
//         fractional features with their signs s and p is the number of places that they share, to
//         (ridge / 2)(x_j^2 + (u - s_j x_j)^2 / (p - 1)). The difference is J + w.(du, dx_j) + a quadratic form C in
//         (du, dx_j). Its minimum together with K is J - w' B (I + C B)^-1 w / 2 with B = (s, e_j)' K^-1 (s, e_j).
// If only one place is left, fixing j in removes all other features, which is predicted to prune the child.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <vector>

#include "pattern.hpp"
#include "quadratic_model.hpp"

namespace ksparse::proof {

class Branching {
 public:
  /// Returns the place of the feature in the model, or -1 if no free feature has a coefficient. `needed` is the increase of the
  /// bound that prunes the node.
  Index choose(const QuadraticModel& model, const Pattern& pattern, double ridge, const std::vector<double>& x, double needed) {
    if (!invert(model, pattern, ridge)) return largest(pattern, x);
    Index best = -1;
    double best_score = -1;
    for (std::size_t a = 0; a < active_.size(); ++a) {
      const Index place = active_[a];
      const Kind kind = pattern.kind[std::size_t(place)];
      if (kind == Kind::in) continue;
      const double score = held(gain_out(Index(a), x[std::size_t(place)]), needed) *
                           held(gain_in(Index(a), pattern, ridge, x[std::size_t(place)], needed), needed);
      if (score > best_score) {
        best_score = score;
        best = place;
      }
    }
    return best;
  }

 private:
  static double held(double gain, double needed) {
    return std::isfinite(gain) ? std::clamp(gain, 1e-4 * needed, 1.2 * needed) : 1.2 * needed;
  }

  static Index largest(const Pattern& pattern, const std::vector<double>& x) {
    Index best = -1;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool free = pattern.kind[i] == Kind::whole || pattern.kind[i] == Kind::fractional;
      if (free && (best < 0 || std::abs(x[i]) > std::abs(x[std::size_t(best)]))) best = Index(i);
    }
    return best;
  }

  bool invert(const QuadraticModel& model, const Pattern& pattern, double ridge) {
    active_.clear();
    for (std::size_t i = 0; i < pattern.kind.size(); ++i)
      if (pattern.kind[i] != Kind::out && pattern.kind[i] != Kind::zero) active_.push_back(Index(i));
    const Index n = Index(active_.size());
    if (n == 0) return false;
    if (system_.rows() < n) {
      system_.resize(n + 16, n + 16);
      root_.resize(n + 16, n + 16);
      diagonal_.resize(n + 16);
      signs_.resize(n + 16);
      along_.resize(n + 16);
    }
    const double shared = pattern.fractional > 0 ? ridge / pattern.left : 0.0;
    for (Index b = 0; b < n; ++b) {
      const std::size_t j = std::size_t(active_[std::size_t(b)]);
      for (Index a = b; a < n; ++a) {
        const std::size_t i = std::size_t(active_[std::size_t(a)]);
        system_(a, b) = model.hessian(Index(i), Index(j)) + shared * pattern.sign[i] * pattern.sign[j];
      }
      if (pattern.kind[j] != Kind::fractional) system_(b, b) += ridge;
      system_(b, b) *= 1 + 1e-12;
      signs_[b] = pattern.sign[j];
    }
    auto matrix = system_.topLeftCorner(n, n);
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(matrix);
    if (factor.info() != Eigen::Success) return false;
    // Of the inverse only the diagonal is used: K = L L', so (K^-1)_jj is the squared norm of column j of L^-1.
    auto root = root_.topLeftCorner(n, n);
    root.setIdentity();
    factor.matrixL().solveInPlace(root);
    for (Index b = 0; b < n; ++b) diagonal_[b] = root.col(b).tail(n - b).squaredNorm();
    along_.head(n) = signs_.head(n);
    auto along = along_.head(n);
    factor.solveInPlace(along);
    across_ = signs_.head(n).dot(along_.head(n));
    return diagonal_.head(n).allFinite() && along_.head(n).allFinite();
  }

  double gain_out(Index a, double x) const { return 0.5 * x * x / diagonal_[a]; }

  double gain_in(Index a, const Pattern& pattern, double ridge, double x, double needed) const {
    if (pattern.kind[std::size_t(active_[std::size_t(a)])] == Kind::whole) return 0;
    if (pattern.left <= 1) return needed;
    const double t = pattern.level, sign = signs_[a], p = pattern.left, rest = p - 1;
    const double missing = 1 - std::min(std::abs(x) / t, 1.0);
    const double jump = 0.5 * ridge * t * t * p * missing * missing / rest;
    const Eigen::Vector2d w(ridge * t * missing / rest, -sign * ridge * t * missing * (1 + 1 / rest));
    Eigen::Matrix2d B, C;
    B << across_, along_[a], along_[a], diagonal_[a];
    C << ridge / rest - ridge / p, -ridge * sign / rest, -ridge * sign / rest, ridge / rest + ridge;
    return jump - 0.5 * w.dot(B * (Eigen::Matrix2d::Identity() + C * B).inverse() * w);
  }

  std::vector<Index> active_;
  Eigen::MatrixXd system_, root_;             // root_: the inverse of the Cholesky factor
  Eigen::VectorXd signs_, along_, diagonal_;  // diagonal_: of the inverse of the Hessian
  double across_ = 0;
};

}  // namespace ksparse::proof
