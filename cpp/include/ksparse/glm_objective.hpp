// One problem over an X in memory: answers the engine's questions with passes over gathered columns (refit) and over X (scan).
//
// Units. Each feature is used as z_j = (x_j - centre_j) / scale_j, with the weighted mean and a power of two near the standard
// deviation (without an intercept: centre 0, root mean square). Active columns are gathered in these units; the sums of a scan
// are taken over the raw X, in one pass, and converted by formula, so X is neither copied nor changed, and columns of 1e150 or
// of 1e-150, or years around 2000, are like any others. Where the conversion would cancel (the mean is far above the deviation)
// or overflow, the column is gathered in each scan instead ("careful" columns; few or none in most data).
//
// Where F goes with the square of the unit of y (least squares), y is in a unit of its own here as well, near its deviation, so
// that tolerances mean the same whatever the user's unit.
//
// Of a sparse X, refits go over the rows with an entry in an active column (compact_rows.hpp), scans over the entries.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "compact_rows.hpp"
#include "design/design.hpp"
#include "design/sparse.hpp"
#include "groups.hpp"
#include "loss/kernel.hpp"
#include "newton.hpp"
#include "objective.hpp"
#include "options.hpp"
#include "problem.hpp"

namespace ksparse {

/// Consecutive columns of a block of rows, as doubles.
struct DenseBlock {
  const double* data;  // column c begins at data + c * stride
  Index stride;
  Index place, count;  // of its columns in the panel
  Index first, rows;
};

/// Weighted sums x.w and (x*x).w of all columns, which problems with the same weights need compute only once.
struct ColumnMoments {
  bool known = false;
  Eigen::VectorXd weights;  // (padded,) of rows and classes, over W; empty: nobody's yet
  Eigen::ArrayXXd sums;     // (p, 2)
};

class GlmObjective final : public Objective {
 public:
  GlmObjective() = default;  // to be reset
  /// Arguments, but for the problem's views, outlive this or the next reset.
  GlmObjective(const Design& design, const Problem& problem, const LossKernel& loss, const Options& options,
               const Interrupt& interrupt) {
    reset(design, problem, loss, options, interrupt);
  }
  GlmObjective(const GlmObjective&) = delete;  // it points into itself
  GlmObjective& operator=(const GlmObjective&) = delete;

  /// As newly made for another problem; allocates only what it does not have.
  void reset(const Design& design, const Problem& problem, const LossKernel& loss, const Options& options,
             const Interrupt& interrupt);

  Index features() const override { return groups_.units(); }
  Index largest_unit() const override { return groups_.stride(); }
  RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) override;
  Status scan(const Iterate& iterate, const Columns& columns, Hessian hessian, ScanSink& sink) override;
  double perfect_objective() const override { return perfect_objective_; }
  bool can_sample() const override { return groups_.single() && !sparse_ && n_ >= 4 * sample_size(); }

  // The parts of a scan, for a batch that answers the scans of several problems block by block (batch.hpp): begin_scan; for
  // every panel begin_panel, the blocks of all its columns and rows, end_panel; end_scan.
  /// Whether scans can be answered in parts.
  bool scans_by_blocks() const noexcept { return groups_.single() && !sparse_; }
  /// Rows of a block: those before the design's lead, then so many at a time.
  static constexpr Index rows_of_block() noexcept { return block_rows; }
  /// False: interrupted.
  bool begin_scan(const Iterate& iterate, Hessian kind, ScanSink& sink);
  void begin_panel(const Columns& panel);
  void add_block(const DenseBlock& block);
  /// Whether the scan at hand needs no more of the blocks than x.r, which is left to be added to slope_sums() by whoever has
  /// several problems' to add at once; add_block is then not called.
  bool needs_slopes_alone() const noexcept {
    return scan_.kind == Hessian::sampled || (!units_chosen_ && moments_ && !records_moments_);
  }
  /// With a sampled Hessian: how many of the first rows of every block after the lead are in the sample; and its sums, from all
  /// its rows side by side.
  bool is_sampled() const noexcept { return scan_.kind == Hessian::sampled; }
  Index sample_share() const { return std::min(block_rows, (sample_size() / blocks() + 7) / 8 * 8); }
  void add_sample(const DenseBlock& sample);
  const double* slopes() const noexcept { return slope_.data(); }          // (n,)
  double* slope_sums() noexcept { return sums_.col(Sums::slope).data(); }  // by place in the panel
  Status end_panel(const Columns& panel, ScanSink& sink);
  void end_scan() {
    if (records_moments_) moments_->known = true;
    moments_ = nullptr;
    records_moments_ = false;
    units_chosen_ = true;
  }
  /// Before the first scan, which has to be the same blocks for all who share: takes the moments of X from a problem with the
  /// same weights, or leaves them there if none has yet.
  void share_moments(ColumnMoments& moments);

  /// Coefficients of the user's columns from an iterate in units.
  void to_user(const Iterate& iterate, FitResult& result) const;
  /// F of the user's, in whose units it is.
  double to_user(double objective) const noexcept { return objective * response_unit_ * response_unit_; }
  /// The reverse of the first, once the first scan has chosen the units; features that can never enter are left out.
  Iterate from_user(const std::vector<Index>& support, const Eigen::Ref<const Eigen::VectorXd>& coef, double intercept) const;
  Index bad_row() const noexcept { return bad_row_; }
  Index bad_column() const noexcept { return bad_column_; }

