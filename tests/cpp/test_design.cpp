// Designs: the sums of every layout and shape against plain matrix products.
#include <ksparse/design/dense.hpp>
#include <vector>

#include "catch.hpp"

using namespace ksparse;

namespace {

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
