// Chooses the parts of an objective that depend on the storage and the values of X. Only this file checks whether X is sparse,
// or a table of two-valued columns.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "../design/design.hpp"
#include "../design/sparse.hpp"
#include "../design/two_valued_rows.hpp"
#include "../options.hpp"
#include "cell_rows.hpp"
#include "cell_sums.hpp"
#include "column_store.hpp"
#include "compact_rows.hpp"
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
  const Design* scattered() const noexcept override { return design_->columns_contiguous() ? nullptr : design_; }
  bool is_shared() const noexcept override { return true; }
  void gather(Index column, Index first, Index rows, double* target) override { design_->gather(column, first, rows, target); }

 private:
  const Design* design_ = nullptr;
};

class Storage {
 public:
  /// The required sizes of buffers.
  struct Sizes {
    Index entries;   // columns of a panel
    Index capacity;  // active columns on the way
    Index chosen;    // and of an answer
    Index member;    // columns of the largest group; 0: there are no groups
  };

  /// `reduces`: whether fewer rows may stand for all of them.
  void choose(const Design& design, const Rows& rows, bool reduces, Index capacity, Interruption& interruption) {
    design_ = &design;
    two_valued_.reset();
    if (const SparseDesign* const entries = design.sparse()) {
      if (!sparse_) sparse_ = std::make_unique<Sparse>();
      source_ = &sparse_->source;
      sparse_->source.reset(*entries, capacity, interruption);
      if (!reduces) return sparse_->compact.reset();
      if (!sparse_->compact) sparse_->compact.emplace();
      sparse_->compact->reset(rows.count(), rows.response(), rows.weight(), sparse_->source.reader());
      return;
    }
    sparse_.reset();
    dense_.source.reset(design);
    source_ = &dense_.source;
    const bool few = rows.count() < few_rows || (rows.count() < many_rows && rows.count() < design.columns());
    if (!reduces || few || capacity > Cells::most_columns) return;
    if (auto table = TwoValuedRows::read(design, rows.response().data(), rows.weight().data(), interruption.as_function()))
      two_valued_ = std::make_unique<TwoValued>(std::move(*table), rows.count());
  }
  ColumnSource& source() const noexcept { return *source_; }
  /// Which columns are worth keeping, for `chosen` active ones in the end and `capacity` on the way.
  ColumnStore::Room room(Index chosen, Index capacity) const {
    const bool side_by_side = chosen > kernels::few_vectors;
    if (sparse_ || !(side_by_side || source_->scattered())) return {};
    // Some more than the working set, since a path puts features of its entries into it.
    const Index usual = Options::working_set(design_->columns(), capacity);
    return {std::min(usual + usual / 2, design_->columns()), side_by_side};
  }
  /// How fewer rows are found that stand for all of them, or null.
  ReducedRows* reduced_rows() const noexcept {
    if (two_valued_) return &two_valued_->rows;
    return sparse_ && sparse_->compact ? &*sparse_->compact : nullptr;
  }
  /// Whether sums may be taken of blocks of rows that others load.
  bool sums_blocks() const noexcept { return !sparse_ && !two_valued_; }

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
  PanelSums* slopes() noexcept { return sums_blocks() ? &dense_.slope_sums : nullptr; }
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
    std::optional<CompactRows> compact;
    SparseSums sums;
    EntryGroups groups;
  };
  struct TwoValued {
    TwoValued(TwoValuedRows read, Index all) : table(std::move(read)), rows(table, all) {}
    TwoValuedRows table;
    CellRows rows;
    std::optional<CellSums> sums;
  };

  // With fewer rows than this, a pass over all rows takes no longer than finding the cells. Until there are many, it is not worth reading more
  // columns than rows: most of them are never in a support.
  static constexpr Index few_rows = 128, many_rows = 1024;

  void connect_dense(const Linearisation& linearisation, const Rows& rows, const Sizes& sizes) {
    dense_.slopes.reset(*design_, linearisation, sizes.entries);
    dense_.sums.reset(*design_, linearisation, sizes.entries, sizes.capacity);
    dense_.slope_sums.reset(linearisation, dense_.slopes);
    sums_ = &dense_.sums;
    groups_ = &gathered_;
    if (two_valued_) {
      two_valued_->sums.emplace(two_valued_->rows, linearisation, dense_.sums);
      sums_ = &*two_valued_->sums;
      return;
    }
    if (sizes.member > 0 || !SampledSums::pays(rows, sizes.chosen)) return;
    dense_.sampled.reset(*design_, linearisation, dense_.slopes, SampledSums::size_for(rows, sizes.chosen), sizes.capacity);
    sampled_ = &dense_.sampled;
  }
  void connect_sparse(const Linearisation& linearisation, Rows& rows, const Sizes& sizes) {
    sparse_->sums.reset(sparse_->source, sparse_->compact ? &*sparse_->compact : nullptr, linearisation, rows,
                        design_->columns(), sizes.capacity);
    sums_ = &sparse_->sums;
    groups_ = &sparse_->groups;
    if (sizes.member > 0) sparse_->groups.reset(sparse_->source, linearisation, sparse_->sums, gathered_);
  }

  const Design* design_ = nullptr;
  Dense dense_;
  std::unique_ptr<Sparse> sparse_;
  std::unique_ptr<TwoValued> two_valued_;
  GatheredGroups gathered_;
  ColumnSource* source_ = nullptr;
  PanelSums *sums_ = nullptr, *sampled_ = nullptr;
  GroupSums* groups_ = nullptr;
};

}  // namespace ksparse