 private:
  // Relative to F at coefficients of 0: residuals of some 1e-14 of the responses are a perfect fit; and the decrement that is
  // left to the rounding of residuals, relative to the square root of that F.
  static constexpr double perfect = 1e-28, rounding = 1e-15;
  // The same decrement of labels whose F can be 0.
  static constexpr double rounding_of_labels = 1e-13;

  // Rows of a block: its slices of the vectors and of the gathered columns stay in the first two caches.
  static constexpr Index block_rows = 512;

  // Rows of a sampled Hessian: enough to tell features worth a second look from the rest.
  Index sample_size() const { return std::max<Index>(256, 8 * (capacity_ + 1)); }
  // The sample is the first few rows of every block of a scan, so that rows in any order are sampled evenly.
  Index blocks() const { return (n_ + block_rows - 1) / block_rows; }
  Index sample_rows() const {
    const Index rows = n_ - design_->lead(), whole = rows / block_rows;
    return whole * sample_share() + std::min(sample_share(), rows - whole * block_rows);
  }
  static constexpr Index sampled_slice = 16;  // columns
  // Columns of a panel; of units, as many as fit, one at least.
  Index panel_entries() const { return std::min(std::max(largest_panel, groups_.stride()), p_); }

  // F and its derivatives on the gathered columns, as Newton asks for them.
  class SupportFunction {
   public:
    SupportFunction(GlmObjective& objective, Index size) : objective_(objective), size_(size) {}
    double linearise(const Eigen::Ref<const Eigen::VectorXd>& coef, Curvature curvature, Eigen::Ref<Eigen::VectorXd> gradient,
                     Eigen::Ref<Eigen::MatrixXd> hessian) {
      return objective_.linearise(size_, coef, curvature, gradient, hessian);
    }
    bool can_be_concave() const { return objective_.saw_concave_; }
    bool convex_stands_in() const { return objective_.loss_->has_convex_curvature(); }
    bool separates() const { return objective_.ridge_ == 0 && objective_.lowest_margin_ > 0; }
    bool interrupted() { return objective_.interrupted(); }

   private:
    GlmObjective& objective_;
    Index size_;
  };

  static double unit_of_responses(const Problem& problem, const LossKernel& loss, bool centred);
  void judge_scale();
  void make_room();
  void take_rows(const Problem& problem);
  double linearise(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef, Curvature curvature,
                   Eigen::Ref<Eigen::VectorXd> gradient, Eigen::Ref<Eigen::MatrixXd> hessian);
  double assemble(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef, Eigen::Ref<Eigen::VectorXd> gradient,
                  Eigen::Ref<Eigen::MatrixXd> hessian) const;
  RowBlock row_block(Index first, Index rows, Index size, const double* curvature);
  Index take_active(const Iterate& iterate);
  Status scan_groups(const Iterate& iterate, const Columns& units, ScanSink& sink);
  bool choose_all_units();
  void gather_active(const std::vector<Index>& support);
  void gather_in_units(Index column, Index first, Index rows, double* target) const;
  void sample_hessian(Index size, Eigen::Ref<Eigen::MatrixXd> hessian);
  bool linearise_for_scan(const Iterate& iterate, Hessian kind);
  void set_bounds(const std::vector<Index>& support);
  bool hold_at_bounds(Index size);
  template <class Visit>
  void for_sample(Index size, const Visit& visit) const;
  bool sum_exactly(const Columns& panel, Index size, const double* curvature);
  bool sum_sampled(const Columns& panel, Index size);
  bool sum_panel(const Columns& panel);
  bool sum_careful(const Columns& panel);
  bool sum_careful_sparse(const Columns& panel);
  bool may_compact(const std::vector<Index>& support) const;
  void go_over_all_rows();
  void prepare_sparse_rows(bool of_few_columns);
  void add_background_cross(Index count);
  void convert_panel(const Columns& panel);
  void exchange_moments(const Columns& panel);
  bool choose_units(const Columns& panel);
  bool examine_column(Index column);
  void gather_subset(const Columns& columns);
  // Where X scatters its columns, those of the working set are gathered once and kept: they are scanned often.
  bool is_gathered(const Columns& columns) const { return columns.list && subset_list_; }
  bool is_careful(Index column) const {
    return !careful_.empty() && std::binary_search(careful_.begin(), careful_.end(), column);
  }
  static double power_of_two_near(double x) {
    int exponent = 0;
    std::frexp(x, &exponent);
    return std::ldexp(1.0, exponent);
  }
  bool largest_move_is_unbounded(Index size, const Eigen::Ref<const Eigen::VectorXd>& step) const;
  bool columns_are_independent(Index size);
  bool holds_near_twins(Index size);
  // Bounds of a coefficient in units; those of a column that can never enter do not matter.
  double lower_in_units(Index column) const { return in_units(constraints_->lower_of(column), column); }
  double upper_in_units(Index column) const { return in_units(constraints_->upper_of(column), column); }
  double in_units(double bound, Index column) const {
    return bound == 0 || inverse_scale_[column] == 0 ? bound : bound / inverse_scale_[column] / response_unit_;
  }
  double ridge_of(Index column) const { return ridge_ * inverse_scale_[column] * inverse_scale_[column]; }
  // Whether a column is too small to be of any use: its coefficient would overflow, or the ridge penalty allows it none.
  bool is_negligible(double inverse_scale) const {
    constexpr double most = 1e290;
    return !(inverse_scale < most && ridge_ * inverse_scale * inverse_scale < most);
  }
  bool interrupted() {
    if (!interrupted_ && *interrupt_) interrupted_ = (*interrupt_)();
    return interrupted_;
  }

