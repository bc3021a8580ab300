// Fits twenty outcomes with the same X, each with its own k, in two threads. Passes over X are shared. An outcome that cannot
// be fitted does not affect the others.
#include <cmath>
#include <cstdio>
#include <ksparse/ksparse.hpp>
#include <memory>
#include <random>

int main() {
  const Eigen::Index n = 300, p = 50, outcomes = 20;
  std::mt19937_64 generator(1);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const Eigen::MatrixXd X = Eigen::MatrixXd::NullaryExpr(n, p, [&] { return normal(generator); });
  Eigen::MatrixXd Y(n, outcomes);
  for (Eigen::Index m = 0; m < outcomes; ++m)
    for (Eigen::Index i = 0; i < n; ++i) Y(i, m) = uniform(generator) < 1 / (1 + std::exp(-3 * X(i, m) + 3 * X(i, m + 20)));
  Y.col(7).setZero();  // an event that never happened

  // Called for each problem when it is started, from several threads at once.
  const ksparse::ProblemSource source = [&](ksparse::Index m, ksparse::BatchProblem& problem) {
    problem.responses = Y.col(m);
    problem.loss = ksparse::Logistic{};
    problem.options.k = m < 10 ? 2 : 3;
    problem.options.ridge = 1e-3;
  };
  const std::vector<ksparse::CompactFit> fits = ksparse::fit_many(X, outcomes, source, {2});

  int as_planted = 0;
  for (std::size_t m = 0; m < fits.size(); ++m) {
    std::printf("%2zu  %-13s", m, to_string(fits[m].info.status));
    if (fits[m].info.status == ksparse::Status::invalid_input) std::printf("  %s", fits[m].info.message.c_str());
    for (std::size_t s = 0; s < fits[m].support.size(); ++s)
      std::printf("  x%ld %+.2f", long(fits[m].support[s]), fits[m].coef[Eigen::Index(s)]);
    std::printf("\n");
    const auto has = [&](ksparse::Index j) {
      return std::find(fits[m].support.begin(), fits[m].support.end(), j) != fits[m].support.end();
    };
    as_planted += has(ksparse::Index(m)) && has(ksparse::Index(m) + 20);
  }
  return as_planted != outcomes - 1;
}
