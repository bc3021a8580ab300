// Many problems with the same X. Each thread has a window of searches, which run until all of them wait for a scan of all
// features. These scans are then done together, one block of X after the other, so that each block is fetched from memory only
// once for all of them. When a problem is done, the next one takes its place in the window. The arithmetic of a problem does
// not depend on the other problems in the window. Therefore the results are those of single fits, for any number of threads and
// any order.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../entries.hpp"
#include "../glm/glm.hpp"
#include "../options.hpp"
#include "../problem.hpp"
#include "../result.hpp"
#include "../search/drive.hpp"
#include "../search/search.hpp"
#include "../util/parallel.hpp"
#include "../util/progress.hpp"
#include "fit.hpp"

namespace ksparse {

namespace internal {

/// The searches of one thread.
class Window {
 public:
  Window(const CheckedDesign& design, const ProblemSource& source, Index width, const Interrupt& interrupt)
      : design_(design), source_(source), width_(width), interrupt_(interrupt) {
    scratch_.resize(block_stride(rows_of_block) * columns_of_block);
  }

  /// Solves the problems whose numbers take() returns, until it returns -1, and passes each result to give(). Returns false if
  /// interrupted.
  template <class Take, class Give>
  bool run(const Take& take, const Give& give) {
    bool more = true;
    while (more || !slots_.empty()) {
      while (more && Index(slots_.size()) < std::max<Index>(width_, 1)) {
        if (interrupt_ && interrupt_()) return false;  // if X fits into the cache, all problems are solved in this loop
        const Index number = take();
        more = number >= 0;
        if (more) enter(number, give);
      }
      if (slots_.empty()) continue;  // all are done, so no pass over X is needed
      if (!answer_scans()) return false;
      // Removes the searches that are done; the others run up to their next scan of all features.
      std::size_t left = 0;
      for (std::unique_ptr<Slot>& slot : slots_)
        if (run_to_scan(*slot, give))
          std::swap(slots_[left++], slot);
        else
          spare_.push_back(std::move(slot));
      slots_.resize(left);
      if (interrupt_ && interrupt_()) return false;
    }
    return true;
  }

 private:
  struct Slot {
    Index number;
    BatchProblem problem;
    GlmObjective objective;
    Search search;
    Status status = Status::converged;  // of the current scan

    Scan& scan() noexcept { return objective.scan_parts(); }
  };

  // The rows of a sample, copied next to each other, one block of X after the other.
  struct Sample {
    RowSample rows;
    Eigen::MatrixXd columns;
    bool needed;     // whether a current scan uses it
    Index next = 0;  // the first stretch that is not complete

    void take_from(const DenseBlock& block) {
      const Index end = block.first + block.rows;
      for (; next < rows.stretches(); ++next) {
        const Index first = rows.first(next), from = std::max(first, block.first),
                    past = std::min(first + RowSample::length, end);
        for (Index c = 0; c < block.count && from < past; ++c)
          std::copy(block.data + c * block.stride + (from - block.first), block.data + c * block.stride + (past - block.first),
                    columns.col(c).data() + next * RowSample::length + (from - first));
        if (first + RowSample::length > end) return;  // the rest of the stretch is in the next block
      }
    }
  };

  static constexpr Index rows_of_block = block_rows;
  // A block of this many columns and its vectors fit into the second-level cache.
  static constexpr Index columns_of_block = 64;

  // The number of searches in a window: enough to share the blocks of X, and few enough to need little memory.
  Index suitable_width(Index k) const {
    constexpr double allowance = 32e6;  // bytes
    const double n = double(design_->rows()), p = double(design_->columns());
    const double each = 8 * (n * double(std::max<Index>(k, 0) + 8) + 8 * p);
    return Index(std::clamp(allowance / each, 4.0, 32.0));
  }

