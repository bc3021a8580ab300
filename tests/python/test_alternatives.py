"""Stand-ins for chosen features: every one by its own refit, and the best of all that there are."""

import pickle

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
        assert found.stand_in[rows].tolist() == [i for _, i in every[:3]]
        np.testing.assert_allclose(found.objective[rows], [value for value, _ in every[:3]], rtol=1e-9)
    np.testing.assert_allclose(found.increase, found.objective - result.objective)
    assert (found.increase >= -1e-12).all()


def test_a_copy_of_a_feature_is_its_first_stand_in():
    """At the same objective; constraints are kept to."""
    problem = random_problem(2, n=150, p=10, ridge=0.0)
    X = np.column_stack([problem.X, problem.X])
    result = ksparse.fit(X, problem.y, 2, never_in=range(15, 20))
    found = result.alternatives(1)
    for j, other, increase in zip(found.feature, found.stand_in, found.increase, strict=True):
        if j < 5 or j >= 10:
            assert other == (j + 10) % 20
            assert increase == pytest.approx(0, abs=1e-9)
    assert not set(found.stand_in) & set(range(15, 20))
    kept = ksparse.fit(X, problem.y, 2, always_in=[result.support[0]]).alternatives(2)
    assert result.support[0] not in kept.feature


def test_it_reads_well():
    """A line per chosen feature, a table with names."""
    pandas = pytest.importorskip("pandas")
    problem = random_problem(3, n=150)
    frame = pandas.DataFrame(problem.X, columns=[f"gene{j}" for j in range(8)])
    found = ksparse.fit(frame, problem.y, 2, **problem.settings).alternatives()
    assert repr(found).count("\n") == 2
    assert "gene" in repr(found)
    table = found.to_frame()
    assert list(table.columns) == ["feature", "stand_in", "objective", "increase"]
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
