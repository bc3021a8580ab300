// Sums over one block of rows: of a file that is larger than memory, or of the rows that another machine holds. The sums of all
// blocks together are what a refit or a scan needs (python/ksparse/_blocks), so no more than a block has to be in memory, and a
// block can be computed again at any time. Columns are centred and scaled before they are summed, so that sums of different
// blocks can be added without cancellation.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "../design/design.hpp"
#include "../design/gathered.hpp"
#include "../design/kernels.hpp"
#include "../loss/kernel.hpp"
#include "../loss/stable.hpp"
#include "../problem.hpp"
#include "row_ranges.hpp"

namespace ksparse {

/// Separate columns as a design, e.g. those that were read from a block earlier and kept.
template <class Scalar>
class ColumnList final : public GatheredDesign {
 public:
  ColumnList(std::vector<const Scalar*> columns, Index rows) : columns_(std::move(columns)), rows_(rows) {}
  Index rows() const noexcept override { return rows_; }
  Index columns() const noexcept override { return Index(columns_.size()); }
  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    std::copy_n(columns_[std::size_t(column)] + first, rows, target);
  }

 private:
  std::vector<const Scalar*> columns_;
  Index rows_;
};

/// The loss of the rows in the units of the solver (unit_of_responses.hpp, loss.hpp).
struct BlockLoss {
  std::shared_ptr<const LossKernel> kernel;
  ResponseUnits units;
  double weight = 1;  // factor of the weights, so that those of all blocks have the sum that the solver wants
  bool intercept = true;
};

/// A point: active columns of the block, as they are numbered there, and their coefficients, the intercept last if there is one.
struct BlockPoint {
  std::vector<Index> active;
  Eigen::VectorXd coef;
  Curvature kind = Curvature::exact;
};

/// Units of the columns of the block: z = (x - centre) * factor.
struct BlockUnits {
  Eigen::VectorXd centre, factor;  // (columns,)
};

struct BlockAnswer {
  LossSums loss;
  Eigen::ArrayXXd active;  // (active, 3 + active) by kernels.hpp, lower triangle of the products
  Eigen::ArrayXXd panel;   // (columns asked for, 3 + active)
};

/// Mean and standard deviation of each column with the weights of the rows, and its sum with given slopes.
struct BlockMoments {
  double weight = 0, slope = 0;         // of the rows
  Eigen::ArrayXd mean, deviation;       // (columns,)
  Eigen::ArrayXd lowest, highest;       // (columns,) in rows of positive weight
  Eigen::ArrayXd by_slope;              // (columns,) (x - mean).r
  Index bad_row = -1, bad_column = -1;  // an entry that is not finite

  explicit BlockMoments(Index columns = 0) : mean(Eigen::ArrayXd::Zero(columns)), deviation(mean), by_slope(mean) {
    lowest.setConstant(columns, std::numeric_limits<double>::infinity());
    highest = -lowest;
  }
};

class BlockSums {
 public:
  /// The arguments must exist as long as this object.
  BlockSums(const Design& design, const Problem& rows, const BlockLoss& loss, const BlockUnits& units)
      : design_(design), rows_(rows), loss_(loss), units_(units), scratch_(block_stride(block_rows) * panel_columns) {
    for (Eigen::VectorXd* vector : {&response_, &weight_, &offset_, &slope_, &curvature_}) vector->setZero(block_rows);
  }

