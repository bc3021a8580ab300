// Random problems and an independent, plain reference for the tests.
#pragma once

#include <Eigen/Dense>
#include <cmath>
#include <random>
#include <vector>

struct Data {
  Eigen::MatrixXd X;
  Eigen::VectorXd y;
};

/// Columns with correlation about rho to their neighbour; labels from a few of them, noisy enough not to be separable.
inline Data random_data(Eigen::Index n, Eigen::Index p, double rho, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  Data data{Eigen::MatrixXd(n, p), Eigen::VectorXd(n)};
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < p; ++j)
      data.X(i, j) = j > 0 ? rho * data.X(i, j - 1) + std::sqrt(1 - rho * rho) * normal(generator) : normal(generator);
    double eta = 0.3;
    for (Eigen::Index j = 0; j < p; j += std::max<Eigen::Index>(p / 3, 1)) eta += (j % 2 ? -1.2 : 1.2) * data.X(i, j);
    data.y[i] = uniform(generator) < 1 / (1 + std::exp(-eta));
  }
  return data;
}

/// F on a support by damped Newton with numerical care but none of the library's code; gamma < 0: logistic.
inline double reference_objective(const Data& data, const std::vector<Eigen::Index>& support, bool intercept, double ridge,
                                  double alpha, double gamma) {
  const Eigen::Index n = data.X.rows(), s = Eigen::Index(support.size()), d = s + intercept;
  Eigen::MatrixXd Z(n, d);
  for (Eigen::Index j = 0; j < s; ++j) Z.col(j) = data.X.col(support[std::size_t(j)]);
  if (intercept) Z.col(s).setOnes();
  Eigen::VectorXd beta = Eigen::VectorXd::Zero(d), penalty = Eigen::VectorXd::Constant(d, ridge);
  if (intercept) penalty[s] = 0;
  const double g = gamma < 0 ? 0.0 : gamma;
  const auto evaluate = [&](const Eigen::VectorXd& b, Eigen::VectorXd* gradient, Eigen::MatrixXd* hessian) {
    const Eigen::VectorXd eta = Z * b;
    Eigen::VectorXd r(n), h(n);
    double F = 0.5 * b.dot(penalty.cwiseProduct(b));
    for (Eigen::Index i = 0; i < n; ++i) {
      const double sign = 2 * data.y[i] - 1, m = sign * eta[i], a = gamma < 0 ? 1.0 : data.y[i] > 0 ? alpha : 1 - alpha;
      const double p = 1 / (1 + std::exp(-m)), q = 1 / (1 + std::exp(m)),
                   sp = m > 0 ? std::log1p(std::exp(-m)) : std::log1p(std::exp(m)) - m;
      const double aq = a * std::pow(q, g) / double(n);
      F += aq * sp;
      r[i] = -sign * aq * (g * p * sp + q);
      h[i] = aq * p * (g * sp * (g * p - q) + (2 * g + 1) * q);
    }
    if (gradient) *gradient = Z.transpose() * r + penalty.cwiseProduct(b);
    if (hessian) *hessian = Z.transpose() * h.asDiagonal() * Z + Eigen::MatrixXd(penalty.asDiagonal());
    return F;
  };
  Eigen::VectorXd gradient;
  Eigen::MatrixXd hessian;
  double F = evaluate(beta, &gradient, &hessian);
  for (int iteration = 0; iteration < 200 && d > 0; ++iteration) {
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(hessian);
    const Eigen::VectorXd curvature = eigen.eigenvalues().cwiseAbs().cwiseMax(1e-12);
    const Eigen::VectorXd step = -eigen.eigenvectors() * (eigen.eigenvectors().transpose() * gradient).cwiseQuotient(curvature);
    double t = 1, next = F;
    while (t > 1e-12 && !((next = evaluate(beta + t * step, nullptr, nullptr)) < F)) t /= 2;
    if (!(next < F)) break;
    beta += t * step;
    F = evaluate(beta, &gradient, &hessian);
  }
  return F;
}
