// The engine with a party that is not a data set: F = 1/2 b'Hb - c'b + constant, known in closed form. Shows the seam, and
// that on a quadratic the pair model is exact. The engine checks how it is used, here by exceptions and in Release builds as
// well; every test of this program does so.
#include <stdexcept>

#define KSPARSE_ASSERT(condition, message) (static_cast<bool>(condition) ? void() : throw std::logic_error(message))

#include <Eigen/Dense>
#include <algorithm>
#include <ksparse/search/drive.hpp>
#include <ksparse/search/splicing.hpp>
#include <numeric>
#include <random>

#include "catch.hpp"
#include "close.hpp"

using namespace ksparse;

namespace {

class QuadraticObjective final : public Objective {
 public:
  QuadraticObjective(Index p, double rho, unsigned seed) : H(p, p), c(p) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal;
    Eigen::MatrixXd A(3 * p, p);
    for (Index i = 0; i < A.rows(); ++i)
      for (Index j = 0; j < p; ++j)
        A(i, j) = j ? rho * A(i, j - 1) + std::sqrt(1 - rho * rho) * normal(generator) : normal(generator);
    H = A.transpose() * A / double(A.rows());
    for (Index j = 0; j < p; ++j) c[j] = normal(generator);
    constant = 0.5 * c.dot(H.ldlt().solve(c)) + 1;
  }

  double minimum(const std::vector<Index>& support, Eigen::VectorXd* coef = nullptr) const {
    const Eigen::MatrixXd part = H(support, support);
    const Eigen::VectorXd target = c(support), best = part.ldlt().solve(target);
    if (coef) coef->head(best.size()) = best;
    return constant - 0.5 * target.dot(best);
  }

  Index features() const override { return c.size(); }

  RefitOutcome refit(Iterate& iterate, const RefitGoal&) override {
    iterate.objective = minimum(iterate.support, &iterate.coef);
    return {Status::converged, false, 1};
  }

  Status scan(const Iterate& iterate, const Columns& columns, Hessian, ScanSink& sink) override {
    const Eigen::MatrixXd part = H(iterate.support, iterate.support), inverse = part.inverse();
    sink.begin_scan({inverse});
    for (Index begin = 0; begin < columns.count; begin += 3) {  // small panels, to see that they join
      const Columns panel = columns.slice(begin, std::min<Index>(3, columns.count - begin));
      Eigen::ArrayXd gradient(panel.count), curvature(panel.count);
      Eigen::MatrixXd cross(panel.count, iterate.size());
      for (Index i = 0; i < panel.count; ++i) {
        cross.row(i) = H.row(panel[i])(iterate.support);
        gradient[i] = cross.row(i).dot(iterate.coef.head(iterate.size())) - c[panel[i]];
        curvature[i] = H(panel[i], panel[i]);
      }
      sink.take_panel({panel, gradient, curvature, cross});
    }
    return Status::converged;
  }

  Eigen::MatrixXd H;
  Eigen::VectorXd c;
  double constant = 0;
};

double best_by_enumeration(const QuadraticObjective& objective, Index k) {
  const Index p = objective.features();
  double best = objective.constant;
  std::vector<Index> support;
  for (unsigned mask = 0; mask < (1u << p); ++mask) {
    support.clear();
    for (Index j = 0; j < p; ++j)
      if (mask >> j & 1u) support.push_back(j);
    if (Index(support.size()) == k) best = std::min(best, objective.minimum(support));
  }
  return best;
}

}  // namespace

TEST_CASE("the_pair_model_is_exact_on_a_quadratic", "[splicing]") {
  const QuadraticObjective objective(9, 0.7, 3);
  Iterate iterate(3);
  iterate.support = {1, 4, 6};
  iterate.objective = objective.minimum(iterate.support, &iterate.coef);
  struct Sink final : ScanSink {
    FeatureModel model{4, 512};
    ProposalList exchanges{100, 4}, entries{100, 4};
    const Iterate& iterate;
    ActiveSet active{Constraints{}, 9};
    explicit Sink(const Iterate& at) : iterate(at) { active.set(at.support); }
    void begin_scan(const ScanPoint& point) override { model.set(iterate, point); }
    void take_panel(const ScanPanel& panel) override {
      model.evaluate(panel);
      model.propose_exchanges(panel, active, exchanges);
      model.propose_entries(panel, active, entries);
    }
  } sink(iterate);
  QuadraticObjective party = objective;
  REQUIRE(party.scan(iterate, {0, 9, nullptr}, Hessian::exact, sink) == Status::converged);
  REQUIRE(sink.entries.size() == 6);
  REQUIRE(sink.exchanges.size() > 0);
  for (Index i = 0; i < sink.exchanges.size(); ++i) {
    const Proposal& proposal = sink.exchanges[i];
    Iterate trial = iterate;
    sink.model.apply(proposal, sink.exchanges.move(i), trial);
    Eigen::VectorXd exact(3);
    CHECK(close(iterate.objective - proposal.gain, objective.minimum(trial.support, &exact), 1e-12));
    CHECK((trial.coef - exact).norm() < 1e-11);
    if (i > 0) CHECK(proposal.gain <= sink.exchanges[i - 1].gain);
  }
  for (Index i = 0; i < sink.entries.size(); ++i) {
    std::vector<Index> support = iterate.support;
    support.push_back(sink.entries[i].entering);
    CHECK(close(iterate.objective - sink.entries[i].gain, objective.minimum(support), 1e-12));
  }
}

