// Designs: the sums of every layout and shape against plain matrix products.
#include <cmath>
#include <cstdint>
#include <ksparse/design/dense.hpp>
#include <ksparse/design/sparse.hpp>
#include <string>
#include <type_traits>
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

TEST_CASE("load_block_gives_columns_of_doubles", "[design]") {
  const Index n = 90, p = 41;
  const Eigen::MatrixXf by_columns = Eigen::MatrixXf::Random(n, p);
  const FloatRows::Matrix by_rows = by_columns;
  const Eigen::MatrixXd X = by_columns.cast<double>();
  const RowView::Matrix X_by_rows = X;
  const std::vector<Index> list{40, 0, 7, 6, 5};
  const auto check = [&](const auto& design, const Columns& columns, Index first, Index rows) {
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
        CHECK(check(ColumnView(X), columns, first, rows) == (columns.list != nullptr));  // else in place
        CHECK(check(RowView(X_by_rows), columns, first, rows));
        CHECK(check(FloatColumns(by_columns), columns, first, rows));
        CHECK(check(FloatRows(by_rows), columns, first, rows));
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

TEST_CASE("sparse_columns_give_what_dense_ones_give", "[design]") {
  const Index n = 200, p = 30;
  const Eigen::MatrixXd X = thinned(n, p, 0.2);
  const Eigen::SparseMatrix<double> doubles = X.sparseView();
  const Eigen::SparseMatrix<float, Eigen::ColMajor, std::int64_t> floats = doubles.cast<float>();
  const Eigen::MatrixXd X_of_floats = X.cast<float>().cast<double>();
  const SparseColumns of_doubles(doubles);
  const SparseColumns of_floats(floats);
  CHECK(!of_doubles.problem());
  CHECK(!of_floats.problem());
  const auto check = [&](const SparseDesign& design, const Eigen::MatrixXd& dense) {
    const ColumnView view(dense);
    const std::vector<Index> list{7, 0, 29};
    for (const Columns& columns : {Columns{0, p, nullptr}, Columns{4, 9, nullptr}, Columns{0, 3, list.data()}})
      for (const Index cross : {0, 1, 5})
        CHECK((all_sums(design, columns, cross) - all_sums(view, columns, cross)).norm() < 1e-12);
    for (Index j = 0; j < p; ++j)
      for (const auto& [first, rows] : {std::pair<Index, Index>{0, n}, {13, 40}, {150, 50}, {199, 1}}) {
        Eigen::VectorXd stretch = Eigen::VectorXd::Constant(rows, -7);
        design.gather(j, first, rows, stretch.data());
        CHECK(stretch == dense.col(j).segment(first, rows));
      }
  };
  check(of_doubles, X);
  check(of_floats, X_of_floats);
}

TEST_CASE("sums_over_all_rows_of_sparse_columns", "[design]") {
  const Index n = 700, p = 12;
  const Eigen::MatrixXd X = thinned(n, p, 0.5);
  const Eigen::SparseMatrix<double> stored = X.sparseView();
  const SparseColumns design(stored);
  for (const Index size : {0, 1, 7, 8, 33, 50})
    for (const bool all : {true, false}) {
      // Every third row has products with the active columns, or all rows have.
      RowSet crossed;
      crossed.reset(n);
      std::vector<Index> place(std::size_t(n), -1);
      const Index stride = (size + Pack::size - 1) / Pack::size * Pack::size;
      Eigen::VectorXd terms = Eigen::VectorXd::Random(2 * n), scratch(stride);
      Eigen::MatrixXd cross = Eigen::MatrixXd::Random(stride, n), by_row = Eigen::MatrixXd::Zero(n, std::max<Index>(size, 1));
      Index count = 0;
      for (Index i = 0; i < n; ++i)
        if (all || i % 3 == 0) {
          crossed.add(i);
          by_row.row(i).head(size) = cross.col(count).head(size).transpose();
          place[std::size_t(i)] = count++;
        }
      const SparseRows rows{all ? nullptr : &crossed,
                            all ? nullptr : place.data(),
                            cross.data(),
                            stride,
                            size,
                            scratch.data(),
                            terms.data(),
                            nullptr,
                            nullptr,
                            nullptr,
                            nullptr,
                            {{0, 0}, {0, 0}}};
      Eigen::MatrixXd sums = Eigen::MatrixXd::Constant(p, 3 + size, 0.5), expected = sums;
      design.accumulate(Columns{0, p, nullptr}, rows, {sums.data(), p});
      const Eigen::Map<const Eigen::MatrixXd, 0, Eigen::InnerStride<2>> r(terms.data(), n, 1), h(terms.data() + 1, n, 1);
      expected.col(0) += X.transpose() * r;
      expected.col(1) += X.transpose() * h;
      expected.col(2) += X.cwiseAbs2().transpose() * h;
      expected.rightCols(size) += X.transpose() * by_row.leftCols(size);
      CAPTURE(size, all);
      CHECK((sums - expected).cwiseAbs().maxCoeff() < 1e-12);
    }
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
