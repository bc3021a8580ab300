// The class of glm_objective.hpp, its set-up, and the gathering of active columns.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "../design/design.hpp"
#include "../design/sparse.hpp"
#include "../groups.hpp"
#include "../loss/kernel.hpp"
#include "../loss/stable.hpp"
#include "../newton/newton.hpp"
#include "../options.hpp"
#include "../problem.hpp"
#include "../search/objective.hpp"
#include "compact_rows.hpp"

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
  Foresight foresight() const override { return constraints_->bounded() ? Foresight::rough : loss_->foresight(); }

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
  /// With a sampled Hessian: which rows are in the sample; and its sums, from all its rows side by side.
  bool is_sampled() const noexcept { return scan_.kind == Hessian::sampled; }
  const RowSample& sample() const noexcept { return sample_; }
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
  double to_user(double objective) const noexcept { return units_.to_user(objective); }
  /// Whether F, which is of order one here, is not so large that losses were held from overflowing (stable.hpp).
  bool is_in_range(const Iterate& iterate) const noexcept { return iterate.objective < 1e250; }
  /// The reverse of the first, once the first scan has chosen the units; features that can never enter are left out.
  Iterate from_user(const std::vector<Index>& support, const Eigen::Ref<const Eigen::VectorXd>& coef, double intercept) const;
  // For who answers for the same rows in another way (gram_objective.hpp): rows as they are used here, padded, and columns in
  // units, once the first scan has chosen these.
  bool units_chosen() const noexcept { return units_chosen_; }
  const Eigen::VectorXd& response() const noexcept { return response_; }
  const Eigen::VectorXd& weight() const noexcept { return weight_; }
  const Eigen::VectorXd& offset() const noexcept { return offset_; }
  void gather_in_units(Index column, Index first, Index rows, double* target) const;
  double ridge_of(Index column) const { return ridge_ * inverse_scale_[column] * inverse_scale_[column]; }
  /// Whether a column can never enter.
  bool is_constant(Index column) const { return inverse_scale_[column] == 0; }
  bool interrupted() {
    if (!interrupted_ && *interrupt_) interrupted_ = (*interrupt_)();
    return interrupted_;
  }

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

  // Rows of a sampled Hessian: enough to tell features worth a second look from the rest, where half of the rows have weight 0
  // as well; where more have, more rows.
  Index sample_size() const {
    const Index usual = std::max<Index>(256, 8 * (chosen_ + 1));
    return std::max(usual, Index(double(usual) * double(n_) / (2 * double(counted_))));
  }
  static constexpr Index sampled_slice = 16;  // columns
  // A sample that holds less than this part of a column's curvature knows nothing of the column.
  static constexpr double least_seen = 1e-4;
  // Columns of a panel; of units, as many as fit, one at least.
  Index panel_entries() const { return std::min(std::max(largest_panel, groups_.stride()), p_); }

  // F and its derivatives on the gathered columns, as Newton asks for them.
  class SupportFunction {
   public:
    SupportFunction(GlmObjective& objective, Index size) : objective_(objective), size_(size) {}
    double linearise(const Eigen::Ref<const Eigen::VectorXd>& coef, double /*allowed*/, Eigen::Ref<Eigen::VectorXd> gradient,
                     Eigen::Ref<Eigen::MatrixXd> hessian) {
      return objective_.linearise(size_, coef, Curvature::exact, gradient, hessian);
    }
    bool can_be_concave() const { return objective_.saw_concave_; }
    void make_convex(const Eigen::Ref<const Eigen::VectorXd>& coef, Eigen::Ref<Eigen::VectorXd> gradient,
                     Eigen::Ref<Eigen::MatrixXd> hessian) {
      objective_.linearise(size_, coef, Curvature::convex, gradient, hessian);
    }
    bool convex_stands_in() const { return objective_.loss_->has_convex_curvature(); }
    bool separates(const Eigen::Ref<const Eigen::VectorXd>& coef) const {
      return objective_.ridge_ == 0 && objective_.lowest_margin_ > 0 && objective_.ray_separates(size_, coef);
    }
    bool has_no_minimum() const {
      return objective_.ridge_ == 0 && objective_.loss_->falls_for_ever() && objective_.active_rows_separate(size_);
    }
    bool interrupted() { return objective_.interrupted(); }

   private:
    GlmObjective& objective_;
    Index size_;
  };

  // Whether the linear predictor is the logarithm of a mean.
  static bool is_of_mean(const LossKernel& loss) { return loss.units(2).shift != 0; }
  static double unit_of_responses(const Problem& problem, const LossKernel& loss, bool centred);
  void judge_scale();
  void make_room();
  void choose_sample();
  void take_rows(const Problem& problem);
  double linearise(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef, Curvature curvature,
                   Eigen::Ref<Eigen::VectorXd> gradient, Eigen::Ref<Eigen::MatrixXd> hessian);
  double assemble(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef, Eigen::Ref<Eigen::VectorXd> gradient,
                  Eigen::Ref<Eigen::MatrixXd> hessian) const;
  RowBlock row_block(Index first, Index rows, Index size, const double* curvature);
  Index take_active(const Iterate& iterate, const Columns& likely = {});
  Status scan_groups(const Iterate& iterate, const Columns& units, ScanSink& sink);
  bool choose_all_units();
  void gather_active(const std::vector<Index>& support, const Columns& likely);
  bool fetch_active(const std::vector<Index>& support, const Columns& likely);
  void sample_hessian(Index size, Eigen::Ref<Eigen::MatrixXd> hessian);
  bool linearise_for_scan(const Iterate& iterate, Hessian kind);
  void set_bounds(const std::vector<Index>& support);
  bool hold_at_bounds(Index size);
  RowBlock sample_block(Index place, Index rows, Index size) const;
  bool sum_exactly(const Columns& panel, Index size, const double* curvature);
  bool sum_sampled(const Columns& panel, Index size);
  bool sum_panel(const Columns& panel);
  bool sum_careful(const Columns& panel);
  bool sum_careful_sparse(const Columns& panel);
  void sum_careful_sampled(const Columns& panel);
  bool may_compact(const std::vector<Index>& support) const;
  void go_over_all_rows();
  bool begin_sparse_scan(const Columns& columns);
  void set_row_vectors(bool first_scan);
  bool fetch_doubtful();
  // Of a sparse X, which columns are read next. False: interrupted.
  bool fetch(const Columns& columns) { return reader_->fetch(columns, interrupt()); }
  Columns list_members(const Columns& units);
  void weigh_active();
  bool any_is_careful(const Columns& columns) const;
  void gather_members(const Columns& unit, Index place);
  void pair_members(const Columns& unit, Index place);
  void clear_member(Index place);
  void sum_sparse(const Columns& panel);
  void add_common(Index place, const double* zero, const double* one);
  template <class RowOf, class ValueOf>
  void recount(Index place, Index count, const RowOf& row_of, const ValueOf& value_of);
  void add_background_cross(Index count);
  void gather(Index column, Index first, Index rows, double* target) const {
    if (sparse_)
      reader_->gather(column, first, rows, target);
    else
      design_->gather(column, first, rows, target);
  }
  void convert_panel(const Columns& panel);
  void correct_spreads(const Columns& panel);
  void exchange_moments(const Columns& panel);
  // Of a column of the first scan, by its weighted sums.
  struct PlainMoments {
    double mean, variance, slope;
    // Whether these are of use: not of a column that is constant, not finite, at the ends of the range, or far from 0 for its
    // spread.
    bool is_plain() const noexcept {
      // Below this ratio of variance to squared mean, the conversion by formula would lose more than half of the digits.
      constexpr double cancellation = 1e-8;
      constexpr double tiny = 1e-280, huge = 1e280;
      return variance > cancellation * mean * mean && variance > tiny && variance < huge && std::isfinite(slope);
    }
  };
  PlainMoments plain_moments(Index place, double total) const;
  bool choose_units(const Columns& panel);
  bool examine_column(Index column);
  bool has_no_entry(Index column);
  void gather_subset(const Columns& columns);
  // Where X scatters its columns, those of the working set are gathered once and kept: they are scanned often.
  // So are they for large supports, whose scans are matrix products of columns that lie side by side.
  bool gathers_subsets() const { return !sparse_ && (!design_->columns_contiguous() || chosen_ > kernels::few_vectors); }
  bool is_gathered(const Columns& columns) const { return columns.list && subset_list_; }
  bool is_careful(Index column) const {
    return !careful_.empty() && std::binary_search(careful_.begin(), careful_.end(), column);
  }
  Status judge_end(Index size, const NewtonOutcome& outcome, Status status);
  bool slopes_rule_out_separation(Index size);
  bool active_rows_separate(Index size) const;
  bool ray_separates(Index size, const Eigen::Ref<const Eigen::VectorXd>& coef) const;
  bool holds_near_twins(Index size);
  // Bounds of a coefficient in units; those of a column that can never enter do not matter.
  double lower_in_units(Index column) const { return in_units(constraints_->lower_of(column), column); }
  double upper_in_units(Index column) const { return in_units(constraints_->upper_of(column), column); }
  double in_units(double bound, Index column) const {
    return bound == 0 || inverse_scale_[column] == 0 ? bound : bound / inverse_scale_[column] / units_.scale;
  }
  // The curvature of a column as a scan tells it. Where a loss is straight, as far out on its wrong side, that may be none at
  // all in the rows that a column touches. Such a column may lower F all the same, by the longest step if not less.
  static double usable_curvature(double gradient, double curvature) {
    constexpr double none = 1e-100;  // of the gradient
    return curvature >= 0 && curvature <= none * std::abs(gradient) ? std::abs(gradient) / longest_step(0) : curvature;
  }
  // Whether a column is too small to be of any use: its coefficient would overflow, or the ridge penalty allows it none.
  bool is_negligible(double inverse_scale) const {
    constexpr double most = 1e290;
    return !(inverse_scale < most && ridge_ * inverse_scale * inverse_scale < most);
  }
  // For those who work on behalf of this.
  Interrupt interrupt() {
    return [this] { return interrupted(); };
  }

  const Design* design_ = nullptr;
  const SparseDesign* sparse_ = nullptr;             // the same, if it is
  ResponseUnits units_;                              // of y, the linear predictor and F here; coefficients are in its scale
  std::shared_ptr<const LossKernel> loss_in_units_;  // if y is in a unit of its own
  const LossKernel* loss_ = nullptr;
  const Interrupt* interrupt_ = nullptr;
  const Constraints* constraints_ = nullptr;
  Groups groups_;
  Index n_ = 0, padded_ = 0, p_ = 0;
  Index capacity_ = 0, chosen_ = 0;  // most active columns, on the way and of an answer
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
  double whole_curvature_ = 0;                // sum_curvature_ of all rows where that is the sample's
  Index bad_row_ = -1, bad_column_ = -1;

  // Rows are padded with rows of weight 0 to a whole number of packs, so that loops have no tail.
  Eigen::VectorXd response_;           // (padded,) y in its unit; +1 or -1 where it is a label
  Eigen::VectorXd weight_;             // (padded,) weight of the row and its class, over W
  Eigen::VectorXd offset_;             // (padded,) or empty
  Index counted_ = 0;                  // rows of positive weight
  bool has_absent_ = false;            // whether a row of X has weight 0; what X holds there, no gathered column does
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
  bool compacted_ = false;    // whether rows_ are those of compact_
  Index compacted_size_ = 0;  // active columns in them
  std::unique_ptr<SparseReader> reader_;
  EntryList entries_;
  Eigen::ArrayXXd class_moments_[2];   // (2, p) each; not needed if rows are never compacted
  RowTerms row_terms_;                 // of the scan at hand
  CompactRows::Common common_[2];      // what rows that are not listed have instead, by class
  Eigen::VectorXd row_vectors_;        // (n * stride,)
  Eigen::VectorXd background_;         // (capacity,) active columns in units in rows that are not listed
  Eigen::VectorXd careful_column_;     // (n,) if there are careful columns
  Eigen::VectorXd careful_sums_;       // (stride + 3,) of one of them
  std::vector<Index> members_listed_;  // columns to be fetched; of the groups of a panel
  std::vector<Index> cancelled_;       // places of a panel whose sums are recounted
  Eigen::VectorXd member_;             // (n,) zeros, but while one member of a group is paired with others
  EntryList other_entries_;
  std::vector<Index> starts_;  // (places + 1,) where those of each place begin
  // Scans of groups, else empty.
  Eigen::MatrixXd members_, weighted_members_;  // (n, stride) of one group, in units; and times the curvature
  Eigen::MatrixXd weighted_;                    // (n, capacity) curvature times active columns
  Eigen::MatrixXd panel_blocks_;                // (entries of a panel, stride) H within groups
  std::vector<Index> panel_starts_;
  std::vector<Index> slots_;               // feature gathered in each slot, or -1
  Eigen::MatrixXd cross_;                  // (block_rows, capacity) curvature times active columns, one block
  Eigen::ArrayXd centre_, inverse_scale_;  // (p,); inverse_scale 0: the column can never enter
  Eigen::ArrayXd spread_;                  // (p,) weighted mean square of a column in units
  RowSample sample_;
  std::vector<Index> careful_;        // sorted columns that each scan gathers
  Eigen::VectorXd no_slope_;          // (sample,) zeros
  Eigen::VectorXd sample_curvature_;  // (sample,)
  Eigen::MatrixXd sample_columns_;    // (sample, sampled_slice) of X
  Eigen::MatrixXd sample_active_;     // (sample, capacity) active columns, of the sample
  Eigen::MatrixXd sample_cross_;      // (sample, capacity) curvature times active columns, of the sample
  Eigen::ArrayXXd sums_;              // (largest_panel, 3 + capacity) of a scan
  Eigen::ArrayXXd active_sums_;       // (capacity, 3 + capacity) of a linearisation
  Eigen::ArrayXd panel_gradient_, panel_curvature_, panel_centre_, panel_factor_;  // (largest_panel,)
  Eigen::VectorXd column_;                                                         // (block_rows,) a stretch of one column
  Eigen::MatrixXd panel_cross_;                                                    // (largest_panel, capacity + 1)
  Eigen::ArrayXd panel_lower_, panel_upper_;                                       // (largest_panel,) bounds in units, or empty
  Eigen::VectorXd lower_, upper_;                                                  // (capacity + 1,) the same of the active set
  Eigen::MatrixXd whole_hessian_;      // (capacity + 1, capacity + 1) before the held coefficients were taken out
  std::vector<Index> held_places_;     // places of coefficients held at a bound at the last linearisation
  Eigen::VectorXd beta_, gradient_;    // (capacity + 1,)
  Eigen::VectorXd diagonal_;           // (capacity + 1,) of the Hessian at the point of a scan
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
  const double unit = unit_of_responses(problem, loss, options.fit_intercept);
  units_ = loss.units(unit);
  loss_in_units_ = units_.response == 1 ? nullptr : loss.in_units(units_.response);
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
  capacity_ = groups_.most_columns(options.places(groups_.units()));
  chosen_ = groups_.most_columns(options.k);
  intercept_ = options.fit_intercept;
  ridge_ = units_.ridge(options.ridge);
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
  choose_sample();
  go_over_all_rows();
  if (sparse_) {
    reader_ = sparse_->reader(capacity_);
    entries_.reserve(n_);
    members_listed_.reserve(std::size_t(p_));
    cancelled_.reserve(std::size_t(panel_entries()));
    if (loss_->is_binary() && groups_.single() && !offset_.size() && n_ > 16 * Pack::size) {
      if (!compact_) compact_.emplace();
      compact_->reset(n_, response_, weight_);
      for (Eigen::ArrayXXd& moments : class_moments_) moments.resize(2, p_);
    } else {
      compact_.reset();
    }
    row_vectors_.resize(n_ * RowTerms::stride_for(capacity_));
    careful_sums_.resize(RowTerms::stride_for(capacity_) + RowTerms::cross);
    background_ = Eigen::VectorXd::Zero(capacity_);
  } else {
    compact_.reset();
    reader_.reset();
  }
  if (!loss_->is_binary())
    judge_scale();
  else if (!loss_->falls_for_ever())
    least_tolerance_ = rounding_of_labels;
}

