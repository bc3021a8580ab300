"""Proofs of optimality and lists of near-optimal models, against the enumeration of all supports."""

from __future__ import annotations

import itertools
import pickle
import signal
import sys

import ksparse
import numpy as np
import pytest
from proof_problems import enumerate_supports, small_problem, worst_support
from reference import random_problem, refit
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
@pytest.mark.parametrize("block", range(14))
def test_proofs_agree_with_enumeration(block):
    """A bound is never above the least F of all supports, and a convex loss's proof ends at it, from any start."""
    for seed in range(block, 14 * 12, 14):
        X, y, k, settings = small_problem(seed)
        found = enumerate_supports(X, y, k, settings)
        best = min(found.values())
        convex = "ocal" not in type(settings["loss"]).__name__
        fits = [ksparse.fit(X, y, k, **settings)]
        fits.append(ksparse.fit(X, y, k, **{**settings, "search": "fast"}))
        object.__setattr__(fits[1], "support", worst_support(found, settings, X.shape[1]))  # a deliberately bad start
        for start in fits:
            proved = start.certify()
            assert proved.lower_bound <= best * (1 + 1e-11), seed
            assert proved.objective <= best * (1 + max(proved.gap, 1e-6) + 1e-9), seed
            assert proved.proof.optimal or not convex, seed
            if convex:
                assert proved.objective == pytest.approx(best, rel=1.5e-6), seed


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
@pytest.mark.parametrize("block", range(14))
def test_lists_of_models_agree_with_enumeration(block):
    """Every support within a distance of the best is listed, and no other one."""
    for seed in range(block, 14 * 6, 14):
        X, y, k, settings = small_problem(seed)
        found = enumerate_supports(X, y, k, settings)
        best, within = min(found.values()), 0.2
        models = ksparse.near_optimal(X, y, k, within=within, max_models=10**6, **settings)
        assert models.complete
        listed = {
            tuple(support.tolist()): objective for support, objective in zip(models.supports, models.objective, strict=True)
        }
        # A constant column adds nothing to a model with an intercept, and does not count as one of its features.
        constant = {j for j in range(X.shape[1]) if np.ptp(X[:, [j]].toarray() if sparse.issparse(X) else X[:, j]) == 0}
        sure = {s for s in found if not constant & set(s) or "groups" in settings}
        close = {s for s in sure if found[s] <= best * (1 + within - 1e-9)}
        if "bounds" in settings:  # features whose coefficients end at 0 are left out, so a model may have fewer than k
            same = {
                s: [t for t in listed if set(t) <= set(s) and listed[t] == pytest.approx(found[s], rel=1e-9, abs=1e-14)]
                for s in found
            }
            assert all(same[s] for s in close), seed
            assert {t for s in found for t in same[s]} == set(listed), seed
        else:
            assert close <= set(listed), seed
            assert {s for s in listed if s in found} == set(listed), seed
        for support, objective in listed.items():
            assert objective <= best * (1 + within + 1e-9), seed
            if "bounds" not in settings:
                assert objective == pytest.approx(found[support], rel=1e-9, abs=1e-14), seed


@pytest.mark.filterwarnings("ignore::ksparse.ConvergenceWarning")
@pytest.mark.parametrize("which", [(1003,), (158, 14, 4)])
def test_proof_ends_where_a_loss_has_little_curvature(which):
    """Steps of a relaxation are short there, and left gaps of 2.7 % and 0.1 %; the bound of a single support is that of its refit.

    In the first problem, that refit reaches its limit of iterations next to the minimum.
    """
    X, y, k, settings = small_problem(*which)
    assert settings["ridge"] == 0
    best = min(enumerate_supports(X, y, k, settings, strict=False).values())
    result = ksparse.fit(X, y, k, certify=True, **settings)
    assert result.lower_bound <= best * (1 + 1e-12)
    assert result.objective == pytest.approx(best, rel=1.5e-6)


