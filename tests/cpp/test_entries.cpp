// Entries as a program calls them, and what they say when something is not as it should be.
#include <cmath>
#include <cstdint>
#include <ksparse/ksparse.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data.hpp"

using namespace ksparse;

TEST_CASE("walks_share_a_search_and_do_not_depend_on_threads", "[entries]") {
  const Data data = random_data(150, 30, 0.6, 5);
  Options options;
  options.k = 4;
  options.search = Effort::thorough;
  options.max_rounds = 12;
  const FitResult one = fit(ColumnView(data.X), data.y, Logistic{}, options);
  options.walks = 3;
  const FitResult alone = fit(ColumnView(data.X), data.y, Logistic{}, options),
                  together = fit(ColumnView(data.X), data.y, Logistic{}, options, {2});
  CHECK(alone.support == together.support);
  CHECK(alone.objective == together.objective);
  CHECK(alone.info.rounds == together.info.rounds);
  CHECK(alone.objective <= one.objective * (1 + 1e-3));
  const Interrupt at_once = [] { return true; };
  CHECK(fit(ColumnView(data.X), data.y, Logistic{}, options, {1, at_once}).info.status == Status::interrupted);
}

TEST_CASE("a_workspace_may_be_moved_and_refuses_bad_input", "[entries]") {
  const Data data = random_data(80, 10, 0.5, 2);
  const ColumnView design(data.X);
  Options options;
  options.k = 3;
  Workspace first;
  const double objective = first.fit(design, data.y, Logistic{}, options).objective;
  Workspace second(std::move(first));
  CHECK(second.fit(design, data.y, Logistic{}, options).objective == objective);
  first = Workspace();
  options.k = -1;
  CHECK(first.fit(design, data.y, Logistic{}, options).info.status == Status::invalid_input);
  CHECK(first.fit(design, data.y, Logistic{}, options).info.message == "k must be >= 0, got -1");
}

TEST_CASE("near_twins_that_must_be_in_are_told_from_copies", "[entries]") {
  Data data = random_data(120, 6, 0.0, 7);
  const Eigen::VectorXd noise = Eigen::VectorXd::Random(120);
  Options options;
  options.k = 4;
  options.constraints.always_in = {0, 3};
  for (const bool intercept : {true, false})
    for (const double apart : {0.0, 1e-4, 1e-11}) {
      options.fit_intercept = intercept;
      data.X.col(3) = 3 * data.X.col(0) + apart * noise;
      const FitResult result = fit(ColumnView(data.X), data.y, Logistic{}, options);
      CHECK((result.info.status == Status::converged) == (apart != 1e-11));
    }
}

TEST_CASE("losses_by_name_are_those_of_the_structs", "[entries]") {
  const Data data = random_data(100, 8, 0.3, 3);
  Options options;
  options.k = 2;
  std::string wrong;
  const auto named = loss_by_name("focal", {0.3, 1.5}, wrong);
  REQUIRE(named);
  const Problem problem{{data.y.data(), data.y.size()}};
  CHECK(fit(ColumnView(data.X), problem, *named, options).objective ==
        fit(ColumnView(data.X), data.y, Focal{0.3, 1.5}, options).objective);
  CHECK(!loss_by_name("focal", {}, wrong));
  CHECK(wrong == "loss 'focal' has 2 parameters, but 0 were given");
  CHECK(!loss_by_name("fokal", {}, wrong));
  CHECK(wrong == "there is no loss 'fokal'");
}

