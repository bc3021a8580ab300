// Sums over blocks of rows (glm/block_sums.hpp). A block is a matrix, or a list of the columns that were kept of it, with its
// responses, weights and offset.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/stl.h>

#include <ksparse/glm/block_sums.hpp>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "convert.hpp"

namespace ksparse::python {

/// A loss in the units of the solver, for a unit of y and the total weight of all rows.
struct HeldBlockLoss {
  HeldBlockLoss(const AnyLoss& of, double unit, double total, bool intercept) : loss(of) {
    block.units = loss->units(unit);
    block.kernel = block.units.response == 1 ? std::shared_ptr<const LossKernel>(std::shared_ptr<void>(), loss.get())
                                             : loss->in_units(block.units.response);
    block.weight = block.units.weight / total;
    block.intercept = intercept;
  }
  HeldBlockLoss(const HeldBlockLoss&) = delete;  // the kernel may be that of the loss beside it
  HeldBlockLoss& operator=(const HeldBlockLoss&) = delete;

  AnyLoss loss;
  BlockLoss block;
};

template <class Scalar>
std::unique_ptr<Design> list_of_columns(const py::list& columns, Index rows) {
  std::vector<const Scalar*> places;
  for (const py::handle item : columns) {
    const auto column = py::reinterpret_borrow<py::array>(item);
    if (!py::isinstance<py::array_t<Scalar>>(column) || column.ndim() != 1 || column.shape(0) != rows ||
        !(column.flags() & py::array::c_style))
      throw py::value_error("the columns of a block must be contiguous vectors of one type");
    places.push_back(static_cast<const Scalar*>(column.data()));
  }
  return std::make_unique<ColumnList<Scalar>>(std::move(places), rows);
}

/// A block of rows, with references that keep its arrays alive.
struct HeldBlock {
  HeldBlock(const py::object& X, const Array& y, const std::optional<Array>& sample_weight, const std::optional<Array>& offset)
      : matrix(X),
        rows{y, sample_weight.value_or(Array()), offset.value_or(Array())},
        problem(vector_view(y), vector_view(sample_weight), vector_view(offset)) {
    const Index n = y.shape(0);
    if (py::isinstance<py::list>(X)) {
      const auto columns = py::reinterpret_borrow<py::list>(X);
      const bool floats = columns.size() > 0 && py::isinstance<py::array_t<float>>(columns[0]);
      design.design = floats ? list_of_columns<float>(columns, n) : list_of_columns<double>(columns, n);
    } else {
      design = design_view(X);
    }
    if (design.design->rows() != n) throw py::value_error("a block must have as many rows of X as responses");
  }

