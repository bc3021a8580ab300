"""The answer: between enumeration and single swaps, and the same as scikit-learn's on its support."""

import itertools

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
from hypothesis import given
from reference import best_by_enumeration, best_single_swap, exclusive_levels, objective, random_problem, refit, small_problems
from sklearn.linear_model import LogisticRegression


@given(problem=small_problems(), k=st.integers(0, 4))
def test_between_enumeration_and_single_swaps(problem, k):
    """F is never below the best of all supports, and no single swap lowers it."""
    k = min(k, problem.X.shape[1])
    got = ksparse.fit(problem.X, problem.y, k, **problem.settings)
    assert got.objective >= best_by_enumeration(problem, k) - 1e-10
    if len(got.support) == k:
        assert got.objective <= best_single_swap(problem, list(got.support)) * (1 + 1e-8) + 1e-12


@given(problem=small_problems(), k=st.integers(0, 9))
def test_objective_is_F_at_the_answer(problem, k):
    """What is reported is what a user computes from coef, and no refit of the support is lower."""
    got = ksparse.fit(problem.X, problem.y, min(k, problem.X.shape[1]), **problem.settings)
    assert got.objective == pytest.approx(objective(problem, got.coef, got.intercept), rel=1e-12)
    assert got.objective <= refit(problem, got.support) * (1 + 1e-10)
    assert list(got.support) == list(np.flatnonzero(got.coef))


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 0.1])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_same_objective_as_scikit_learn_on_the_support(seed, fit_intercept, ridge):
    """An independent solver on the chosen columns reaches the same F to 1e-9."""
    problem = random_problem(seed, n=150, p=30, ridge=ridge, fit_intercept=fit_intercept)
    got = ksparse.fit(problem.X, problem.y, 4, **problem.settings)
    C = 1 / (ridge * len(problem.y)) if ridge else np.inf
    model = LogisticRegression(C=C, fit_intercept=fit_intercept, solver="newton-cholesky", tol=1e-10, max_iter=200)
    model.fit(problem.X[:, got.support], problem.y)
    coef = np.zeros(30)
    coef[got.support] = model.coef_[0]
    theirs = objective(problem, coef, float(np.ravel(model.intercept_)[0]))
    assert got.objective == pytest.approx(theirs, rel=1e-9)
    np.testing.assert_allclose(got.coef, coef, atol=1e-5)


def test_objective_never_rises_with_k():
    """A larger budget contains the smaller one."""
    problem = random_problem(5, n=200, p=40, rho=0.8, ridge=0.0)
    values = [ksparse.fit(problem.X, problem.y, k).objective for k in range(9)]
    assert all(b <= a * (1 + 1e-9) for a, b in itertools.pairwise(values))


def test_example_data_reach_the_published_marks():
    """The optima of design.md; public solvers stop at 0.124139, 0.016978 and 0.009118."""
    data = ksparse.datasets.load_imbalanced_cancer()
    for settings, mark in [
        ({"loss": "logistic"}, 0.108536),
        ({"loss": "focal", "alpha": 0.5}, 0.014714),
        ({"loss": "focal", "alpha": 0.25}, 0.007858),
    ]:
        got = ksparse.fit(data.X_train, data.y_train, 8, fit_intercept=False, **settings)
        assert got.objective <= mark
        assert got.converged


@pytest.fixture(scope="module")
def rugged():
    """Return blocks of near-equal columns: many supports are almost as good as the best."""
    rng = np.random.default_rng(1)
    shared = np.repeat(rng.standard_normal((200, 20)), 8, axis=1)
    X = shared + 0.3 * rng.standard_normal(shared.shape) + rng.standard_normal((200, 2)) @ rng.standard_normal((2, 160))
    eta = X[:, ::20] @ np.linspace(-1.5, 1.5, 8)
    return X, (rng.random(200) < 1 / (1 + np.exp(-eta / eta.std()))).astype(float)


