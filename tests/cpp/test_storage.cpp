// However X is stored, a fit is that of the same numbers in a dense matrix of doubles.
#include <cstdint>
#include <ksparse/ksparse.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "close.hpp"
#include "data.hpp"

using namespace ksparse;

namespace {

// Data of which a part of the entries are 0, the labels from a few of the columns as they then are. Entries are floats.
Data sparse_data(Index n, Index p, double density, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal(0.5, 1);
  std::uniform_real_distribution<double> uniform;
  Data data{Eigen::MatrixXd::Zero(n, p), Eigen::VectorXd(n)};
  for (Index j = 0; j < p; ++j)
    for (Index i = 0; i < n; ++i)
      if (uniform(generator) < density) data.X(i, j) = double(float(normal(generator)));
  const double size = 1.5 / std::sqrt(density);
  for (Index i = 0; i < n; ++i) {
    const double eta = -0.5 + size * (data.X(i, 0) - data.X(i, p / 2) + data.X(i, p - 1));
    data.y[i] = uniform(generator) < 1 / (1 + std::exp(-eta));
  }
  return data;
}

struct Stored {
  explicit Stored(const Eigen::MatrixXd& X)
      : columns(X),
        rows(X),
        float_columns(X.cast<float>()),
        float_rows(X.cast<float>()),
        sparse(X.sparseView()),
        float_sparse(X.cast<float>().sparseView()),
        sparse_rows(sparse),
        float_sparse_rows(float_sparse) {}

  // check(design, name) for every way to store X but the first.
  template <class Check>
  void for_each(const Check& check) const {
    check(RowView(rows), "rows");
    check(BasicColumnView<float>(float_columns), "columns of floats");
    check(BasicRowView<float>(float_rows), "rows of floats");
    check(SparseColumns<double, int>(sparse), "sparse");
    check(SparseColumns<float, std::int64_t>(float_sparse), "sparse of floats");
    check(SparseRows<double, int>(sparse_rows), "sparse by rows");
    check(SparseRows<float, std::int64_t>(float_sparse_rows), "sparse by rows of floats");
  }

  Eigen::MatrixXd columns;
  RowView::Matrix rows;
  Eigen::MatrixXf float_columns;
  BasicRowView<float>::Matrix float_rows;
  Eigen::SparseMatrix<double> sparse;
  Eigen::SparseMatrix<float, Eigen::ColMajor, std::int64_t> float_sparse;
  Eigen::SparseMatrix<double, Eigen::RowMajor> sparse_rows;
  Eigen::SparseMatrix<float, Eigen::RowMajor, std::int64_t> float_sparse_rows;
};

template <class Loss>
void check_all(const Data& data, const Loss& loss, const Options& options, const Problem& problem) {
  const Stored stored(data.X);
  const FitResult expected = fit(ColumnView(stored.columns), problem, loss, options);
  REQUIRE(expected.info.message.empty());
  stored.for_each([&](const Design& design, const char* name) {
    const FitResult result = fit(design, problem, loss, options);
    CAPTURE(name, result.info.message, expected.support, result.support);
    CHECK(result.info.status == expected.info.status);
    CHECK(close(result.objective, expected.objective, 1e-10));
    CHECK(result.support == expected.support);
    CHECK((result.coef - expected.coef).norm() <= 1e-6 * (1 + expected.coef.norm()));
    CHECK(std::abs(result.intercept - expected.intercept) <= 1e-6 * (1 + std::abs(expected.intercept)));
  });
}

// Everything that a scan says, by feature.
struct Recorder final : ScanSink {
  void begin_scan(const ScanPoint& point) override { inverse = point.inverse; }
  void take_panel(const ScanPanel& panel) override {
    for (Index c = 0; c < panel.columns.count; ++c) {
      Eigen::VectorXd row(2 + panel.cross.cols());
      row << panel.gradient[c], panel.curvature[c], panel.cross.row(c).transpose();
      rows.push_back(row);
    }
  }
  Eigen::MatrixXd inverse;
  std::vector<Eigen::VectorXd> rows;
};

// What scans of all features and of a few say at the empty support and at others.
std::vector<Eigen::VectorXd> record_scans(const Design& design, const Problem& problem, const Options& options) {
  const KernelOf<Focal> loss(Focal{0.4, 2.0});
  const Interrupt never;
  GlmObjective objective(design, problem, loss, options, never);
  Recorder recorder;
  const std::vector<Index> few{9, 2, 30};
  for (const std::vector<Index>& support : {std::vector<Index>{}, {1}, {1, 0, 7}, {30, 12, 0, 2}, {1, 0, 7}, {7}}) {
    Iterate at(options.k);
    for (const Index feature : support) at.append(feature);
    CHECK(objective.refit(at, {std::numeric_limits<double>::infinity(), true}).status == Status::converged);
    CHECK(objective.scan(at, {0, design.columns(), nullptr}, Hessian::exact, recorder) == Status::converged);
    CHECK(objective.scan(at, {0, 3, few.data()}, Hessian::exact, recorder) == Status::converged);
    recorder.rows.push_back(at.coef);
    recorder.rows.push_back(recorder.inverse.reshaped());
  }
  return recorder.rows;
}

Problem labels_of(const Data& data) { return {{data.y.data(), data.y.size()}}; }

// X by rows that counts the entries that are read column by column, each of which costs a cache line, and those of listed columns
// that are read together.
class CountedRows final : public Design {
 public:
  explicit CountedRows(const RowView::Matrix& X) : view_(X) {}
  mutable double singly = 0, listed = 0;

