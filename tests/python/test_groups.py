"""Groups of features, all or nothing: against enumeration of groups with an independent solver."""

import itertools
import math

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
from hypothesis import given, settings
from ksparse import KSparseClassifier, KSparseClassifierCV
from reference import random_problem, refit
from test_constraints import bounded_minimum

WIDTHS = [1, 3, 2, 1, 2, 3]
GROUPS = np.repeat(np.arange(6), WIDTHS)


def shuffled_groups(rng):
    """Labels of 12 columns in any order."""
    return rng.permutation(GROUPS)


def best_of_groups(problem, groups, k, minimum, always=(), never=()):
    """Least F over all choices of k groups."""
    free = [g for g in range(6) if g not in always and g not in never]
    choices = itertools.combinations(free, min(k - len(always), len(free)))
    return min(minimum(np.flatnonzero(np.isin(groups, [*always, *rest]))) for rest in choices)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rho=st.sampled_from([0.0, 0.7, 0.9]),
    loss=st.sampled_from(["logistic", "focal"]),
    k=st.integers(1, 4),
    order=st.sampled_from("CF"),
)
def test_the_best_by_enumeration(seed, rho, loss, k, order):
    """Thorough search over six groups of one to three features."""
    problem = random_problem(seed, n=90, p=12, rho=rho, loss=loss, ridge=1e-2)
    groups = shuffled_groups(np.random.default_rng(seed))
    X = np.asarray(problem.X, order=order)
    result = ksparse.fit(X, problem.y, k, groups=groups, search="thorough", **problem.settings)
    assert result.converged
    chosen = np.unique(groups[result.support])
    assert result.groups.tolist() == chosen.tolist()
    assert len(chosen) <= k
    assert result.support.tolist() == np.flatnonzero(np.isin(groups, chosen)).tolist()
    best = best_of_groups(problem, groups, k, lambda support: refit(problem, support))
    assert result.objective == pytest.approx(best, rel=1e-7)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_with_other_constraints(seed):
    """Bounds, one group always in and one never, by any of their features."""
    problem = random_problem(seed, n=90, p=12, rho=0.6, ridge=1e-2)
    rng = np.random.default_rng(seed)
    groups = shuffled_groups(rng)
    lower, upper = np.where(rng.random(12) < 0.5, 0.0, -0.5), np.full(12, 0.4)
    always, never = rng.choice(6, 2, replace=False)
    result = ksparse.fit(
        problem.X,
        problem.y,
        3,
        groups=groups,
        bounds=(lower, upper),
        always_in=[np.flatnonzero(groups == always)[-1]],
        never_in=[np.flatnonzero(groups == never)[0]],
        search="thorough",
        **problem.settings,
    )
    assert never not in result.groups
    best = best_of_groups(problem, groups, 3, lambda s: bounded_minimum(problem, list(s), lower, upper), [always], [never])
    assert result.objective == pytest.approx(best, rel=1e-7)


def test_groups_of_one_are_features():
    """The same answer as without groups, labels of any kind."""
    problem = random_problem(1, n=300, p=150, rho=0.8, ridge=1e-3)
    plain = ksparse.fit(problem.X, problem.y, 5, **problem.settings)
    labels = np.array([f"g{j:03}" for j in range(150)])
    grouped = ksparse.fit(problem.X, problem.y, 5, groups=labels, **problem.settings)
    assert grouped.support.tolist() == plain.support.tolist()
    assert grouped.objective == pytest.approx(plain.objective, rel=1e-12)
    assert grouped.groups.tolist() == labels[plain.support].tolist()


