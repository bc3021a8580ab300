// A caller's wish to stop, which is asked for until it is granted and remembered from then on.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../types.hpp"

namespace ksparse {

class Interruption {
 public:
  /// `ask` outlives this or the next reset.
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
  /// For functions that take an Interrupt.
  Interrupt as_function() {
    return [this] { return asked(); };
  }

 private:
  const Interrupt* ask_ = nullptr;
  bool happened_ = false;
};

}  // namespace ksparse