  Index rows() const noexcept override { return view_.rows(); }
  Index columns() const noexcept override { return view_.columns(); }
  bool columns_contiguous() const noexcept override { return false; }
  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    singly += double(rows);
    view_.gather(column, first, rows, target);
  }
  void accumulate(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    if (columns.list) singly += double(columns.count * block.rows);
    view_.accumulate(columns, block, sums);
  }
  void accumulate_slopes(const Columns& columns, const RowBlock& block, const Sums& sums) const noexcept override {
    view_.accumulate_slopes(columns, block, sums);
  }
  const double* load_block(const Columns& columns, Index first, Index rows, double* scratch,
                           Index& stride) const noexcept override {
    if (columns.list) listed += double(columns.count * rows);
    return view_.load_block(columns, first, rows, scratch, stride);
  }

 private:
  RowView view_;
};

}  // namespace

TEST_CASE("every_storage_gives_the_same_fit", "[storage]") {
  for (const double density : {0.02, 0.1, 0.4, 0.95})
    for (const auto& [intercept, ridge] : {std::pair{true, 1e-3}, {false, 0.1}, {false, 1e-3}}) {
      const Data data = sparse_data(300, 150, density, unsigned(100 * density + 2 * intercept));
      Options options;
      options.k = 5;
      options.search = ridge > 0.01 ? Effort::automatic : Effort::fast;
      options.fit_intercept = intercept;
      options.ridge = ridge;
      CAPTURE(density, intercept, ridge);
      check_all(data, Logistic{}, options, labels_of(data));
      check_all(data, Focal{0.3, 2.0}, options, labels_of(data));
    }
}

TEST_CASE("every_storage_says_the_same_in_scans", "[storage]") {
  for (const double density : {0.02, 0.1, 0.6}) {
    Data data = sparse_data(400, 40, density, 9);
    data.X.col(0) = (data.X.col(0).array() * 64).round() / 64 + 65536;  // far from 0 for its spread
    data.X.col(4).setZero();
    std::mt19937_64 generator(1);
    std::uniform_real_distribution<double> uniform;
    Eigen::VectorXd weights(400);
    for (Index i = 0; i < 400; ++i) weights[i] = uniform(generator) < 0.3 ? 0.0 : 3 * uniform(generator);
    Options options;
    options.k = 4;
    options.ridge = 1e-3;
    for (const bool weighted : {false, true})
      for (const bool intercept : {false, true}) {
        options.fit_intercept = intercept;
        Problem problem = labels_of(data);
        if (weighted) new (&problem.weights) Problem::Vector(weights.data(), 400);
        const Stored stored(data.X);
        const auto expected = record_scans(ColumnView(stored.columns), problem, options);
        stored.for_each([&](const Design& design, const char* name) {
          const auto rows = record_scans(design, problem, options);
          REQUIRE(rows.size() == expected.size());
          double error = 0;
          for (std::size_t i = 0; i < rows.size(); ++i)
            error = std::max(error, (rows[i] - expected[i]).norm() / (1 + expected[i].norm()));
          CAPTURE(name, density, weighted, intercept);
          CHECK(error < 1e-9);
        });
      }
  }
}

