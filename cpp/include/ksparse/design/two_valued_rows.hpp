// The distinct rows of a table in which every column has two values, such as one-hot columns of categories or columns of the
// form "x > t". Each entry is stored as one bit. Rows that are equal in all columns and in their class are stored once, with
// the sum of their weights. Nothing is stored of a large X of bytes whose rows differ: they are read where they are.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "../types.hpp"
#include "design.hpp"

namespace ksparse {

class TwoValuedRows {
 public:
  /// Reads X. `sign` (n,) is +1 or -1, according to the class. Rows of weight 0 are left out and may have any values. Returns
  /// nothing if a column has a third value, which the first block of rows shows for continuous columns, or if interrupted.
  static std::optional<TwoValuedRows> read(const Design& design, const double* sign, const double* weight,
                                           const Interrupt& interrupt) {
    if (!looks_two_valued(design, weight)) return std::nullopt;
    TwoValuedRows rows(design.columns());
    if (rows.read_in_place(design, sign, weight, interrupt)) return rows;
    const Packed packed = pack(design, weight, interrupt, rows.low_, rows.high_);
    if (packed.words.empty()) return std::nullopt;
    rows.merge(packed, design.rows(), sign, weight);
    return rows;
  }

  Index count() const noexcept { return Index(weight_.size()); }  // distinct rows, or all rows of an X that is read in place
  Index columns() const noexcept { return Index(low_.size()); }
  double low(Index column) const noexcept { return low_[std::size_t(column)]; }
  double high(Index column) const noexcept { return high_[std::size_t(column)]; }
  double weight(Index row) const noexcept { return weight_[std::size_t(row)]; }
  bool is_positive(Index row) const noexcept { return positive_[std::size_t(row)] != 0; }
  /// Whether the rows are those of X, which must exist as long as this object. They are not stored by row then.
  bool is_in_place() const noexcept { return design_ != nullptr; }
  /// A column as (count,) numbers, which are 1 for rows with the high value and 0 for others.
  ByteColumn column(Index column) const noexcept {
    return design_ ? design_->bytes(column) : ByteColumn{by_column_.data() + column * count(), 1};
  }
  /// A stored row as (row_bytes,) bytes of 8 columns each, the first of which is the lowest bit.
  const std::uint8_t* row(Index row) const noexcept { return by_row_.data() + row * row_bytes(); }
  Index row_bytes() const noexcept { return (columns() + 7) / 8; }

 private:
  static constexpr Index few_rows = 16, block_rows = 512, word_bits = 64;
  // From this number of entries on, the memory of a table matters.
  static constexpr Index many_entries = Index(1) << 22;

  // X with one bit for each entry, and `per_row` words for each row.
  struct Packed {
    std::vector<std::uint64_t> words;
    Index per_row = 0;
    const std::uint64_t* row(Index i) const noexcept { return words.data() + i * per_row; }
  };

  explicit TwoValuedRows(Index columns) : low_(std::size_t(columns)), high_(std::size_t(columns)) {}

  // Whether no column has a third value in its first few rows. Most tables have a column with many values, which these show, so
  // that a fit of such a table allocates nothing here.
  static bool looks_two_valued(const Design& design, const double* weight) {
    double block[few_rows];
    const Index rows = std::min(few_rows, design.rows());
    for (Index column = 0; column < design.columns(); ++column) {
      double low = std::numeric_limits<double>::quiet_NaN(), high = low;
      design.gather(column, 0, rows, block);
      if (!note_values(block, weight, rows, low, high)) return false;
    }
    return true;
  }

  // Takes the rows of X as they are if it has many of them, which are bytes of 0 and 1 and differ. Equal rows are stored once
  // instead, and so are rows if some of them are left out.
  bool read_in_place(const Design& design, const double* sign, const double* weight, const Interrupt& interrupt) {
    const Index n = design.rows(), p = design.columns();
    if (p == 0 || n < many_entries / p || !design.bytes(0).first) return false;
    if (!std::all_of(weight, weight + n, [](double w) { return w > 0; }) || !rows_differ(design)) return false;
    for (Index j = 0; j < p; ++j)
      if ((interrupt && interrupt()) || !has_only_bits(design.bytes(j), n)) return false;
    design_ = &design;
    std::fill(high_.begin(), high_.end(), 1.0);
    weight_.assign(weight, weight + n);
    positive_.resize(std::size_t(n));
    std::transform(sign, sign + n, positive_.begin(), [](double s) { return char(s > 0); });
    return true;
  }

  static bool has_only_bits(const ByteColumn& column, Index n) noexcept {
    std::uint8_t all = 0;
    for (Index i = 0; i < n; ++i) all |= column.first[i * column.stride];
    return all <= 1;
  }

  // Whether nearly all of some rows from all parts of X differ. Among m rows, m (m - 1) / (2 d) pairs are equal on average if
  // there are d equally frequent ones.
  static bool rows_differ(const Design& design) {
    constexpr Index stretches = 64, length = 64, sampled = stretches * length, few_equal = sampled / 50;
    const Index n = design.rows();
    if (n < sampled) return false;
    std::vector<std::uint64_t> hashes(std::size_t(sampled), 0);
    for (Index j = 0; j < design.columns(); ++j) {
      const ByteColumn column = design.bytes(j);
      for (Index s = 0; s < sampled; ++s) {
        const Index row = s / length * ((n - length) / (stretches - 1)) + s % length;
        std::uint64_t& h = hashes[std::size_t(s)];
        h = (h ^ column.first[row * column.stride]) * 0xff51afd7ed558ccdu + 1;
        h ^= h >> 32;
      }
    }
    std::sort(hashes.begin(), hashes.end());
    return Index(std::unique(hashes.begin(), hashes.end()) - hashes.begin()) >= sampled - few_equal;
  }