TEST_CASE("compiled_losses_are_as_good_as_structs", "[entries]") {
  const Data data = random_data(300, 12, 0.3, 9);
  const Problem problem{{data.y.data(), data.y.size()}};
  Options options;
  options.k = 3;
  const auto softplus = [](double m) { return m > 0 ? std::log1p(std::exp(-m)) : std::log1p(std::exp(m)) - m; };
  static const auto value_of = softplus;
  const CompiledKernel scalars(
      [](double eta, double s) { return value_of(s * eta); }, [](double eta, double s) { return -s / (1 + std::exp(s * eta)); },
      [](double eta, double) { return 1 / (2 + std::exp(eta) + std::exp(-eta)); }, Responses::binary, true);
  const FitResult ours = fit(ColumnView(data.X), problem, scalars, options),
                  built_in = fit(ColumnView(data.X), data.y, Logistic{}, options);
  CHECK(ours.support == built_in.support);
  CHECK(std::abs(ours.objective - built_in.objective) < 1e-9 * built_in.objective);
  double eta = 0.5, response = 1, value = 0, slope = 0, curvature = 0;
  scalars.tabulate({1, &eta, &response, &value, &slope, &curvature});
  CHECK(std::abs(value - softplus(0.5)) < 1e-15);
  const CompiledKernel contradiction([](double, double) { return 0.0; }, [](double, double) { return 0.0; },
                                     [](double, double) { return 0.0; }, Responses::finite, true);
  CHECK(fit(ColumnView(data.X), problem, contradiction, options).info.message == "falls_for_ever is for losses of labels");
}

TEST_CASE("parameters_of_losses_and_responses_are_checked", "[entries]") {
  const Data data = random_data(60, 4, 0.0, 1);
  const auto message = [&](const auto& loss, const Eigen::VectorXd& y) {
    Options options;
    options.k = 2;
    return fit(ColumnView(data.X), y, loss, options).info.message;
  };
  const auto mentions = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  const Eigen::VectorXd numbers = data.X.col(0), zeros = Eigen::VectorXd::Zero(60);
  CHECK(mentions(message(Huber{-1}, numbers), "threshold"));
  CHECK(mentions(message(Tweedie{3}, numbers), "power"));
  CHECK(mentions(message(NegativeBinomial{-1}, numbers), "dispersion"));
  CHECK(mentions(message(HuberisedHinge{0}, data.y), "width"));
  CHECK(mentions(message(AsymmetricFocal{-1, 1}, data.y), "gamma"));
  CHECK(mentions(message(Logistic{}, numbers), "labels must be 0 or 1"));
  CHECK(mentions(message(Logistic{}, zeros), "no row of class 1"));
  CHECK(mentions(message(Poisson{}, numbers), ">= 0"));
  CHECK(mentions(message(Poisson{}, zeros), "some must be > 0"));
  CHECK(mentions(message(Gamma{}, zeros), "> 0"));
  CHECK(mentions(message(Squared{}, Eigen::VectorXd::Constant(60, std::nan(""))), "finite"));
  CHECK(mentions(message(Squared{}, Eigen::VectorXd(3)), "3 entries"));
}

TEST_CASE("statuses_have_names_and_advice", "[entries]") {
  for (const Status status : {Status::converged, Status::max_iterations, Status::stalled, Status::separable,
                              Status::interrupted, Status::invalid_input, Status::numerical_failure}) {
    CHECK(std::string(to_string(status)) != "unknown");
    CHECK(std::string(advice(status)).empty() == (status == Status::converged));
  }
}

TEST_CASE("alternatives_name_what_is_wrong", "[entries]") {
  Data data = random_data(100, 8, 0.5, 4);
  Options options;
  const auto of = [&](const std::vector<Index>& support, Index count) {
    return alternatives(ColumnView(data.X), Problem{{data.y.data(), data.y.size()}}, Logistic{}, options, support, count);
  };
  CHECK(of({1, 2}, 2).choices.size() == 4);
  CHECK(of({1, 2}, 0).info.message == "count must be >= 1, got 0");
  CHECK(of({1, 99}, 2).info.status == Status::invalid_input);
  data.X(3, 4) = std::nan("");
  CHECK(of({1, 2}, 2).info.status == Status::invalid_input);
}

namespace {

/// A loss too large to be kept in place, which is otherwise the logistic one.
struct LargeLoss : Logistic {
  std::vector<double> more = std::vector<double>(20, 1.0);
  double numbers[20] = {};
};

}  // namespace

