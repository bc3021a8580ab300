// Sums over rows may be divided into ranges: no answer depends on how many these are, but for the rounding of sums.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <ksparse/ksparse.hpp>
#include <ksparse/util/workers.hpp>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "close.hpp"
#include "data.hpp"

using namespace ksparse;

namespace {

// One search of a problem whose sums over rows are divided, as if it were one of so many.
FitResult fit_in_ranges(const Design& design, const Problem& problem, const AnyLoss& loss, Options options, Index searches,
                        Index ranges) {
  const Interrupt never;
  options.limit_k(design.columns());
  GlmObjective objective(design, problem, *loss, options, never, RowRanges(ranges));
  const auto by_gram = GramObjective::if_worthwhile(objective, design, *loss, options, searches);
  Objective& answering = by_gram ? *by_gram : objective;
  Search search(answering, options);
  drive(search, answering);
  FitResult result;
  objective.to_user(search.engine().current(), result);
  result.info = search.info();
  return result;
}

void check_ranges(const Design& design, const Problem& problem, const AnyLoss& loss, const Options& options,
                  Index searches = 1) {
  const FitResult whole = fit_in_ranges(design, problem, loss, options, searches, 1);
  if (searches == 1)
    CHECK(fit_in_ranges(design, problem, loss, options, 1, 0).objective == fit(design, problem, loss, options).objective);
  CHECK(!whole.support.empty());
  for (const Index ranges : {0, 2, 3, 7}) {  // 0: as many as suit the rows
    CAPTURE(ranges);
    const FitResult divided = fit_in_ranges(design, problem, loss, options, searches, ranges);
    CHECK(divided.info.status == whole.info.status);
    CHECK(divided.support == whole.support);
    CHECK(close(divided.objective, whole.objective, 1e-12));
    // The same again, to the bit.
    CHECK(fit_in_ranges(design, problem, loss, options, searches, ranges).coef == divided.coef);
  }
}

Options with_k(Index k, double ridge = 0) {
  Options options;
  options.k = k;
  options.ridge = ridge;
  return options;
}

// Columns that share a few factors, as in cases.py.
Data factor_data(Index n, Index p, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const auto draw = [&](Index rows, Index columns) {
    return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return normal(generator); }).eval();
  };
  Data data{draw(n, 5) * draw(5, p) + 0.5 * draw(n, p), Eigen::VectorXd(n)};
  for (Index i = 0; i < n; ++i) {
    const double eta = 0.5 * (data.X(i, 1) - data.X(i, p / 2) + data.X(i, p - 1));
    data.y[i] = uniform(generator) < 1 / (1 + std::exp(-eta));
  }
  return data;
}

}  // namespace

TEST_CASE("ranges_cover_all_rows_in_order", "[ranges]") {
  for (const Index rows : {0, 1, 8, 30, 511, 512, 3001})
    for (const Index count : {1, 2, 3, 7, 40})
      for (const Index lead : {0, 5}) {
        Index next = 0;
        CAPTURE(rows, count, lead);
        CHECK(RowRanges(count).for_each(rows, lead, [&](Index r, RowRange range) {
          CHECK(range.first == next);
          CHECK(range.count >= 0);
          if (r > 0 && range.count > 0) CHECK((range.first - lead) % 8 == 0);
          next = range.end();
          return true;
        }));
        CHECK(next == rows);
      }
  Index asked = 0;
  CHECK(!RowRanges(5).for_each(100, 0, [&](Index r, RowRange) { return ++asked, r < 2; }));
  CHECK(asked == 3);
}

