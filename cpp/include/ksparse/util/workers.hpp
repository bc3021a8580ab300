// A pool of threads that compute parts of one computation. A fit needs sums over ranges of rows thousands of times, and
// starting threads each time would take longer than many of these sums. The threads are started when they are first needed, and
// end when this object is destroyed.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "../types.hpp"
#include "parallel.hpp"

namespace ksparse {

class Workers {
 public:
  /// At most this many threads, one of which is the calling thread.
  explicit Workers(int threads) noexcept : threads_(std::clamp(threads, 1, 1024)) {}
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    begun_.notify_all();
    for (std::thread& thread : pool_) thread.join();
  }

  int threads() const noexcept { return threads_; }

  /// Calls task(i) for every i in [0, count), in any order, and returns when all calls have ended. The first exception of a
  /// task is thrown again here. Only one thread may call this function, and a task must not call it.
  template <class Task>
  void run(Index count, const Task& task) {
    if (threads_ == 1 || count < 2) {
      for (Index i = 0; i < count; ++i) task(i);
      return;
    }
    start();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      task_ = &task;
      call_ = [](const void* called, Index i) { (*static_cast<const Task*>(called))(i); };
      count_ = count;
      next_ = 0;
      failure_ = nullptr;
      working_ = Index(pool_.size());
      ++generation_;
    }
    begun_.notify_all();
    take_tasks();
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [this] { return working_ == 0; });
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  // If a thread cannot be started, the others do its work.
  void start() {
    if (started_) return;
    started_ = true;
    pool_.reserve(std::size_t(threads_ - 1));
    internal::attempt(
        [this] {
          for (int t = 1; t < threads_; ++t) pool_.emplace_back([this] { wait_and_work(); });
        },
        [](const std::exception_ptr&) {});
  }

  void wait_and_work() {
    std::uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      begun_.wait(lock, [&] { return ending_ || generation_ != seen; });
      if (ending_) return;
      seen = generation_;
      lock.unlock();
      take_tasks();
      lock.lock();
      if (--working_ == 0) ended_.notify_one();
    }
  }

  void take_tasks() {
    internal::attempt(
        [this] {
          for (Index i = next_++; i < count_; i = next_++) call_(task_, i);
        },
        [this](const std::exception_ptr& error) {
          const std::lock_guard<std::mutex> lock(mutex_);
          if (!failure_) failure_ = error;
          next_ = count_;
        });
  }

  const int threads_;
  bool started_ = false, ending_ = false;
  std::vector<std::thread> pool_;
  std::mutex mutex_;
  std::condition_variable begun_, ended_;
  std::uint64_t generation_ = 0;  // number of run() calls, so that a thread takes part once in each
  Index working_ = 0;             // threads of the pool that are still working on the current tasks
  const void* task_ = nullptr;
  void (*call_)(const void*, Index) = nullptr;
  Index count_ = 0;
  std::atomic<Index> next_{0};
  std::exception_ptr failure_;
};

}  // namespace ksparse
