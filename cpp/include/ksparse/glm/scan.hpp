// Of glm_objective.hpp: sums over X, of all rows or a sample, and what they say in units.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "glm_objective.hpp"

namespace ksparse {

// In place of the Hessian of all rows, that of the sample, but for its diagonal, which is known of all rows: columns are scaled
// so that the sample's is the same. sum_slope_ stays that of all rows, sum_curvature_ becomes the sample's.
inline void GlmObjective::sample_hessian(Index size, Eigen::Ref<Eigen::MatrixXd> hessian) {
  const Index rows = sample_.rows();
  const auto curvature = sample_curvature_.head(rows).array();
  linearised_ = false;
  sample_.pick(curvature_.data(), sample_curvature_.data());
  whole_curvature_ = sum_curvature_;
  sum_curvature_ = curvature.sum();
  sample_scale_ = sum_curvature_ > 0 ? whole_curvature_ / sum_curvature_ : 1.0;
  for (Index j = 0; j < size; ++j) {
    auto z = sample_active_.col(j).head(rows).array();
    sample_.pick(active_.col(j).data(), sample_active_.col(j).data());
    const double all = active_sums_(j, Sums::cross + j), seen = sample_scale_ * (curvature * z.square()).sum();
    z *= seen > least_seen * all ? std::sqrt(all / seen) : 0.0;
    sample_cross_.col(j).head(rows).array() = curvature * z;
  }
  active_sums_.topLeftCorner(size, Sums::cross + size).setZero();
  kernels::accumulate_columns(
      size, sample_block(0, rows, size), {active_sums_.data(), active_sums_.outerStride()},
      [&](Index c) { return sample_active_.col(c).data(); }, [&](Index c) { return std::min(c + 4, size); });
  for (Index j = 0; j < size; ++j) {
    for (Index i = j + 1; i < size; ++i) hessian(i, j) = sample_scale_ * active_sums_(i, Sums::cross + j);
    if (intercept_) hessian(size, j) = sample_scale_ * active_sums_(j, Sums::curvature);
  }
}

// Some rows of the sample, from a place in it on, with slopes of 0: the slopes of all rows are summed apart.
inline RowBlock GlmObjective::sample_block(Index place, Index rows, Index size) const {
  return {place,
          rows,
          no_slope_.data(),
          sample_curvature_.data() + place,
          sample_cross_.data() + place,
          sample_cross_.outerStride(),
          size};
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
  if (interrupted_) return false;
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
  diagonal_.head(d) = hessian.diagonal();
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
  if (sparse_) {
    sum_sparse(panel);
    return !interrupted();
  }
  const Sums sums{sums_.data(), sums_.outerStride()};
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
    for (Index s = 0; s < sample_.stretches(); ++s) {
      RowBlock block = sample_block(s * RowSample::length, RowSample::length, size);
      block.first = sample_.first(s);
      design_->accumulate(panel, block, sums);
    }
    return !interrupted();
  }
  for (Index place = 0; place < panel.count; place += sampled_slice) {
    if (interrupted()) return false;
    const Columns columns = panel.slice(place, std::min(sampled_slice, panel.count - place));
    slopes(columns, Sums{sums_.data() + place, sums_.outerStride()});
    for (Index c = 0; c < columns.count; ++c) design_->gather_sample(columns[c], sample_, sample_columns_.col(c).data());
    add_sample({sample_columns_.data(), sample_columns_.outerStride(), place, columns.count, 0, sample_.rows()});
  }
  return true;
}

inline bool GlmObjective::sum_careful(const Columns& panel) {
  if (sparse_) return sum_careful_sparse(panel);
  const auto& [size, kind, curvature, any_careful] = scan_;
  for (Index c = 0; c < panel.count; ++c)
    if (is_careful(panel[c])) sums_.row(c).leftCols(Sums::cross + size).setZero();
  for (Index first = 0; first < n_; first += block_rows) {
    if (interrupted()) return false;
    const Index rows = std::min(block_rows, n_ - first);
    const RowBlock block = kind == Hessian::exact ? row_block(first, rows, size, curvature)
                                                  : RowBlock{first, rows, slope_.data() + first, nullptr, nullptr, 0, 0};
    for (Index c = 0; c < panel.count; ++c) {
      if (!is_careful(panel[c])) continue;
      gather_in_units(panel[c], first, rows, column_.data());
      const double* const x[1] = {column_.data()};
      if (kind == Hessian::exact)
        kernels::column_tile<1>(x, block, size, 0, {sums_.data() + c, sums_.outerStride()});
      else
        kernels::slope_tile<1>(x, block, 0, {sums_.data() + c, sums_.outerStride()});
    }
  }
  if (kind == Hessian::sampled) sum_careful_sampled(panel);
  return true;
}

