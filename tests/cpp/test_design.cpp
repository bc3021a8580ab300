// Designs: the sums of every layout and shape against plain matrix products.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ksparse/design/bytes.hpp>
#include <ksparse/design/dense.hpp>
#include <ksparse/design/sparse.hpp>
#include <ksparse/design/sparse_rows.hpp>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace ksparse;

namespace {

using FloatColumns = BasicColumnView<float>;
using FloatRows = BasicRowView<float>;

// Sums of the given columns with vectors that are the same for every design.
template <class Design>
Eigen::MatrixXd all_sums(const Design& design, const Columns& columns, Index cross_count) {
  const Index n = design.rows();
  Eigen::MatrixXd vectors(n, 2 + cross_count), sums = Eigen::MatrixXd::Zero(columns.count, 3 + cross_count);
  for (Index i = 0; i < n; ++i)
    for (Index v = 0; v < vectors.cols(); ++v) vectors(i, v) = std::sin(double(1 + i + 3 * v * v));
  design.accumulate(columns, {0, n, vectors.col(0).data(), vectors.col(1).data(), vectors.data() + 2 * n, n, cross_count},
                    {sums.data(), columns.count});
  return sums;
}

// Largest error of all sums of the given columns, over the size of the terms.
template <class Design>
double sum_error(const Design& design, const Eigen::MatrixXd& X, const Columns& columns, Index cross_count) {
  const Index n = X.rows();
  const Eigen::VectorXd r = Eigen::VectorXd::Random(n), h = Eigen::VectorXd::Random(n);
  const Eigen::MatrixXd cross = Eigen::MatrixXd::Random(n, std::max<Index>(cross_count, 1));
  Eigen::MatrixXd sums = Eigen::MatrixXd::Constant(columns.count, 3 + cross_count, 0.5), expected = sums;
  // In two blocks of rows, so that accumulation is tested too.
  for (const auto& [first, rows] : {std::pair<Index, Index>{0, n / 3}, {n / 3, n - n / 3}})
    design.accumulate(columns, {first, rows, r.data() + first, h.data() + first, cross.data() + first, n, cross_count},
                      {sums.data(), columns.count});
  for (Index c = 0; c < columns.count; ++c) {
    const Eigen::VectorXd x = X.col(columns[c]);
    expected(c, 0) += x.dot(r);
    expected(c, 1) += x.dot(h);
    expected(c, 2) += x.cwiseAbs2().dot(h);
    for (Index v = 0; v < cross_count; ++v) expected(c, 3 + v) += x.dot(cross.col(v));
  }
  return (sums - expected).cwiseAbs().maxCoeff() / double(n);
}

// Zeros, but for a part of the entries.
Eigen::MatrixXd thinned(Index n, Index p, double density) {
  Eigen::MatrixXd X = Eigen::MatrixXd::Random(n, p);
  return (Eigen::ArrayXXd::Random(n, p) < 2 * density - 1).select(X.array(), 0.0);
}

}  // namespace

TEST_CASE("sums_of_both_orders_equal_matrix_products", "[design]") {
  for (const Index n : {1, 3, 8, 29, 600})
    for (const Index p : {1, 2, 5, 9, 40})
      for (const Index cross : {0, 1, 2, 3, 7}) {
        const Eigen::MatrixXd X = Eigen::MatrixXd::Random(n, p);
        const RowView::Matrix by_rows = X;
        std::vector<Index> list;
        for (Index j = p; j-- > 0;)
          if (j % 2 == 0) list.push_back(j);
        const Columns all{0, p, nullptr}, some{0, Index(list.size()), list.data()}, last{p / 2, p - p / 2, nullptr};
        CAPTURE(n, p, cross);
        for (const Columns& columns : {all, some, last}) {
          CHECK(sum_error(ColumnView(X), X, columns, cross) < 1e-14);
          CHECK(sum_error(RowView(by_rows), X, columns, cross) < 1e-14);
        }
      }
}

