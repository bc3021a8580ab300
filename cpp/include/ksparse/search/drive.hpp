// The loop between an engine and whoever answers it, for one problem at a time; batch.hpp has that for many.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "objective.hpp"
#include "search.hpp"
#include "splicing.hpp"

namespace ksparse {

/// Answers the engine's question, which is not `done`.
inline void answer(Splicing& engine, Objective& objective) {
  if (engine.question() == Splicing::Question::refit) {
    RefitGoal goal = engine.goal();
    goal.likely = engine.proposed();
    engine.answer_refit(objective.refit(engine.trial(), goal));
  } else {
    engine.answer_scan(objective.scan(engine.current(), engine.columns(), engine.hessian(), engine));
  }
}

/// Asks and answers until the engine is done. Allocates nothing.
inline void drive(Splicing& engine, Objective& objective) {
  while (engine.question() != Splicing::Question::done) answer(engine, objective);
}

/// The same for a whole search.
inline void drive(Search& search, Objective& objective) {
  for (; !search.done(); search.advance()) drive(search.engine(), objective);
}

}  // namespace ksparse
