// Products of columns of X in units, summed over the rows once: x_i.(w x_j) of some columns with all columns, and for all
// columns their mean, mean square and product with the residuals of the best constant.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "../search/objective.hpp"
#include "glm_objective.hpp"

namespace ksparse {

class GramColumns {
 public:
  /// The best constant, from which F is counted.
  struct Constant {
    double intercept = 0, objective = 0, slope = 0, weight = 0;
  };

  explicit GramColumns(GlmObjective& answered)
      : answered_(answered), n_(answered.rows().count()), p_(answered.units().centres().size()) {
    place_.assign(std::size_t(p_), -1);
    wanted_.reserve(std::size_t(p_));
    scratch_.resize(answered.columns().scratch_size());
  }

  /// Sums over the rows, whose units are chosen: with all pairs of columns, if there are few. Returns false if interrupted.
  bool sum_rows() {
    const auto weight = answered_.rows().weight().head(n_).array();
    const Eigen::ArrayXd slope = take_constant();
    for (Eigen::VectorXd* sums : {&slope_, &mean_, &curvature_}) sums->setZero(p_);
    const bool all = p_ <= whole;
    if (all) gram_.setZero(p_, p_);
    for (Index begin = 0; begin < p_; begin += largest_panel) {
      const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
      for (Index first = 0; first < n_; first += rows_at_once) {
        if (answered_.interrupted()) return false;
        const Index rows = std::min(rows_at_once, n_ - first);
        gather(panel, first, rows, block_);
        auto z = block_.topLeftCorner(rows, panel.count);
        slope_.segment(begin, panel.count).noalias() += z.transpose() * slope.segment(first, rows).matrix();
        mean_.segment(begin, panel.count).noalias() += z.transpose() * weight.segment(first, rows).matrix();
        z.array().colwise() *= weight.segment(first, rows).sqrt();
        if (all)
          gram_.template selfadjointView<Eigen::Lower>().rankUpdate(z.transpose());
        else
          curvature_.segment(begin, panel.count) += z.colwise().squaredNorm().transpose();
      }
    }
    if (all) {
      gram_.template triangularView<Eigen::StrictlyUpper>() = gram_.transpose();
      curvature_ = gram_.diagonal();
      for (kept_ = 0; kept_ < p_; ++kept_) place_[std::size_t(kept_)] = kept_;
    }
    return true;
  }

  /// Computes the products of some columns with all columns, if they are not known yet. Returns false if there is no memory for
  /// them, or if interrupted.
  bool fetch(const Columns& columns) {
    wanted_.clear();
    for (Index c = 0; c < columns.count; ++c)
      if (place_[std::size_t(columns[c])] < 0) wanted_.push_back(columns[c]);
    if (wanted_.empty()) return true;
    const Index count = Index(wanted_.size()), most = std::max(n_, Index(always_kept / double(p_)));
    if (kept_ + count > most) return false;
    if (kept_ + count > gram_.cols()) gram_.conservativeResize(p_, std::min(std::max(2 * gram_.cols(), kept_ + count), most));
    auto sums = gram_.middleCols(kept_, count);
    sums.setZero();
    const Columns listed{0, count, wanted_.data()};
    for (Index first = 0; first < n_; first += rows_at_once) {
      const Index rows = std::min(rows_at_once, n_ - first);
      gather(listed, first, rows, wanted_block_);
      auto wanted = wanted_block_.topLeftCorner(rows, count);
      wanted.array().colwise() *= answered_.rows().weight().segment(first, rows).array();
      for (Index begin = 0; begin < p_; begin += largest_panel) {
        if (answered_.interrupted()) return false;
        const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
        gather(panel, first, rows, block_);
        sums.middleRows(begin, panel.count).noalias() += block_.topLeftCorner(rows, panel.count).transpose() * wanted;
      }
    }
    for (const Index j : wanted_) place_[std::size_t(j)] = kept_++;
    return true;
  }

  /// Products of a column that was fetched with all.
  auto products_with(Index column) const { return gram_.col(place_[std::size_t(column)]); }
  const Eigen::VectorXd& slope() const noexcept { return slope_; }          // (p,) g
  const Eigen::VectorXd& mean() const noexcept { return mean_; }            // (p,) m
  const Eigen::VectorXd& curvature() const noexcept { return curvature_; }  // (p,) the diagonal of G
  const Constant& constant() const noexcept { return constant_; }

 private:
  // Rows whose columns are gathered at a time.
  static constexpr Index rows_at_once = 256;
  // All products are summed at once up to this number of columns, which takes as long as a few scans by the rows; of more
  // columns those with the active ones, and with what is scanned by name, which soon enters.
  static constexpr Index whole = largest_panel;
  // Numbers that may be kept in any case; more only if X has as many.
  static constexpr double always_kept = 2e6;

  // The best constant; returns dF/d eta there.
  Eigen::ArrayXd take_constant() {
    const auto weight = answered_.rows().weight().head(n_).array();
    Eigen::ArrayXd slope = -answered_.rows().response().head(n_);
    if (answered_.rows().offset().size()) slope += answered_.rows().offset().head(n_).array();
    constant_.weight = weight.sum();
    constant_.intercept = answered_.units().intercept() ? -(weight * slope).sum() / constant_.weight : 0.0;
    slope += constant_.intercept;
    constant_.objective = 0.5 * (weight * slope.square()).sum();
    slope *= weight;
    constant_.slope = slope.sum();
    return slope;
  }

  // Columns in units.
  void gather(const Columns& columns, Index first, Index rows, Eigen::MatrixXd& block) {
    if (block.rows() < rows_at_once || block.cols() < columns.count) block.resize(rows_at_once, columns.count);
    answered_.columns().gather(columns, first, rows, scratch_.data(), [&](Index c) { return block.col(c).data(); });
  }

  GlmObjective& answered_;
  const Index n_, p_;
  Constant constant_;
  Eigen::VectorXd slope_, mean_, curvature_;
  Eigen::MatrixXd gram_;      // (p, at least kept) columns of G
  std::vector<Index> place_;  // (p,) column of gram_ of each column of X, or -1
  Index kept_ = 0;
  std::vector<Index> wanted_;             // columns whose products are summed next
  Eigen::MatrixXd block_, wanted_block_;  // (rows_at_once, columns) gathered
  Eigen::VectorXd scratch_;               // of the reader of columns
};

}  // namespace ksparse
