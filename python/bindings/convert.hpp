// Conversions between NumPy and the library (views without copies), and checks for Ctrl-C.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <chrono>
#include <cstdint>
#include <ksparse/ksparse.hpp>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace ksparse::python {

namespace py = pybind11;

using Array = py::array_t<double>;

/// A view of X, which is never copied, with references to its arrays that keep them alive.
struct HeldDesign {
  std::unique_ptr<Design> design;
  py::object owners[3];
};

/// A dense matrix in row-major or column-major order, with any distance between rows or columns.
template <class Scalar>
std::unique_ptr<Design> dense_view(const py::array& X) {
  constexpr bool is_byte = internal::is_byte<Scalar>;
  using ByColumns = std::conditional_t<is_byte, ByteColumns<Scalar>, BasicColumnView<Scalar>>;
  using ByRows = std::conditional_t<is_byte, ByteRows<Scalar>, BasicRowView<Scalar>>;
  if (X.ndim() != 2) throw py::value_error("X must have two dimensions");
  constexpr py::ssize_t item = sizeof(Scalar);
  const py::ssize_t n = X.shape(0), p = X.shape(1);
  const auto* const data = static_cast<const Scalar*>(X.data());
  // A dimension of one entry has no meaningful stride.
  const py::ssize_t down = n > 1 ? X.strides(0) : item, across = p > 1 ? X.strides(1) : item * n;
  if (down == item && across > 0 && across % item == 0) return std::make_unique<ByColumns>(data, n, p, across / item);
  if ((X.strides(1) == item || p == 1) && down > 0 && down % item == 0)
    return std::make_unique<ByRows>(data, n, p, down / item);
  throw py::value_error("X must have contiguous rows or contiguous columns");
}

/// SciPy's CSC, or CSR.
template <class Scalar, class StorageIndex>
HeldDesign sparse_view(const py::object& X, const py::array& values) {
  const py::array starts = X.attr("indptr"), numbers = X.attr("indices");
  const bool by_rows = X.attr("format").cast<std::string>() == "csr";
  const auto [n, p] = X.attr("shape").cast<std::pair<Index, Index>>();
  const auto contiguous = [](const py::array& array) {
    return array.ndim() == 1 && (array.flags() & py::array::c_style) &&
           (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_);
  };
  if (!contiguous(values) || !contiguous(starts) || !contiguous(numbers))
    throw py::value_error("the arrays of a sparse X must be contiguous");
  const auto* const start = static_cast<const StorageIndex*>(starts.data());
  const Index lines = by_rows ? n : p;
  if (n < 0 || p < 0 || starts.size() != lines + 1)
    throw py::value_error("sparse X is malformed: indptr has " + std::to_string(starts.size()) + " entries; it must have " +
                          std::to_string(lines + 1));
  // The library checks the offsets in between before it reads an entry.
  const Index stored = Index(start[lines]);
  if (stored < 0 || stored > values.size() || stored > numbers.size())
    throw py::value_error("sparse X is malformed: indptr ends at " + std::to_string(stored) + ", but there are " +
                          std::to_string(numbers.size()) + " indices and " + std::to_string(values.size()) + " values");
  const auto* const number = static_cast<const StorageIndex*>(numbers.data());
  const auto* const value = static_cast<const Scalar*>(values.data());
  HeldDesign held{nullptr, {values, starts, numbers}};
  if (by_rows)
    held.design = std::make_unique<SparseRows<Scalar, StorageIndex>>(n, p, start, number, value);
  else
    held.design = std::make_unique<SparseColumns<Scalar, StorageIndex>>(n, p, start, number, value);
  return held;
}

/// Converts X from Python: a matrix of float64, float32, bool, uint8 or int8, or a CSC or CSR matrix of SciPy of float64 or
/// float32 with indices of 32 or 64 bits.
inline HeldDesign design_view(const py::object& X) {
  const auto is = [](const py::array& array, auto example) { return py::isinstance<py::array_t<decltype(example)>>(array); };
  if (py::isinstance<py::array>(X)) {
    const auto array = py::reinterpret_borrow<py::array>(X);
    if (is(array, 0.0)) return {dense_view<double>(array), {array}};
    if (is(array, 0.0f)) return {dense_view<float>(array), {array}};
    if (is(array, false)) return {dense_view<bool>(array), {array}};
    if (is(array, std::uint8_t())) return {dense_view<std::uint8_t>(array), {array}};
    if (is(array, std::int8_t())) return {dense_view<std::int8_t>(array), {array}};
  } else if (py::hasattr(X, "indptr")) {
    const py::array values = X.attr("data"), starts = X.attr("indptr"), numbers = X.attr("indices");
    const auto with_indices = [&](auto scalar) -> HeldDesign {
      if (is(starts, std::int32_t()) && is(numbers, std::int32_t()))
        return sparse_view<decltype(scalar), std::int32_t>(X, values);
      if (is(starts, std::int64_t()) && is(numbers, std::int64_t()))
        return sparse_view<decltype(scalar), std::int64_t>(X, values);
      throw py::type_error("the indices of a sparse X must be of 32 or 64 bits");
    };
    if (is(values, 0.0)) return with_indices(0.0);
    if (is(values, 0.0f)) return with_indices(0.0f);
  }
  throw py::type_error(
      "X must be an array of float64, float32, bool, uint8 or int8, or a CSC or CSR matrix of float64 or float32");
}

inline Problem::Vector vector_view(const std::optional<Array>& values) {
  if (!values) return {nullptr, 0};
  if (values->ndim() != 1) throw py::value_error("a vector of rows must have one dimension");
  return {values->data(), values->shape(0)};
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

/// Reports progress to a Python callable, which must exist as long as this object, or None. Called without the GIL, on the
/// thread that has released it.
inline Progress progress_by(const py::object& callable) {
  if (callable.is_none()) return {};
  return [&callable](Index done, Index total) {
    const py::gil_scoped_acquire gil;
    callable(done, total);
  };
}

/// How a function that is called without the GIL runs: Ctrl-C stops it, and progress is reported to a callable.
inline Run run_by(int threads, const py::object& progress) { return {threads, SignalPoll(), progress_by(progress)}; }

/// Calls ask() without the GIL.
template <class Ask>
auto without_gil(const Ask& ask) {
  auto answer = [&] {
    const py::gil_scoped_release release;
    return ask();
  }();
  if (PyErr_Occurred()) throw py::error_already_set();  // the signal handler's own exception, usually KeyboardInterrupt
  return answer;
}

/// X, the rows and the loss of a problem, with the arrays of Python that they are in.
struct HeldProblem {
  HeldProblem(const py::object& X, const Array& y, const std::optional<Array>& sample_weight,
              const std::optional<Array>& offset, const AnyLoss& loss)
      : design(design_view(X)),
        rows{y, sample_weight.value_or(Array()), offset.value_or(Array())},
        problem(vector_view(y), vector_view(sample_weight), vector_view(offset)),
        loss(loss) {}

  /// Calls question(design, problem, loss) without the GIL.
  template <class Question>
  auto ask(const Question& question) const {
    return without_gil([&] { return question(*design.design, problem, loss); });
  }

  HeldDesign design;
  Array rows[3];
  Problem problem;
  AnyLoss loss;
};

}  // namespace ksparse::python
