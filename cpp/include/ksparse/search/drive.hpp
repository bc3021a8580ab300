// The loop between the search engine and an objective, for one problem at a time; batch.hpp has the one for many problems.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "objective.hpp"
#include "search.hpp"
#include "splicing.hpp"

namespace ksparse {

/// Performs the refit or scan that the engine requests.
inline void answer(Splicing& engine, Objective& objective) {
  if (engine.question() == Splicing::Question::refit) {
    RefitGoal goal = engine.goal();
    goal.likely = engine.findings().entering();
    engine.answer_refit(objective.refit(engine.trial(), goal));
  } else {
    engine.answer_scan(objective.scan(engine.current(), engine.columns(), engine.hessian(), engine));
  }
}

/// Performs refits and scans until the engine is done. It allocates no memory.
inline void drive(Splicing& engine, Objective& objective) {
  while (engine.question() != Splicing::Question::done) answer(engine, objective);
}

/// The same for a whole search.
inline void drive(Search& search, Objective& objective) {
  for (; !search.done(); search.advance()) drive(search.engine(), objective);
}

}  // namespace ksparse
