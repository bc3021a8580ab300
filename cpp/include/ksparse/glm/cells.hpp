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
    std::size_t places = 16;
    while (places < 4 * std::size_t(most)) places *= 2;
    table_.resize(places);
    shift_ = 32;
    for (std::size_t size = places; size > 1; size /= 2) --shift_;
    cell_keys_.reserve(std::size_t(most));
    const Index padded = padded_to_pack(most);
    sign_.resize(padded);
    weight_.resize(padded);
  }

  /// Finds the cells for these columns. Returns false if there are too many.
  bool group(const std::vector<Index>& columns) {
    const Index n = rows_.count();
    if (Index(columns.size()) > most_columns) return false;
    for (Index i = 0; i < n; ++i) keys_[std::size_t(i)] = rows_.is_positive(i);
    for (std::size_t s = 0; s < columns.size(); ++s) {
      const std::uint8_t* const bits = rows_.column(columns[s]);
      for (Index i = 0; i < n; ++i) keys_[std::size_t(i)] |= std::uint32_t(bits[i]) << (s + 1);
    }
    cell_keys_.clear();
    ++generation_;
    const std::size_t last = table_.size() - 1;
    // If the table has a place for every possible key, the key itself is the place; otherwise it is hashed.
    const bool all_fit = (std::size_t(2) << columns.size()) <= table_.size();
    const bool done =
        all_fit ? assign([](std::uint32_t key) { return std::size_t(key); }) : assign([this, last](std::uint32_t key) {
          std::size_t place = std::size_t((key * 0x9e3779b1u) >> shift_);
          while (is_taken(place) && cell_keys_[std::size_t(table_[place].cell)] != key) place = (place + 1) & last;
          return place;
        });
    if (!done) return false;
    for (Index c = count(); c < padded(); ++c) {
      sign_[c] = 1;
      weight_[c] = 0;
    }
    return true;
  }

  Index count() const noexcept { return Index(cell_keys_.size()); }
  Index most() const noexcept { return most_; }
  Index padded() const noexcept { return padded_to_pack(count()); }  // including cells of weight 0, which fill the last pack
  Index cell_of(Index row) const noexcept { return cell_of_[std::size_t(row)]; }
  /// Whether a cell has the high value of the column at this place of the support.
  bool is_high(Index cell, Index place) const noexcept { return cell_keys_[std::size_t(cell)] >> (place + 1) & 1; }
  const Eigen::VectorXd& sign() const noexcept { return sign_; }      // (at least padded,)
  const Eigen::VectorXd& weight() const noexcept { return weight_; }  // (at least padded,)

 private:
  // Assigns each row to the cell of its key. Returns false if there are too many cells.
  template <class PlaceOf>
  bool assign(const PlaceOf& place_of) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const std::uint32_t key = keys_[i];
      const std::size_t place = place_of(key);
      if (!is_taken(place)) {
        if (count() == most_) return false;
        table_[place] = {generation_, std::int32_t(count())};
        weight_[count()] = 0;
        sign_[count()] = key & 1 ? 1.0 : -1.0;
        cell_keys_.push_back(key);
      }
      const Index cell = table_[place].cell;
      cell_of_[i] = std::int32_t(cell);
      weight_[cell] += rows_.weight(Index(i));
    }
    return true;
  }
  bool is_taken(std::size_t place) const noexcept { return table_[place].generation == generation_; }

  // A place in the hash table of cells. It is taken if its generation is the current one, so the table need not be cleared.
  struct Place {
    std::uint32_t generation = 0;
    std::int32_t cell = 0;
  };

  const TwoValuedRows& rows_;
  const Index most_;
  std::vector<std::uint32_t> keys_;       // (rows,)
  std::vector<std::int32_t> cell_of_;     // (rows,)
  std::vector<Place> table_;              // a power of two, at least four times as many as cells
  std::vector<std::uint32_t> cell_keys_;  // (count,)
  std::uint32_t generation_ = 0;
  int shift_ = 0;  // turns a hash of 32 bits into a place
  Eigen::VectorXd sign_, weight_;
};

}  // namespace ksparse