  const Design* design_ = nullptr;
  const SparseDesign* sparse_ = nullptr;  // the same, if it is
  double response_unit_ = 1;              // in which y, the linear predictor and the coefficients are here; F in its square
  std::shared_ptr<const LossKernel> loss_in_units_;  // if that is not 1
  const LossKernel* loss_ = nullptr;
  const Interrupt* interrupt_ = nullptr;
  const Constraints* constraints_ = nullptr;
  Groups groups_;
  Index n_ = 0, padded_ = 0, p_ = 0, capacity_ = 0;  // capacity_: most active columns
  bool intercept_ = true;
  double ridge_ = 0, tolerance_ = 0;
  int max_newton_ = 0;
  // Of labels, whose F is of order one, as they are here.
  double perfect_objective_ = separable_objective;
  double least_tolerance_ = 0;  // the decrement that is rounding
  double tolerance_unit_ = 1;   // of the user's tolerance
  double start_ = 0;            // intercept of the first refit
  bool started_ = false;
  bool interrupted_ = false, saw_concave_ = false, units_chosen_ = false;
  double lowest_margin_ = 0;
  // Whether slopes, curvatures and active sums are those of a convex linearisation at this point.
  bool linearised_ = false;
  std::vector<Index> linearised_columns_;
  Eigen::VectorXd linearised_coef_;           // (capacity + 1,)
  double sum_slope_ = 0, sum_curvature_ = 0;  // over all rows, at the last linearisation
  double sample_scale_ = 1;                   // from the sums of a sampled Hessian to those of all rows
  Index bad_row_ = -1, bad_column_ = -1;

  // Rows are padded with rows of weight 0 to a whole number of packs, so that loops have no tail.
  Eigen::VectorXd response_;           // (padded,) y in its unit; +1 or -1 where it is a label
  Eigen::VectorXd weight_;             // (padded,) weight of the row and its class, over W
  Eigen::VectorXd offset_;             // (padded,) or empty
  Eigen::VectorXd slope_;              // (padded,) dF/d eta at the last linearisation
  Eigen::VectorXd curvature_;          // (padded,) d2F/d eta2
  Eigen::MatrixXd active_;             // (padded, capacity) gathered columns in units, by slot
  std::vector<Index> active_columns_;  // of the iterate at hand
  // The rows that a refit goes over: those above, or compact ones.
  struct Rows {
    Index count, padded;
    const double *response, *weight, *offset;  // offset null: none
    double *slope, *curvature;
  };
  Rows rows_;
  // Of a sparse X, else empty.
  std::optional<CompactRows> compact_;
  bool compacted_ = false;          // whether rows_ are those of compact_
  Index compacted_size_ = 0;        // active columns in them
  SparseRows sparse_rows_;          // of the scan at hand
  Eigen::VectorXd sparse_terms_;    // (2 n,) slope and curvature by row
  Eigen::VectorXd sparse_cross_;    // (n * stride,) curvature times active columns by row, without what rows have in common
  Eigen::VectorXd background_;      // (capacity,) which is this
  Eigen::VectorXd cross_scratch_;   // (stride,)
  Eigen::VectorXd careful_column_;  // (n,) if there are careful columns
  std::vector<Index> starts_;       // (places + 1,) where those of each place begin
  // Scans of groups, else empty.
  Eigen::MatrixXd members_, weighted_members_;  // (n, stride) of one group, in units; and times the curvature
  Eigen::MatrixXd weighted_;                    // (n, capacity) curvature times active columns
  Eigen::MatrixXd panel_blocks_;                // (entries of a panel, stride) H within groups
  std::vector<Index> panel_starts_;
  std::vector<Index> slots_;               // feature gathered in each slot, or -1
  Eigen::MatrixXd cross_;                  // (block_rows, capacity) curvature times active columns, one block
  Eigen::ArrayXd centre_, inverse_scale_;  // (p,); inverse_scale 0: the column can never enter
  std::vector<Index> careful_;             // sorted columns that each scan gathers
  Eigen::VectorXd no_slope_;               // (sample,) zeros
  Eigen::VectorXd sample_curvature_;       // (sample,)
  Eigen::MatrixXd sample_columns_;         // (sample, sampled_slice) of X
  Eigen::MatrixXd sample_cross_;           // (sample, capacity) curvature times active columns, of the sample
  Eigen::ArrayXXd sums_;                   // (largest_panel, 3 + capacity) of a scan
  Eigen::ArrayXXd active_sums_;            // (capacity, 3 + capacity) of a linearisation
  Eigen::ArrayXd panel_gradient_, panel_curvature_, panel_centre_, panel_factor_;  // (largest_panel,)
  Eigen::VectorXd column_;                                                         // (block_rows,) a stretch of one column
  Eigen::MatrixXd panel_cross_;                                                    // (largest_panel, capacity + 1)
  Eigen::ArrayXd panel_lower_, panel_upper_;                                       // (largest_panel,) bounds in units, or empty
  Eigen::VectorXd lower_, upper_;                                                  // (capacity + 1,) the same of the active set
  Eigen::MatrixXd whole_hessian_;      // (capacity + 1, capacity + 1) before the held coefficients were taken out
  std::vector<Index> held_places_;     // places of coefficients held at a bound at the last linearisation
  Eigen::VectorXd beta_, gradient_;    // (capacity + 1,)
  Eigen::MatrixXd hessian_, inverse_;  // (capacity + 1, capacity + 1)
  // The scan at hand.
  struct Scan {
    Index size = 0;  // active columns
    Hessian kind = Hessian::exact;
    const double* curvature = nullptr;  // of each row
    bool any_careful = false;           // in the panel at hand
  };
  Scan scan_;
  ColumnMoments* moments_ = nullptr;  // shared in the first scan, or null
  bool records_moments_ = false;
  Eigen::MatrixXd subset_;  // (n, subset) columns of the working set, where X scatters them
  std::vector<Index> subset_columns_;
  const Index* subset_list_ = nullptr;
  Newton newton_;
};

