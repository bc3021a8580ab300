// Groups the rows of two-valued columns into the cells of a contingency table. The rows of a cell have the same values in all
// columns of a support and the same class, so they have the same linear predictor and the same loss. With k columns there are
// at most 2^k cells per class, however many rows X has.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../design/two_valued_rows.hpp"
#include "../types.hpp"
#include "../util/pack.hpp"

namespace ksparse {

class Cells {
 public:
  /// The largest number of columns of a support. A key has one bit for each column, and one for the class.
  static constexpr Index most_columns = 31;

  /// Makes room for at most `most` cells of these rows, which must exist as long as this object.
  Cells(const TwoValuedRows& rows, Index most)
      : rows_(rows), most_(most), keys_(std::size_t(rows.count())), cell_of_(std::size_t(rows.count())) {
    for (Index i = 0; i < rows.count(); ++i) keys_[std::size_t(i)] = rows.is_positive(i);
    std::size_t places = 16;
    while (places < 4 * std::size_t(most)) places *= 2;
    table_.resize(places);
    shift_ = 32;
    for (std::size_t size = places; size > 1; size /= 2) --shift_;
    const std::size_t keys = std::max(most_keys(), sums * few_keys);
    weight_of_key_.resize(keys);
    cell_of_key_.resize(keys);
    cell_keys_.reserve(std::size_t(most));
    keyed_.reserve(std::size_t(most_columns));
    changed_.reserve(std::size_t(most_columns));
    const Index padded = padded_to_pack(most);
    sign_.resize(padded);
    weight_.resize(padded);
  }

  /// Finds the cells for these columns. Returns false if there are too many.
  bool group(const std::vector<Index>& columns) {
    if (Index(columns.size()) > most_columns) return false;
    set_keys(columns);
    cell_keys_.clear();
    const std::size_t keys = std::size_t(2) << columns.size();
    by_key_ = keys <= most_keys();
    if (!(by_key_ ? sum_by_key(keys) : find_cells())) return false;
    for (Index c = count(); c < padded(); ++c) {
      sign_[c] = 1;
      weight_[c] = 0;
    }
    return true;
  }

  Index count() const noexcept { return Index(cell_keys_.size()); }
  Index most() const noexcept { return most_; }
  Index padded() const noexcept { return padded_to_pack(count()); }  // including cells of weight 0, which fill the last pack
  Index cell_of(Index row) const noexcept {
    return by_key_ ? cell_of_key_[keys_[std::size_t(row)]] : cell_of_[std::size_t(row)];
  }
  /// Whether a cell has the high value of the column at this place of the support.
  bool is_high(Index cell, Index place) const noexcept { return cell_keys_[std::size_t(cell)] >> (place + 1) & 1; }
  const Eigen::VectorXd& sign() const noexcept { return sign_; }      // (at least padded,)
  const Eigen::VectorXd& weight() const noexcept { return weight_; }  // (at least padded,)

 private:
  static constexpr Index block_rows = 2048;  // rows whose keys stay in the first-level cache
  // If there are at most this many keys, rows are added to several sums in turn, because each addition to a sum must wait for
  // the one before.
  static constexpr std::size_t few_keys = 256, sums = 4;

  // Up to this number of possible keys, each key has its own place in the tables.
  std::size_t most_keys() const noexcept { return std::min(2 * keys_.size(), 8 * std::size_t(most_)); }

  // Changes only the bits of columns that were not at the same place before.
  void set_keys(const std::vector<Index>& columns) {
    std::uint32_t kept = 1;
    changed_.clear();
    for (std::size_t s = 0; s < columns.size(); ++s) {
      if (s < keyed_.size() && keyed_[s] == columns[s])
        kept |= std::uint32_t(2) << s;
      else
        changed_.push_back(s);
    }
    if (changed_.empty() && keyed_.size() == columns.size()) return;
    keyed_ = columns;
    const Index n = rows_.count();
    for (Index first = 0; first < n; first += block_rows) {
      const Index rows = std::min(block_rows, n - first);
      std::uint32_t* const keys = keys_.data() + first;
      for (Index i = 0; i < rows; ++i) keys[i] &= kept;
      for (const std::size_t s : changed_) {
        const ByteColumn column = rows_.column(columns[s]);
        if (column.stride == 1)
          for (Index i = 0; i < rows; ++i) keys[i] |= std::uint32_t(column.first[first + i]) << (s + 1);
        else
          add_scattered(columns[s], first, rows, int(s + 1), keys);
      }
    }
  }

