// The loop between an engine and whoever answers it, for one engine and one objective.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "objective.hpp"
#include "splicing.hpp"

namespace ksparse {

/// Asks and answers until the engine is done. Allocates nothing.
inline void drive(Splicing& engine, Objective& objective) {
  while (engine.question() != Splicing::Question::done) {
    if (engine.question() == Splicing::Question::refit) {
      engine.answer_refit(objective.refit(engine.trial(), engine.goal()));
    } else {
      engine.answer_scan(objective.scan(engine.current(), engine.columns(), engine.hessian(), engine));
    }
  }
}

}  // namespace ksparse
