// Detects the instruction sets that this processor and its operating system support. It is compiled for the baseline because it
// runs first. It does not use pybind11, which hangs when it is loaded in a subinterpreter of Python 3.11 or older: this module
// is loaded first and raises an error there. SPDX-License-Identifier: BSD-3-Clause
#define PY_SSIZE_T_CLEAN
#include <Python.h>

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
// Bits of CPUID leaves 1 and 7, and of XCR0, which tells whether the operating system saves the wide registers.
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

PyObject* supported(PyObject*, PyObject*) {
  PyObject* names = PyList_New(0);
  const auto append = [&](const char* name) {
    PyObject* text = names ? PyUnicode_FromString(name) : nullptr;
    if (text && PyList_Append(names, text) == 0) return Py_DECREF(text);
    Py_XDECREF(text);
    Py_CLEAR(names);
  };
  if (has_avx512()) append("avx512");
  if (has_avx2()) append("avx2");
  append("baseline");
  return names;
}

int refuse_subinterpreters(PyObject*) {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return 0;
  PyErr_SetString(PyExc_ImportError,
                  "ksparse cannot be imported in a subinterpreter, as neither can what it is built on; run it in the main "
                  "interpreter (with mod_wsgi: WSGIApplicationGroup %{GLOBAL})");
  return -1;
}

PyMethodDef methods[] = {
    {"supported", supported, METH_NOARGS, "Names of the instruction sets that can run here, best first."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(&refuse_subinterpreters)},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},  // otherwise Python raises its own error
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_cpu", "Instruction sets of this processor.", 0, methods, slots, nullptr, nullptr, nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit__cpu() { return PyModuleDef_Init(&definition); }