TEST_CASE("every_storage_takes_weights_and_offsets", "[storage]") {
  for (const double density : {0.03, 0.3}) {
    const Data data = sparse_data(500, 60, density, 7);
    std::mt19937_64 generator(1);
    std::uniform_real_distribution<double> uniform;
    Eigen::VectorXd weights(500), offset(500);
    for (Index i = 0; i < 500; ++i) {
      weights[i] = uniform(generator) < 0.3 ? 0.0 : 3 * uniform(generator);
      offset[i] = uniform(generator) - 0.5;
    }
    Options options;
    options.k = 4;
    options.ridge = 1e-2;
    CAPTURE(density);
    Problem problem = labels_of(data);
    new (&problem.weights) Problem::Vector(weights.data(), 500);
    check_all(data, Logistic{}, options, problem);
    new (&problem.offset) Problem::Vector(offset.data(), 500);
    check_all(data, Focal{0.5, 1.0}, options, problem);
    // All weight on a few rows: of those that no active column has an entry in, hardly any is left.
    for (Index i = 0; i < 500; ++i) weights[i] = data.X.row(i).head(3).isZero() ? 1e-9 : 1.0;
    new (&problem.offset) Problem::Vector(nullptr, 0);
    check_all(data, Logistic{}, options, problem);
  }
}

TEST_CASE("every_storage_takes_constraints", "[storage]") {
  const Data data = sparse_data(400, 40, 0.1, 3);
  Options options;
  options.k = 4;
  options.ridge = 1e-2;
  Options bounded = options, grouped = options;
  bounded.constraints.lower = Eigen::VectorXd::Constant(40, -0.2);
  bounded.constraints.always_in = {5};
  check_all(data, Logistic{}, bounded, labels_of(data));
  grouped.k = 2;
  for (Index j = 0; j < 40; ++j) grouped.constraints.groups.push_back(j / 2);
  check_all(data, Logistic{}, grouped, labels_of(data));
}

// Levels of categories, of which every row has one; a group with columns that plain sums would not do for; one wider than a
// panel.
TEST_CASE("every_storage_takes_groups", "[storage]") {
  std::mt19937_64 generator(5);
  Data data = sparse_data(500, 60, 0.1, 6);
  for (Index group = 0; group < 8; ++group) {
    data.X.middleCols(5 * group, 5).setZero();
    for (Index i = 0; i < 500; ++i) data.X(i, 5 * group + Index(generator() % 5)) = 1;
  }
  for (Index i = 0; i < 500; ++i) {
    const double eta = 2 * data.X(i, 5) - 2 * data.X(i, 6) + data.X(i, 32) - 0.5;
    data.y[i] = double(generator() % 1000) / 1000 < 1 / (1 + std::exp(-eta));
  }
  data.X.col(41).setConstant(3);
  data.X.col(42) = 65536 + data.X.col(43).array().round();
  Options options;
  options.k = 3;
  options.ridge = 1e-3;
  for (Index j = 0; j < 60; ++j) options.constraints.groups.push_back(j / 5);
  const Eigen::VectorXd weights = Eigen::VectorXd::LinSpaced(500, 0, 2);
  check_all(data, Logistic{}, options, labels_of(data));
  check_all(data, Focal{0.3, 1.5}, options, {labels_of(data).responses, {weights.data(), 500}});
  options.fit_intercept = false;
  options.constraints.upper = Eigen::VectorXd::Constant(60, 0.5);
  options.constraints.lower = -options.constraints.upper;
  check_all(data, Logistic{}, options, labels_of(data));

  const Data wide = sparse_data(120, 540, 0.02, 7);
  Options of_wide;
  of_wide.k = 1;
  of_wide.ridge = 10;  // few steps of so many coefficients
  of_wide.search = Effort::fast;
  for (Index j = 0; j < 540; ++j) of_wide.constraints.groups.push_back(j >= 520);
  check_all(wide, Logistic{}, of_wide, labels_of(wide));
}

// Columns that plain sums would not do for: without an entry, constant, far from 0 for their spread, at the ends of the range.
TEST_CASE("every_storage_takes_awkward_columns", "[storage]") {
  for (const double density : {0.05, 0.5}) {
    Data data = sparse_data(300, 50, density, 11);
    data.X.col(3).setZero();
    data.X.col(4).setConstant(2);
    const Eigen::VectorXd signal = data.X.col(0);
    data.X.col(0) = (signal.array() * 64).round() / 64 + 65536;
    data.X.col(5) = data.X.col(25) * std::ldexp(1, 100);
    data.X.col(25).setZero();
    data.X.col(6).head(2).setConstant(1e-30);
    Options options;
    options.k = 5;
    CAPTURE(density);
    check_all(data, Logistic{}, options, labels_of(data));
    options.fit_intercept = false;
    check_all(data, Logistic{}, options, labels_of(data));
  }
}

