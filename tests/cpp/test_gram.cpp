// Least squares from the Gram matrix: the same answers as from the rows, for a few passes over them.
#include <Eigen/Dense>
#include <ksparse/design/dense.hpp>
#include <ksparse/loss/squared.hpp>
#include <ksparse/run/fit.hpp>
#include <numeric>

#include "catch.hpp"
#include "close.hpp"
#include "data.hpp"
#include "scanned.hpp"

using namespace ksparse;

namespace {

/// X that counts how many of its entries are read.
class CountedDesign final : public Design {
 public:
  explicit CountedDesign(const Eigen::MatrixXd& X) : view_(X) {}
  mutable double entries = 0;

  Index rows() const noexcept override { return view_.rows(); }
  Index columns() const noexcept override { return view_.columns(); }
  bool columns_contiguous() const noexcept override { return true; }
  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    entries += double(rows);
    view_.gather(column, first, rows, target);
  }
  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    entries += double(columns.count * block.rows);
    view_.accumulate(columns, block, sums);
  }
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    entries += double(columns.count * block.rows);
    view_.accumulate_slopes(columns, block, sums);
  }
  const double* load_block(const Columns& columns, Index first, Index rows, double* scratch,
                           Index& stride) const noexcept override {
    entries += double(columns.count * rows);
    return view_.load_block(columns, first, rows, scratch, stride);
  }

 private:
  ColumnView view_;
};

Problem problem_of(const Eigen::VectorXd& y) {
  Problem problem;
  new (&problem.responses) Problem::Vector(y.data(), y.size());
  return problem;
}

}  // namespace

TEST_CASE("refits and scans agree with those over the rows") {
  const Index p = GENERATE(40, 600);
  const bool intercept = GENERATE(true, false), weighted = GENERATE(true, false);
  Data data = random_data(300, p, 0.8, 5);
  data.X.col(3).array() += 30;
  data.X.col(4) *= 1e-6;
  data.y += data.X.col(7) - data.X.col(4) * 1e6;
  Eigen::VectorXd weights(300), offset(300);
  for (Index i = 0; i < 300; ++i) {
    weights[i] = double(i % 4);
    offset[i] = 0.01 * double(i % 7);
  }
  Problem problem = problem_of(data.y);
  if (weighted) {
    new (&problem.weights) Problem::Vector(weights.data(), 300);
    new (&problem.offset) Problem::Vector(offset.data(), 300);
  }
  Options options;
  options.k = 6;
  options.fit_intercept = intercept;
  options.ridge = weighted ? 1e-3 : 0.0;
  const ColumnView design(data.X);
  const KernelOf<Squared> loss{Squared{}};
  const Interrupt never;
  GlmObjective rows(design, problem, loss, options, never), under(design, problem, loss, options, never);
  GramObjective gram(under, options);
  for (Objective* each : {static_cast<Objective*>(&rows), static_cast<Objective*>(&gram)}) {
    Iterate nothing(6);
    each->refit(nothing, {});
    Scanned first(p, intercept);
    each->scan(nothing, {0, p, nullptr}, Hessian::exact, first);  // which chooses the units
  }
  const std::vector<Index> some = {30, 2, 3, 9};
  for (const std::vector<Index>& support : {std::vector<Index>{7}, {3, 4, 11}, {38, 0, 12, 13, 4, 5}}) {
    Iterate a(6), b(6);
    for (const Index j : support) {
      a.append(j);
      b.append(j);
    }
    rows.refit(a, {});
    gram.refit(b, {});
    CHECK(close(a.objective, b.objective, 1e-12));
    CHECK(agree(a.coef, b.coef));
    CHECK(close(a.intercept, b.intercept, 1e-11, 1e-11));
    for (const Columns& columns : {Columns{0, p, nullptr}, Columns{0, 4, some.data()}, Columns{}}) {
      const Index d = a.size() + intercept;
      Scanned by_rows(columns.count, d), by_gram(columns.count, d);
      REQUIRE(rows.scan(a, columns, Hessian::exact, by_rows) == Status::converged);
      REQUIRE(gram.scan(b, columns, Hessian::exact, by_gram) == Status::converged);
      CHECK(agree(by_rows.inverse, by_gram.inverse));
      if (columns.count == 0) continue;
      CHECK(agree(by_rows.gradient, by_gram.gradient));
      CHECK(agree(by_rows.curvature, by_gram.curvature));
      CHECK(agree(by_rows.cross, by_gram.cross));
    }
  }
}

TEST_CASE("a path reads the rows for the products of columns and for its last refits, however long its searches") {
  const Index p = GENERATE(40, 150);
  Data data = random_data(800, p, 0.7, 8);
  const CountedDesign design(data.X);
  std::vector<Index> ks(13);
  std::iota(ks.begin(), ks.end(), Index(0));
  Options options;
  options.search = Effort::thorough;
  options.max_rounds = 100;
  const auto path = fit_path(design, problem_of(data.y), KernelOf<Squared>(Squared{}), ks, options);
  REQUIRE(path.back().info.status == Status::converged);
  CHECK(path.front().info.refits > 1500);
  // One scan for the units, once for the products; and each of the last refits gathers its columns.
  CHECK(design.entries <= 800.0 * (2.0 * double(p) + 13 * 12));
}

TEST_CASE("what normal equations cannot tell is asked of the rows") {
  Data data = random_data(200, 30, 0.5, 3);
  const Index twin = 29, near = 28;
  data.X.col(twin) = data.X.col(1);
  data.X.col(near) = data.X.col(2) + 1e-7 * data.X.col(5);
  data.y = data.X.col(1) + data.X.col(2) - 1e-3 * data.X.col(5);
  const ColumnView design(data.X);
  std::vector<Index> ks = {1, 2, 3, 4};
  const auto path = fit_path(design, problem_of(data.y), KernelOf<Squared>(Squared{}), ks, Options{});
  CHECK(path[2].objective <= 1e-20);  // a perfect fit, however little of it the third feature brings
  CHECK(path[1].objective > 1e-8);
}
