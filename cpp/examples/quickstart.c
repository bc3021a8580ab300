/* Fits three features out of forty from C and prints them. Uses nothing but the installed C API. */
#include <ksparse/ksparse.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

enum { N = 400, P = 40, K = 3 };

static double uniform(void) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13; /* xorshift64 (Marsaglia 2003) */
  state ^= state >> 7;
  state ^= state << 17;
  return (double)(state >> 11) / 9007199254740992.0;
}

int main(void) {
  static double X[N * P], y[N]; /* X row by row */
  for (int i = 0; i < N; ++i) {
    double* x = X + i * P;
    for (int j = 0; j < P; ++j) x[j] = 2 * uniform() - 1;
    y[i] = uniform() < 1 / (1 + exp(2 - 4 * x[3] + 3 * x[17] - 3 * x[31]));
  }

  ksparse_design* design = NULL;
  ksparse_result* result = NULL;
  ksparse_options options;
  ksparse_summary summary;
  int64_t support[K];
  double coef[K];
  const double focal[] = {0.5, 2}; /* alpha and gamma */
  ksparse_options_init(&options, sizeof options);
  options.k = K;
  options.loss = "focal";
  options.loss_parameters = focal;
  options.loss_parameter_count = 2;
  if (ksparse_design_dense(X, KSPARSE_FLOAT64, N, P, KSPARSE_ROW_MAJOR, P, &design) != KSPARSE_OK ||
      ksparse_fit(design, y, NULL, NULL, &options, &result) != KSPARSE_OK ||
      ksparse_result_summary(result, 0, &summary, sizeof summary) != KSPARSE_OK ||
      ksparse_result_support(result, 0, support, coef, K) != KSPARSE_OK) {
    fprintf(stderr, "%s\n", ksparse_last_error());
    return 1;
  }
  printf("F = %.6f  %s:", summary.objective, ksparse_status_name(summary.status));
  for (int s = 0; s < summary.support_size; ++s) printf("  x%d %+.3f", (int)support[s], coef[s]);
  printf("  intercept %+.3f\n", summary.intercept);
  ksparse_result_free(result);
  ksparse_design_free(design);
  return !(summary.status == KSPARSE_CONVERGED && summary.support_size == K && support[0] == 3 && support[1] == 17 &&
           support[2] == 31);
}
