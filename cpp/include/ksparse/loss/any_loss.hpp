// A loss as an argument of the library's functions: a struct such as Focal{0.5, 2.0}, your own struct (loss.hpp), or a kernel.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <type_traits>

#include "../util/held.hpp"
#include "kernel.hpp"

namespace ksparse {

/// Keeps a copy of the loss. Only a LossKernel, whose class is not known, is kept as a reference and must exist as long as this
/// object. It is empty if it was not given a loss.
class AnyLoss : public Held<LossKernel, 72> {
 public:
  AnyLoss() = default;

  template <class Loss>
  AnyLoss(const Loss& loss) {  // implicit, so that a loss can be passed directly
    if constexpr (std::is_base_of_v<LossKernel, Loss>) {
      if constexpr (std::is_copy_constructible_v<Loss>)
        keep<Loss>(loss);
      else
        refer(loss);
    } else {
      constexpr bool is_loss = internal::is_loss<Loss>;
      static_assert(is_loss,
                    "ksparse: this is not a loss; pass a struct such as ksparse::Logistic{} or one like it (loss/loss.hpp)");
      if constexpr (is_loss) keep<KernelOf<Loss>>(loss);
    }
  }

  explicit operator bool() const noexcept { return get() != nullptr; }
  const LossKernel& operator*() const noexcept { return *get(); }
  const LossKernel* operator->() const noexcept { return get(); }
};

}  // namespace ksparse
