// fit_many, where problems are columns of arrays with any common type, and results are arrays with an entry for each problem.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "convert.hpp"

namespace ksparse::python {

/// Reads columns of a matrix, or one vector for all problems, and converts them to double when they are read. The counts of a
/// thousand bootstrap rounds can therefore be stored as bytes.
class ColumnReader {
 public:
  ColumnReader(const py::array& values, const char* name) : data_(static_cast<const char*>(values.data())) {
    if (values.ndim() != 1 && values.ndim() != 2) throw py::value_error(std::string(name) + " must have one or two dimensions");
    rows_ = values.shape(0);
    down_ = values.strides(0);
    across_ = values.ndim() == 2 ? values.strides(1) : 0;
    read_ = reader(values.dtype());
    if (!read_) throw py::value_error(std::string(name) + " must be of a real type");
  }

  void read(Index column, Eigen::VectorXd& target) const {
    target.resize(rows_);
    read_(data_ + column * across_, down_, rows_, target.data());
  }

 private:
  using Read = void (*)(const char*, py::ssize_t, Index, double*);

  template <class T>
  static void read_as(const char* from, py::ssize_t step, Index rows, double* target) {
    for (Index i = 0; i < rows; ++i, from += step) {
      T value;
      std::memcpy(&value, from, sizeof(T));  // works with any alignment
      target[i] = double(value);
    }
  }

  static Read reader(const py::dtype& type) {
    const auto size = type.itemsize();
    switch (type.kind()) {
      case 'f': return size == 8 ? &read_as<double> : size == 4 ? &read_as<float> : nullptr;
      case 'b': return &read_as<std::uint8_t>;
      case 'u':
        return size == 1   ? &read_as<std::uint8_t>
               : size == 2 ? &read_as<std::uint16_t>
               : size == 4 ? &read_as<std::uint32_t>
                           : &read_as<std::uint64_t>;
      case 'i':
        return size == 1   ? &read_as<std::int8_t>
               : size == 2 ? &read_as<std::int16_t>
               : size == 4 ? &read_as<std::int32_t>
                           : &read_as<std::int64_t>;
      default: return nullptr;
    }
  }

  const char* data_;
  Index rows_;
  py::ssize_t down_, across_;
  Read read_;
};

/// An array with the value of member(fit) for each problem.
template <class T, class Member>
py::array_t<T> by_problem(const std::vector<CompactFit>& fits, const Member& member) {
  py::array_t<T> values{py::ssize_t(fits.size())};
  T* out = values.mutable_data();
  for (const CompactFit& fit : fits) *out++ = T(member(fit));
  return values;
}

inline py::dict arrays_of(const std::vector<CompactFit>& fits) {
  py::array_t<std::int64_t> starts{py::ssize_t(fits.size() + 1)};
  std::int64_t* start = starts.mutable_data();
  start[0] = 0;
  for (std::size_t i = 0; i < fits.size(); ++i) start[i + 1] = start[i] + std::int64_t(fits[i].support.size());
  py::array_t<std::int64_t> features{py::ssize_t(start[fits.size()])};
  Array coefs{py::ssize_t(start[fits.size()])};
  py::dict messages;
  for (std::size_t i = 0; i < fits.size(); ++i) {
    std::copy(fits[i].support.begin(), fits[i].support.end(), features.mutable_data() + start[i]);
    std::copy_n(fits[i].coef.data(), fits[i].coef.size(), coefs.mutable_data() + start[i]);
    if (!fits[i].info.message.empty()) messages[py::int_(i)] = fits[i].info.message;
  }
  py::dict answer;
  answer["starts"] = starts;
  answer["features"] = features;
  answer["coefs"] = coefs;
  answer["messages"] = messages;
  answer["intercept"] = by_problem<double>(fits, [](const CompactFit& fit) { return fit.intercept; });
  answer["objective"] = by_problem<double>(fits, [](const CompactFit& fit) { return fit.objective; });
  answer["lower_bound"] = by_problem<double>(fits, [](const CompactFit& fit) { return fit.lower_bound; });
  answer["status"] = by_problem<std::int8_t>(fits, [](const CompactFit& fit) { return int(fit.info.status); });
  const auto count = [&](const char* name, int Info::* member) {
    answer[name] = by_problem<std::int32_t>(fits, [member](const CompactFit& fit) { return fit.info.*member; });
  };
  count("n_newton", &Info::newton_iterations);
  count("n_scans", &Info::scans);
  count("n_refits", &Info::refits);
  count("n_rounds", &Info::rounds);
  count("n_restarts", &Info::restarts);
  count("times_found", &Info::times_found);
  return answer;
}

/// A run that an exception of Python stops, of a signal handler or of the progress, without the loss of the answers so far.
class StoppableRun {
 public:
  explicit StoppableRun(const py::object& progress) : report_(progress_by(progress)) {}

