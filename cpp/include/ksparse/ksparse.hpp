// ksparse: best-subset classification and regression with many losses. The one header to include.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "alternatives.hpp"
#include "batch.hpp"
#include "design/dense.hpp"
#include "design/sparse.hpp"
#include "fit.hpp"
#include "loss/asymmetric_focal.hpp"
#include "loss/cloglog.hpp"
#include "loss/exponential.hpp"
#include "loss/focal.hpp"
#include "loss/gamma.hpp"
#include "loss/huber.hpp"
#include "loss/huberised_hinge.hpp"
#include "loss/logistic.hpp"
#include "loss/negative_binomial.hpp"
#include "loss/poisson.hpp"
#include "loss/probit.hpp"
#include "loss/squared.hpp"
#include "loss/squared_hinge.hpp"
#include "loss/tweedie.hpp"
#include "resample.hpp"
