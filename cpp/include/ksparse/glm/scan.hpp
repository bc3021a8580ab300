// Of glm_objective.hpp: sums over X, of all rows or a sample, and what they say in units.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "objective.hpp"

namespace ksparse {

// The blocks of the sample, with slopes of 0: the slopes of all rows are summed apart.
template <class Visit>
void GlmObjective::for_sample(Index size, const Visit& visit) const {
  const Index share = sample_share();
  Index row = 0;
  for (Index first = design_->lead(); first < n_; first += block_rows, row += share)
    visit(RowBlock{first, std::min(share, n_ - first), no_slope_.data(), curvature_.data() + first, sample_cross_.data() + row,
                   sample_cross_.outerStride(), size});
}

// In place of the Hessian of all rows, that of the sample; sum_slope_ stays that of all rows, sum_curvature_ becomes the
// sample's.
inline void GlmObjective::sample_hessian(Index size, Eigen::Ref<Eigen::MatrixXd> hessian) {
  const Sums sums{active_sums_.data(), active_sums_.outerStride()};
  active_sums_.topLeftCorner(size, Sums::cross + size).setZero();
  linearised_ = false;
  const double whole = sum_curvature_;
  sum_curvature_ = 0;
  for_sample(size, [&](const RowBlock& block) {
    const Index row = block.cross - sample_cross_.data();
    const auto curvature = curvature_.segment(block.first, block.rows).array();
    sum_curvature_ += curvature.sum();
    sample_curvature_.segment(row, block.rows) = curvature;
    for (Index j = 0; j < size; ++j)
      sample_cross_.col(j).segment(row, block.rows).array() =
          curvature * active_.col(j).segment(block.first, block.rows).array();
    kernels::accumulate_columns(
        size, block, sums, [&](Index c) { return active_.data() + c * active_.outerStride() + block.first; },
        [&](Index c) { return std::min(c + 4, size); });
  });
  sample_scale_ = sum_curvature_ > 0 ? whole / sum_curvature_ : 1.0;
  for (Index j = 0; j < size; ++j) {
    for (Index i = j; i < size; ++i) hessian(i, j) = sample_scale_ * active_sums_(i, Sums::cross + j);
    if (ridge_ > 0) hessian(j, j) += ridge_of(slots_[std::size_t(j)]);
    if (inverse_scale_[slots_[std::size_t(j)]] == 0) hessian(j, j) = 1;
    if (intercept_) hessian(size, j) = sample_scale_ * active_sums_(j, Sums::curvature);
  }
  if (intercept_) hessian(size, size) = whole;
}

inline void GlmObjective::set_bounds(const std::vector<Index>& support) {
  const Index size = Index(support.size());
  for (Index i = 0; i < size; ++i) {
    lower_[i] = lower_in_units(support[std::size_t(i)]);
    upper_[i] = upper_in_units(support[std::size_t(i)]);
  }
  lower_[size] = -std::numeric_limits<double>::infinity();
  upper_[size] = -lower_[size];
}

// Takes coefficients that their gradient presses against a bound out of the Hessian, after a copy of it; false if there are
// none.
inline bool GlmObjective::hold_at_bounds(Index size) {
  const Index d = size + intercept_;
  bool any = false;
  const auto held = [&](Index i) {
    return (beta_[i] <= lower_[i] && gradient_[i] > 0) || (beta_[i] >= upper_[i] && gradient_[i] < 0);
  };
  for (Index i = 0; i < size; ++i) any = any || held(i);
  if (!any) return false;
  whole_hessian_.topLeftCorner(d, d) = hessian_.topLeftCorner(d, d).template selfadjointView<Eigen::Lower>();
  for (Index i = 0; i < size; ++i)
    if (held(i)) {
      hessian_.row(i).head(d).setZero();
      hessian_.col(i).head(d).setZero();
      hessian_(i, i) = 1;
      held_places_.push_back(i);
    }
  return true;
}

inline bool GlmObjective::linearise_for_scan(const Iterate& iterate, Hessian kind) {
  const Index size = take_active(iterate), d = size + intercept_;
  auto hessian = hessian_.topLeftCorner(d, d);
  auto inverse = inverse_.topLeftCorner(d, d);
  // A refit ends with a linearisation where it ends, and most scans begin there.
  if (linearised_ && linearised_columns_ == active_columns_ && linearised_coef_.head(d) == beta_.head(d))
    assemble(size, beta_.head(d), gradient_.head(d), hessian);
  else
    linearise(size, beta_.head(d), Curvature::convex, gradient_.head(d), hessian);
  if (interrupted_) return false;
  sample_scale_ = 1;
  if (kind == Hessian::sampled) sample_hessian(size, hessian);
  held_places_.clear();
  if (constraints_->bounded() && groups_.single()) {
    set_bounds(active_columns_);
    hold_at_bounds(size);
  }
  bool done = false;
  for (double shift = 0; !done && shift < 1; shift = shift == 0 ? 1e-10 : shift * 100)
    done = factorise(hessian, inverse, shift);
  if (!done) {  // no curvature at all: any positive definite matrix will do to rank features by their gradient
    inverse.setIdentity();
    return true;
  }
  hessian.template triangularView<Eigen::Lower>() = inverse;  // L; the Hessian itself is no longer needed
  inverse.setIdentity();
  hessian.template triangularView<Eigen::Lower>().solveInPlace(inverse);
  hessian.template triangularView<Eigen::Lower>().adjoint().solveInPlace(inverse);
  for (const Index i : held_places_) inverse(i, i) = 0;
  return true;
}

// Sums of the raw columns of a panel; of a gathered subset, in units.
inline bool GlmObjective::sum_panel(const Columns& panel) {
  if (scan_.kind == Hessian::sampled) return sum_sampled(panel, scan_.size);
  if (!needs_slopes_alone()) return sum_exactly(panel, scan_.size, scan_.curvature);
  const Index lead = design_->lead();
  for (const auto& [first, rows] : {std::pair{Index(0), lead}, std::pair{lead, n_ - lead}})
    design_->accumulate_slopes(panel, {first, rows, slope_.data() + first, nullptr, nullptr, 0, 0},
                               {sums_.data(), sums_.outerStride()});
  return !interrupted();
}

inline bool GlmObjective::sum_exactly(const Columns& panel, Index size, const double* curvature) {
  const Sums sums{sums_.data(), sums_.outerStride()};
  if (sparse_) {
    sparse_->accumulate(panel, sparse_rows_, sums);
    return !interrupted();
  }
  const bool in_units = is_gathered(panel);
  const Index lead = in_units ? 0 : design_->lead();
  for (Index first = 0, rows = 0; first < n_; first += rows) {
    if (interrupted()) return false;
    rows = std::min(first < lead ? lead : block_rows, n_ - first);
    const RowBlock block = row_block(first, rows, size, curvature);
    if (in_units)
      kernels::accumulate_columns(
          panel.count, block, sums,
          [&](Index c) { return subset_.data() + (panel.list - subset_list_ + c) * subset_.outerStride() + first; },
          [&](Index) { return size; });
    else
      design_->accumulate(panel, block, sums);
  }
  return true;
}

// Slopes of all rows, the other sums of the sample. A few columns at a time, where these are contiguous: what the first pass
// over them brought into the caches serves the second, for which the rows of the sample are put side by side.
inline bool GlmObjective::sum_sampled(const Columns& panel, Index size) {
  const Index lead = design_->lead();
  const auto slopes = [&](const Columns& columns, const Sums& sums) {
    for (const auto& [first, rows] : {std::pair{Index(0), lead}, std::pair{lead, n_ - lead}})
      design_->accumulate_slopes(columns, {first, rows, slope_.data() + first, nullptr, nullptr, 0, 0}, sums);
  };
  if (!design_->columns_contiguous()) {
    const Sums sums{sums_.data(), sums_.outerStride()};
    slopes(panel, sums);
    for_sample(size, [&](const RowBlock& block) { design_->accumulate(panel, block, sums); });
    return !interrupted();
  }
  for (Index place = 0; place < panel.count; place += sampled_slice) {
    if (interrupted()) return false;
    const Columns columns = panel.slice(place, std::min(sampled_slice, panel.count - place));
    slopes(columns, Sums{sums_.data() + place, sums_.outerStride()});
    for (Index c = 0; c < columns.count; ++c)
      for_sample(size, [&](const RowBlock& block) {
        const Index row = block.cross - sample_cross_.data();
        design_->gather(columns[c], block.first, block.rows, sample_columns_.col(c).data() + row);
      });
    add_sample({sample_columns_.data(), sample_columns_.outerStride(), place, columns.count, 0, sample_rows()});
  }
  return true;
}

inline bool GlmObjective::sum_careful(const Columns& panel) {
  if (sparse_) return sum_careful_sparse(panel);
  const auto [size, kind, curvature, any_careful] = scan_;
  for (Index c = 0; c < panel.count; ++c)
    if (is_careful(panel[c])) sums_.row(c).leftCols(Sums::cross + size).setZero();
  const auto for_careful = [&](const RowBlock& block, const auto& tile) {
    for (Index c = 0; c < panel.count; ++c)
      if (is_careful(panel[c])) {
        gather_in_units(panel[c], block.first, block.rows, column_.data());
        const double* pointer[1] = {column_.data()};
        tile(pointer, Sums{sums_.data() + c, sums_.outerStride()});
      }
  };
  const auto all_sums = [&](const RowBlock& block) {
    for_careful(block, [&](const double* const* x, const Sums& sums) {
      kernels::column_tile<1>(x, block, block.cross_count, 0, sums);
    });
  };
  for (Index first = 0; first < n_; first += block_rows) {
    if (interrupted()) return false;
    const Index rows = std::min(block_rows, n_ - first);
    if (kind == Hessian::exact) {
      all_sums(row_block(first, rows, size, curvature));
    } else {
      const RowBlock block{first, rows, slope_.data() + first, nullptr, nullptr, 0, 0};
      for_careful(block, [&](const double* const* x, const Sums& sums) { kernels::slope_tile<1>(x, block, 0, sums); });
    }
  }
  if (kind == Hessian::sampled) for_sample(size, all_sums);
  return true;
}

// As if the columns had an entry in every row.
inline bool GlmObjective::sum_careful_sparse(const Columns& panel) {
  const Sums sums{sums_.data(), sums_.outerStride()};
  const double* const z = careful_column_.data();
  for (Index c = 0; c < panel.count; ++c) {
    if (!is_careful(panel[c])) continue;
    if (interrupted()) return false;
    sums_.row(c).leftCols(Sums::cross + scan_.size).setZero();
    gather_in_units(panel[c], 0, n_, careful_column_.data());
    kernels::sparse_column(n_, [](Index e) { return e; }, [z](Index e) { return z[e]; }, sparse_rows_, c, sums);
  }
  return true;
}

// What a scan multiplies X with, row by row. Products with the active columns are taken without what these have in common in
// the rows that are not listed: x.(h z_A) = x.(h (z_A - background)) + background (x.h), where only listed rows count in the
// first.
inline void GlmObjective::prepare_sparse_rows(bool of_few_columns) {
  const Index size = scan_.size, stride = (size + Pack::size - 1) / Pack::size * Pack::size;
  const bool first_scan = !units_chosen_;
  sparse_rows_ = {
      nullptr, nullptr, sparse_cross_.data(), stride, size, cross_scratch_.data(), sparse_terms_.data(), nullptr, nullptr,
      nullptr, nullptr, {{0, 0}, {0, 0}}};
  const auto set_row = [&](Index row, double slope, double curvature) {
    sparse_terms_[2 * row] = slope;
    sparse_terms_[2 * row + 1] = first_scan ? weight_[row] : curvature;
    if (first_scan) slope_[row] = slope;
  };
  if (compacted_) {
    compact_->describe(sparse_rows_);
    if (of_few_columns)
      sparse_rows_.terms = nullptr;
    else
      compact_->for_all_rows(sparse_rows_, set_row);
    for (Index j = 0; j < size; ++j) {
      const Index column = active_columns_[std::size_t(j)];
      background_[j] = -centre_[column] * inverse_scale_[column];
    }
  } else {
    for (Index i = 0; i < n_; ++i) set_row(i, slope_[i], curvature_[i]);
    background_.head(size).setZero();
  }
  const Index listed = size == 0 ? 0 : compacted_ ? compact_->listed() : n_;
  for (Index i = 0; i < listed; ++i) {
    double* const cross = sparse_cross_.data() + i * stride;
    for (Index j = 0; j < size; ++j) cross[j] = rows_.curvature[i] * (active_(i, j) - background_[j]);
    std::fill(cross + size, cross + stride, 0.0);
  }
}

inline void GlmObjective::add_background_cross(Index count) {
  for (Index j = 0; j < scan_.size; ++j)
    if (background_[j] != 0) sums_.col(Sums::cross + j).head(count) += background_[j] * sums_.col(Sums::curvature).head(count);
}

// Sums to derivatives in units. With x = centre + scale z: x.r, x.h, (x x).h and x.(h z_A) become those of z.
inline void GlmObjective::convert_panel(const Columns& panel) {
  const Index count = panel.count, size = scan_.size;
  const double scale = sample_scale_;
  if (sparse_) add_background_cross(count);
  const auto centre = panel_centre_.head(count), factor = panel_factor_.head(count);
  const auto sum = [&](Index which) { return sums_.col(which).head(count); };
  panel_gradient_.head(count) = (sum(Sums::slope) - centre * sum_slope_) * factor;
  panel_curvature_.head(count) =
      scale * (sum(Sums::square) - centre * (2 * sum(Sums::curvature) - centre * sum_curvature_)) * factor.square();
  for (Index i = 0; i < size; ++i)
    panel_cross_.col(i).head(count).array() =
        scale * (sum(Sums::cross + i) - centre * active_sums_(i, Sums::curvature)) * factor;
  if (intercept_)
    panel_cross_.col(size).head(count).array() = scale * (sum(Sums::curvature) - centre * sum_curvature_) * factor;
  if (ridge_ > 0)
    for (Index c = 0; c < count; ++c)
      if (inverse_scale_[panel[c]] != 0) panel_curvature_[c] += ridge_of(panel[c]);
}

inline Status GlmObjective::scan(const Iterate& iterate, const Columns& columns, Hessian kind, ScanSink& sink) {
  if (!groups_.single()) return scan_groups(iterate, columns, sink);
  if (!begin_scan(iterate, kind, sink)) return Status::interrupted;
  if (columns.list) gather_subset(columns);
  if (sparse_) prepare_sparse_rows(columns.list != nullptr);
  for (Index begin = 0; begin < columns.count; begin += largest_panel) {
    const Columns panel = columns.slice(begin, std::min(largest_panel, columns.count - begin));
    begin_panel(panel);
    if (!sum_panel(panel)) return Status::interrupted;
    const Status status = end_panel(panel, sink);
    if (status != Status::converged) return status;
  }
  end_scan();
  return Status::converged;
}

inline bool GlmObjective::begin_scan(const Iterate& iterate, Hessian kind, ScanSink& sink) {
  const Index size = iterate.size(), d = size + intercept_;
  if (!linearise_for_scan(iterate, kind)) return false;
  // The first scan weighs the squares by the rows' weights, which are never negative and whose mean is the best centre; its
  // curvatures are these moments times the average curvature of the loss.
  scan_ = {size, kind, units_chosen_ ? curvature_.data() : weight_.data()};
  const bool any_held = !held_places_.empty();
  sink.begin_scan({inverse_.topLeftCorner(d, d), any_held ? &whole_hessian_ : nullptr, any_held ? &gradient_ : nullptr});
  return true;
}

// How the sums of each column of a panel are converted; those of careful columns and of a gathered subset are in units.
inline void GlmObjective::begin_panel(const Columns& panel) {
  sums_.topRows(panel.count).leftCols(Sums::cross + scan_.size).setZero();
  const bool in_units = is_gathered(panel);
  scan_.any_careful = false;
  for (Index c = 0; c < panel.count; ++c) {
    const Index column = panel[c];
    const bool converted = in_units || is_careful(column);
    scan_.any_careful = scan_.any_careful || (converted && !in_units);
    panel_centre_[c] = converted ? 0.0 : centre_[column];
    panel_factor_[c] = converted ? double(inverse_scale_[column] != 0) : inverse_scale_[column];
  }
}

inline Status GlmObjective::end_panel(const Columns& panel, ScanSink& sink) {
  const Index count = panel.count, d = scan_.size + intercept_;
  if (scan_.any_careful && !sum_careful(panel)) return Status::interrupted;
  if (!units_chosen_) {
    if (moments_) exchange_moments(panel);
    if (!choose_units(panel)) return Status::invalid_input;
  } else {
    convert_panel(panel);
  }
  const double *lower = nullptr, *upper = nullptr;
  if (constraints_->bounded()) {
    for (Index c = 0; c < count; ++c) {
      panel_lower_[c] = lower_in_units(panel[c]);
      panel_upper_[c] = upper_in_units(panel[c]);
    }
    lower = panel_lower_.data();
    upper = panel_upper_.data();
  }
  sink.take_panel({panel, panel_gradient_.head(count), panel_curvature_.head(count), panel_cross_.topRows(count).leftCols(d),
                   lower, upper});
  return Status::converged;
}

// ----------------------------------------------------------------------------------------- scans of a batch (batch.hpp)

inline void GlmObjective::add_block(const DenseBlock& block) {
  const Sums sums{sums_.data() + block.place, sums_.outerStride()};
  const auto column = [&](Index c) { return block.data + c * block.stride; };
  const RowBlock rows = row_block(block.first, block.rows, scan_.size, scan_.curvature);
  kernels::accumulate_columns(block.count, rows, sums, column, [&](Index) { return scan_.size; });
}

inline void GlmObjective::add_sample(const DenseBlock& sample) {
  const Sums sums{sums_.data() + sample.place, sums_.outerStride()};
  const RowBlock rows{
      0,         sample.rows, no_slope_.data(), sample_curvature_.data(), sample_cross_.data(), sample_cross_.outerStride(),
      scan_.size};
  kernels::accumulate_columns(
      sample.count, rows, sums, [&](Index c) { return sample.data + c * sample.stride; }, [&](Index) { return scan_.size; });
}

// Moments of a panel of consecutive columns: taken over from another problem, or left for others.
inline void GlmObjective::exchange_moments(const Columns& panel) {
  for (const auto& [which, kept] : {std::pair{Sums::curvature, 0}, std::pair{Sums::square, 1}}) {
    auto here = sums_.col(which).head(panel.count);
    auto there = moments_->sums.col(kept).segment(panel.first, panel.count);
    if (records_moments_)
      there = here;
    else
      here = there;
  }
}

inline void GlmObjective::share_moments(ColumnMoments& moments) {
  if (units_chosen_) return;
  if (!moments.known && moments.weights.size() == 0) {
    moments.weights = weight_;
    moments.sums.resize(p_, 2);
    records_moments_ = true;
  } else if (moments.weights.size() != weight_.size() || (moments.weights.array() != weight_.array()).any()) {
    return;
  }
  moments_ = &moments;
}

inline bool GlmObjective::choose_all_units() {
  scan_ = {0, Hessian::exact, weight_.data()};
  if (sparse_) prepare_sparse_rows(false);
  for (Index begin = 0; begin < p_; begin += largest_panel) {
    const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
    begin_panel(panel);
    if (!sum_panel(panel)) return true;  // interrupted
    if (!choose_units(panel)) return false;
  }
  units_chosen_ = true;
  return true;
}

// Groups: the Hessian among the members of each is needed as well, so members are gathered, and matrix products do the rest.
inline Status GlmObjective::scan_groups(const Iterate& iterate, const Columns& units, ScanSink& sink) {
  const bool all_held = constraints_->bounded();
  const Index size = take_active(iterate), d = size + intercept_, stride = groups_.stride();
  if (!linearise_for_scan(iterate, Hessian::exact)) return Status::interrupted;
  if (!units_chosen_) {
    if (!choose_all_units()) return Status::invalid_input;
    if (interrupted_) return Status::interrupted;
  }
  weighted_.leftCols(size) = active_.topRows(n_).leftCols(size);
  weighted_.leftCols(size).array().colwise() *= curvature_.head(n_).array();
  sink.begin_scan({inverse_.topLeftCorner(d, d), nullptr, nullptr, starts_.data()});
  const Index per_panel = std::max<Index>(1, largest_panel / stride);
  for (Index begin = 0; begin < units.count; begin += per_panel) {
    if (interrupted()) return Status::interrupted;
    const Columns panel = units.slice(begin, std::min(per_panel, units.count - begin));
    panel_starts_.assign(1, 0);
    for (Index c = 0; c < panel.count; ++c) {
      const Index unit = panel[c], width = groups_.width(unit), first = panel_starts_.back();
      for (Index i = 0; i < width; ++i) {
        const Index column = groups_.column(unit, i);
        gather_in_units(column, 0, n_, members_.col(i).data());
        if (inverse_scale_[column] == 0) members_.col(i).setZero();
        if (all_held) {
          panel_lower_[first + i] = lower_in_units(column);
          panel_upper_[first + i] = upper_in_units(column);
        }
      }
      const auto z = members_.leftCols(width);
      auto block = panel_blocks_.block(first, 0, width, width);
      weighted_members_.leftCols(width) = z;
      weighted_members_.leftCols(width).array().colwise() *= curvature_.head(n_).array();
      block.noalias() = z.transpose() * weighted_members_.leftCols(width);
      for (Index i = 0; i < width; ++i) block(i, i) += ridge_ > 0 ? ridge_of(groups_.column(unit, i)) : 0.0;
      panel_gradient_.segment(first, width).matrix().noalias() = z.transpose() * slope_.head(n_);
      panel_curvature_.segment(first, width) = block.diagonal().array();
      panel_cross_.block(first, 0, width, size).noalias() = z.transpose() * weighted_.leftCols(size);
      if (intercept_) panel_cross_.col(size).segment(first, width).noalias() = z.transpose() * curvature_.head(n_);
      panel_starts_.push_back(first + width);
    }
    const Index entries = panel_starts_.back();
    sink.take_panel({panel, panel_gradient_.head(entries), panel_curvature_.head(entries),
                     panel_cross_.topRows(entries).leftCols(d), all_held ? panel_lower_.data() : nullptr,
                     all_held ? panel_upper_.data() : nullptr, panel_starts_.data(), &panel_blocks_});
  }
  return Status::converged;
}

}  // namespace ksparse
