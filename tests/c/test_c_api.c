/* The C API from C: every storage gives the answer of the others, F is recomputed from the answer, batches equal single fits,
   and errors come back as codes with their words. */
#include <ksparse/ksparse.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 240, P = 30, PROBLEMS = 3 };

static int failures = 0;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      ++failures;                                                     \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      fprintf(stderr, "    last error: %s\n", ksparse_last_error());  \
    }                                                                 \
  } while (0)

/* X by columns, N + 3 apart, of numbers that floats hold; about half of them 0. */
static double X[P * (N + 3)];
static float X_by_rows[N * (P + 1)];
static double y[PROBLEMS * N], weights[PROBLEMS * N];

/* By rows and by columns, compressed. */
static double csc_values[N * P], csr_values[N * P];
static int64_t csc_starts[P + 1], csc_rows[N * P];
static int32_t csr_starts[N + 1], csr_columns[N * P];

static double uniform(void) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13; /* xorshift64 (Marsaglia 2003) */
  state ^= state >> 7;
  state ^= state << 17;
  return (double)(state >> 11) / 9007199254740992.0;
}

static double x_at(int i, int j) { return X[j * (N + 3) + i]; }

static void make_data(void) {
  for (int i = 0; i < N; ++i)
    for (int j = 0; j < P; ++j) {
      const float value = uniform() < 0.5 ? 0.0f : (float)(2 * uniform() - 1);
      X[j * (N + 3) + i] = (double)value;
      X_by_rows[i * (P + 1) + j] = value;
    }
  for (int problem = 0; problem < PROBLEMS; ++problem)
    for (int i = 0; i < N; ++i) {
      const double eta = 3 * x_at(i, 2 + problem) - 2 * x_at(i, 17) + 0.3;
      y[problem * N + i] = uniform() < 1 / (1 + exp(-eta)) ? 1 : 0;
      weights[problem * N + i] = 0.5 + uniform();
    }
  int64_t e = 0;
  for (int j = 0; j < P; ++j) {
    csc_starts[j] = e;
    for (int i = 0; i < N; ++i)
      if (x_at(i, j) != 0) {
        csc_values[e] = x_at(i, j);
        csc_rows[e++] = i;
      }
  }
  csc_starts[P] = e;
  e = 0;
  for (int i = 0; i < N; ++i) {
    csr_starts[i] = (int32_t)e;
    for (int j = 0; j < P; ++j)
      if (x_at(i, j) != 0) {
        csr_values[e] = x_at(i, j);
        csr_columns[e++] = (int32_t)j;
      }
  }
  csr_starts[N] = (int32_t)e;
}

/* F at an answer, by the formula of the header. */
static double objective_of(const double* labels, const double* w, const double* coef, double intercept,
                           const ksparse_options* options) {
  double sum = 0, total = 0, penalty = 0;
  for (int i = 0; i < N; ++i) {
    double eta = intercept;
    for (int j = 0; j < P; ++j) eta += x_at(i, j) * coef[j];
    const double m = labels[i] > 0 ? eta : -eta, weight = w ? w[i] : 1;
    double loss = log1p(exp(-m));
    if (strcmp(options->loss, "focal") == 0) {
      const double alpha = options->loss_parameters[0], gamma = options->loss_parameters[1];
      loss *= (labels[i] > 0 ? alpha : 1 - alpha) * pow(1 / (1 + exp(m)), gamma);
    }
    sum += weight * loss;
    total += weight;
  }
  for (int j = 0; j < P; ++j) penalty += coef[j] * coef[j];
  return sum / total + 0.5 * options->ridge * penalty;
}

static ksparse_options default_options(void) {
  ksparse_options options;
  CHECK(ksparse_options_init(&options, sizeof options) == KSPARSE_OK);
  CHECK(options.k == 10 && options.fit_intercept == 1 && options.ridge == 0 && options.interrupt == NULL);
  options.k = 2;
  options.ridge = 1e-3;
  return options;
}