def test_more_search_is_never_worse(rugged):
    """Rounds start from the first descent's answer and keep the better; the counts say what was done."""
    X, y = rugged
    fast, auto, thorough = (ksparse.fit(X, y, 6, search=search, ridge=1e-4) for search in ("fast", "auto", "thorough"))
    assert fast.n_rounds == 0
    assert (fast.n_restarts, fast.times_found) == (0, 0)
    assert auto.objective <= fast.objective * (1 + 1e-9)
    assert thorough.objective <= fast.objective * (1 + 1e-9)
    assert thorough.n_rounds > 0
    assert 0 <= thorough.times_found <= thorough.n_restarts < thorough.n_rounds
    assert thorough.n_restarts > 0


def test_search_is_reproducible(rugged):
    """The same seed and budget give the same answer, to the last bit; the budget is kept."""
    X, y = rugged
    a, b = (ksparse.fit(X, y, 6, search="thorough", max_rounds=25, random_state=7, ridge=1e-4) for _ in range(2))
    np.testing.assert_array_equal(a.coef, b.coef)
    assert (a.n_rounds, a.n_refits, a.times_found) == (25, b.n_refits, b.times_found)


def test_a_limit_of_time_ends_the_search(rugged):
    """Rounds go on until then, not by the default budget."""
    X, y = rugged
    result = ksparse.fit(X, y, 6, search="thorough", max_seconds=1e-9, ridge=1e-4)
    assert result.n_rounds == 0
    assert ksparse.fit(X, y, 6, search="thorough", max_seconds=0.5, ridge=1e-4).n_rounds > 0


def test_a_number_of_refits_ends_the_search(rugged):
    """No round begins after that many beyond the first descent; the last may use some more, above all one that hides features."""
    X, y = rugged
    few, some, many = (
        ksparse.fit(X, y, 6, search="thorough", max_refits=limit, ridge=1e-4, random_state=1) for limit in (1, 101, 501)
    )
    assert few.n_rounds == 1
    assert 100 - 30 < some.n_refits - few.n_refits < 100 + 60
    assert 500 - 30 < many.n_refits - few.n_refits < 500 + 60
    assert many.objective <= some.objective * (1 + 1e-12) <= few.objective * (1 + 1e-12) ** 2


def test_walks_share_the_budget_and_the_answer_is_their_best(rugged):
    """Each walk is the search of its own seed; the result is the lowest end, with the work of all."""
    X, y = rugged
    settings = {"search": "thorough", "ridge": 1e-4}
    # The seeds of walks as options.hpp gives them; 31 rounds among three are 11 for each.
    alone = [
        ksparse.fit(X, y, 6, max_rounds=11, random_state=(5 + walk * 0x9E3779B97F4A7C15) % 2**64, **settings)
        for walk in range(3)
    ]
    best = min(alone, key=lambda end: end.objective)
    together = ksparse.fit(X, y, 6, max_rounds=31, random_state=5, walks=3, n_jobs=2, **settings)
    np.testing.assert_array_equal(together.coef, best.coef)
    assert together.n_refits == sum(end.n_refits for end in alone)
    assert together.n_rounds + 1 == sum(end.n_rounds + 1 for end in alone)
    ties = [end for end in alone if end.objective <= best.objective * (1 + 1e-9)]
    assert together.times_found == sum(end.times_found for end in ties)
    assert together.n_restarts == sum(end.n_restarts for end in alone)


def test_walks_do_not_depend_on_threads(rugged):
    """The same bits from one thread and from three, in the function and in the estimator."""
    X, y = rugged
    settings = {"search": "thorough", "ridge": 1e-4, "walks": 3}
    one, three = (ksparse.fit(X, y, 6, n_jobs=threads, **settings) for threads in (None, 3))
    np.testing.assert_array_equal(one.coef, three.coef)
    assert (one.n_rounds, one.n_refits, one.times_found) == (three.n_rounds, three.n_refits, three.times_found)
    estimator = ksparse.KSparseClassifier(k=6, n_jobs=3, **settings).fit(X, y)
    np.testing.assert_array_equal(estimator.coef_[0], one.coef)


