/* ksparse for C, and for languages that can call C: best-subset selection for classification and regression.
   Link with the shared library ksparse_c. This header does not need the C++ library, whose header is ksparse.hpp.

   - Every call that can fail returns a ksparse_code. ksparse_last_error() returns the error message.
   - Handles (ksparse_design, ksparse_result) are created by a call and must be freed by the caller. Freeing NULL does nothing.
   - X is read in place and never modified. It must exist as long as its design. Arrays that are passed to a fit may be freed
     after it returns.
   - Sizes and strides are counted in elements, and indices start at 0.
   - The library does not print or abort, and no C++ exception leaves it.
   - Calls are thread-safe. A design may be used by several threads at once.

   SPDX-License-Identifier: BSD-3-Clause */
#ifndef KSPARSE_KSPARSE_H
#define KSPARSE_KSPARSE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(KSPARSE_C_BUILD)
#define KSPARSE_API __declspec(dllexport)
#elif defined(_WIN32)
#define KSPARSE_API __declspec(dllimport)
#elif defined(__GNUC__)
#define KSPARSE_API __attribute__((visibility("default")))
#else
#define KSPARSE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------ what calls return */

typedef int32_t ksparse_code;
enum {
  KSPARSE_OK = 0,
  KSPARSE_INVALID_ARGUMENT = 1, /* an argument is invalid, or X is not finite */
  KSPARSE_INTERRUPTED = 2,      /* the interrupt function of the options returned a value other than 0 */
  KSPARSE_OUT_OF_MEMORY = 3,
  KSPARSE_FAILED = 4 /* anything else, e.g. no thread could be started */
};

/* The error message of the last call that failed on this thread. It is never NULL, and valid until the next failure. */
KSPARSE_API const char* ksparse_last_error(void);

/* Version of the library, e.g. "0.1.0". */
KSPARSE_API const char* ksparse_version(void);

/* ----------------------------------------------------------------------------------------------------------- designs */

/* A view of the caller's arrays with X (rows, columns). */
typedef struct ksparse_design ksparse_design;

typedef int32_t ksparse_scalar;
/* The types of the numbers in X. A sparse X has floating-point numbers. Booleans are bytes, of which all but 0 are true. */
enum { KSPARSE_FLOAT64 = 0, KSPARSE_FLOAT32 = 1, KSPARSE_BOOL = 2, KSPARSE_UINT8 = 3, KSPARSE_INT8 = 4 };
typedef int32_t ksparse_index;
enum { KSPARSE_INT32 = 0, KSPARSE_INT64 = 1 };
typedef int32_t ksparse_order;
enum { KSPARSE_COLUMN_MAJOR = 0, KSPARSE_ROW_MAJOR = 1 };

/* Dense X. stride is the distance between columns (column-major, >= rows) or between rows (row-major, >= columns). */
KSPARSE_API ksparse_code ksparse_design_dense(const void* data, ksparse_scalar scalar, int64_t rows, int64_t columns,
                                              ksparse_order order, int64_t stride, ksparse_design** design);

/* Sparse X by columns (CSC). The entries of column j are those from starts[j] to starts[j + 1], with increasing rows.
   starts has the shape (columns + 1,), and its last value is `entries`. */
KSPARSE_API ksparse_code ksparse_design_csc(const void* values, ksparse_scalar scalar, const void* starts,
                                            const void* row_numbers, ksparse_index index, int64_t rows, int64_t columns,
                                            int64_t entries, ksparse_design** design);

/* Sparse X by rows (CSR). The entries of row i are those from starts[i] to starts[i + 1], with increasing columns.
   starts has the shape (rows + 1,), and its last value is `entries`. X is copied by columns if there are groups, and by
   ksparse_fit_many if there are many problems. */
KSPARSE_API ksparse_code ksparse_design_csr(const void* values, ksparse_scalar scalar, const void* starts,
                                            const void* column_numbers, ksparse_index index, int64_t rows, int64_t columns,
                                            int64_t entries, ksparse_design** design);

KSPARSE_API int64_t ksparse_design_rows(const ksparse_design* design);
KSPARSE_API int64_t ksparse_design_columns(const ksparse_design* design);
KSPARSE_API void ksparse_design_free(ksparse_design* design);

/* ----------------------------------------------------------------------------------------------------------- options */

