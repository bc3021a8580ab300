// How far some work is: parts are counted on any thread, and told on the calling thread where it asks for interrupts anyway.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>

#include "../types.hpp"

namespace ksparse {

/// Counts finished parts of a work of `total` parts for a Progress. Without one it costs nothing beyond the counting.
class ProgressCounter {
 public:
  /// Tells that nothing is done. Progress and interrupt outlive the counter.
  ProgressCounter(const Progress& progress, Index total, const Interrupt& interrupt)
      : progress_(progress), interrupt_(interrupt), total_(total) {
    if (progress_) progress_(0, total_);
  }
  ProgressCounter(const ProgressCounter&) = delete;  // the interrupt below refers to it
  ProgressCounter& operator=(const ProgressCounter&) = delete;

  /// One more part is done; from any thread.
  void count() noexcept { done_.fetch_add(1, std::memory_order_relaxed); }

  /// The caller's interrupt, which on the way tells how far the work is: at most every 50 ms, so that parts of microseconds are
  /// not slowed down by whoever listens.
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

  /// Once the work has ended: tells what was done. On the calling thread, when the others have ended.
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