def test_bound_is_below_an_independent_enumeration():
    """The least F of plain Newton refits in NumPy is not below the bound, and is that of the proved model."""
    for seed in range(6):
        problem = random_problem(seed, n=60, p=7, rho=0.8, ridge=(0.1, 0.01)[seed % 2])
        best = min(refit(problem, support) for support in itertools.combinations(range(7), 3))
        result = ksparse.fit(problem.X, problem.y, 3, certify=True, **problem.settings)
        assert result.lower_bound <= best * (1 + 1e-12)
        assert result.objective == pytest.approx(best, rel=1e-6)


def test_limits_leave_a_valid_bound():
    """A proof that is ended early says so, and its bound is below that of the whole proof."""
    problem = random_problem(1, n=80, p=40, rho=0.9, ridge=1e-3, signal=1.0)
    result = ksparse.fit(problem.X, problem.y, 5, certify=True, max_nodes=20, **problem.settings)
    assert result.proof.stopped == "max_nodes"
    assert not result.proof.optimal
    assert result.proof.n_open > 0
    assert "not proved optimal" in str(result)
    more = result.certify(max_nodes=2000)
    assert result.lower_bound <= more.lower_bound <= more.objective <= result.objective
    assert result.certify(max_gap=result.gap * 1.001).proof.optimal


def test_proof_does_not_depend_on_threads():
    """Nodes are solved in batches whose size does not depend on the number of threads."""
    problem = random_problem(2, n=80, p=30, rho=0.9, ridge=5e-3, signal=1.0)
    one, two = (ksparse.fit(problem.X, problem.y, 4, certify=True, n_jobs=jobs, **problem.settings) for jobs in (1, 2))
    assert one.proof == two.proof
    assert one.proof.n_nodes > 50


def test_path_is_proved_for_each_k():
    """The proofs of a path are those of single fits, and start from the best that is known."""
    problem = random_problem(7, n=100, p=20, rho=0.9, ridge=1e-2)
    path = ksparse.fit_path(problem.X, problem.y, range(5), certify=True, **problem.settings)
    single = [ksparse.fit(problem.X, problem.y, k, certify=True, **problem.settings) for k in range(5)]
    assert all(result.proof.optimal for result in path)
    np.testing.assert_allclose(path.objectives, [result.objective for result in single], rtol=1e-6)
    np.testing.assert_array_equal(path.lower_bounds, [result.proof.lower_bound for result in path])
    assert np.all(path.gaps <= 1e-6)


def test_estimators_are_proved():
    """The proof of an estimator is that of ksparse.fit, also of the best of a path, and max_seconds limits only the proof."""
    problem = random_problem(7, n=100, p=20, rho=0.9, ridge=1e-2)
    X, y = problem.X, problem.y
    numbers = X[:, 0] - X[:, 1] + y
    for estimator, responses, loss in (
        (ksparse.KSparseClassifier, y, {"loss": "logistic"}),
        (ksparse.KSparseRegressor, numbers, {"loss": "squared"}),
        (ksparse.KSparseMultiLabelClassifier, y, {"loss": "logistic"}),
    ):
        model = estimator(k=3, ridge=1e-2, certify=True, max_seconds=100, **loss).fit(X, responses)
        single = ksparse.fit(X, responses, 3, ridge=1e-2, certify=True, **loss)
        assert model.proof_ == model.result_.proof == single.proof
        assert model.proof_.optimal
        assert (model.lower_bound_, model.gap_) == (single.lower_bound, single.gap)
        assert model.set_params(certify=True, max_gap=0.5, max_nodes=1).fit(X, responses).proof_.max_gap == 0.5
        assert not hasattr(model.set_params(certify=False, max_seconds=None).fit(X, responses), "proof_")
    chosen = ksparse.KSparseClassifier("bic", k_max=4, ridge=1e-2, certify=True).fit(X, y)
    assert chosen.proof_.optimal
    assert chosen.path_[0].proof is None
    assert chosen.gap_ <= 1e-6


