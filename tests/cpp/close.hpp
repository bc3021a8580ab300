// Closeness with both tolerances named, since Approx of the test framework mixes them.
#pragma once

#include <algorithm>
#include <cmath>

inline bool close(double a, double b, double relative, double absolute = 0.0) {
  if (a == b) return true;
  return std::abs(a - b) <= std::max(absolute, relative * std::max(std::abs(a), std::abs(b)));
}
