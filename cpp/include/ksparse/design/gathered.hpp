// A base class for a custom X, e.g. compressed or computed, that can only return consecutive rows of a column as doubles. The
// other kernels use such pieces of columns, which fit into the first-level cache.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>

#include "design.hpp"
#include "kernels.hpp"

namespace ksparse {

/// A derived class defines rows(), columns() and gather(), which several threads may call at once.
class GatheredDesign : public Design {
 public:
  bool columns_contiguous() const noexcept override { return true; }

  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept final {
    for_stretches(columns, block, [&](const double* x, const RowBlock& part, Index c) {
      kernels::column_tile<1>(&x, part, part.cross_count, c, sums);
    });
  }
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept final {
    for_stretches(columns, block,
                  [&](const double* x, const RowBlock& part, Index c) { kernels::slope_tile<1>(&x, part, c, sums); });
  }
  const double* load_block(const Columns& columns, Index first, Index rows, double* scratch,
                           Index& stride) const noexcept final {
    stride = block_stride(rows);
    for (Index c = 0; c < columns.count; ++c) gather(columns[c], first, rows, scratch + c * stride);
    return scratch;
  }

 private:
  template <class Visit>
  void for_stretches(const Columns& columns, const RowBlock& block, const Visit& visit) const noexcept {
    constexpr Index strip = 128;
    double buffer[strip];
    for (Index c = 0; c < columns.count; ++c)
      for (Index begin = 0; begin < block.rows; begin += strip) {
        const RowBlock part = block.part(begin, std::min(strip, block.rows - begin));
        gather(columns[c], part.first, part.rows, buffer);
        visit(buffer, part, c);
      }
  }
};

}  // namespace ksparse