@pytest.mark.parametrize("k", [2, "bic"])
def test_each_class_and_label_is_proved(k):
    """Each of several fits of an estimator has a proof of its own, unless it could not be fitted."""
    problem = random_problem(8, n=150, p=12, rho=0.9)
    X = problem.X
    classes = np.digitize(X[:, 0] + X[:, 1] + problem.y, [-0.5, 1.0])
    model = ksparse.KSparseClassifier(k, k_max=3, ridge=1e-2, certify=True).fit(X, classes)
    assert [proof.optimal for proof in model.proof_] == [True, True, True]
    assert np.array_equal(model.lower_bound_, [proof.lower_bound for proof in model.proof_])
    assert np.array_equal(model.objective_, [proof.objective for proof in model.proof_])
    assert np.all(model.gap_ <= 1e-6)
    if k == "bic":
        return
    fits = [ksparse.fit(X, (classes == name).astype(float), k, ridge=1e-2, certify=True) for name in range(3)]
    np.testing.assert_allclose(model.objective_, [fit.objective for fit in fits], rtol=1e-6)
    labels = ksparse.KSparseMultiLabelClassifier(k, ridge=1e-2, certify=True)
    with pytest.warns(ConvergenceWarning):
        labels.fit(X, np.column_stack([classes == 0, classes < 9, classes == 2]).astype(int))
    assert labels.proof_[1] is None  # all rows have the label
    assert labels.proof_[0] == model.proof_[0]
    assert labels.gap_[2] == model.gap_[2]


def test_proofs_of_estimators_check_their_parameters():
    """What cannot be proved is said, before a fit begins where that is known."""
    problem = random_problem(0)
    for name, value in (("max_gap", 0.0), ("max_nodes", 0), ("max_seconds", -1.0)):
        with pytest.raises(ValueError, match=name):
            ksparse.KSparseClassifier(2, ridge=0.1, certify=True, **{name: value}).fit(problem.X, problem.y)
    with pytest.raises(TypeError, match="certify"):
        ksparse.KSparseClassifier(2, ridge=0.1, certify=1).fit(problem.X, problem.y)
    with pytest.raises(ValueError, match="ridge"):
        ksparse.KSparseRegressor(2, certify=True).fit(problem.X, problem.y)
    blocks = ksparse.RowBlocks(lambda: iter([problem.X]), problem.X.shape[1])
    with pytest.raises(ValueError, match="blocks"):
        ksparse.KSparseClassifier(2, ridge=0.1, certify=True).fit(blocks, problem.y)
    with pytest.raises(ValueError, match="blocks"):
        ksparse.fit(blocks, problem.y, 2, ridge=0.1, certify=True)


def test_what_makes_no_proof_possible_is_named():
    """Without a ridge or bounds there is no bound, and nothing is known of a loss of one's own."""
    problem = random_problem(0)
    settings = {**problem.settings, "ridge": 0.0}
    with pytest.raises(ValueError, match="ridge"):
        ksparse.fit(problem.X, problem.y, 2, certify=True, **settings)
    with pytest.raises(ValueError, match="bounds"):
        ksparse.near_optimal(problem.X, problem.y, 2, **settings, bounds=(0, None))
    for name, value in (("max_gap", 0.0), ("max_nodes", 0)):
        with pytest.raises(ValueError, match=name):
            ksparse.fit(problem.X, problem.y, 2, certify=True, **problem.settings, **{name: value})
    with pytest.raises(ValueError, match="within"):
        ksparse.near_optimal(problem.X, problem.y, 2, within=-1.0, **problem.settings)


def test_result_keeps_its_proof():
    """A proof is stored with its result, and printed with it."""
    problem = random_problem(3)
    plain = ksparse.fit(problem.X, problem.y, 2, **problem.settings)
    assert plain.proof is None
    assert plain.gap > 1e-6  # of the search alone
    result = plain.certify()
    assert "proved optimal" in str(result)
    again = pickle.loads(pickle.dumps(result))
    assert again.proof == result.proof
    assert again.gap == result.gap <= 1e-6
    assert result.coef is plain.coef


