// Types that every other header uses. This file depends on Eigen only.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <functional>
#include <type_traits>

namespace ksparse {

using Index = Eigen::Index;

/// A function that is called regularly during long computations and returns true to stop them. If it is empty, nothing stops
/// them. It is called from the solving thread only.
using Interrupt = std::function<bool()>;

/// A function that receives the number of finished parts of some work and the total: first (0, total), then increasing numbers,
/// and finally (total, total) if the work was completed. If it is empty, nothing is reported. It is called from the calling
/// thread only. An exception that it throws stops the work and is passed on to the caller.
using Progress = std::function<void(Index done, Index total)>;

/// How a function of the library runs. These settings do not change its results.
struct Run {
  int threads = 1;           ///< number of threads, including the calling one; less than 1 means 1
  Interrupt interrupt = {};  ///< stops the work
  Progress progress = {};    ///< reports the progress of paths, batches and other work with several parts
};

namespace internal {

template <class Object>
std::true_type is_dense(const Eigen::DenseBase<Object>*);
std::false_type is_dense(const void*);

/// Whether an Eigen object stores numbers of the given type in memory, with contiguous rows or columns.
template <class Object, class Scalar>
constexpr bool is_in_memory() {
  if constexpr (decltype(is_dense(static_cast<const Object*>(nullptr)))::value)
    return (int(Object::Flags) & int(Eigen::DirectAccessBit)) != 0 && std::is_same_v<typename Object::Scalar, Scalar> &&
           int(Object::InnerStrideAtCompileTime) == 1;
  return false;
}

}  // namespace internal

/// The columns that a scan covers: `count` of them, which are either listed or consecutive from `first`.
struct Columns {
  Index first = 0;
  Index count = 0;
  const Index* list = nullptr;  // indices of the columns, or null for first, first + 1, ...

  Index operator[](Index i) const noexcept { return list ? list[i] : first + i; }
  Columns slice(Index begin, Index size) const noexcept {
    return list ? Columns{0, size, list + begin} : Columns{first + begin, size, nullptr};
  }
};

/// How well the quadratic model at one minimum predicts F at other minima nearby.
enum class ModelAccuracy {
  rough,   // not well, because the curvature jumps or is unknown
  smooth,  // well, because F has a third derivative
  exact,   // exactly, because F is quadratic
};

/// The longest step that is tried from coefficients of this size, in the internal units of an objective, where coefficients are
/// of order one. In the tails of a loss, where the curvature almost vanishes, quadratic models propose steps of 1e100, from
/// which the descent does not return. Beyond 1e12, coefficients cancel in the margins, which then have almost no correct
/// digits.
inline double longest_step(double size) noexcept { return std::min(1e3 * std::max(1.0, size), 1e12); }

}  // namespace ksparse
