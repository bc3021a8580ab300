// Progress of parallel work. Finished parts are counted on any thread and reported on the calling thread when it polls for
// interrupts.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>

#include "../types.hpp"

namespace ksparse {

/// Counts the finished parts out of `total` and reports them to a Progress, if there is one.
class ProgressCounter {
 public:
  /// Reports that nothing is done yet. Progress and interrupt must exist as long as the counter.
  ProgressCounter(const Progress& progress, Index total, const Interrupt& interrupt)
      : progress_(progress), interrupt_(interrupt), total_(total) {
    if (progress_) progress_(0, total_);
  }
  ProgressCounter(const ProgressCounter&) = delete;  // the interrupt below refers to it
  ProgressCounter& operator=(const ProgressCounter&) = delete;

  /// Counts one more finished part. It may be called from any thread.
  void count() noexcept { done_.fetch_add(1, std::memory_order_relaxed); }

  /// The caller's interrupt, which also reports the progress. It does so at most every 50 ms, to not slow down very short parts.
  Interrupt interrupt() {
    if (!progress_) return interrupt_;
    return [this] {
      const auto now = Clock::now();
      if (now - last_ >= std::chrono::milliseconds(50)) {
        last_ = now;
        tell();
      }
      return interrupt_ && interrupt_();
    };
  }

  /// Reports the final count. It must be called on the calling thread after the others have ended.
  void finish() {
    if (progress_) tell();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void tell() {
    const Index done = done_.load(std::memory_order_relaxed);
    if (done == told_) return;
    told_ = done;
    progress_(done, total_);
  }

  const Progress& progress_;
  const Interrupt& interrupt_;
  const Index total_;
  std::atomic<Index> done_{0};
  Index told_ = 0;
  Clock::time_point last_ = Clock::now();
};

}  // namespace ksparse
