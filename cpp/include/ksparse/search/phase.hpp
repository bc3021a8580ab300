// The phases of a descent, and what each of them scans.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace ksparse {

/// Where a descent ends.
enum class Reach {
  grow,    // when the support is full
  local,   // when, in addition, no exchange within the working set helps
  global,  // when, in addition, no exchange with any feature helps
};

/// How a new engine begins.
enum class Begin {
  with_descent,  // descent 0, from the empty support
  with_survey,   // only a scan of all features at the empty support
};

/// What the engine waits for.
enum class Phase {
  null_model,  // refit of the empty support
  survey,      // first scan of all features
  many,        // refit of the working set
  shrink,      // scan of no features but the model at the point, of a support that is too large or may be linearly dependent
  grow,        // refits and scans of the working set until the support is full
  local,       // exchanges within the working set
  screen,      // sampled scan of all features
  global,      // exchanges with any feature, or any that passed the screen
  all,         // all possible exchanges, one after the other
  polish,      // refit to the user's tolerance
  done,
};

/// The units that a scan covers.
enum class ScanOf {
  working_set,
  survey,  // of all units, at the empty support
  sample,  // of all units, with a sampled Hessian
  all,     // of all units, or of those that a sample did not rule out
};

constexpr ScanOf scan_of(Phase phase) noexcept {
  switch (phase) {
    case Phase::survey: return ScanOf::survey;
    case Phase::screen: return ScanOf::sample;
    case Phase::global: return ScanOf::all;
    default: return ScanOf::working_set;
  }
}

}  // namespace ksparse
