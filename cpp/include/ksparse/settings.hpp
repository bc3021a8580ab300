// Every setting of a fit, once. Options (options.hpp) has a member for each number and checks its rule; the C API (ksparse.h) has a
// member of the same name for each, or does not compile, and Python's core has an attribute.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Numbers: type, name, default, the rule that a `value` must satisfy, the rule in words, and the meaning.
#define KSPARSE_SETTINGS(SETTING)                                                                                         \
  SETTING(Index, k, 10, value >= 0, ">= 0", "maximum number of features; the intercept does not count")                   \
  SETTING(bool, fit_intercept, true, true, "", "whether to fit an intercept, which is never penalised")                   \
  SETTING(double, ridge, 0.0, value >= 0 && std::isfinite(value), "finite and >= 0",                                      \
          "weight of |beta|^2 / 2, in units of the average loss")                                                         \
  SETTING(double, tolerance, 1e-8, value > 0 && std::isfinite(value), "> 0",                                              \
          "a refit stops when its Newton decrement sqrt(g' H^-1 g) is at most this")                                      \
  SETTING(int, max_newton, 100, value >= 1, ">= 1", "maximum number of Newton iterations per refit")                      \
  SETTING(int, pairs_tried, 8, value >= 1 && value <= 10000, "in [1, 10000]",                                             \
          "exchanges that are refitted per scan of the working set; each takes k + 1 numbers in memory")                  \
  SETTING(int, pairs_tried_last, 30, value >= 1 && value <= 10000, "in [1, 10000]",                                       \
          "the same for a scan of all features; no other of these exchanges improves the result")                         \
  SETTING(Effort, search, Effort::automatic, value >= Effort::fast && value <= Effort::thorough, "an Effort",             \
          "how long a fit searches after the first descent")                                                              \
  SETTING(int, max_rounds, 0, value >= 0, ">= 0", "maximum number of perturbation rounds; with 0, search sets it")        \
  SETTING(int, max_refits, 0, value >= 0, ">= 0", "no round begins after this many refits; with 0, search sets it")       \
  SETTING(double, max_seconds, 0, value >= 0 && std::isfinite(value), "finite and >= 0",                                  \
          "no round begins after this time in seconds; 0 means no limit")                                                 \
  SETTING(std::uint64_t, random_state, 0, true, "", "seed of the perturbations")                                          \
  SETTING(int, walks, 1, value >= 1, ">= 1",                                                                              \
          "number of independent searches of a single fit, which share the limits on rounds and refits; they can run on " \
          "several threads, but the result depends only on their number; problems of batches and paths have one each")    \
  SETTING(bool, cold_starts, true, true, "",                                                                              \
          "for a path: whether the fits with up to 32 features, and the last one, also start as a single fit does; they " \
          "are then never worse than a single fit, and otherwise start only from their neighbours")                       \
  SETTING(int, path_sweeps, 10, value >= 0, ">= 0",                                                                       \
          "for a path: maximum number of sweeps in which fits start from their neighbours")

// Lists of features: name, place in Options, and meaning.
#define KSPARSE_FEATURE_LISTS(LIST)                                                         \
  LIST(always_in, constraints.always_in, "features in every support; they count towards k") \
  LIST(never_in, constraints.never_in, "features in no support")                            \
  LIST(start, start, "features from which an additional descent starts, e.g. those of an earlier fit")

// Lists with an entry for each column, or without any.
#define KSPARSE_COLUMN_LISTS(LIST)                                                                            \
  LIST(lower, constraints.lower, "lower bounds of the coefficients, <= 0 unless the feature is in always_in") \
  LIST(upper, constraints.upper, "upper bounds of the coefficients, >= 0 unless the feature is in always_in") \
  LIST(groups, constraints.groups, "group of each column, numbered from 0 without gaps; k then counts groups")