TEST_CASE("floats_are_summed_as_the_same_numbers_in_double", "[design]") {
  for (const Index n : {1, 3, 8, 29, 600})
    for (const Index p : {1, 2, 5, 9, 40}) {
      const Eigen::MatrixXf by_columns = Eigen::MatrixXf::Random(n, p);
      const FloatRows::Matrix by_rows = by_columns;
      const Eigen::MatrixXd X = by_columns.cast<double>();
      const RowView::Matrix X_by_rows = X;
      const std::vector<Index> list{p - 1, 0};
      CAPTURE(n, p);
      for (const Columns& columns : {Columns{0, p, nullptr}, Columns{p / 2, p - p / 2, nullptr}, Columns{0, 2, list.data()}})
        for (const Index cross : {0, 1, 2, 3, 7}) {
          CHECK(all_sums(FloatColumns(by_columns), columns, cross) == all_sums(ColumnView(X), columns, cross));
          CHECK(all_sums(FloatRows(by_rows), columns, cross) == all_sums(RowView(X_by_rows), columns, cross));
        }
    }
}

TEMPLATE_TEST_CASE("bytes_are_summed_as_the_same_numbers_in_double", "[design]", bool, std::uint8_t, std::int8_t) {
  using ByColumn = Eigen::Matrix<TestType, Eigen::Dynamic, Eigen::Dynamic>;
  using ByRow = Eigen::Matrix<TestType, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  for (const Index n : {1, 3, 8, 29, 600})
    for (const Index p : {1, 2, 5, 9, 140}) {
      const ByColumn by_columns = (200 * Eigen::ArrayXXd::Random(n, p)).template cast<int>().template cast<TestType>();
      const ByRow by_rows = by_columns;
      const Eigen::MatrixXd X = by_columns.template cast<double>();
      const std::vector<Index> list{p - 1, 0};
      CAPTURE(n, p);
      for (const Columns& columns : {Columns{0, p, nullptr}, Columns{p / 2, p - p / 2, nullptr}, Columns{0, 2, list.data()}})
        for (const Index cross : {0, 1, 3, 60}) {
          const Eigen::MatrixXd expected = all_sums(ColumnView(X), columns, cross);
          const auto is_close = [&](const Eigen::MatrixXd& found) {
            return (found - expected).norm() <= 1e-13 * double(n) * 255;
          };
          CHECK(is_close(all_sums(ByteColumns<TestType>(by_columns), columns, cross)));
          CHECK(is_close(all_sums(ByteRows<TestType>(by_rows), columns, cross)));
        }
    }
}

TEST_CASE("load_block_gives_columns_of_doubles", "[design]") {
  const Index n = 90, p = 41;
  const Eigen::MatrixXf by_columns = Eigen::MatrixXf::Random(n, p);
  const FloatRows::Matrix by_rows = by_columns;
  const Eigen::MatrixXd X = by_columns.cast<double>();
  const RowView::Matrix X_by_rows = X;
  const Eigen::Matrix<bool, Eigen::Dynamic, Eigen::Dynamic> truth = X.array() > 0;
  const Eigen::Matrix<bool, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> truth_by_rows = truth;
  const Eigen::MatrixXd zeros_and_ones = truth.cast<double>();
  const std::vector<Index> list{40, 0, 7, 6, 5};
  const auto check = [](const auto& design, const Eigen::MatrixXd& X, const Columns& columns, Index first, Index rows) {
    const double outside = -7;
    std::vector<double> scratch(std::size_t(columns.count * block_stride(rows)) + 1, outside);
    Index stride = 0;
    const double* loaded = design.load_block(columns, first, rows, scratch.data(), stride);
    bool equal = true;
    for (Index c = 0; c < columns.count; ++c)
      for (Index i = 0; i < rows; ++i) equal = equal && loaded[c * stride + i] == X(first + i, columns[c]);
    CAPTURE(columns.count, first, rows);
    CHECK(equal);
    CHECK(scratch.back() == outside);
    return loaded == scratch.data();
  };
  for (const Columns& columns :
       {Columns{0, p, nullptr}, Columns{3, 17, nullptr}, Columns{2, 1, nullptr}, Columns{0, 5, list.data()}})
    for (const Index rows : {1, 5, 8, 33, 64})
      for (const Index first : {0, 3, 26}) {
        CHECK(check(ColumnView(X), X, columns, first, rows) == (columns.list != nullptr));  // else in place
        CHECK(check(RowView(X_by_rows), X, columns, first, rows));
        CHECK(check(FloatColumns(by_columns), X, columns, first, rows));
        CHECK(check(FloatRows(by_rows), X, columns, first, rows));
        CHECK(check(ByteColumns<bool>(truth), zeros_and_ones, columns, first, rows));
        CHECK(check(ByteRows<bool>(truth_by_rows), zeros_and_ones, columns, first, rows));
      }
}