def test_a_start_is_searched_from(rugged):
    """A start that is better than what a descent finds is kept or improved on; a bad one does no harm; both are one round more."""
    X, y = rugged
    settings = {"search": "fast", "ridge": 1e-4}
    alone = ksparse.fit(X, y, 6, **settings)
    best = ksparse.fit(X, y, 6, search="thorough", ridge=1e-4)
    assert best.objective < alone.objective * (1 - 1e-4)
    good = ksparse.fit(X, y, 6, start=best.support[::-1], **settings)
    assert good.objective <= best.objective * (1 + 1e-9)
    assert good.n_rounds == alone.n_rounds + 1
    bad = ksparse.fit(X, y, 6, start=[0, 1, 2], **settings)
    assert bad.objective <= alone.objective * (1 + 1e-12)
    again = ksparse.fit(X, y, 6, start=alone.support, **settings)
    np.testing.assert_array_equal(again.support, alone.support)
    assert again.times_found == 0  # the start was the answer: that it is found again says nothing


def test_a_start_keeps_to_the_constraints(rugged):
    """Features that must not be in are left out of it, those that must be are added; its end obeys bounds."""
    X, y = rugged
    best = ksparse.fit(X, y, 4, search="thorough", ridge=1e-4)
    never, always = int(best.support[0]), 1
    got = ksparse.fit(X, y, 4, start=best.support, never_in=[never], always_in=[always], bounds=(0, None), ridge=1e-4)
    assert never not in got.support
    assert always in got.support or got.coef[always] == 0
    assert (got.coef >= 0).all()
    groups = np.arange(X.shape[1]) // 4
    grouped = ksparse.fit(X, y, 2, start=[5, 6, 41], groups=groups, ridge=1e-4)
    assert grouped.objective <= ksparse.fit(X[:, np.isin(groups, [1, 10])], y, 8, ridge=1e-4).objective * (1 + 1e-9)


def test_warm_start_descends_from_the_last_choice(rugged):
    """As `start` does, when the problem is of the same classes and features and k allows it; else as if new."""
    X, y = rugged
    model = ksparse.KSparseClassifier(k=6, search="thorough", ridge=1e-4, warm_start=True).fit(X, y)
    thorough = model.support_
    model.set_params(search="fast").fit(X, y)
    np.testing.assert_array_equal(model.support_, thorough)
    cold = ksparse.KSparseClassifier(k=6, search="fast", ridge=1e-4).fit(X, y)
    assert not np.array_equal(cold.support_, thorough)
    for change in ({"k": 5}, {"X": X[:, :-1]}, {"y": np.array(["no", "yes"])[y.astype(int)]}):
        again = ksparse.KSparseClassifier(k=6, search="thorough", ridge=1e-4, warm_start=True).fit(X, y)
        settings = {"k": change.get("k", 6), "search": "fast", "ridge": 1e-4}
        again.set_params(**settings).fit(change.get("X", X), change.get("y", y))
        new = ksparse.KSparseClassifier(**settings).fit(change.get("X", X), change.get("y", y))
        np.testing.assert_array_equal(again.coef_, new.coef_)
    selector = ksparse.KSparseSelector(k=6, search="thorough", ridge=1e-4, warm_start=True).fit(X, y)
    np.testing.assert_array_equal(selector.set_params(search="fast").fit(X, y).support_, thorough)


@pytest.mark.parametrize("seed", [2, 6, 19])
def test_a_search_is_no_worse_than_fits_of_random_parts_of_the_features(seed):
    """Descents that change the first answer all came back to a worse one, also 400 of them; it takes some that hide features."""
    X, y = exclusive_levels(seed)
    rng = np.random.default_rng(0)
    settings = {"ridge": 1e-4, "search": "fast"}
    lowest = np.inf
    for _ in range(25):
        part = np.sort(rng.choice(X.shape[1], int(0.7 * X.shape[1]), replace=False))
        chosen = part[ksparse.fit(X[:, part], y, 4, **settings).support]
        lowest = min(lowest, ksparse.fit(X, y, 4, start=chosen, **settings).objective)
    for search in ("auto", "thorough"):
        assert ksparse.fit(X, y, 4, search=search, ridge=1e-4).objective <= lowest * (1 + 1e-8)


