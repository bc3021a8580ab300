// Fits and paths of an objective that is not the library's: least squares from moments, by columns and in groups.
#include <algorithm>
#include <cmath>
#include <ksparse/ksparse.hpp>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data.hpp"

using namespace ksparse;

namespace {

/// F = c - g'b + b'G b / 2; it throws or ends the search once it was asked so often.
class Moments final : public ColumnObjective {
 public:
  Moments(const Eigen::MatrixXd& X, const Eigen::VectorXd& y, const Constraints& constraints)
      : ColumnObjective(X.cols(), constraints),
        bounds_(constraints),
        G_(X.transpose() * X / double(X.rows())),
        g_(X.transpose() * y / double(X.rows())),
        c_(y.squaredNorm() / (2 * double(X.rows()))) {}

  double minimum(const std::vector<Index>& columns) const {
    return columns.empty() ? c_ : c_ - 0.5 * g_(columns).dot(G_(columns, columns).ldlt().solve(g_(columns)));
  }
  ModelAccuracy model_accuracy() const override { return ModelAccuracy::exact; }

  int throws_at = -1, stops_at = -1, asked = 0;

 private:
  RefitOutcome refit_columns(const List& active, Eigen::VectorXd& coef, double& F, const RefitGoal&) override {
    if (++asked == throws_at) throw std::runtime_error("enough");
    if (asked == stops_at) return {Status::interrupted};
    if (bounds_.bounded()) {
      coef.setZero();
      for (int sweep = 0; sweep < 1000; ++sweep)
        for (std::size_t i = 0; i < active.size(); ++i) {
          const Index j = active[i], at = Index(i);
          const double slope = G_.row(j)(active).dot(coef) - g_[j];
          coef[at] = std::clamp(coef[at] - slope / G_(j, j), bounds_.lower_of(j), bounds_.upper_of(j));
        }
      F = c_ - g_(active).dot(coef) + 0.5 * coef.dot(G_(active, active) * coef);
      return {};
    }
    coef = G_(active, active).ldlt().solve(g_(active));
    F = minimum(active);
    return {};
  }
  Status begin_scan(const List& active, const Eigen::VectorXd& coef, Point point) override {
    active_ = active;
    gradient_ = -g_;
    for (std::size_t i = 0; i < active.size(); ++i) gradient_ += coef[Index(i)] * G_.col(active[i]);
    point.gradient = gradient_(active);
    point.hessian = G_(active, active);
    return Status::converged;
  }
  Status scan_columns(const List& columns, const List* starts, Panel& panel) override {
    panel.gradient = gradient_(columns);
    panel.curvature = G_.diagonal()(columns);
    panel.cross = G_(columns, active_);
    panel.blocks.setZero(Index(columns.size()), stride());
    for (std::size_t group = 0; starts && group + 1 < starts->size(); ++group)
      for (Index a = (*starts)[group]; a < (*starts)[group + 1]; ++a)
        for (Index b = (*starts)[group]; b < (*starts)[group + 1]; ++b)
          panel.blocks(a, b - (*starts)[group]) = G_(columns[std::size_t(a)], columns[std::size_t(b)]);
    return Status::converged;
  }

  const Constraints bounds_;
  const Eigen::MatrixXd G_;
  const Eigen::VectorXd g_;
  const double c_;
  List active_;
  Eigen::VectorXd gradient_;
};

Data numbers(Index n, Index p, unsigned seed) {
  Data data = random_data(n, p, 0.6, seed);
  data.y = 2 * data.y.array() - 1 + data.X.col(1).array() * data.X.col(0).array();
  return data;
}

Options of(Index k, std::vector<Index> groups = {}) {
  Options options;
  options.k = k;
  options.fit_intercept = false;
  options.constraints.groups = std::move(groups);
  return options;
}

}  // namespace

TEST_CASE("an_own_objective_is_answered_as_rows_are", "[objective]") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Data data = numbers(150, 40, seed);
    const std::vector<Index> ks = {0, 1, 3, 6};
    Moments moments(data.X, data.y, {});
    const auto path = fit_path(moments, ks, of(0)), of_rows = fit_path(data.X, data.y, Squared{}, ks, of(0));
    REQUIRE(path.size() == 4);
    for (std::size_t i = 0; i < ks.size(); ++i) {
      CHECK(path[i].support == of_rows[i].support);
      CHECK(std::abs(path[i].objective - of_rows[i].objective) < 1e-12);
      CHECK((path[i].coef - of_rows[i].coef).cwiseAbs().maxCoeff() < 1e-8);
      const FitResult one = fit(moments, of(ks[i]));
      CHECK(one.info.status == Status::converged);
      CHECK(path[i].objective <= one.objective * (1 + 1e-12));
    }
  }
}

