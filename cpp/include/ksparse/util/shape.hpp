// Changes the shape of Eigen matrices and vectors safely. Their own resize() frees the old memory before it allocates new
// memory. If the allocation fails, the destructor of the object frees the old memory a second time.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

namespace ksparse {

/// Changes the shape of a matrix. Its values are lost unless it already has that shape. If memory runs out, it is unchanged.
template <class Matrix>
void set_shape(Matrix& matrix, Eigen::Index rows, Eigen::Index columns) {
  if (matrix.rows() == rows && matrix.cols() == columns) return;
  Matrix fresh(rows, columns);
  matrix.swap(fresh);
}

/// Changes the size of a vector.
template <class Vector>
void set_size(Vector& vector, Eigen::Index size) {
  if (vector.size() == size) return;
  Vector fresh(size);
  vector.swap(fresh);
}

}  // namespace ksparse
