// Runs independent tasks in parallel threads, which end with the call. It uses std::thread and not OpenMP, whose thread pool can
// hang a forked process.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "../types.hpp"

namespace ksparse {

namespace internal {

/// Calls body(), and calls failed(exception) if it throws. Without exceptions, nothing can throw.
template <class Body, class Failed>
void attempt(const Body& body, [[maybe_unused]] const Failed& failed) {
#ifdef __cpp_exceptions
  try {
    body();
  } catch (...) {
    failed(std::current_exception());
  }
#else
  body();
#endif
}

}  // namespace internal

/// Calls task(i, interrupt) for every i in [0, count), in any order, on up to `threads` threads. The caller's interrupt is
/// called on the calling thread only and passed on to the tasks as a flag. The first exception of a task stops the others and
/// is rethrown here. Returns false if interrupted.
template <class Task>
bool for_each_task(Index count, int threads, const Interrupt& interrupt, const Task& task) {
  constexpr int most_threads = 1024;  // more than any machine needs, and more than some can start
  const int workers = int(std::min<Index>(std::clamp(threads, 1, most_threads), count));
  if (workers <= 1) {
    bool stopped = false;
    const Interrupt noted = [&] { return stopped = stopped || (interrupt && interrupt()); };
    for (Index i = 0; i < count && !noted(); ++i) task(i, noted);
    return !stopped;
  }
  if (interrupt && interrupt()) return false;
  std::atomic<bool> stop{false};
  std::atomic<Index> next{0};
  std::mutex mutex;
  std::condition_variable ended;
  int running = workers;
  std::exception_ptr failure;
  const Interrupt stopped = [&] { return stop.load(std::memory_order_relaxed); };
  const auto end_all = [&](const std::exception_ptr& error) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (!failure) failure = error;
    stop = true;
  };
  const auto take_tasks = [&] {
    for (Index i = next++; i < count && !stopped(); i = next++) task(i, stopped);
  };
  const auto work = [&] {
    internal::attempt(take_tasks, end_all);
    const std::lock_guard<std::mutex> lock(mutex);
    if (--running == 0) ended.notify_one();
  };
  std::vector<std::thread> pool;
  pool.reserve(std::size_t(workers));
  bool interrupted = false;
  const auto start_and_wait = [&] {
    for (int w = 0; w < workers; ++w) pool.emplace_back(work);
    std::unique_lock<std::mutex> lock(mutex);
    while (!ended.wait_for(lock, std::chrono::milliseconds(20), [&] { return running == 0; })) {
      lock.unlock();
      if (interrupt && interrupt()) interrupted = stop = true;
      lock.lock();
    }
  };
  internal::attempt(start_and_wait, end_all);  // if a thread cannot be started, the others end
  for (std::thread& thread : pool) thread.join();
  if (failure) std::rethrow_exception(failure);
  return !interrupted;
}

}  // namespace ksparse
