// A flag by which one thread ends the fits of others: signals reach Python's main thread only, so a fit in a pool cannot ask
// for Ctrl-C itself.
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

/// Asks the flag, or Python's signals where there is none. Asking a flag needs no GIL, which threads of a pool contend for.
inline Interrupt interrupt_by(const StopFlag* stop) {
  if (!stop) return SignalPoll();
  return [stop] { return stop->is_set(); };
}

inline void bind_stop_flag(py::module_& module) {
  py::class_<StopFlag>(module, "StopFlag", "Ends the fits that were given it, from any thread.")
      .def(py::init<>())
      .def("set", &StopFlag::set, "End them; they return with the status 'interrupted'.");
}

}  // namespace ksparse::python