// ---------------------------------------------------------------------------------------------------------------- set-up

inline void GlmObjective::reset(const Design& design, const Problem& problem, const LossKernel& loss, const Options& options,
                                const Interrupt& interrupt) {
  design_ = &design;
  sparse_ = design.sparse();
  response_unit_ = unit_of_responses(problem, loss, options.fit_intercept);
  loss_in_units_ = response_unit_ == 1 ? nullptr : loss.in_units(response_unit_);
  loss_ = loss_in_units_ ? loss_in_units_.get() : &loss;
  perfect_objective_ = separable_objective;
  least_tolerance_ = start_ = 0;
  tolerance_unit_ = 1;
  started_ = false;
  interrupt_ = &interrupt;
  constraints_ = &options.constraints;
  groups_.reset(options.constraints.groups, design.columns());
  n_ = design.rows();
  padded_ = (n_ + Pack::size - 1) / Pack::size * Pack::size;
  p_ = design.columns();
  capacity_ = groups_.most_columns(options.k);
  intercept_ = options.fit_intercept;
  ridge_ = options.ridge;
  tolerance_ = options.tolerance;
  max_newton_ = options.max_newton;
  interrupted_ = saw_concave_ = units_chosen_ = linearised_ = compacted_ = records_moments_ = false;
  lowest_margin_ = sum_slope_ = sum_curvature_ = 0;
  sample_scale_ = 1;
  bad_row_ = bad_column_ = -1;
  scan_ = {};
  moments_ = nullptr;
  subset_list_ = nullptr;
  for (std::vector<Index>* list :
       {&linearised_columns_, &active_columns_, &starts_, &careful_, &subset_columns_, &held_places_})
    list->clear();
  make_room();
  take_rows(problem);
  go_over_all_rows();
  if (sparse_) {
    const Index stride = (capacity_ + Pack::size - 1) / Pack::size * Pack::size;
    if (loss_->is_binary() && groups_.single() && !offset_.size() && n_ > 16 * Pack::size) {
      if (!compact_) compact_.emplace();
      compact_->reset(*sparse_, response_, weight_);
    } else {
      compact_.reset();
    }
    sparse_terms_.resize(2 * n_);
    sparse_cross_.resize(n_ * stride);
    background_ = Eigen::VectorXd::Zero(capacity_);
    cross_scratch_.resize(stride);
  } else {
    compact_.reset();
  }
  if (!loss_->is_binary())
    judge_scale();
  else if (!loss_->falls_for_ever())
    least_tolerance_ = rounding_of_labels;
}

// A power of two near the standard deviation of the responses, where F goes with its square; else 1.
inline double GlmObjective::unit_of_responses(const Problem& problem, const LossKernel& loss, bool centred) {
  if (!loss.has_units()) return 1.0;
  const Index n = problem.responses.size();
  const auto mean_of = [&](const auto& term) {
    double sum = 0, total = 0;
    const double largest = problem.weights.size() ? problem.weights.maxCoeff() : 1.0;
    for (Index i = 0; i < n; ++i) {
      const double weight = problem.weights.size() ? problem.weights[i] / largest : 1.0;
      if (weight > 0) sum += weight * term(problem.responses[i] - (problem.offset.size() ? problem.offset[i] : 0.0));
      total += weight;
    }
    return sum / total;
  };
  const double size = mean_of([](double y) { return std::abs(y); });
  if (!(size > 0)) return 1.0;
  const double shrink = 1 / power_of_two_near(size);  // so that squares stay in the range
  if (!std::isfinite(shrink) || shrink == 0) return 1.0;
  const double mean = centred ? mean_of([=](double y) { return y * shrink; }) : 0.0;
  const double variance = mean_of([=](double y) { return (y * shrink - mean) * (y * shrink - mean); });
  // Of responses that are all the same, up to rounding, their size.
  return power_of_two_near(variance > 1e-24 ? std::sqrt(variance) : 1.0) / shrink;
}

