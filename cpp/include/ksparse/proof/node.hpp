// A node of the branch-and-bound tree as plain data. It stands for all supports that contain the units fixed in and none of the
// units fixed out. The node has a lower bound on F for these supports, and a point at which its relaxation starts.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "../types.hpp"

namespace ksparse::proof {

enum class Side : std::uint8_t { free, in, out };

/// A node in the form in which it is worked on; NodePool stores nodes in a packed form.
struct Subproblem {
  std::vector<Side> side;    // one for each live unit
  std::vector<double> coef;  // one for each live column
  double intercept = 0;
  double bound = 0;  // a lower bound on F for all supports of the node
  Index depth = 0;

  Index count(Side which) const { return Index(std::count(side.begin(), side.end(), which)); }
};

/// Nodes that are packed into a fixed number of words each. They are stored in chunks, which are never moved, and the places of
/// removed nodes are used again.
class NodePool {
 public:
  using Word = std::uint64_t;
  using Place = std::uint32_t;

  /// Makes a pool for nodes of this number of units and columns. A node keeps at most `most_coefs` coefficients of its point.
  NodePool(Index units, Index columns, Index most_coefs)
      : units_(units),
        columns_(columns),
        most_coefs_(std::min(most_coefs, columns)),
        side_words_((units + 31) / 32),
        words_(header + side_words_ + most_coefs_) {}

  /// Bytes of a node, including its entry in the queue.
  double bytes_per_node() const noexcept { return 8.0 * double(words_) + 24; }
  std::size_t size() const noexcept { return used_ - free_.size(); }

  Place store(const Subproblem& node) {
    if (free_.empty() && used_ % chunk == 0) chunks_.push_back(std::make_unique<Word[]>(std::size_t(words_) * chunk));
    Place place = Place(used_);
    if (free_.empty()) {
      ++used_;
    } else {
      place = free_.back();
      free_.pop_back();
    }
    Word* const words = at(place);
    std::memcpy(words, &node.bound, 8);
    std::memcpy(words + 1, &node.intercept, 8);
    std::fill_n(words + header, side_words_, Word(0));
    for (Index u = 0; u < units_; ++u) words[header + u / 32] |= Word(node.side[std::size_t(u)]) << (2 * (u % 32));
    Index count = 0;
    for (Index c = 0; c < columns_ && count < most_coefs_; ++c) {
      const float coef = float(node.coef[std::size_t(c)]);
      if (coef == 0) continue;
      std::uint32_t bits;
      std::memcpy(&bits, &coef, 4);
      words[header + side_words_ + count++] = Word(std::uint32_t(c)) << 32 | bits;
    }
    words[2] = Word(std::uint32_t(count)) << 32 | Word(std::uint32_t(node.depth));
    return place;
  }

  /// Unpacks a node and frees its place.
  void take(Place place, Subproblem& node) {
    const Word* const words = at(place);
    std::memcpy(&node.bound, words, 8);
    std::memcpy(&node.intercept, words + 1, 8);
    node.side.resize(std::size_t(units_));
    for (Index u = 0; u < units_; ++u) node.side[std::size_t(u)] = Side(words[header + u / 32] >> (2 * (u % 32)) & 3);
    node.coef.assign(std::size_t(columns_), 0.0);
    const Index count = Index(words[2] >> 32);
    node.depth = Index(words[2] & 0xffffffffu);
    for (Index i = 0; i < count; ++i) {
      const Word word = words[header + side_words_ + i];
      const std::uint32_t bits = std::uint32_t(word);
      float coef;
      std::memcpy(&coef, &bits, 4);
      node.coef[std::size_t(word >> 32)] = double(coef);
    }
    free_.push_back(place);
  }

 private:
  static constexpr Index header = 3;
  static constexpr std::size_t chunk = 1024;  // nodes

  Word* at(Place place) { return chunks_[place / chunk].get() + std::size_t(words_) * (place % chunk); }

  Index units_, columns_, most_coefs_, side_words_, words_;
  std::vector<std::unique_ptr<Word[]>> chunks_;
  std::vector<Place> free_;
  std::size_t used_ = 0;
};

}  // namespace ksparse::proof