def test_a_short_search_ends_once_restarts_agree():
    """Where every restart comes back to one support, further ones are not worth their time; where they end elsewhere, they go on.

    A default fit made 40 rounds on either of these.
    """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 30))
    X[:, 10] = X[:, 3] + 0.03 * rng.standard_normal(300)  # a close competitor
    X[:, 11] = X[:, 9] + 0.03 * rng.standard_normal(300)
    y = (X[:, 3] - X[:, 9] + X[:, 20] + 0.5 * rng.standard_normal(300) > 0).astype(int)
    clear = ksparse.fit(X, y, 3, ridge=1e-3)
    assert 0 < clear.n_restarts == clear.times_found
    assert clear.n_rounds <= 24
    F = rng.standard_normal((300, 4)) @ rng.standard_normal((4, 60)) + 0.5 * rng.standard_normal((300, 60))
    eta = F[:, :8] @ rng.choice([-1.0, 1.0], 8)
    y = rng.random(300) < 1 / (1 + np.exp(-3 * eta / eta.std()))
    rugged = ksparse.fit(F, y, 8, ridge=1e-3)
    assert rugged.times_found < rugged.n_restarts
    assert rugged.n_rounds > clear.n_rounds


def test_a_short_search_hides_no_features_where_scans_are_expensive():
    """Each such round scans all features several times: they took two thirds of the time and found nothing."""
    rng = np.random.default_rng(1)
    blocks = np.repeat(rng.standard_normal((300, 100)), 10, axis=1)
    X = blocks + 0.2 * rng.standard_normal((300, 1000)) + 0.7 * rng.standard_normal((300, 3)) @ rng.standard_normal((3, 1000))
    eta = X[:, rng.choice(1000, 10, replace=False)] @ rng.choice([-1.0, 1.0], 10)
    y = rng.random(300) < 1 / (1 + np.exp(-3 * eta / eta.std()))
    got = ksparse.fit(X, y, 10)
    assert got.n_rounds >= 10
    assert got.n_restarts == 0
    assert ksparse.fit(X, y, 10, search="thorough").n_restarts > 0


def test_restarts_that_found_the_answer_are_counted():
    """Where one support is far better than all others, every restart comes back to it although its features were hidden."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 30))
    y = (X[:, 3] - X[:, 9] + X[:, 20] + 0.5 * rng.standard_normal(300) > 0).astype(int)
    got = ksparse.fit(X, y, 3, search="thorough", max_rounds=60, ridge=1e-3)
    assert got.n_restarts > 0
    assert got.times_found == got.n_restarts


@pytest.mark.parametrize("seed", range(3))
def test_twins_that_pay_only_together(seed):
    """Two near-equal columns, whose difference made the labels, are worth nothing one at a time; a long search tries every feature.

    Rounds that stayed near at hand came back to a worse answer a thousand times out of a thousand.
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((300, 300))
    difference = rng.standard_normal(300)
    X[:, 57] = X[:, 201] + 0.05 * difference
    y = (2 * difference + X[:, 3] - X[:, 9] + rng.logistic(size=300) > 0).astype(int)
    got = ksparse.fit(X, y, 4, search="thorough", max_rounds=1000)
    assert set(got.support) == {3, 9, 57, 201}


@given(problem=small_problems(), k=st.integers(1, 3))
def test_thorough_search_finds_the_best_of_all_supports(problem, k):
    """At this size a search of hundreds of rounds has seen nearly every support."""
    got = ksparse.fit(problem.X, problem.y, min(k, problem.X.shape[1]), search="thorough", **problem.settings)
    assert got.objective == pytest.approx(best_by_enumeration(problem, k), rel=1e-8)


