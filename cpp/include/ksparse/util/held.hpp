// An object of a class derived from Base, which is either owned or referred to. Small owned objects are stored in place, so
// that passing a loss or a matrix to a function allocates no memory.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace ksparse {

template <class Base, std::size_t room>
class Held {
 public:
  Held() = default;
  Held(const Held& other) { take(other); }
  Held& operator=(const Held& other) {
    if (this == &other) return *this;
    clear();
    take(other);
    return *this;
  }
  ~Held() { clear(); }

  /// Returns the object, or null if there is none.
  const Base* get() const noexcept { return base_; }

 protected:
  /// Refers to an object that outlives this one.
  void refer(const Base& others) noexcept { base_ = &others; }

  /// Makes and owns a Made(from). It may be called only once.
  template <class Made, class From>
  void keep(const From& from) {
    if constexpr (sizeof(Made) <= room && alignof(Made) <= alignof(std::max_align_t) &&
                  std::is_nothrow_copy_constructible_v<Made>) {
      base_ = ::new (static_cast<void*>(place_)) Made(from);
      copy_ = [](const Base& source, void* place) noexcept -> const Base* {
        return ::new (place) Made(static_cast<const Made&>(source));
      };
    } else {
      shared_ = std::make_shared<const Made>(from);
      base_ = shared_.get();
    }
  }

 private:
  void take(const Held& other) {
    copy_ = other.copy_;
    shared_ = other.shared_;
    base_ = copy_ ? copy_(*other.base_, place_) : other.base_;
  }
  void clear() noexcept {
    if (copy_) base_->~Base();
    copy_ = nullptr;
    base_ = nullptr;
  }

  const Base* base_ = nullptr;
  const Base* (*copy_)(const Base& source, void* place) noexcept = nullptr;  // for an object in place, otherwise null
  std::shared_ptr<const Base> shared_;                                       // for an object on the heap
  alignas(std::max_align_t) std::byte place_[room];
};

}  // namespace ksparse