// The unit in which y is here: a power of two near the standard deviation of y, where that is what the linear predictor is of
// the size of; near its mean, where the linear predictor is the logarithm of one. No sum on the way can leave the range.
inline double GlmObjective::unit_of_responses(const Problem& problem, const LossKernel& loss, bool centred) {
  if (!loss.has_units()) return 1.0;
  const bool of_mean = is_of_mean(loss);
  const Index n = problem.responses.size();
  const double heaviest = problem.weights.size() ? problem.weights.maxCoeff() : 1.0;
  const auto weight_of = [&](Index i) { return problem.weights.size() ? problem.weights[i] / heaviest : 1.0; };
  const auto offset_of = [&](Index i) { return problem.offset.size() && !of_mean ? problem.offset[i] : 0.0; };
  double largest = 0, least = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < n; ++i) {
    const double size = std::max(std::abs(problem.responses[i]), std::abs(offset_of(i)));
    if (!(weight_of(i) > 0) || size == 0) continue;
    largest = std::max(largest, size);
    least = std::min(least, size);
  }
  if (largest == 0) return 1.0;
  const double unit = stable::power_of_two_near(largest);
  const auto mean_of = [&](const auto& term) {
    double sum = 0, total = 0;
    for (Index i = 0; i < n; ++i) {
      const double weight = weight_of(i);
      if (weight > 0) sum += term(problem.responses[i] / unit - offset_of(i) / unit, weight);
      total += weight;
    }
    return sum / total;
  };
  constexpr double greatest = 0x1p1023, far = 0x1p1000;
  const double size = mean_of([](double y, double weight) { return weight * std::abs(y); });
  if (!(size > 0)) return unit;
  const double near_size = stable::power_of_two_near(size);
  if (of_mean) {
    // Without an intercept, a mean is 1 before features enter. No response may become infinite, nor one that is > 0 become 0.
    double near_mean = std::max(std::min(near_size * unit, greatest), centred ? 0.0 : 1.0);
    if (loss.responses() == Responses::positive) near_mean = std::min(near_mean, std::min(least, 1.0) * far);
    return std::max(near_mean, largest / far);
  }
  const double mean = centred ? mean_of([=](double y, double weight) { return weight * (y / near_size); }) : 0.0;
  const double variance = mean_of([=](double y, double weight) {
    const double away = y / near_size - mean;
    return weight * away * away;
  });
  // Of responses that are all the same, up to rounding, their size.
  const double spread = variance > 1e-24 ? std::sqrt(variance) : 1.0;
  return std::min(stable::power_of_two_near(spread) * near_size * unit, greatest);
}

