// Batches: each problem answered as it would be alone.
#include <ksparse/ksparse.hpp>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "data.hpp"

using namespace ksparse;

namespace {

// Outcomes that differ: labels of other designs' rows would do as well, but these share X.
std::vector<Eigen::VectorXd> outcomes(const Data& data, Index count) {
  std::mt19937_64 generator(5);
  std::uniform_real_distribution<double> uniform;
  std::vector<Eigen::VectorXd> labels;
  for (Index o = 0; o < count; ++o) {
    Eigen::VectorXd y(data.X.rows());
    for (Index i = 0; i < y.size(); ++i) {
      const double eta = data.X(i, (7 * o) % data.X.cols()) - data.X(i, (11 * o + 3) % data.X.cols());
      y[i] = uniform(generator) < 1 / (1 + std::exp(-1.5 * eta));
    }
    labels.push_back(y);
  }
  return labels;
}

template <class Loss>
void check_same_as_single(const Data& data, const Loss& loss, const Options& options, bool weighted = false,
                          const std::vector<Index>& widths = {0, 1, 16}) {
  const ColumnView design(data.X);
  const auto labels = outcomes(data, 9);
  const ProblemSource source = [&](Index number, BatchProblem& problem) {
    problem.responses = labels[std::size_t(number)];
    problem.loss = loss;
    problem.options = options;
    problem.options.k = std::max<Index>(options.k - number % 2, 0);
    if (weighted) {
      problem.weights = Eigen::VectorXd::Ones(data.X.rows());
      for (Index i = number; i < data.X.rows(); i += 7) problem.weights[i] = double(i % 3);
    }
  };
  std::vector<FitResult> alone;
  for (Index number = 0; number < 9; ++number) {
    BatchProblem problem;
    source(number, problem);
    alone.push_back(fit(design, problem.rows(), loss, problem.options));
  }
  for (const int threads : {1, 3})
    for (const Index width : widths) {
      const auto together = fit_many(design, 9, source, {threads}, width);
      REQUIRE(together.size() == 9);
      for (std::size_t i = 0; i < 9; ++i) {
        CHECK(together[i].support == alone[i].support);
        CHECK(together[i].info.status == alone[i].info.status);
        CHECK(std::abs(together[i].objective - alone[i].objective) <= 1e-12 * alone[i].objective);
      }
    }
}

Options with_budget(Index k, double ridge = 0) {
  Options options;
  options.k = k;
  options.ridge = ridge;
  return options;
}

}  // namespace

TEST_CASE("batch_equals_single", "[batch]") {
  const Data wide = random_data(150, 400, 0.6, 1), narrow = random_data(120, 12, 0.5, 2);
  SECTION("many features") { check_same_as_single(wide, Logistic{}, with_budget(4, 1e-2)); }
  SECTION("few features") { check_same_as_single(narrow, Logistic{}, with_budget(3)); }
  SECTION("focal") { check_same_as_single(wide, Focal{0.3, 2.0}, with_budget(3, 1e-3)); }
  SECTION("weights") { check_same_as_single(wide, Logistic{}, with_budget(4, 1e-2), true); }
  SECTION("no intercept") {
    Options options = with_budget(4, 1e-2);
    options.fit_intercept = false;
    check_same_as_single(wide, Logistic{}, options);
  }
  SECTION("thorough search") {
    Options options = with_budget(3, 1e-2);
    options.search = Effort::thorough;
    options.max_rounds = 5;
    check_same_as_single(wide, Logistic{}, options);
  }
  SECTION("constraints") {
    Options options = with_budget(4, 1e-2);
    options.constraints.always_in = {17};
    options.constraints.never_in = {0, 7};
    options.constraints.lower = Eigen::VectorXd::Zero(400);
    check_same_as_single(wide, Logistic{}, options);
  }
  SECTION("groups") {
    Options options = with_budget(2, 1e-2);
    for (Index j = 0; j < 12; ++j) options.constraints.groups.push_back(j / 2);
    check_same_as_single(narrow, Logistic{}, options);
  }
}

