// The interface between the search and the function that is minimised. The splicing engine (splicing.hpp) makes two requests,
// to refit a support and to scan all features at a point. An Objective fulfils them: a problem in memory (glm_objective.hpp),
// one of many problems with the same X (batch.hpp), or a function written in Python (python/bindings/bind_objective.hpp).
//
// Coefficients in the search are in units that the objective chooses for each feature (any fixed positive scale and, with an
// intercept, any fixed centre), so that they are of order one for any units of X.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <limits>
#include <vector>

#include "../result.hpp"
#include "../types.hpp"
#include "../util/shape.hpp"

namespace ksparse {

/// A point of the search: coefficients on an ordered active set of units (single features, or groups of them).
struct Iterate {
  std::vector<Index> support;  // active units
  Eigen::VectorXd coef;        // (capacity * stride,) those of place i begin at i * stride; unused entries are 0
  double intercept = 0;
  double objective = std::numeric_limits<double>::infinity();
  Index stride = 1;  // number of coefficients of the largest unit

  explicit Iterate(Index capacity, Index largest_unit = 1) { reset(capacity, largest_unit); }
  Iterate(const Iterate&) = default;
  Iterate(Iterate&&) = default;
  Iterate& operator=(Iterate&&) = default;
  Iterate& operator=(const Iterate& other) {
    if (this == &other) return *this;
    set_size(coef, other.coef.size());
    coef = other.coef;
    support = other.support;
    intercept = other.intercept;
    objective = other.objective;
    stride = other.stride;
    return *this;
  }

  /// Makes the iterate empty. It allocates only if it needs more memory than before.
  void reset(Index capacity, Index largest_unit) {
    support.clear();
    support.reserve(std::size_t(capacity));
    set_size(coef, capacity * largest_unit);
    coef.setZero();
    intercept = 0;
    objective = std::numeric_limits<double>::infinity();
    stride = largest_unit;
  }

  Index size() const noexcept { return Index(support.size()); }
  auto at(Index place) { return coef.segment(place * stride, stride); }
  auto at(Index place) const { return coef.segment(place * stride, stride); }

  // Changes of the support. A unit that is added has coefficients of 0.
  void append(Index unit) {
    at(size()).setZero();
    support.push_back(unit);
  }
  void replace(Index place, Index unit) {
    support[std::size_t(place)] = unit;
    at(place).setZero();
  }
  void remove(Index place) {
    for (Index i = place; i + 1 < size(); ++i) at(i) = at(i + 1);
    support.erase(support.begin() + place);
  }
};

/// F below this counts as 0 for labels: a support that reaches it separates the classes.
constexpr double separable_objective = 1e-9;

/// Objectives with a smaller relative difference belong to the same support, or are tied.
constexpr double tie = 1e-9;

/// The accuracy that a refit must have.
struct RefitGoal {
  double bar = std::numeric_limits<double>::infinity();  // give up if F is predicted to stay above this value
  bool exact = false;                                    // to the user's tolerance, including a test for separability
  bool rough = false;                                    // low accuracy, to find the next feature to add
  Columns likely{};  // units that this or the next refits may add, which some objectives can prepare for
};

struct RefitOutcome {
  Status status = Status::converged;
  bool abandoned = false;  // whether F was predicted to stay above the bar; the iterate is then useless
  int newton_iterations = 0;
  bool perfect = false;  // whether F counts as 0 at a minimum, so that no other support is better
};

/// Maximum number of features in a panel, so that buffers have a fixed size and stay in the second-level cache.
constexpr Index largest_panel = 512;

/// The result of a scan for some features, in the requested order. Rows of active features must be ignored.
struct ScanPanel {
  Columns columns;
  Eigen::Ref<const Eigen::ArrayXd> gradient;   // (count,) g_j
  Eigen::Ref<const Eigen::ArrayXd> curvature;  // (count,) H_jj, 0 for a column that can never enter (constant)
  Eigen::Ref<const Eigen::MatrixXd> cross;     // (count, d) H_jA; the last column belongs to the intercept, if there is one
  const double* lower = nullptr;               // (count,) bounds of the coefficients, or null: none
  const double* upper = nullptr;
  // With groups: columns are units, and the arrays above have an entry for each of their features.
  const Index* starts = nullptr;            // (count + 1,) where the entries of each unit begin
  const Eigen::MatrixXd* blocks = nullptr;  // (entries, stride) H among the features of a unit
};

/// The Hessian that a scan uses; the gradient is always exact.
enum class Hessian {
  exact,
  sampled,  // computed from a part of the rows and scaled, to find the features that need an exact scan
};

/// The point of a scan. Coefficients held at a bound have zero rows and columns in the inverse, which is that of the other
/// coefficients.
struct ScanPoint {
  Eigen::Ref<const Eigen::MatrixXd> inverse;  // (d, d) H^-1 on the active set, the intercept last if there is one
  const Eigen::MatrixXd* hessian = nullptr;   // H, at least (d, d), if a coefficient is held
  const Eigen::VectorXd* gradient = nullptr;  // F' by active coefficient, at least (d,), if one is held
  const Index* starts = nullptr;              // (size + 1,) with groups: where the coefficients of each place begin
  const double* diagonal = nullptr;           // (d,) H_ii, if known
};

/// Receives the results of a scan in pieces, so that p x k numbers need not be in memory at once.
class ScanSink {
 public:
  virtual ~ScanSink() = default;
  virtual void begin_scan(const ScanPoint& point) = 0;
  virtual void take_panel(const ScanPanel& panel) = 0;
};

class Objective {
 public:
  virtual ~Objective() = default;
  /// Number of units to choose from, which are features or groups of features.
  virtual Index features() const = 0;
  /// Number of features of the largest unit.
  virtual Index largest_unit() const { return 1; }

  /// Minimises over the coefficients of iterate.support (and the intercept), starting at the iterate. Sets iterate.objective; F
  /// never increases.
  virtual RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) = 0;

  /// F below this counts as 0, so no other support is searched for.
  virtual double perfect_objective() const { return separable_objective; }

  /// Gradient and curvature of the named features at the iterate, with a positive semi-definite curvature.
  /// Returns converged, interrupted or invalid_input.
  virtual Status scan(const Iterate& iterate, const Columns& columns, Hessian hessian, ScanSink& sink) = 0;
  /// Whether a sampled Hessian of all features costs much less than the exact one.
  virtual bool can_sample() const { return false; }
  /// How well an exact scan predicts the results of refits.
  virtual ModelAccuracy model_accuracy() const { return ModelAccuracy::rough; }
};

}  // namespace ksparse