TEST_CASE("gather_reads_a_stretch_of_one_column", "[design]") {
  const Eigen::MatrixXd X = Eigen::MatrixXd::Random(20, 6);
  const RowView::Matrix by_rows = X;
  Eigen::VectorXd by_column(7), by_row(7);
  ColumnView(X).gather(4, 5, 7, by_column.data());
  RowView(by_rows).gather(4, 5, 7, by_row.data());
  CHECK(by_column == X.col(4).segment(5, 7));
  CHECK(by_row == by_column);
}

TEST_CASE("a_block_of_a_larger_matrix_is_viewed_in_place", "[design]") {
  const Eigen::MatrixXd X = Eigen::MatrixXd::Random(30, 8);
  const Eigen::MatrixXd block = X.block(4, 2, 20, 5);
  const RowView::Matrix by_rows = X;
  const Columns all{0, 5, nullptr};
  CHECK(sum_error(ColumnView(X.data() + 2 * 30 + 4, 20, 5, 30), block, all, 2) < 1e-14);
  CHECK(sum_error(RowView(by_rows.data() + 4 * 8 + 2, 20, 5, 8), block, all, 2) < 1e-14);
}

TEST_CASE("blocks_of_a_sparse_design_give_what_dense_ones_give", "[design]") {
  const Index n = 200, p = 30;
  const Eigen::MatrixXd X = thinned(n, p, 0.2);
  const Eigen::SparseMatrix<double> doubles = X.sparseView();
  const Eigen::SparseMatrix<float, Eigen::ColMajor, std::int64_t> floats = doubles.cast<float>();
  const Eigen::SparseMatrix<double, Eigen::RowMajor> doubles_by_rows = doubles;
  const Eigen::SparseMatrix<float, Eigen::RowMajor, std::int64_t> floats_by_rows = floats;
  const Eigen::MatrixXd X_of_floats = X.cast<float>().cast<double>();
  const auto check = [&](const SparseDesign& design, const Eigen::MatrixXd& dense) {
    CHECK(!design.problem());
    CHECK(design.rows() == n);
    CHECK(design.columns() == p);
    const ColumnView view(dense);
    const std::vector<Index> list{7, 0, 29};
    for (const Columns& columns : {Columns{0, p, nullptr}, Columns{4, 9, nullptr}, Columns{0, 3, list.data()}})
      for (const Index cross : {0, 1, 5})
        CHECK((all_sums(design, columns, cross) - all_sums(view, columns, cross)).norm() < 1e-12);
    const auto reader = design.reader(3);
    for (Index j = 0; j < p; ++j)
      for (const auto& [first, rows] : {std::pair<Index, Index>{0, n}, {13, 40}, {150, 50}, {199, 1}}) {
        Eigen::VectorXd stretch = Eigen::VectorXd::Constant(rows, -7), read = stretch;
        design.gather(j, first, rows, stretch.data());
        CHECK(stretch == dense.col(j).segment(first, rows));
        reader->gather(j, first, rows, read.data());
        CHECK(read == stretch);
      }
  };
  check(SparseColumns(doubles), X);
  check(SparseColumns(floats), X_of_floats);
  check(SparseRows(doubles_by_rows), X);
  check(SparseRows(floats_by_rows), X_of_floats);
  CHECK(!SparseColumns(doubles).by_columns());
  const SparseRows by_rows(floats_by_rows);
  const std::shared_ptr<const Design> converted = by_rows.by_columns();
  REQUIRE(converted);
  CHECK(converted->columns_contiguous());
  check(*converted->sparse(), X_of_floats);
}

