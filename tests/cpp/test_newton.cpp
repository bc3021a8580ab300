// Newton on functions that are not losses: convex, not convex, without curvature, broken.
#include <cmath>
#include <ksparse/newton/newton.hpp>
#include <limits>

#include "catch.hpp"
#include "close.hpp"

using namespace ksparse;

namespace {

struct FunctionBase {
  bool can_be_concave() const { return false; }
  void make_convex(const Eigen::Ref<const Eigen::VectorXd>&, const Eigen::Ref<Eigen::VectorXd>&, Eigen::Ref<Eigen::MatrixXd>) {}
  bool convex_stands_in() const { return false; }
  double usual_width() const { return 0; }
  double width_at(double) const { return 0; }
  void widen(const Eigen::Ref<const Eigen::VectorXd>&, double, const Eigen::Ref<Eigen::VectorXd>&,
             const Eigen::Ref<Eigen::MatrixXd>&) {}
  bool separates(const Eigen::Ref<const Eigen::VectorXd>&) const { return false; }
  bool has_no_minimum() const { return false; }
  bool interrupted() { return false; }
};

struct Quadratic : FunctionBase {
  Eigen::MatrixXd H;
  Eigen::VectorXd b;
  double linearise(const Eigen::Ref<const Eigen::VectorXd>& x, double, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    g = H * x - b;
    h = H;
    return 0.5 * x.dot(H * x) - b.dot(x) + 10;
  }
};

// sum log(1 + x_i^2): concave beyond |x| = 1, minimum 0 at 0. The convex substitute drops negative curvature.
struct Bowl : FunctionBase {
  double linearise(const Eigen::Ref<const Eigen::VectorXd>& x, double, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    const auto square = x.array().square();
    g = 2 * x.array() / (1 + square);
    h = ((2 - 2 * square) / (1 + square).square()).matrix().asDiagonal();
    return (1 + square).log().sum() + 1;
  }
  bool can_be_concave() const { return true; }
  void make_convex(const Eigen::Ref<const Eigen::VectorXd>&, const Eigen::Ref<Eigen::VectorXd>&,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    h = h.cwiseMax(0.0).eval();
  }
};

struct NotANumber : FunctionBase {
  double linearise(const Eigen::Ref<const Eigen::VectorXd>&, double, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    g.setZero();
    h.setIdentity();
    return std::numeric_limits<double>::quiet_NaN();
  }
};

// Bowl, without derivatives where they are not asked for.
struct SparingBowl : Bowl {
  double linearise(const Eigen::Ref<const Eigen::VectorXd>& x, double allowed, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    Eigen::VectorXd slope(x.size());
    Eigen::MatrixXd curvature(x.size(), x.size());
    const double value = Bowl::linearise(x, allowed, slope, curvature);
    if (value > allowed) return value;
    g = slope;
    h = curvature;
    return value;
  }
};

// A quadratic of one coefficient as it comes out of a computation in low precision.
struct Noisy : FunctionBase {
  double linearise(const Eigen::Ref<const Eigen::VectorXd>& x, double, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    g[0] = x[0] - 1;
    h(0, 0) = 1.5;  // so that the whole step is not right
    return 1 + 0.5 * g[0] * g[0] + 1e-6 * std::sin(1e9 * x[0]);
  }
};

// exp(-x), whose infimum lies at infinity, or (x - 1)^2 to the power of three, which attains it slowly.
struct Vanishing : FunctionBase {
  bool attained = false;
  double linearise(const Eigen::Ref<const Eigen::VectorXd>& x, double, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    if (!attained) {
      const double value = std::exp(-x[0]);
      g[0] = -value;
      h(0, 0) = value;
      return value;
    }
    const double from = x[0] - 1;
    g[0] = 6 * std::pow(from, 5);
    h(0, 0) = 30 * std::pow(from, 4);
    return std::pow(from, 6);
  }
};

// Falls towards an edge beyond which it is not defined, by steps that lead far beyond.
struct Edge : FunctionBase {
  double linearise(const Eigen::Ref<const Eigen::VectorXd>& x, double, Eigen::Ref<Eigen::VectorXd> g,
                   Eigen::Ref<Eigen::MatrixXd> h) {
    g[0] = -1;
    h(0, 0) = 1e-4;
    return x[0] < 1 ? 3 - x[0] : std::numeric_limits<double>::quiet_NaN();
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

TEST_CASE("derivatives_are_used_only_where_they_were_asked_for", "[newton]") {
  for (const double start : {0.5, 3.0, 50.0}) {
    Bowl full;
    SparingBowl sparing;
    Eigen::VectorXd x = Eigen::Vector2d(start, -0.7 * start), y = x;
    const NewtonOutcome one = Newton(2).minimise(full, x, tight()), other = Newton(2).minimise(sparing, y, tight());
    CHECK(one.iterations == other.iterations);
    CHECK(x == y);
  }
}

TEST_CASE("what_is_lost_in_the_noise_of_a_function_is_no_failure", "[newton]") {
  NewtonLimits limits = tight();
  Noisy f;
  Eigen::VectorXd x = Eigen::VectorXd::Constant(1, 5.0);
  const NewtonOutcome unaware = Newton(1).minimise(f, x, limits);
  CHECK(unaware.status != Status::converged);
  x[0] = 5;
  limits.noise = 1e-6;
  const NewtonOutcome outcome = Newton(1).minimise(f, x, limits);
  CHECK(outcome.status == Status::converged);
  CHECK(std::abs(x[0] - 1) < 5e-3);
}

TEST_CASE("a_function_that_vanishes_is_separable_unless_steps_have_settled", "[newton]") {
  NewtonLimits limits;
  limits.tolerance = 1e-200;
  limits.perfect = 1e-14;
  Vanishing f;
  Eigen::VectorXd x = Eigen::VectorXd::Zero(1);
  CHECK(Newton(1).minimise(f, x, limits).status == Status::separable);
  f.attained = true;
  x[0] = 1 + 1e-6;
  CHECK(Newton(1).minimise(f, x, limits).status == Status::converged);
}

TEST_CASE("a_descent_that_crawls_along_an_edge_is_given_up", "[newton]") {
  Edge f;
  NewtonLimits limits = tight();
  Eigen::VectorXd x = Eigen::VectorXd::Zero(1);
  CHECK(Newton(1).minimise(f, x, limits).iterations > 10);
  x[0] = 0;
  limits.max_cut_short = 5;
  const NewtonOutcome outcome = Newton(1).minimise(f, x, limits);
  CHECK(outcome.status == Status::stalled);
  CHECK(outcome.iterations <= 6);
}
