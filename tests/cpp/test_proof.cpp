// The parts of proof/, each against enumeration or a plain formula.
#include <Eigen/Dense>
#include <algorithm>
#include <ksparse/design/dense.hpp>
#include <ksparse/loss/asymmetric_focal.hpp>
#include <ksparse/loss/focal.hpp>
#include <ksparse/loss/logistic.hpp>
#include <ksparse/proof/tree.hpp>
#include <random>

#include "catch.hpp"
#include "close.hpp"
#include "data.hpp"

using namespace ksparse;
namespace proof = ksparse::proof;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// All that a tree needs of a problem with the logistic loss.
struct Setting {
  Data data;
  double ridge;
  Problem problem;
  ColumnView view;
  proof::Rows rows;
  proof::LiveColumns columns;
  proof::Penalty penalty;
  proof::Shared shared;

  Setting(const Data& of, Index k, double weight, bool intercept)
      : data(of),
        ridge(weight),
        problem(data.y),
        view(data.X),
        rows(problem, KernelOf<Logistic>(Logistic{}).convex_below(), intercept),
        columns(view, Groups({}, data.X.cols()), std::vector<char>(std::size_t(data.X.cols()), 1), rows.weight(), intercept),
        penalty(ridge),
        shared{rows, columns, penalty, k} {}

  double objective(const std::vector<Index>& support) const {
    return reference_objective(data, support, rows.intercept, ridge, 0.5, -1);
  }
};

/// Calls visit with every support of k among p features.
template <class Visit>
void for_supports(Index p, Index k, const Visit& visit) {
  std::vector<Index> support;
  const auto extend = [&](const auto& self, Index first) -> void {
    if (Index(support.size()) == k) return visit(support);
    for (Index j = first; j < p; ++j) {
      support.push_back(j);
      self(self, j + 1);
      support.pop_back();
    }
  };
  extend(extend, 0);
}

struct Answer {
  double best, lower_bound;
  std::vector<std::vector<Index>> models;
  Index nodes;
};

/// Runs a tree to its end from a support.
Answer run(const Setting& given, const std::vector<Index>& known, proof::Target target) {
  Setting setting(given.data, given.shared.k, given.ridge, given.rows.intercept);
  proof::Tree tree(
      setting.shared, target, [&](const std::vector<Index>& s, std::vector<Index>&) { return given.objective(s); }, known,
      given.objective(known));
  tree.start(std::vector<proof::Side>(std::size_t(given.data.X.cols()), proof::Side::free), known);
  while (tree.advance({})) {
  }
  Answer answer{tree.best(), tree.lower_bound(), {}, tree.nodes()};
  for (const auto& model : tree.models())
    if (model.objective <= tree.cutoff()) answer.models.push_back(model.support);
  std::sort(answer.models.begin(), answer.models.end());
  return answer;
}

}  // namespace

TEST_CASE("what a coefficient may gain is the largest value over all allowed coefficients") {
  for (const double ridge : {0.0, 0.3})
    for (const double slope : {-2.0, -0.1, 0.0, 0.4, 3.0}) {
      proof::Penalty penalty(ridge);
      penalty.set_bounds({-1.5, 0.0}, {2.0, 0.7});
      for (const Index column : {0, 1}) {
        double most = -infinity;
        for (int i = 0; i <= 4000; ++i) {
          const double low = penalty.lower(column), b = low + (penalty.upper(column) - low) * i / 4000;
          most = std::max(most, -slope * b - 0.5 * ridge * b * b);
        }
        CHECK(close(penalty.gain(column, slope), most, 1e-6, 1e-6));
        CHECK(penalty.largest_gain(column, slope, 0.1) >=
              std::max(penalty.gain(column, slope - 0.1), penalty.gain(column, slope + 0.1)));
      }
    }
}

