// The result of a fit.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "types.hpp"

namespace ksparse {

/// How a fit ended. The names are the same in C++, in Python and in the documentation.
enum class Status : int {
  converged,
  max_iterations,
  stalled,
  separable,
  interrupted,
  invalid_input,
  numerical_failure,
};

/// The name of a status.
constexpr const char* to_string(Status status) noexcept {
  switch (status) {
    case Status::converged: return "converged";
    case Status::max_iterations: return "max_iterations";
    case Status::stalled: return "stalled";
    case Status::separable: return "separable";
    case Status::interrupted: return "interrupted";
    case Status::invalid_input: return "invalid_input";
    case Status::numerical_failure: return "numerical_failure";
  }
  return "unknown";
}

/// Advice on a status; empty if the fit converged.
constexpr const char* advice(Status status) noexcept {
  switch (status) {
    case Status::converged: return "";
    case Status::max_iterations: return "raise max_newton, or add a ridge penalty, e.g. ridge=1e-3";
    case Status::stalled:
      return "rounding errors stopped the descent before the tolerance was met, or required features are nearly equal; raise "
             "tolerance, or add a ridge penalty";
    case Status::separable:
      return "the chosen features separate the classes (or part of the rows), so the coefficients have no finite optimum and "
             "their size has no meaning; add a ridge penalty, e.g. ridge=1e-3";
    case Status::interrupted: return "the fit was interrupted";
    case Status::invalid_input: return "correct the input named in the message";
    case Status::numerical_failure:
      return "the objective at the start, or a number in the result, overflows; check the offset, "
             "and divide y, or columns of X, by a power of ten";
  }
  return "";
}

/// Status of a fit and the work that it needed.
struct Info {
  Status status = Status::converged;
  int newton_iterations = 0;  ///< total over all refits
  int refits = 0;             ///< number of refits, including those of rejected supports
  int scans = 0;              ///< number of passes over all of X
  int rounds = 0;             ///< number of descents after the first one
  int restarts = 0;           ///< number of these that began without any feature of the best result found by then
  int times_found = 0;        ///< number of restarts that ended at this result; however many, they prove nothing
  Index bad_row = -1;         ///< with invalid_input: row and column where X is not finite, or -1
  Index bad_column = -1;
  std::string message;  ///< error message for invalid_input

  /// Adds the work of another search for the same problem, which may have found the same result.
  void add(const Info& other, bool found_too) {
    newton_iterations += other.newton_iterations;
    refits += other.refits;
    scans += other.scans;
    rounds += other.rounds + 1;
    restarts += other.restarts;
    if (found_too) times_found += other.times_found;
  }
};

/// (objective - lower_bound) / |objective|, in [0, infinity]; NaN where there is no bound.
inline double relative_gap(double objective, double lower_bound) noexcept {
  if (std::isnan(objective) || std::isnan(lower_bound)) return std::numeric_limits<double>::quiet_NaN();
  const double left = objective - lower_bound;
  return left <= 0 ? 0.0 : left / std::max(std::abs(objective), std::numeric_limits<double>::min());
}

struct FitResult {
  Eigen::VectorXd coef;  ///< (p,), zero outside the support
  double intercept = 0;  ///< 0 if fit_intercept is false
  double objective = 0;  ///< the minimised objective F, as defined in the documentation
  double lower_bound = std::numeric_limits<double>::quiet_NaN();  ///< no support of at most k has a lower F, by the scans of
                                                                  ///< the search; NaN without a ridge or bounds
  std::vector<Index> support;                                     ///< features with non-zero coefficients, sorted
  Info info;

  double gap() const noexcept { return relative_gap(objective, lower_bound); }
};

/// A fit with the non-zero coefficients only.
struct CompactFit {
  std::vector<Index> support;  // sorted
  Eigen::VectorXd coef;        // of the support
  double intercept = 0, objective = 0, lower_bound = std::numeric_limits<double>::quiet_NaN();
  Info info;

  double gap() const noexcept { return relative_gap(objective, lower_bound); }
};

inline CompactFit compact(FitResult result) {
  CompactFit fit;
  fit.coef.resize(Index(result.support.size()));
  for (std::size_t i = 0; i < result.support.size(); ++i) fit.coef[Index(i)] = result.coef[result.support[i]];
  fit.support = std::move(result.support);
  fit.intercept = result.intercept;
  fit.objective = result.objective;
  fit.lower_bound = result.lower_bound;
  fit.info = std::move(result.info);
  return fit;
}

}  // namespace ksparse
