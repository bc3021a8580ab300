// Names that every other header uses. Relies on Eigen only.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <functional>
#include <type_traits>

namespace ksparse {

using Index = Eigen::Index;

/// Asked now and then during long work; true means "stop now". Empty: never. It is called from the solving thread only.
using Interrupt = std::function<bool()>;

/// Told how many of `total` parts of some work are done: (0, total) at first, then now and then, never less than before, and
/// (total, total) at last if the work was done to its end. Empty: nobody is told. It is called from the calling thread only;
/// what it throws ends the work and reaches the caller.
using Progress = std::function<void(Index done, Index total)>;

/// How an entry works, none of which changes its answers.
struct Run {
  int threads = 1;           ///< that work at once, the calling one included; fewer than 1 mean 1
  Interrupt interrupt = {};  ///< ends the work
  Progress progress = {};    ///< told of paths, of batches and of whatever else has parts to count
};

namespace internal {

template <class Object>
std::true_type is_dense(const Eigen::DenseBase<Object>*);
std::false_type is_dense(const void*);

/// Whether an object of Eigen has its numbers, of a type, in memory, and the rows or the columns without gaps.
template <class Object, class Scalar>
constexpr bool is_in_memory() {
  if constexpr (decltype(is_dense(static_cast<const Object*>(nullptr)))::value)
    return (int(Object::Flags) & int(Eigen::DirectAccessBit)) != 0 && std::is_same_v<typename Object::Scalar, Scalar> &&
           int(Object::InnerStrideAtCompileTime) == 1;
  return false;
}

}  // namespace internal

/// Which columns a scan covers: `count` of them, either listed or consecutive from `first`.
struct Columns {
  Index first = 0;
  Index count = 0;
  const Index* list = nullptr;  // features, or null: first, first + 1, ...

  Index operator[](Index i) const noexcept { return list ? list[i] : first + i; }
  Columns slice(Index begin, Index size) const noexcept {
    return list ? Columns{0, size, list + begin} : Columns{first + begin, size, nullptr};
  }
};

/// How well the quadratic model at a minimum foresees F at others nearby.
enum class Foresight {
  rough,   // not well: the curvature jumps, or nothing is known of it
  smooth,  // up to a third derivative
  exact,   // F is quadratic
};

/// The longest step worth trying from coefficients of this size, in an objective's own units, which are of order one. Where the
/// curvature has all but died out, as far out on the tails of the loss, quadratic models ask for steps of 1e100, from which no
/// descent leads back; and beyond 1e12 a margin, in which such coefficients cancel, has hardly a digit left.
inline double longest_step(double size) noexcept { return std::min(1e3 * std::max(1.0, size), 1e12); }

}  // namespace ksparse
