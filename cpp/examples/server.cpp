// A server loop: requests have the same shape but different labels, and use one workspace, which allocates no memory after the
// first request (tests/cpp/test_allocation.cpp counts allocations).
#include <cmath>
#include <cstdio>
#include <ksparse/ksparse.hpp>
#include <random>

int main() {
  const Eigen::Index n = 300, p = 60;
  std::mt19937_64 generator(7);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const Eigen::MatrixXd X = Eigen::MatrixXd::NullaryExpr(n, p, [&] { return normal(generator); });
  Eigen::VectorXd labels(n);

  ksparse::Options options;
  options.k = 3;
  options.ridge = 1e-3;
  ksparse::Workspace workspace;
  int as_planted = 0;
  for (Eigen::Index request = 0; request < 20; ++request) {
    const Eigen::Index planted = 2 * request;
    for (Eigen::Index i = 0; i < n; ++i)
      labels[i] = uniform(generator) < 1 / (1 + std::exp(-3 * X(i, planted) + 3 * X(i, planted + 1)));
    const ksparse::FitResult& fit = workspace.fit(X, labels, ksparse::Focal{0.5, 2.0}, options);
    std::printf("request %2ld  %s  F = %.4f\n", long(request), to_string(fit.info.status), fit.objective);
    as_planted += fit.coef[planted] > 0 && fit.coef[planted + 1] < 0;
  }
  return as_planted != 20;
}
