// Chooses the model that predicts sacrifices, for single features or for groups.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <memory>

#include "feature_model.hpp"
#include "group_model.hpp"

namespace ksparse {

/// The model for up to `places` active units of up to `stride` features each, out of `units`.
inline std::unique_ptr<SacrificeModel> make_sacrifice_model(Index places, Index stride, Index units) {
  if (stride > 1) return std::make_unique<GroupModel>(places, stride, largest_panel);
  return std::make_unique<FeatureModel>(places + 1, std::min(largest_panel, units));
}

}  // namespace ksparse