static ksparse_design* dense_design(void) {
  ksparse_design* design = NULL;
  CHECK(ksparse_design_dense(X, KSPARSE_FLOAT64, N, P, KSPARSE_COLUMN_MAJOR, N + 3, &design) == KSPARSE_OK);
  return design;
}

static ksparse_summary summary_of(const ksparse_result* result, int64_t i) {
  ksparse_summary summary = {0};
  CHECK(ksparse_result_summary(result, i, &summary, sizeof summary) == KSPARSE_OK);
  return summary;
}

static int is_near(double a, double b) { return fabs(a - b) <= 1e-12 * fabs(b); }

static void test_fit_on_every_storage(void) {
  ksparse_design* designs[4] = {dense_design(), NULL, NULL, NULL};
  const int64_t entries = csc_starts[P];
  CHECK(ksparse_design_dense(X_by_rows, KSPARSE_FLOAT32, N, P, KSPARSE_ROW_MAJOR, P + 1, &designs[1]) == KSPARSE_OK);
  CHECK(ksparse_design_csc(csc_values, KSPARSE_FLOAT64, csc_starts, csc_rows, KSPARSE_INT64, N, P, entries, &designs[2]) ==
        KSPARSE_OK);
  CHECK(ksparse_design_csr(csr_values, KSPARSE_FLOAT64, csr_starts, csr_columns, KSPARSE_INT32, N, P, entries, &designs[3]) ==
        KSPARSE_OK);
  const double focal[] = {0.3, 2};
  for (int which = 0; which < 2; ++which) {
    ksparse_options options = default_options();
    if (which) {
      options.loss = "focal";
      options.loss_parameters = focal;
      options.loss_parameter_count = 2;
    }
    double first = 0;
    for (int d = 0; d < 4; ++d) {
      ksparse_result* result = NULL;
      CHECK(ksparse_design_rows(designs[d]) == N && ksparse_design_columns(designs[d]) == P);
      CHECK(ksparse_fit(designs[d], y, weights, NULL, &options, &result) == KSPARSE_OK);
      CHECK(ksparse_result_count(result) == 1 && ksparse_result_columns(result) == P);
      const ksparse_summary summary = summary_of(result, 0);
      int64_t support[2] = {-1, -1};
      double coef_of_support[2], coef[P];
      CHECK(summary.status == KSPARSE_CONVERGED && summary.support_size == 2 && summary.newton > 0 && summary.scans > 1);
      CHECK(ksparse_result_support(result, 0, support, coef_of_support, 2) == KSPARSE_OK);
      CHECK(support[0] == 2 && support[1] == 17);
      CHECK(ksparse_result_coef(result, 0, coef, P) == KSPARSE_OK);
      CHECK(coef[2] == coef_of_support[0] && coef[17] == coef_of_support[1] && coef[0] == 0);
      CHECK(is_near(objective_of(y, weights, coef, summary.intercept, &options), summary.objective));
      if (d == 0) first = summary.objective;
      CHECK(is_near(summary.objective, first));
      CHECK(strcmp(ksparse_result_message(result, 0), "") == 0);
      ksparse_result_free(result);
    }
  }
  for (int d = 0; d < 4; ++d) ksparse_design_free(designs[d]);
}

static void test_path(void) {
  ksparse_design* design = dense_design();
  const ksparse_options options = default_options();
  const int64_t ks[] = {1, 2, 5};
  ksparse_result* path = NULL;
  CHECK(ksparse_fit_path(design, y, NULL, NULL, ks, 3, &options, &path) == KSPARSE_OK);
  CHECK(ksparse_result_count(path) == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(summary_of(path, i).support_size == ks[i]);
    if (i > 0) CHECK(summary_of(path, i).objective < summary_of(path, i - 1).objective);
  }
  ksparse_result* fit = NULL;
  CHECK(ksparse_fit(design, y, NULL, NULL, &options, &fit) == KSPARSE_OK);
  CHECK(is_near(summary_of(path, 1).objective, summary_of(fit, 0).objective));
  ksparse_result_free(fit);
  ksparse_result_free(path);
  ksparse_design_free(design);
}

