// ksparse: best-subset selection for classification and regression. Programs include only this header.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "design/bytes.hpp"
#include "design/dense.hpp"
#include "design/sparse.hpp"
#include "design/sparse_rows.hpp"
#include "entries.hpp"
#include "loss/asymmetric_focal.hpp"
#include "loss/cloglog.hpp"
#include "loss/compiled.hpp"
#include "loss/exponential.hpp"
#include "loss/focal.hpp"
#include "loss/gamma.hpp"
#include "loss/huber.hpp"
#include "loss/huberised_hinge.hpp"
#include "loss/logistic.hpp"
#include "loss/negative_binomial.hpp"
#include "loss/poisson.hpp"
#include "loss/probit.hpp"
#include "loss/squared.hpp"
#include "loss/squared_hinge.hpp"
#include "loss/tweedie.hpp"
#include "search/column_objective.hpp"

#ifndef KSPARSE_COMPILED
#include "run/alternatives.hpp"
#include "run/batch.hpp"
#include "run/certify.hpp"
#include "run/fit.hpp"
#include "run/loss_by_name.hpp"
#include "run/own_objective.hpp"
#include "run/predict.hpp"
#include "run/resample.hpp"
#else
namespace ksparse {
extern template class BasicColumnView<double>;
extern template class BasicColumnView<float>;
extern template class BasicRowView<double>;
extern template class BasicRowView<float>;
extern template class ByteColumns<bool>;
extern template class ByteRows<bool>;
extern template class ByteColumns<std::uint8_t>;
extern template class ByteRows<std::uint8_t>;
extern template class ByteColumns<std::int8_t>;
extern template class ByteRows<std::int8_t>;
extern template class SparseColumns<double, std::int32_t>;
extern template class SparseRows<double, std::int32_t>;
extern template class SparseColumns<double, std::int64_t>;
extern template class SparseRows<double, std::int64_t>;
extern template class SparseColumns<float, std::int32_t>;
extern template class SparseRows<float, std::int32_t>;
extern template class SparseColumns<float, std::int64_t>;
extern template class SparseRows<float, std::int64_t>;
}  // namespace ksparse
#endif
