// One fit: the engine's questions, answered by one objective until it has none.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <string>
#include <utility>

#include "drive.hpp"
#include "glm_objective.hpp"
#include "options.hpp"
#include "perturbation.hpp"
#include "problem.hpp"
#include "result.hpp"
#include "splicing.hpp"

namespace ksparse {

/// Best subset of at most options.k features of a design (ColumnView, RowView) for a problem. Never throws and never aborts on
/// account of the data: bad input ends with Status::invalid_input, and info.message says what was wrong.
template <class Loss, class Design>
FitResult fit(const Design& design, const Problem& problem, const Loss& loss, const Options& options = {},
              const Interrupt& interrupt = {}) {
  FitResult result;
  const auto refuse = [&](std::string message) {
    result.coef = Eigen::VectorXd::Zero(design.columns());
    result.info.status = Status::invalid_input;
    result.info.message = std::move(message);
    return result;
  };
  if (auto wrong = options.problem()) return refuse(std::move(*wrong));
  if (auto wrong = loss.problem()) return refuse(std::move(*wrong));
  if (auto wrong = problem.problem(design.rows())) return refuse(std::move(*wrong));
  if (options.k > design.columns())
    return refuse("k is " + std::to_string(options.k) + " but X has " + std::to_string(design.columns()) + " columns");

  GlmObjective<Loss, Design> objective(design, problem, loss, options, interrupt);
  SupportMemory memory;
  Splicing engine(design.columns(), options, options.effort == Effort::fast ? nullptr : &memory);
  drive(engine, objective);
  SearchReport report;
  if (engine.info().status == Status::converged && options.effort != Effort::fast)
    report = Perturbation(engine, objective, options).run();
  if (engine.info().status == Status::converged) {
    engine.polish();
    drive(engine, objective);
  }
  objective.to_user(engine.current(), result);
  result.info = engine.info();
  result.info.rounds = report.rounds;
  result.info.times_found = report.times_found;
  if (result.info.status == Status::invalid_input) {
    result.info.bad_row = objective.bad_row();
    result.info.bad_column = objective.bad_column();
    result.info.message =
        "X[" + std::to_string(result.info.bad_row) + ", " + std::to_string(result.info.bad_column) + "] is not finite";
  }
  return result;
}

/// The same with labels alone: y (n,) of 0 and 1.
template <class Loss, class Design>
FitResult fit(const Design& design, const Eigen::VectorXd& y, const Loss& loss, const Options& options = {},
              const Interrupt& interrupt = {}) {
  return fit(design, Problem{Problem::Vector(y.data(), y.size())}, loss, options, interrupt);
}

}  // namespace ksparse
