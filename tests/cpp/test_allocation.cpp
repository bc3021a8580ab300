// No allocation while the engine's questions are answered. operator new is counted, and Eigen, which calls malloc, is told to
// assert against it; its assertion is redefined for this program alone (it is compiled apart from the other tests).
#include <cstdlib>
#include <new>

namespace {
long allocations = 0;  // by operator new, since the program began
bool eigen_allocated = false;
}  // namespace

#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition)               \
  do {                                        \
    if (!(condition)) eigen_allocated = true; \
  } while (false)

#include <ksparse/ksparse.hpp>

#include "catch.hpp"
#include "data.hpp"

// Inlined, GCC takes the pair of malloc and free for a mismatch with the operators that they implement.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace ksparse;

namespace {

template <class Loss>
void check_no_allocation(const Design& design, const Eigen::VectorXd& y, const Loss& loss, Index k,
                         const Constraints& constraints = {}) {
  const KernelOf<Loss> kernel(loss);
  const Problem problem{{y.data(), y.size()}};
  const Interrupt never;
  Options options;
  options.k = k;
  options.constraints = constraints;
  GlmObjective objective(design, problem, kernel, options, never);
  Splicing engine(objective, options);
  const long before = allocations;
  eigen_allocated = false;
  Eigen::internal::set_is_malloc_allowed(false);
  drive(engine, objective);
  Eigen::internal::set_is_malloc_allowed(true);
  const long made = allocations - before;
  CHECK(made == 0);
  CHECK(!eigen_allocated);
  CHECK(engine.info().status == Status::converged);
  CHECK(engine.info().refits > 5);
}

}  // namespace

TEST_CASE("the_counters_see_an_allocation", "[allocation]") {
  const long before = allocations;
  ::operator delete(::operator new(3));  // called by name: a compiler may elide new and delete expressions
  CHECK(allocations > before);
  eigen_allocated = false;
  Eigen::internal::set_is_malloc_allowed(false);
  const Eigen::VectorXd vector(10);
  Eigen::internal::set_is_malloc_allowed(true);
  CHECK(eigen_allocated);
  CHECK(vector.size() == 10);
}

TEST_CASE("a_fit_allocates_nothing_while_it_runs", "[allocation]") {
  for (const Index p : {20, 300}) {
    const Data data = random_data(250, p, 0.8, 3);
    const RowView::Matrix by_rows = data.X;
    const Eigen::MatrixXf floats = data.X.cast<float>();
    const Eigen::SparseMatrix<double> all_entries = data.X.sparseView();
    const Eigen::SparseMatrix<double> few_entries =
        (data.X.array().abs() > 1.9).select(data.X.array(), 0.0).matrix().sparseView();
    check_no_allocation(ColumnView(data.X), data.y, Logistic{}, 6);
    check_no_allocation(ColumnView(data.X), data.y, Focal{0.3, 1.5}, 6);
    check_no_allocation(RowView(by_rows), data.y, Logistic{}, 6);
    check_no_allocation(BasicColumnView<float>(floats), data.y, Logistic{}, 6);
    check_no_allocation(SparseColumns<double, int>(all_entries), data.y, Logistic{}, 6);
    check_no_allocation(SparseColumns<double, int>(few_entries), data.y, Logistic{}, 6);
    Constraints constraints;
    constraints.lower = Eigen::VectorXd::Constant(p, -0.5);
    constraints.upper = Eigen::VectorXd::Constant(p, 0.5);
    check_no_allocation(ColumnView(data.X), data.y, Logistic{}, 6, constraints);
    for (Index j = 0; j < p; ++j) constraints.groups.push_back(j / 2);
    check_no_allocation(ColumnView(data.X), data.y, Logistic{}, 6, constraints);
    constraints.lower.resize(0);
    constraints.upper.resize(0);
    check_no_allocation(ColumnView(data.X), data.y, Logistic{}, 6, constraints);
  }
}

TEST_CASE("a_workspace_allocates_nothing_after_its_first_fit", "[allocation]") {
  const Index n = 250;
  for (const Index p : {20, 300})
    for (const Effort effort : {Effort::fast, Effort::automatic, Effort::thorough}) {
      if (effort == Effort::thorough && p > 20) continue;
      Options options;
      options.k = 6;
      options.search = effort;
      Workspace workspace;
      for (int day = 0; day < 6; ++day) {
        const Data data = random_data(n, p, 0.8, 30 + day);
        const ColumnView design(data.X);
        const bool focal = day % 2 == 1;
        const Interrupt never;
        const long before = allocations;
        eigen_allocated = false;
        if (day > 0) Eigen::internal::set_is_malloc_allowed(false);
        const FitResult& served = focal ? workspace.fit(design, data.y, Focal{0.3, 1.5}, options, {1, never})
                                        : workspace.fit(design, data.y, Logistic{}, options, {1, never});
        Eigen::internal::set_is_malloc_allowed(true);
        const long made = allocations - before;
        if (day > 0) {
          CHECK(made == 0);
          CHECK(!eigen_allocated);
        }
        const FitResult alone =
            focal ? fit(design, data.y, Focal{0.3, 1.5}, options) : fit(design, data.y, Logistic{}, options);
        CHECK(served.support == alone.support);
        CHECK(served.objective == alone.objective);
        CHECK(served.coef == alone.coef);
        CHECK(served.info.rounds == alone.info.rounds);
        CHECK(served.info.refits == alone.info.refits);
      }
    }
}