@pytest.mark.parametrize("order", ["C", "F"])
def test_many_groups_search_in_a_working_set(order):
    """The groups that made the labels are found among 200, shifted and in odd units; a path is no worse, and falls."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 3)
    X = np.asarray(rng.standard_normal((600, 600)) * 10.0 ** rng.integers(-6, 6, 600) + 3.0, order=order)
    Z = (X - X.mean(0)) / X.std(0)
    truth = [17, 80, 150]
    eta = Z[:, np.isin(groups, truth)] @ rng.choice([-1.0, 1.0], 9)
    y = eta + rng.logistic(size=600) > 0
    path = ksparse.fit_path(X, y, range(6), groups=groups)
    assert path.at(3).groups.tolist() == truth
    assert (np.diff(path.objectives) <= 0).all()
    for k in (1, 3, 5):
        assert path.at(k).objective <= ksparse.fit(X, y, k, groups=groups, search="fast").objective * (1 + 1e-9)
    n, p, loss = 600, 200, path.at(3).objective
    ebic = 2 * n * loss + 10 * math.log(n) + 2 * math.log(math.comb(p, 3))
    assert path.criterion("ebic")[3] == pytest.approx(ebic, rel=1e-10)
    assert path.best("ebic").groups.tolist() == truth


@pytest.mark.parametrize("kind", [float, bool, str, object])
def test_labels_of_any_kind_tell_groups_apart(kind):
    """What counts is which are equal; labels come back as they were given."""
    problem = random_problem(5, n=150)
    numbers = np.array([0, 0, 1, 1, 0, 1, 1, 1])
    expected = ksparse.fit(problem.X, problem.y, 1, groups=numbers, **problem.settings)
    result = ksparse.fit(problem.X, problem.y, 1, groups=numbers.astype(kind), **problem.settings)
    np.testing.assert_array_equal(result.coef, expected.coef)
    assert result.groups.tolist() == expected.groups.astype(kind).tolist()


def test_indicators_of_a_category():
    """A full set of indicators is collinear with the intercept: the ridge makes the answer unique, and without it F is."""
    rng = np.random.default_rng(1)
    category = rng.integers(0, 4, 300)
    X = np.column_stack([np.eye(4)[category], rng.standard_normal((300, 6))])
    groups = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
    y = np.array([-1.0, 1.5, 0.0, 0.5])[category] + X[:, 5] + rng.logistic(size=300) > 0
    with_ridge = ksparse.fit(X, y, 2, groups=groups, ridge=1e-4)
    assert with_ridge.groups.tolist() == [0, 2]
    assert with_ridge.converged
    without = ksparse.fit(X, y, 2, groups=groups)
    assert without.groups.tolist() == [0, 2]
    assert without.objective <= with_ridge.objective


def test_estimators_alternatives_and_stability():
    """All take groups; alternatives are groups."""
    problem = random_problem(2, n=200, p=12, rho=0.8)
    labels = np.array(list("abcdef"))[GROUPS]
    result = ksparse.fit(problem.X, problem.y, 2, groups=labels, **problem.settings)
    found = result.alternatives(2)
    assert len(found.feature) == 4
    assert set(found.feature_names[found.feature]) == set(result.groups)
    for row in range(4):
        rest = [g for g in result.groups if g != labels[labels == found.feature_names[found.feature[row]]][0]]
        support = np.flatnonzero(np.isin(labels, [*rest, found.feature_names[found.replacement[row]]]))
        assert found.objective[row] == pytest.approx(refit(problem, support), rel=1e-9)
    for model in (
        KSparseClassifier(k=2, groups=labels, ridge=1e-2),
        KSparseClassifier(k="ebic", groups=labels, ridge=1e-2),
        KSparseClassifierCV(ks=[1, 2, 3], groups=labels, ridge=1e-2),
        KSparseClassifierCV(groups=labels, ridge=1e-2),
    ):
        model.fit(problem.X, problem.y)
        chosen = labels[model.support_]
        assert sorted(model.support_) == np.flatnonzero(np.isin(labels, chosen)).tolist()
    stable = ksparse.stability_selection(problem.X, problem.y, 2, rounds=20, groups=labels, **problem.settings)
    for support in stable.supports:
        assert len(set(labels[support])) <= 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"groups": [0, 1]}, ValueError, r"groups has shape \(2,\); it must have shape \(8,\), a label for each feature"),
        ({"groups": [0, 0, 0, 0, 0, 1, 1, np.nan]}, ValueError, r"groups\[7\] is nan"),
        ({"groups": np.zeros(8, complex)}, TypeError, "groups has dtype complex128"),
        (
            {"groups": [0, 0, 1, 2, 3, 4, 5, 6], "always_in": [0], "never_in": [1]},
            ValueError,
            "feature 0 of always_in and feature 1 of never_in are of one group",
        ),
        ({"groups": [0, 0, 1, 1, 2, 2, 3, 0.5]}, ValueError, r"groups\[7\] is 0.5; labels must be integers or strings"),
        ({"groups": [0, 0, 1, 1, 2, 2, 3, None]}, TypeError, r"groups\[7\] is None; labels must be integers or strings"),
        ({"groups": [[0, 1], [2, 3, 4]]}, TypeError, "it must be a label for each of the 8 features"),
        (
            {"groups": np.array([0, 0, 1, 1, 2, 2, 3, "a"], dtype=object)},
            TypeError,
            r"groups\[0\] is 0 but groups\[7\] is 'a'; labels must be integers or strings, all of one kind",
        ),
        (
            {"groups": [0, 0, 1, 2, 3, 4, 5, 6], "always_in": [0, 1, 2, 3, 4]},
            ValueError,
            "always_in names 4 groups but k is 3",
        ),
    ],
)
def test_what_cannot_be_is_named(arguments, error, message):
    """By its feature, with what was given."""
    problem = random_problem(3)
    with pytest.raises(error, match=message):
        ksparse.fit(problem.X, problem.y, 3, **arguments)
