// Changes the shape of Eigen's matrices and vectors safely. Their own resize() frees the old memory before it asks for the new,
// and where that is not to be had, the old memory is freed a second time when the object is destroyed.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

namespace ksparse {

/// Gives a matrix a shape. What it held is lost, unless it has that shape already; it is unchanged where memory runs out.
template <class Matrix>
void set_shape(Matrix& matrix, Eigen::Index rows, Eigen::Index columns) {
  if (matrix.rows() == rows && matrix.cols() == columns) return;
  Matrix fresh(rows, columns);
  matrix.swap(fresh);
}

/// Gives a vector a size.
template <class Vector>
void set_size(Vector& vector, Eigen::Index size) {
  if (vector.size() == size) return;
  Vector fresh(size);
  vector.swap(fresh);
}

}  // namespace ksparse