  /// F, its gradient and its Hessian on the active columns, and the same sums for other columns if any are asked for.
  BlockAnswer at(const BlockPoint& point, const Columns& asked) {
    const Index size = Index(point.active.size());
    BlockAnswer answer;
    answer.active.setZero(size, Sums::cross + size);
    answer.panel.setZero(asked.count, Sums::cross + size);
    active_.setZero(block_rows, size);
    cross_.resize(block_rows, size);
    for (Index first = 0; first < count(); first += block_rows) {
      linearise(point, first);
      answer.loss.add(last_);
      const RowBlock block = {0, padded_, slope_.data(), curvature_.data(), cross_.data(), cross_.outerStride(), size};
      // The matrix is symmetric: a tile that begins at column c needs the products with columns 0 .. c + 3 only.
      kernels::accumulate_columns(
          size, block, {answer.active.data(), answer.active.outerStride()}, [&](Index c) { return active_.col(c).data(); },
          [&](Index c) { return std::min(c + 4, size); });
      add_panel(asked, first, block, answer.panel);
    }
    return answer;
  }

  /// Moments of all columns, and their sums with the slopes at a point without active columns. The units are not used.
  BlockMoments moments(const BlockPoint& point);

  /// For each active column and the intercept, the sum of |z_j| |slope|, by which the rounding error of the gradient is bounded.
  Eigen::VectorXd slope_sizes(const BlockPoint& point) {
    const Index size = Index(point.active.size());
    Eigen::VectorXd sizes = Eigen::VectorXd::Zero(size + loss_.intercept);
    for_tiles(point, [&](Index rows) {
      const auto slope = slope_.head(rows).cwiseAbs();
      for (Index j = 0; j < size; ++j) sizes[j] += active_.col(j).head(rows).cwiseAbs().dot(slope);
      if (loss_.intercept) sizes[size] += slope.sum();
      return true;
    });
    return sizes;
  }

  /// Whether all slopes keep their sign when the coefficients take a step, up to `error` in the decrement: see Refit, which has
  /// the same test for rows in memory.
  bool slopes_survive(const BlockPoint& point, const Eigen::VectorXd& step, double error) {
    constexpr double most = 0.5;
    const Index size = Index(point.active.size());
    return for_tiles(point, [&](Index rows) {
      for (Index i = 0; i < rows; ++i) {
        if (weight_[i] <= 0) continue;
        double move = loss_.intercept ? step[size] : 0.0;
        for (Index j = 0; j < size; ++j) move += active_(i, j) * step[j];
        const double change = std::abs(curvature_[i] * move) + std::sqrt(std::abs(curvature_[i])) * error;
        if (!(change <= most * std::abs(slope_[i]))) return false;
      }
      return true;
    });
  }

 private:
  static constexpr Index panel_columns = 64;  // columns that are converted at a time; with their rows, they stay in the cache

  Index count() const noexcept { return design_.rows(); }

  void measure(const Eigen::Map<const Eigen::ArrayXd>& x, const Eigen::Ref<const Eigen::ArrayXd>& share, Index first, Index j,
               BlockMoments& tile);

  template <class Visit>
  bool for_tiles(const BlockPoint& point, const Visit& visit) {
    active_.setZero(block_rows, Index(point.active.size()));
    cross_.resize(block_rows, Index(point.active.size()));
    for (Index first = 0; first < count(); first += block_rows) {
      linearise(point, first);
      if (!visit(std::min(block_rows, count() - first))) return false;
    }
    return true;
  }

  // The tile of rows that begins at `first`, padded with rows of weight 0: responses, weights, offset and active columns, and
  // with these the slopes and curvatures.
  void linearise(const BlockPoint& point, Index first) {
    const Index rows = std::min(block_rows, count() - first), size = Index(point.active.size());
    padded_ = padded_to_pack(rows);
    take_rows(first, rows);
    for (Index j = 0; j < size; ++j) {
      double* const target = active_.col(j).data();
      design_.gather(point.active[std::size_t(j)], first, rows, target);
      convert(point.active[std::size_t(j)], rows, target, target);
      std::fill(target + rows, target + padded_, 0.0);
    }
    last_ = loss_.kernel->evaluate({padded_, size, active_.data(), active_.outerStride(), point.coef.data(),
                                    loss_.intercept ? point.coef[size] : 0.0, offset_.data(), response_.data(), weight_.data(),
                                    slope_.data(), curvature_.data(), point.kind});
    for (Index j = 0; j < size; ++j)
      cross_.col(j).head(padded_).array() = curvature_.head(padded_).array() * active_.col(j).head(padded_).array();
  }

