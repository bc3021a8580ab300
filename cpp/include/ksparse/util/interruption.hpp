// The caller's request to stop. It is polled until the caller makes it, and is remembered afterwards.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <thread>

#include "../types.hpp"

namespace ksparse {

class Interruption {
 public:
  /// `ask` must exist as long as this object, or until the next reset.
  void reset(const Interrupt& ask) noexcept {
    ask_ = &ask;
    solving_ = std::this_thread::get_id();
    happened_ = false;
  }

  /// Asks the caller whether to stop. On a helping thread (workers.hpp), returns whether the solving thread was told to stop.
  bool asked() {
    if (!happened() && *ask_ && std::this_thread::get_id() == solving_) happened_ = (*ask_)();
    return happened();
  }
  bool happened() const noexcept { return happened_.load(std::memory_order_relaxed); }
  /// An Interrupt for functions that need one.
  Interrupt as_function() {
    return [this] { return asked(); };
  }

 private:
  const Interrupt* ask_ = nullptr;
  std::thread::id solving_;
  std::atomic<bool> happened_{false};
};

}  // namespace ksparse
