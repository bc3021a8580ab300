"""Stand-ins for chosen features: every one by its own refit, and the best of all that there are."""

import pickle
import warnings

import ksparse
import numpy as np
import pytest
from ksparse import KSparseClassifier
from reference import random_problem, refit


@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_the_best_of_all_stand_ins(loss):
    """Against a refit of every exchange, in increasing order of the objective."""
    problem = random_problem(1, n=200, p=14, rho=0.8, loss=loss, ridge=1e-3)
    result = ksparse.fit(problem.X, problem.y, 3, **problem.settings)
    found = result.alternatives(3)
    assert found.feature.tolist() == np.repeat(result.support, 3).tolist()
    for j in result.support:
        rest = [i for i in result.support if i != j]
        every = sorted((refit(problem, [*rest, i]), i) for i in range(14) if i not in result.support)
        rows = found.feature == j
        assert found.replacement[rows].tolist() == [i for _, i in every[:3]]
        np.testing.assert_allclose(found.objective[rows], [value for value, _ in every[:3]], rtol=1e-9)
    np.testing.assert_allclose(found.increase, found.objective - result.objective)
    assert (found.increase >= -1e-12).all()


def test_a_copy_of_a_feature_is_its_first_stand_in():
    """At the same objective; constraints are kept to."""
    problem = random_problem(2, n=150, p=10, ridge=0.0)
    X = np.column_stack([problem.X, problem.X])
    result = ksparse.fit(X, problem.y, 2, never_in=range(15, 20))
    found = result.alternatives(1)
    for j, other, increase in zip(found.feature, found.replacement, found.increase, strict=True):
        if j < 5 or j >= 10:
            assert other == (j + 10) % 20
            assert increase == pytest.approx(0, abs=1e-9)
    assert not set(found.replacement) & set(range(15, 20))
    kept = ksparse.fit(X, problem.y, 2, always_in=[result.support[0]]).alternatives(2)
    assert result.support[0] not in kept.feature


def test_it_reads_well():
    """A title, a header and a line per chosen feature; a table with names."""
    pandas = pytest.importorskip("pandas")
    problem = random_problem(3, n=150)
    frame = pandas.DataFrame(problem.X, columns=[f"gene{j}" for j in range(8)])
    found = ksparse.fit(frame, problem.y, 2, **problem.settings).alternatives()
    assert repr(found).count("\n") == 3
    assert "gene" in repr(found)
    table = found.to_frame()
    assert list(table.columns) == ["feature", "replacement", "objective", "increase", "status"]
    assert len(table) == 10
    assert table["feature"].iloc[0].startswith("gene")


def test_without_data_or_features():
    """A pickled result and that of an estimator say why not; an empty support has none."""
    problem = random_problem(4)
    result = ksparse.fit(problem.X, problem.y, 2, **problem.settings)
    with pytest.raises(ValueError, match="does not refer to its data"):
        pickle.loads(pickle.dumps(result)).alternatives()
    with pytest.raises(ValueError, match="does not refer to its data"):
        KSparseClassifier(k=2, ridge=1e-2).fit(problem.X, problem.y).result_.alternatives()
    with pytest.raises(ValueError, match="n is 0; it must be >= 1"):
        result.alternatives(0)
    assert len(ksparse.fit(problem.X, problem.y, 0).alternatives().feature) == 0


def heavy_tailed(seed, loss):
    """Columns with heavy tails, every third time some far from 0; two of them matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((80, 6)) / np.sqrt(rng.chisquare(1.5, 80) / 1.5)[:, None]
    if seed % 3 == 0:
        X[:, :2] += 10 ** rng.uniform(0, 3)
    eta = X[:, 0] - X[:, 1]
    if loss in ("poisson", "gamma", "tweedie", "negative_binomial"):
        y = rng.poisson(np.exp(np.clip(eta, -5, 5))) + 1.0 * (np.arange(80) == 0)
        return X, y + rng.uniform(0.1, 1, 80) if loss == "gamma" else y
    return X, (eta + rng.logistic(size=80) > 0) * 1.0


@pytest.mark.parametrize(
    "loss", ["poisson", "exponential", "cloglog", "squared_hinge", "huberised_hinge", "focal", "gamma", "tweedie"]
)
def test_no_refit_is_left_half_way(loss):
    """Against a fit of the same features: coefficients that are left may put rows where no descent leads back."""
    for seed in range(36):
        X, y = heavy_tailed(seed, loss)
        settings = {"loss": loss, "fit_intercept": bool(seed % 2)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ksparse.ConvergenceWarning)
            result = ksparse.fit(X, y, 2, **settings)
            found = result.alternatives(4)
            for j, replacement, objective in zip(found.feature, found.replacement, found.objective, strict=True):
                features = [replacement, *(i for i in result.support if i != j)]
                direct = ksparse.fit(X, y, len(features), always_in=features, **settings)
                assert objective == pytest.approx(direct.objective, rel=1e-6, abs=1e-7), (seed, features)


def test_columns_far_from_zero_without_an_intercept():
    """One of a pair that balance each other leaves, and the means of the other are exp(2000)."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 4))
    X[:, :2] += 2000
    y = rng.poisson(np.exp(X[:, 0] - X[:, 1]))
    found = ksparse.fit(X, y, 2, loss="poisson", fit_intercept=False).alternatives(2)
    assert (found.status == "converged").all()
    direct = ksparse.fit(X, y, 2, loss="poisson", fit_intercept=False, always_in=[0, 2]).objective
    assert found.objective[(found.feature == 1) & (found.replacement == 2)] == pytest.approx(direct, rel=1e-9)
    assert found.increase.max() < 2


def test_a_refit_without_an_end_says_so():
    """In the status, the table and the text."""
    problem = random_problem(5, n=150, p=8)
    with pytest.warns(ksparse.ConvergenceWarning, match="max_iterations"):
        result = ksparse.fit(problem.X, problem.y, 2, max_newton=1, tolerance=1e-12)
    found = result.alternatives(1)
    assert (found.status == "max_iterations").all()
    assert repr(found).count(", max_iterations)") == 2


@pytest.mark.parametrize("n", [6, 10**8, 2**62, 2**70])
def test_more_than_there_are(n):
    """All features that are not chosen, each once, whatever number is asked for."""
    problem = random_problem(6, n=100, p=6)
    result = ksparse.fit(problem.X, problem.y, 2, **problem.settings)
    found = result.alternatives(n)
    rest = [j for j in range(6) if j not in result.support]
    for j in result.support:
        assert sorted(found.replacement[found.feature == j]) == rest
