// A pack of doubles that fills a vector register, with the operations that the kernels and the losses need. Only this file uses
// Eigen's packet functions (Eigen::internal), which have the same names for every processor. Fused multiply-adds are called
// explicitly because compilers in strict C++17 mode do not contract a * b + c.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace ksparse {

struct Pack {
  using Raw = Eigen::internal::packet_traits<double>::type;
  static constexpr int size = Eigen::internal::packet_traits<double>::size;

  Raw raw;

  Pack() noexcept : Pack(0.0) {}
  Pack(double value) noexcept
      : raw(Eigen::internal::pset1<Raw>(value)) {}  // implicit, because formulas mix packs and constants
  static Pack from(const Raw& raw) noexcept { return Pack(raw, 0); }
  static Pack load(const double* p) noexcept { return from(Eigen::internal::ploadu<Raw>(p)); }
  static Pack load(const float* p) noexcept;  // converted to double, which is exact
  void store(double* p) const noexcept { Eigen::internal::pstoreu(p, raw); }
  double sum() const noexcept { return Eigen::internal::predux(raw); }
  double lowest() const noexcept { return Eigen::internal::predux_min(raw); }

  Pack& operator+=(const Pack& b) noexcept { return *this = *this + b; }
  friend Pack operator+(const Pack& a, const Pack& b) noexcept { return from(Eigen::internal::padd(a.raw, b.raw)); }
  friend Pack operator-(const Pack& a, const Pack& b) noexcept { return from(Eigen::internal::psub(a.raw, b.raw)); }
  friend Pack operator*(const Pack& a, const Pack& b) noexcept { return from(Eigen::internal::pmul(a.raw, b.raw)); }
  friend Pack operator/(const Pack& a, const Pack& b) noexcept { return from(Eigen::internal::pdiv(a.raw, b.raw)); }
  friend Pack operator-(const Pack& a) noexcept { return from(Eigen::internal::pnegate(a.raw)); }

 private:
  Pack(const Raw& r, int) noexcept : raw(r) {}
};

// Eigen 3.4 has no conversion from packets of float to packets of double. Without an intrinsic for it, this loop relies on the
// compiler to vectorise it.
inline Pack Pack::load(const float* p) noexcept {
#if defined(EIGEN_VECTORIZE_AVX512)
  return from(_mm512_cvtps_pd(_mm256_loadu_ps(p)));
#elif defined(EIGEN_VECTORIZE_AVX)
  return from(_mm256_cvtps_pd(_mm_loadu_ps(p)));
#elif defined(EIGEN_VECTORIZE_SSE2)
  return from(_mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))));
#elif defined(EIGEN_VECTORIZE_NEON) && EIGEN_ARCH_ARM64
  return from(vcvt_f64_f32(vld1_f32(p)));
#else
  double wide[size];
  for (int i = 0; i < size; ++i) wide[i] = p[i];
  return load(wide);
#endif
}

/// A number of rows, rounded up to a whole number of packs. Rows are padded to it, so that loops over packs have no tail.
constexpr Eigen::Index padded_to_pack(Eigen::Index count) noexcept {
  return (count + Pack::size - 1) / Pack::size * Pack::size;
}

/// Transposes a square of packs in registers: entry j of pack i becomes entry i of pack j.
inline void transpose(Pack (&square)[Pack::size]) noexcept {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of vector types as template arguments
#endif
  Eigen::internal::PacketBlock<Pack::Raw, Pack::size> block;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  for (int i = 0; i < Pack::size; ++i) block.packet[i] = square[i].raw;
  Eigen::internal::ptranspose(block);
  for (int i = 0; i < Pack::size; ++i) square[i] = Pack::from(block.packet[i]);
}

/// Prefetches the cache line at an address into the second-level cache. The address may be past the end of an array.
inline void prefetch(std::uintptr_t address) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(reinterpret_cast<const void*>(address), 0, 2);
#elif defined(EIGEN_VECTORIZE_SSE)
  _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T1);
#else
  static_cast<void>(address);
#endif
}

/// With these overloads, the same formulas work for double (in tests) and for Pack (in hot loops).
inline Pack exp(const Pack& a) noexcept { return Pack::from(Eigen::internal::pexp(a.raw)); }
inline Pack log(const Pack& a) noexcept { return Pack::from(Eigen::internal::plog(a.raw)); }
inline Pack sqrt(const Pack& a) noexcept { return Pack::from(Eigen::internal::psqrt(a.raw)); }
inline Pack abs(const Pack& a) noexcept { return Pack::from(Eigen::internal::pabs(a.raw)); }
inline Pack max(const Pack& a, const Pack& b) noexcept { return Pack::from(Eigen::internal::pmax(a.raw, b.raw)); }
inline Pack min(const Pack& a, const Pack& b) noexcept { return Pack::from(Eigen::internal::pmin(a.raw, b.raw)); }
inline Pack multiply_add(const Pack& a, const Pack& b, const Pack& c) noexcept {
  return Pack::from(Eigen::internal::pmadd(a.raw, b.raw, c.raw));
}
/// Selects x in the places where a <= b, and y in the others.
inline Pack select_less_equal(const Pack& a, const Pack& b, const Pack& x, const Pack& y) noexcept {
  return Pack::from(Eigen::internal::pselect(Eigen::internal::pcmp_le(a.raw, b.raw), x.raw, y.raw));
}

inline double exp(double a) noexcept { return std::exp(a); }
inline double log(double a) noexcept { return std::log(a); }
inline double sqrt(double a) noexcept { return std::sqrt(a); }
inline double abs(double a) noexcept { return std::abs(a); }
inline double max(double a, double b) noexcept { return std::max(a, b); }
inline double min(double a, double b) noexcept { return std::min(a, b); }
inline double multiply_add(double a, double b, double c) noexcept { return a * b + c; }
inline double select_less_equal(double a, double b, double x, double y) noexcept { return a <= b ? x : y; }

}  // namespace ksparse
