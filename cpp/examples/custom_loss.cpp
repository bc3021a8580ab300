// A custom loss: Poly-1 (Leng et al. 2022, arXiv 2204.12511, eq. 4), which is cross entropy with a weight e > -1 on the first
// term of its expansion. With p = sigma(m), q = sigma(-m):
//   l = softplus(-m) + e q,   l' = -q - e p q,   l'' = p q (1 + e (p - q))
// T is double or a register of doubles; loss.hpp describes the requirements.
#include <cmath>
#include <cstdio>
#include <ksparse/ksparse.hpp>
#include <optional>
#include <random>
#include <string>

struct Poly1 {
  double e = 1.0;

  template <class T>
  ksparse::LossTerms<T> operator()(const T& margin, const T& weight) const noexcept {
    const auto [p, q, softplus, tail] = ksparse::stable::logistic_parts(margin);
    const T first(e);
    return {weight * (softplus + first * q), -weight * (q + first * p * q), weight * p * q * (T(1.0) + first * (p - q))};
  }
  double class_weight(bool) const noexcept { return 1.0; }
  std::optional<std::string> problem() const {
    if (!(e > -1 && std::isfinite(e))) return "e must be > -1 and finite, got " + std::to_string(e);
    return std::nullopt;
  }
};

int main() {
  const Eigen::Index n = 500, p = 60;
  std::mt19937_64 generator(1);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const Eigen::MatrixXd X = Eigen::MatrixXd::NullaryExpr(n, p, [&] { return normal(generator); });
  const Eigen::VectorXd y = Eigen::VectorXd::NullaryExpr(
      n, [&](Eigen::Index i) { return double(uniform(generator) < 1 / (1 + std::exp(-2 * X(i, 4) + 2 * X(i, 40)))); });
  ksparse::Options options;
  options.k = 2;

  const ksparse::FitResult fit = ksparse::fit(X, y, Poly1{2.0}, options);
  std::printf("F = %.6f  %s:", fit.objective, to_string(fit.info.status));
  for (const ksparse::Index j : fit.support) std::printf("  x%ld %+.3f", long(j), fit.coef[j]);
  std::printf("\n");

  // Compute F again from the formula. With e = 0, the loss is cross entropy.
  double F = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    const double m = (2 * y[i] - 1) * (X.row(i).dot(fit.coef) + fit.intercept);
    F += (std::log1p(std::exp(-m)) + 2 / (1 + std::exp(m))) / double(n);
  }
  const double plain = ksparse::fit(X, y, Poly1{0.0}, options).objective;
  const bool is_cross_entropy = std::abs(plain - ksparse::fit(X, y, ksparse::Logistic{}, options).objective) < 1e-14;
  const bool refused = ksparse::fit(X, y, Poly1{-1.0}, options).info.status == ksparse::Status::invalid_input;
  return !(std::abs(F - fit.objective) < 1e-12 && is_cross_entropy && refused);
}
