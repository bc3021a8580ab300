// Which instruction sets this processor and its operating system can run. Compiled for the baseline, since it runs first.
// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#if defined(_MSC_VER) && defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace {

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#elif defined(_MSC_VER) && defined(_M_X64)
// The bits of CPUID leaves 1 and 7, and of XCR0, which says whether the system saves the wide registers.
bool bits(int leaf, int which, unsigned mask) {
  int registers[4];
  __cpuidex(registers, leaf, 0);
  return (unsigned(registers[which]) & mask) == mask;
}
bool saved(unsigned long long mask) { return bits(1, 2, 1u << 27) && (_xgetbv(0) & mask) == mask; }
bool has_avx2() { return saved(0x6) && bits(1, 2, 1u << 12) && bits(7, 1, 1u << 5); }
bool has_avx512() { return saved(0xe6) && has_avx2() && bits(7, 1, 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31); }
#else
bool has_avx2() { return false; }
bool has_avx512() { return false; }
#endif

std::vector<std::string> supported() {
  std::vector<std::string> names;
  if (has_avx512()) names.emplace_back("avx512");
  if (has_avx2()) names.emplace_back("avx2");
  names.emplace_back("baseline");
  return names;
}

}  // namespace

PYBIND11_MODULE(_cpu, module, pybind11::mod_gil_not_used()) {
  module.doc() = "What this processor can run.";
  module.def("supported", &supported, "Names of the instruction sets that can run here, best first.");
}
