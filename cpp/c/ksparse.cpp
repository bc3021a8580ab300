// The C API (ksparse.h) of the C++ library: it validates and converts arguments, and catches all exceptions.
// SPDX-License-Identifier: BSD-3-Clause
#include <ksparse/ksparse.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ksparse/ksparse.hpp>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

struct ksparse_design {
  std::unique_ptr<const ksparse::Design> view;
};

struct ksparse_result {
  std::vector<ksparse::CompactFit> fits;
  ksparse::Index columns;
};

namespace {

using ksparse::Index;
using ksparse::Status;

static_assert(int(Status::converged) == KSPARSE_CONVERGED && int(Status::max_iterations) == KSPARSE_MAX_ITERATIONS &&
              int(Status::stalled) == KSPARSE_STALLED && int(Status::separable) == KSPARSE_SEPARABLE &&
              int(Status::invalid_input) == KSPARSE_INVALID_INPUT &&
              int(Status::numerical_failure) == KSPARSE_NUMERICAL_FAILURE);

// ---------------------------------------------------------------------------------------------------------- the border

// It has a fixed size, because reporting that memory ran out must not allocate memory.
thread_local char last_error[512] = "";

ksparse_code fail(ksparse_code code, const char* message) noexcept {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return code;
}

struct Refusal {
  ksparse_code code;
  std::string message;
};

[[noreturn]] void refuse(std::string message) { throw Refusal{KSPARSE_INVALID_ARGUMENT, std::move(message)}; }

void require(const void* pointer, const char* name) {
  if (!pointer) refuse(std::string(name) + " is NULL");
}

template <class Body>
ksparse_code guarded(const Body& body) noexcept {
  try {
    body();
    return KSPARSE_OK;
  } catch (const Refusal& refusal) {
    return fail(refusal.code, refusal.message.c_str());
  } catch (const std::bad_alloc&) {
    return fail(KSPARSE_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error&) {  // a container would exceed its maximum size
    return fail(KSPARSE_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(KSPARSE_FAILED, error.what());
  } catch (...) {
    return fail(KSPARSE_FAILED, "unknown failure");
  }
}

/// Passes a new handle to the caller, which is NULL until then.
template <class Handle, class Make>
ksparse_code hand_over(Handle** handle, const Make& make) noexcept {
  if (handle) *handle = nullptr;
  return guarded([&] {
    require(handle, "the handle's address");
    *handle = make().release();
  });
}

// New members are added at the end of structs. `size`, the first member, is the size of the struct that the caller knows.
template <class Struct>
void check_size(std::uint64_t size, std::size_t first_version, const char* name) {
  if (size < first_version || size > sizeof(Struct))
    refuse(std::string(name) + " has " + std::to_string(size) + " bytes; this library knows " + std::to_string(first_version) +
           " to " + std::to_string(sizeof(Struct)) + ": call its init function with sizeof");
}

constexpr std::size_t first_options = sizeof(ksparse_options), first_batch = sizeof(ksparse_batch),
                      first_summary = sizeof(ksparse_summary), first_proof_options = sizeof(ksparse_proof_options),
                      first_proof = sizeof(ksparse_proof);

/// Copies the members of a struct that the caller knows over the defaults of this library.
template <class Struct>
Struct complete(const Struct* given, const Struct& defaults, std::size_t first_version, const char* name) {
  require(given, name);
  check_size<Struct>(given->size, first_version, name);
  Struct whole = defaults;
  std::memcpy(&whole, given, std::size_t(given->size));
  return whole;
}

template <class Struct>
ksparse_code init(Struct* target, std::size_t size, Struct defaults, std::size_t first_version, const char* name) noexcept {
  return guarded([&] {
    require(target, name);
    check_size<Struct>(size, first_version, name);
    defaults.size = size;
    std::memcpy(target, &defaults, size);
  });
}

// -------------------------------------------------------------------------------------------------------------- designs

void check_shape(std::int64_t rows, std::int64_t columns) {
  // Each below what doubles of as many rows or columns can be addressed with, so that sizes do not overflow in later sums.
  constexpr std::int64_t most = std::numeric_limits<std::ptrdiff_t>::max() / 64;
  if (rows < 1 || columns < 1 || rows > most || columns > most)
    refuse("X has the shape (" + std::to_string(rows) + ", " + std::to_string(columns) +
           "); it must have at least one row and one column, and fit into memory");
}

template <class ByColumns, class ByRows, class Scalar>
std::unique_ptr<const ksparse::Design> view_by(ksparse_order order, const Scalar* data, Index rows, Index columns,
                                               Index stride) {
  if (order == KSPARSE_COLUMN_MAJOR) return std::make_unique<ByColumns>(data, rows, columns, stride);
  return std::make_unique<ByRows>(data, rows, columns, stride);
}

std::unique_ptr<const ksparse::Design> dense_view(const void* data, ksparse_scalar scalar, Index rows, Index columns,
                                                  ksparse_order order, Index stride) {
  const auto of_floats = [&](auto example) {
    using Scalar = decltype(example);
    return view_by<ksparse::BasicColumnView<Scalar>, ksparse::BasicRowView<Scalar>>(order, static_cast<const Scalar*>(data),
                                                                                    rows, columns, stride);
  };
  const auto of_bytes = [&](auto example) {
    using Scalar = decltype(example);
    return view_by<ksparse::ByteColumns<Scalar>, ksparse::ByteRows<Scalar>>(order, static_cast<const Scalar*>(data), rows,
                                                                            columns, stride);
  };
  switch (scalar) {
    case KSPARSE_FLOAT64: return of_floats(double());
    case KSPARSE_FLOAT32: return of_floats(float());
    case KSPARSE_BOOL: return of_bytes(bool());
    case KSPARSE_UINT8: return of_bytes(std::uint8_t());
    case KSPARSE_INT8: return of_bytes(std::int8_t());
    default:
      refuse("scalar is " + std::to_string(scalar) +
             "; it must be KSPARSE_FLOAT64, KSPARSE_FLOAT32, KSPARSE_BOOL, KSPARSE_UINT8 or KSPARSE_INT8");
  }
}

void check_scalar_of_sparse(ksparse_scalar scalar) {
  if (scalar != KSPARSE_FLOAT64 && scalar != KSPARSE_FLOAT32)
    refuse("scalar is " + std::to_string(scalar) + "; it must be KSPARSE_FLOAT64 or KSPARSE_FLOAT32 for a sparse X");
}

// Calls use(scalar, index) with examples of the types that the arrays of a sparse X have.
template <class Use>
auto with_types(ksparse_scalar scalar, ksparse_index index, const Use& use) {
  check_scalar_of_sparse(scalar);
  if (index != KSPARSE_INT32 && index != KSPARSE_INT64)
    refuse("index is " + std::to_string(index) + "; it must be KSPARSE_INT32 or KSPARSE_INT64");
  if (scalar == KSPARSE_FLOAT64) return index == KSPARSE_INT32 ? use(double(), std::int32_t()) : use(double(), std::int64_t());
  return index == KSPARSE_INT32 ? use(float(), std::int32_t()) : use(float(), std::int64_t());
}

void require_arrays(const void* starts, const void* values, const void* numbers, const char* name, std::int64_t entries) {
  require(starts, "starts");
  if (entries <= 0) return;
  require(values, "values");
  require(numbers, name);
}

/// The number of columns (CSC) or rows (CSR) of a sparse X, and of its entries.
struct Lines {
  std::int64_t count, entries;
};

// Checks only the ends; fits check the rest when they read it.
template <class StorageIndex>
void check_ends(const StorageIndex* starts, const Lines& lines) {
  if (lines.entries < 0 || starts[0] != 0 || std::int64_t(starts[lines.count]) != lines.entries)
    refuse("sparse X is malformed: starts go from " + std::to_string(starts[0]) + " to " + std::to_string(starts[lines.count]) +
           "; they must go from 0 to " + std::to_string(lines.entries) + ", the number of entries");
}

/// A view of the arrays of a sparse X: View<Scalar, StorageIndex> of lines that are columns or rows.
template <template <class, class> class View>
std::unique_ptr<ksparse_design> compressed_design(const void* values, ksparse_scalar scalar, const void* starts,
                                                  const void* numbers, ksparse_index index, std::int64_t rows,
                                                  std::int64_t columns, const Lines& lines) {
  return with_types(scalar, index, [&](auto scalar_of, auto index_of) {
    using Scalar = decltype(scalar_of);
    using StorageIndex = decltype(index_of);
    const auto* const from = static_cast<const StorageIndex*>(starts);
    check_ends(from, lines);
    auto made = std::make_unique<ksparse_design>();
    made->view = std::make_unique<View<Scalar, StorageIndex>>(rows, columns, from, static_cast<const StorageIndex*>(numbers),
                                                              static_cast<const Scalar*>(values));
    return made;
  });
}

// ---------------------------------------------------------------------------------------------------------------- fits

ksparse_options default_options() {
  const ksparse::Options defaults;
  ksparse_options options{};
  options.size = sizeof options;
#define KSPARSE_DEFAULT(type, name, initial, rule, words, text) \
  options.name = static_cast<decltype(options.name)>(defaults.name);
  KSPARSE_SETTINGS(KSPARSE_DEFAULT)
#undef KSPARSE_DEFAULT
  options.loss = "logistic";
  options.threads = 1;
  return options;
}

ksparse_batch default_batch() {
  ksparse_batch batch{};
  batch.size = sizeof batch;
  return batch;
}

ksparse_proof_options default_proof_options() {
  const ksparse::ProofOptions defaults;
  return {sizeof(ksparse_proof_options),
          defaults.max_gap,
          defaults.max_seconds,
          defaults.max_nodes,
          defaults.memory,
          nullptr,
          nullptr};
}

static_assert(int(ksparse::ProofEnd::optimal) == KSPARSE_PROOF_OPTIMAL &&
              int(ksparse::ProofEnd::convex_loss) == KSPARSE_PROOF_CONVEX_LOSS &&
              int(ksparse::ProofEnd::rounding) == KSPARSE_PROOF_ROUNDING &&
              int(ksparse::ProofEnd::max_seconds) == KSPARSE_PROOF_MAX_SECONDS &&
              int(ksparse::ProofEnd::max_nodes) == KSPARSE_PROOF_MAX_NODES);

static_assert(int(ksparse::Effort::fast) == KSPARSE_SEARCH_FAST && int(ksparse::Effort::automatic) == KSPARSE_SEARCH_AUTO &&
              int(ksparse::Effort::thorough) == KSPARSE_SEARCH_THOROUGH);

/// A setting as C++ has it.
template <class T, class Given>
T setting_of(Given given, const char* name) {
  if constexpr (std::is_enum_v<T>)
    if (given < KSPARSE_SEARCH_FAST || given > KSPARSE_SEARCH_THOROUGH)
      refuse(std::string(name) + " is " + std::to_string(given) + "; it must be one of the KSPARSE_SEARCH_ numbers");
  if constexpr (std::is_same_v<T, bool>)
    return given != 0;
  else
    return static_cast<T>(given);
}

std::vector<Index> list_of(const std::int64_t* numbers, std::int64_t count, const char* name) {
  if (count < 0) refuse(std::string(name) + " has " + std::to_string(count) + " entries");
  if (count > 0) require(numbers, name);
  return {numbers, numbers + count};
}

Eigen::VectorXd vector_of(const double* values, Index size) {
  return values ? Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(values, size)) : Eigen::VectorXd();
}

void take_list(const double* given, Index columns, Eigen::VectorXd& list) { list = vector_of(given, columns); }
void take_list(const std::int64_t* given, Index columns, std::vector<Index>& list) {
  if (given) list.assign(given, given + columns);
}

ksparse::Options options_of(const ksparse_options& given, Index columns) {
  using ksparse::Effort;
  ksparse::Options options;
#define KSPARSE_TAKE(type, name, initial, rule, words, text) options.name = setting_of<type>(given.name, #name);
  KSPARSE_SETTINGS(KSPARSE_TAKE)
#undef KSPARSE_TAKE
#define KSPARSE_TAKE(name, place, text) options.place = list_of(given.name, given.name##_count, #name);
  KSPARSE_FEATURE_LISTS(KSPARSE_TAKE)
#undef KSPARSE_TAKE
#define KSPARSE_TAKE(name, place, text) take_list(given.name, columns, options.place);
  KSPARSE_COLUMN_LISTS(KSPARSE_TAKE)
#undef KSPARSE_TAKE
  return options;
}

ksparse::AnyLoss loss_of(const ksparse_options& options, const double* parameters) {
  if (options.loss_function) {
    if (options.loss_responses < KSPARSE_BINARY || options.loss_responses > KSPARSE_POSITIVE)
      refuse("loss_responses is " + std::to_string(options.loss_responses) + "; it must be KSPARSE_BINARY, _FINITE, ...");
    return ksparse::CompiledKernel(options.loss_function, options.loss_context, ksparse::Responses(options.loss_responses),
                                   options.loss_falls_for_ever != 0);
  }
  require(options.loss, "loss");
  if (options.loss_parameter_count < 0) refuse("loss_parameters has a negative number of entries");
  if (options.loss_parameter_count > 0) require(parameters, "loss_parameters");
  std::string wrong;
  const ksparse::AnyLoss named =
      ksparse::loss_by_name(options.loss, {parameters, parameters + options.loss_parameter_count}, wrong);
  if (!named) refuse(wrong);
  return named;
}

ksparse::Interrupt interrupt_of(const ksparse_options& options) {
  if (!options.interrupt) return {};
  return [ask = options.interrupt, context = options.interrupt_context] { return ask(context) != 0; };
}

ksparse::Progress progress_of(const ksparse_options& options) {
  if (!options.progress) return {};
  return [tell = options.progress, context = options.progress_context](Index done, Index total) { tell(context, done, total); };
}

/// The arguments that every kind of fit needs.
struct Request {
  Request(const ksparse_design* given_design, const double* responses, const ksparse_options* given_options)
      : options(complete(given_options, default_options(), first_options, "options")) {
    require(given_design, "design");
    require(responses, "responses");
    if (options.threads < 1) refuse("threads is " + std::to_string(options.threads) + "; it must be >= 1");
    design = given_design->view.get();
    settings = options_of(options, design->columns());
    run = {options.threads, interrupt_of(options), progress_of(options)};
  }

  ksparse::Problem problem(const double* responses, const double* weights, const double* offset) const {
    const auto view = [this](const double* values) { return ksparse::Problem::Vector(values, values ? design->rows() : 0); };
    return {view(responses), view(weights), view(offset)};
  }
  ksparse::AnyLoss loss() const { return loss_of(options, options.loss_parameters); }

  std::unique_ptr<ksparse_result> answer(std::vector<ksparse::CompactFit> fits) const {
    return std::make_unique<ksparse_result>(ksparse_result{std::move(fits), design->columns()});
  }

  ksparse_options options;
  const ksparse::Design* design;
  ksparse::Options settings;
  ksparse::Run run;
};

[[noreturn]] void refuse_as_interrupted() { throw Refusal{KSPARSE_INTERRUPTED, ksparse::advice(Status::interrupted)}; }

void refuse_unanswered(const ksparse::Info& info) {
  if (info.status == Status::invalid_input) refuse(info.message);
  if (info.status == Status::interrupted) refuse_as_interrupted();
}

const ksparse::CompactFit& answer_number(const ksparse_result* result, std::int64_t i) {
  require(result, "result");
  if (i < 0 || i >= std::int64_t(result->fits.size()))
    refuse("there is no answer " + std::to_string(i) + " among " + std::to_string(result->fits.size()));
  return result->fits[std::size_t(i)];
}

void check_room(std::int64_t size, std::int64_t needed, const char* name) {
  if (size < needed)
    refuse(std::string(name) + " has room for " + std::to_string(size) + " entries; it needs " + std::to_string(needed));
}

}  // namespace

extern "C" {

const char* ksparse_last_error(void) { return last_error; }

const char* ksparse_version(void) { return KSPARSE_VERSION; }

ksparse_code ksparse_design_dense(const void* data, ksparse_scalar scalar, int64_t rows, int64_t columns, ksparse_order order,
                                  int64_t stride, ksparse_design** design) {
  return hand_over(design, [&] {
    require(data, "data");
    check_shape(rows, columns);
    if (order != KSPARSE_COLUMN_MAJOR && order != KSPARSE_ROW_MAJOR)
      refuse("order is " + std::to_string(order) + "; it must be KSPARSE_COLUMN_MAJOR or KSPARSE_ROW_MAJOR");
    const bool by_columns = order == KSPARSE_COLUMN_MAJOR;
    const int64_t length = by_columns ? rows : columns, lines = by_columns ? columns : rows;
    if (stride < length)
      refuse("stride is " + std::to_string(stride) + "; it must be at least the number of " +
             (by_columns ? "rows, " : "columns, ") + std::to_string(length));
    if (lines > std::numeric_limits<std::ptrdiff_t>::max() / 8 / stride) refuse("X is larger than memory can be");
    auto made = std::make_unique<ksparse_design>();
    made->view = dense_view(data, scalar, rows, columns, order, stride);
    return made;
  });
}

ksparse_code ksparse_design_csc(const void* values, ksparse_scalar scalar, const void* starts, const void* row_numbers,
                                ksparse_index index, int64_t rows, int64_t columns, int64_t entries, ksparse_design** design) {
  return hand_over(design, [&] {
    require_arrays(starts, values, row_numbers, "row_numbers", entries);
    check_shape(rows, columns);
    return compressed_design<ksparse::SparseColumns>(values, scalar, starts, row_numbers, index, rows, columns,
                                                     {columns, entries});
  });
}

ksparse_code ksparse_design_csr(const void* values, ksparse_scalar scalar, const void* starts, const void* column_numbers,
                                ksparse_index index, int64_t rows, int64_t columns, int64_t entries, ksparse_design** design) {
  return hand_over(design, [&] {
    require_arrays(starts, values, column_numbers, "column_numbers", entries);
    check_shape(rows, columns);
    return compressed_design<ksparse::SparseRows>(values, scalar, starts, column_numbers, index, rows, columns,
                                                  {rows, entries});
  });
}

int64_t ksparse_design_rows(const ksparse_design* design) { return design ? design->view->rows() : 0; }
int64_t ksparse_design_columns(const ksparse_design* design) { return design ? design->view->columns() : 0; }
void ksparse_design_free(ksparse_design* design) { delete design; }

ksparse_code ksparse_options_init(ksparse_options* options, size_t size) {
  return init(options, size, default_options(), first_options, "options");
}

ksparse_code ksparse_batch_init(ksparse_batch* batch, size_t size) {
  return init(batch, size, default_batch(), first_batch, "batch");
}

ksparse_code ksparse_fit(const ksparse_design* design, const double* responses, const double* weights, const double* offset,
                         const ksparse_options* options, ksparse_result** result) {
  return hand_over(result, [&] {
    const Request request(design, responses, options);
    std::vector<ksparse::CompactFit> fits;
    fits.push_back(ksparse::compact(ksparse::fit(*request.design, request.problem(responses, weights, offset), request.loss(),
                                                 request.settings, request.run)));
    refuse_unanswered(fits[0].info);
    return request.answer(std::move(fits));
  });
}

ksparse_code ksparse_fit_path(const ksparse_design* design, const double* responses, const double* weights,
                              const double* offset, const int64_t* ks, int64_t count, const ksparse_options* options,
                              ksparse_result** result) {
  return hand_over(result, [&] {
    const Request request(design, responses, options);
    const std::vector<Index> budgets = list_of(ks, count, "ks");
    auto path = ksparse::fit_path(*request.design, request.problem(responses, weights, offset), request.loss(), budgets,
                                  request.settings, request.run);
    std::vector<ksparse::CompactFit> fits;
    for (ksparse::FitResult& fit : path) {
      refuse_unanswered(fit.info);
      fits.push_back(ksparse::compact(std::move(fit)));
    }
    fits.resize(budgets.size(), fits.front());  // a path that failed numerically has one result for all k
    return request.answer(std::move(fits));
  });
}

ksparse_code ksparse_fit_many(const ksparse_design* design, const ksparse_batch* batch, const ksparse_options* options,
                              ksparse_result** result) {
  return hand_over(result, [&] {
    const ksparse_batch all = complete(batch, default_batch(), first_batch, "batch");
    const Request request(design, all.responses, options);
    const Index n = request.design->rows();
    if (all.count < 1) refuse("count is " + std::to_string(all.count) + "; it must be >= 1");
    for (const auto& [stride, name] : {std::pair{all.responses_stride, "responses_stride"},
                                       {all.weights_stride, "weights_stride"},
                                       {all.offset_stride, "offset_stride"}})
      if (stride != 0 && stride < n)
        refuse(std::string(name) + " is " + std::to_string(stride) + "; it must be 0 or at least the number of rows, " +
               std::to_string(n));
    loss_of(request.options, all.loss_parameters ? all.loss_parameters : request.options.loss_parameters);  // may be invalid
    const ksparse::ProblemSource source = [&](Index i, ksparse::BatchProblem& problem) {
      const auto rows = [&](const double* values, int64_t stride) {
        return vector_of(values ? values + i * stride : values, n);
      };
      const auto setting = [i](const double* values, double common) { return values ? values[i] : common; };
      problem.responses = rows(all.responses, all.responses_stride);
      problem.weights = rows(all.weights, all.weights_stride);
      problem.offset = rows(all.offset, all.offset_stride);
      const Index count = request.options.loss_parameter_count;
      problem.loss =
          loss_of(request.options, all.loss_parameters ? all.loss_parameters + i * count : request.options.loss_parameters);
      problem.options = request.settings;
      if (all.k) problem.options.k = all.k[i];
      problem.options.ridge = setting(all.ridge, request.options.ridge);
    };
    auto fits = ksparse::fit_many(*request.design, all.count, source, request.run);
    for (const ksparse::CompactFit& fit : fits)
      if (fit.info.status == Status::interrupted) refuse_as_interrupted();
    return request.answer(std::move(fits));
  });
}

ksparse_code ksparse_proof_options_init(ksparse_proof_options* settings, size_t size) {
  return init(settings, size, default_proof_options(), first_proof_options, "settings");
}

ksparse_code ksparse_certify(const ksparse_design* design, const double* responses, const double* weights, const double* offset,
                             const ksparse_options* options, const ksparse_proof_options* settings, ksparse_proof* proof,
                             size_t proof_size, ksparse_result** result) {
  return hand_over(result, [&] {
    require(proof, "proof");
    check_size<ksparse_proof>(proof_size, first_proof, "proof");
    const Request request(design, responses, options);
    const ksparse_proof_options given = complete(settings, default_proof_options(), first_proof_options, "settings");
    ksparse::ProofOptions limits;
    limits.max_gap = given.max_gap;
    limits.max_seconds = given.max_seconds;
    limits.max_nodes = given.max_nodes;
    limits.memory = given.memory;
    if (given.progress)
      limits.progress = [&given](const ksparse::ProofState& state) {
        given.progress(given.progress_context, state.seconds, state.objective, state.lower_bound, state.nodes, state.open);
      };
    ksparse::Proof found = ksparse::certify(*request.design, request.problem(responses, weights, offset), request.loss(),
                                            request.settings, request.settings.start, limits, request.run);
    if (found.end == ksparse::ProofEnd::interrupted) refuse_as_interrupted();
    if (found.end == ksparse::ProofEnd::not_possible) refuse(found.message);
    const ksparse_proof whole{found.lower_bound,       found.gap(),       found.loss_gap, found.nodes, found.open,
                              int32_t(found.improved), int32_t(found.end)};
    std::memcpy(proof, &whole, proof_size);
    found.fit.lower_bound = found.lower_bound;
    std::vector<ksparse::CompactFit> fits;
    fits.push_back(ksparse::compact(std::move(found.fit)));
    return request.answer(std::move(fits));
  });
}

const char* ksparse_status_name(ksparse_status status) { return ksparse::to_string(Status(status)); }
const char* ksparse_status_advice(ksparse_status status) { return ksparse::advice(Status(status)); }

int64_t ksparse_result_count(const ksparse_result* result) { return result ? int64_t(result->fits.size()) : 0; }
int64_t ksparse_result_columns(const ksparse_result* result) { return result ? result->columns : 0; }

ksparse_code ksparse_result_summary(const ksparse_result* result, int64_t i, ksparse_summary* summary, size_t summary_size) {
  return guarded([&] {
    require(summary, "summary");
    check_size<ksparse_summary>(summary_size, first_summary, "summary");
    const ksparse::CompactFit& fit = answer_number(result, i);
    const ksparse::Info& info = fit.info;
    const ksparse_summary whole{fit.objective,
                                fit.intercept,
                                int64_t(fit.support.size()),
                                int32_t(info.status),
                                info.newton_iterations,
                                info.refits,
                                info.scans,
                                info.rounds,
                                info.restarts,
                                info.times_found,
                                fit.lower_bound};
    std::memcpy(summary, &whole, summary_size);
  });
}

ksparse_code ksparse_result_support(const ksparse_result* result, int64_t i, int64_t* support, double* coef_of_support,
                                    int64_t size) {
  return guarded([&] {
    const ksparse::CompactFit& fit = answer_number(result, i);
    check_room(size, int64_t(fit.support.size()), "support");
    if (support) std::copy(fit.support.begin(), fit.support.end(), support);
    if (coef_of_support) std::copy_n(fit.coef.data(), fit.coef.size(), coef_of_support);
  });
}

ksparse_code ksparse_result_coef(const ksparse_result* result, int64_t i, double* coef, int64_t size) {
  return guarded([&] {
    const ksparse::CompactFit& fit = answer_number(result, i);
    require(coef, "coef");
    check_room(size, result->columns, "coef");
    std::fill_n(coef, result->columns, 0.0);
    for (std::size_t s = 0; s < fit.support.size(); ++s) coef[fit.support[s]] = fit.coef[Index(s)];
  });
}

const char* ksparse_result_message(const ksparse_result* result, int64_t i) {
  const bool there = result && i >= 0 && i < int64_t(result->fits.size());
  return there ? result->fits[std::size_t(i)].info.message.c_str() : "";
}

void ksparse_result_free(ksparse_result* result) { delete result; }

}  // extern "C"
