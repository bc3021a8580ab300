// Memory runs out at every allocation in turn: std::bad_alloc reaches the caller, nothing leaks, and the next fit is as if
// nothing had been. malloc and free are wrapped by the linker (CMakeLists.txt), for Eigen calls them; operator new calls them
// here.
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void __real_free(void* memory);
}

namespace {

std::atomic<long> made{0};      // allocations since the count began
std::atomic<long> live{0};      // allocations that were not freed
std::atomic<long> failing{-1};  // number of the allocation that fails, or -1

bool fails() { return made++ == failing; }

}  // namespace

extern "C" {
void* __wrap_malloc(std::size_t size) {
  if (fails()) return nullptr;
  void* const memory = __real_malloc(size);
  live += memory != nullptr;
  return memory;
}
// Compilers make one of malloc and a loop that fills with zeros.
void* __wrap_calloc(std::size_t count, std::size_t size) {
  if (fails()) return nullptr;
  void* const memory = __real_calloc(count, size);
  live += memory != nullptr;
  return memory;
}
void* __wrap_realloc(void* memory, std::size_t size) {
  if (fails()) return nullptr;
  void* const moved = __real_realloc(memory, size);
  live += memory == nullptr && moved != nullptr;
  return moved;
}
void __wrap_free(void* memory) {
  live -= memory != nullptr;
  __real_free(memory);
}
}

#include <ksparse/ksparse.hpp>

#include "catch.hpp"
#include "data.hpp"

// Inlined, GCC takes the pair of malloc and free for a mismatch with the operators that they implement.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) {
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace ksparse;

namespace {

// Runs work() once as it is, then with each of its allocations failing; it returns what identifies its answer. With threads the
// number of allocations may differ a little from run to run: a failure that is not reached must leave the answer as it was.
void survives_every_failure(const std::function<double()>& work, bool alone = true) {
  work();  // what is made once for all
  made = 0;
  const double expected = work();
  const long total = made;
  REQUIRE(total > 10);
  long thrown = 0;
  for (long i = 0; i < total; ++i) {
    const long before = live;
    double answer = expected;
    bool threw = false;
    made = 0;
    failing = i;
    try {
      answer = work();
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    failing = -1;
    const long left = live - before;
    thrown += threw;
    if (left != 0 || answer != expected || (alone && !threw)) {
      CAPTURE(i, total, threw, answer, expected);
      CHECK(left == 0);
      CHECK(answer == expected);
      CHECK((threw || !alone));
    }
  }
  CHECK(thrown > total / 2);
  CHECK(work() == expected);
}

}  // namespace

TEST_CASE("a_failing_allocation_is_seen", "[faults]") {
  made = 0;
  failing = 0;
  CHECK_THROWS_AS(Eigen::VectorXd(1000), std::bad_alloc);
  failing = -1;
}

TEST_CASE("fits_survive_every_failing_allocation", "[faults]") {
  const Data data = random_data(120, 150, 0.8, 3);
  Options options;
  options.k = 4;
  options.ridge = 1e-3;
  options.search = Effort::thorough;
  options.max_rounds = 6;
  SECTION("columns") {
    survives_every_failure([&] { return fit(ColumnView(data.X), data.y, Logistic{}, options).objective; });
  }
  SECTION("rows") {
    const RowView::Matrix by_rows = data.X;
    survives_every_failure([&] { return fit(RowView(by_rows), data.y, Focal{0.3, 1.5}, options).objective; });
  }
  SECTION("sparse") {
    const Eigen::SparseMatrix<double> X = (data.X.array().abs() > 1.5).select(data.X.array(), 0.0).matrix().sparseView();
    survives_every_failure([&] { return fit(SparseColumns<double, int>(X), data.y, Logistic{}, options).objective; });
  }
  SECTION("sparse by rows") {
    const Eigen::SparseMatrix<double, Eigen::RowMajor> X =
        (data.X.array().abs() > 1.5).select(data.X.array(), 0.0).matrix().sparseView();
    survives_every_failure([&] { return fit(SparseRows<double, int>(X), data.y, Logistic{}, options).objective; });
  }
  SECTION("constraints") {
    options.constraints.always_in = {3};
    options.constraints.lower = Eigen::VectorXd::Zero(150);
    survives_every_failure([&] { return fit(ColumnView(data.X), data.y, Logistic{}, options).objective; });
  }
  SECTION("groups") {
    options.k = 2;
    for (Index j = 0; j < 150; ++j) options.constraints.groups.push_back(j / 3);
    survives_every_failure([&] { return fit(ColumnView(data.X), data.y, Logistic{}, options).objective; });
  }
  SECTION("walks over threads") {
    options.walks = 3;
    survives_every_failure([&] { return fit(ColumnView(data.X), data.y, Logistic{}, options, {2}).objective; }, false);
  }
  SECTION("path") {
    options.max_rounds = 2;
    survives_every_failure(
        [&] { return fit_path(ColumnView(data.X), {{data.y.data(), 120}}, Logistic{}, {1, 2, 4}, options)[2].objective; });
  }
}

TEST_CASE("batches_survive_every_failing_allocation", "[faults]") {
  const Data data = random_data(600, 250, 0.5, 4);  // too large to be answered one by one
  const ProblemSource source = [&](Index number, BatchProblem& problem) {
    problem.responses = data.y;
    problem.responses[number] = 1 - problem.responses[number];
    problem.loss = Logistic{};
    problem.options.k = 3;
  };
  for (const int threads : {1, 2})
    survives_every_failure(
        [&] {
          double total = 0;
          for (const CompactFit& fit : fit_many(ColumnView(data.X), 5, source, {threads})) total += fit.objective;
          return total;
        },
        threads == 1);
}
