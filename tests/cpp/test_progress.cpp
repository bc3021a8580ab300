// Progress: told on the calling thread, rising, from nothing to all; what it throws ends the work.
#include <atomic>
#include <chrono>
#include <ksparse/ksparse.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "data.hpp"

using namespace ksparse;

namespace {

// What a Progress was told, and whether it was told so on the thread that began.
struct Record {
  std::vector<Index> done;
  std::vector<Index> total;
  bool elsewhere = false;

  Progress progress() {
    return [this, caller = std::this_thread::get_id()](Index now, Index all) {
      done.push_back(now);
      total.push_back(all);
      elsewhere = elsewhere || std::this_thread::get_id() != caller;
    };
  }

  void check_whole(Index all) const {
    REQUIRE(!done.empty());
    CHECK(!elsewhere);
    CHECK(done.front() == 0);
    CHECK(done.back() == all);
    for (std::size_t i = 0; i < done.size(); ++i) {
      CHECK(total[i] == all);
      if (i > 0) CHECK(done[i] > done[i - 1]);
    }
  }
};

void wait(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

Options fast(Index k) {
  Options options;
  options.k = k;
  options.ridge = 1e-2;
  options.search = Effort::fast;
  return options;
}

// Problems alike, each of which calls before(number) first.
template <class Before>
ProblemSource alike(const Data& data, const Before& before) {
  return [&data, before](Index number, BatchProblem& problem) {
    before(number);
    problem.responses = data.y;
    problem.loss = Logistic{};
    problem.options = fast(2);
  };
}

}  // namespace

TEST_CASE("progress_of_a_batch_rises_to_all_problems", "[progress]") {
  const Data data = random_data(100, 20, 0.5, 1);
  for (const int threads : {1, 3}) {
    Record record;
    // Longer than the interval between two calls.
    fit_many(ColumnView(data.X), 5, alike(data, [](Index) { wait(60); }), {threads, {}, record.progress()});
    record.check_whole(5);
    if (threads == 1) CHECK(record.done == std::vector<Index>{0, 1, 2, 3, 4, 5});
  }
  Record quick, none;
  fit_many(ColumnView(data.X), 300, alike(data, [](Index) {}), {2, {}, quick.progress()});
  quick.check_whole(300);
  CHECK(quick.done.size() < 300);
  fit_many(ColumnView(data.X), 0, alike(data, [](Index) {}), {1, {}, none.progress()});
  CHECK(none.done == std::vector<Index>{0});
}

TEST_CASE("a_problem_that_fails_counts_as_done", "[progress]") {
  const Data data = random_data(100, 20, 0.5, 1);
  const ProblemSource source = [&](Index number, BatchProblem& problem) {
    problem.responses = number == 1 ? Eigen::VectorXd::Ones(100).eval() : data.y;
    problem.loss = Logistic{};
    problem.options = fast(2);
  };
  Record record;
  CHECK(fit_many(ColumnView(data.X), 3, source, {1, {}, record.progress()})[1].info.status == Status::invalid_input);
  record.check_whole(3);
}

TEST_CASE("progress_of_paths_rises_to_all_entries", "[progress]") {
  const Data data = random_data(200, 20, 0.5, 13);
  const ColumnView design(data.X);
  const Problem problem{Problem::Vector(data.y.data(), data.y.size())};
  Record one;
  const auto path = fit_path(design, problem, Logistic{}, {0, 1, 2, 4}, fast(0), {1, {}, one.progress()});
  one.check_whole(4);

  Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> counts(4, 200);
  for (Index i = 0; i < 200; ++i)
    for (Index fold = 0; fold < 4; ++fold) counts(fold, i) = i % 4 != fold;
  std::vector<PathTask> tasks;
  for (Index fold = 0; fold < 4; ++fold)
    for (const bool follows : {false, true}) tasks.push_back({fold, Logistic{}, fast(0), follows});
  const Counts view(counts.data(), 4, 200);
  for (const int threads : {1, 3}) {
    Record all;
    const auto paths = fit_paths(design, problem, view, tasks, {1, 2, 4}, {threads, {}, all.progress()});
    all.check_whole(8 * 3);
    const auto untold = fit_paths(design, problem, view, tasks, {1, 2, 4}, {threads});
    for (std::size_t i = 0; i < tasks.size(); ++i)
      for (std::size_t k = 0; k < 3; ++k) CHECK(paths[i][k].objective == untold[i][k].objective);
  }
}

TEST_CASE("what_progress_throws_ends_the_work_and_reaches_the_caller", "[progress]") {
  const Data data = random_data(100, 20, 0.5, 1);
  for (const int threads : {1, 3}) {
    std::atomic<int> begun{0};
    std::atomic<bool> thrown{false};
    const Progress progress = [&](Index done, Index) {
      if (done == 0) return;
      thrown = true;
      throw std::runtime_error("enough");
    };
    // Several threads wait after ten problems for the calling one to throw, however late it gets to it.
    const auto source = alike(data, [&](Index number) {
      ++begun;
      wait(10);
      while (threads > 1 && number >= 10 && !thrown) wait(1);
    });
    CHECK_THROWS_AS(fit_many(ColumnView(data.X), 1000, source, {threads, {}, progress}), std::runtime_error);
    CHECK(begun < 1000);
    CHECK(begun >= 1);
  }
  const Problem problem{Problem::Vector(data.y.data(), data.y.size())};
  const Progress at_once = [](Index, Index) { throw std::runtime_error("at once"); };
  CHECK_THROWS_AS(fit_path(ColumnView(data.X), problem, Logistic{}, {1, 2}, fast(0), {1, {}, at_once}), std::runtime_error);
}

TEST_CASE("interrupted_work_is_not_told_to_be_done", "[progress]") {
  const Data data = random_data(100, 20, 0.5, 1);
  for (const int threads : {1, 2}) {
    Record record;
    int polls = 0;
    const Interrupt interrupt = [&] { return ++polls > 2; };
    const auto source = alike(data, [](Index) { wait(10); });
    CHECK(fit_many(ColumnView(data.X), 1000, source, {threads, interrupt, record.progress()}).back().info.status ==
          Status::interrupted);
    CHECK(record.done.back() < 1000);
  }
}
