// What the library refuses to compile, for one reason in each line; run by refused.cmake, which counts the errors.
#include <complex>
#include <ksparse/ksparse.hpp>
#include <memory>
#include <vector>

void refused(const Eigen::MatrixXd& X, const Eigen::VectorXd& y, const Eigen::SparseMatrix<double>& sparse,
             const ksparse::Options& options) {
  using namespace ksparse;
#if REFUSED_FOR_X
  fit(Eigen::MatrixXi(X.cast<int>()), y, Logistic{}, options);  // whole numbers
  fit(2 * X, y, Logistic{}, options);                           // an expression
  fit(X.rowwise().reverse(), y, Logistic{}, options);
  fit(Eigen::Map<const Eigen::MatrixXd, 0, Eigen::Stride<-1, -1>>(X.data(), 2, 2, {4, 2}), y, Logistic{}, options);  // gaps
  fit(Eigen::SparseMatrix<int>(sparse.cast<int>()), y, Logistic{}, options);
  fit(2 * sparse, y, Logistic{}, options);
  fit(std::vector<std::vector<double>>(), y, Logistic{}, options);  // not of Eigen
  fit(X.data(), y, Logistic{}, options);
  fit_path(X.cast<std::complex<double>>(), y, Logistic{}, {1, 2}, options);
  fit_many(X.cast<long double>(), 3, ProblemSource());
  Workspace().fit(X.array() + 1, y, Logistic{}, options);
#elif REFUSED_FOR_Y
  fit(X, (y.array() > 0).cast<double>(), Logistic{}, options);
  fit(X, Eigen::VectorXi(y.cast<int>()), Logistic{}, options);
  fit(X, std::vector<double>(), Logistic{}, options);
  fit(X, X.row(0), Logistic{}, options);
  fit(X, X, Logistic{}, options);
  fit(X, Problem(y, 2 * y), Logistic{}, options);
#elif REFUSED_FOR_LOSS
  fit(X, y, "logistic", options);
  fit(X, y, options);
  fit(X, y, std::make_shared<int>(), options);
#else
  fit(X, y, Focal{.5, 2.}, options);  // and this compiles
#endif
}