TEST_CASE("the envelope of a focal loss is convex, nowhere above it, and the largest such function") {
  for (const double gamma : {0.5, 1.0, 2.0, 3.0, 5.0}) {
    const Focal loss{0.5, gamma};
    const auto envelope = loss.convex_envelope();
    double slope = -infinity;
    for (double m = -60; m < 20; m += 0.01) {
      const auto terms = envelope(m, 1.0);
      CHECK(terms.value <= loss(m, 1.0).value * (1 + 1e-13));
      CHECK(terms.slope >= slope - 1e-12);
      CHECK(terms.curvature >= -1e-12);
      slope = terms.slope;
    }
    // It touches the loss where the line begins, and the line is as steep as the loss far out.
    CHECK(close(envelope(envelope.tangent.margin, 1.0).value, loss(envelope.tangent.margin, 1.0).value, 1e-12));
    CHECK(close(loss(envelope.tangent.margin, 1.0).slope, -1.0, 1e-9));
  }
  const auto by_label = AsymmetricFocal{1.0, 4.0}.convex_envelope();
  CHECK(close(by_label.positive.margin, Focal{0.5, 1.0}.convex_envelope().tangent.margin, 1e-9));
  CHECK(close(by_label.negative.margin, Focal{0.5, 4.0}.convex_envelope().tangent.margin, 1e-9));
  CHECK(close(by_label(-8.0, 1.0, 1.0).slope, -1.0, 1e-12));
  CHECK(close(by_label(8.0, -1.0, 1.0).slope, 1.0, 1e-12));
}

TEST_CASE("the bound holds at any point, for every support of a node") {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  for (unsigned seed = 0; seed < 6; ++seed) {
    Setting setting(random_data(50, 7, 0.6, seed), 3, 0.02, seed % 2);
    proof::Subproblem node;
    node.side.assign(7, proof::Side::free);
    node.side[1] = proof::Side::in;
    node.side[4] = proof::Side::out;
    double least = infinity;
    for_supports(7, 3, [&](const std::vector<Index>& s) {
      const bool in = std::count(s.begin(), s.end(), 1), out = !std::count(s.begin(), s.end(), 4);
      if (in && out) least = std::min(least, setting.objective(s));
    });
    for (int point = 0; point < 20; ++point) {
      node.coef.assign(7, 0.0);
      for (double& coef : node.coef) coef = normal(generator);
      node.coef[4] = 0;
      node.intercept = setting.rows.intercept ? normal(generator) : 0.0;
      proof::RowsAt at(setting.rows, setting.columns);
      const std::vector<Index> listed{0, 1, 2, 3, 5, 6};
      std::vector<double> coefs, slopes(6);
      for (const Index j : listed) coefs.push_back(node.coef[std::size_t(j)]);
      at.evaluate(listed.data(), coefs.data(), 6, node.intercept);
      at.gradient(listed.data(), 6, slopes.data());
      proof::Bound bound(setting.columns, setting.penalty);
      bound.compute(at, listed, slopes.data(), node, 2);
      CHECK(bound.value() <= least);
    }
    proof::Relaxation relaxation(setting.shared);
    node.bound = -infinity;
    relaxation.solve(node, infinity, 0);
    CHECK(node.bound <= least);
    CHECK(node.bound >= relaxation.value() - 1e-6);
  }
}

TEST_CASE("a tree proves the best of all supports, and lists all that are nearly as good, whatever it starts from") {
  for (unsigned seed = 0; seed < 12; ++seed) {
    const Index p = 8 + Index(seed % 3), k = 1 + Index(seed % 4);
    const Setting setting(random_data(60, p, 0.7, seed), k, seed % 2 ? 0.1 : 0.01, seed % 3 != 0);
    std::vector<Index> best, worst;
    double least = infinity, most = -infinity;
    for_supports(p, k, [&](const std::vector<Index>& s) {
      const double objective = setting.objective(s);
      if (objective < least) best = s;
      if (objective > most) worst = s;
      least = std::min(least, objective);
      most = std::max(most, objective);
    });
    std::vector<std::vector<Index>> near;
    for_supports(p, k, [&](const std::vector<Index>& s) {
      if (setting.objective(s) <= least * 1.03) near.push_back(s);
    });
    for (const auto& known : {best, worst})
      for (const int threads : {1, 2}) {
        proof::Target target;
        target.threads = threads;
        const Answer proved = run(setting, known, target);
        CHECK(close(proved.best, least, 1e-6));
        CHECK(proved.lower_bound <= least * (1 + 1e-12));
        CHECK(proved.lower_bound >= least * (1 - 1.1e-6));
        target.node_bytes = 1;  // the newest first
        CHECK(close(run(setting, known, target).lower_bound, least, 1.1e-6));
        target.within = 0.03;
        CHECK(run(setting, known, target).models == near);
      }
  }
}

