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

  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    for_stretches(columns, block, sums, [](Index count, const RowBlock& part, const Sums& to, const auto& pointer) {
      kernels::accumulate_columns(count, part, to, pointer, [&](Index) { return part.cross_count; });
    });
  }
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    for_stretches(columns, block, sums, [](Index count, const RowBlock& part, const Sums& to, const auto& pointer) {
      kernels::accumulate_slopes(count, part, to, pointer);
    });
  }
  const double* load_block(const Columns& columns, Index first, Index rows, double* scratch,
                           Index& stride) const noexcept override {
    stride = block_stride(rows);
    for (Index c = 0; c < columns.count; ++c) gather(columns[c], first, rows, scratch + c * stride);
    return scratch;
  }

 private:
  // Calls visit(count, part, sums, pointer) for a few columns and a part of the rows, which fit into the first-level cache.
  template <class Visit>
  void for_stretches(const Columns& columns, const RowBlock& block, const Sums& sums, const Visit& visit) const noexcept {
    constexpr Index few = 8, strip = 128;
    double buffer[few * strip];
    const auto pointer = [&buffer](Index c) -> const double* { return buffer + c * strip; };
    for (Index place = 0; place < columns.count; place += few) {
      const Index count = std::min(few, columns.count - place);
      for (Index begin = 0; begin < block.rows; begin += strip) {
        const RowBlock part = block.part(begin, std::min(strip, block.rows - begin));
        for (Index c = 0; c < count; ++c) gather(columns[place + c], part.first, part.rows, buffer + c * strip);
        visit(count, part, Sums{sums.data + place, sums.stride}, pointer);
      }
    }
  }
};

}  // namespace ksparse
