// Which feature of a support is foreseen to be missed least (optimal brain surgeon, sacrifice.hpp).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "objective.hpp"
#include "sacrifice.hpp"
#include "splicing.hpp"

namespace ksparse {

/// Of a scan at an iterate: the place whose feature may leave at the least rise of F.
class WeakestPlace final : public ScanSink {
 public:
  WeakestPlace(const Iterate& iterate, const Splicing& engine)
      : iterate_(iterate), engine_(engine), model_(make_sacrifice_model(iterate.size(), iterate.stride, 0)) {}

  /// -1: all features must be in.
  Index place() const noexcept { return place_; }

  void begin_scan(const ScanPoint& point) override {
    model_->set(iterate_, point);
    for (Index i = 0; i < iterate_.size(); ++i)
      if (!engine_.is_required(iterate_.support[std::size_t(i)]) &&
          (place_ < 0 || model_->leaving_loss(i) < model_->leaving_loss(place_)))
        place_ = i;
  }
  void take_panel(const ScanPanel&) override {}

 private:
  const Iterate& iterate_;
  const Splicing& engine_;
  const std::unique_ptr<SacrificeModel> model_;
  Index place_ = -1;
};

}  // namespace ksparse