// F at coefficients of 0, by which it is judged what is rounding; and the linear predictor from which to start. Where the
// linear predictor is the logarithm of a mean, F at 0 may be of any size, and rounding is to be compared with 1, its unit.
inline void GlmObjective::judge_scale() {
  beta_.setZero();
  const double at_zero = is_of_mean(*loss_) ? 1.0
                                            : linearise(0, beta_.head(intercept_), Curvature::exact, gradient_.head(intercept_),
                                                        hessian_.topLeftCorner(intercept_, intercept_));
  perfect_objective_ = perfect * at_zero;
  least_tolerance_ = rounding * std::sqrt(at_zero);
  if (!intercept_) return;
  const double total = weight_.sum(), start = loss_->start(weight_.dot(response_) / total);
  start_ = start - (offset_.size() ? weight_.dot(offset_) / total : 0.0);
}

// Buffers of the sizes that the problem needs.
inline void GlmObjective::make_room() {
  const Index d = capacity_ + 1, entries = panel_entries();
  slope_.resize(padded_);
  curvature_.resize(padded_);
  active_.resize(padded_, capacity_);
  active_.bottomRows(padded_ - n_).setZero();
  slots_.assign(std::size_t(capacity_), -1);
  cross_.resize(block_rows, capacity_);
  centre_ = Eigen::ArrayXd::Zero(p_);
  inverse_scale_ = Eigen::ArrayXd::Ones(p_);
  spread_.resize(p_);
  sums_.resize(entries, Sums::cross + capacity_);
  active_sums_.resize(capacity_, Sums::cross + capacity_);
  panel_gradient_.resize(entries);
  panel_curvature_.resize(entries);
  panel_centre_.resize(entries);
  panel_factor_.resize(entries);
  column_.resize(block_rows);
  panel_cross_.resize(entries, d);
  beta_.resize(d);
  gradient_.resize(d);
  diagonal_.resize(d);
  hessian_.resize(d, d);
  inverse_.resize(d, d);
  newton_.reserve(d);
  linearised_coef_.resize(d);
  active_columns_.reserve(std::size_t(capacity_));
  linearised_columns_.reserve(std::size_t(capacity_));
  starts_.reserve(std::size_t(d));
  if (gathers_subsets()) {
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
    members_listed_.reserve(std::size_t(p_));
    if (sparse_) {
      member_ = Eigen::VectorXd::Zero(n_);
      other_entries_.reserve(n_);
    }
  }
  if (constraints_->bounded()) {
    panel_lower_.resize(entries);
    panel_upper_.resize(entries);
    lower_.resize(d);
    upper_.resize(d);
    whole_hessian_.resize(d, d);
  }
  held_places_.reserve(std::size_t(capacity_));
}