TEST_CASE("groups_of_an_own_objective_enter_together", "[objective]") {
  for (const unsigned seed : {4u, 5u, 6u}) {
    const Data data = numbers(120, 12, seed);
    const std::vector<Index> groups = {0, 1, 2, 0, 3, 4, 1, 4, 4, 2, 5, 0};  // of sizes 3, 2, 2, 1, 3, 1, scattered
    const Options options = of(2, groups);
    Moments moments(data.X, data.y, options.constraints);
    const FitResult found = fit(moments, options);
    const auto columns_of = [&](Index a, Index b) {
      std::vector<Index> columns;
      for (Index j = 0; j < 12; ++j)
        if (groups[std::size_t(j)] == a || groups[std::size_t(j)] == b) columns.push_back(j);
      return columns;
    };
    double best = std::numeric_limits<double>::infinity();
    std::vector<Index> support;
    for (Index a = 0; a < 6; ++a)
      for (Index b = 0; b < a; ++b)
        if (const double F = moments.minimum(columns_of(a, b)); F < best) {
          best = F;
          support = columns_of(a, b);
        }
    CHECK(found.info.status == Status::converged);
    CHECK(found.support == support);
    CHECK(std::abs(found.objective - best) < 1e-12);
    for (Index j = 0; j < 12; ++j) CHECK((found.coef[j] != 0) == (std::count(support.begin(), support.end(), j) == 1));
    const FitResult rows = fit(data.X, data.y, Squared{}, options);
    CHECK((rows.coef - found.coef).cwiseAbs().maxCoeff() < 1e-8);
  }
}

TEST_CASE("requirements_on_an_own_objective_are_kept", "[objective]") {
  const Data data = numbers(120, 20, 7);
  Options options = of(4);
  options.constraints.always_in = {13};
  options.constraints.never_in = {0, 1};
  Moments moments(data.X, data.y, options.constraints);
  const FitResult found = fit(moments, options);
  CHECK(std::count(found.support.begin(), found.support.end(), 13) == 1);
  CHECK(found.support.front() > 1);
  CHECK(found.support == fit(data.X, data.y, Squared{}, options).support);
}

TEST_CASE("bounds_of_an_own_objective_hold_coefficients", "[objective]") {
  // The second half of the columns is the first with a little noise, so that a coefficient at a bound needs a neighbour.
  for (const unsigned seed : {9u, 10u, 11u, 12u}) {
    Data data = numbers(120, 20, seed);
    data.X.rightCols(10) = data.X.leftCols(10) + 0.1 * data.X.rightCols(10);
    Options options = of(4);
    options.constraints.lower.setConstant(20, -0.2);
    options.constraints.upper.setConstant(20, 0.3);
    Moments moments(data.X, data.y, options.constraints);
    const FitResult found = fit(moments, options), rows = fit(data.X, data.y, Squared{}, options);
    CHECK(found.support == rows.support);
    CHECK(std::abs(found.objective - rows.objective) < 1e-10);
    CHECK((found.coef.array().abs() >= 0.2).count() >= 1);
  }
}

TEST_CASE("a_k_beyond_an_own_objectives_features_means_all", "[objective]") {
  const Data data = numbers(90, 5, 8);
  Moments moments(data.X, data.y, {});
  CHECK(fit(moments, of(99)).support.size() == 5);
  const auto path = fit_path(moments, {2, 5, 6, 99}, of(0));
  REQUIRE(path.size() == 4);
  for (const std::size_t i : {1u, 2u, 3u}) CHECK(path[i].coef == path[1].coef);
}

TEST_CASE("an_own_objective_can_be_stopped_and_can_throw", "[objective]") {
  const Data data = numbers(90, 12, 9);
  Moments moments(data.X, data.y, {});
  int polls = 0;
  const Run stopped{1, [&] { return ++polls > 4; }};
  CHECK(fit(moments, of(3), stopped).info.status == Status::interrupted);
  CHECK(polls == 5);
  const auto path = fit_path(moments, {1, 2}, of(3), stopped);
  CHECK(path.size() == 1);
  CHECK(path[0].info.status == Status::interrupted);
  moments.throws_at = moments.asked + 3;
  CHECK_THROWS_AS(fit(moments, of(3)), std::runtime_error);
  moments.throws_at = moments.asked + 7;
  CHECK_THROWS_AS(fit_path(moments, {1, 2, 3}, of(3)), std::runtime_error);
  moments.stops_at = moments.asked + 3;
  CHECK(fit(moments, of(3)).info.status == Status::interrupted);
  std::vector<Index> told;
  CHECK(fit_path(moments, {1, 2, 3, 50}, of(3), {1, {}, [&](Index done, Index) { told.push_back(done); }}).size() == 4);
  CHECK(told.front() == 0);
  CHECK(told.back() == 4);
}

TEST_CASE("bad_settings_of_an_own_objective_are_named", "[objective]") {
  const Data data = numbers(60, 6, 10);
  Moments moments(data.X, data.y, {});
  const auto message = [&](const Options& options) {
    const FitResult result = fit(moments, options);
    CHECK(result.info.status == Status::invalid_input);
    CHECK(moments.asked == 0);
    return result.info.message;
  };
  CHECK(message(of(-1)) == "k must be >= 0, got -1");
  CHECK(message(of(2, {0, 0, 1, 1, 2, 2})) == "groups makes 3 units of up to 2 columns, but the objective has 6 of up to 1");
  Options options = of(2);
  options.start = {6};
  CHECK(message(options) == "start names feature 6 but X has 6 columns");
  CHECK(fit_path(moments, {2, 2}, of(2))[0].info.message == "ks must be an increasing list of at least one number >= 0");
}
