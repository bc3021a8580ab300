// Tables of two-valued columns: the same answers from distinct rows and cells as from all rows.
#include <Eigen/Dense>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ksparse/design/bytes.hpp>
#include <ksparse/design/dense.hpp>
#include <ksparse/design/gathered.hpp>
#include <ksparse/glm/contingency.hpp>
#include <ksparse/glm/glm_objective.hpp>
#include <ksparse/loss/focal.hpp>
#include <ksparse/loss/logistic.hpp>
#include <ksparse/loss/squared_hinge.hpp>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "close.hpp"
#include "scanned.hpp"

using namespace ksparse;

namespace {

struct Table {
  Eigen::MatrixXd X;
  Eigen::VectorXd y, weights;
};

/// Columns of two values of several scales, one of them constant, and labels of which some columns know something.
Table random_table(Index n, Index p, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  Table table{Eigen::MatrixXd(n, p), Eigen::VectorXd(n), Eigen::VectorXd(n)};
  for (Index j = 0; j < p; ++j) {
    const double share = 0.05 + 0.9 * uniform(random), scale = j % 5 == 3 ? 1e-6 : 1 + 3 * uniform(random);
    const double low = j % 5 == 4 ? 1e6 : -scale * uniform(random);
    for (Index i = 0; i < n; ++i) table.X(i, j) = low + scale * double(uniform(random) < share);
  }
  table.X.col(2).setConstant(3);
  for (Index i = 0; i < n; ++i) {
    const bool first = table.X(i, 0) > table.X.col(0).mean(), other = table.X(i, 1) > table.X.col(1).mean();
    table.y[i] = uniform(random) < 0.2 + 0.3 * first + 0.3 * other;
    table.weights[i] = double(i % 3);
  }
  return table;
}

std::shared_ptr<const LossKernel> loss_number(int number) {
  if (number == 0) return std::make_shared<KernelOf<Logistic>>(Logistic{});
  if (number == 1) return std::make_shared<KernelOf<Focal>>(Focal{0.3, 2.0});
  return std::make_shared<KernelOf<SquaredHinge>>(SquaredHinge{});
}

}  // namespace