inline void GlmObjective::sum_careful_sampled(const Columns& panel) {
  constexpr Index length = RowSample::length;
  for (Index c = 0; c < panel.count; ++c) {
    if (!is_careful(panel[c])) continue;
    double* const x = sample_columns_.data();
    for (Index s = 0; s < sample_.stretches(); ++s) gather_in_units(panel[c], sample_.first(s), length, x + s * length);
    add_sample({x, sample_columns_.outerStride(), c, 1, 0, sample_.rows()});
  }
}

// As if the columns had an entry in every row.
inline bool GlmObjective::sum_careful_sparse(const Columns& panel) {
  const double* const z = careful_column_.data();
  const auto row_of = [](Index e) { return e; };
  const auto value_of = [z](Index e) { return z[e]; };
  for (Index c = 0; c < panel.count; ++c) {
    if (!is_careful(panel[c])) continue;
    if (interrupted()) return false;
    gather_in_units(panel[c], 0, n_, careful_column_.data());
    kernels::sparse_column(n_, row_of, value_of, row_terms_, careful_sums_.data());
    sums_.row(c).head(row_terms_.sum_count()) = careful_sums_.head(row_terms_.sum_count()).transpose();
    if (compacted_) recount(c, n_, row_of, value_of);
  }
  return true;
}

// What a scan multiplies X with, row by row: of all rows or, where these are compact, of the listed ones, without what all rows
// have. Products with the active columns are x.(h z_A) = x.(h (z_A - background)) + background (x.h), where only listed rows
// count in the first.
inline bool GlmObjective::begin_sparse_scan(const Columns& columns) {
  if (columns.count == 0) return true;  // only the point is of interest
  const Interrupt stopped = interrupt();
  const bool first_scan = !units_chosen_;
  if (first_scan && compacted_ &&
      !reader_->class_moments(compact_->classes(), {{class_moments_[0].data(), class_moments_[1].data()}}, stopped))
    return false;
  set_row_vectors(first_scan);
  if (!columns.list && !fetch({0, Index(careful_.size()), careful_.data()})) return false;
  return reader_->begin_scan(columns, row_terms_, stopped) && (!first_scan || fetch_doubtful());
}

inline void GlmObjective::set_row_vectors(bool first_scan) {
  const Index size = scan_.size, stride = RowTerms::stride_for(size);
  row_terms_ = {nullptr, nullptr, nullptr, row_vectors_.data(), n_, stride, size};
  background_.head(size).setZero();
  if (compacted_) {
    compact_->describe(row_terms_);
    for (const int which : {0, 1}) {
      common_[which] = compact_->common(which);
      if (first_scan) common_[which].curvature = 1;
    }
    if (first_scan) compact_->for_all_slopes([this](Index row, double slope) { slope_[row] = slope; });
    for (Index j = 0; j < size; ++j) {
      const Index column = active_columns_[std::size_t(j)];
      background_[j] = -centre_[column] * inverse_scale_[column];
    }
  }
  for (Index i = 0; i < row_terms_.count; ++i) {
    double* const vector = row_vectors_.data() + i * stride;
    const CompactRows::Common common = compacted_ ? common_[compact_->class_of(i)] : CompactRows::Common();
    const double weight = rows_.weight[i], curvature = rows_.curvature[i];
    vector[RowTerms::slope] = rows_.slope[i] - weight * common.slope;
    vector[RowTerms::curvature] = (first_scan ? weight : curvature) - weight * common.curvature;
    if (row_terms_.is_narrow()) continue;
    std::fill(vector + Sums::square, vector + stride, 0.0);
    for (Index j = 0; j < size; ++j) vector[RowTerms::cross + j] = curvature * (active_(i, j) - background_[j]);
  }
}