  Run by(int threads) {
    Progress progress;
    if (report_)
      progress = [this](Index done, Index total) {
        if (stopped_) return;
        try {
          report_(done, total);
        } catch (py::error_already_set& error) {
          const py::gil_scoped_acquire gil;
          error.restore();
          stopped_ = true;
        }
      };
    return {threads, [this] { return stopped_ = stopped_ || poll_(); }, progress};
  }

  /// The exception that stopped the run, or None. It is no longer Python's current error.
  py::object exception() const {
    if (!PyErr_Occurred()) return py::none();
    return py::error_already_set().value();
  }

 private:
  Progress report_;
  SignalPoll poll_;
  bool stopped_ = false;
};

inline py::dict fit_many(const py::object& X, const py::array& responses, const std::optional<py::array>& sample_weight,
                         const std::optional<py::array>& offset, const std::vector<std::shared_ptr<AnyLoss>>& losses,
                         const std::vector<Index>& ks, const std::vector<double>& ridges, const Options& options, int threads,
                         const py::object& progress) {
  const std::size_t count = ks.size();
  if ((losses.size() != 1 && losses.size() != count) || ridges.size() != count)
    throw py::value_error("k and ridge must have an entry per problem, losses one or as many");
  const auto rows = X.attr("shape")[py::int_(0)].cast<py::ssize_t>();
  const auto has_columns = [&](const py::array& values) {
    return values.shape(0) == rows && (values.ndim() == 1 || std::size_t(values.shape(1)) == count);
  };
  if (!has_columns(responses) || (sample_weight && !has_columns(*sample_weight)) || (offset && !has_columns(*offset)))
    throw py::value_error("responses, weights and offset must have a row per row of X and a column per problem");
  const ColumnReader read_responses(responses, "Y");
  std::optional<ColumnReader> read_weights, read_offset;
  if (sample_weight) read_weights.emplace(*sample_weight, "sample_weight");
  if (offset) read_offset.emplace(*offset, "offset");
  const ProblemSource source = [&](Index number, BatchProblem& problem) {
    const auto i = std::size_t(number);
    read_responses.read(number, problem.responses);
    if (read_weights) read_weights->read(number, problem.weights);
    if (read_offset) read_offset->read(number, problem.offset);
    problem.loss = *losses[losses.size() == 1 ? 0 : i];
    problem.options = options;
    problem.options.k = ks[i];
    problem.options.ridge = ridges[i];
  };
  const HeldDesign held = design_view(X);
  StoppableRun run(progress);
  const auto fits = [&] {
    const py::gil_scoped_release release;
    return ksparse::fit_many(*held.design, Index(count), source, run.by(threads));
  }();
  py::dict answer = arrays_of(fits);
  answer["stopped_by"] = run.exception();
  return answer;
}

inline void bind_batch(py::module_& module) {
  module.def(
      "fit_many", &fit_many,
      "Fits many problems with the same X on several threads. Responses, weights and offset are (n,) or (n, m), and ks and "
      "ridges have one value for each problem. Returns a dict of arrays with one entry for each problem; an invalid problem "
      "has a message. progress(done, total) is called now and then. stopped_by: the exception, usually KeyboardInterrupt, that "
      "stopped the run, or None; "
      "problems without an answer then have the status interrupted.",
      py::arg("X"), py::arg("responses"), py::arg("sample_weight").none(true), py::arg("offset").none(true), py::arg("losses"),
      py::arg("ks"), py::arg("ridges"), py::arg("options"), py::arg("threads"), py::arg("progress") = py::none());
  module.def(
      "status_names",
      [] {
        std::vector<std::string> names;
        for (int status = 0; status <= int(Status::numerical_failure); ++status) names.emplace_back(to_string(Status(status)));
        return names;
      },
      "Names of the statuses, in the order of the numbers that fit_many returns.");
  module.def(
      "advice_on", [](int status) { return std::string(advice(Status(status))); }, "What to do about the status of a number.",
      py::arg("status"));
}

}  // namespace ksparse::python