TEST_CASE("distinct rows, cells and the contingency table are those that counting finds") {
  Table table = random_table(700, 13, 1);
  // Multiples of one number, and numbers that are not; in binary fractions, whose sums are exact.
  const bool multiples = GENERATE(true, false);
  for (Index i = 0; !multiples && i < 700; ++i) table.weights[i] = double(i % 3) * (1 + double(i % 7) / 64);
  const Eigen::VectorXd sign = 2 * table.y.array() - 1;
  const ColumnView design(table.X);
  const auto rows = TwoValuedRows::read(design, sign.data(), table.weights.data(), {});
  REQUIRE(rows);
  const auto row_of = [&](Index i) {
    std::vector<double> key{table.y[i]};
    for (Index j = 0; j < 13; ++j) key.push_back(table.X(i, j));
    return key;
  };
  std::map<std::vector<double>, double> counted, found;
  for (Index i = 0; i < 700; ++i)
    if (table.weights[i] > 0) counted[row_of(i)] += table.weights[i];
  for (Index i = 0; i < rows->count(); ++i) {
    std::vector<double> key{double(rows->is_positive(i))};
    for (Index j = 0; j < 13; ++j) {
      const bool high = rows->row(i)[j / 8] >> (j % 8) & 1;
      CHECK(high == (rows->column(j).first[i] == 1));
      key.push_back(high ? rows->high(j) : rows->low(j));
    }
    found[key] = rows->weight(i);
  }
  CHECK(found == counted);

  Cells cells(*rows, rows->count());
  Contingency contingency(*rows);
  const std::vector<Index> listed{11, 0, 2, 3, 5, 7, 8, 9, 12};
  // Supports that share columns with the one before, at the same place or at another, are longer, or are shorter.
  for (const std::vector<Index>& support : {std::vector<Index>{},
                                            {4},
                                            {0, 12, 5},
                                            {0, 4, 5},
                                            {4, 5},
                                            {5, 4},
                                            {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0},
                                            {1, 2, 3, 5},
                                            {1, 2, 3, 5, 6, 7, 8, 9, 10}}) {
    REQUIRE(cells.group(support));
    contingency.count(cells, {0, 13, nullptr});
    const Eigen::MatrixXd of_all = contingency.table();
    contingency.count(cells, {0, Index(listed.size()), listed.data()});
    for (std::size_t i = 0; i < listed.size(); ++i) CHECK(contingency.table().row(Index(i)) == of_all.row(listed[i]));
    std::map<std::vector<double>, std::pair<double, Eigen::VectorXd>> by_cell;
    for (Index i = 0; i < 700; ++i) {
      if (!(table.weights[i] > 0)) continue;
      std::vector<double> key{table.y[i]};
      for (const Index j : support) key.push_back(table.X(i, j));
      auto& [weight, of_high] = by_cell.try_emplace(key, 0.0, Eigen::VectorXd::Zero(13)).first->second;
      weight += table.weights[i];
      for (Index j = 0; j < 13; ++j)
        if (table.X(i, j) != rows->low(j)) of_high[j] += table.weights[i];
    }
    REQUIRE(cells.count() == Index(by_cell.size()));
    for (Index c = 0; c < cells.count(); ++c) {
      std::vector<double> key{(cells.sign()[c] + 1) / 2};
      for (std::size_t s = 0; s < support.size(); ++s)
        key.push_back(cells.is_high(c, Index(s)) ? rows->high(support[s]) : rows->low(support[s]));
      REQUIRE(by_cell.count(key) == 1);
      CHECK(cells.weight()[c] == by_cell[key].first);
      CHECK(of_all.col(c) == by_cell[key].second);
    }
    for (Index c = cells.count(); c < cells.padded(); ++c) CHECK(cells.weight()[c] == 0);
  }
  Cells few(*rows, 8);  // as many as two columns and two classes make
  CHECK(few.group({4, 5}));
  CHECK_FALSE(few.group({4, 5, 6, 7, 8}));
  CHECK(few.group({}));
}

TEST_CASE("counts of rows do not overflow, however often a row is repeated") {
  const Index n = 8;
  Eigen::MatrixXd X(n, 2);
  X << 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1;
  const Eigen::VectorXd sign = (Eigen::VectorXd(n) << 1, 1, 1, 1, -1, -1, -1, -1).finished();
  Eigen::VectorXd weights(n);
  weights << 1, 65535, 40000, 65534, 1, 65536, 3, 2;  // above 16 bits in one class
  const bool fits = GENERATE(true, false);
  if (fits) weights[5] = 60000;
  const auto rows = TwoValuedRows::read(ColumnView(X), sign.data(), weights.data(), {});
  REQUIRE(rows);
  Cells cells(*rows, n);
  Contingency contingency(*rows);
  REQUIRE(cells.group({}));
  contingency.count(cells, {0, 2, nullptr});
  for (Index c = 0; c < 2; ++c) {
    const Index first = cells.sign()[c] > 0 ? 0 : 4;
    CHECK(contingency.table()(0, c) == weights[first + 2] + weights[first + 3]);
    CHECK(contingency.table()(1, c) == weights[first + 1] + weights[first + 3]);
  }
}

