// Fits three features out of forty with both losses and prints them. Uses nothing but the installed library.
#include <cmath>
#include <cstdio>
#include <ksparse/ksparse.hpp>
#include <random>

int main() {
  const Eigen::Index n = 400, p = 40;
  std::mt19937_64 generator(1);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  Eigen::MatrixXd X(n, p);
  Eigen::VectorXd y(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < p; ++j) X(i, j) = normal(generator);
    const double eta = 2 * X(i, 3) - 1.5 * X(i, 17) + X(i, 31) - 2;
    y[i] = uniform(generator) < 1 / (1 + std::exp(-eta));
  }

  ksparse::Options options;
  options.k = 3;
  const ksparse::FitResult fits[] = {ksparse::fit(X, y, ksparse::Logistic{}, options),
                                     ksparse::fit(X, y, ksparse::Focal{0.75, 2.0}, options)};
  const char* names[] = {"logistic", "focal"};
  for (int f = 0; f < 2; ++f) {
    std::printf("%-8s  F = %.6f  %s:", names[f], fits[f].objective, ksparse::to_string(fits[f].info.status));
    for (const ksparse::Index j : fits[f].support) std::printf("  x%d %+.3f", int(j), fits[f].coef[j]);
    std::printf("  intercept %+.3f\n", fits[f].intercept);
    if (fits[f].info.status != ksparse::Status::converged || fits[f].support != std::vector<ksparse::Index>{3, 17, 31})
      return 1;
  }
  return 0;
}