// What a reader says of a sparse X against products of the dense one.
void check_reader(const SparseDesign& design, const Eigen::MatrixXd& X) {
  const Index n = X.rows(), p = X.cols();
  const Interrupt never = [] { return false; };
  std::vector<Index> list;
  for (Index j = p - 1; j >= 0; j -= 2) list.push_back(j);
  for (const Index size : {0, 1, 5, 7, 8, 13, 33, 50})
    for (const Index share : {1, 3, 40}) {  // every row has a vector, or some rows have
      CAPTURE(size, share);
      const bool all = share == 1;
      IndexSet listed;
      listed.reset(n);
      std::vector<Index> place(std::size_t(n), -1), rows;
      for (Index i = 0; i < n; i += share) {
        listed.add(i);
        rows.push_back(i);
      }
      if (!all) std::reverse(rows.begin(), rows.end());
      for (std::size_t i = 0; i < rows.size(); ++i) place[std::size_t(rows[i])] = Index(i);
      const Index stride = RowTerms::stride_for(size), count = Index(rows.size());
      Eigen::MatrixXd vectors = Eigen::MatrixXd::Random(stride, count);
      if (size > 0) vectors.row(Sums::square).setZero();
      Eigen::MatrixXd by_row = Eigen::MatrixXd::Zero(n, 3 + size);
      for (Index i = 0; i < count; ++i) {
        const Index row = rows[std::size_t(i)];
        by_row.row(row).head(2) = vectors.col(i).head(2).transpose();
        if (size > 0) by_row.row(row).tail(size) = vectors.col(i).segment(3, size).transpose();
      }
      const RowTerms terms{all ? nullptr : &listed,
                           all ? nullptr : rows.data(),
                           all ? nullptr : place.data(),
                           vectors.data(),
                           count,
                           stride,
                           size};
      const auto reader = design.reader(size);
      for (const Columns& columns : {Columns{0, p, nullptr}, Columns{0, Index(list.size()), list.data()}}) {
        REQUIRE(reader->begin_scan(columns, terms, never));
        for (Index begin = 0; begin < columns.count; begin += 5) {
          const Columns panel = columns.slice(begin, std::min<Index>(5, columns.count - begin));
          Eigen::MatrixXd sums = Eigen::MatrixXd::Constant(5, 3 + size, 0.5);
          REQUIRE(reader->sum(panel, terms, {sums.data(), 5}, never));
          for (Index c = 0; c < panel.count; ++c) {
            const Eigen::VectorXd x = X.col(panel[c]);
            Eigen::RowVectorXd expected = x.transpose() * by_row;
            expected[2] = x.cwiseAbs2().dot(by_row.col(1));
            CHECK((sums.row(c) - expected).cwiseAbs().maxCoeff() < 1e-12);
          }
        }
      }
    }
  // Entries, in any order of asking, a few columns of which were announced.
  const auto reader = design.reader(2);
  EntryList entries;
  entries.reserve(n);
  REQUIRE(reader->fetch({2, 3, nullptr}, never));
  for (const Index j : {Index(3), p - 1, Index(0), Index(3), Index(2), p / 2, Index(0)}) {
    reader->entries(j, entries);
    Eigen::VectorXd column = Eigen::VectorXd::Zero(n);
    for (Index e = 0; e < entries.count; ++e) {
      if (e > 0) CHECK(entries.rows[std::size_t(e)] > entries.rows[std::size_t(e - 1)]);
      column[entries.rows[std::size_t(e)]] = entries.values[std::size_t(e)];
    }
    CHECK(column == X.col(j));
  }
  // Moments by class, of weights that rows of a class have in common and of others.
  IndexSet second;
  second.reset(n);
  Eigen::VectorXd of_second = Eigen::VectorXd::Zero(n), weight(n);
  for (Index i = 0; i < n; ++i)
    if (i % 5 == 0) {
      second.add(i);
      of_second[i] = 1;
    }
  const double class_weight[2] = {0.25, 3.0};
  for (const bool common : {true, false}) {
    for (Index i = 0; i < n; ++i) weight[i] = common ? class_weight[of_second[i] > 0] : double(i % 4) / 3;
    Eigen::MatrixXd zero(2, p), one(2, p);
    REQUIRE(
        reader->class_moments({&second, weight.data(), common ? class_weight : nullptr}, {{zero.data(), one.data()}}, never));
    for (Index j = 0; j < p; ++j)
      for (const int which : {0, 1}) {
        const Eigen::ArrayXd w = weight.array() * (of_second.array() == double(which)).cast<double>();
        const Eigen::MatrixXd& got = which ? one : zero;
        CHECK(std::abs(got(0, j) - (w * X.col(j).array()).sum()) < 1e-12);
        CHECK(std::abs(got(1, j) - (w * X.col(j).array().square()).sum()) < 1e-12);
      }
  }
}

