// Reads single columns of X, raw or in units.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../types.hpp"
#include "rows.hpp"
#include "units.hpp"

namespace ksparse {

/// The raw columns of X, in one storage or another (storage.hpp).
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  /// A stretch of a column, as Design::gather.
  virtual void gather(Index column, Index first, Index rows, double* target) = 0;
  /// Whether announcing the columns that will be read saves time.
  virtual bool reads_ahead() const noexcept { return false; }
  /// Announces them. Returns false if interrupted.
  virtual bool fetch(const Columns&) { return true; }
  /// Whether a column is known to be finite and 0 in every row of positive weight, without reading all rows.
  virtual bool is_empty(Index /*column*/, const double* /*weight*/) { return false; }
};

class ColumnReader {
 public:
  void reset(ColumnSource& source, const Units& units, const Rows& rows) noexcept {
    source_ = &source;
    units_ = &units;
    rows_ = &rows;
  }

  /// A stretch of a column in units; 0 in rows of weight 0.
  void gather(Index column, Index first, Index rows, double* target) const {
    source_->gather(column, first, rows, target);
    const double centre = units_->centre(column), factor = units_->factor(column);
    if (rows_->has_absent()) {
      const double* const weight = rows_->weight().data() + first;
      for (Index i = 0; i < rows; ++i) target[i] = weight[i] > 0 ? (target[i] - centre) * factor : 0.0;
    } else {
      for (Index i = 0; i < rows; ++i) target[i] = (target[i] - centre) * factor;
    }
  }

  ColumnSource& source() const noexcept { return *source_; }
  const Units& units() const noexcept { return *units_; }
  const Rows& rows() const noexcept { return *rows_; }

 private:
  ColumnSource* source_ = nullptr;
  const Units* units_ = nullptr;
  const Rows* rows_ = nullptr;
};

}  // namespace ksparse
