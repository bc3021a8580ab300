// Entries as a program calls them, and what they say when something is not as it should be.
#include <cmath>
#include <ksparse/ksparse.hpp>
#include <string>

#include "catch.hpp"
#include "data.hpp"

using namespace ksparse;

TEST_CASE("walks_share_a_search_and_do_not_depend_on_threads", "[entries]") {
  const Data data = random_data(150, 30, 0.6, 5);
  Options options;
  options.k = 4;
  options.effort = Effort::thorough;
  options.max_rounds = 12;
  const FitResult one = fit(ColumnView(data.X), data.y, Logistic{}, options);
  options.walks = 3;
  const FitResult alone = fit(ColumnView(data.X), data.y, Logistic{}, options),
                  together = fit(ColumnView(data.X), data.y, Logistic{}, options, {}, 2);
  CHECK(alone.support == together.support);
  CHECK(alone.objective == together.objective);
  CHECK(alone.info.rounds == together.info.rounds);
  CHECK(alone.objective <= one.objective * (1 + 1e-3));
  const Interrupt at_once = [] { return true; };
  CHECK(fit(ColumnView(data.X), data.y, Logistic{}, options, at_once).info.status == Status::interrupted);
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