TEST_CASE("every_storage_gives_the_same_path_batch_and_alternatives", "[storage]") {
  const Data data = sparse_data(600, 400, 0.05, 5);
  const Problem problem = labels_of(data);
  const Stored stored(data.X);
  Options options;
  options.k = 3;
  options.ridge = 1e-3;
  const ColumnView dense(stored.columns);
  const auto source = [&](Index number, BatchProblem& one) {
    one.responses = number == 1 ? Eigen::VectorXd(1 - data.y.array()) : data.y;
    one.loss = Logistic{};
    one.options = options;
  };
  const auto path = fit_path(dense, problem, Logistic{}, {1, 2, 4}, options);
  const auto batch = fit_many(dense, 2, source);
  const auto rivals = alternatives(dense, problem, Logistic{}, options, path[1].support, 3);
  stored.for_each([&](const Design& design, const char* name) {
    CAPTURE(name);
    const auto other_path = fit_path(design, problem, Logistic{}, {1, 2, 4}, options);
    for (std::size_t i = 0; i < 3; ++i) CHECK(close(other_path[i].objective, path[i].objective, 1e-10));
    const auto other_batch = fit_many(design, 2, source);
    for (std::size_t i = 0; i < 2; ++i) CHECK(close(other_batch[i].objective, batch[i].objective, 1e-10));
    const auto other_rivals = alternatives(design, problem, Logistic{}, options, path[1].support, 3);
    REQUIRE(other_rivals.choices.size() == rivals.choices.size());
    for (std::size_t i = 0; i < rivals.choices.size(); ++i) {
      CHECK(other_rivals.choices[i].replacement == rivals.choices[i].replacement);
      CHECK(close(other_rivals.choices[i].objective, rivals.choices[i].objective, 1e-10));
    }
  });
}

TEST_CASE("every_storage_names_the_entry_that_is_not_finite", "[storage]") {
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    Data data = sparse_data(300, 20, 0.1, 2);
    data.X(211, 13) = bad;
    const Stored stored(data.X);
    stored.for_each([&](const Design& design, const char* name) {
      const FitResult result = fit(design, labels_of(data), Logistic{});
      CAPTURE(name);
      CHECK(result.info.status == Status::invalid_input);
      CHECK(result.info.bad_row == 211);
      CHECK(result.info.bad_column == 13);
    });
  }
}

TEST_CASE("malformed_sparse_columns_are_refused", "[storage]") {
  const std::vector<int> starts{0, 2}, rows{1, 7};
  const std::vector<double> values{1, 2};
  const Eigen::VectorXd y = Eigen::Vector3d(0, 1, 1);
  const SparseColumns<double, int> design(3, 1, starts.data(), rows.data(), values.data());
  const FitResult result = fit(design, y, Logistic{});
  CHECK(result.info.status == Status::invalid_input);
  CHECK(result.info.message.find("row index 7") != std::string::npos);
}

// So many columns that an X by rows is summed a part of them at a time.
TEST_CASE("rows_of_very_many_columns", "[storage]") {
  const Index n = 200, p = 300000;
  std::mt19937_64 generator(8);
  std::vector<Eigen::Triplet<double>> entries;
  Eigen::VectorXd y(n);
  for (Index i = 0; i < n; ++i) {
    double eta = 0;
    for (int e = 0; e < 60; ++e) {
      const Index j = e < 6 ? Index(generator() % 30) * 10000 + 7 : Index(generator() % std::uint64_t(p));
      const double x = 1 + double(generator() % 1000) / 1000;
      entries.emplace_back(int(i), int(j), x);
      if (j % 10000 == 7) eta += (j / 10000 % 2 ? 1 : -1) * x;
    }
    y[i] = double(generator() % 1000) / 1000 < 1 / (1 + std::exp(-eta));
  }
  Eigen::SparseMatrix<double> by_columns(n, p);
  by_columns.setFromTriplets(entries.begin(), entries.end());
  const Eigen::SparseMatrix<double, Eigen::RowMajor> by_rows = by_columns;
  Options options;
  options.k = 6;
  options.ridge = 1e-2;
  const Eigen::VectorXd none, offset = Eigen::VectorXd::Constant(n, 0.1);
  for (const Eigen::VectorXd& shift : {none, offset}) {
    const Problem problem{{y.data(), n}, {none.data(), 0}, {shift.data(), shift.size()}};
    const FitResult expected = fit(SparseColumns<double, int>(by_columns), problem, Logistic{}, options);
    const FitResult result = fit(SparseRows<double, int>(by_rows), problem, Logistic{}, options);
    CHECK(expected.support.size() == 6);
    CHECK(result.support == expected.support);
    CHECK(close(result.objective, expected.objective, 1e-10));
  }
}