/* A custom loss: computes the value, slope and curvature (derivatives with respect to the linear predictor) of a block of n
   rows. response is y, or +1 and -1 for labels. The function is called from several threads at once. */
typedef void (*ksparse_loss_function)(int64_t n, const double* linear_predictor, const double* response, double* value,
                                      double* slope, double* curvature, void* context);
/* The values that y may have: 0 or 1; finite; finite and >= 0; finite and > 0. */
typedef int32_t ksparse_responses;
enum { KSPARSE_BINARY = 0, KSPARSE_FINITE = 1, KSPARSE_NOT_NEGATIVE = 2, KSPARSE_POSITIVE = 3 };

typedef int32_t ksparse_search;
enum { KSPARSE_SEARCH_FAST = 0, KSPARSE_SEARCH_AUTO = 1, KSPARSE_SEARCH_THOROUGH = 2 };

/* Called regularly, only on the calling thread, with the context of the options. A value other than 0 stops the work. */
typedef int32_t (*ksparse_interrupt)(void* context);

/* Called only on the calling thread with the number of finished parts of a path or batch: first 0, and finally total. */
typedef void (*ksparse_progress)(void* context, int64_t done, int64_t total);

/* Settings of a fit. Initialise them with ksparse_options_init and then change fields, so that a program also works with later
   versions of the library, which may have more fields. */
typedef struct ksparse_options {
  uint64_t size; /* of this struct, set by ksparse_options_init */

  /* The settings, with the names, the defaults and the meaning that they have in C++ and in Python (settings.hpp). */
  int64_t k;                /* maximum number of features, >= 0; the intercept does not count */
  int32_t fit_intercept;    /* 1; the intercept is never penalised */
  double ridge;             /* weight of |beta|^2 / 2, >= 0, in units of the average loss */
  double tolerance;         /* a refit stops when its Newton decrement is at most this, > 0 */
  int32_t max_newton;       /* maximum number of Newton iterations per refit, >= 1 */
  int32_t pairs_tried;      /* exchanges that are refitted per scan of the working set, in [1, 10000] */
  int32_t pairs_tried_last; /* the same for a scan of all features */
  ksparse_search search;    /* KSPARSE_SEARCH_AUTO */
  int32_t max_rounds;       /* maximum number of perturbation rounds, >= 0; with 0, `search` sets it */
  int32_t max_refits;       /* no round begins after this many refits, >= 0; with 0, `search` sets it */
  double max_seconds;       /* no round begins after this time in seconds, finite and >= 0; 0 means no limit */
  uint64_t random_state;    /* seed of the perturbations */
  int32_t walks;            /* number of independent searches of a single fit, >= 1 */
  int32_t cold_starts;      /* for a path: 1, fits with up to 32 features also start as a single fit does */
  int32_t path_sweeps;      /* for a path: maximum number of sweeps in which fits start from their neighbours, >= 0 */

  const int64_t* always_in; /* features in every support; they count towards k */
  int64_t always_in_count;
  const int64_t* never_in; /* features in no support */
  int64_t never_in_count;
  const int64_t* start; /* features from which an additional descent starts, e.g. those of an earlier fit */
  int64_t start_count;
  const double* lower;   /* (columns,) lower bounds of the coefficients, <= 0, or NULL */
  const double* upper;   /* (columns,) upper bounds of the coefficients, >= 0, or NULL */
  const int64_t* groups; /* (columns,) group of each column, numbered from 0 without gaps, or NULL; k then counts groups */

  /* The loss by its name in Python ("logistic", "focal", "huber", ...), with its parameters in the order of its members in C++,
     for example 0.5 and 2 for "focal". */
  const char* loss; /* "logistic" */
  const double* loss_parameters;
  int64_t loss_parameter_count;

  /* A custom loss that is used instead of `loss` unless it is NULL. It must not be negative, and for labels it must decrease with
     the margin. */
  ksparse_loss_function loss_function;
  void* loss_context;
  ksparse_responses loss_responses; /* KSPARSE_BINARY */
  int32_t loss_falls_for_ever;      /* for labels: 1 if the loss has no minimum, so that separable data are detected */

  int32_t threads;             /* 1; for a batch, or for the walks of a single fit, >= 1 */
  ksparse_interrupt interrupt; /* or NULL */
  void* interrupt_context;
  ksparse_progress progress; /* or NULL */
  void* progress_context;
} ksparse_options;

