// A whole fit: against enumeration with an independent solver, in both orders of X, on hard cases by name, and bad input.
#include <algorithm>
#include <cstdint>
#include <ksparse/ksparse.hpp>
#include <limits>
#include <stdexcept>

#include "catch.hpp"
#include "close.hpp"
#include "data.hpp"

using namespace ksparse;

namespace {

Options with_k(Index k, double ridge = 0) {
  Options options;
  options.k = k;
  options.ridge = ridge;
  return options;
}

bool all_finite(const FitResult& result) {
  return result.coef.allFinite() && std::isfinite(result.intercept) && std::isfinite(result.objective);
}

}  // namespace

TEST_CASE("between_enumeration_and_single_swaps", "[fit]") {
  for (unsigned seed = 0; seed < 6; ++seed)
    for (const double gamma : {-1.0, 2.0}) {
      const Data data = random_data(80, 7, 0.15 * seed, seed);
      const Options options = with_k(2, 1e-3);
      const ColumnView design(data.X);
      const FitResult got =
          gamma < 0 ? fit(design, data.y, Logistic{}, options) : fit(design, data.y, Focal{0.4, gamma}, options);
      REQUIRE(got.info.status == Status::converged);
      const auto reference = [&](const std::vector<Index>& s) { return reference_objective(data, s, true, 1e-3, 0.4, gamma); };
      CHECK(close(got.objective, reference(got.support), 1e-10));
      double best = std::numeric_limits<double>::infinity();
      for (Index i = 0; i < 7; ++i)
        for (Index j = i + 1; j < 7; ++j) best = std::min(best, reference({i, j}));
      CHECK(got.objective <= best * (1 + 1e-8));
    }
}