static void test_k_beyond_the_columns_means_all(void) {
  ksparse_design* design = dense_design();
  ksparse_options options = default_options();
  options.ridge = 1e-2;
  const int64_t ks[] = {P, P + 1, INT64_MAX};
  ksparse_result *path = NULL, *fit = NULL;
  options.k = INT64_MAX;
  CHECK(ksparse_fit(design, y, NULL, NULL, &options, &fit) == KSPARSE_OK);
  CHECK(summary_of(fit, 0).support_size == P);
  CHECK(ksparse_fit_path(design, y, NULL, NULL, ks, 3, &options, &path) == KSPARSE_OK);
  CHECK(ksparse_result_count(path) == 3);
  for (int i = 0; i < 3; ++i) CHECK(is_near(summary_of(path, i).objective, summary_of(fit, 0).objective));
  ksparse_result_free(fit);
  ksparse_result_free(path);
  ksparse_design_free(design);
}

static void test_batch_equals_single_fits(void) {
  ksparse_design* design = dense_design();
  ksparse_options options = default_options();
  options.threads = 2;
  const int64_t k[PROBLEMS] = {1, 2, -1}; /* the last is refused */
  const double ridge[PROBLEMS] = {1e-3, 1e-2, 0};
  ksparse_batch batch;
  CHECK(ksparse_batch_init(&batch, sizeof batch) == KSPARSE_OK);
  batch.count = PROBLEMS;
  batch.responses = y;
  batch.responses_stride = N;
  batch.weights = weights;
  batch.k = k;
  batch.ridge = ridge;
  ksparse_result* many = NULL;
  CHECK(ksparse_fit_many(design, &batch, &options, &many) == KSPARSE_OK);
  CHECK(ksparse_result_count(many) == PROBLEMS);
  for (int i = 0; i < PROBLEMS; ++i) {
    ksparse_result* fit = NULL;
    options.k = k[i];
    options.ridge = ridge[i];
    const ksparse_code code = ksparse_fit(design, y + i * N, weights, NULL, &options, &fit);
    if (i < 2) {
      double of_batch[P], of_fit[P];
      CHECK(code == KSPARSE_OK);
      CHECK(summary_of(many, i).objective == summary_of(fit, 0).objective);
      CHECK(ksparse_result_coef(many, i, of_batch, P) == KSPARSE_OK && ksparse_result_coef(fit, 0, of_fit, P) == KSPARSE_OK);
      for (int j = 0; j < P; ++j) CHECK(of_batch[j] == of_fit[j]);
    } else {
      CHECK(code == KSPARSE_INVALID_ARGUMENT && fit == NULL);
      CHECK(summary_of(many, i).status == KSPARSE_INVALID_INPUT);
      CHECK(strcmp(ksparse_result_message(many, i), ksparse_last_error()) == 0);
      CHECK(strcmp(ksparse_last_error(), "k must be >= 0, got -1") == 0);
    }
    ksparse_result_free(fit);
  }
  ksparse_result_free(many);
  ksparse_design_free(design);
}

static void test_start(void) {
  ksparse_design* design = dense_design();
  ksparse_options options = default_options();
  const int64_t start[] = {2, 17, P};
  ksparse_result* result = NULL;
  options.search = KSPARSE_SEARCH_FAST;
  options.start = start;
  options.start_count = 2;
  CHECK(ksparse_fit(design, y, NULL, NULL, &options, &result) == KSPARSE_OK);
  const ksparse_summary with = summary_of(result, 0);
  ksparse_result_free(result);
  options.start_count = 0;
  CHECK(ksparse_fit(design, y, NULL, NULL, &options, &result) == KSPARSE_OK);
  const ksparse_summary without = summary_of(result, 0);
  ksparse_result_free(result);
  CHECK(with.rounds == without.rounds + 1 && is_near(with.objective, without.objective));
  options.start = start + 2;
  options.start_count = 1;
  CHECK(ksparse_fit(design, y, NULL, NULL, &options, &result) == KSPARSE_INVALID_ARGUMENT);
  CHECK(strstr(ksparse_last_error(), "start names feature 30") != NULL);
  ksparse_design_free(design);
}

