// certify and near_optimal, and their results.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include <utility>
#include <vector>

#include "convert.hpp"

namespace ksparse::python {

inline Proof prove(const HeldProblem& held, const Options& options, const std::vector<Index>& start, ProofOptions settings,
                   bool list, int threads, const py::object& progress) {
  if (!progress.is_none())
    settings.progress = [&progress](const ProofState& state) {
      const py::gil_scoped_acquire gil;
      progress(state.nodes, state.open, state.gap());
    };
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
      .def_readwrite("max_nodes", &ProofOptions::max_nodes, "the proof ends after this number of nodes; 0 means no limit")
      .def_readwrite("memory", &ProofOptions::memory, "bytes of open nodes beyond which the tree is searched depth first")
      .def_readwrite("within", &ProofOptions::within, "models are listed up to this relative distance from the best")
      .def_readwrite("max_models", &ProofOptions::max_models, "the list ends once it has more models than this");
  py::class_<Proof>(module, "ProofAnswer", "The result of a proof, from which ksparse.Proof is made.")
      .def_readonly("fit", &Proof::fit, "the best fit that is known")
      .def_readonly("improved", &Proof::improved, "whether it is better than the given fit")
      .def_readonly("lower_bound", &Proof::lower_bound, "no support has a lower F than this")
      .def_property_readonly("gap", &Proof::gap, "(objective - lower_bound) / objective")
      .def_readonly("loss_gap", &Proof::loss_gap, "the part of objective - lower_bound due to a loss that is not convex")
      .def_readonly("nodes", &Proof::nodes, "number of relaxations that were solved")
      .def_readonly("open", &Proof::open, "number of nodes that were left")
      .def_property_readonly(
          "end", [](const Proof& proof) { return to_string(proof.end); }, "why the proof ended")
      .def_readonly("message", &Proof::message, "why there is no proof")
      .def_property_readonly(
          "models",
          [](const Proof& proof) {
            std::vector<std::pair<std::vector<Index>, double>> models;
            for (const NearOptimalModel& model : proof.models) models.emplace_back(model.units, model.objective);
            return models;
          },
          "(units, objective) of near-optimal models, in the order of their objectives");
  module.def("prove", &prove,
             "Proves how far the support `start` can be from the best one or, if `list` is true, finds all supports that are "
             "nearly as good. progress is called with the number of nodes, of open nodes and the gap.",
             py::arg("problem"), py::arg("options"), py::arg("start"), py::arg("settings"), py::arg("list"), py::arg("threads"),
             py::arg("progress") = py::none());
}

}  // namespace ksparse::python