// F at coefficients of 0, by which it is judged what is rounding; and the linear predictor from which to start.
inline void GlmObjective::judge_scale() {
  beta_.setZero();
  const double at_zero = linearise(0, beta_.head(intercept_), Curvature::exact, gradient_.head(intercept_),
                                   hessian_.topLeftCorner(intercept_, intercept_));
  perfect_objective_ = perfect * at_zero;
  least_tolerance_ = rounding * std::sqrt(at_zero);
  if (!intercept_) return;
  const double total = weight_.sum(), start = loss_->start(weight_.dot(response_) / total);
  start_ = start - (offset_.size() ? weight_.dot(offset_) / total : 0.0);
}

// Buffers of the sizes that the problem needs.
inline void GlmObjective::make_room() {
  const Index d = capacity_ + 1, panel = std::min(largest_panel, p_), entries = panel_entries();
  slope_.resize(padded_);
  curvature_.resize(padded_);
  active_.resize(padded_, capacity_);
  active_.bottomRows(padded_ - n_).setZero();
  slots_.assign(std::size_t(capacity_), -1);
  cross_.resize(block_rows, capacity_);
  centre_ = Eigen::ArrayXd::Zero(p_);
  inverse_scale_ = Eigen::ArrayXd::Ones(p_);
  sums_.resize(panel, Sums::cross + capacity_);
  active_sums_.resize(capacity_, Sums::cross + capacity_);
  panel_gradient_.resize(entries);
  panel_curvature_.resize(entries);
  panel_centre_.resize(panel);
  panel_factor_.resize(panel);
  column_.resize(block_rows);
  panel_cross_.resize(entries, d);
  beta_.resize(d);
  gradient_.resize(d);
  hessian_.resize(d, d);
  inverse_.resize(d, d);
  newton_.reserve(d);
  linearised_coef_.resize(d);
  active_columns_.reserve(std::size_t(capacity_));
  linearised_columns_.reserve(std::size_t(capacity_));
  starts_.reserve(std::size_t(d));
  if (!design_->columns_contiguous()) {
    // Some more, since a path puts features of its entries into the working set; memory that is not used is not touched.
    const Index usual = Options::working_set(p_, capacity_);
    subset_.resize(padded_, std::min(usual + usual / 2, p_));
    subset_columns_.reserve(std::size_t(subset_.cols()));
  }
  if (!groups_.single()) {
    members_.resize(n_, groups_.stride());
    weighted_members_.resize(n_, groups_.stride());
    weighted_.resize(n_, capacity_);
    panel_blocks_.resize(entries, groups_.stride());
    panel_starts_.reserve(std::size_t(entries + 1));
  }
  if (constraints_->bounded()) {
    panel_lower_.resize(entries);
    panel_upper_.resize(entries);
    lower_.resize(d);
    upper_.resize(d);
    whole_hessian_.resize(d, d);
  }
  held_places_.reserve(std::size_t(capacity_));
  if (can_sample()) {
    no_slope_ = Eigen::VectorXd::Zero(sample_rows());
    sample_curvature_.resize(sample_rows());
    sample_cross_.resize(sample_rows(), capacity_);
    if (design_->columns_contiguous()) sample_columns_.resize(sample_rows(), sampled_slice);
  }
}

inline void GlmObjective::take_rows(const Problem& problem) {
  response_ = Eigen::VectorXd::Ones(padded_);
  weight_ = Eigen::VectorXd::Zero(padded_);
  const double largest = problem.weights.size() ? problem.weights.maxCoeff() : 1.0;
  double total = 0;
  for (Index i = 0; i < n_; ++i) {
    // Divided by the largest first: a sum of weights near 1e308 would overflow.
    const double weight = problem.weights.size() ? problem.weights[i] / largest : 1.0;
    response_[i] = loss_->response_of(problem.responses[i]) / response_unit_;
    weight_[i] = weight * loss_->class_weight(problem.responses[i] != 0.0);
    total += weight;
  }
  weight_ /= total;
  offset_.resize(problem.offset.size() ? padded_ : 0);
  if (problem.offset.size()) {
    offset_.setZero();
    offset_.head(n_) = problem.offset / response_unit_;
  }
}

inline void GlmObjective::gather_in_units(Index column, Index first, Index rows, double* target) const {
  design_->gather(column, first, rows, target);
  const double centre = centre_[column], factor = inverse_scale_[column];
  for (Index i = 0; i < rows; ++i) target[i] = (target[i] - centre) * factor;
}

// Columns and coefficients of an iterate, gathered; returns how many.
inline Index GlmObjective::take_active(const Iterate& iterate) {
  active_columns_.clear();
  starts_.assign(1, 0);
  for (Index place = 0; place < iterate.size(); ++place) {
    const Index unit = iterate.support[std::size_t(place)];
    for (Index i = 0; i < groups_.width(unit); ++i) {
      beta_[Index(active_columns_.size())] = iterate.coef[place * iterate.stride + i];
      active_columns_.push_back(groups_.column(unit, i));
    }
    starts_.push_back(Index(active_columns_.size()));
  }
  const Index size = Index(active_columns_.size());
  if (intercept_) beta_[size] = iterate.intercept;
  gather_active(active_columns_);
  return size;
}

inline void GlmObjective::go_over_all_rows() {
  const double* const offset = offset_.size() ? offset_.data() : nullptr;
  rows_ = {n_, padded_, response_.data(), weight_.data(), offset, slope_.data(), curvature_.data()};
  compacted_ = false;
}