  static Packed pack(const Design& design, const double* weight, const Interrupt& interrupt, std::vector<double>& low,
                     std::vector<double>& high) {
    const Index n = design.rows(), p = design.columns();
    std::vector<double> block(std::size_t(std::min(block_rows, n)));
    const auto values_of = [&](Index column, Index first, Index rows) {
      design.gather(column, first, rows, block.data());
      return note_values(block.data(), weight + first, rows, low[std::size_t(column)], high[std::size_t(column)]);
    };
    std::fill(low.begin(), low.end(), std::numeric_limits<double>::quiet_NaN());
    high = low;
    for (Index column = 0; column < p; ++column)
      if (!values_of(column, 0, std::min(block_rows, n))) return {};
    Packed packed;
    packed.per_row = (p + word_bits - 1) / word_bits;
    packed.words.assign(std::size_t(n * packed.per_row), 0);
    for (Index column = 0; column < p; ++column) {
      if (interrupt && interrupt()) return {};
      const Index word = column / word_bits, bit = column % word_bits;
      for (Index first = 0; first < n; first += block_rows) {
        const Index rows = std::min(block_rows, n - first);
        if (!values_of(column, first, rows)) return {};
        std::uint64_t* target = packed.words.data() + first * packed.per_row + word;
        const double one = high[std::size_t(column)];
        for (Index i = 0; i < rows; ++i) target[i * packed.per_row] |= std::uint64_t(block[std::size_t(i)] == one) << bit;
      }
    }
    for (std::size_t column = 0; column < low.size(); ++column) {
      if (!(low[column] == low[column])) low[column] = 0;  // all rows have weight 0
      if (!(high[column] == high[column])) high[column] = low[column];
    }
    return packed;
  }

  // Reads values of a column. Returns false if there is a third value, or one that is not finite.
  static bool note_values(const double* x, const double* weight, Index rows, double& low, double& high) noexcept {
    for (Index i = 0; low != low && i < rows; ++i)
      if (weight[i] > 0) low = x[i];
    for (Index i = 0; high != high && i < rows; ++i)
      if (weight[i] > 0 && x[i] != low) high = x[i];
    // Without branches, which would be mispredicted in every other row.
    bool other = false;
    for (Index i = 0; i < rows; ++i) other |= (x[i] != low) & (x[i] != high) & (weight[i] > 0);
    return !other && !std::isinf(low) && !std::isinf(high);
  }

  static std::uint64_t hash(const std::uint64_t* words, Index count, bool positive) noexcept {
    std::uint64_t h = positive ? 0x9e3779b97f4a7c15u : 0x2545f4914f6cdd1du;
    for (Index i = 0; i < count; ++i) {
      h = (h ^ words[i]) * 0xff51afd7ed558ccdu;
      h ^= h >> 32;
    }
    return h;
  }

  void merge(const Packed& packed, Index n, const double* sign, const double* weight) {
    std::size_t places = 16;
    while (places < 2 * std::size_t(n)) places *= 2;
    std::vector<Index> distinct_at(places, -1), origin;
    for (Index i = 0; i < n; ++i) {
      if (!(weight[i] > 0)) continue;
      const bool positive = sign[i] > 0;
      const std::uint64_t* const words = packed.row(i);
      std::size_t place = std::size_t(hash(words, packed.per_row, positive)) & (places - 1);
      const auto is_same = [&](Index distinct) {
        return is_positive(distinct) == positive &&
               std::equal(words, words + packed.per_row, packed.row(origin[std::size_t(distinct)]));
      };
      while (distinct_at[place] >= 0 && !is_same(distinct_at[place])) place = (place + 1) & (places - 1);
      if (distinct_at[place] >= 0) {
        weight_[std::size_t(distinct_at[place])] += weight[i];
        continue;
      }
      distinct_at[place] = count();
      origin.push_back(i);
      weight_.push_back(weight[i]);
      positive_.push_back(positive);
    }
    unpack(packed, origin);
  }

  // Works on blocks of rows, whose words stay in the first-level cache.
  void unpack(const Packed& packed, const std::vector<Index>& origin) {
    const Index n = count(), bytes = row_bytes();
    by_column_.resize(std::size_t(columns() * n));
    by_row_.resize(std::size_t(n * bytes));
    const std::uint64_t* words[block_rows];
    for (Index first = 0; first < n; first += block_rows) {
      const Index rows = std::min(block_rows, n - first);
      for (Index i = 0; i < rows; ++i) words[i] = packed.row(origin[std::size_t(first + i)]);
      for (Index j = 0; j < columns(); ++j) {
        std::uint8_t* const target = by_column_.data() + j * n + first;
        const Index word = j / word_bits, bit = j % word_bits;
        for (Index i = 0; i < rows; ++i) target[i] = words[i][word] >> bit & 1;
      }
      std::uint8_t* target = by_row_.data() + first * bytes;
      for (Index i = 0; i < rows; ++i)
        for (Index b = 0; b < bytes; ++b) *target++ = std::uint8_t(words[i][b / 8] >> (8 * (b % 8)));
    }
  }

  const Design* design_ = nullptr;       // X if it is read in place
  std::vector<double> low_, high_;       // (p,)
  std::vector<double> weight_;           // (count,)
  std::vector<char> positive_;           // (count,)
  std::vector<std::uint8_t> by_column_;  // (count, p), by column
  std::vector<std::uint8_t> by_row_;     // (count, row_bytes), by row
};

}  // namespace ksparse