def test_a_separating_support_ends_the_search():
    """Nothing lowers an objective of 0, so no round is made, however thorough the search was to be."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 200))
    y = X[:, 3] > 0
    with pytest.warns(ksparse.ConvergenceWarning, match="separable"):
        result = ksparse.fit(X, y, 4, search="thorough")
    assert (result.status, result.n_rounds) == ("separable", 0)


def heavy_tailed(seed):
    """Return features with Student's t of 2 degrees of freedom, and labels that three of them made."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((60, 6)) / np.sqrt(rng.chisquare(2, 60) / 2)[:, None]
    return X, (2 * (X[:, 0] + X[:, 1] - 2 * X[:, 2]) + rng.gumbel(size=60) > 0) * 1


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")  # classes that can only just not be separated
@pytest.mark.parametrize("search", ["fast", "auto", "thorough"])
@pytest.mark.parametrize(
    ("loss", "seeds"),
    [
        ("squared_hinge", [263, 332, 352, 409, 541, 573, 635, 661]),
        ("huberised_hinge", [24, 273, 325, 363, 447, 540, 543, 583]),
        ("exponential", [105, 305]),
    ],
)
def test_no_swap_that_the_model_holds_to_be_useless_improves_an_answer(loss, seeds, search):
    """Where curvature stands in for none, or features have heavy tails, some of the few swaps were never tried."""
    for seed in seeds:
        X, y = heavy_tailed(seed)
        got = ksparse.fit(X, y, 3, loss=loss, search=search)
        for i, leaving in enumerate(got.support):
            for entering in np.setdiff1d(np.arange(6), got.support):
                columns = np.append(np.delete(got.support, i), entering)
                swapped = ksparse.fit(X[:, columns], y, 3, loss=loss, always_in=range(3))
                assert swapped.objective >= got.objective * (1 - 1e-7), (seed, leaving, entering)


def test_a_path_is_swap_optimal_where_swaps_are_few():
    """Entries end like single fits."""
    X, y = heavy_tailed(661)
    assert ksparse.fit_path(X, y, [1, 2, 3], loss="squared_hinge").at(3).objective < 0.1096


@pytest.mark.parametrize("batch", [False, True])
def test_two_features_for_two_others(batch):
    """The default search finds a better support that no single exchange leads to, one fit alone or in a batch; one descent does not."""
    rng = np.random.default_rng(24)
    X = rng.standard_normal((200, 120))
    eta = X[:, rng.choice(120, 6, replace=False)] @ rng.uniform(0.3, 1, 6)
    y = eta + 1.5 * rng.standard_normal(200)
    better = ksparse.fit(X, y, 9, loss="squared", always_in=[57, 78, 82, 88, 90, 96, 98, 109, 116]).objective
    if batch:
        found = ksparse.fit_many(X, y[:, None], 9, loss="squared")[0].objective
    else:
        found = ksparse.fit(X, y, 9, loss="squared").objective
    assert found <= better * (1 + 1e-9)
    assert found < ksparse.fit(X, y, 9, loss="squared", search="fast").objective * (1 - 1e-4)


@pytest.mark.parametrize("loss", ["squared_hinge", "huberised_hinge"])
def test_no_exchange_improves_a_hinge_of_some_more_features(loss):
    """With 21 to 49 exchanges as well: the curvature that stands in for none holds good ones to be useless."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p, k = int(rng.integers(10, 15)), int(rng.integers(3, 7))
        X = rng.standard_normal((80, p)) / np.sqrt(rng.chisquare(2, 80) / 2)[:, None]
        y = X[:, 0] + X[:, 1] - 2 * X[:, 2] + rng.gumbel(size=80) > 0
        result = ksparse.fit(X, y, k, loss=loss)
        assert result.alternatives(p).increase.min() >= -1e-9 * max(result.objective, 1e-12)
