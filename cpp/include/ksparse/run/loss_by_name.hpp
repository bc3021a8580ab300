// The list of losses by name.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "../entries.hpp"
#include "../loss/any_loss.hpp"
#include "../loss/asymmetric_focal.hpp"
#include "../loss/cloglog.hpp"
#include "../loss/exponential.hpp"
#include "../loss/focal.hpp"
#include "../loss/gamma.hpp"
#include "../loss/huber.hpp"
#include "../loss/huberised_hinge.hpp"
#include "../loss/logistic.hpp"
#include "../loss/negative_binomial.hpp"
#include "../loss/poisson.hpp"
#include "../loss/probit.hpp"
#include "../loss/squared.hpp"
#include "../loss/squared_hinge.hpp"
#include "../loss/tweedie.hpp"

namespace ksparse {

namespace internal {

struct NamedLoss {
  const char* name;
  std::size_t parameters;  // in the order of the loss's members
  AnyLoss (*make)(const double* given);
};

constexpr NamedLoss named_losses[] = {
    {"logistic", 0, [](const double*) { return AnyLoss(Logistic{}); }},
    {"focal", 2, [](const double* given) { return AnyLoss(Focal{given[0], given[1]}); }},
    {"asymmetric_focal", 2, [](const double* given) { return AnyLoss(AsymmetricFocal{given[0], given[1]}); }},
    {"squared_hinge", 0, [](const double*) { return AnyLoss(SquaredHinge{}); }},
    {"huberised_hinge", 1, [](const double* given) { return AnyLoss(HuberisedHinge{given[0]}); }},
    {"probit", 0, [](const double*) { return AnyLoss(Probit{}); }},
    {"cloglog", 0, [](const double*) { return AnyLoss(Cloglog{}); }},
    {"exponential", 0, [](const double*) { return AnyLoss(Exponential{}); }},
    {"squared", 0, [](const double*) { return AnyLoss(Squared{}); }},
    {"huber", 1, [](const double* given) { return AnyLoss(Huber{given[0]}); }},
    {"poisson", 0, [](const double*) { return AnyLoss(Poisson{}); }},
    {"gamma", 0, [](const double*) { return AnyLoss(Gamma{}); }},
    {"tweedie", 1, [](const double* given) { return AnyLoss(Tweedie{given[0]}); }},
    {"negative_binomial", 1, [](const double* given) { return AnyLoss(NegativeBinomial{given[0]}); }},
};

}  // namespace internal

KSPARSE_ENTRY AnyLoss loss_by_name(const std::string& name, const std::vector<double>& parameters, std::string& wrong) {
  for (const internal::NamedLoss& loss : internal::named_losses) {
    if (name != loss.name) continue;
    if (parameters.size() == loss.parameters) return loss.make(parameters.data());
    wrong = "loss '" + name + "' has " + std::to_string(loss.parameters) + " parameters, but " +
            std::to_string(parameters.size()) + " were given";
    return {};
  }
  wrong = "there is no loss '" + name + "'";
  return {};
}

}  // namespace ksparse