TEST_CASE("both_orders_of_X_give_the_same_fit", "[fit]") {
  const Data data = random_data(150, 200, 0.6, 5);
  const RowView::Matrix by_rows = data.X;
  const FitResult a = fit(ColumnView(data.X), data.y, Logistic{}, with_k(6)),
                  b = fit(RowView(by_rows), data.y, Logistic{}, with_k(6));
  CHECK(a.support == b.support);
  CHECK(close(a.objective, b.objective, 1e-12));
  CHECK((a.coef - b.coef).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("scaling_and_shifting_columns_changes_only_the_coefficients", "[fit]") {
  const Data data = random_data(120, 30, 0.5, 8);
  const FitResult plain = fit(ColumnView(data.X), data.y, Logistic{}, with_k(4));
  for (const double scale : {1e-150, 1e-3, 1e8, 1e150})
    for (const double shift : {0.0, 1e3, 1e7}) {
      Eigen::MatrixXd X = data.X;
      for (Index j = 0; j < X.cols(); j += 2) X.col(j) = (X.col(j).array() + shift) * scale;
      const FitResult scaled = fit(ColumnView(X), data.y, Logistic{}, with_k(4));
      CAPTURE(scale, shift);
      CHECK(scaled.info.status == Status::converged);
      CHECK(scaled.support == plain.support);
      CHECK(close(scaled.objective, plain.objective, 1e-9));
    }
}

TEST_CASE("separable_data_end_bounded_and_said", "[fit]") {
  Data data = random_data(60, 5, 0, 2);
  for (Index i = 0; i < 60; ++i) data.y[i] = data.X(i, 3) > 0.1;
  const FitResult free = fit(ColumnView(data.X), data.y, Logistic{}, with_k(2));
  CHECK(free.info.status == Status::separable);
  CHECK(all_finite(free));
  CHECK(free.objective < 1e-6);
  const FitResult focal = fit(ColumnView(data.X), data.y, Focal{0.5, 2}, with_k(2));
  CHECK(focal.info.status == Status::separable);
  CHECK(all_finite(focal));
  const FitResult ridged = fit(ColumnView(data.X), data.y, Logistic{}, with_k(2, 1e-3));
  CHECK(ridged.info.status == Status::converged);
}

TEST_CASE("partly_separable_data_are_said_to_be_so", "[fit]") {
  // A rare indicator that occurs in one class only: its coefficient has no finite optimum, the others have.
  Data data = random_data(200, 3, 0, 4);
  data.X.col(2).setZero();
  for (Index i = 0, found = 0; i < 200 && found < 12; ++i)
    if (data.y[i] > 0) data.X(i, 2) = 1, ++found;
  const FitResult result = fit(ColumnView(data.X), data.y, Logistic{}, with_k(3));
  CHECK(result.info.status == Status::separable);
  CHECK(all_finite(result));
  CHECK(fit(ColumnView(data.X), data.y, Logistic{}, with_k(3, 1e-4)).info.status == Status::converged);
}

TEST_CASE("constant_and_duplicate_columns_do_not_enter_twice", "[fit]") {
  Data data = random_data(100, 8, 0.3, 6);
  data.X.col(1).setConstant(7.0);
  data.X.col(5) = data.X.col(0);
  data.X.col(6) = -3.0 * data.X.col(0);
  const FitResult result = fit(ColumnView(data.X), data.y, Logistic{}, with_k(8));
  CHECK(result.info.status == Status::converged);
  CHECK(result.support.size() == 5);
  CHECK(std::count(result.support.begin(), result.support.end(), 1) == 0);
}

TEST_CASE("more_features_than_rows_and_full_supports_end_properly", "[fit]") {
  const Data wide = random_data(20, 200, 0.2, 7);
  CHECK(all_finite(fit(ColumnView(wide.X), wide.y, Logistic{}, with_k(15))));
  CHECK(fit(ColumnView(wide.X), wide.y, Logistic{}, with_k(40, 0.1)).info.status == Status::converged);
  const Data tall = random_data(300, 6, 0.2, 7);
  const FitResult full = fit(ColumnView(tall.X), tall.y, Logistic{}, with_k(6));
  CHECK(full.info.status == Status::converged);
  CHECK(full.support.size() == 6);
  CHECK(close(full.objective, reference_objective(tall, {0, 1, 2, 3, 4, 5}, true, 0, 0.5, -1), 1e-11));
}

TEST_CASE("integer_weights_equal_repeated_rows_and_zero_weights_removed_ones", "[fit]") {
  const Data data = random_data(90, 12, 0.4, 9);
  Eigen::VectorXd weights(90);
  for (Index i = 0; i < 90; ++i) weights[i] = double(i % 3);
  std::vector<Index> rows;
  for (Index i = 0; i < 90; ++i)
    for (Index copy = 0; copy < i % 3; ++copy) rows.push_back(i);
  const Eigen::MatrixXd X = data.X(rows, Eigen::all);
  const Eigen::VectorXd y = data.y(rows);
  for (const double ridge : {0.0, 0.01}) {
    const Problem weighted{{data.y.data(), 90}, {weights.data(), 90}};
    const FitResult a = fit(ColumnView(data.X), weighted, Logistic{}, with_k(3, ridge));
    const FitResult b = fit(ColumnView(X), y, Logistic{}, with_k(3, ridge));
    CHECK(a.support == b.support);
    CHECK(close(a.objective, b.objective, 1e-11));
  }
}

TEST_CASE("an_offset_that_holds_the_truth_leaves_little_to_find", "[fit]") {
  const Data data = random_data(400, 10, 0, 10);
  const FitResult plain = fit(ColumnView(data.X), data.y, Logistic{}, with_k(4));
  const Eigen::VectorXd offset = (data.X * plain.coef).array() + plain.intercept;
  const Problem problem{{data.y.data(), 400}, {nullptr, 0}, {offset.data(), 400}};
  const FitResult rest = fit(ColumnView(data.X), problem, Logistic{}, with_k(0));
  CHECK(close(rest.objective, plain.objective, 1e-9));
  CHECK(std::abs(rest.intercept) < 1e-6);
}

TEST_CASE("bad_input_is_refused_by_status_and_named", "[fit]") {
  Data data = random_data(30, 4, 0, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const auto message = [&](const Options& options) {
    return fit(ColumnView(data.X), data.y, Logistic{}, options).info.message;
  };
  CHECK(message(with_k(-1)).find("k must be") == 0);
  CHECK(message(with_k(2, -1)).find("ridge") == 0);
  CHECK(message(with_k(2, nan)).find("ridge") == 0);
  for (const double bad : {nan, inf, -inf}) {
    Data broken = data;
    broken.X(17, 2) = bad;
    const RowView::Matrix by_rows = broken.X;
    for (const FitResult& result :
         {fit(ColumnView(broken.X), data.y, Logistic{}, with_k(2)), fit(RowView(by_rows), data.y, Logistic{}, with_k(0))}) {
      CHECK(result.info.status == Status::invalid_input);
      CHECK(result.info.bad_row == 17);
      CHECK(result.info.bad_column == 2);
    }
  }
  data.y[3] = 2;
  CHECK(message(with_k(2)).find("y[3]") == 0);
  data.y.setOnes();
  CHECK(message(with_k(2)).find("y has no row of class 0") == 0);
}

TEST_CASE("an_interrupt_ends_the_fit_with_its_status", "[fit]") {
  const Data data = random_data(300, 50, 0.5, 3);
  int polls = 0;
  const FitResult result = fit(ColumnView(data.X), data.y, Logistic{}, with_k(10), {1, [&] { return ++polls > 20; }});
  CHECK(result.info.status == Status::interrupted);
  CHECK(all_finite(result));
}

TEST_CASE("the_objective_never_rises_with_more_features", "[fit]") {
  const Data data = random_data(200, 40, 0.7, 11);
  double previous = std::numeric_limits<double>::infinity();
  for (Index k = 0; k <= 8; ++k) {
    const FitResult result = fit(ColumnView(data.X), data.y, Focal{0.25, 2}, with_k(k));
    CHECK(result.objective <= previous * (1 + 1e-9));
    previous = result.objective;
  }
}

TEST_CASE("a_path_holds_fits_that_are_no_worse_than_single_ones", "[fit]") {
  const Data data = random_data(120, 30, 0.8, 5);
  Options options;
  options.search = Effort::fast;
  options.ridge = 1e-3;
  const std::vector<Index> ks = {0, 1, 2, 4, 7};
  const ColumnView design(data.X);
  const auto path = fit_path(design, Problem{Problem::Vector(data.y.data(), data.y.size())}, Logistic{}, ks, options);
  REQUIRE(path.size() == ks.size());
  for (std::size_t i = 0; i < ks.size(); ++i) {
    options.k = ks[i];
    const FitResult single = fit(design, data.y, Logistic{}, options);
    CHECK(path[i].info.status == Status::converged);
    CHECK(Index(path[i].support.size()) <= ks[i]);
    CHECK(path[i].objective <= single.objective * (1 + 1e-9));
    if (i > 0) CHECK(path[i].objective <= path[i - 1].objective);
  }
}

TEST_CASE("a_k_beyond_the_units_is_all_of_them", "[fit]") {
  const Data data = random_data(200, 6, 0.5, 3);
  const ColumnView design(data.X);
  const Problem problem{Problem::Vector(data.y.data(), data.y.size())};
  const Index huge = std::numeric_limits<Index>::max();
  for (const bool grouped : {false, true}) {
    Options options;
    options.ridge = 1e-2;
    if (grouped) options.constraints.groups = {0, 0, 1, 1, 2, 2};
    const Index units = grouped ? 3 : 6;
    options.k = units;
    const FitResult all = fit(design, data.y, Logistic{}, options);
    REQUIRE(all.support.size() == 6);
    for (const Index k : {units + 1, Index(1000), huge}) {
      options.k = k;
      for (const int walks : {1, 3}) {
        options.walks = walks;
        const FitResult result = fit(design, data.y, Logistic{}, options);
        CHECK(result.info.status == Status::converged);
        CHECK(result.coef == all.coef);
      }
      Workspace workspace;
      CHECK(workspace.fit(design, data.y, Logistic{}, options).coef == all.coef);
      const std::vector<Index> ks = {1, units, units + 1, k + (k < huge)};
      const auto path = fit_path(design, problem, Logistic{}, {ks.begin(), ks.end() - (k == huge)}, options);
      REQUIRE(path.size() == ks.size() - (k == huge));
      for (std::size_t i = 1; i < path.size(); ++i) CHECK(close(path[i].objective, all.objective, 1e-12));
      const ProblemSource source = [&](Index, BatchProblem& one) {
        one.loss = Logistic{};
        one.responses = data.y;
        one.options = options;
        one.options.walks = 1;
      };
      CHECK(fit_many(design, 1, source)[0].objective == all.objective);
    }
  }
}

TEST_CASE("a_path_refuses_budgets_in_disorder", "[fit]") {
  const Data data = random_data(40, 5, 0.0, 6);
  for (const std::vector<Index>& ks : {std::vector<Index>{}, {2, 1}, {1, 1}, {-1}, {7, 6}}) {
    const auto refused = fit_path(ColumnView(data.X), Problem{Problem::Vector(data.y.data(), data.y.size())}, Logistic{}, ks);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].info.status == Status::invalid_input);
    CHECK(!refused[0].info.message.empty());
  }
}

TEST_CASE("a_sampled_scan_keeps_the_gradient_and_estimates_the_curvature", "[fit]") {
  struct Collect final : ScanSink {
    Eigen::ArrayXd gradient, curvature;
    Eigen::MatrixXd cross, inverse;
    void begin_scan(const ScanPoint& point) override { inverse = point.inverse; }
    void take_panel(const ScanPanel& panel) override {
      gradient = panel.gradient;
      curvature = panel.curvature;
      cross = panel.cross;
    }
  };
  Data data = random_data(3001, 12, 0.5, 9);
  data.X.col(4) *= 1e-200;  // careful columns too
  data.X.col(5).array() += 1e9;
  const Interrupt none;
  const Problem problem{Problem::Vector(data.y.data(), data.y.size())};
  const RowView::Matrix rows = data.X;
  const Options options = with_k(3, 1e-3);
  const KernelOf<Logistic> loss{Logistic{}};
  const auto check = [&](const Design& design) {
    GlmObjective objective(design, problem, loss, options, none);
    REQUIRE(objective.can_sample());
    Iterate at(3);
    Collect exact, sampled;
    REQUIRE(objective.refit(at, {}).status == Status::converged);
    REQUIRE(objective.scan(at, {0, 12, nullptr}, Hessian::exact, exact) == Status::converged);  // chooses the units
    at.support = {1, 7};
    REQUIRE(objective.refit(at, {}).status == Status::converged);
    REQUIRE(objective.scan(at, {0, 12, nullptr}, Hessian::exact, exact) == Status::converged);
    REQUIRE(objective.scan(at, {0, 12, nullptr}, Hessian::sampled, sampled) == Status::converged);
    CHECK((exact.gradient - sampled.gradient).abs().maxCoeff() < 1e-12);
    CHECK((exact.curvature - sampled.curvature).abs().maxCoeff() > 0);  // it is a sample
    for (Index j = 0; j < 12; ++j) CHECK(close(sampled.curvature[j], exact.curvature[j], 0.25));
    CHECK((exact.cross - sampled.cross).cwiseAbs().maxCoeff() < 0.25 * exact.curvature.maxCoeff());
    CHECK((exact.inverse - sampled.inverse).norm() < 0.25 * exact.inverse.norm());
  };
  check(ColumnView(data.X));
  check(RowView(rows));
}

TEST_CASE("constraints_hold_and_what_cannot_be_is_named", "[fit]") {
  const Data data = random_data(150, 9, 0.6, 11);
  const ColumnView design(data.X);
  Options options = with_k(4, 1e-3);
  options.constraints.always_in = {2};
  options.constraints.never_in = {5};
  options.constraints.lower = Eigen::VectorXd::Constant(9, -0.1);
  options.constraints.upper = Eigen::VectorXd::Constant(9, 0.2);
  const FitResult result = fit(design, data.y, Focal{0.5, 2.0}, options);
  REQUIRE(result.info.status == Status::converged);
  CHECK(result.coef[5] == 0);
  CHECK(result.coef.minCoeff() >= -0.1);
  CHECK(result.coef.maxCoeff() <= 0.2);

  const auto refusal = [&](const Constraints& constraints) {
    options.constraints = constraints;
    const FitResult refused = fit(design, data.y, Logistic{}, options);
    CHECK(refused.info.status == Status::invalid_input);
    return refused.info.message;
  };
  Constraints wrong;
  wrong.always_in = {0, 1, 2, 3, 4};
  CHECK(refusal(wrong) == "always_in names 5 features but k is 4");
  wrong.always_in = {9};
  CHECK(refusal(wrong) == "always_in names feature 9 but X has 9 columns");
  wrong.always_in = {1};
  wrong.never_in = {1};
  CHECK(refusal(wrong) == "feature 1 is both in always_in and in never_in");
  wrong = Constraints();
  wrong.lower = Eigen::VectorXd::Ones(9);
  CHECK(refusal(wrong).find("bounds of feature 0 must hold 0") == 0);
  CHECK(refusal(wrong).find("name it in always_in") != std::string::npos);
  wrong.lower = Eigen::VectorXd::Zero(3);
  CHECK(refusal(wrong) == "lower has 3 entries, not one per column");
}

TEST_CASE("groups_are_all_or_nothing_and_the_best_of_all", "[fit]") {
  const Data data = random_data(120, 9, 0.6, 12);
  const std::vector<Index> groups = {0, 1, 1, 2, 2, 2, 3, 0, 3};
  Options options = with_k(2, 1e-2);
  options.constraints.groups = groups;
  options.search = Effort::thorough;
  const FitResult result = fit(ColumnView(data.X), data.y, Logistic{}, options);
  REQUIRE(result.info.status == Status::converged);
  double best = std::numeric_limits<double>::infinity();
  for (Index a = 0; a < 4; ++a)
    for (Index b = a + 1; b < 4; ++b) {
      std::vector<Index> support;
      for (Index j = 0; j < 9; ++j)
        if (groups[std::size_t(j)] == a || groups[std::size_t(j)] == b) support.push_back(j);
      best = std::min(best, reference_objective(data, support, true, 1e-2, 0.5, -1.0));
    }
  CHECK(close(result.objective, best, 1e-9));
  const RowView::Matrix rows = data.X;
  CHECK(close(fit(RowView(rows), data.y, Logistic{}, options).objective, best, 1e-9));

  options.constraints.groups = {0, 0, 2};
  CHECK(fit(ColumnView(data.X), data.y, Logistic{}, options).info.message == "groups has 3 entries but X has 9 columns");
  options.constraints.groups = {0, 0, 0, 0, 0, 0, 0, 0, 2};
  CHECK(fit(ColumnView(data.X), data.y, Logistic{}, options).info.message == "groups has no member of group 1");
}

TEST_CASE("tasks_over_threads_are_the_same_as_one_by_one", "[fit]") {
  const Data data = random_data(200, 20, 0.5, 13);
  const ColumnView design(data.X);
  const Problem problem{Problem::Vector(data.y.data(), data.y.size())};
  Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> counts(4, 200);
  for (Index i = 0; i < 200; ++i)
    for (Index fold = 0; fold < 4; ++fold) counts(fold, i) = i % 4 != fold;
  std::vector<PathTask> tasks;
  for (Index fold = 0; fold < 4; ++fold)
    for (const double ridge : {1e-1, 1e-3}) {
      PathTask task{fold, Logistic{}, with_k(0, ridge), ridge < 1e-2};
      task.options.search = Effort::fast;
      tasks.push_back(task);
    }
  const Counts view(counts.data(), 4, 200);
  const auto one = fit_paths(design, problem, view, tasks, {1, 2, 4}, {1}),
             three = fit_paths(design, problem, view, tasks, {1, 2, 4}, {3});
  REQUIRE(one.size() == tasks.size());
  REQUIRE(three.size() == tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    REQUIRE(one[i].size() == 3);
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(one[i][k].support == three[i][k].support);
      CHECK(one[i][k].objective == three[i][k].objective);
    }
  }
  CHECK(fit_paths(design, problem, view, tasks, {1, 2, 4}, {3, [] { return true; }}).empty());
  CHECK_THROWS_AS(for_each_task(10, 3, {},
                                [](Index i, const Interrupt&) {
                                  if (i == 4) throw std::runtime_error("four");
                                }),
                  std::runtime_error);
}