inline void GlmObjective::sum_sparse(const Columns& panel) {
  // What is left of the sums by class once the listed rows are taken out of them has lost so many digits at most: models of
  // columns that all but agree have use for the others.
  constexpr double cancellation = 1e-3;
  if (!reader_->sum(panel, row_terms_, {sums_.data(), sums_.outerStride()}, interrupt()) || !compacted_) return;
  cancelled_.clear();
  for (Index c = 0; c < panel.count; ++c) {
    const double *const zero = class_moments_[0].col(panel[c]).data(), *const one = class_moments_[1].col(panel[c]).data();
    add_common(c, zero, one);
    const double of_all = common_[0].curvature * zero[1] + common_[1].curvature * one[1];
    if (sums_(c, Sums::square) < cancellation * of_all && inverse_scale_[panel[c]] != 0 && units_chosen_)
      cancelled_.push_back(c);
  }
  if (cancelled_.empty()) return;
  members_listed_.clear();
  for (const Index c : cancelled_) members_listed_.push_back(panel[c]);
  if (!fetch({0, Index(members_listed_.size()), members_listed_.data()})) return;
  for (const Index c : cancelled_) {
    reader_->entries(panel[c], entries_);
    recount(
        c, entries_.count, [this](Index e) { return entries_.rows[std::size_t(e)]; },
        [this](Index e) { return entries_.values[std::size_t(e)]; });
  }
}

// The first three sums of a column over compact rows, entry by entry.
template <class RowOf, class ValueOf>
void GlmObjective::recount(Index place, Index count, const RowOf& row_of, const ValueOf& value_of) {
  double slope = 0, curvature = 0, square = 0;
  for (Index e = 0; e < count; ++e) {
    const Index row = row_of(e), listed = compact_->place_of_row(row);
    const CompactRows::Common& common = common_[compact_->class_of_row(row)];
    const double x = value_of(e), xh = x * (listed >= 0 ? rows_.curvature[listed] : weight_[row] * common.curvature);
    slope += x * (listed >= 0 ? rows_.slope[listed] : weight_[row] * common.slope);
    curvature += xh;
    square += x * xh;
  }
  sums_(place, Sums::slope) = slope;
  sums_(place, Sums::curvature) = curvature;
  sums_(place, Sums::square) = square;
}

// What all rows of a class contribute to the sums of a column, from its moments.
inline void GlmObjective::add_common(Index place, const double* zero, const double* one) {
  sums_(place, Sums::slope) += common_[0].slope * zero[0] + common_[1].slope * one[0];
  sums_(place, Sums::curvature) += common_[0].curvature * zero[0] + common_[1].curvature * one[0];
  sums_(place, Sums::square) += common_[0].curvature * zero[1] + common_[1].curvature * one[1];
}

// Where columns are not contiguous, those that the first scan will have to look at one by one are picked out together.
inline bool GlmObjective::fetch_doubtful() {
  if (sparse_->columns_contiguous()) return true;
  std::vector<Index> doubtful;
  const double total = weight_.sum();
  for (Index begin = 0; begin < p_; begin += largest_panel) {
    const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
    sum_sparse(panel);
    if (interrupted_) return false;
    for (Index c = 0; c < panel.count; ++c)
      if (!plain_moments(c, total).is_plain()) doubtful.push_back(panel[c]);
  }
  return fetch({0, Index(doubtful.size()), doubtful.data()});
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
  if (scan_.kind == Hessian::sampled) correct_spreads(panel);
  if (ridge_ > 0)
    for (Index c = 0; c < count; ++c)
      if (inverse_scale_[panel[c]] != 0) panel_curvature_[c] += ridge_of(panel[c]);
  for (Index c = 0; c < count; ++c) panel_curvature_[c] = usable_curvature(panel_gradient_[c], panel_curvature_[c]);
}

// Whether the sample holds the few rows in which a column is far from the rest is luck. Where it sees another curvature by far
// than the spread of the column over all rows lets expect, what it says of correlations stands, and the scale is that of all.
inline void GlmObjective::correct_spreads(const Columns& panel) {
  constexpr double far = 16;  // 256 rows of an even column err by a tenth; curvature that varies with the column may double it
  for (Index c = 0; c < panel.count; ++c) {
    const double expected = spread_[panel[c]] * whole_curvature_, seen = panel_curvature_[c];
    if (seen <= far * expected && expected <= far * seen) continue;
    panel_cross_.row(c).head(scan_.size + intercept_) *= seen > least_seen * expected ? std::sqrt(expected / seen) : 0.0;
    panel_curvature_[c] = expected;
  }
}

