// The parts of an answer that depend on how X is stored. This is the one place that asks whether X is sparse.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "../design/design.hpp"
#include "../design/sparse.hpp"
#include "column_reader.hpp"
#include "dense_sums.hpp"
#include "group_sums.hpp"
#include "linearisation.hpp"
#include "rows.hpp"
#include "sampled_sums.hpp"
#include "slope_sums.hpp"
#include "sparse_sums.hpp"

namespace ksparse {

/// Single columns of a dense X.
class DenseSource final : public ColumnSource {
 public:
  void reset(const Design& design) noexcept { design_ = &design; }
  void gather(Index column, Index first, Index rows, double* target) override { design_->gather(column, first, rows, target); }

 private:
  const Design* design_ = nullptr;
};

class Storage {
 public:
  /// What buffers have to hold.
  struct Sizes {
    Index entries;   // columns of a panel
    Index capacity;  // active columns on the way
    Index chosen;    // and of an answer
    Index member;    // columns of the largest group; 0: there are no groups
  };

  void choose(const Design& design, Index capacity, Interruption& interruption) {
    design_ = &design;
    const SparseDesign* const entries = design.sparse();
    if (!entries) {
      sparse_.reset();
      dense_.source.reset(design);
      source_ = &dense_.source;
      return;
    }
    if (!sparse_) sparse_ = std::make_unique<Sparse>();
    sparse_->source.reset(*entries, capacity, interruption);
    source_ = &sparse_->source;
  }
  ColumnSource& source() const noexcept { return *source_; }
  /// Of a sparse X, else null.
  SparseReader* reader() const noexcept { return sparse_ ? &sparse_->source.reader() : nullptr; }

  /// The sums for a problem.
  void connect(const Linearisation& linearisation, Rows& rows, const Sizes& sizes) {
    sampled_ = nullptr;
    if (sizes.member > 0) gathered_.reset(linearisation, sizes.member, sizes.capacity);
    if (sparse_)
      connect_sparse(linearisation, rows, sizes);
    else
      connect_dense(linearisation, rows, sizes);
  }
  PanelSums& sums() const noexcept { return *sums_; }
  GroupSums& groups() const noexcept { return *groups_; }
  /// x.r alone, and sums of a sample; null where there is no such way.
  PanelSums* slopes() noexcept { return sparse_ ? nullptr : &dense_.slope_sums; }
  PanelSums* sampled() const noexcept { return sampled_; }

 private:
  struct Dense {
    DenseSource source;
    SlopeAdder slopes;
    DenseSums sums;
    SlopeSums slope_sums;
    SampledSums sampled;
  };
  struct Sparse {
    EntrySource source;
    SparseSums sums;
    EntryGroups groups;
  };

  void connect_dense(const Linearisation& linearisation, const Rows& rows, const Sizes& sizes) {
    dense_.slopes.reset(*design_, linearisation, sizes.entries);
    dense_.sums.reset(*design_, linearisation, sizes.entries, sizes.capacity, sizes.chosen);
    dense_.slope_sums.reset(linearisation, dense_.slopes);
    sums_ = &dense_.sums;
    groups_ = &gathered_;
    if (sizes.member > 0 || !SampledSums::pays(rows, sizes.chosen)) return;
    dense_.sampled.reset(*design_, linearisation, dense_.slopes, SampledSums::size_for(rows, sizes.chosen), sizes.capacity);
    sampled_ = &dense_.sampled;
  }
  void connect_sparse(const Linearisation& linearisation, Rows& rows, const Sizes& sizes) {
    sparse_->sums.reset(sparse_->source, linearisation, rows, design_->columns(), sizes.capacity);
    sums_ = &sparse_->sums;
    groups_ = &sparse_->groups;
    if (sizes.member > 0) sparse_->groups.reset(sparse_->source, linearisation, sparse_->sums, gathered_);
  }

  const Design* design_ = nullptr;
  Dense dense_;
  std::unique_ptr<Sparse> sparse_;
  GatheredGroups gathered_;
  ColumnSource* source_ = nullptr;
  PanelSums *sums_ = nullptr, *sampled_ = nullptr;
  GroupSums* groups_ = nullptr;
};

}  // namespace ksparse