// What a careful column has in common in all rows without an entry is far larger than its spread.
inline bool GlmObjective::may_compact(const std::vector<Index>& support) const {
  return compact_ && std::none_of(support.begin(), support.end(), [this](Index column) { return is_careful(column); });
}

inline void GlmObjective::gather_active(const std::vector<Index>& support) {
  const auto same = [this](const std::vector<Index>& columns) {
    return std::equal(columns.begin(), columns.end(), slots_.begin());
  };
  if (may_compact(support)) {
    if (compacted_ && Index(support.size()) == compacted_size_ && same(support)) return;
    linearised_ = false;
    if (compact_->gather(support, centre_, inverse_scale_, active_)) {
      std::copy(support.begin(), support.end(), slots_.begin());
      compacted_size_ = Index(support.size());
      compacted_ = true;
      rows_ = {compact_->count(), compact_->padded(),       compact_->sign().data(),     compact_->weight().data(),
               nullptr,           compact_->slope().data(), compact_->curvature().data()};
      return;
    }
  }
  if (compacted_) {
    linearised_ = false;
    go_over_all_rows();
    std::fill(slots_.begin(), slots_.end(), Index(-1));
  }
  for (std::size_t slot = 0; slot < support.size(); ++slot)
    if (slots_[slot] != support[slot]) {
      gather_in_units(support[slot], 0, n_, active_.col(Index(slot)).data());
      slots_[slot] = support[slot];
    }
}

// ----------------------------------------------------------------------------------------------------------------- refit

// The block of rows as the kernels take it, curvature times active columns filled in.
inline RowBlock GlmObjective::row_block(Index first, Index rows, Index size, const double* curvature) {
  for (Index j = 0; j < size; ++j)
    cross_.col(j).head(rows).array() =
        Eigen::Map<const Eigen::ArrayXd>(rows_.curvature + first, rows) * active_.col(j).segment(first, rows).array();
  return {first, rows, rows_.slope + first, curvature + first, cross_.data(), cross_.outerStride(), size};
}

inline double GlmObjective::linearise(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef, Curvature curvature,
                                      Eigen::Ref<Eigen::VectorXd> gradient, Eigen::Ref<Eigen::MatrixXd> hessian) {
  const double intercept = intercept_ ? coef[size] : 0.0;
  LossSums sums_over_rows;
  linearised_ = false;
  active_sums_.topLeftCorner(size, Sums::cross + size).setZero();
  const Sums sums{active_sums_.data(), active_sums_.outerStride()};
  for (Index first = 0; first < rows_.padded; first += block_rows) {
    if (first % (64 * block_rows) == 0 && first > 0 && interrupted()) return std::numeric_limits<double>::quiet_NaN();
    const Index rows = std::min(block_rows, rows_.padded - first);
    sums_over_rows.add(loss_->evaluate({rows, size, active_.data() + first, active_.outerStride(), coef.data(), intercept,
                                        rows_.offset ? rows_.offset + first : nullptr, rows_.response + first,
                                        rows_.weight + first, rows_.slope + first, rows_.curvature + first, curvature}));
    const RowBlock block = row_block(first, rows, size, rows_.curvature);
    // The Hessian is symmetric: a tile that begins at column c needs the products with columns 0 .. c + 3 only.
    kernels::accumulate_columns(
        size, block, sums, [&](Index c) { return active_.data() + c * active_.outerStride() + first; },
        [&](Index c) { return std::min(c + 4, size); });
  }
  sum_slope_ = sums_over_rows.slope;
  sum_curvature_ = sums_over_rows.curvature;
  lowest_margin_ = sums_over_rows.lowest_margin;
  saw_concave_ = sums_over_rows.concave;
  const double penalty = assemble(size, coef, gradient, hessian);
  // Row loops of a convex linearisation and of one without concave rows give the same.
  linearised_ = curvature == Curvature::convex || !saw_concave_;
  if (linearised_) {
    linearised_columns_.assign(slots_.begin(), slots_.begin() + size);
    linearised_coef_.head(coef.size()) = coef;
  }
  return sums_over_rows.value + penalty;
}

// Gradient and Hessian (lower triangle) from the sums over rows; returns the penalty.
inline double GlmObjective::assemble(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef,
                                     Eigen::Ref<Eigen::VectorXd> gradient, Eigen::Ref<Eigen::MatrixXd> hessian) const {
  double penalty = 0;
  for (Index j = 0; j < size; ++j) {
    const double ridge = ridge_ > 0 ? ridge_of(slots_[std::size_t(j)]) : 0.0;
    penalty += 0.5 * ridge * coef[j] * coef[j];
    gradient[j] = active_sums_(j, Sums::slope) + ridge * coef[j];
    for (Index i = j; i < size; ++i) hessian(i, j) = active_sums_(i, Sums::cross + j);
    hessian(j, j) += ridge;
    if (inverse_scale_[slots_[std::size_t(j)]] == 0) hessian(j, j) = 1;  // 0 in every row: it stays where it is
    if (intercept_) hessian(size, j) = active_sums_(j, Sums::curvature);
  }
  if (intercept_) {
    gradient[size] = sum_slope_;
    hessian(size, size) = sum_curvature_;
  }
  return penalty;
}