inline Status GlmObjective::scan(const Iterate& iterate, const Columns& columns, Hessian kind, ScanSink& sink) {
  if (!groups_.single()) return scan_groups(iterate, columns, sink);
  if (!begin_scan(iterate, kind, sink)) return Status::interrupted;
  if (sparse_) {
    if (!begin_sparse_scan(columns)) return Status::interrupted;
  } else if (columns.list && columns.count > 0) {
    gather_subset(columns);
  }
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
  sink.begin_scan({inverse_.topLeftCorner(d, d), any_held ? &whole_hessian_ : nullptr, any_held ? &gradient_ : nullptr, nullptr,
                   diagonal_.data()});
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
  kernels::accumulate_columns(
      sample.count, sample_block(0, sample.rows, scan_.size), sums, [&](Index c) { return sample.data + c * sample.stride; },
      [&](Index) { return scan_.size; });
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
  if (sparse_ && !begin_sparse_scan({0, p_, nullptr})) return true;  // interrupted
  for (Index begin = 0; begin < p_; begin += largest_panel) {
    const Columns panel{begin, std::min(largest_panel, p_ - begin), nullptr};
    begin_panel(panel);
    if (!sum_panel(panel)) return true;  // interrupted
    if (!choose_units(panel)) return false;
  }
  units_chosen_ = true;
  return true;
}

// ----------------------------------------------------------------------------------------------------------------- groups

// The columns of some units, one after the other.
inline Columns GlmObjective::list_members(const Columns& units) {
  members_listed_.clear();
  for (Index c = 0; c < units.count; ++c)
    for (Index i = 0; i < groups_.width(units[c]); ++i) members_listed_.push_back(groups_.column(units[c], i));
  return {0, Index(members_listed_.size()), members_listed_.data()};
}

// Of groups the Hessian among the members of each is needed as well. Members are gathered, and matrix products do the rest; of
// a sparse X, sums over the entries.
inline Status GlmObjective::scan_groups(const Iterate& iterate, const Columns& units, ScanSink& sink) {
  const bool all_held = constraints_->bounded();
  const Index size = take_active(iterate), d = size + intercept_;
  if (!linearise_for_scan(iterate, Hessian::exact)) return Status::interrupted;
  if (!units_chosen_) {
    if (!choose_all_units()) return Status::invalid_input;
    if (interrupted_) return Status::interrupted;
  }
  scan_ = {size, Hessian::exact, curvature_.data()};
  if (sparse_) {
    if (!begin_sparse_scan(units.list || units.count == 0 ? list_members(units) : Columns{0, p_, nullptr}))
      return Status::interrupted;
  }
  if (!sparse_ || !careful_.empty()) weigh_active();
  sink.begin_scan({inverse_.topLeftCorner(d, d), nullptr, nullptr, starts_.data()});
  const Index per_panel = std::max<Index>(1, largest_panel / groups_.stride());
  for (Index begin = 0; begin < units.count; begin += per_panel) {
    if (interrupted()) return Status::interrupted;
    const Columns panel = units.slice(begin, std::min(per_panel, units.count - begin)), members = list_members(panel);
    panel_starts_.assign(1, 0);
    for (Index c = 0; c < panel.count; ++c) panel_starts_.push_back(panel_starts_.back() + groups_.width(panel[c]));
    if (sparse_) {
      if (!fetch(members)) return Status::interrupted;
      begin_panel(members);
      sum_sparse(members);
      if (interrupted_) return Status::interrupted;
      convert_panel(members);
    }
    for (Index c = 0; c < panel.count; ++c) {
      const Columns unit = members.slice(panel_starts_[std::size_t(c)], groups_.width(panel[c]));
      if (sparse_ && !any_is_careful(unit))
        pair_members(unit, panel_starts_[std::size_t(c)]);
      else
        gather_members(unit, panel_starts_[std::size_t(c)]);
    }
    if (all_held)
      for (Index i = 0; i < members.count; ++i) {
        panel_lower_[i] = lower_in_units(members[i]);
        panel_upper_[i] = upper_in_units(members[i]);
      }
    sink.take_panel({panel, panel_gradient_.head(members.count), panel_curvature_.head(members.count),
                     panel_cross_.topRows(members.count).leftCols(d), all_held ? panel_lower_.data() : nullptr,
                     all_held ? panel_upper_.data() : nullptr, panel_starts_.data(), &panel_blocks_});
  }
  return Status::converged;
}

