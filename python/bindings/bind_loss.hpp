// The losses as functions of the margin, through the very code that the solver runs.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "convert.hpp"

namespace ksparse::python {

/// Value, slope and curvature of a loss at n margins, by packs; the last pack is filled up with zeros.
template <class Loss>
py::tuple loss_terms(const Array& margin, const Array& positive, const Loss& loss) {
  const py::ssize_t n = margin.size();
  Array value(n), slope(n), curvature(n);
  const double *m = margin.data(), *label = positive.data();
  double* out[3] = {value.mutable_data(), slope.mutable_data(), curvature.mutable_data()};
  for (py::ssize_t i = 0; i < n; i += Pack::size) {
    const py::ssize_t count = std::min<py::ssize_t>(Pack::size, n - i);
    double margins[Pack::size] = {}, weights[Pack::size] = {}, terms[3][Pack::size];
    for (py::ssize_t j = 0; j < count; ++j) {
      margins[j] = m[i + j];
      weights[j] = loss.class_weight(label[i + j] != 0.0);
    }
    const LossTerms<Pack> t = loss(Pack::load(margins), Pack::load(weights));
    t.value.store(terms[0]);
    t.slope.store(terms[1]);
    t.curvature.store(terms[2]);
    for (int which = 0; which < 3; ++which) std::copy_n(terms[which], count, out[which] + i);
  }
  return py::make_tuple(value, slope, curvature);
}

inline void bind_loss(py::module_& module) {
  module.def(
      "loss_terms",
      [](const Array& margin, const Array& positive, const std::string& loss, double alpha, double gamma) {
        if (margin.ndim() != 1 || positive.ndim() != 1 || margin.size() != positive.size())
          throw py::value_error("margin and positive must be vectors of the same length");
        return with_loss(loss, alpha, gamma, [&](const auto& l) { return loss_terms(margin, positive, l); });
      },
      "Value, slope and curvature of the loss at each margin (n,), for rows that are positive (1) or not (0).",
      py::arg("margin"), py::arg("positive"), py::arg("loss"), py::arg("alpha"), py::arg("gamma"));
}

}  // namespace ksparse::python