TEMPLATE_TEST_CASE("matrices_of_bytes_are_read_as_they_are", "[entries]", bool, std::uint8_t, std::int8_t) {
  const Data data = random_data(120, 12, 0.4, 12);
  const Eigen::Matrix<TestType, Eigen::Dynamic, Eigen::Dynamic> X =
      (data.X.array().abs() * 20).cast<int>().cast<TestType>().matrix();
  const Eigen::Matrix<TestType, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> by_rows = X;
  Options options;
  options.k = 3;
  options.ridge = 1e-3;
  const Problem problem(data.y);
  const Eigen::MatrixXd doubles = X.template cast<double>();
  const FitResult expected = fit(doubles, problem, Logistic{}, options);
  const auto check = [&](const auto& given) {
    const FitResult got = fit(given, problem, Logistic{}, options);
    CHECK(got.support == expected.support);
    CHECK(std::abs(got.objective - expected.objective) < 1e-12);
    CHECK((linear_predictor(got, given) - linear_predictor(expected, doubles)).norm() < 1e-9);
  };
  check(X);
  check(by_rows);
  check(X.block(0, 0, 120, 12));
  check(Eigen::Map<const Eigen::Matrix<TestType, Eigen::Dynamic, Eigen::Dynamic>>(X.data(), 120, 12));
  check(Eigen::Ref<const Eigen::Matrix<TestType, Eigen::Dynamic, Eigen::Dynamic>>(X));
}

TEST_CASE("every_matrix_of_eigen_is_read_as_it_is", "[entries]") {
  const Data data = random_data(120, 12, 0.4, 11);
  const Eigen::MatrixXd X = (data.X.array().abs() > 0.4).select(data.X.array(), 0.0).matrix().cast<float>().cast<double>();
  const Problem problem(data.y);
  Options options;
  options.k = 3;
  options.ridge = 1e-3;
  const FitResult expected = fit(ColumnView(X), problem, Focal{0.4, 1.0}, options);
  const auto check = [&](const auto& given) {
    const FitResult got = fit(given, problem, Focal{0.4, 1.0}, options);
    CHECK(got.info.message == "");
    CHECK(got.support == expected.support);
    CHECK(std::abs(got.objective - expected.objective) < 1e-12);
  };
  const RowView::Matrix by_rows = X;
  const Eigen::MatrixXf floats = X.cast<float>();
  const Eigen::SparseMatrix<double> sparse = X.sparseView();
  const Eigen::SparseMatrix<float, Eigen::RowMajor, std::int64_t> sparse_rows = floats.sparseView();
  check(X);
  check(by_rows);
  check(floats);
  check(Eigen::Matrix<float, Eigen::Dynamic, 12, Eigen::RowMajor>(floats));  // a temporary lives until the fit is done
  check(X.array().eval());
  check(Eigen::MatrixXd(X.transpose()).transpose());
  check(Eigen::Map<const Eigen::MatrixXd>(X.data(), 120, 12));
  check(Eigen::Ref<const Eigen::MatrixXd>(X));
  Eigen::MatrixXd wide = Eigen::MatrixXd::Zero(130, 20);
  wide.block(3, 5, 120, 12) = X;
  const RowView::Matrix wide_by_rows = wide;
  check(wide.block(3, 5, 120, 12));
  check(wide.middleCols(5, 12).middleRows(3, 120));
  check(wide_by_rows.block(3, 5, 120, 12));
  check(Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>(&wide(3, 5), 120, 12, Eigen::OuterStride<>(130)));
  check(sparse);
  check(sparse_rows);
  check(Eigen::Map<const Eigen::SparseMatrix<double>>(120, 12, sparse.nonZeros(), sparse.outerIndexPtr(),
                                                      sparse.innerIndexPtr(), sparse.valuePtr()));
  check(Eigen::Ref<const Eigen::SparseMatrix<double>>(sparse));

  Eigen::SparseMatrix<double> loose = sparse;
  loose.uncompress();
  for (const FitResult& refused :
       {fit(loose, problem, Logistic{}, options), fit(sparse.middleCols(2, 5), problem, Logistic{}, options),
        fit(sparse_rows.middleRows(1, 119), data.y.tail(119), Logistic{}, options)})
    CHECK(refused.info.message.find("makeCompressed()") != std::string::npos);
}

