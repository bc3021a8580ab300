// Whether some direction separates the rows of two classes, by cases whose answer is known.
#include <Eigen/Core>
#include <cstdint>
#include <ksparse/glm/separation.hpp>
#include <limits>

#include "catch.hpp"

using namespace ksparse;

namespace {

struct Case {
  Eigen::MatrixXd X;
  Eigen::VectorXd sign, weight, lower, upper;
  bool intercept = true;

  Case(Eigen::MatrixXd values, Eigen::VectorXd signs)
      : X(std::move(values)), sign(std::move(signs)), weight(Eigen::VectorXd::Ones(X.rows())) {}

  std::optional<bool> separated() const {
    const double* const low = lower.size() ? lower.data() : nullptr;
    return Separation({X.rows(), X.cols(), intercept, X.data(), X.outerStride(), sign.data(), weight.data(), low,
                       low ? upper.data() : nullptr})
        .exists();
  }
};

Case line(std::initializer_list<double> x, std::initializer_list<double> sign) {
  Eigen::MatrixXd X(Index(x.size()), 1);
  Eigen::VectorXd s(X.rows());
  std::copy(x.begin(), x.end(), X.data());
  std::copy(sign.begin(), sign.end(), s.data());
  return {X, s};
}

}  // namespace

TEST_CASE("rows_on_a_line", "[separation]") {
  CHECK(line({1, 2, 3, 4}, {-1, -1, 1, 1}).separated() == true);
  CHECK(line({1, 2, 2, 3}, {-1, -1, 1, 1}).separated() == true);  // in part: rows that touch do not move
  CHECK(line({1, 2, 3, 4}, {-1, 1, -1, 1}).separated() == false);
  CHECK(line({2, 2, 2, 2}, {-1, 1, -1, 1}).separated() == false);  // constant
  CHECK(line({1e-200, 2e-200, 3e200, 4e200}, {-1, -1, 1, 1}).separated() == true);
}

TEST_CASE("the_intercept_weights_and_bounds_decide", "[separation]") {
  Case shifted = line({1, 2, 3, 4}, {-1, -1, 1, 1});
  shifted.intercept = false;
  CHECK(shifted.separated() == false);
  Case ignored = line({1, 2, 3, 4}, {-1, 1, -1, 1});
  CHECK(ignored.separated() == false);
  ignored.weight[2] = 0;
  CHECK(ignored.separated() == true);
  Case bounded = line({1, 2, 3, 4}, {-1, -1, 1, 1});
  const double infinity = std::numeric_limits<double>::infinity();
  bounded.lower.setConstant(1, 0.0);
  bounded.upper.setConstant(1, infinity);
  CHECK(bounded.separated() == true);
  bounded.upper[0] = 5;
  CHECK(bounded.separated() == false);
  bounded.lower[0] = -infinity;
  bounded.upper[0] = 0;
  CHECK(bounded.separated() == false);
}

TEST_CASE("a_flag_of_one_class_separates_in_part_beside_any_other_column", "[separation]") {
  std::uint64_t state = 1;
  const auto uniform = [&state] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return double(state >> 11) / 9007199254740992.0;
  };
  for (const Index columns : {1, 3, 12}) {
    Eigen::MatrixXd X(400, columns + 1);
    Eigen::VectorXd sign(400);
    for (Index i = 0; i < 400; ++i) {
      for (Index j = 0; j <= columns; ++j) X(i, j) = uniform() - 0.5;
      sign[i] = uniform() < 0.5 ? -1 : 1;
      X(i, 0) = sign[i] > 0 && i % 50 < 3;
    }
    Case rows(X, sign);
    CHECK(rows.separated() == true);
    for (Index i = 0; i < 400; ++i)
      if (sign[i] < 0 && i > 200) rows.X(i, 0) = 1;
    CHECK(rows.separated() == false);
  }
}
