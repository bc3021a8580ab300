// ksparse: best-subset classification with logistic and focal losses. The one header to include.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "alternatives.hpp"
#include "batch.hpp"
#include "design/dense.hpp"
#include "design/sparse.hpp"
#include "fit.hpp"
#include "loss/focal.hpp"
#include "loss/logistic.hpp"
#include "resample.hpp"
