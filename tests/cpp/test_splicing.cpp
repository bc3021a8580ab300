// The engine with a party that is not a data set: F = 1/2 b'Hb - c'b + constant, known in closed form. Shows the seam, and
// that on a quadratic the pair model is exact.
#include <Eigen/Dense>
#include <algorithm>
#include <ksparse/run/fit.hpp>
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
  struct Sink final : ScanSink, MoveRules {
    FeatureModel model{4, 512};
    ProposalList exchanges{100, 4}, entries{100, 4};
    const Iterate& iterate;
    explicit Sink(const Iterate& at) : iterate(at) {}
    void begin_scan(const ScanPoint& point) override { model.set(iterate, point); }
    void take_panel(const ScanPanel& panel) override {
      model.judge(panel);
      model.propose_exchanges(panel, *this, exchanges);
      model.propose_entries(panel, *this, entries);
    }
    bool may_enter(Index unit) const override { return std::count(iterate.support.begin(), iterate.support.end(), unit) == 0; }
    bool may_leave(Index) const override { return true; }
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