inline void GlmObjective::choose_sample() {
  if (!can_sample()) return;
  sample_.reset(n_, sample_size());
  const Index rows = sample_.rows();
  no_slope_ = Eigen::VectorXd::Zero(rows);
  sample_curvature_.resize(rows);
  sample_active_.resize(rows, capacity_);
  sample_cross_.resize(rows, capacity_);
  sample_columns_.resize(rows, design_->columns_contiguous() ? sampled_slice : 1);
}

inline void GlmObjective::take_rows(const Problem& problem) {
  response_ = Eigen::VectorXd::Ones(padded_);
  weight_ = Eigen::VectorXd::Zero(padded_);
  const double largest = problem.weights.size() ? problem.weights.maxCoeff() : 1.0;
  double total = 0;
  for (Index i = 0; i < n_; ++i) {
    // Divided by the largest first: a sum of weights near 1e308 would overflow.
    const double weight = problem.weights.size() ? problem.weights[i] / largest : 1.0;
    response_[i] = loss_->response_of(problem.responses[i]) / units_.response;
    weight_[i] = weight * loss_->class_weight(problem.responses[i] != 0.0);
    total += weight;
  }
  weight_ *= units_.weight;
  weight_ /= total;
  // Without an intercept, which has it otherwise, the shift of the linear predictor is one of the offset.
  const double shift = intercept_ ? 0.0 : units_.shift;
  offset_ = Eigen::VectorXd::Zero(problem.offset.size() || shift != 0 ? padded_ : 0);
  if (problem.offset.size()) offset_.head(n_) = problem.offset / units_.scale;
  if (shift != 0) offset_.head(n_).array() -= shift;
  // Rows of weight 0 are made like those of the padding, so that nothing that they hold can reach a sum as infinity times 0.
  counted_ = (weight_.head(n_).array() > 0).count();
  has_absent_ = counted_ < n_;
  if (!has_absent_) return;
  for (Index i = 0; i < n_; ++i) {
    if (weight_[i] > 0) continue;
    response_[i] = 1;
    if (offset_.size()) offset_[i] = 0;
  }
}