  py::object matrix;
  HeldDesign design;
  Array rows[3];
  Problem problem;
};

using List = std::vector<Index>;

/// Calls ask(sums, point) for a block without the GIL.
template <class Ask>
auto ask_block(const HeldBlock& block, const HeldBlockLoss& loss, const List& active, const Array& coef, const Array& centre,
               const Array& factor, bool convex, const Ask& ask) {
  const BlockPoint point{active, vector_view(coef), convex ? Curvature::convex : Curvature::exact};
  const BlockUnits units{vector_view(centre), vector_view(factor)};
  if (coef.size() != Index(active.size()) + loss.block.intercept || units.centre.size() != units.factor.size())
    throw py::value_error("a point must have a coefficient for each active column and the intercept");
  for (const Index column : active)
    if (column < 0 || column >= units.centre.size() || column >= block.design.design->columns())
      throw py::value_error("an active column must be one of the block's");
  const py::gil_scoped_release release;
  BlockSums sums(*block.design.design, block.problem, loss.block, units);
  return ask(sums, point);
}

inline py::array_t<double> matrix_to_numpy(const Eigen::ArrayXXd& values) {
  py::array_t<double, py::array::f_style> copy({values.rows(), values.cols()});
  std::copy_n(values.data(), values.size(), copy.mutable_data());
  return copy;
}

inline void bind_blocks(py::module_& module) {
  py::class_<HeldBlockLoss>(module, "BlockLoss", "A loss in the units of the solver.")
      .def(py::init<const AnyLoss&, double, double, bool>(), py::arg("loss"), py::arg("unit"), py::arg("total_weight"),
           py::arg("fit_intercept"))
      .def(
          "to_user", [](const HeldBlockLoss& l, double F) { return l.block.units.to_user(F); }, "F in the user's units.")
      .def(
          "ridge", [](const HeldBlockLoss& l, double of_user) { return l.block.units.ridge(of_user); }, "Ridge in units.")
      .def(
          "start", [](const HeldBlockLoss& l, double mean) { return l.block.kernel->start(mean / l.block.units.response); },
          "Where refits start, for a mean response.")
      .def_property_readonly(
          "scale", [](const HeldBlockLoss& l) { return l.block.units.scale; }, "of the linear predictor")
      .def_property_readonly(
          "shift", [](const HeldBlockLoss& l) { return l.block.units.shift; }, "of the linear predictor")
      .def_property_readonly("falls_for_ever", [](const HeldBlockLoss& l) { return l.block.kernel->falls_for_ever(); })
      .def_property_readonly("convex_stands_in", [](const HeldBlockLoss& l) { return l.block.kernel->has_convex_curvature(); })
      .def_property_readonly("model_accuracy", [](const HeldBlockLoss& l) { return int(l.block.kernel->model_accuracy()); })
      .def_property_readonly("has_units", [](const HeldBlockLoss& l) { return l.loss->has_units(); })
      .def_property_readonly("predicts_logarithm", [](const HeldBlockLoss& l) { return l.loss->units(2).shift != 0; });
  py::class_<HeldBlock>(module, "Block", "A block of rows; none of its arrays is copied or changed.")
      .def(py::init<const py::object&, const Array&, const std::optional<Array>&, const std::optional<Array>&>(), py::arg("X"),
           py::arg("y").noconvert(), py::arg("sample_weight").noconvert().none(true), py::arg("offset").noconvert().none(true))
      .def(
          "moments",
          [](const HeldBlock& block, const HeldBlockLoss& loss, const Array& coef) {
            const BlockMoments m = ask_block(block, loss, {}, coef, Array(0), Array(0), false,
                                             [](BlockSums& sums, const BlockPoint& point) { return sums.moments(point); });
            return py::make_tuple(m.weight, m.slope, to_numpy(m.mean), to_numpy(m.deviation), to_numpy(m.lowest),
                                  to_numpy(m.highest), to_numpy(m.by_slope), m.bad_row, m.bad_column);
          },
          "(weight, slope, mean, deviation, lowest, highest, by_slope, bad_row, bad_column) at a constant linear predictor.",
          py::arg("loss"), py::arg("coef").noconvert())
      .def(
          "sums",
          [](const HeldBlock& block, const HeldBlockLoss& loss, const List& active, const Array& coef, const Array& centre,
             const Array& factor, bool convex, const std::optional<List>& asked) {
            const Index p = block.design.design->columns();
            const Columns panel = asked ? Columns{0, Index(asked->size()), asked->data()} : Columns{0, p, nullptr};
            for (Index c = 0; c < panel.count; ++c)
              if (panel[c] < 0 || panel[c] >= std::min<Index>(p, centre.size()))
                throw py::value_error("a column that is asked for must be one of the block's");
            const BlockAnswer a = ask_block(block, loss, active, coef, centre, factor, convex,
                                            [&](BlockSums& sums, const BlockPoint& point) { return sums.at(point, panel); });
            return py::make_tuple(a.loss.value, a.loss.slope, a.loss.curvature, a.loss.lowest_margin, a.loss.concave,
                                  matrix_to_numpy(a.active), matrix_to_numpy(a.panel));
          },
          "(value, slope, curvature, lowest_margin, concave, active sums, sums of the columns asked for; None: of all).",
          py::arg("loss"), py::arg("active"), py::arg("coef").noconvert(), py::arg("centre").noconvert(),
          py::arg("factor").noconvert(), py::arg("convex"), py::arg("asked").none(true))
      .def(
          "slope_sizes",
          [](const HeldBlock& block, const HeldBlockLoss& loss, const List& active, const Array& coef, const Array& centre,
             const Array& factor) {
            return to_numpy(ask_block(block, loss, active, coef, centre, factor, false,
                                      [](BlockSums& sums, const BlockPoint& point) { return sums.slope_sizes(point); }));
          },
          "Sums of |z_j| |slope|.", py::arg("loss"), py::arg("active"), py::arg("coef").noconvert(),
          py::arg("centre").noconvert(), py::arg("factor").noconvert())
      .def(
          "slopes_survive",
          [](const HeldBlock& block, const HeldBlockLoss& loss, const List& active, const Array& coef, const Array& centre,
             const Array& factor, const Array& step, double error) {
            const Eigen::VectorXd by = vector_view(step);
            if (by.size() != coef.size()) throw py::value_error("a step must have an entry for each coefficient");
            return ask_block(block, loss, active, coef, centre, factor, false,
                             [&](BlockSums& sums, const BlockPoint& point) { return sums.slopes_survive(point, by, error); });
          },
          "Whether no slope loses its sign by a step.", py::arg("loss"), py::arg("active"), py::arg("coef").noconvert(),
          py::arg("centre").noconvert(), py::arg("factor").noconvert(), py::arg("step").noconvert(), py::arg("error"));
}

}  // namespace ksparse::python