TEST_CASE("a large X of bytes whose rows differ is read where it is, with the cells and counts of a stored table") {
  const Index n = 20000, p = 230;
  const bool by_rows = GENERATE(false, true), multiples = GENERATE(true, false);
  std::mt19937_64 random(8);
  Eigen::MatrixXd X = Eigen::MatrixXd::Zero(n, p);  // the first row stays so: tables take its values as the low ones
  for (Index j = 0; j < p; ++j)
    for (Index i = 1; i < n; ++i) X(i, j) = double(random() % 4 == 0);
  using Bytes = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic>;
  const Bytes columns = X.cast<std::uint8_t>();
  const Bytes transposed = columns.transpose();
  Eigen::VectorXd sign(n), weights(n);
  for (Index i = 0; i < n; ++i) sign[i] = random() % 3 == 0 ? 1.0 : -1.0;
  for (Index i = 0; i < n; ++i) weights[i] = multiples ? double(1 + i % 3) : 1 + double(i % 7) / 64;
  const ByteColumns<std::uint8_t> column_major(columns.data(), n, p, n);
  const ByteRows<std::uint8_t> row_major(transposed.data(), n, p, p);
  const Design& design = by_rows ? static_cast<const Design&>(row_major) : column_major;
  const auto in_place = TwoValuedRows::read(design, sign.data(), weights.data(), {});
  const auto stored = TwoValuedRows::read(ColumnView(X), sign.data(), weights.data(), {});
  REQUIRE(in_place);
  REQUIRE(stored);
  CHECK(in_place->is_in_place());
  CHECK_FALSE(stored->is_in_place());
  REQUIRE(stored->count() == n);
  Cells a(*in_place, n / 2), b(*stored, n / 2);
  Contingency counted(*in_place), expected(*stored);
  const std::vector<Index> some = {229, 2, 3, 9, 17, 33, 100, 101, 102};
  for (const std::vector<Index>& support : {std::vector<Index>{}, {5, 2}, {200, 3, 4}, {200, 9, 4, 7}}) {
    REQUIRE(a.group(support));
    REQUIRE(b.group(support));
    CHECK(a.weight().head(a.count()) == b.weight().head(b.count()));
    for (const Columns& scanned : {Columns{0, p, nullptr}, Columns{0, 9, some.data()}, Columns{0, 3, some.data() + 4}}) {
      counted.count(a, scanned);
      expected.count(b, scanned);
      CHECK(counted.table() == expected.table());
    }
  }
}

TEST_CASE("bytes other than 0 and 1, equal rows, and rows of weight 0 are not read in place") {
  const Index n = 20000, p = 230;
  std::mt19937_64 random(9);
  Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic> X(n, p);
  for (Index j = 0; j < p; ++j)
    for (Index i = 0; i < n; ++i) X(i, j) = random() % 4 == 0;
  Eigen::VectorXd ones = Eigen::VectorXd::Ones(n);
  const auto rows = [&] {
    const ByteColumns<bool> design(X.data(), n, p, n);
    const auto read = TwoValuedRows::read(design, ones.data(), ones.data(), {});
    REQUIRE(read);
    return std::pair(read->is_in_place(), read->count());
  };
  CHECK(rows() == std::pair(true, n));
  X(n - 1, p - 1) = 2;  // true as well
  CHECK(rows() == std::pair(false, n));
  X(n - 1, p - 1) = 1;
  ones[7] = 0;
  CHECK(rows() == std::pair(false, n - 1));
  ones[7] = 1;
  for (Index i = 100; i < n; ++i) X.row(i) = X.row(i % 100);
  CHECK(rows() == std::pair(false, Index(100)));
}

TEST_CASE("a third value, or one that is not finite, makes no table of two values, unless its row has weight 0") {
  Table table = random_table(1500, 6, 2);
  table.weights.setOnes();
  const auto is_read = [&] {
    const Eigen::VectorXd sign = 2 * table.y.array() - 1;
    return TwoValuedRows::read(ColumnView(table.X), sign.data(), table.weights.data(), {}).has_value();
  };
  CHECK(is_read());
  const double value =
      GENERATE(0.125, 1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN());
  const Index row = GENERATE(0, 511, 1499);
  table.X(row, 5) = value;
  CHECK_FALSE(is_read());
  table.weights[row] = 0;
  CHECK(is_read());
  const Eigen::VectorXd sign = Eigen::VectorXd::Ones(1500);
  CHECK_FALSE(TwoValuedRows::read(ColumnView(table.X), sign.data(), table.weights.data(), [] { return true; }).has_value());
}