def test_near_optimal_models_can_be_read():
    """Features in all and in some models, replacements, coefficients, a table and a picture."""
    pytest.importorskip("matplotlib").use("Agg")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 12))
    X[:, 8] = X[:, 7] + 0.1 * rng.standard_normal(300)
    y = (X[:, 7] - X[:, 3] + 0.5 * rng.standard_normal(300) > 0).astype(float)
    models = ksparse.near_optimal(X, y, 2, ridge=0.01, within=0.3)
    assert models.complete
    assert models.in_all.tolist() == [3]
    assert set(models.in_some.tolist()) == {7, 8}
    assert len(models.in_none) == 9
    assert models.replacements() == [(7, 8, 1)]
    assert models.fit(1).objective == pytest.approx(models.objective[1], rel=1e-10)
    assert models.to_frame().shape == (2, 3)
    assert "2 models within 30 %" in str(models)
    assert models.plot().members.shape == (3, 2)
    assert len(pickle.loads(pickle.dumps(models))) == 2
    with pytest.warns(ksparse.ConvergenceWarning, match="max_models"):
        assert len(ksparse.near_optimal(X, y, 2, ridge=0.01, within=5.0, max_models=3)) == 3


def test_progress_tells_the_gap(monkeypatch):
    """A bar shows nodes and the gap; it is there only on request."""
    tqdm = pytest.importorskip("tqdm.auto")
    told = []

    class Bar(tqdm.tqdm):
        def set_postfix_str(self, s="", refresh=True):
            told.append(s)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    problem = random_problem(2, n=80, p=30, rho=0.9, ridge=5e-3, signal=1.0)
    result = ksparse.fit(problem.X, problem.y, 4, **problem.settings)
    result.certify()
    assert told == []
    result.certify(verbose=True)
    assert told
    assert told[-1].startswith("gap ")
    told.clear()
    ksparse.KSparseClassifier(4, certify=True, verbose=True, ridge=5e-3).fit(problem.X, problem.y)
    assert told
    told.clear()
    ksparse.near_optimal(problem.X, problem.y, 4, within=1e-3, **problem.settings)
    assert told == []
    ksparse.near_optimal(problem.X, problem.y, 4, within=1e-3, verbose=True, **problem.settings)
    assert told


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarm")
def test_interrupt_ends_a_proof():
    """Ctrl-C in the middle of a proof that would take hours raises KeyboardInterrupt."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 300)), (rng.random(200) < 0.5).astype(float)
    result = ksparse.fit(X, y, 10, ridge=1e-4, search="fast")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            result.certify(max_seconds=60, n_jobs=2)
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("groups", [None, [0, 1, 2, 3, 3]])
def test_near_optimal_lists_each_model_once_where_coefficients_end_at_a_bound(groups):
    """A feature whose coefficient is 0 at a bound is no part of a model; refits of several supports then end at the same model."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5))
    y = (X[:, 0] - X[:, 1] + rng.standard_normal(300) > 0).astype(float)
    settings = {"ridge": 0.01, "bounds": (0, [np.inf] * 3 + [0, 0]), "groups": groups}
    models = ksparse.near_optimal(X, y, 2, within=0.5, **settings)
    listed = [tuple(support.tolist()) for support in models.supports]
    assert models.complete
    assert len(set(listed)) == len(listed)
    for support, objective in zip(listed, models.objective, strict=True):
        members = [j for j in range(5) if (groups or range(5))[j] in support]
        fit = ksparse.fit(X[:, members] if members else X, y, len(members), ridge=0.01, bounds=(0, None))
        assert fit.objective == pytest.approx(objective, rel=1e-9)
        assert len(fit.support) == len(members)
    assert (0,) in listed
    assert not any(3 in support for support in listed)