TEST_CASE("an answer does not depend on the number of threads") {
  const Setting setting(random_data(60, 14, 0.9, 3), 4, 0.002, true);
  proof::Target target;
  const Answer one = run(setting, {0, 1, 2, 3}, target);
  target.threads = 3;
  const Answer three = run(setting, {0, 1, 2, 3}, target);
  CHECK(one.nodes > 20);
  CHECK(one.nodes == three.nodes);
  CHECK(one.lower_bound == three.lower_bound);
  CHECK(one.best == three.best);
}

TEST_CASE("nodes are packed and unpacked as they were, and the least bound comes first") {
  proof::OpenNodes open(1e9);
  open.reset(70, 70, 5);
  for (int i = 0; i < 2500; ++i) {
    proof::Subproblem node;
    node.side.assign(70, proof::Side::free);
    node.side[std::size_t(i % 70)] = proof::Side::in;
    node.side[std::size_t((i + 1) % 70)] = proof::Side::out;
    node.coef.assign(70, 0.0);
    node.coef[std::size_t(i % 70)] = i;
    node.intercept = -i;
    node.bound = (i * 7919) % 2500;
    node.depth = i;
    open.push(node);
  }
  for (int expected = 0; expected < 2500; ++expected) {
    proof::Subproblem node;
    CHECK(open.least_bound() == expected);
    open.pop(node);
    const int i = int(node.depth);
    CHECK(node.bound == expected);
    CHECK(node.intercept == -i);
    CHECK(node.coef[std::size_t(i % 70)] == i);
    CHECK(node.side[std::size_t(i % 70)] == proof::Side::in);
    CHECK(node.side[std::size_t((i + 1) % 70)] == proof::Side::out);
    CHECK(node.count(proof::Side::free) == 68);
  }
  CHECK(open.count() == 0);
}

TEST_CASE("proximal steps and patterns end at the same minimum of a relaxation") {
  std::mt19937_64 generator(11);
  std::normal_distribution<double> normal;
  for (int repeat = 0; repeat < 30; ++repeat) {
    const Index n = 4 + repeat % 9;
    proof::QuadraticModel model;
    const Eigen::MatrixXd root = Eigen::MatrixXd::NullaryExpr(n, n, [&] { return normal(generator); });
    model.hessian = root.transpose() * root / double(n);
    model.start.push_back(0);
    for (Index i = 0; i < n; ++i) {
      model.columns.push_back(i);
      model.units.push_back(i);
      model.start.push_back(i + 1);
      model.gradient.push_back(normal(generator));
      model.at.push_back(0);
      model.follow.push_back(0);
    }
    std::vector<proof::Side> sides(std::size_t(n), proof::Side::free);
    sides[0] = proof::Side::in;
    const proof::Penalty penalty(0.1);
    const Index places = 1 + repeat % 3;
    proof::PatternSolver pattern;
    proof::ProximalSolver proximal(penalty);
    std::vector<double> by_pattern(std::size_t(n), 0.0), by_steps(std::size_t(n), 0.0), slope;
    pattern.minimise(model, sides, places, 0.1, by_pattern);
    for (int round = 0; round < 20; ++round) proximal.minimise(model, sides, places, by_steps);
    const auto value = [&](const std::vector<double>& x) {
      model.slope_at(x, slope);
      return model.value_at(x, slope) + pattern.penalty(sides, places, 0.1, x);
    };
    CHECK(close(value(by_pattern), value(by_steps), 1e-7, 1e-9));
    CHECK(value(by_pattern) <= value(by_steps) + 1e-10);
    CHECK(close(pattern.penalty(sides, places, 0.1, by_pattern),
                proximal.penalty({model.columns, model.start, sides}, places, by_pattern), 1e-9, 1e-12));
  }
}