  template <class Give>
  void enter(Index number, const Give& give) {
    auto slot = take_slot();
    slot->number = number;
    BatchProblem& problem = slot->problem;
    source_(number, problem);
    problem.options.walks = 1;
    if (width_ == 0) width_ = suitable_width(std::min(problem.options.k, design_->columns()));
    if (auto wrong = broken_rule(design_, problem.rows(), problem.loss, problem.options, problem.options.k)) {
      give(number, compact(refused(design_->columns(), std::move(*wrong))));
      spare_.push_back(std::move(slot));
      return;
    }
    problem.options.limit_k(design_->columns());
    slot->objective.reset(*design_, problem.rows(), *problem.loss, problem.options, interrupt_);
    slot->search.reset(slot->objective, problem.options);
    (run_to_scan(*slot, give) ? slots_ : spare_).push_back(std::move(slot));
  }

  // Reuses the memory of a problem that is done.
  std::unique_ptr<Slot> take_slot() {
    if (spare_.empty()) return std::make_unique<Slot>();
    std::unique_ptr<Slot> slot = std::move(spare_.back());
    spare_.pop_back();
    slot->problem = BatchProblem{};  // because a source need not set all members, e.g. the weights
    return slot;
  }

  // Runs a search up to its next scan of all features. Returns false if the search is done and its result was passed on.
  template <class Give>
  bool run_to_scan(Slot& slot, const Give& give) {
    Search& search = slot.search;
    while (!search.done()) {
      Splicing& engine = search.engine();
      if (engine.question() == Splicing::Question::done)
        search.advance();
      else if (engine.question() == Splicing::Question::refit || engine.columns().list || !slot.objective.scans_by_blocks())
        answer(engine, slot.objective);
      else if (!is_cached())
        return true;
      else
        answer_alone(slot);
    }
    FitResult result;
    take_answer(search, slot.objective, slot.problem.options.k, result);
    give(slot.number, compact(std::move(result)));
    return false;
  }

  // Whether X fits into the cache. Its blocks then need not be shared.
  bool is_cached() const noexcept { return 8 * double(design_->rows()) * double(design_->columns()) < 1e6; }

  void answer_alone(Slot& slot) {
    slot.objective.share_moments(moments_);
    answer(slot.search.engine(), slot.objective);
    if (!moments_.known) moments_ = {};
  }

  // Does the scans of all searches in the window, each of which waits for a scan of all features.
  bool answer_scans() {
    const Index p = design_->columns();
    for (const auto& slot : slots_) {
      Splicing& engine = slot->search.engine();
      slot->objective.share_moments(moments_);
      if (!slot->scan().begin(engine.current(), engine.hessian(), engine, true)) return false;
      slot->status = Status::converged;
    }
    prepare_samples();
    for (Index begin = 0; begin < p; begin += largest_panel) {
      const Columns panel{begin, std::min(largest_panel, p - begin), nullptr};
      if (interrupt_ && interrupt_()) return false;
      for_scanning([&](Slot& slot) { slot.scan().begin_panel(panel); });
      add_blocks(panel);
      for_scanning([&](Slot& slot) { slot.status = slot.scan().end_panel(slot.search.engine()); });
    }
    for_scanning([&](Slot& slot) { slot.scan().end(); });
    if (!moments_.known) moments_ = {};
    for (const auto& slot : slots_) slot->search.engine().answer_scan(slot->status);
    return true;
  }

  // Rows are divided into the same ranges as in a single fit, so that a batch has the same results.
  void add_blocks(const Columns& panel) {
    const Index n = design_->rows();
    const RowRanges ranges;
    for (Index place = 0; place < panel.count; place += columns_of_block) {
      const Index count = std::min(columns_of_block, panel.count - place);
      for (Sample& sample : samples_) sample.next = 0;
      for (Index r = 0; r < ranges.count(n); ++r) {
        if (r > 0) for_scanning([&](Slot& slot) { slot.scan().begin_range(place, count); });
        add_range(ranges.range(r, n, design_->lead()), panel.slice(place, count), place);
        if (r > 0) for_scanning([&](Slot& slot) { slot.scan().end_range(place, count); });
      }
      for_scanning([&](Slot& slot) {
        if (!slot.scan().sample()) return;
        const Sample& sample = *sample_of(*slot.scan().sample());
        slot.scan().add_sample({sample.columns.data(), sample.columns.outerStride(), place, count, 0, sample.rows.rows()});
      });
    }
  }