TEST_CASE("sums_over_all_rows_of_a_sparse_design", "[design]") {
  Eigen::MatrixXd X = thinned(700, 12, 0.5);
  X.col(4).setZero();
  X.middleRows(100, 30).setZero();
  const Eigen::SparseMatrix<double> stored = X.sparseView();
  const Eigen::SparseMatrix<double, Eigen::RowMajor, std::int64_t> by_rows = stored;
  check_reader(SparseColumns(stored), X);
  check_reader(SparseRows(by_rows), X);
}

TEST_CASE("long_work_on_a_sparse_design_can_be_interrupted", "[design]") {
  const Index n = 1200, p = 900;
  const Eigen::SparseMatrix<double> stored = thinned(n, p, 0.6).sparseView();
  const Eigen::SparseMatrix<double, Eigen::RowMajor> by_rows = stored;
  const Eigen::VectorXd weight = Eigen::VectorXd::Ones(n), vectors = Eigen::VectorXd::Ones(2 * n);
  IndexSet second;
  second.reset(n);
  Eigen::MatrixXd zero(2, p), one(2, p);
  const Interrupt at_once = [] { return true; };
  const RowTerms all_rows{nullptr, nullptr, nullptr, vectors.data(), n, 2, 0};
  const auto of_columns = SparseColumns(stored).reader(0);
  const auto of_rows = SparseRows(by_rows).reader(0);
  CHECK(!of_columns->class_moments({&second, weight.data(), nullptr}, {{zero.data(), one.data()}}, at_once));
  CHECK(!of_rows->class_moments({&second, weight.data(), nullptr}, {{zero.data(), one.data()}}, at_once));
  REQUIRE(of_rows->begin_scan({0, p, nullptr}, all_rows, at_once));
  Eigen::MatrixXd sums(5, 3);
  CHECK(!of_rows->sum({0, 5, nullptr}, all_rows, {sums.data(), 5}, at_once));
  CHECK(!of_rows->fetch({0, 3, nullptr}, at_once));
  EntryList entries;
  entries.reserve(n);
  of_rows->entries(2, entries);  // nevertheless
  CHECK(entries.count == stored.col(2).nonZeros());
}

TEST_CASE("malformed_sparse_columns_are_found", "[design]") {
  const std::vector<double> values{1, 2, 3};
  const auto problem = [&](std::vector<int> starts, std::vector<int> rows) {
    return SparseColumns<double, int>(4, 2, starts.data(), rows.data(), values.data()).problem().value_or("");
  };
  CHECK(problem({0, 2, 3}, {0, 3, 1}) == "");
  CHECK(problem({0, 3, 3}, {0, 1, 3}) == "");
  CHECK(problem({1, 2, 3}, {0, 3, 1}).find("first column") != std::string::npos);
  CHECK(problem({0, 3, 2}, {0, 1, 2}).find("column 1 ends") != std::string::npos);
  CHECK(problem({0, 2, 3}, {3, 0, 1}).find("column 0 has unsorted or duplicate") != std::string::npos);
  CHECK(problem({0, 2, 3}, {1, 1, 1}).find("column 0 has unsorted or duplicate") != std::string::npos);
  CHECK(problem({0, 2, 3}, {0, 4, 1}).find("column 0 has the row index 4, but there are 4 rows") != std::string::npos);
  CHECK(problem({0, 2, 3}, {0, 1, -1}).find("column 1 has the row index -1") != std::string::npos);
  const std::vector<int> starts{0, 2, 3}, columns{0, 4, 1};
  CHECK(SparseRows<double, int>(2, 4, starts.data(), columns.data(), values.data()).problem().value_or("") ==
        "sparse X is malformed: row 0 has the column index 4, but there are 4 columns");
}

