// The caller's request to stop, which is polled until it is made and remembered afterwards.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../types.hpp"

namespace ksparse {

class Interruption {
 public:
  /// `ask` must exist as long as this object, or until the next reset.
  void reset(const Interrupt& ask) noexcept {
    ask_ = &ask;
    happened_ = false;
  }

  /// Asks the caller, from the solving thread only.
  bool asked() {
    if (!happened_ && *ask_) happened_ = (*ask_)();
    return happened_;
  }
  bool happened() const noexcept { return happened_; }
  /// An Interrupt for functions that need one.
  Interrupt as_function() {
    return [this] { return asked(); };
  }

 private:
  const Interrupt* ask_ = nullptr;
  bool happened_ = false;
};

}  // namespace ksparse