/* Sets all fields to their defaults. size is sizeof(ksparse_options). */
KSPARSE_API ksparse_code ksparse_options_init(ksparse_options* options, size_t size);

/* -------------------------------------------------------------------------------------------------------------- fits */

/* The results of a fit (one), a path (one for each k) or a batch (one for each problem). */
typedef struct ksparse_result ksparse_result;

/* Minimises (1/W) sum_i w_i l(m_i) + (ridge/2) |beta|^2 with at most k non-zero beta,
   m_i = (2 y_i - 1)(x_i . beta + beta0 + offset_i), W = sum w_i.
   responses (rows,) contains y: 0 or 1, or numbers that the loss allows, which is then a function of
   x_i . beta + beta0 + offset_i and y_i. weights (rows,) are >= 0; NULL means 1. offset is (rows,); NULL means 0. */
KSPARSE_API ksparse_code ksparse_fit(const ksparse_design* design, const double* responses, const double* weights,
                                     const double* offset, const ksparse_options* options, ksparse_result** result);

/* Fits for all k of an increasing list. options->k is ignored. */
KSPARSE_API ksparse_code ksparse_fit_path(const ksparse_design* design, const double* responses, const double* weights,
                                          const double* offset, const int64_t* ks, int64_t count,
                                          const ksparse_options* options, ksparse_result** result);

/* Many problems with the same X. If a stride is 0, all problems have the same responses, weights or offset. If an array of
   settings is NULL, all problems use the setting of the options. Initialise it with ksparse_batch_init and then change
   fields. */
typedef struct ksparse_batch {
  uint64_t size; /* of this struct, set by ksparse_batch_init */
  int64_t count; /* number of problems */
  const double* responses;
  int64_t responses_stride;
  const double* weights; /* or NULL */
  int64_t weights_stride;
  const double* offset; /* or NULL */
  int64_t offset_stride;
  const int64_t* k;              /* (count,) or NULL */
  const double* ridge;           /* (count,) or NULL */
  const double* loss_parameters; /* (count, options->loss_parameter_count), problem by problem, or NULL */
} ksparse_batch;

/* Initialises a batch without problems. size is sizeof(ksparse_batch). */
KSPARSE_API ksparse_code ksparse_batch_init(ksparse_batch* batch, size_t size);

/* Each result is the same as that of ksparse_fit. The problems are divided among options->threads threads. An invalid
   problem has the status KSPARSE_INVALID_INPUT and a message, and the others are fitted. */
KSPARSE_API ksparse_code ksparse_fit_many(const ksparse_design* design, const ksparse_batch* batch,
                                          const ksparse_options* options, ksparse_result** result);

/* ------------------------------------------------------------------------------------------------------------ proofs */

/* Called about every 100 ms, only on the calling thread: seconds since a proof began, F of its answer, the lower bound, and the
   numbers of nodes that are solved and left. */
typedef void (*ksparse_proof_progress)(void* context, double seconds, double objective, double lower_bound, int64_t nodes,
                                       int64_t open);

/* Settings of a proof. Initialise them with ksparse_proof_options_init and then change fields. */
typedef struct ksparse_proof_options {
  uint64_t size;                   /* of this struct, set by ksparse_proof_options_init */
  double max_gap;                  /* 1e-6; the proof is done once (objective - lower_bound) / objective is at most this, > 0 */
  double max_seconds;              /* no new nodes after this time, >= 0; 0 means no limit */
  int64_t max_nodes;               /* the proof ends after this number of nodes, >= 0; 0 means no limit */
  double memory;                   /* bytes of open nodes beyond which the tree is searched depth first, > 0 */
  ksparse_proof_progress progress; /* or NULL */
  void* progress_context;
} ksparse_proof_options;

/* Sets all fields to their defaults. size is sizeof(ksparse_proof_options). */
KSPARSE_API ksparse_code ksparse_proof_options_init(ksparse_proof_options* settings, size_t size);

/* What ended a proof. These numbers will not change, but later versions may add some. */
typedef int32_t ksparse_proof_end;
enum {
  KSPARSE_PROOF_OPTIMAL = 0,     /* the gap is at most max_gap */
  KSPARSE_PROOF_CONVEX_LOSS = 1, /* all was searched, but the convex loss below the loss leaves a larger gap */
  KSPARSE_PROOF_ROUNDING = 2,    /* all was searched, but rounding leaves a larger gap */
  KSPARSE_PROOF_MAX_SECONDS = 3,
  KSPARSE_PROOF_MAX_NODES = 4
};