inline RefitOutcome GlmObjective::refit(Iterate& iterate, const RefitGoal& goal) {
  // While searching, an objective to ten digits is enough to compare supports; the answer is refitted to the user's tolerance.
  constexpr double search_tolerance = 1e-10, rough_tolerance = 1e-4;
  const Index size = take_active(iterate), d = size + intercept_;
  SupportFunction function(*this, size);
  if (!started_) {
    started_ = true;
    if (size == 0 && intercept_ && iterate.intercept == 0) beta_[0] = start_;
  }
  NewtonLimits limits;
  limits.max_iterations = max_newton_;
  limits.bar = goal.bar;
  if (constraints_->bounded()) {
    set_bounds(active_columns_);
    limits.lower = lower_.data();
    limits.upper = upper_.data();
  }
  limits.tolerance = least_tolerance_;
  if (goal.exact)
    limits.tolerance = std::max(tolerance_ * tolerance_unit_, least_tolerance_);
  else
    limits.relative_tolerance = goal.rough ? rough_tolerance : search_tolerance;
  const NewtonOutcome outcome = newton_.minimise(function, beta_.head(d), limits);
  if (!loss_->is_binary() && size == 0) tolerance_unit_ = std::sqrt(std::min(1.0, outcome.objective));
  for (Index place = 0; place < iterate.size(); ++place)
    for (Index j = starts_[std::size_t(place)], i = 0; j < starts_[std::size_t(place + 1)]; ++j, ++i)
      iterate.coef[place * iterate.stride + i] = beta_[j];
  iterate.intercept = intercept_ ? beta_[size] : 0.0;
  iterate.objective = outcome.objective;
  RefitOutcome answer{outcome.status, outcome.abandoned, outcome.iterations};
  answer.perfect = !loss_->falls_for_ever() && outcome.objective <= perfect_objective_;
  if (interrupted_) answer.status = Status::interrupted;
  if (goal.exact && answer.status == Status::converged && ridge_ == 0 && size > 0) {
    const bool runs_away =
        loss_->falls_for_ever() &&
        (outcome.singular ? columns_are_independent(size) : largest_move_is_unbounded(size, newton_.last_step(d)));
    if (runs_away)
      answer.status = Status::separable;
    else if (outcome.singular && holds_near_twins(size))
      answer.status = Status::stalled;
  }
  return answer;
}

// Where part of the rows can be separated, F falls for ever along a ray, by ever less: Newton's decrement vanishes, but its
// step still moves those rows' margins by about one (their loss is exponential). At a proper minimiser the step vanishes too.
inline bool GlmObjective::largest_move_is_unbounded(Index size, const Eigen::Ref<const Eigen::VectorXd>& step) const {
  constexpr double unbounded = 0.05;
  for (Index i = 0; i < rows_.count; ++i) {
    if (rows_.weight[i] <= 0) continue;
    double move = intercept_ ? step[size] : 0.0;
    for (Index j = 0; j < size; ++j) move += active_(i, j) * step[j];
    if (std::abs(move) > unbounded) return true;
  }
  return false;
}

// Whether the active columns (and the intercept) are linearly independent over the rows that count. If they are and the Hessian
// is singular all the same, the curvature has died out along some direction: the rows that move along it are separated.
inline bool GlmObjective::columns_are_independent(Index size) {
  const Index d = size + intercept_;
  auto gram = hessian_.topLeftCorner(d, d);
  gram.setZero();
  for (Index i = 0; i < rows_.count; ++i) {
    if (rows_.weight[i] <= 0) continue;
    gradient_.head(size) = active_.row(i).head(size);
    if (intercept_) gradient_[size] = 1;
    gram.template selfadjointView<Eigen::Lower>().rankUpdate(gradient_.head(d), rows_.weight[i]);
  }
  return factorise(gram, inverse_.topLeftCorner(d, d), 0);
}

// Whether some active column differs from a combination of others by more than the rounding of its entries, but by less than
// Newton's method can make use of: the combinations that their difference allows are out of its reach, whatever they are worth.
// By the residual of each column's regression on those before it, taken twice, as for Gram-Schmidt (Bjorck 1996,
// section 2.4.5).
inline bool GlmObjective::holds_near_twins(Index size) {
  constexpr double clear = 1e-7;  // of its own length: then Newton tells it from the others
  const double rounding = 32 * std::numeric_limits<double>::epsilon();
  const Index rows = rows_.count;
  linearised_ = false;
  const Eigen::Map<const Eigen::ArrayXd> weight(rows_.weight, rows);
  Eigen::Map<Eigen::VectorXd> residual(rows_.slope, rows), weighted(rows_.curvature, rows);
  const auto column = [&](Index place) { return active_.col(place).head(rows); };
  Index kept = 0;
  held_places_.clear();  // those kept
  for (Index j = 0; j < size; ++j) {
    residual = column(j);
    const double length = std::sqrt((weight * residual.array().square()).sum());
    for (int pass = 0; pass < 2; ++pass) {
      if (intercept_) residual.array() -= (weight * residual.array()).sum() / weight.sum();
      if (kept == 0) continue;
      weighted = weight * residual.array();
      auto coef = gradient_.head(kept);
      for (Index i = 0; i < kept; ++i) coef[i] = column(held_places_[std::size_t(i)]).dot(weighted);
      const auto factor = inverse_.topLeftCorner(kept, kept).template triangularView<Eigen::Lower>();
      factor.solveInPlace(coef);
      factor.adjoint().solveInPlace(coef);
      for (Index i = 0; i < kept; ++i) residual -= coef[i] * column(held_places_[std::size_t(i)]);
    }
    const double left = std::sqrt((weight * residual.array().square()).sum());
    const Index feature = slots_[std::size_t(j)];
    if (left <= clear * length) {
      const double entries = 1 + std::abs(centre_[feature]) * inverse_scale_[feature];
      if (left > rounding * entries * length) return true;
      continue;
    }
    held_places_.push_back(j);
    for (Index i = 0; i <= kept; ++i) {
      const Index other = held_places_[std::size_t(i)];
      double product = (weight * column(j).array() * column(other).array()).sum();
      if (intercept_) product -= (weight * column(j).array()).sum() * (weight * column(other).array()).sum() / weight.sum();
      hessian_(kept, i) = product;
    }
    ++kept;
    if (!factorise(hessian_.topLeftCorner(kept, kept), inverse_.topLeftCorner(kept, kept), 0)) return true;
  }
  return false;
}