TEST_CASE("sampled_scans_are_shared_between_budgets", "[batch]") {
  // Enough rows and features for sampled scans; the two budgets need samples of their own.
  const Data data = random_data(1100, 400, 0.4, 3);
  Options options = with_budget(33);
  options.search = Effort::fast;
  check_same_as_single(data, Logistic{}, options, false, {4});
}

TEST_CASE("row_major_batch_equals_single", "[batch]") {
  const Data data = random_data(700, 150, 0.5, 4);
  const RowView::Matrix rows = data.X;
  const ProblemSource source = [&](Index number, BatchProblem& problem) {
    problem.loss = Logistic{};
    problem.responses = outcomes(data, 5)[std::size_t(number)];
    problem.options = with_budget(5);
  };
  const auto by_columns = fit_many(ColumnView(data.X), 5, source), by_rows = fit_many(RowView(rows), 5, source);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(by_rows[i].support == by_columns[i].support);
    CHECK(std::abs(by_rows[i].objective - by_columns[i].objective) <= 1e-11 * by_columns[i].objective);
  }
}

TEST_CASE("a_bad_problem_fails_alone", "[batch]") {
  const Data data = random_data(100, 200, 0.5, 6);
  const ColumnView design(data.X);
  const auto labels = outcomes(data, 6);
  const ProblemSource source = [&](Index number, BatchProblem& problem) {
    problem.loss = Logistic{};
    problem.responses = labels[std::size_t(number)];
    problem.options = with_budget(3, 1e-2);
    if (number == 1) problem.responses.setOnes();
    if (number == 2) problem.responses[5] = std::numeric_limits<double>::quiet_NaN();
    if (number == 3) problem.loss = AnyLoss();
    if (number == 4) problem.options.k = -1;
  };
  const auto fits = fit_many(design, 6, source, {2});
  REQUIRE(fits.size() == 6);
  CHECK(fits[1].info.message == "y has no row of class 0 with a positive weight; both classes are needed");
  CHECK(fits[2].info.message == "y[5] is nan; labels must be 0 or 1");
  CHECK(fits[4].info.message == "k must be >= 0, got -1");
  CHECK(fits[3].info.message == "the problem has no loss");
  for (const std::size_t good : {0, 5}) CHECK(fits[good].info.status == Status::converged);
  for (const std::size_t bad : {1, 2, 3, 4}) CHECK(fits[bad].info.status == Status::invalid_input);
}

TEST_CASE("an_entry_that_is_not_finite_fails_every_problem", "[batch]") {
  Data data = random_data(100, 200, 0.5, 6);
  const auto labels = outcomes(data, 3);
  data.X(17, 130) = std::numeric_limits<double>::infinity();
  const ProblemSource source = [&](Index number, BatchProblem& problem) {
    problem.loss = Logistic{};
    problem.responses = labels[std::size_t(number)];
    problem.options = with_budget(3, 1e-2);
  };
  for (const CompactFit& fit : fit_many(ColumnView(data.X), 3, source)) {
    CHECK(fit.info.status == Status::invalid_input);
    CHECK(fit.info.bad_row == 17);
    CHECK(fit.info.bad_column == 130);
  }
}

TEST_CASE("an_interrupted_batch_keeps_the_answers_that_it_has", "[batch]") {
  const Data data = random_data(100, 200, 0.5, 6);
  const ProblemSource source = [&](Index, BatchProblem& problem) {
    problem.loss = Logistic{};
    problem.responses = data.y;
  };
  const auto all = fit_many(ColumnView(data.X), 50, source);
  for (const int threads : {1, 2}) {
    for (const CompactFit& fit : fit_many(ColumnView(data.X), 50, source, {threads, [] { return true; }}))
      CHECK(fit.info.status == Status::interrupted);
    bool stop = false;  // once some are done, which the calling thread is told
    const Run run{threads, [&] { return stop; }, [&](Index done, Index) { stop = done >= 4; }};
    const auto some = fit_many(ColumnView(data.X), 50, source, run, 4);
    REQUIRE(some.size() == 50);
    Index answered = 0;
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (some[i].info.status == Status::interrupted) continue;
      ++answered;
      CHECK(some[i].objective == all[i].objective);
    }
    CHECK(answered > 0);
    CHECK(answered < 50);
  }
  CHECK(fit_many(ColumnView(data.X), 0, source).empty());
}
