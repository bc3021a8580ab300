// Many paths with the same X, each with its own resampling of the rows (folds or bootstrap rounds, given as counts) and
// settings.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../entries.hpp"
#include "../loss/stable.hpp"
#include "../problem.hpp"
#include "../util/parallel.hpp"
#include "fit.hpp"

namespace ksparse {

KSPARSE_ENTRY std::vector<std::vector<CompactFit>> fit_paths(const AnyDesign& X, const Problem& problem, const Counts& counts,
                                                             const std::vector<PathTask>& tasks, const std::vector<Index>& ks,
                                                             const Run& run) {
  std::vector<std::vector<CompactFit>> answers(tasks.size());
  // The first tasks of all chains come first, then the second ones: when a task is started, the one before it in its chain has
  // finished or is running.
  std::vector<std::size_t> order(tasks.size()), level(tasks.size(), 0);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    order[i] = i;
    if (i > 0 && tasks[i].follows) level[i] = level[i - 1] + 1;
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return level[a] < level[b]; });
  std::mutex mutex;
  std::condition_variable one_done;
  std::vector<char> done(tasks.size(), 0);
  const auto wait_for = [&](std::size_t i, const Interrupt& stopped) {
    std::unique_lock<std::mutex> lock(mutex);
    while (!done[i] && !(stopped && stopped())) one_done.wait_for(lock, std::chrono::milliseconds(20));
    return bool(done[i]);
  };
  ProgressCounter counter(run.progress, Index(tasks.size() * ks.size()), run.interrupt);
  const bool groups =
      std::any_of(tasks.begin(), tasks.end(), [](const PathTask& task) { return !task.options.constraints.groups.empty(); });
  const CheckedDesign checked(*X, Index(tasks.size()), groups);
  const auto run_one = [&](std::size_t i, const Interrupt& stopped) {
    const PathTask& task = tasks[i];
    Eigen::VectorXd weights = counts.row(task.resampling).template cast<double>().transpose();
    if (problem.weights.size())  // divided by a power of two, so that the product cannot overflow
      weights.array() *= problem.weights.array() / stable::power_of_two_near(problem.weights.maxCoeff());
    const Problem resampled{problem.responses, weights, problem.offset};
    const bool seeded = level[i] > 0 && answers[i - 1].size() == ks.size();
    for (FitResult& result : internal::fit_path(checked, resampled, task.loss, ks, task.options, stopped, 1,
                                                seeded ? &answers[i - 1] : nullptr, counter))
      answers[i].push_back(compact(std::move(result)));
  };
  const auto take = [&](Index place, const Interrupt& stopped) {
    const std::size_t i = order[std::size_t(place)];
    if (level[i] > 0 && !wait_for(i - 1, stopped)) return;
    run_one(i, stopped);
    const std::lock_guard<std::mutex> lock(mutex);
    done[i] = 1;
    one_done.notify_all();
  };
  if (!for_each_task(Index(tasks.size()), run.threads, counter.interrupt(), take)) return {};
  counter.finish();
  return answers;
}

}  // namespace ksparse