  void add_range(const RowRange& range, const Columns& columns, Index place) {
    const Index lead = design_->lead();
    for (Index first = range.first, rows = 0; first < range.end(); first += rows) {
      rows = std::min(first < lead ? lead : rows_of_block, range.end() - first);
      Index stride = 0;
      const double* const data = design_->load_block(columns, first, rows, scratch_.data(), stride);
      const DenseBlock block{data, stride, place, columns.count, first, rows};
      add_block(block);
      for (Sample& sample : samples_)
        if (sample.needed) sample.take_from(block);
    }
  }

  void add_block(const DenseBlock& block) {
    slopes_alone_.clear();
    for_scanning([&](Slot& slot) {
      if (slot.scan().needs_slopes_alone())
        slopes_alone_.push_back(&slot.scan());
      else
        slot.scan().add_block(block);
    });
    kernels::accumulate_slopes_of_many(
        block.count, block.rows, [&](Index c) { return block.data + c * block.stride; }, Index(slopes_alone_.size()),
        [&](Index i) { return slopes_alone_[std::size_t(i)]->slopes() + block.first; },
        [&](Index i) { return slopes_alone_[std::size_t(i)]->slope_sums() + block.place; });
  }

  // Makes room for the samples of X that the current scans need. Problems of similar size share one, and samples are reused.
  void prepare_samples() {
    for (Sample& sample : samples_) sample.needed = false;
    for_scanning([&](Slot& slot) {
      if (!slot.scan().sample()) return;
      const RowSample& rows = *slot.scan().sample();
      if (Sample* const there = sample_of(rows))
        there->needed = true;
      else
        samples_.push_back({rows, Eigen::MatrixXd(rows.rows(), columns_of_block), true});
    });
  }
  // Samples of the same size have the same rows.
  Sample* sample_of(const RowSample& rows) {
    const auto place =
        std::find_if(samples_.begin(), samples_.end(), [&](const Sample& s) { return s.rows.stretches() == rows.stretches(); });
    return place == samples_.end() ? nullptr : &*place;
  }

  template <class Visit>
  void for_scanning(const Visit& visit) {
    for (const auto& slot : slots_)
      if (slot->status == Status::converged) visit(*slot);
  }

  const CheckedDesign& design_;
  const ProblemSource& source_;
  Index width_;  // the largest number of searches in the window; 0 until the first problem is known
  const Interrupt& interrupt_;
  std::vector<std::unique_ptr<Slot>> slots_, spare_;  // the searches in the window, and memory that can be reused
  std::vector<Scan*> slopes_alone_;                   // scans whose slopes are summed together
  std::vector<Sample> samples_;
  ColumnMoments moments_;  // for the weights of the first problem, which are often those of the others
  Eigen::VectorXd scratch_;
};

}  // namespace internal

KSPARSE_ENTRY std::vector<CompactFit> fit_many(const AnyDesign& X, Index count, const ProblemSource& source, const Run& run,
                                               Index width) {
  CompactFit unanswered;
  unanswered.info.status = Status::interrupted;
  std::vector<CompactFit> answers(std::size_t(std::max<Index>(count, 0)), unanswered);
  const Index windows = std::min<Index>(std::max(run.threads, 1), count);
  std::atomic<Index> next{0};
  const auto take = [&]() -> Index {
    const Index number = next++;
    return number < count ? number : -1;
  };
  ProgressCounter counter(run.progress, Index(answers.size()), run.interrupt);
  BatchProblem first;  // all problems usually have its constraints
  if (count > 0) source(0, first);
  const CheckedDesign checked(*X, count, !first.options.constraints.groups.empty());
  const auto give = [&](Index number, CompactFit fit) {
    answers[std::size_t(number)] = std::move(fit);
    counter.count();
  };
  const auto work = [&](Index, const Interrupt& stopped) {
    internal::Window(checked, source, std::max<Index>(width, 0), stopped).run(take, give);
  };
  if (for_each_task(windows, run.threads, counter.interrupt(), work)) counter.finish();
  return answers;
}

}  // namespace ksparse