TEST_CASE("views_of_matrices_blocks_maps_and_references", "[design]") {
  Eigen::MatrixXd X = Eigen::MatrixXd::Random(30, 8);
  const RowView::Matrix by_rows = X;
  const Eigen::Map<const Eigen::MatrixXd> map(X.data(), 30, 8);
  const Eigen::Ref<const Eigen::MatrixXd, 0, Eigen::OuterStride<>> reference = X.middleRows(4, 20);
  const auto first = [](const Design& design) {
    double value = 0;
    design.gather(1, 2, 1, &value);
    return value;
  };
  CHECK(first(ColumnView(X)) == X(2, 1));
  CHECK(first(ColumnView(map)) == X(2, 1));
  CHECK(first(ColumnView(reference)) == X(6, 1));
  CHECK(first(ColumnView(X.middleCols(3, 4))) == X(2, 4));
  CHECK(first(ColumnView(X.block(4, 3, 20, 4))) == X(6, 4));
  CHECK(first(RowView(by_rows.block(4, 3, 20, 4))) == X(6, 4));
  const Eigen::MatrixXf floats = X.cast<float>();
  CHECK(first(BasicColumnView<float>(floats.rightCols(5))) == double(float(X(2, 4))));
  // Another order, another type, an expression and a temporary would need a copy, or dangle.
  CHECK(std::is_constructible_v<ColumnView, Eigen::MatrixXd&>);
  CHECK(!std::is_constructible_v<ColumnView, Eigen::MatrixXd>);
  CHECK(!std::is_constructible_v<ColumnView, const RowView::Matrix&>);
  CHECK(!std::is_constructible_v<RowView, const Eigen::MatrixXd&>);
  CHECK(!std::is_constructible_v<ColumnView, const Eigen::MatrixXf&>);
  CHECK(!std::is_constructible_v<ColumnView, decltype(2 * X)>);
  CHECK(!std::is_constructible_v<ColumnView, decltype(X.transpose())>);
}

TEST_CASE("samples_of_rows_resonate_with_no_period", "[design]") {
  for (const Index n : {Index(1024), Index(5003), Index(100000)})
    for (const Index least : {Index(256), Index(1000)}) {
      RowSample sample;
      sample.reset(n, least);
      CHECK(sample.rows() >= std::min(least, n / 8 * 8));
      for (Index s = 0; s < sample.stretches(); ++s) {
        CHECK(sample.first(s) + RowSample::length <= n);
        if (s > 0) CHECK(sample.first(s) >= sample.first(s - 1) + RowSample::length);
      }
      // Of rows that are the first 16 of every period, the sample has some part near their share.
      for (const Index period : {64, 128, 500, 512, 1000}) {
        Index hits = 0;
        for (Index s = 0; s < sample.stretches(); ++s)
          for (Index i = 0; i < RowSample::length; ++i) hits += (sample.first(s) + i) % period < 16;
        const double share = 16.0 / double(period), rows = double(sample.rows());
        CHECK(std::abs(double(hits) - share * rows) <= 5 * std::sqrt(8 * share * rows) + 8);
      }
    }
}

TEST_CASE("the_rows_of_a_sample_are_the_same_in_every_storage", "[design]") {
  const Eigen::MatrixXd X = Eigen::MatrixXd::Random(1100, 3);
  const RowView::Matrix by_rows = X;
  RowSample sample;
  sample.reset(1100, 300);
  Eigen::VectorXd picked(sample.rows()), from_columns(sample.rows()), from_rows(sample.rows());
  sample.pick(X.col(1).data(), picked.data());
  ColumnView(X).gather_sample(1, sample, from_columns.data());
  RowView(by_rows).gather_sample(1, sample, from_rows.data());
  CHECK(from_columns == picked);
  CHECK(from_rows == picked);
}
