// The interface to X for scans and refits, which are kernels over blocks of rows. The cost of a virtual call for 512 rows is
// negligible.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kernels.hpp"
#include "row_sample.hpp"

namespace ksparse {

/// Distance between columns in the scratch memory of load_block, which has columns.count * block_stride(rows) elements. It is
/// an odd number of cache lines, so that columns do not compete for the same cache sets.
constexpr Index block_stride(Index rows) noexcept {
  constexpr Index line = 64 / Index(sizeof(double));
  return ((rows + line - 1) / line | 1) * line;
}

class SparseDesign;  // sparse.hpp

/// A column of bytes in memory.
struct ByteColumn {
  const std::uint8_t* first = nullptr;
  Index stride = 1;  // distance between rows
};

class Design {
 public:
  virtual ~Design() = default;
  virtual Index rows() const noexcept = 0;
  virtual Index columns() const noexcept = 0;

  /// Returns this X as a sparse one if it is sparse, else null. Scans of a sparse X process all rows at once.
  virtual const SparseDesign* sparse() const noexcept { return nullptr; }
  /// Returns a copy of X by columns if it makes many problems with the same X faster, else null.
  virtual std::shared_ptr<const Design> by_columns() const { return nullptr; }
  /// A message if the storage of X is invalid.
  virtual std::optional<std::string> problem() const { return std::nullopt; }

  /// Whether scattered columns are cheap to read.
  virtual bool columns_contiguous() const noexcept = 0;
  /// Number of rows in a short first block, such that all blocks after it are aligned.
  virtual Index lead() const noexcept { return 0; }

  /// Copies consecutive rows of a column.
  virtual void gather(Index column, Index first, Index rows, double* target) const noexcept = 0;
  /// Returns a column in place if X consists of bytes whose values 0 and 1 are the numbers 0 and 1, else null. The entries of a row or those
  /// of a column lie one after another.
  virtual ByteColumn bytes(Index) const noexcept { return {}; }
  /// Copies the rows of a sample of a column.
  virtual void gather_sample(Index column, const RowSample& sample, double* target) const noexcept {
    for (Index s = 0; s < sample.stretches(); ++s)
      gather(column, sample.first(s), RowSample::length, target + s * RowSample::length);
  }
  /// Adds all sums of a block of rows (kernels.hpp).
  virtual void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept = 0;
  /// Adds only the first of these sums, for consecutive columns.
  virtual void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept = 0;
  /// Returns a block as columns of doubles at a distance of `stride`: in place if X is stored so, else in the scratch memory.
  virtual const double* load_block(const Columns& columns, Index first, Index rows, double* scratch,
                                   Index& stride) const noexcept = 0;

 protected:
  Design() = default;
  Design(const Design&) = default;
  Design& operator=(const Design&) = default;
};

}  // namespace ksparse