// Columns with entries in rows of one class alone, where a good fit has next to no curvature, and copies of each: a copy adds
// nothing, and whatever rounding makes of it must not look like a gain.
TEST_CASE("copies_of_well_fitted_sparse_columns_do_not_look_useful", "[storage]") {
  for (const unsigned seed : {100u, 103u}) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> uniform;
    const Index n = 3000, p = 300, copies = 3;
    Data data{Eigen::MatrixXd::Zero(n, p), Eigen::VectorXd(n)};
    for (Index j = 0; j < p; ++j)
      for (Index i = 0; i < n; ++i) data.X(i, j) = uniform(generator) < 0.02;
    for (Index i = 0; i < n; ++i) {
      const double eta = -0.3 + 0.8 * (data.X(i, 10) - data.X(i, 11) + data.X(i, 12) - data.X(i, 13));
      data.y[i] = uniform(generator) < 1 / (1 + std::exp(-eta));
    }
    for (Index j = 0; j < 3; ++j) {
      for (Index i = 0; i < n; ++i) data.X(i, j) = data.y[i] == 1 && uniform(generator) < 0.06;
      for (Index copy = 1; copy <= copies; ++copy) data.X.col(100 + copies * j + copy) = data.X.col(j);
    }
    const Stored stored(data.X);
    Options options;
    options.k = 7;
    options.fit_intercept = false;
    options.search = Effort::fast;
    const FitResult expected = fit(ColumnView(stored.columns), data.y, Logistic{}, options);
    stored.for_each([&](const Design& design, const char* name) {
      const FitResult result = fit(design, data.y, Logistic{}, options);
      CAPTURE(seed, name);
      CHECK(result.support == expected.support);
      CHECK(result.objective <= expected.objective * (1 + 1e-9));
    });
  }
}

TEST_CASE("separable_sparse_data_are_recognised", "[storage]") {
  Data data = sparse_data(300, 20, 0.1, 4);
  for (Index i = 0; i < 300; ++i) data.y[i] = data.X(i, 3) > 0;
  const Stored stored(data.X);
  Options options;
  options.k = 2;
  const FitResult expected = fit(ColumnView(stored.columns), data.y, Logistic{}, options);
  CHECK(expected.info.status == Status::separable);
  stored.for_each([&](const Design& design, const char* name) {
    CAPTURE(name);
    CHECK(fit(design, data.y, Logistic{}, options).info.status == Status::separable);
  });
}

TEST_CASE("scattered_columns_are_read_together_and_once", "[storage]") {
  const Data data = random_data(3000, 600, 0.5, 41);
  const RowView::Matrix by_rows = data.X;
  const double n = 3000;
  Options options;
  options.k = 8;
  const FitResult expected = fit(ColumnView(data.X), data.y, Logistic{}, options);
  const CountedRows counted(by_rows);
  const FitResult result = fit(counted, data.y, Logistic{}, options);
  CHECK(result.support == expected.support);
  CHECK(close(result.objective, expected.objective, 1e-12));
  CHECK(counted.singly <= n);  // a look at the values of the first column
  // The working set, the candidates of each scan of all features, and few others; a refit copies what is kept.
  const double working_set = double(Options::working_set(600, 8)), candidates = 64 + 8 + 3;
  CAPTURE(counted.listed / n, result.info.scans, result.info.refits);
  CHECK(counted.listed <= n * (2 * working_set + candidates * double(result.info.scans - 1)));

  // Members of groups, and products of columns.
  for (Index j = 0; j < 600; ++j) options.constraints.groups.push_back(j / 3);
  options.k = 3;
  const CountedRows grouped(by_rows);
  CHECK(fit(grouped, data.y, Logistic{}, options).support == fit(ColumnView(data.X), data.y, Logistic{}, options).support);
  CHECK(grouped.singly <= n);
  options.constraints.groups.clear();
  const Eigen::VectorXd numbers = data.X.col(3) - data.X.col(77) + data.y;
  const CountedRows products(by_rows);
  CHECK(fit_path(products, numbers, Squared{}, {1, 2, 3}, options).back().support ==
        fit_path(ColumnView(data.X), numbers, Squared{}, {1, 2, 3}, options).back().support);
  CHECK(products.singly <= n);
}