TEST_CASE("vectors_of_a_problem_are_read_as_they_are", "[entries]") {
  const Data data = random_data(90, 6, 0.2, 12);
  Eigen::MatrixXd columns(90, 3);
  columns.col(1) = data.y;
  columns.col(2) = Eigen::VectorXd::LinSpaced(90, 0.5, 1.5);
  Options options;
  options.k = 2;
  const double F = fit(data.X, data.y, Logistic{}, options).objective,
               weighted = fit(data.X, {data.y, columns.col(2)}, Logistic{}, options).objective;
  CHECK(fit(data.X, columns.col(1), Logistic{}, options).objective == F);
  CHECK(fit(data.X, columns.col(1).head(90), Logistic{}, options).objective == F);
  CHECK(fit(data.X, Eigen::Ref<const Eigen::VectorXd>(data.y), Logistic{}, options).objective == F);
  CHECK(fit(data.X, Eigen::RowVectorXd(data.y.transpose()), Logistic{}, options).objective == F);
  CHECK(fit(data.X, Problem::Vector(&columns(0, 1), 90), Logistic{}, options).objective == F);
  CHECK(weighted != F);
  const Problem all{data.y, columns.col(2), columns.col(0).setZero()};
  CHECK(all.weights.data() == &columns(0, 2));
  CHECK(fit(data.X, all, Logistic{}, options).objective == weighted);
}

TEST_CASE("any_loss_keeps_what_it_is_given", "[entries]") {
  const Data data = random_data(90, 6, 0.2, 13);
  Options options;
  options.k = 2;
  const auto F = [&](const AnyLoss& loss) { return fit(data.X, data.y, loss, options).objective; };
  const double logistic = F(Logistic{}), focal = F(Focal{0.3, 1.5});
  AnyLoss loss;
  CHECK(!loss);
  CHECK(fit(data.X, data.y, loss, options).info.message == "the problem has no loss");
  loss = Focal{0.3, 1.5};
  const AnyLoss copy = loss;
  loss = LargeLoss{};
  const AnyLoss large = loss;
  loss = AnyLoss();
  CHECK(F(copy) == focal);
  CHECK(F(large) == logistic);
  std::vector<AnyLoss> many;
  for (int i = 0; i < 9; ++i) many.push_back(i % 2 ? AnyLoss(Focal{0.3, 1.5}) : AnyLoss(Logistic{}));
  for (int i = 0; i < 9; ++i) CHECK(F(many[std::size_t(i)]) == (i % 2 ? focal : logistic));
  const KernelOf<Focal> kernel{Focal{0.3, 1.5}};
  const LossKernel& of_any_kind = kernel;
  const AnyLoss referring = of_any_kind;
  CHECK(&*referring == &kernel);
  CHECK(F(kernel) == focal);
}

TEST_CASE("predictions_are_those_of_the_rows_in_every_storage", "[entries]") {
  const Data data = random_data(100, 9, 0.3, 14);
  const Eigen::MatrixXd X = (data.X.array().abs() > 0.4).select(data.X.array(), 0.0).matrix();
  Options options;
  options.k = 3;
  options.ridge = 1e-2;
  const FitResult found = fit(X, data.y, Logistic{}, options);
  const Eigen::VectorXd eta = (X * found.coef).array() + found.intercept;
  Eigen::MatrixXd chosen(100, 3);
  for (Index i = 0; i < 3; ++i) chosen.col(i) = X.col(found.support[std::size_t(i)]);
  const RowView::Matrix by_rows = X;
  const Eigen::SparseMatrix<double, Eigen::RowMajor> sparse = X.sparseView();
  const auto check = [&](const AnyDesign& given, Index first, Index rows) {
    CHECK((linear_predictor(found, given) - eta.segment(first, rows)).cwiseAbs().maxCoeff() < 1e-13);
    CHECK((linear_predictor(compact(found), given) - eta.segment(first, rows)).cwiseAbs().maxCoeff() < 1e-13);
    const Eigen::VectorXd expected = 1 / (1 + (-eta.segment(first, rows)).array().exp());
    CHECK((predict(found, given, Logistic{}) - expected).cwiseAbs().maxCoeff() < 1e-13);
  };
  check(X, 0, 100);
  check(by_rows, 0, 100);
  check(sparse, 0, 100);
  check(chosen, 0, 100);
  check(X.middleRows(30, 7), 30, 7);
  check(chosen.bottomRows(1), 99, 1);
  check(Eigen::SparseMatrix<double>(chosen.sparseView()), 0, 100);
  for (const Index wrong : {Index(2), Index(4), Index(8)})
    CHECK(predict(found, X.leftCols(wrong), Logistic{}).array().isNaN().all());
  CHECK(predict(compact(found), X.leftCols(found.support.back()), Logistic{}).array().isNaN().all());
  CHECK(predict(found, X, AnyLoss()).array().isNaN().all());
}