inline void GlmObjective::gather_in_units(Index column, Index first, Index rows, double* target) const {
  gather(column, first, rows, target);
  const double centre = centre_[column], factor = inverse_scale_[column];
  if (has_absent_)
    for (Index i = 0; i < rows; ++i) target[i] = weight_[first + i] > 0 ? (target[i] - centre) * factor : 0.0;
  else
    for (Index i = 0; i < rows; ++i) target[i] = (target[i] - centre) * factor;
}

// Columns and coefficients of an iterate, gathered; returns how many.
inline Index GlmObjective::take_active(const Iterate& iterate, const Columns& likely) {
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
  gather_active(active_columns_, likely);
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

// What is read next of a sparse X. False: interrupted.
inline bool GlmObjective::fetch_active(const std::vector<Index>& support, const Columns& likely) {
  if (sparse_->columns_contiguous()) return true;
  members_listed_.assign(support.begin(), support.end());
  for (Index c = 0; c < likely.count; ++c)
    for (Index i = 0; i < groups_.width(likely[c]); ++i) members_listed_.push_back(groups_.column(likely[c], i));
  return fetch({0, Index(members_listed_.size()), members_listed_.data()});
}

inline void GlmObjective::gather_active(const std::vector<Index>& support, const Columns& likely) {
  const auto same = [this](const std::vector<Index>& columns) {
    return std::equal(columns.begin(), columns.end(), slots_.begin());
  };
  const bool compacts = may_compact(support);
  if (compacts && compacted_ && Index(support.size()) == compacted_size_ && same(support)) return;
  if (sparse_ && !fetch_active(support, likely)) return;
  if (compacts) {
    linearised_ = false;
    if (compact_->gather(support, *reader_, entries_, centre_, inverse_scale_, active_)) {
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

}  // namespace ksparse
