// The functions of the library that programs call. This header contains only declarations, which compile in a second. The
// definitions are in fit.hpp, batch.hpp, resample.hpp, alternatives.hpp and certify.hpp, or, with KSPARSE_COMPILED, in the
// library that is built from cpp/src/ksparse.cpp (target ksparse::compiled).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "certificate.hpp"
#include "design/any_design.hpp"
#include "loss/any_loss.hpp"
#include "options.hpp"
#include "problem.hpp"
#include "result.hpp"
#include "types.hpp"

// KSPARSE_COMPILED is defined for programs that link to the definitions, and KSPARSE_COMPILING for the library that contains
// them.
#if defined(KSPARSE_COMPILED) || defined(KSPARSE_COMPILING)
#define KSPARSE_ENTRY
#else
#define KSPARSE_ENTRY inline
#endif

namespace ksparse {

#if defined(KSPARSE_COMPILED) || defined(KSPARSE_COMPILING)
namespace internal {

/// Defined in the library for the alignment that it was compiled with. Memory is passed across this interface, and Eigen
/// allocates and frees it according to this alignment. A program that is compiled for other instruction sets (-mavx,
/// -march=native) does not link; use the same ones for both.
template <int alignment>
bool is_compiled_for_alignment();

}  // namespace internal
#endif

#ifdef KSPARSE_COMPILED
namespace {
[[maybe_unused]] const bool is_of_the_librarys_alignment = internal::is_compiled_for_alignment<EIGEN_MAX_ALIGN_BYTES>();
}
#endif

class Objective;  // search/objective.hpp

// ------------------------------------------------------------------------------------------------------------------- one fit

/// Finds the best subset of at most options.k features of X for a problem, which is y, or y with weights and an offset. No data
/// make this function throw or abort: for invalid input, the result has Status::invalid_input, and info.message says what was
/// wrong. A k that is larger than the number of features (or of groups) allows all of them, here and in all other functions. If
/// options.walks is more than 1, the threads run the walks, and otherwise they share the sums of one search.
KSPARSE_ENTRY FitResult fit(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, const Options& options = {},
                            const Run& run = {});

/// Memory of a fit that is kept for the next one, e.g. in a server. After the first fit, a fit of the same shape (rows, columns
/// and storage of X, k, kind of search) allocates no memory, for any data and loss; with always_in, never_in, groups or a
/// sparse X, it allocates little. Only one thread may use a workspace at a time. Results are the same as those of ksparse::fit.
class Workspace {
 public:
  KSPARSE_ENTRY Workspace();
  KSPARSE_ENTRY ~Workspace();
  KSPARSE_ENTRY Workspace(Workspace&&) noexcept;
  KSPARSE_ENTRY Workspace& operator=(Workspace&&) noexcept;