static int32_t stop_after(void* context) { return --*(int*)context < 0; }

static void test_interrupt(void) {
  ksparse_design* design = dense_design();
  ksparse_options options = default_options();
  int questions = 3;
  options.interrupt = stop_after;
  options.interrupt_context = &questions;
  ksparse_result* result = NULL;
  CHECK(ksparse_fit(design, y, NULL, NULL, &options, &result) == KSPARSE_INTERRUPTED);
  CHECK(result == NULL && questions < 0);
  CHECK(strcmp(ksparse_last_error(), "the fit was interrupted") == 0);
  ksparse_design_free(design);
}

#define REFUSES(call, words)                            \
  do {                                                  \
    CHECK((call) == KSPARSE_INVALID_ARGUMENT);          \
    CHECK(strstr(ksparse_last_error(), words) != NULL); \
  } while (0)

static void test_refusals(void) {
  ksparse_design* made = (ksparse_design*)X; /* must be NULL after a failure */
  REFUSES(ksparse_design_dense(NULL, KSPARSE_FLOAT64, N, P, KSPARSE_COLUMN_MAJOR, N, &made), "data is NULL");
  CHECK(made == NULL);
  REFUSES(ksparse_design_dense(X, 7, N, P, KSPARSE_COLUMN_MAJOR, N, &made), "scalar is 7");
  REFUSES(ksparse_design_dense(X, KSPARSE_FLOAT64, N, P, 2, N, &made), "order is 2");
  REFUSES(ksparse_design_dense(X, KSPARSE_FLOAT64, N, P, KSPARSE_COLUMN_MAJOR, N - 1, &made),
          "at least the number of rows, 240");
  REFUSES(ksparse_design_dense(X, KSPARSE_FLOAT64, N, P, KSPARSE_ROW_MAJOR, P - 1, &made),
          "at least the number of columns, 30");
  REFUSES(ksparse_design_dense(X, KSPARSE_FLOAT64, 0, P, KSPARSE_COLUMN_MAJOR, N, &made), "shape (0, 30)");
  REFUSES(ksparse_design_dense(X, KSPARSE_FLOAT64, N, INT64_MAX / 64, KSPARSE_COLUMN_MAJOR, N, &made), "larger than memory");
  REFUSES(ksparse_design_dense(X, KSPARSE_FLOAT64, N, P, KSPARSE_COLUMN_MAJOR, N, NULL), "address is NULL");
  REFUSES(ksparse_design_csc(csc_values, KSPARSE_FLOAT64, csc_starts, csc_rows, KSPARSE_INT64, N, P, 5, &made), "they must go");
  REFUSES(ksparse_design_csc(csc_values, KSPARSE_FLOAT64, csc_starts, csc_rows, 9, N, P, 5, &made), "index is 9");
  const int32_t starts[] = {0, 2, 1, 3}, columns[] = {0, 1, 0}, beyond[] = {0, 2, 0}, sound[] = {0, 1, 2, 3};

  ksparse_options options = default_options();
  {
    const int32_t* const malformed[2][2] = {{starts, columns}, {sound, beyond}};
    const char* const words[2] = {"row 1 ends before", "row 1 has the column index 2"};
    const double labels[] = {0, 1, 1};
    for (int i = 0; i < 2; ++i) {
      ksparse_result* result = NULL;
      CHECK(ksparse_design_csr(csc_values, KSPARSE_FLOAT64, malformed[i][0], malformed[i][1], KSPARSE_INT32, 3, 2, 3, &made) ==
            KSPARSE_OK);
      REFUSES(ksparse_fit(made, labels, NULL, NULL, &options, &result), words[i]);
      ksparse_design_free(made);
      made = NULL;
    }
  }
  ksparse_design* design = dense_design();
  ksparse_result* result = NULL;
  REFUSES(ksparse_fit(NULL, y, NULL, NULL, &options, &result), "design is NULL");
  REFUSES(ksparse_fit(design, NULL, NULL, NULL, &options, &result), "responses is NULL");
  REFUSES(ksparse_fit(design, y, NULL, NULL, NULL, &result), "options is NULL");
  REFUSES(ksparse_fit(design, weights, NULL, NULL, &options, &result), "labels must be 0 or 1");
  REFUSES(ksparse_options_init(&options, 8), "options has 8 bytes");
  options.size = sizeof options + 8; /* as a program for a later library would say */
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "bytes; this library knows");
  options = default_options();
  options.loss = NULL;
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "loss is NULL");
  options = default_options();
  options.search = -1;
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "search is -1");
  options = default_options();
  options.max_seconds = HUGE_VAL;
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "max_seconds must be finite and >= 0, got inf");
  options = default_options();
  options.pairs_tried = INT32_MAX;
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "pairs_tried must be in [1, 10000], got 2147483647");
  options = default_options();
  options.pairs_tried_last = INT32_MAX;
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "pairs_tried_last must be in [1, 10000]");
  options = default_options();
  options.never_in_count = 1;
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "never_in is NULL");
  options = default_options();
  options.ridge = -1;
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "ridge must be");
  options = default_options();
  const double kept = X[4 * (N + 3) + 9];
  X[4 * (N + 3) + 9] = NAN;
  REFUSES(ksparse_fit(design, y, NULL, NULL, &options, &result), "X[9, 4] is not finite");
  X[4 * (N + 3) + 9] = kept;
  CHECK(result == NULL);

  REFUSES(ksparse_fit_path(design, y, NULL, NULL, NULL, 2, &options, &result), "ks is NULL");
  const int64_t falling[] = {2, 1};
  REFUSES(ksparse_fit_path(design, y, NULL, NULL, falling, 2, &options, &result), "increasing");
  ksparse_batch batch;
  CHECK(ksparse_batch_init(&batch, sizeof batch) == KSPARSE_OK);
  batch.responses = y;
  REFUSES(ksparse_fit_many(design, &batch, &options, &result), "count is 0");
  batch.count = 2;
  batch.responses_stride = 1;
  REFUSES(ksparse_fit_many(design, &batch, &options, &result), "responses_stride is 1");
  batch.responses_stride = 0;
  options.threads = 0;
  REFUSES(ksparse_fit_many(design, &batch, &options, &result), "threads is 0");

  options = default_options();
  CHECK(ksparse_fit(design, y, NULL, NULL, &options, &result) == KSPARSE_OK);
  double coef[P];
  ksparse_summary summary;
  REFUSES(ksparse_result_summary(result, 1, &summary, sizeof summary), "no answer 1 among 1");
  REFUSES(ksparse_result_summary(NULL, 0, &summary, sizeof summary), "result is NULL");
  REFUSES(ksparse_result_coef(result, 0, coef, P - 1), "needs 30");
  REFUSES(ksparse_result_support(result, 0, NULL, coef, 1), "needs 2");
  CHECK(strcmp(ksparse_result_message(result, 1), "") == 0);
  ksparse_result_free(result);
  ksparse_design_free(design);
  ksparse_result_free(NULL);
  ksparse_design_free(NULL);
}

