// One problem over an X in memory: answers the engine's questions with passes over gathered columns (refit) and over X (scan).
//
// Units. Each feature is used as z_j = (x_j - centre_j) / scale_j, with the weighted mean and a power of two near the standard
// deviation (without an intercept: centre 0, root mean square). Active columns are gathered in these units; the sums of a scan
// are taken over the raw X, in one pass, and converted by formula, so X is neither copied nor changed, and columns of 1e150 or
// of 1e-150, or years around 2000, are like any others. Where the conversion would cancel (the mean is far above the deviation)
// or overflow, the column is gathered in each scan instead ("careful" columns; few or none in most data).
//
// Where F goes with the square of the unit of y (least squares), y is in a unit of its own here as well, near its deviation, so
// that tolerances mean the same whatever the user's unit.
//
// Of a sparse X, refits go over the rows with an entry in an active column (compact_rows.hpp), scans over the entries.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "glm_objective.hpp"
#include "refit.hpp"
#include "scan.hpp"
#include "units.hpp"
