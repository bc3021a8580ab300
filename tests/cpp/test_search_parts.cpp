// The parts of the engine alone: which units may move, which are scanned often, and what a descent knows of its way.
#include <algorithm>
#include <ksparse/search/active_set.hpp>
#include <ksparse/search/roles.hpp>
#include <ksparse/search/trail.hpp>
#include <ksparse/search/working_set.hpp>
#include <ksparse/util/shape.hpp>
#include <vector>

#include "catch.hpp"

using namespace ksparse;

namespace {

Constraints some_constraints() {
  Constraints constraints;
  constraints.always_in = {6, 2};
  constraints.never_in = {0, 5};
  return constraints;
}

// A working set for k = 1 of 1000 units, which promised what `promise` says.
template <class Promise>
WorkingSet promised(const Promise& promise) {
  WorkingSet set;
  set.reset(1000, 1, 64);
  for (Index j = 0; j < 1000; ++j) set.note(j, promise(j));
  return set;
}

}  // namespace

TEST_CASE("roles_are_those_of_the_constraints", "[parts]") {
  const Roles roles(some_constraints(), 8);
  CHECK(roles.units() == 8);
  CHECK(roles.allowed() == 6);
  CHECK(roles.required() == std::vector<Index>{2, 6});
  for (Index j = 0; j < 8; ++j) {
    CHECK(roles.is_required(j) == (j == 2 || j == 6));
    CHECK(roles.is_excluded(j) == (j == 0 || j == 5));
    CHECK(roles.may_enter({1, 2, 6}, j) == (j == 3 || j == 4 || j == 7));
  }
}

TEST_CASE("roles_of_groups_are_those_of_their_members", "[parts]") {
  Constraints constraints;
  constraints.groups = {0, 0, 1, 2, 2, 3};
  constraints.always_in = {4, 3};
  constraints.never_in = {0};
  const Roles roles(constraints, constraints.units(6));
  CHECK(roles.units() == 4);
  CHECK(roles.required() == std::vector<Index>{2});
  CHECK(roles.is_excluded(0));
  CHECK(!roles.is_excluded(1));
  CHECK(roles.allowed() == 3);
}

TEST_CASE("roles_made_anew_forget_the_old_ones", "[parts]") {
  Roles roles(some_constraints(), 8);
  roles.reset({}, 3);
  CHECK(roles.units() == 3);
  CHECK(roles.allowed() == 3);
  CHECK(roles.required().empty());
  for (Index j = 0; j < 3; ++j) CHECK((!roles.is_required(j) && !roles.is_excluded(j)));
}

TEST_CASE("an_active_set_lets_free_units_move", "[parts]") {
  ActiveSet active(some_constraints(), 8);
  for (const std::vector<Index>& support : {std::vector<Index>{6, 1, 2}, {2, 6, 7}, {6, 2}}) {
    active.set(support);
    CHECK(active.size() == Index(support.size()));
    for (Index j = 0; j < 8; ++j) {
      const bool in = std::count(support.begin(), support.end(), j) > 0;
      CHECK(active.holds(j) == in);
      CHECK(active.may_enter(j) == (!in && j != 0 && j != 5));
    }
    for (std::size_t place = 0; place < support.size(); ++place)
      CHECK(active.may_leave(Index(place)) == (support[place] != 2 && support[place] != 6));
  }
  CHECK(!active.holds_all_allowed());
  active.set({1, 2, 3, 4, 6, 7});
  CHECK(active.holds_all_allowed());
}

TEST_CASE("a_working_set_holds_what_promises_most", "[parts]") {
  ActiveSet active(some_constraints(), 1000);
  active.set({2, 6, 900});
  WorkingSet set = promised([](Index j) { return double(j % 100); });
  set.renew(active);
  const std::vector<Index>& members = set.members();
  CHECK(Index(members.size()) == set.size());
  CHECK(std::is_sorted(members.begin(), members.end()));
  CHECK(!set.covers_all());
  // The active ones, of no great promise, are in; the others are those of the greatest, of equals the first.
  for (const Index j : {2, 6, 900}) CHECK(std::binary_search(members.begin(), members.end(), j));
  double least = 1000;
  for (const Index j : members)
    if (!active.holds(j)) least = std::min(least, set.promise(j));
  bool left_out = false;
  for (Index j = 0; j < 1000; ++j) {
    const bool in = std::binary_search(members.begin(), members.end(), j);
    if (!in) CHECK(set.promise(j) <= least);
    if (set.promise(j) == least && !active.holds(j)) {
      CHECK(!(in && left_out));
      left_out = left_out || !in;
    }
  }
}