typedef struct ksparse_proof {
  double lower_bound;    /* no support of at most k features has a lower F */
  double gap;            /* (objective - lower_bound) / |objective| */
  double loss_gap;       /* the part of objective - lower_bound that is owed to a loss that is not convex */
  int64_t nodes;         /* relaxations solved */
  int64_t open;          /* nodes that were left */
  int32_t improved;      /* 1: the answer is better than the one that was given */
  ksparse_proof_end end; /* what ended it */
} ksparse_proof;

/* How far the support options->start can be from the best one of at most options->k features: branch and bound from there, until
   max_gap or a limit is reached. The result is a refit of that support, or a better one that was found on the way. It needs a
   ridge or bounds on both sides of every coefficient, and a loss of the library; otherwise the code is KSPARSE_INVALID_ARGUMENT
   and the message says what would make a proof possible. proof_size is sizeof(ksparse_proof). */
KSPARSE_API ksparse_code ksparse_certify(const ksparse_design* design, const double* responses, const double* weights,
                                         const double* offset, const ksparse_options* options,
                                         const ksparse_proof_options* settings, ksparse_proof* proof, size_t proof_size,
                                         ksparse_result** result);

/* ----------------------------------------------------------------------------------------------------------- answers */

/* How a fit ended. These numbers will not change, but later versions may add some. */
typedef int32_t ksparse_status;
enum {
  KSPARSE_CONVERGED = 0,
  KSPARSE_MAX_ITERATIONS = 1,
  KSPARSE_STALLED = 2,
  KSPARSE_SEPARABLE = 3, /* the coefficients have no finite optimum */
  /* 4: interrupted, which has no result */
  KSPARSE_INVALID_INPUT = 5, /* in batches */
  KSPARSE_NUMERICAL_FAILURE = 6
};

/* The name of a status ("converged", "max_iterations", ...), and advice on it, which is empty if the fit converged. */
KSPARSE_API const char* ksparse_status_name(ksparse_status status);
KSPARSE_API const char* ksparse_status_advice(ksparse_status status);

typedef struct ksparse_summary {
  double objective;      /* minimised objective F */
  double intercept;      /* 0 if fit_intercept is 0 */
  int64_t support_size;  /* number of features with non-zero coefficients */
  ksparse_status status; /* how the fit ended */
  int32_t newton;        /* number of Newton iterations; for a path, this and the next two count the whole path */
  int32_t refits;        /* number of refits */
  int32_t scans;         /* number of passes over all of X */
  int32_t rounds;        /* number of descents after the first one */
  int32_t restarts;      /* number of these that began without any feature of the best result found by then */
  int32_t times_found;   /* number of restarts that ended at this result; however many, they prove nothing */
  double lower_bound;    /* no support of at most k features has a lower F; NaN without a ridge or bounds */
} ksparse_summary;

/* The number of results, and the number of columns of X. */
KSPARSE_API int64_t ksparse_result_count(const ksparse_result* result);
KSPARSE_API int64_t ksparse_result_columns(const ksparse_result* result);

/* These functions copy result i to the caller's arrays. summary_size is sizeof(ksparse_summary). support receives the sorted
   features, and coef_of_support their coefficients; either may be NULL. coef (columns,) is zero outside the support. size is
   the number of entries that each array can hold, at least support_size or columns. */
KSPARSE_API ksparse_code ksparse_result_summary(const ksparse_result* result, int64_t i, ksparse_summary* summary,
                                                size_t summary_size);
KSPARSE_API ksparse_code ksparse_result_support(const ksparse_result* result, int64_t i, int64_t* support,
                                                double* coef_of_support, int64_t size);
KSPARSE_API ksparse_code ksparse_result_coef(const ksparse_result* result, int64_t i, double* coef, int64_t size);

/* The error message of problem i of a batch, which is empty if there was no error or no such problem. It is valid as long as
   the result. */
KSPARSE_API const char* ksparse_result_message(const ksparse_result* result, int64_t i);

KSPARSE_API void ksparse_result_free(ksparse_result* result);

#ifdef __cplusplus
}
#endif

#endif /* KSPARSE_KSPARSE_H */