TEST_CASE("no_public_design_depends_on_the_number_of_ranges", "[ranges]") {
  const AnyLoss logistic = Logistic{};
  const AnyLoss focal = Focal{0.75, 2.0};
  for (const double rho : {0.0, 0.5, 0.9}) {
    CAPTURE(rho);
    const Data data = random_data(500, 300, rho, 21);
    check_ranges(ColumnView(data.X), data.y, logistic, with_k(6));
    check_ranges(ColumnView(data.X), data.y, focal, with_k(6));
  }
  const Data wide = random_data(200, 2000, 0.5, 22), tall = random_data(6001, 40, 0.5, 23), factors = factor_data(300, 200, 24);
  check_ranges(ColumnView(wide.X), wide.y, logistic, with_k(4));
  check_ranges(ColumnView(tall.X), tall.y, logistic, with_k(5));  // whose Hessians are sampled
  check_ranges(ColumnView(factors.X), factors.y, logistic, with_k(5));
  Options thorough = with_k(3, 1e-3);
  thorough.search = Effort::thorough;
  check_ranges(ColumnView(factors.X), factors.y, logistic, thorough);
  // Least squares, whose responses have a unit.
  const Eigen::VectorXd numbers = 1e4 * (tall.X.col(1) - tall.X.col(20) + 0.5 * tall.X.col(30)) + 3e4 * tall.y;
  check_ranges(ColumnView(tall.X), numbers, Squared{}, with_k(3));
  // The same from products of columns: of all pairs, and of those that are asked for.
  for (const Index p : {40, 600}) {
    const Data data = random_data(900, p, 0.5, 28);
    const Eigen::VectorXd y = data.X.col(1) - data.X.col(20) + data.y;
    check_ranges(ColumnView(data.X), y, Squared{}, with_k(4), 5);
  }
}

TEST_CASE("no_storage_or_constraint_depends_on_the_number_of_ranges", "[ranges]") {
  const AnyLoss logistic = Logistic{};
  Data data = random_data(1203, 60, 0.6, 25);
  data.X.col(4) *= 1e-200;  // careful columns too
  data.X.col(20).array() += 1e9;
  const RowView::Matrix by_rows = data.X;
  const ColumnView dense(data.X);
  const Problem plain(data.y);
  check_ranges(RowView(by_rows), plain, logistic, with_k(5));
  check_ranges(dense, plain, logistic, with_k(5));
  check_ranges(dense, plain, logistic, with_k(40));  // matrix products of columns kept side by side

  Eigen::VectorXd weights = Eigen::VectorXd::Ones(1203), offset = data.X.col(7);
  for (Index i = 0; i < 1203; i += 5) weights[i] = 0;
  const Problem weighted(data.y, weights, offset);
  check_ranges(dense, weighted, logistic, with_k(5, 1e-4));

  Options options = with_k(4, 1e-3);
  options.constraints.lower = Eigen::VectorXd::Constant(60, -0.2);
  options.constraints.upper = Eigen::VectorXd::Constant(60, 0.3);
  check_ranges(dense, plain, logistic, options);
  for (Index j = 0; j < 60; ++j) options.constraints.groups.push_back(j / 3);
  check_ranges(dense, plain, logistic, options);

  const Eigen::SparseMatrix<double> few =
      (data.X.array().abs() > 1.9 && data.X.array().abs() < 1e6).select(data.X.array(), 0.0).matrix().sparseView();
  const SparseRows<double, int>::Matrix few_by_rows = few;
  check_ranges(SparseColumns<double, int>(few), plain, logistic, with_k(5, 1e-4));
  check_ranges(SparseRows<double, int>(few_by_rows), plain, logistic, with_k(5, 1e-4));
  check_ranges(SparseColumns<double, int>(few), weighted, logistic, with_k(5, 1e-4));
}

TEST_CASE("a_workspace_serves_one_storage_after_the_other", "[ranges]") {
  // What is kept for scattered columns must not be used, at its old size, for others.
  const Data small = random_data(60, 600, 0.5, 26), large = random_data(2000, 600, 0.5, 27);
  const RowView::Matrix by_rows = small.X;
  const Eigen::SparseMatrix<double> entries = large.X.sparseView();
  Workspace workspace;
  for (int round = 0; round < 2; ++round) {
    const auto check = [&](const Design& design, const Eigen::VectorXd& y) {
      const FitResult alone = fit(design, y, Logistic{}, with_k(4, 1e-3));
      const FitResult& served = workspace.fit(design, y, Logistic{}, with_k(4, 1e-3));
      CHECK(served.support == alone.support);
      CHECK(served.coef == alone.coef);
    };
    check(RowView(by_rows), small.y);
    check(ColumnView(large.X), large.y);
    check(SparseColumns<double, int>(entries), large.y);
    check(ColumnView(small.X), small.y);
  }
}