TEST_CASE("between_enumeration_and_single_swaps_on_a_quadratic", "[splicing]") {
  for (unsigned seed = 0; seed < 40; ++seed)
    for (const double rho : {0.0, 0.5, 0.9}) {
      QuadraticObjective objective(10, rho, seed);
      Options options;
      options.k = 1 + seed % 4;
      Splicing engine(objective, options);
      drive(engine, objective);
      REQUIRE(engine.info().status == Status::converged);
      const Iterate& answer = engine.current();
      CHECK(close(answer.objective, objective.minimum(answer.support), 1e-12));
      for (std::size_t i = 0; i < answer.support.size(); ++i)
        for (Index j = 0; j < 10; ++j) {
          std::vector<Index> swapped = answer.support;
          if (std::count(swapped.begin(), swapped.end(), j)) continue;
          swapped[i] = j;
          CHECK(objective.minimum(swapped) >= answer.objective * (1 - 2e-9));
        }
      CHECK(answer.objective >= best_by_enumeration(objective, options.k) * (1 - 1e-12));
    }
}

TEST_CASE("k_zero_asks_for_one_scan_and_no_feature", "[splicing]") {
  QuadraticObjective objective(5, 0.0, 1);
  Options options;
  options.k = 0;
  Splicing engine(objective, options);
  drive(engine, objective);
  CHECK(engine.current().support.empty());
  CHECK(engine.info().scans == 1);
}

TEST_CASE("a_large_support_is_swap_optimal_on_a_quadratic_after_few_refits", "[splicing]") {
  for (unsigned seed = 0; seed < 5; ++seed) {
    QuadraticObjective objective(80, 0.6, seed);
    for (const Index k : {40, 70, 79, 80}) {
      Options options;
      options.k = k;
      Splicing engine(objective, options);
      drive(engine, objective);
      const Iterate& found = engine.current();
      REQUIRE(engine.info().status == Status::converged);
      REQUIRE(found.size() == k);
      REQUIRE(engine.info().refits < 40);
      for (Index place = 0; place < k; place += 3)
        for (Index j = 0; j < 80; j += 2) {
          std::vector<Index> support = found.support;
          if (std::find(support.begin(), support.end(), j) != support.end()) continue;
          support[std::size_t(place)] = j;
          REQUIRE(objective.minimum(support) >= found.objective * (1 - 1e-8));
        }
    }
  }
}

TEST_CASE("the_working_set_grows_with_k_without_jumps", "[splicing]") {
  for (const Index p : {600, 2000, 100000})
    for (Index k = 48; k < p / 2 && k < 3000; ++k) {
      const Index here = Options::working_set(p, k), next = Options::working_set(p, k + 1);
      REQUIRE(here > k);
      REQUIRE(3 * next <= 5 * here);
      REQUIRE(next <= p);
    }
}

TEST_CASE("commands_are_given_once_the_engine_is_done", "[splicing]") {
  QuadraticObjective objective(80, 0.5, 4);
  Options options;
  options.k = 40;
  Splicing engine(objective, options);
  const Iterate start = engine.current();
  const auto check_all = [&](bool legal) {
    const auto check = [&](const auto& command) {
      if (legal) {
        CHECK_NOTHROW(command());
        drive(engine, objective);
      } else {
        CHECK_THROWS_AS(command(), std::logic_error);
      }
    };
    check([&] { engine.descend_from(start, 35, Reach::local, 1); });
    check([&] { engine.descend_further(); });
    check([&] { engine.descend_from_many(36, 2); });
    check([&] { engine.try_all_exchanges(3); });
    check([&] { engine.survey_again(2); });
    check([&] { engine.working_set().restore(); });
    check([&] { engine.adopt(engine.null_model()); });
    check([&] { engine.follow(nullptr); });
    check([&] { engine.polish(); });
  };
  REQUIRE(engine.question() == Splicing::Question::refit);
  check_all(false);
  CHECK_THROWS_AS(engine.answer_scan(Status::converged), std::logic_error);
  answer(engine, objective);
  REQUIRE(engine.question() == Splicing::Question::scan);
  check_all(false);
  CHECK_THROWS_AS(engine.answer_refit({}), std::logic_error);
  CHECK_THROWS_AS(engine.trial(), std::logic_error);
  drive(engine, objective);
  REQUIRE(engine.info().status == Status::converged);
  CHECK_THROWS_AS(engine.answer_refit({}), std::logic_error);
  CHECK_THROWS_AS(engine.answer_scan(Status::converged), std::logic_error);
  check_all(true);
  CHECK_THROWS_AS(engine.descend_from(Iterate(3), 3, Reach::local, 4), std::logic_error);
  options.k = 3;
  engine.reset(objective, options);
  drive(engine, objective);
  CHECK_THROWS_AS(engine.descend_from_many(3, 1), std::logic_error);
}

TEST_CASE("the_weakest_place_is_that_which_leaving_costs_least_of_those_that_may_leave", "[splicing]") {
  for (unsigned seed = 0; seed < 10; ++seed) {
    QuadraticObjective objective(12, 0.6, seed);
    Options options;
    options.k = 4;
    for (Index required = 0; required < 12; required += 5) {
      options.constraints.always_in = {required};
      Splicing engine(objective, options);
      drive(engine, objective);
      const Iterate& found = engine.current();
      Index weakest = -1;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < found.support.size(); ++i) {
        if (found.support[i] == required) continue;
        std::vector<Index> rest = found.support;
        rest.erase(rest.begin() + std::ptrdiff_t(i));
        const double without = objective.minimum(rest);
        CHECK(close(engine.findings().model().leaving_loss(Index(i)), without - found.objective, 1e-9));
        if (without < least) {
          least = without;
          weakest = Index(i);
        }
      }
      CHECK(engine.weakest_place() == weakest);
    }
    options.k = 1;
    options.constraints.always_in = {3};
    Splicing engine(objective, options);
    drive(engine, objective);
    CHECK(engine.weakest_place() == -1);
  }
}
