// Newton on functions that are not losses: convex, not convex, without curvature, broken.
#include <cmath>
#include <ksparse/glm/newton.hpp>
#include <limits>

#include "catch.hpp"
#include "close.hpp"

using namespace ksparse;

namespace {

struct FunctionBase {
  bool can_be_concave() const { return true; }
  bool convex_stands_in() const { return false; }
  bool separates(const Eigen::Ref<const Eigen::VectorXd>&) const { return false; }
  bool has_no_minimum() const { return false; }
  bool interrupted() { return false; }
};

struct Quadratic : FunctionBase {
  Eigen::MatrixXd H;
  Eigen::VectorXd b;
  double linearise(const Eigen::Ref<const Eigen::VectorXd>& x, Curvature, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    g = H * x - b;
    h = H;
    return 0.5 * x.dot(H * x) - b.dot(x) + 10;
  }
};

// sum log(1 + x_i^2): concave beyond |x| = 1, minimum 0 at 0. The convex substitute drops negative curvature.
struct Bowl : FunctionBase {
  double linearise(const Eigen::Ref<const Eigen::VectorXd>& x, Curvature curvature, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    const auto square = x.array().square();
    g = 2 * x.array() / (1 + square);
    Eigen::ArrayXd second = (2 - 2 * square) / (1 + square).square();
    if (curvature == Curvature::convex) second = second.max(0.0);
    h = second.matrix().asDiagonal();
    return (1 + square).log().sum() + 1;
  }
};

struct NotANumber : FunctionBase {
  double linearise(const Eigen::Ref<const Eigen::VectorXd>&, Curvature, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    g.setZero();
    h.setIdentity();
    return std::numeric_limits<double>::quiet_NaN();
  }
};

NewtonLimits tight() {
  NewtonLimits limits;
  limits.tolerance = 1e-10;
  return limits;
}

}  // namespace

TEST_CASE("a_quadratic_takes_one_step", "[newton]") {
  Quadratic f;
  f.H = Eigen::Matrix3d{{4, 1, 0}, {1, 3, -1}, {0, -1, 2}};
  f.b = Eigen::Vector3d(1, 2, 3);
  Eigen::VectorXd x = Eigen::Vector3d(5, -5, 5);
  const NewtonOutcome outcome = Newton(3).minimise(f, x, tight());
  CHECK(outcome.status == Status::converged);
  CHECK(outcome.iterations == 1);
  CHECK((f.H * x - f.b).norm() < 1e-12);
}

TEST_CASE("a_concave_start_still_descends_to_the_minimum", "[newton]") {
  Bowl f;
  for (const double start : {0.5, 1.0, 3.0, 50.0}) {
    Eigen::VectorXd x = Eigen::Vector2d(start, -0.7 * start);
    const NewtonOutcome outcome = Newton(2).minimise(f, x, tight());
    CAPTURE(start);
    CHECK(outcome.status == Status::converged);
    CHECK(x.norm() < 1e-8);
    CHECK(close(outcome.objective, 1.0, 1e-12));
  }
}

TEST_CASE("a_singular_hessian_is_shifted", "[newton]") {
  Quadratic f;
  f.H = Eigen::Matrix2d{{1, 1}, {1, 1}};
  f.b = Eigen::Vector2d(2, 2);
  Eigen::VectorXd x = Eigen::Vector2d::Zero();
  const NewtonOutcome outcome = Newton(2).minimise(f, x, tight());
  CHECK(outcome.status == Status::converged);
  CHECK(close(x.sum(), 2.0, 1e-9));
}

TEST_CASE("nothing_but_a_status_comes_of_a_function_that_is_not_a_number", "[newton]") {
  NotANumber f;
  Eigen::VectorXd x = Eigen::Vector2d(1, 2);
  CHECK(Newton(2).minimise(f, x, tight()).status == Status::numerical_failure);
  CHECK(x == Eigen::Vector2d(1, 2));
}

TEST_CASE("a_bar_that_cannot_be_passed_ends_the_descent_at_once", "[newton]") {
  Quadratic f;
  f.H = Eigen::Matrix2d::Identity();
  f.b = Eigen::Vector2d(1, 1);
  NewtonLimits limits = tight();
  limits.bar = 5;  // the minimum is 9
  Eigen::VectorXd x = Eigen::Vector2d::Zero();
  const NewtonOutcome outcome = Newton(2).minimise(f, x, limits);
  CHECK(outcome.abandoned);
  CHECK(outcome.iterations == 0);
}

TEST_CASE("the_limit_of_iterations_is_kept_and_said", "[newton]") {
  Bowl f;
  NewtonLimits limits = tight();
  limits.max_iterations = 1;
  Eigen::VectorXd x = Eigen::Vector2d(0.5, 0.4);
  const NewtonOutcome outcome = Newton(2).minimise(f, x, limits);
  CHECK(outcome.status == Status::max_iterations);
  CHECK(outcome.iterations == 1);
}
