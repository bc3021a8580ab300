// The seam between the search and whoever answers it. The splicing engine (splicing.hpp) asks two questions, refit this
// support and scan at this point; an Objective answers them: one problem in memory (glm_objective.hpp), many problems over one
// X together (batch.hpp), or a function written in Python (python/bindings/bind_objective.hpp); one day rows on several
// machines.
//
// Coefficients on this side of the seam are in the objective's own units per feature (any fixed positive scale and, with an
// intercept, any fixed centre), so that numbers here are of order one whatever the units of X.
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
  Eigen::VectorXd coef;        // (capacity * stride,) of place i from i * stride on; those after the unit's own are 0
  double intercept = 0;
  double objective = std::numeric_limits<double>::infinity();
  Index stride = 1;  // coefficients of the largest unit

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

  /// As newly made; allocates only what it does not have.
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

  // Changes of the support; a unit that enters does so with coefficients of 0.
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

/// F of labels that is as good as 0: a support that reaches it separates the classes.
constexpr double separable_objective = 1e-9;

/// Objectives that differ by less, relatively, are of the same support, or of a tie.
constexpr double tie = 1e-9;

/// How good a refit must be.
struct RefitGoal {
  double bar = std::numeric_limits<double>::infinity();  // give up once F is foreseen to stay above it
  bool exact = false;                                    // to the user's tolerance, and judge separability
  bool rough = false;                                    // on the way only: to see what enters next
  Columns likely{};  // units that this refit or the next ones may take in, for those to whom it helps to know
};

struct RefitOutcome {
  Status status = Status::converged;
  bool abandoned = false;  // foreseen to stay above the bar; the iterate is then of no use
  int newton_iterations = 0;
  bool perfect = false;  // F is as good as 0, at a proper minimum: no other support is better
};

/// A panel has at most this many features, so that buffers can be sized once and stay in the second cache.
constexpr Index largest_panel = 512;

/// What a scan says of some features, in the order asked; rows of active features are to be ignored.
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

/// Which Hessian a scan answers with; the gradient is always exact.
enum class Hessian {
  exact,
  sampled,  // of a part of the rows, scaled up: to see which features are worth an exact scan
};

/// Where a scan stands. Coefficients held at a bound have rows and columns of zeros in the inverse, which is that of the
/// others.
struct ScanPoint {
  Eigen::Ref<const Eigen::MatrixXd> inverse;  // (d, d) H^-1 on the active set, the intercept last if there is one
  const Eigen::MatrixXd* hessian = nullptr;   // H, at least (d, d), if a coefficient is held
  const Eigen::VectorXd* gradient = nullptr;  // F' by active coefficient, at least (d,), if one is held
  const Index* starts = nullptr;              // (size + 1,) with groups: where the coefficients of each place begin
  const double* diagonal = nullptr;           // (d,) H_ii, if known
};

/// Takes the answer of a scan, piece by piece, so that p x k numbers need not exist at once.
class ScanSink {
 public:
  virtual ~ScanSink() = default;
  virtual void begin_scan(const ScanPoint& point) = 0;
  virtual void take_panel(const ScanPanel& panel) = 0;
};

class Objective {
 public:
  virtual ~Objective() = default;
  /// Units to choose from: features, or groups of them.
  virtual Index features() const = 0;
  /// Features of the largest unit.
  virtual Index largest_unit() const { return 1; }

  /// Minimises over the coefficients of iterate.support (and the intercept), from where the iterate stands.
  /// Sets iterate.objective; F never rises.
  virtual RefitOutcome refit(Iterate& iterate, const RefitGoal& goal) = 0;

  /// F that is as good as 0: no other support is worth looking for.
  virtual double perfect_objective() const { return separable_objective; }

  /// Gradient and curvature of the named features at the iterate, with a positive semi-definite curvature.
  /// Returns converged, interrupted or invalid_input.
  virtual Status scan(const Iterate& iterate, const Columns& columns, Hessian hessian, ScanSink& sink) = 0;
  /// Whether a sampled Hessian, of all features, is to be had for much less than the exact one.
  virtual bool can_sample() const { return false; }
  /// How well an exact scan foresees what refits find.
  virtual Foresight foresight() const { return Foresight::rough; }
};

}  // namespace ksparse