// ------------------------------------------------------------------------------------------------------------------ scan

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

// ----------------------------------------------------------------------------------------------------------------- units

// From the first scan's sums of a panel: units, and derivatives in these units. False: X is not finite.
inline bool GlmObjective::choose_units(const Columns& panel) {
  // Below this ratio of variance to squared mean, the conversion by formula would lose more than half of the digits.
  constexpr double cancellation = 1e-8;
  constexpr double tiny = 1e-280, huge = 1e280;
  const double total = weight_.sum(), average_curvature = sum_curvature_ / total;
  for (Index c = 0; c < panel.count; ++c) {
    const Index column = panel[c];
    const double mean = intercept_ ? sums_(c, Sums::curvature) / total : 0.0;
    double variance = sums_(c, Sums::square) / total - mean * mean;
    double slope = sums_(c, Sums::slope) - mean * sum_slope_;
    const bool plain = variance > cancellation * mean * mean && variance > tiny && variance < huge && std::isfinite(slope);
    if (plain) {
      centre_[column] = mean;
      const double inverse = power_of_two_near(1 / std::sqrt(variance));
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
    panel_gradient_[c] = slope;
    panel_curvature_[c] = inverse_scale_[column] != 0 ? variance * total * average_curvature + ridge_of(column) : 0.0;
  }
  if (intercept_) panel_cross_.col(0).head(panel.count).setZero();  // centred at the mean in these weights
  return true;
}

// Units of a column whose plain sums are no use: constant, not finite, at the ends of the range, or far from 0 for its spread.
inline bool GlmObjective::examine_column(Index column) {
  if (sparse_ && sparse_->is_zero(column, weight_.data())) {  // there may be many of these, so no look at all rows
    inverse_scale_[column] = 0;
    return true;
  }
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (Index first = 0; first < n_; first += block_rows) {
    const Index rows = std::min(block_rows, n_ - first);
    design_->gather(column, first, rows, column_.data());
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
  const double shrink = power_of_two_near(1 / largest);
  if (!std::isfinite(shrink) || shrink == 0) return true;  // beyond what a double can rescale: as good as constant
  const double total = weight_.sum();
  const auto weighted_mean = [&](const auto& term) {
    double sum = 0;
    for (Index first = 0; first < n_; first += block_rows) {
      const Index rows = std::min(block_rows, n_ - first);
      design_->gather(column, first, rows, column_.data());
      for (Index i = 0; i < rows; ++i)
        if (weight_[first + i] > 0) sum += weight_[first + i] * term(column_[i] * shrink);
    }
    return sum / total;
  };
  const double mean = intercept_ ? weighted_mean([](double x) { return x; }) : 0.0;
  const double variance = weighted_mean([mean](double x) { return (x - mean) * (x - mean); });
  const double inverse = shrink * power_of_two_near(1 / std::sqrt(variance));
  if (!(variance > 0) || is_negligible(inverse)) return true;
  centre_[column] = mean / shrink;
  inverse_scale_[column] = inverse;
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
  result.intercept = iterate.intercept * response_unit_;
  result.support.clear();
  for (Index place = 0; place < iterate.size(); ++place) {
    const Index unit = iterate.support[std::size_t(place)];
    for (Index i = 0; i < groups_.width(unit); ++i) {
      const Index column = groups_.column(unit, i);
      const double coef = iterate.coef[place * iterate.stride + i];
      if (coef == 0) continue;
      // Not to step over a bound by rounding.
      result.coef[column] = std::min(std::max(coef * inverse_scale_[column] * response_unit_, constraints_->lower_of(column)),
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
  iterate.intercept = intercept_ ? intercept / response_unit_ : 0.0;
  for (std::size_t i = 0; i < support.size(); ++i) {
    const Index column = support[i], unit = groups_.unit_of(column);
    if (inverse_scale_[column] == 0) continue;
    auto place = std::find(iterate.support.begin(), iterate.support.end(), unit) - iterate.support.begin();
    if (place == iterate.size()) iterate.append(unit);
    Index member = 0;
    while (groups_.column(unit, member) != column) ++member;
    iterate.coef[place * iterate.stride + member] = coef[Index(i)] / inverse_scale_[column] / response_unit_;
    if (intercept_) iterate.intercept += coef[Index(i)] * centre_[column] / response_unit_;
  }
  return iterate;
}

}  // namespace ksparse