  void take_rows(Index first, Index rows) {
    const ResponseUnits& units = loss_.units;
    const double shift = loss_.intercept ? 0.0 : units.shift;
    absent_ = false;
    for (Index i = 0; i < padded_; ++i) {
      const double given = i >= rows ? 0.0 : rows_.weights.size() ? rows_.weights[first + i] : 1.0;
      const double y = given > 0 ? rows_.responses[first + i] : 0.0;
      response_[i] = given > 0 ? loss_.kernel->response_of(y) / units.response : 1.0;
      weight_[i] = given * loss_.kernel->class_weight(y != 0.0) * loss_.weight;
      offset_[i] = given > 0 ? (rows_.offset.size() ? rows_.offset[first + i] / units.scale : 0.0) - shift : 0.0;
      absent_ = absent_ || (i < rows && given == 0);
    }
  }

  // A stretch of a column in units; 0 in rows of weight 0, whatever they hold.
  void convert(Index column, Index rows, const double* from, double* target) const {
    const double centre = units_.centre[column], factor = units_.factor[column];
    for (Index i = 0; i < rows; ++i) target[i] = (from[i] - centre) * factor;
    for (Index i = 0; absent_ && i < rows; ++i)
      if (weight_[i] <= 0) target[i] = 0;
  }

  void add_panel(const Columns& asked, Index first, const RowBlock& block, Eigen::ArrayXXd& sums) {
    const Index rows = std::min(block_rows, count() - first);
    for (Index place = 0; place < asked.count; place += panel_columns) {
      const Columns columns = asked.slice(place, std::min(panel_columns, asked.count - place));
      const Index own = block_stride(block_rows);
      Index stride = 0;
      const double* const loaded = design_.load_block(columns, first, rows, scratch_.data(), stride);
      // What was loaded lies in the scratch memory at a smaller or equal distance, or elsewhere: the last column goes first.
      for (Index c = columns.count; c-- > 0;) {
        double* const target = scratch_.data() + c * own;
        if (loaded == scratch_.data() && stride != own)
          std::copy_backward(loaded + c * stride, loaded + c * stride + rows, target + rows);
        convert(columns[c], rows, loaded == scratch_.data() ? target : loaded + c * stride, target);
        std::fill(target + rows, target + padded_, 0.0);
      }
      kernels::accumulate_columns(
          columns.count, block, Sums{sums.data() + place, sums.outerStride()},
          [&](Index c) { return scratch_.data() + c * own; }, [&](Index) { return block.cross_count; });
    }
  }

  const Design& design_;
  const Problem& rows_;
  const BlockLoss& loss_;
  const BlockUnits& units_;
  Index padded_ = 0;                                                // rows of the tile at hand
  bool absent_ = false;                                             // whether some of them have weight 0
  LossSums last_;                                                   // of the tile
  Eigen::VectorXd response_, weight_, offset_, slope_, curvature_;  // (block_rows,)
  Eigen::MatrixXd active_, cross_;                                  // (block_rows, active)
  Eigen::VectorXd scratch_;                                         // of load_block
  Eigen::ArrayXd column_{block_rows};                               // of measure
};

