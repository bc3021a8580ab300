// A custom objective: least squares for which only the moments G = X'X / n, g = X'y / n and c = y'y / 2n are known, because the
// rows must not leave the hospitals that they are from. The moments of several hospitals are added. With A the active columns,
//   F = c - g'b + b'G b / 2,   F' = G b - g,   F'' = G
// The search makes two requests: to minimise F on a support, and to compute how F changes with each column at a point.
#include <Eigen/Dense>
#include <cmath>
#include <cstdio>
#include <ksparse/ksparse.hpp>
#include <random>
#include <vector>

class Moments final : public ksparse::ColumnObjective {
 public:
  Moments(Eigen::MatrixXd G, Eigen::VectorXd g, double c) : ColumnObjective(g.size(), {}), G_(G), g_(g), c_(c) {}

  ksparse::ModelAccuracy model_accuracy() const override { return ksparse::ModelAccuracy::exact; }  // F is quadratic

 private:
  ksparse::RefitOutcome refit_columns(const List& active, Eigen::VectorXd& coef, double& F,
                                      const ksparse::RefitGoal&) override {
    coef = G_(active, active).ldlt().solve(g_(active));
    F = c_ - 0.5 * g_(active).dot(coef);
    return {coef.allFinite() ? ksparse::Status::converged : ksparse::Status::stalled};
  }

  ksparse::Status begin_scan(const List& active, const Eigen::VectorXd& coef, Point point) override {
    active_ = active;
    gradient_ = -g_;
    for (std::size_t i = 0; i < active.size(); ++i) gradient_ += coef[ksparse::Index(i)] * G_.col(active[i]);
    point.gradient = gradient_(active);
    point.hessian = G_(active, active);
    return ksparse::Status::converged;
  }

  ksparse::Status scan_columns(const List& columns, const List*, Panel& panel) override {
    panel.gradient = gradient_(columns);
    panel.curvature = G_.diagonal()(columns);
    panel.cross = G_(columns, active_);
    return ksparse::Status::converged;
  }

  const Eigen::MatrixXd G_;
  const Eigen::VectorXd g_;
  const double c_;
  List active_;
  Eigen::VectorXd gradient_;
};

int main() {
  const Eigen::Index n = 500, p = 80;
  std::mt19937_64 generator(1);
  std::normal_distribution<double> normal;
  const Eigen::MatrixXd X = Eigen::MatrixXd::NullaryExpr(n, p, [&] { return normal(generator); });
  const Eigen::VectorXd noise = Eigen::VectorXd::NullaryExpr(n, [&] { return normal(generator); });
  const Eigen::VectorXd y = X.col(5) - 2 * X.col(20) + 0.5 * X.col(63) + noise;

  const double rows = double(n);
  Moments objective(X.transpose() * X / rows, X.transpose() * y / rows, y.squaredNorm() / (2 * rows));
  ksparse::Options options;
  options.k = 3;
  options.fit_intercept = false;
  const ksparse::FitResult fit = ksparse::fit(objective, options);
  std::printf("F = %.6f  %s:", fit.objective, to_string(fit.info.status));
  for (const ksparse::Index j : fit.support) std::printf("  x%ld %+.3f", long(j), fit.coef[j]);
  std::printf("\n");

  // A fit of the rows gives the same result, and so does a path.
  const ksparse::FitResult from_rows = ksparse::fit(X, y, ksparse::Squared{}, options);
  const auto path = ksparse::fit_path(objective, {1, 2, 3}, options);
  return !(fit.support == from_rows.support && std::abs(fit.objective - from_rows.objective) < 1e-12 && path.size() == 3 &&
           std::abs(path[2].objective - fit.objective) < 1e-12 && path[2].support == fit.support);
}
