// Conversions between NumPy and the library, written once: views without copies, losses by name, Ctrl-C.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <chrono>
#include <ksparse/ksparse.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace ksparse::python {

namespace py = pybind11;

using Array = py::array_t<double>;

/// X as it lies in memory, in either order, rows or columns apart; never a copy.
inline std::unique_ptr<Design> design_view(const Array& X) {
  if (X.ndim() != 2) throw py::value_error("X must have two dimensions");
  constexpr py::ssize_t item = sizeof(double);
  const py::ssize_t n = X.shape(0), p = X.shape(1);
  // A dimension of one entry has no meaningful stride.
  const py::ssize_t down = n > 1 ? X.strides(0) : item, across = p > 1 ? X.strides(1) : item * n;
  if (down == item && across > 0 && across % item == 0) return std::make_unique<ColumnView>(X.data(), n, p, across / item);
  if ((X.strides(1) == item || p == 1) && down > 0 && down % item == 0)
    return std::make_unique<RowView>(X.data(), n, p, down / item);
  throw py::value_error("X must have contiguous rows or contiguous columns");
}

inline Problem::Vector vector_view(const std::optional<Array>& values) {
  if (!values) return {nullptr, 0};
  if (values->ndim() != 1) throw py::value_error("a vector of rows must have one dimension");
  return {values->data(), values->shape(0)};
}

/// Calls use(loss) with the loss of a name: the one place that lists them.
template <class Use>
auto with_loss(const std::string& name, double alpha, double gamma, const Use& use) {
  if (name == "logistic") return use(Logistic{});
  if (name == "focal") return use(Focal{alpha, gamma});
  throw py::value_error("loss must be 'logistic' or 'focal', got '" + name + "'");
}

inline std::shared_ptr<const LossKernel> loss_by_name(const std::string& name, double alpha, double gamma) {
  return with_loss(name, alpha, gamma, [](const auto& loss) { return kernel_of(loss); });
}

inline Effort effort_by_name(const std::string& name) {
  if (name == "fast") return Effort::fast;
  if (name == "auto") return Effort::automatic;
  if (name == "thorough") return Effort::thorough;
  throw py::value_error("search must be 'auto', 'fast' or 'thorough', got '" + name + "'");
}

inline const char* effort_name(Effort effort) {
  switch (effort) {
    case Effort::fast: return "fast";
    case Effort::automatic: return "auto";
    case Effort::thorough: return "thorough";
  }
  return "";
}

/// Copies a result into a new NumPy array.
template <class Vector>
auto to_numpy(const Vector& values) {
  return py::array_t<typename Vector::value_type>(py::ssize_t(values.size()), values.data());
}

/// Polls Python for Ctrl-C at most every 50 ms; in between a poll costs a clock reading. Called without the GIL.
class SignalPoll {
 public:
  bool operator()() {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return false;
    last_ = now;
    const py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

/// Calls ask(design, interrupt) on what X stands for, without the GIL. The interrupt is Ctrl-C, unless another is given.
template <class Ask>
auto with_design(const Array& X, const Ask& ask, const Interrupt& interrupt = SignalPoll()) {
  const std::unique_ptr<Design> design = design_view(X);
  auto answer = [&] {
    const py::gil_scoped_release release;
    return ask(*design, interrupt);
  }();
  if (PyErr_Occurred()) throw py::error_already_set();  // the signal handler's own exception, usually KeyboardInterrupt
  return answer;
}

/// Calls ask(design, problem, interrupt) on what the arrays stand for, without the GIL.
template <class Ask>
auto with_arrays(const Array& X, const Array& y, const std::optional<Array>& sample_weight, const std::optional<Array>& offset,
                 const Ask& ask, const Interrupt& interrupt = SignalPoll()) {
  const Problem problem{vector_view(y), vector_view(sample_weight), vector_view(offset)};
  return with_design(X, [&](const Design& x, const Interrupt& stopped) { return ask(x, problem, stopped); }, interrupt);
}

}  // namespace ksparse::python