/// Moments of two sets of rows together. Deviations are compared before they are squared, so that none overflows (Chan, Golub &
/// LeVeque, The American Statistician 1983, equation 1.5).
inline void merge(BlockMoments& all, const BlockMoments& more) {
  if (more.bad_row >= 0 && all.bad_row < 0) {
    all.bad_row = more.bad_row;
    all.bad_column = more.bad_column;
  }
  const double weight = all.weight + more.weight;
  const double here = weight > 0 ? all.weight / weight : 0.0, there = weight > 0 ? more.weight / weight : 0.0;
  for (Index j = 0; j < all.mean.size(); ++j) {
    const double apart = more.mean[j] - all.mean[j], mean = all.mean[j] * here + more.mean[j] * there;
    const double unit = std::max({all.deviation[j], more.deviation[j], std::abs(apart)});
    if (unit > 0) {
      const double a = all.deviation[j] / unit, b = more.deviation[j] / unit, d = apart / unit;
      all.deviation[j] = unit * std::sqrt(here * a * a + there * b * b + here * there * d * d);
    }
    all.by_slope[j] += (all.mean[j] - mean) * all.slope + more.by_slope[j] + (more.mean[j] - mean) * more.slope;
    all.mean[j] = mean;
    all.lowest[j] = std::min(all.lowest[j], more.lowest[j]);
    all.highest[j] = std::max(all.highest[j], more.highest[j]);
  }
  all.weight = weight;
  all.slope += more.slope;
}

inline BlockMoments BlockSums::moments(const BlockPoint& point) {
  const Index p = design_.columns();
  BlockMoments all(p), tile(p);
  active_.resize(block_rows, 0);
  cross_.resize(block_rows, 0);
  Eigen::ArrayXd share(block_rows);  // of each row, with the weight of its class, in the weight of the tile
  for (Index first = 0; first < count() && all.bad_row < 0; first += block_rows) {
    linearise(point, first);
    const Index rows = std::min(block_rows, count() - first);
    tile.slope = slope_.head(rows).sum();
    share.head(rows) = weight_.head(rows).array();
    tile.weight = share.head(rows).sum();
    if (tile.weight > 0) share /= tile.weight;
    for (Index place = 0; place < p && tile.bad_row < 0; place += panel_columns) {
      const Columns columns{place, std::min(panel_columns, p - place), nullptr};
      Index stride = 0;
      const double* const loaded = design_.load_block(columns, first, rows, scratch_.data(), stride);
      for (Index c = 0; c < columns.count && tile.bad_row < 0; ++c)
        measure({loaded + c * stride, rows}, share.head(rows), first, place + c, tile);
    }
    merge(all, tile);
  }
  return all;
}

inline void BlockSums::measure(const Eigen::Map<const Eigen::ArrayXd>& x, const Eigen::Ref<const Eigen::ArrayXd>& share,
                               Index first, Index j, BlockMoments& tile) {
  constexpr double tiny = 1e-140, huge = 1e140;  // between which squares are in range
  if (!((x - x).sum() == 0)) {
    tile.bad_column = j;
    for (tile.bad_row = first; std::isfinite(x[tile.bad_row - first]);) ++tile.bad_row;
    return;
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  tile.lowest[j] = absent_ ? (share > 0).select(x, infinity).minCoeff() : x.minCoeff();
  tile.highest[j] = absent_ ? (share > 0).select(x, -infinity).maxCoeff() : x.maxCoeff();
  tile.mean[j] = tile.deviation[j] = tile.by_slope[j] = 0;
  const double largest = std::max(std::abs(tile.lowest[j]), std::abs(tile.highest[j]));
  if (!(tile.weight > 0) || largest == 0) return;
  const double shrink = largest > tiny && largest < huge ? 1.0 : stable::power_of_two_near(1 / largest);
  if (!std::isfinite(shrink) || shrink == 0) return;
  auto z = column_.head(x.size());
  z = x * shrink;
  for (Index i = 0; absent_ && i < z.size(); ++i)
    if (share[i] <= 0) z[i] = 0;
  const double mean = (share * z).sum();
  z -= mean;
  tile.mean[j] = mean / shrink;
  tile.deviation[j] = std::sqrt((share * z.square()).sum()) / shrink;
  tile.by_slope[j] = (z * slope_.head(x.size()).array()).sum() / shrink;
}

}  // namespace ksparse
