// A loss as an entry takes it: one of the structs, such as Focal{0.5, 2.0}, a struct of your own (loss.hpp), or a kernel.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <type_traits>

#include "../util/held.hpp"
#include "kernel.hpp"

namespace ksparse {

/// Keeps a copy of the loss. Only a reference to a LossKernel, whose class is not known, must refer to a kernel that lives as
/// long as this. One that was not given a loss is empty.
class AnyLoss : public Held<LossKernel, 72> {
 public:
  AnyLoss() = default;

  template <class Loss>
  AnyLoss(const Loss& loss) {  // implicit: whoever has a loss has this
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
