// The phases of a descent, and what each of them scans.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace ksparse {

/// How far a descent goes.
enum class Reach {
  grow,    // until the support is full
  local,   // and until no exchange within the working set helps
  global,  // and none with any feature
};

/// What a new engine begins with.
enum class Begin {
  with_descent,  // descent 0, from the empty support
  with_survey,   // a scan of all features at the empty support, and nothing more
};

/// What the engine waits for.
enum class Phase {
  null_model,  // refit of the empty support
  survey,      // first scan of all features
  many,        // refit of the working set
  shrink,      // of a support that is too large, or may hold combinations of features, a scan of nothing but the point
  grow,        // refits and scans of the working set until the support is full
  local,       // exchanges within the working set
  screen,      // sampled scan of all features
  global,      // exchanges with any feature, or any that passed the screen
  all,         // every exchange there is, in turn
  polish,      // the answer, to the user's tolerance
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