// The active columns times the curvature.
inline void GlmObjective::weigh_active() {
  weighted_.leftCols(scan_.size) = active_.topRows(n_).leftCols(scan_.size);
  weighted_.leftCols(scan_.size).array().colwise() *= curvature_.head(n_).array();
}

inline bool GlmObjective::any_is_careful(const Columns& columns) const {
  for (Index c = 0; c < columns.count; ++c)
    if (is_careful(columns[c])) return true;
  return false;
}

// All that a scan says of the members of one unit, whose entries begin at a place in the panel.
inline void GlmObjective::gather_members(const Columns& unit, Index place) {
  const Index width = unit.count, size = scan_.size;
  for (Index i = 0; i < width; ++i) {
    gather_in_units(unit[i], 0, n_, members_.col(i).data());
    if (inverse_scale_[unit[i]] == 0) members_.col(i).setZero();
  }
  const auto z = members_.leftCols(width);
  auto block = panel_blocks_.block(place, 0, width, width);
  weighted_members_.leftCols(width) = z;
  weighted_members_.leftCols(width).array().colwise() *= curvature_.head(n_).array();
  block.noalias() = z.transpose() * weighted_members_.leftCols(width);
  for (Index i = 0; i < width; ++i) block(i, i) += ridge_ > 0 ? ridge_of(unit[i]) : 0.0;
  panel_gradient_.segment(place, width).matrix().noalias() = z.transpose() * slope_.head(n_);
  for (Index i = 0; i < width; ++i) {
    block(i, i) = usable_curvature(panel_gradient_[place + i], block(i, i));
    panel_curvature_[place + i] = block(i, i);
  }
  panel_cross_.block(place, 0, width, size).noalias() = z.transpose() * weighted_.leftCols(size);
  if (intercept_) panel_cross_.col(size).segment(place, width).noalias() = z.transpose() * curvature_.head(n_);
}

inline void GlmObjective::clear_member(Index place) {
  panel_gradient_[place] = panel_curvature_[place] = 0;
  panel_cross_.row(place).head(scan_.size + intercept_).setZero();
}

// The Hessian among the members of one unit of a sparse X, the sums of which are known. With x = centre + scale z, x_i.(h x_j)
// becomes that of z.
inline void GlmObjective::pair_members(const Columns& unit, Index place) {
  auto block = panel_blocks_.block(place, 0, unit.count, unit.count);
  const auto times_curvature = [&](Index i) { return sums_(place + i, Sums::curvature); };
  block.setZero();
  for (Index i = 0; i < unit.count && !interrupted(); ++i) {
    if (inverse_scale_[unit[i]] == 0) {  // whatever its sums: they may be infinite
      clear_member(place + i);
      continue;
    }
    block(i, i) = panel_curvature_[place + i];
    reader_->entries(unit[i], entries_);
    for (std::size_t e = 0; e < std::size_t(entries_.count); ++e)
      member_[entries_.rows[e]] = entries_.values[e] * curvature_[entries_.rows[e]];
    const std::vector<Index>& rows = other_entries_.rows;
    for (Index j = i + 1; j < unit.count; ++j) {
      if (inverse_scale_[unit[j]] == 0) continue;
      reader_->entries(unit[j], other_entries_);
      double product = 0;
      for (std::size_t e = 0; e < std::size_t(other_entries_.count); ++e)
        product += member_[rows[e]] * other_entries_.values[e];
      const double centre_i = panel_centre_[place + i], centre_j = panel_centre_[place + j];
      product -= centre_i * times_curvature(j) + centre_j * (times_curvature(i) - centre_i * sum_curvature_);
      block(i, j) = block(j, i) = product * panel_factor_[place + i] * panel_factor_[place + j];
    }
    for (std::size_t e = 0; e < std::size_t(entries_.count); ++e) member_[entries_.rows[e]] = 0;
  }
}

}  // namespace ksparse
