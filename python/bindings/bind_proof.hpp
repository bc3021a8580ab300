// certify and near_optimal, and what they say.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include <utility>
#include <vector>

#include "convert.hpp"

namespace ksparse::python {

inline Proof prove(const HeldProblem& held, const Options& options, const std::vector<Index>& start,
                   const ProofOptions& settings, bool list, int threads) {
  return held.ask([&](const Design& X, const Problem& problem, const AnyLoss& loss) {
    const Run run = run_by(threads, py::none());
    return list ? ksparse::near_optimal(X, problem, loss, options, start, settings, run)
                : ksparse::certify(X, problem, loss, options, start, settings, run);
  });
}

inline void bind_proof(py::module_& module) {
  py::class_<ProofOptions>(module, "ProofOptions", "Settings of a proof, as in ksparse::ProofOptions.")
      .def(py::init<>())
      .def_readwrite("max_gap", &ProofOptions::max_gap, "relative gap at which the proof is done")
      .def_readwrite("max_seconds", &ProofOptions::max_seconds, "no new nodes after this time; 0: no limit")
      .def_readwrite("max_nodes", &ProofOptions::max_nodes, "no new nodes beyond so many; 0: no limit")
      .def_readwrite("memory", &ProofOptions::memory, "bytes of open nodes beyond which the tree is searched depth first")
      .def_readwrite("within", &ProofOptions::within, "relative distance from the best up to which models are listed")
      .def_readwrite("max_models", &ProofOptions::max_models, "the search ends once there are more");
  py::class_<Proof>(module, "ProofAnswer", "What a proof says; ksparse.Proof is made of it.")
      .def_readonly("fit", &Proof::fit, "the answer")
      .def_readonly("improved", &Proof::improved, "whether the answer is better than the one that was given")
      .def_readonly("lower_bound", &Proof::lower_bound, "F of no support is lower")
      .def_property_readonly("gap", &Proof::gap, "(objective - lower_bound) / objective")
      .def_readonly("loss_gap", &Proof::loss_gap, "the part of the difference that the convex loss below the loss leaves")
      .def_readonly("nodes", &Proof::nodes, "relaxations solved")
      .def_readonly("open", &Proof::open, "nodes that were left")
      .def_property_readonly(
          "end", [](const Proof& proof) { return to_string(proof.end); }, "what ended it")
      .def_readonly("message", &Proof::message, "why there is no proof")
      .def_property_readonly(
          "models",
          [](const Proof& proof) {
            std::vector<std::pair<std::vector<Index>, double>> models;
            for (const NearOptimalModel& model : proof.models) models.emplace_back(model.units, model.objective);
            return models;
          },
          "(units, objective) of near-optimal models, by rising objective");
  module.def("prove", &prove,
             "A proof from the support of an answer: how far it can be from the best, or, with a list, all supports nearly as "
             "good.",
             py::arg("problem"), py::arg("options"), py::arg("start"), py::arg("settings"), py::arg("list"),
             py::arg("threads"));
}

}  // namespace ksparse::python