TEST_CASE("refits and scans of cells agree with those over the rows") {
  const int number = GENERATE(0, 1, 2);
  const bool intercept = GENERATE(true, false), weighted = GENERATE(true, false);
  const Index n = 1500, p = 21;
  const Table table = random_table(n, p, 3);
  Eigen::VectorXd weights = Eigen::VectorXd::Ones(n);
  if (weighted) weights = table.weights;
  const Eigen::VectorXd no_offset = Eigen::VectorXd::Zero(n);  // with which all rows are gone over
  Options options;
  options.k = 6;
  options.fit_intercept = intercept;
  options.ridge = weighted ? 1e-3 : 0.0;
  const ColumnView design(table.X);
  const auto loss = loss_number(number);
  const Interrupt never;
  GlmObjective cells(design, Problem(table.y, weights), *loss, options, never);
  GlmObjective rows(design, Problem(table.y, weights, no_offset), *loss, options, never);
  for (Objective* each : {static_cast<Objective*>(&rows), static_cast<Objective*>(&cells)}) {
    Iterate nothing(6);
    each->refit(nothing, {});
    Scanned first(p, intercept);
    each->scan(nothing, {0, p, nullptr}, Hessian::exact, first);  // which chooses the units
  }
  const std::vector<Index> some = {20, 2, 3, 9};
  for (const std::vector<Index>& support : {std::vector<Index>{}, {0}, {3, 4, 11}, {20, 0, 12, 13, 4, 5}, {1, 2}}) {
    Iterate a(6), b(6);
    for (const Index j : support) {
      a.append(j);
      b.append(j);
    }
    const RefitOutcome by_rows = rows.refit(a, {}), by_cells = cells.refit(b, {});
    CHECK(by_rows.status == by_cells.status);
    CHECK(close(a.objective, b.objective, 1e-12));
    b = a;  // scans agree at the same point
    for (const Columns& columns : {Columns{0, p, nullptr}, Columns{0, 4, some.data()}, Columns{}}) {
      const Index d = a.size() + intercept;
      Scanned of_rows(columns.count, d), of_cells(columns.count, d);
      REQUIRE(rows.scan(a, columns, Hessian::exact, of_rows) == Status::converged);
      REQUIRE(cells.scan(b, columns, Hessian::exact, of_cells) == Status::converged);
      CHECK(agree(of_rows.inverse, of_cells.inverse));
      if (columns.count == 0) continue;
      CHECK(agree(of_rows.gradient, of_cells.gradient));
      CHECK(agree(of_rows.curvature, of_cells.curvature));
      if (d > 0) CHECK(agree(of_rows.cross, of_cells.cross));
    }
  }
}

namespace {

/// X that counts the entries that are read.
class CountedDesign final : public GatheredDesign {
 public:
  explicit CountedDesign(const Eigen::MatrixXd& X) : X_(X) {}
  Index rows() const noexcept override { return X_.rows(); }
  Index columns() const noexcept override { return X_.cols(); }
  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    read += rows;
    std::copy_n(X_.col(column).data() + first, rows, target);
  }
  mutable std::atomic<Index> read{0};

 private:
  const Eigen::MatrixXd& X_;
};

}  // namespace

TEST_CASE("a column of many values shows it in a few entries") {
  Eigen::MatrixXd X = Eigen::MatrixXd::Random(5000, 300);
  X.leftCols(299) = (X.leftCols(299).array() > 0).cast<double>();
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(5000);
  const CountedDesign design(X);
  CHECK_FALSE(TwoValuedRows::read(design, ones.data(), ones.data(), {}));
  CHECK(design.read <= 16 * 300);
}
