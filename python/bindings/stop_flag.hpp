// A flag by which one thread stops the fits of others: Python handles signals only in its main thread, so a fit in a thread
// pool cannot check for Ctrl-C itself.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <ksparse/ksparse.hpp>

#include "convert.hpp"

namespace ksparse::python {

class StopFlag {
 public:
  void set() noexcept { raised_.store(true, std::memory_order_relaxed); }
  bool is_set() const noexcept { return raised_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> raised_{false};
};

/// Checks the flag, or Python's signals if there is no flag. Checking a flag does not need the GIL, for which threads of a pool
/// would compete.
inline Interrupt interrupt_by(const StopFlag* stop) {
  if (!stop) return SignalPoll();
  return [stop] { return stop->is_set(); };
}

inline void bind_stop_flag(py::module_& module) {
  py::class_<StopFlag>(module, "StopFlag", "A flag that ends the fits to which it was passed. Any thread may set it.")
      .def(py::init<>())
      .def("set", &StopFlag::set, "End the fits, which then return with the status 'interrupted'.");
}

}  // namespace ksparse::python