TEST_CASE("no_answer_depends_on_the_number_of_threads", "[ranges]") {
  const Data tall = random_data(140000, 12, 0.5, 31), wide = random_data(300, 3000, 0.5, 32);
  const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> by_rows = tall.X;
  Options grouped = with_k(3);
  for (Index j = 0; j < 12; ++j) grouped.constraints.groups.push_back(j / 3);
  const auto check = [](const AnyDesign& X, const Eigen::VectorXd& y, const AnyLoss& loss, const Options& options) {
    const FitResult alone = fit(X, y, loss, options);
    CHECK(!alone.support.empty());
    for (const int threads : {2, 5}) {
      CAPTURE(threads);
      const FitResult together = fit(X, y, loss, options, {threads});
      CHECK(together.coef == alone.coef);
      CHECK(together.intercept == alone.intercept);
      CHECK(together.objective == alone.objective);
      CHECK(together.info.newton_iterations == alone.info.newton_iterations);
    }
    const std::vector<FitResult> path = fit_path(X, y, loss, {1, 3}, options),
                                 path_together = fit_path(X, y, loss, {1, 3}, options, {3});
    for (std::size_t i = 0; i < path.size(); ++i) CHECK(path_together[i].coef == path[i].coef);
  };
  check(tall.X, tall.y, Logistic{}, with_k(5));
  check(tall.X, tall.y, Focal{0.5, 2.0}, with_k(5, 1e-3));
  check(by_rows, tall.y, Logistic{}, with_k(5));
  check(tall.X, tall.y, Logistic{}, grouped);
  check(wide.X, wide.y, Logistic{}, with_k(5));
}

// As small as a divided fit can be, for sanitizers, under which the case above takes minutes.
TEST_CASE("a_small_fit_is_divided_among_threads", "[ranges]") {
  const Data data = random_data(132000, 4, 0.5, 33);
  Options options = with_k(2, 1e-3);
  options.search = Effort::fast;
  for (const AnyLoss& loss : {AnyLoss(Logistic{}), AnyLoss(Focal{0.5, 2.0})}) {
    const FitResult alone = fit(data.X, data.y, loss, options), together = fit(data.X, data.y, loss, options, {2});
    CHECK(alone.support.size() == 2);
    CHECK(together.coef == alone.coef);
    CHECK(together.objective == alone.objective);
  }
}

TEST_CASE("an interrupt stops all threads, and is asked on the calling one alone", "[ranges]") {
  const Data data = random_data(140000, 12, 0.5, 33);
  const std::thread::id here = std::this_thread::get_id();
  int asked = 0;
  const Interrupt stop = [&] {
    CHECK(std::this_thread::get_id() == here);
    return ++asked > 20;
  };
  CHECK(fit(data.X, data.y, Logistic{}, with_k(10), {3, stop}).info.status == Status::interrupted);
}

TEST_CASE("workers do every task once, and pass on the first exception", "[ranges]") {
  for (const int threads : {1, 2, 4}) {
    CAPTURE(threads);
    Workers workers(threads);
    for (const Index count : {0, 1, 2, 100}) {
      std::vector<std::atomic<int>> done(100);
      workers.run(count, [&](Index i) { ++done[std::size_t(i)]; });
      for (Index i = 0; i < 100; ++i) CHECK(done[std::size_t(i)] == (i < count));
    }
    CHECK_THROWS_AS(workers.run(50,
                                [](Index i) {
                                  if (i == 7) throw std::bad_alloc();
                                }),
                    std::bad_alloc);
    std::atomic<Index> sum{0};
    workers.run(10, [&](Index i) { sum += i; });  // and go on afterwards
    CHECK(sum == 45);
  }
}
