// X as scans and refits see it: a few kernels over blocks of rows. A virtual call per block of 512 rows costs nothing.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kernels.hpp"
#include "row_sample.hpp"

namespace ksparse {

/// Elements from one column to the next where load_block fills its scratch of columns.count * block_stride(rows): whole cache
/// lines, and an odd number of them, so that columns do not fall into the same few sets of the caches.
constexpr Index block_stride(Index rows) noexcept {
  constexpr Index line = 64 / Index(sizeof(double));
  return ((rows + line - 1) / line | 1) * line;
}

class SparseDesign;  // sparse.hpp

class Design {
 public:
  virtual ~Design() = default;
  virtual Index rows() const noexcept = 0;
  virtual Index columns() const noexcept = 0;

  /// The same X as a sparse one, if it is: scans then take all rows at once.
  virtual const SparseDesign* sparse() const noexcept { return nullptr; }
  /// X stored by columns, if that is worth making for many problems over the same X; else null.
  virtual std::shared_ptr<const Design> by_columns() const { return nullptr; }
  /// What is wrong with how X is stored, in words.
  virtual std::optional<std::string> problem() const { return std::nullopt; }

  /// Whether scattered columns are cheap to read.
  virtual bool columns_contiguous() const noexcept = 0;
  /// Rows of a first short block after which whole blocks are read fastest.
  virtual Index lead() const noexcept { return 0; }

  /// A stretch of one column.
  virtual void gather(Index column, Index first, Index rows, double* target) const noexcept = 0;
  /// The rows of a sample of one column, side by side.
  virtual void gather_sample(Index column, const RowSample& sample, double* target) const noexcept {
    for (Index s = 0; s < sample.stretches(); ++s)
      gather(column, sample.first(s), RowSample::length, target + s * RowSample::length);
  }
  /// Adds all sums of a block of rows (kernels.hpp).
  virtual void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept = 0;
  /// Adds the first of them alone, of consecutive columns.
  virtual void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept = 0;
  /// A block as columns of doubles, `stride` apart, in place where it is that already, else in the scratch.
  virtual const double* load_block(const Columns& columns, Index first, Index rows, double* scratch,
                                   Index& stride) const noexcept = 0;

 protected:
  Design() = default;
  Design(const Design&) = default;
  Design& operator=(const Design&) = default;
};

}  // namespace ksparse
