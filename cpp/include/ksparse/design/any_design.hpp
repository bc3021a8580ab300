// X as an argument of the library's functions: an Eigen matrix or a Design.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <type_traits>

#include "../util/held.hpp"
#include "bytes.hpp"
#include "dense.hpp"
#include "design.hpp"
#include "sparse.hpp"
#include "sparse_rows.hpp"

namespace ksparse {

/// A view of X, which must exist as long as the view. X is a dense Eigen object of double, float, bool, std::uint8_t or
/// std::int8_t with contiguous columns or rows (a matrix, Map, Ref or block), a compressed sparse matrix of double or float by
/// columns or by rows, or a Design.
class AnyDesign : public Held<Design, 64> {
 public:
  template <class X>
  AnyDesign(const X& x) {  // implicit, so that a matrix can be passed directly
    using internal::is_sparse, internal::is_viewable, internal::is_viewable_bytes;
    constexpr bool by_columns = is_viewable<const X&, double, false>() || is_viewable<const X&, float, false>(),
                   by_rows = is_viewable<const X&, double, true>() || is_viewable<const X&, float, true>(),
                   byte_columns = is_viewable_bytes<const X&, false>(), byte_rows = is_viewable_bytes<const X&, true>();
    constexpr bool readable = std::is_base_of_v<Design, X> || by_columns || by_rows || byte_columns || byte_rows ||
                              is_sparse<X, false>() || is_sparse<X, true>();
    static_assert(
        readable,
        "ksparse: X cannot be read in place; pass an Eigen matrix, Map, Ref or block of double, float, bool, uint8_t or "
        "int8_t with contiguous columns or rows, a compressed SparseMatrix of double or float, or a ksparse::Design, and "
        "evaluate or convert anything else into a matrix first");
    if constexpr (std::is_base_of_v<Design, X>)
      refer(x);
    else if constexpr (by_columns)
      keep<BasicColumnView<typename X::Scalar>>(x);
    else if constexpr (by_rows)
      keep<BasicRowView<typename X::Scalar>>(x);
    else if constexpr (byte_columns)
      keep<ByteColumns<typename X::Scalar>>(x);
    else if constexpr (byte_rows)
      keep<ByteRows<typename X::Scalar>>(x);
    else if constexpr (is_sparse<X, true>())
      keep<SparseRows<typename X::Scalar, typename X::StorageIndex>>(x);
    else if constexpr (readable)
      keep<SparseColumns<typename X::Scalar, typename X::StorageIndex>>(x);
  }

  const Design& operator*() const noexcept { return *get(); }
  const Design* operator->() const noexcept { return get(); }
};

}  // namespace ksparse