TEST_CASE("excluded_units_are_in_no_working_set", "[parts]") {
  ActiveSet active(some_constraints(), 1000);
  WorkingSet set = promised([](Index j) { return j == 0 || j == 5 ? 1e9 : -double(j); });
  set.renew(active);
  CHECK(!std::binary_search(set.members().begin(), set.members().end(), Index(0)));
  CHECK(!std::binary_search(set.members().begin(), set.members().end(), Index(5)));
  set.choose_candidates(20, active);
  CHECK(set.candidates().count == 20);
  for (Index i = 0; i < 20; ++i) CHECK((set.candidates()[i] != 0 && set.candidates()[i] != 5));
}

TEST_CASE("a_working_set_goes_back_to_its_survey", "[parts]") {
  const ActiveSet active({}, 1000);
  WorkingSet set = promised([](Index j) { return double(j); });
  set.survey(active);
  const std::vector<Index> surveyed = set.members();
  for (Index j = 0; j < 1000; ++j) set.note(j, -double(j));
  set.renew(active);
  CHECK(set.members() != surveyed);
  CHECK(set.members()[0] == 0);
  set.add({500, 3, 3});
  CHECK(std::is_sorted(set.members().begin(), set.members().end()));
  CHECK(std::count(set.members().begin(), set.members().end(), 500) == 1);
  CHECK(std::count(set.members().begin(), set.members().end(), 3) == 1);
  set.restore();
  CHECK(set.members() == surveyed);
  CHECK(set.promise(7) == -7);
  set.restore_promises();
  CHECK(set.promise(7) == 7);
  set.renew(active);
  CHECK(set.members() == surveyed);
}

TEST_CASE("a_working_set_of_few_units_is_all_of_them", "[parts]") {
  const ActiveSet active({}, 30);
  WorkingSet set;
  set.reset(30, 4, 0);
  set.renew(active);
  CHECK(set.covers_all());
  CHECK(set.columns().list == nullptr);
  CHECK(set.columns().count == 30);
}

TEST_CASE("a_descent_that_comes_upon_another_joins_it", "[parts]") {
  SupportMemory memory;
  Trail trail;
  trail.reset(&memory);
  const auto pass = [&](const std::vector<Index>& support) {
    trail.try_support(support);
    trail.take();
    return trail.joins();
  };
  CHECK(!pass({1, 2}));
  CHECK(!pass({1, 2}));  // its own way
  trail.begin(1);
  CHECK(!pass({1, 3}));
  CHECK(pass({2, 1}));  // whatever the order
  CHECK(trail.joined() == 0);
  trail.begin(2);
  CHECK(trail.joined() == -1);
  CHECK(pass({3, 1}));
  CHECK(trail.joined() == 1);
  trail.follow(nullptr);
  trail.begin(3);
  CHECK(!pass({3, 1}));
}

TEST_CASE("what_a_refit_found_is_known_of_the_exchange_that_leads_there", "[parts]") {
  SupportMemory memory;
  Trail trail;
  trail.reset(&memory);
  trail.try_support({1, 2, 3});
  trail.learn(5.0, false);  // given up, since F was foreseen to end above 5
  trail.try_support({7, 2, 3});
  trail.take();
  CHECK(trail.is_above(7, 1, 5.0));
  CHECK(!trail.is_above(7, 1, 5.1));
  CHECK(!trail.is_above(7, 4, 5.0));
  CHECK(!trail.ended_above(7, 1, 5.0));
  trail.try_support({1, 2, 3});
  trail.learn(5.5, true);
  CHECK(trail.ended_above(7, 1, 5.5));
  trail.follow(nullptr);
  CHECK(!trail.is_above(7, 1, 5.0));
}

TEST_CASE("a_matrix_of_the_same_shape_keeps_its_memory", "[parts]") {
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Constant(2, 3, 7.0);
  const double* const before = matrix.data();
  set_shape(matrix, 2, 3);
  CHECK(matrix.data() == before);
  CHECK(matrix(1, 2) == 7.0);
  set_shape(matrix, 3, 2);
  CHECK((matrix.rows() == 3 && matrix.cols() == 2));
}