TEST_CASE("a_model_without_features_predicts_the_share_or_the_mean", "[entries]") {
  // Whatever the loss of labels: the best constant says how many of them are 1. alpha = 0.5 and 0.3 weigh classes.
  Eigen::VectorXd labels = Eigen::VectorXd::Zero(40), counts(40), weights(40);
  labels.head(12).setOnes();
  for (Index i = 0; i < 40; ++i) {
    counts[i] = double(i % 7) + 0.5;
    weights[i] = 1 + double(i % 3);
  }
  const Eigen::MatrixXd X = Eigen::MatrixXd::Random(40, 2);
  Options options;
  options.k = 0;
  const auto first = [&](const AnyLoss& loss, const Eigen::VectorXd& y) {
    return predict(fit(X, {y, weights}, loss, options), X, loss)[0];
  };
  const double share = labels.dot(weights) / weights.sum(), mean = counts.dot(weights) / weights.sum();
  for (const AnyLoss& loss :
       {AnyLoss(Logistic{}), AnyLoss(Focal{0.5, 2.0}), AnyLoss(Focal{0.5, 0.0}), AnyLoss(Probit{}), AnyLoss(Cloglog{}),
        AnyLoss(Exponential{}), AnyLoss(AsymmetricFocal{0.5, 3.0}), AnyLoss(SquaredHinge{})})
    CHECK(std::abs(first(loss, labels) - share) < 1e-7);
  const double odds = 0.3 / 0.7 * share / (1 - share);  // of the classes as alpha weighs them, as in Python
  CHECK(std::abs(first(Focal{0.3, 2.0}, labels) - odds / (1 + odds)) < 1e-7);
  for (const AnyLoss& loss :
       {AnyLoss(Squared{}), AnyLoss(Poisson{}), AnyLoss(Gamma{}), AnyLoss(Tweedie{1.5}), AnyLoss(NegativeBinomial{0.7})})
    CHECK(std::abs(first(loss, counts) - mean) < 1e-7);
}

TEST_CASE("probabilities_hold_far_out", "[entries]") {
  Eigen::VectorXd eta(7);
  eta << -800, -40, -1, 0, 1, 40, 800;
  const Eigen::VectorXd logistic = mean_response(eta, Logistic{}), twice = mean_response(eta, Exponential{}),
                        probit = mean_response(eta, Probit{}), focal = mean_response(eta, Focal{});
  for (const Eigen::VectorXd* p : {&logistic, &twice, &probit, &focal}) {
    CHECK((*p)[0] <= 1e-300);
    CHECK((*p)[6] == 1);
    for (Index i = 1; i < 7; ++i) CHECK((*p)[i] >= (*p)[i - 1]);
    CHECK(std::abs((*p)[3] - 0.5) < 1e-15);
  }
  CHECK(std::abs(logistic[1] / std::exp(-40.0) - 1) < 1e-14);
  CHECK(std::abs(twice[2] - 1 / (1 + std::exp(2.0))) < 1e-15);
  CHECK(std::abs(probit[4] - 0.5 * std::erfc(-1 / std::sqrt(2.0))) < 1e-14);
}
