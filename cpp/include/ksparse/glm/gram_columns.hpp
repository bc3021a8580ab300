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
  }

  /// Sums over the rows, whose units are chosen: with all pairs of columns, if there are few. Returns false if interrupted.
  bool sum_rows() {
    const Eigen::ArrayXd slope = take_constant();
    const bool all = p_ <= whole;
    moments_.setZero(p_, 3);
    if (all) gram_.setZero(p_, p_);
    const bool done = for_ranges([&](const RowRange& range, Part& part) {
      if (&part == &parts_.front()) return add_moments(range, slope, all, part, moments_, gram_);
      part.moments.setZero(p_, 3);
      if (all) part.products.setZero(p_, p_);
      return add_moments(range, slope, all, part, part.moments, part.products);
    });
    if (!done) return false;
    for (std::size_t r = 1; r < parts_.size(); ++r) {
      moments_ += parts_[r].moments;
      if (all) gram_ += parts_[r].products;
    }
    if (all) {
      gram_.template triangularView<Eigen::StrictlyUpper>() = gram_.transpose();
      moments_.col(2) = gram_.diagonal();
      for (kept_ = 0; kept_ < p_; ++kept_) place_[std::size_t(kept_)] = kept_;
    }
    return true;
  }

  /// Makes sure of the products of some columns with all; those not known yet are summed. False: there is no room, or
  /// interrupted.
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
    const bool done = for_ranges([&](const RowRange& range, Part& part) {
      if (&part == &parts_.front()) return add_products(range, part, sums);
      part.products.setZero(p_, count);
      return add_products(range, part, part.products);
    });
    if (!done) return false;
    for (std::size_t r = 1; r < parts_.size(); ++r) sums += parts_[r].products;
    for (const Index j : wanted_) place_[std::size_t(j)] = kept_++;
    return true;
  }

  /// Products of a column that was fetched with all.
  auto products_with(Index column) const { return gram_.col(place_[std::size_t(column)]); }
  auto slope() const { return moments_.col(0); }      // (p,) g
  auto mean() const { return moments_.col(1); }       // (p,) m
  auto curvature() const { return moments_.col(2); }  // (p,) the diagonal of G
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

  // What a range of rows needs for itself; the first range adds to the sums of all rows, and needs none of its own.
  struct Part {
    Eigen::MatrixXd block, wanted;      // (rows_at_once, columns) gathered
    Eigen::MatrixXd moments, products;  // (p, 3) and (p, columns)
  };

  template <class Add>
  bool for_ranges(const Add& add) {
    const RowRanges& ranges = answered_.linearisation().ranges();
    parts_.resize(std::size_t(ranges.count()));
    return ranges.for_each(n_, 0, [&](Index r, const RowRange& range) { return add(range, parts_[std::size_t(r)]); });
  }

  // visit(first, rows) of each block of a range. False: interrupted.
  template <class Visit>
  bool for_blocks(const RowRange& range, const Visit& visit) const {
    for (Index first = range.first; first < range.end(); first += rows_at_once) {
      if (answered_.interrupted()) return false;
      visit(first, std::min(rows_at_once, range.end() - first));
    }
    return true;
  }

  // Adds to `moments`, by column, and to the lower triangle of `products` if all are wanted.
  bool add_moments(const RowRange& range, const Eigen::ArrayXd& slope, bool all, Part& part, Eigen::MatrixXd& moments,
                   Eigen::MatrixXd& products) const {
    const auto weight = answered_.rows().weight().head(n_).array();
    for (Index begin = 0; begin < p_; begin += largest_panel) {
      const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
      auto sums = moments.middleRows(begin, panel.count);
      const bool done = for_blocks(range, [&](Index first, Index rows) {
        gather(panel, first, rows, part.block);
        auto z = part.block.topLeftCorner(rows, panel.count);
        sums.col(0).noalias() += z.transpose() * slope.segment(first, rows).matrix();
        sums.col(1).noalias() += z.transpose() * weight.segment(first, rows).matrix();
        z.array().colwise() *= weight.segment(first, rows).sqrt();
        if (all)
          products.template selfadjointView<Eigen::Lower>().rankUpdate(z.transpose());
        else
          sums.col(2) += z.colwise().squaredNorm().transpose();
      });
      if (!done) return false;
    }
    return true;
  }

  // Adds the products of all columns with those that are wanted.
  template <class Target>
  bool add_products(const RowRange& range, Part& part, Target&& sums) const {
    const Index count = Index(wanted_.size());
    return for_blocks(range, [&](Index first, Index rows) {
      gather({0, count, wanted_.data()}, first, rows, part.wanted);
      auto wanted = part.wanted.topLeftCorner(rows, count);
      wanted.array().colwise() *= answered_.rows().weight().segment(first, rows).array();
      for (Index begin = 0; begin < p_; begin += largest_panel) {
        const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
        gather(panel, first, rows, part.block);
        sums.middleRows(begin, panel.count).noalias() += part.block.topLeftCorner(rows, panel.count).transpose() * wanted;
      }
    });
  }

  // Columns in units.
  void gather(const Columns& columns, Index first, Index rows, Eigen::MatrixXd& block) const {
    if (block.rows() < rows_at_once || block.cols() < columns.count) block.resize(rows_at_once, columns.count);
    for (Index c = 0; c < columns.count; ++c) answered_.columns().gather(columns[c], first, rows, block.col(c).data());
  }

  GlmObjective& answered_;
  const Index n_, p_;
  Constant constant_;
  Eigen::MatrixXd moments_;   // (p, 3): products with the slopes and the weights, and the diagonal of G
  Eigen::MatrixXd gram_;      // (p, at least kept) columns of G
  std::vector<Index> place_;  // (p,) column of gram_ of each column of X, or -1
  Index kept_ = 0;
  std::vector<Index> wanted_;  // columns whose products are summed next
  std::vector<Part> parts_;    // by range
};

}  // namespace ksparse
