// The objective of a linear model with X in memory, which the search minimises. Each part has its own header:
//
//   glm_objective      composes the others
//   units              centre and scale of each column; bounds and ridge in units; coefficients to and from the user's
//   unit_choice        how the first scan chooses them;  unit_of_responses: the unit of y
//   rows               responses, weights, offset; slope and curvature at a point;  row_ranges: how sums over rows are divided
//   reduced_rows       fewer rows that stand for all of them;  compact_rows: of a sparse X;  cell_rows: of two-valued columns
//   cells, contingency which rows agree in two-valued columns, and what they weigh
//   column_reader      how columns are read, raw and in units;  column_store: which are kept
//   active_columns     which columns are gathered, and in which rows
//   linearisation      F, gradient and Hessian on the active columns at a point, and the last ones kept
//   refit              Newton's method on a support, and what its end means;  separation, near_twins: proofs for that
//   active_model       the quadratic model on the active columns where a scan stands
//   panel              a panel of columns: from sums of raw columns to derivatives in units
//   panel_sums         what a scan needs of a panel;  dense_sums, slope_sums, sampled_sums, sparse_sums, cell_sums: ways
//                      to come by it
//   scan               panels in order, to a sink
//   scan_bound         lower bounds on F from these;  gain: what a feature may gain at most
//   group_scan         the same for groups of columns;  group_sums: what these need beyond
//   storage            chooses the parts that depend on how X is stored
//   gram_objective     answers least squares from products of columns instead;  gram_columns: these
//   block_sums         sums over one block of rows, for rows that are in a file or on other machines (python/ksparse/_blocks)
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "glm_objective.hpp"
