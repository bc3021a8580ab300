// Reads columns of X, raw or in units.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "../design/design.hpp"
#include "../types.hpp"
#include "row_ranges.hpp"
#include "rows.hpp"
#include "units.hpp"

namespace ksparse {

/// The raw columns of X, in one storage or another (storage.hpp).
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  /// A stretch of a column, as Design::gather.
  virtual void gather(Index column, Index first, Index rows, double* target) = 0;
  /// X if its columns are scattered in memory, so that several of them are read in less time together, as Design::load_block
  /// does; else null.
  virtual const Design* scattered() const noexcept { return nullptr; }
  /// Whether several threads may read at once.
  virtual bool is_shared() const noexcept { return false; }
  /// Whether announcing the columns that will be read saves time.
  virtual bool reads_ahead() const noexcept { return false; }
  /// Announces them. Returns false if interrupted.
  virtual bool fetch(const Columns&) { return true; }
  /// Whether a column is known to be finite and 0 in every row of positive weight, without reading all rows.
  virtual bool is_empty(Index /*column*/, const double* /*weight*/) { return false; }
};

class ColumnReader {
 public:
  /// Columns that are read together.
  static constexpr Index columns_at_once = 64;

  void reset(ColumnSource& source, const Units& units, const Rows& rows) noexcept {
    source_ = &source;
    units_ = &units;
    rows_ = &rows;
  }

  /// A stretch of a column in units; 0 in rows of weight 0.
  void gather(Index column, Index first, Index rows, double* target) const {
    source_->gather(column, first, rows, target);
    convert(column, first, rows, target, target);
  }
  /// The same stretch of several columns, that of the one at place c to target(c). `scratch` has scratch_size() elements.
  template <class Target>
  void gather(const Columns& columns, Index first, Index rows, double* scratch, const Target& target) const {
    const Design* const X = source_->scattered();
    if (!X) {
      for (Index c = 0; c < columns.count; ++c) gather(columns[c], first, rows, target(c));
      return;
    }
    for (Index begin = 0; begin < rows; begin += block_rows)
      for (Index place = 0; place < columns.count; place += columns_at_once) {
        const Columns part = columns.slice(place, std::min(columns_at_once, columns.count - place));
        const Index from = first + begin, count = std::min(block_rows, rows - begin);
        Index stride = 0;
        const double* const loaded = X->load_block(part, from, count, scratch, stride);
        for (Index c = 0; c < part.count; ++c) convert(part[c], from, count, loaded + c * stride, target(place + c) + begin);
      }
  }
  Index scratch_size() const noexcept { return source_->scattered() ? columns_at_once * block_stride(block_rows) : 0; }

  ColumnSource& source() const noexcept { return *source_; }
  const Units& units() const noexcept { return *units_; }
  const Rows& rows() const noexcept { return *rows_; }

 private:
  // Raw numbers to units, in place if the target is where they are.
  void convert(Index column, Index first, Index rows, const double* raw, double* target) const {
    const double centre = units_->centre(column), factor = units_->factor(column);
    if (rows_->has_absent()) {
      const double* const weight = rows_->weight().data() + first;
      for (Index i = 0; i < rows; ++i) target[i] = weight[i] > 0 ? (raw[i] - centre) * factor : 0.0;
    } else {
      for (Index i = 0; i < rows; ++i) target[i] = (raw[i] - centre) * factor;
    }
  }

  ColumnSource* source_ = nullptr;
  const Units* units_ = nullptr;
  const Rows* rows_ = nullptr;
};

}  // namespace ksparse