  /// The same as ksparse::fit with a single walk, which has the whole budget. The result is valid until the next call.
  KSPARSE_ENTRY const FitResult& fit(const AnyDesign& X, const Problem& problem, const AnyLoss& loss,
                                     const Options& options = {}, const Run& run = {});

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

// -------------------------------------------------------------------------------------------------------------------- losses

/// Returns a built-in loss by its name in Python ("logistic", "focal", "huber", ...), with its parameters in the order of its
/// members. Returns an empty loss, and sets `wrong` to a message, if there is no such loss or if the number of parameters is
/// wrong. The fit checks the values of the parameters. If the loss is known at compile time, use its struct instead.
KSPARSE_ENTRY AnyLoss loss_by_name(const std::string& name, const std::vector<double>& parameters, std::string& wrong);

// ---------------------------------------------------------------------------------------------------------------------- path

/// Returns a fit for every k of an increasing list (path.hpp); options.k is ignored. For invalid input, after an interrupt, or
/// if the model without features cannot be fitted, it returns a single result with the reason. Progress counts the values of k.
KSPARSE_ENTRY std::vector<FitResult> fit_path(const AnyDesign& X, const Problem& problem, const AnyLoss& loss,
                                              const std::vector<Index>& ks, const Options& options = {}, const Run& run = {});

/// How often each row counts, with one resampling in each row of the matrix: 0 and 1 for a fold, counts for a bootstrap round.
/// 64 bits cannot overflow; 16 bits could, because a splitter may repeat a row more than 65,535 times.
using Counts = Eigen::Map<const Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

struct PathTask {
  Index resampling = 0;  // row of the counts
  AnyLoss loss;
  Options options;
  bool follows =
      false;  // whether to start from the fits of the task before it, which has the same resampling and a similar setting
};

/// Computes a path for every task, in parallel threads. The weights of a task are those of the problem times its counts. A task
/// that fails has a single fit, whose status says why, and does not affect the others. Progress counts the fits of all paths. The
/// result is empty after an interrupt.
KSPARSE_ENTRY std::vector<std::vector<CompactFit>> fit_paths(const AnyDesign& X, const Problem& problem, const Counts& counts,
                                                             const std::vector<PathTask>& tasks, const std::vector<Index>& ks,
                                                             const Run& run = {});

// --------------------------------------------------------------------------------------------------------------- predictions

/// Returns x_i . beta + beta0 for each row of X, which must have all columns of the fit, or only those of its support in this
/// order. The values are NaN if X has another number of columns.
KSPARSE_ENTRY Eigen::VectorXd linear_predictor(const FitResult& fit, const AnyDesign& X);
KSPARSE_ENTRY Eigen::VectorXd linear_predictor(const CompactFit& fit, const AnyDesign& X);

/// Converts linear predictors, with or without an offset, to probabilities of class 1, or to means. The probability is the one for
/// which the linear predictor minimises the expected loss, without the class weights of the loss.
KSPARSE_ENTRY Eigen::VectorXd mean_response(const Eigen::VectorXd& eta, const AnyLoss& loss);

/// Returns the probability of class 1, or the mean response, for each row of X, whose columns are as for linear_predictor.
template <class Fit>
Eigen::VectorXd predict(const Fit& fit, const AnyDesign& X, const AnyLoss& loss) {
  return mean_response(linear_predictor(fit, X), loss);
}

// ----------------------------------------------------------------------------------------------------- an objective of one's
// own

/// Finds the best subset for an objective of your own, which must be able to refit a support and to scan features at a point
/// (search/objective.hpp, or search/column_objective.hpp, which takes care of groups). It must be >= 0, because tolerances are
/// relative to it. The options of the search and the constraints are used; the objective itself must know the groups and keep
/// the bounds. The result has the coefficients of all columns that were chosen, even if they are 0. The search is a single walk
/// on the calling thread, and an exception of the objective is passed on to the caller.
KSPARSE_ENTRY FitResult fit(Objective& objective, const Options& options = {}, const Run& run = {});

/// The same for every k of an increasing list, or a single result with the reason if there is no path.
KSPARSE_ENTRY std::vector<FitResult> fit_path(Objective& objective, std::vector<Index> ks, const Options& options = {},
                                              const Run& run = {});

// --------------------------------------------------------------------------------------------------------------------- batch

/// One problem of a batch, which is in memory while it is solved.
struct BatchProblem {
  Eigen::VectorXd responses;  // (n,) y: 0 or 1, or what the loss allows
  Eigen::VectorXd weights;    // (n,) >= 0, or empty
  Eigen::VectorXd offset;     // (n,) or empty
  AnyLoss loss;
  Options options;

  Problem rows() const { return {responses, weights, offset}; }
};

/// Fills in the problem with a given index. It is called from several threads at once.
using ProblemSource = std::function<void(Index, BatchProblem&)>;

/// Solves `count` problems over one X in parallel threads. Each has the same result as with `fit`. An invalid problem has
/// Status::invalid_input and does not affect the others. `width` is the number of problems that a thread solves at once, or 0 for
/// a suitable number. Progress counts problems. After an interrupt, the problems that were not solved yet have
/// Status::interrupted.
KSPARSE_ENTRY std::vector<CompactFit> fit_many(const AnyDesign& X, Index count, const ProblemSource& source,
                                               const Run& run = {}, Index width = 0);

// -------------------------------------------------------------------------------------------------------------- alternatives

struct Alternative {
  Index feature = -1;                 // the chosen feature (or group, if there are groups)
  Index replacement = -1;             // the feature that replaces it
  double objective = 0;               // objective after a refit with the replacement
  Status status = Status::converged;  // status of the refit; unless it converged, the minimum may be lower
};

struct Alternatives {
  Info info;
  std::vector<Alternative> choices;  // in the order of the support, then by increasing objective
};

/// Finds, for each feature of a support, the `count` features that replace it best. One exact scan of all features proposes twice
/// as many candidates, which are then refitted. Features in always_in have no alternatives.
KSPARSE_ENTRY Alternatives alternatives(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, Options options,
                                        const std::vector<Index>& support, Index count, const Run& run = {});

// --------------------------------------------------------------------------------------------------------------------- proof

/// Computes how far a fit can be from the best one, by branch and bound that starts from the support of the fit. It ends when the
/// fit is proved to be within settings.max_gap of the best one, or at a limit, with the gap that is left. If it finds a better
/// support, this becomes the result. It needs a ridge penalty, or bounds on both sides of every coefficient, and a convex or a
/// focal loss.
KSPARSE_ENTRY Proof certify(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, const Options& options,
                            const std::vector<Index>& start, const ProofOptions& settings = {}, const Run& run = {});

/// Lists all supports of exactly options.k features (or groups) whose objective is at most 1 + settings.within times the best
/// one. The list is complete if the proof ends with `optimal`.
KSPARSE_ENTRY Proof near_optimal(const AnyDesign& X, const Problem& problem, const AnyLoss& loss, const Options& options,
                                 const std::vector<Index>& start, const ProofOptions& settings = {}, const Run& run = {});

}  // namespace ksparse