static void own_logistic(int64_t n, const double* eta, const double* response, double* value, double* slope, double* curvature,
                         void* context) {
  const double scale = *(const double*)context;
  for (int64_t i = 0; i < n; ++i) {
    const double m = response[i] * eta[i], q = 1 / (1 + exp(m));
    value[i] = scale * (m > 0 ? log1p(exp(-m)) : log1p(exp(m)) - m);
    slope[i] = -scale * response[i] * q;
    curvature[i] = scale * q * (1 - q);
  }
}

static ksparse_summary fit_with(const ksparse_design* design, const double* responses, const ksparse_options* options,
                                double* coef) {
  ksparse_result* result = NULL;
  ksparse_summary summary = {0};
  CHECK(ksparse_fit(design, responses, NULL, NULL, options, &result) == KSPARSE_OK);
  CHECK(ksparse_result_summary(result, 0, &summary, sizeof summary) == KSPARSE_OK);
  CHECK(ksparse_result_coef(result, 0, coef, P) == KSPARSE_OK);
  ksparse_result_free(result);
  return summary;
}

static void test_other_losses(void) {
  ksparse_design* design = dense_design();
  ksparse_options options = default_options();
  double coef[P], own[P], counts[N], scale = 2;
  options.ridge = 0;
  const ksparse_summary built_in = fit_with(design, y, &options, coef);
  options.loss_function = &own_logistic;
  options.loss_context = &scale;
  options.loss_falls_for_ever = 1;
  const ksparse_summary of_own = fit_with(design, y, &options, own);
  CHECK(fabs(of_own.objective - 2 * built_in.objective) < 1e-9);
  for (int j = 0; j < P; ++j) CHECK(fabs(own[j] - coef[j]) < 1e-5);

  /* Least squares of numbers, and Poisson regression of counts: at the answer the residuals sum to 0. */
  for (int i = 0; i < N; ++i) counts[i] = floor(exp(1 + x_at(i, 3) - x_at(i, 8)) + 0.5);
  const char* const names[] = {"squared", "poisson"};
  for (int which = 0; which < 2; ++which) {
    options = default_options();
    options.k = 2;
    options.loss = names[which];
    const ksparse_summary fit = fit_with(design, counts, &options, coef);
    CHECK(fit.status == KSPARSE_CONVERGED && coef[3] > 0 && coef[8] < 0);
    double residuals = 0;
    for (int i = 0; i < N; ++i) {
      double eta = fit.intercept;
      for (int j = 0; j < P; ++j) eta += x_at(i, j) * coef[j];
      residuals += counts[i] - (which ? exp(eta) : eta);
    }
    CHECK(fabs(residuals) < 1e-5);
  }

  ksparse_result* result = NULL;
  const double threshold = -1;
  options.loss = "hubble";
  REFUSES(ksparse_fit(design, counts, NULL, NULL, &options, &result), "no loss 'hubble'");
  options.loss = "huber";
  REFUSES(ksparse_fit(design, counts, NULL, NULL, &options, &result), "has 1 parameters");
  options.loss_parameter_count = 1;
  REFUSES(ksparse_fit(design, counts, NULL, NULL, &options, &result), "loss_parameters is NULL");
  options.loss_parameters = &threshold;
  REFUSES(ksparse_fit(design, counts, NULL, NULL, &options, &result), "threshold");
  options.loss_function = &own_logistic;
  options.loss_responses = 9;
  REFUSES(ksparse_fit(design, counts, NULL, NULL, &options, &result), "loss_responses is 9");
  CHECK(result == NULL);
  ksparse_design_free(design);
}

static void test_names(void) {
  CHECK(strcmp(ksparse_status_name(KSPARSE_SEPARABLE), "separable") == 0);
  CHECK(strstr(ksparse_status_advice(KSPARSE_SEPARABLE), "ridge") != NULL);
  CHECK(strcmp(ksparse_status_name(99), "unknown") == 0 && strcmp(ksparse_status_advice(99), "") == 0);
  CHECK(strcmp(ksparse_version(), EXPECTED_VERSION) == 0);
}

int main(void) {
  make_data();
  test_fit_on_every_storage();
  test_path();
  test_k_beyond_the_columns_means_all();
  test_batch_equals_single_fits();
  test_start();
  test_interrupt();
  test_refusals();
  test_other_losses();
  test_names();
  if (failures == 0) puts("all as it must be");
  return failures != 0;
}