  // Adds a column whose rows are apart in memory. Reading it again for every support that has it would fetch a cache line for each
  // row, so its bits are kept. A block begins at a whole byte of them.
  void add_scattered(Index column, Index first, Index rows, int place, std::uint32_t* keys) {
    const std::uint8_t* const bytes = bits_of(column) + first / 8;
    for (Index i = 0; i < rows; ++i) keys[i] |= std::uint32_t(bytes[i / 8] >> (i % 8) & 1) << place;
  }
  const std::uint8_t* bits_of(Index column) {
    kept_.resize(std::size_t(rows_.columns()));
    std::vector<std::uint8_t>& bits = kept_[std::size_t(column)];
    if (bits.empty()) {
      const ByteColumn bytes = rows_.column(column);
      bits.assign(std::size_t(rows_.count() / 8 + 1), 0);
      for (Index i = 0; i < rows_.count(); ++i) {
        std::uint8_t& byte = bits[std::size_t(i / 8)];
        byte = std::uint8_t(byte | bytes.first[i * bytes.stride] << (i % 8));
      }
    }
    return bits.data();
  }

  // Adds up the weight of each possible key. Returns false if there are too many cells.
  bool sum_by_key(std::size_t keys) {
    const bool in_turn = keys <= few_keys;
    std::fill_n(weight_of_key_.begin(), in_turn ? sums * keys : keys, 0.0);
    double* const weights = weight_of_key_.data();
    const std::size_t n = keys_.size();
    std::size_t i = 0;
    for (; in_turn && i + sums <= n; i += sums)
      for (std::size_t j = 0; j < sums; ++j) weights[j * keys + keys_[i + j]] += rows_.weight(Index(i + j));
    for (; i < n; ++i) weights[keys_[i]] += rows_.weight(Index(i));
    for (std::size_t key = 0; key < keys; ++key) {
      double weight = weights[key];
      for (std::size_t j = 1; in_turn && j < sums; ++j) weight += weights[j * keys + key];
      if (!(weight > 0)) continue;
      if (count() == most_) return false;
      cell_of_key_[key] = add_cell(std::uint32_t(key));
      weight_[count() - 1] = weight;
    }
    return true;
  }

  // Does the same with a hash table, for more possible keys than rows.
  bool find_cells() {
    ++generation_;
    const std::size_t last = table_.size() - 1;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const std::uint32_t key = keys_[i];
      std::size_t place = std::size_t((key * 0x9e3779b1u) >> shift_);
      while (is_taken(place) && cell_keys_[std::size_t(table_[place].cell)] != key) place = (place + 1) & last;
      if (!is_taken(place)) {
        if (count() == most_) return false;
        table_[place] = {generation_, add_cell(key)};
        weight_[count() - 1] = 0;
      }
      const std::int32_t cell = table_[place].cell;
      cell_of_[i] = cell;
      weight_[cell] += rows_.weight(Index(i));
    }
    return true;
  }
  bool is_taken(std::size_t place) const noexcept { return table_[place].generation == generation_; }

  std::int32_t add_cell(std::uint32_t key) {
    sign_[count()] = key & 1 ? 1.0 : -1.0;
    cell_keys_.push_back(key);
    return std::int32_t(count() - 1);
  }

  // A place in the hash table of cells. It is taken if its generation is the current one, so the table need not be cleared.
  struct Place {
    std::uint32_t generation = 0;
    std::int32_t cell = 0;
  };

  const TwoValuedRows& rows_;
  const Index most_;
  std::vector<std::uint32_t> keys_;              // (rows,)
  std::vector<Index> keyed_;                     // the columns of the keys
  std::vector<std::size_t> changed_;             // places where they differ from the previous ones
  std::vector<std::vector<std::uint8_t>> kept_;  // bits of columns whose rows are apart in memory, empty until they are needed
  bool by_key_ = false;                          // whether each possible key has its own place
  std::vector<double> weight_of_key_;
  std::vector<std::int32_t> cell_of_key_;
  std::vector<std::int32_t> cell_of_;     // (rows,), unless each key has its own place
  std::vector<Place> table_;              // a power of two, at least four times as many as cells
  std::vector<std::uint32_t> cell_keys_;  // (count,)
  std::uint32_t generation_ = 0;
  int shift_ = 0;  // turns a hash of 32 bits into a place
  Eigen::VectorXd sign_, weight_;
};

}  // namespace ksparse
