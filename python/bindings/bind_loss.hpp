// Losses by name, and as functions of the linear predictor, which run the same code as the solver.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "convert.hpp"

namespace ksparse::python {

inline AnyLoss loss_by_name(const std::string& name, const std::vector<double>& parameters) {
  std::string wrong;
  const AnyLoss loss = ksparse::loss_by_name(name, parameters, wrong);
  if (!loss) throw py::value_error(wrong);
  return loss;
}

inline const char* name_of(Responses responses) {
  switch (responses) {
    case Responses::binary: return "binary";
    case Responses::finite: return "finite";
    case Responses::not_negative: return "not_negative";
    case Responses::positive: return "positive";
  }
  return "";
}

inline Responses responses_by_name(const std::string& name) {
  for (const Responses kind : {Responses::binary, Responses::finite, Responses::not_negative, Responses::positive})
    if (name == name_of(kind)) return kind;
  throw py::value_error("responses must be 'binary', 'finite', 'not_negative' or 'positive', got '" + name + "'");
}

/// A loss of functions given by their addresses: one function for blocks, or three for single rows. The caller keeps the
/// functions alive.
inline AnyLoss compiled_loss(const std::vector<std::uintptr_t>& functions, std::uintptr_t user_data,
                             const std::string& responses, bool falls_for_ever) {
  const auto scalar = [&](std::size_t i) { return reinterpret_cast<ScalarLossFunction>(functions[i]); };
  for (const std::uintptr_t function : functions)
    if (function == 0) throw py::value_error("a function of a compiled loss has the address 0");
  const Responses kind = responses_by_name(responses);
  if (functions.size() == 1)
    return CompiledKernel(reinterpret_cast<LossFunction>(functions[0]), reinterpret_cast<void*>(user_data), kind,
                          falls_for_ever);
  if (functions.size() == 3) return CompiledKernel(scalar(0), scalar(1), scalar(2), kind, falls_for_ever);
  throw py::value_error("a compiled loss has one function or three");
}

inline py::tuple tabulate(const AnyLoss& loss, const Array& eta, const Array& response) {
  if (eta.ndim() != 1 || response.ndim() != 1 || eta.size() != response.size())
    throw py::value_error("eta and response must be vectors of the same length");
  const py::ssize_t n = eta.size();
  Array of_core(n), value(n), slope(n), curvature(n);
  std::transform(response.data(), response.data() + n, of_core.mutable_data(), [&](double y) { return loss->response_of(y); });
  const LossPoints points{n, eta.data(), of_core.data(), value.mutable_data(), slope.mutable_data(), curvature.mutable_data()};
  {
    const py::gil_scoped_release release;
    loss->tabulate(points);
  }
  return py::make_tuple(value, slope, curvature);
}

inline void bind_loss(py::module_& module) {
  py::class_<AnyLoss, std::shared_ptr<AnyLoss>>(module, "Loss", "A loss of the compiled core.")
      .def_property_readonly(
          "responses", [](const AnyLoss& loss) { return name_of(loss->responses()); }, "what y may be")
      .def("terms", &tabulate, "Returns the value, slope and curvature of the loss for each row of eta (n,) and response (n,).",
           py::arg("eta").noconvert(), py::arg("response").noconvert());
  module.def("loss_by_name", &loss_by_name, "Returns a built-in loss. A fit refuses parameters that are out of range.",
             py::arg("name"), py::arg("parameters"));
  module.def("compiled_loss", &compiled_loss,
             "Returns a loss made of functions given by their addresses: one function of a block of rows, or the value, slope "
             "and curvature of one row.",
             py::arg("functions"), py::arg("user_data"), py::arg("responses"), py::arg("falls_for_ever"));
}

}  // namespace ksparse::python
