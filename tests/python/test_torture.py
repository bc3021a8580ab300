"""Numerical torture: at every answer, Newton's method in 50 digits on the chosen support finds nothing lower.

An answer that says ``converged`` is a minimum on its support, F to 1e-10; another status says what was in the way. F of an answer
is always F at its coefficients.
"""

import warnings

import ksparse
import mpmath
import numpy as np
import pytest
from mpmath import mpf
from reference import random_problem

ROWS = random_problem(4, n=80, p=8, ridge=0.0)


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(50):
        yield


class Exact:
    """F of the documentation on some columns, in mpmath; equal rows are put together."""

    def __init__(
        self,
        X,
        y,
        support,
        loss="logistic",
        alpha=0.5,
        gamma=2.0,
        ridge=0.0,
        fit_intercept=True,
        sample_weight=None,
        offset=None,
        **_,
    ):
        n = len(y)
        weights = np.ones(n) if sample_weight is None else sample_weight
        offset = np.zeros(n) if offset is None else offset
        intercept = np.ones((n, int(fit_intercept)))
        kinds, count = np.unique(np.column_stack([X[:, support], intercept, y, offset, weights]), axis=0, return_counts=True)
        a = {1.0: mpf(alpha), 0.0: 1 - mpf(alpha)} if loss == "focal" else {1.0: mpf(1), 0.0: mpf(1)}
        parts = [times * mpf(row[-1]) for row, times in zip(kinds.tolist(), count.tolist(), strict=True)]
        total = mpmath.fsum(parts)
        self.gamma = mpf(gamma) if loss == "focal" else mpf(0)
        self.rows = [
            (list(map(mpf, z)), int(2 * label - 1), mpf(shift), a[label] * part / total)
            for (*z, label, shift, _), part in zip(kinds.tolist(), parts, strict=True)
        ]
        self.penalty = [mpf(ridge)] * len(support) + [mpf(0)] * int(fit_intercept)

    def terms(self, m):
        """Value, slope and curvature of the loss."""
        e = mpmath.exp(-abs(m))  # mpmath's exponents have no end
        p, q = (1 / (1 + e), e / (1 + e)) if m >= 0 else (e / (1 + e), 1 / (1 + e))
        softplus, f, g = max(-m, mpf(0)) + mpmath.log1p(e), q**self.gamma, self.gamma
        return f * softplus, -f * (g * p * softplus + q), f * p * (g * softplus * (g * p - q) + (2 * g + 1) * q)

    def value(self, b):
        """F."""
        loss = mpmath.fsum(w * self.terms(s * (o + mpmath.fdot(z, b)))[0] for z, s, o, w in self.rows)
        return loss + mpmath.fsum(r * x * x for r, x in zip(self.penalty, b, strict=True)) / 2

    def derivatives(self, b):
        """Gradient and Hessian of F."""
        d = len(b)
        gradient, hessian = mpmath.matrix([r * x for r, x in zip(self.penalty, b, strict=True)]), mpmath.diag(self.penalty)
        for z, s, o, w in self.rows:
            _, slope, curvature = self.terms(s * (o + mpmath.fdot(z, b)))
            for i in range(d):
                gradient[i] += w * s * slope * z[i]
                for j in range(i + 1):
                    hessian[i, j] += w * curvature * z[i] * z[j]
                    hessian[j, i] = hessian[i, j]
        return gradient, hessian

    def descend(self, b):
        """Return the least F that Newton's method finds from b, with the eigenvalues of the scaled Hessian made positive."""
        F = self.value(b)
        for _ in range(60 if b else 0):
            gradient, hessian = self.derivatives(b)
            scale = mpmath.diag([1 / mpmath.sqrt(abs(hessian[i, i])) for i in range(len(b))])
            values, vectors = mpmath.eigsy(scale * hessian * scale)
            turned = vectors.T * (scale * gradient)
            step = (
                scale * vectors * mpmath.matrix([-t / max(abs(v), mpf("1e-40")) for t, v in zip(turned, values, strict=True)])
            )
            if -mpmath.fdot(gradient, step) < mpf("1e-30") * F:
                return F
            for halving in range(60):
                trial = [x + y / 2**halving for x, y in zip(b, step, strict=True)]
                if self.value(trial) < F:
                    break
            else:
                return F
            b, F = trial, self.value(trial)
        return F


def fit_and_judge(X, y, k, **settings):
    """Fit; hold the answer against exact arithmetic; return it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ksparse.ConvergenceWarning)
        result = ksparse.fit(X, y, k, **settings)
    exact = Exact(X, y, result.support, **settings)
    b = [mpf(x) for x in result.coef[result.support].tolist() + [result.intercept] * settings.get("fit_intercept", True)]
    digits = 1e-10 if result.converged else 1e-8  # coefficients that run away cancel each other
    reported, value, least = mpf(result.objective), exact.value(b), mpf("1e-300")  # F may be too small for a double
    assert abs(value - reported) <= digits * value + least
    if result.converged and reported > 1e-9:  # below, F counts as 0
        assert reported <= exact.descend(b) * (1 + 1e-10)
    return result


both_losses = pytest.mark.parametrize("loss", [{}, {"loss": "focal"}], ids=["logistic", "focal"])


def economy(n=100):
    """Columns like Longley's of 1967: a common trend, other units, and a calendar year far from zero."""
    rng = np.random.default_rng(0)
    trend = np.arange(n) / 10
    level, slope, noise = (
        np.array([83, 234289, 2000, 1500, 107608, 1947]),
        np.array([2, 20000, 150, 80, 1400, 1]),
        np.array([0.3, 3000, 500, 300, 50, 0]),
    )
    X = level + trend[:, None] * slope + rng.standard_normal((n, 6)) * noise
    rise = (X[:, 0] - X[:, 0].mean()) / 5 + (X[:, 2] - X[:, 2].mean()) / 500
    return X, (rng.random(n) < 1 / (1 + np.exp(-rise))).astype(float)


@both_losses
@pytest.mark.parametrize("more", [{}, {"fit_intercept": False}, {"ridge": 1e-6}])
def test_collinear_columns_far_from_zero(loss, more):
    """All six, with the condition of X near 1e10."""
    result = fit_and_judge(*economy(), 6, **loss, **more)
    assert result.converged
    assert len(result.support) == 6


@both_losses
@pytest.mark.parametrize("apart", [1e-8, 1e-14])
def test_twin_columns(loss, apart):
    """Chosen freely, one twin stands for both once they differ too little to tell; both are kept if they must be in."""
    noise = np.random.default_rng(0).standard_normal(80)
    X = np.column_stack([ROWS.X[:, :3], ROWS.X[:, 0] * (1 + apart * noise)])
    free = fit_and_judge(X, ROWS.y, 4, **loss)
    assert free.converged
    assert len({0, 3} & set(free.support.tolist())) == 1
    penalised = fit_and_judge(X, ROWS.y, 4, always_in=[0, 3], ridge=1e-8, **loss)
    assert penalised.converged
    np.testing.assert_allclose(penalised.coef[0], penalised.coef[3], atol=1e-2)
    forced = fit_and_judge(X, ROWS.y, 4, always_in=[0, 3], **loss)
    assert {0, 3} < set(forced.support.tolist())
    assert forced.objective <= free.objective * (1 + 1e-10)


@pytest.mark.parametrize("combined", [False, True])
@pytest.mark.parametrize(("apart", "shift"), [(1e-4, 0), (1e-4, 1e3), (1e-10, 0), (1e-10, 1e3), (1e-13, 0), (0, 0), (0, 1e3)])
def test_twins_that_must_be_in_are_told_from_copies(apart, shift, combined):
    """What they allow is out of reach of doubles if they all but agree; of an exact copy there is nothing to be had."""
    X = ROWS.X[:, :3] + shift
    twin = X[:, 0] + apart * np.random.default_rng(0).standard_normal(80)
    if combined:
        twin = 3 * twin + 2 * X[:, 1]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = ksparse.fit(np.column_stack([X, twin]), ROWS.y, 4, always_in=[0, 1, 3])
    can_be_told = apart in (0, 1e-4)
    assert result.converged == can_be_told
    assert len(caught) == (not can_be_told)


@both_losses
@pytest.mark.parametrize(("p", "condition"), [(6, "badly"), (10, "hopeless")])
def test_hilbert_columns(loss, p, condition):
    """1 / (i + j - 1): every feature as far as the digits go, then a status; a ridge helps."""
    rng = np.random.default_rng(0)
    X = 1 / (np.arange(1, 61)[:, None] / 10 + np.arange(p))
    y = (rng.random(60) < np.linspace(0.3, 0.7, 60)).astype(float)
    everything = list(range(p))
    result = fit_and_judge(X, y, p, always_in=everything, **loss)
    assert result.converged or condition == "hopeless"
    fit_and_judge(X, y, p, **loss)
    assert fit_and_judge(X, y, p, always_in=everything, ridge=1e-9, **loss).converged


@both_losses
@pytest.mark.parametrize("exponent", [-100, 100, 300])
@pytest.mark.parametrize("more", [{}, {"fit_intercept": False}, {"ridge": 1e-2}])
def test_scales(loss, exponent, more):
    """All columns in other units: the same answer in these, but for a ridge, which is then nothing or too much."""
    result = fit_and_judge(ROWS.X * 10.0**exponent, ROWS.y, 3, **loss, **more)
    assert result.converged
    if "ridge" not in more:
        same = ksparse.fit(ROWS.X, ROWS.y, 3, **loss, **more)
        np.testing.assert_array_equal(result.support, same.support)
        np.testing.assert_allclose(result.coef * 10.0**exponent, same.coef, rtol=1e-6)
    elif exponent < 0:
        alone = ksparse.fit(ROWS.X, ROWS.y, 0, **loss)
        assert result.objective == pytest.approx(alone.objective, rel=1e-12)


@both_losses
@pytest.mark.parametrize("ridge", [0.0, 1e-3])
def test_columns_of_different_scales(loss, ridge):
    """From 1e-100 to 1e100 side by side."""
    X = ROWS.X * 10.0 ** np.array([100, -100, 50, -50, 0, 10, -10, 1])
    assert fit_and_judge(X, ROWS.y, 5, ridge=ridge, **loss).converged


@both_losses
def test_quasi_separation(loss):
    """A flag of positives alone, and two rows that touch: no minimum, as the status says; a ridge of any size makes one."""
    flag = (ROWS.y == 1) & (np.random.default_rng(0).random(80) < 0.3)
    touching = np.r_[-np.arange(1.0, 50), 0, 0, np.arange(1.0, 50)][:, None], np.r_[np.zeros(50), np.ones(50)]
    for X, y in ((np.column_stack([ROWS.X[:, :3], flag]), ROWS.y), touching):
        k = X.shape[1]
        assert fit_and_judge(X, y, k, **loss).status == "separable"
        for ridge in (1e-14, 1e-9):
            assert fit_and_judge(X, y, k, ridge=ridge, **loss).converged


@pytest.mark.parametrize(
    "settings",
    [
        {"ridge": 1e-6},
        {"loss": "focal", "ridge": 1e-8},
        {"loss": "focal", "alpha": 0.99, "gamma": 5.0, "ridge": 1e-8},
        {"loss": "focal"},
    ],
)
def test_one_positive_among_very_many(settings):
    """F is some 1e-5 and less; its digits count all the same."""
    X = np.random.default_rng(0).integers(0, 3, (100_000, 2)).astype(float)
    y = np.zeros(100_000)
    y[17] = 1
    assert fit_and_judge(X, y, 0, **settings).converged
    result = fit_and_judge(X, y, 1, search="fast", **settings)
    assert result.status == ("converged" if settings.get("ridge") else "separable")


@both_losses
@pytest.mark.parametrize("ridge", [0.0, 1e-6])
def test_weights_over_sixteen_orders(loss, ridge):
    """A few rows are nearly all of F, and the others still count."""
    weights = 10.0 ** np.random.default_rng(1).uniform(-8, 8, 80)
    result = fit_and_judge(ROWS.X, ROWS.y, 3, sample_weight=weights, ridge=ridge, **loss)
    assert result.converged or not ridge


@pytest.mark.parametrize("size", [0.5, 3.0, 30.0])
@pytest.mark.parametrize("gamma", [2.0, 10.0])
@pytest.mark.parametrize("ridge", [0.0, 1e-4])
def test_all_points_misfit_at_the_start(size, gamma, ridge):
    """Out where the focal loss is concave: a local minimum, and one that is better than the start."""
    offset = np.where(ROWS.y == 1, -size, size)
    result = fit_and_judge(ROWS.X, ROWS.y, 3, loss="focal", gamma=gamma, offset=offset, ridge=ridge)
    assert result.converged
    assert result.objective < ksparse.fit(ROWS.X, ROWS.y, 0, loss="focal", gamma=gamma, offset=offset).objective


@pytest.mark.parametrize("size", [50.0, 300.0, 1000.0])
@pytest.mark.parametrize("gamma", [2.0, 5.0, 10.0])
def test_no_curvature_is_left_at_the_start(size, gamma):
    """The Newton step from there is 1e100 and more, too long to be halved until it fits; these fits ended as stalled."""
    y = np.array([0.0, 1.0, 1.0])
    offset = np.array([size, -size, -size])
    assert fit_and_judge(np.zeros((3, 1)), y, 0, loss="focal", gamma=gamma, offset=offset).converged


@pytest.mark.parametrize("groups", [None, [0, 0]])
def test_far_out_no_feature_makes_it_worse(groups):
    """The model of an entering feature is of next to no curvature there; its step led to F = 1e128, and the fit ended there."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(3, 7))
        X = rng.integers(-2, 3, (n, 2)).astype(float)
        y = np.r_[0.0, 1.0, rng.integers(0, 2, n - 2)]
        size, gamma = rng.choice([50.0, 300.0, 1000.0]), rng.choice([0.0, 2.0, 10.0])
        settings = {"loss": "focal", "gamma": gamma, "offset": np.where(y == 1, -size, size)}
        alone = fit_and_judge(X, y, 0, **settings)
        assert fit_and_judge(X, y, 1, groups=groups, **settings).objective <= alone.objective * (1 + 1e-9)


def test_no_answer_out_where_coefficients_are_all_that_is_left_of_a_margin():
    """With coefficients of 1e76 that cancel, the offset is rounding; F was 0.55 without it, and 518.9 at the answer."""
    X = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    offset = np.array([1.0, 1.0, 446.771, 1593.9, 1000.0])
    result = fit_and_judge(X, np.array([1.0, 1.0, 1.0, 0.0, 0.0]), 1, offset=offset, ridge=1e-300)
    assert result.objective == pytest.approx((1593.9 + 1000 - 446.771 - 1) / 5, rel=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("settings", [{}, {"loss": "focal"}, {"loss": "focal", "gamma": 10.0}])
def test_labels_flipped_at_random(share, settings):
    """Little or no signal."""
    rng = np.random.default_rng(2)
    y = np.where(rng.random(80) < share, 1 - ROWS.y, ROWS.y)
    assert fit_and_judge(ROWS.X, y, 4, **settings).converged


@pytest.mark.parametrize("positives", [1, 40, 79])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"loss": "focal"},
        {"loss": "focal", "gamma": 10.0, "alpha": 1e-6},
        {"loss": "focal", "gamma": 0.1, "alpha": 0.999},
    ],
)
def test_the_intercept_alone(positives, settings):
    """Any share of positives, any weights."""
    y = (np.arange(80) < positives).astype(float)
    weights = 10.0 ** np.random.default_rng(3).uniform(-8, 8, 80)
    assert fit_and_judge(ROWS.X, y, 0, **settings).converged
    assert fit_and_judge(ROWS.X, y, 0, sample_weight=weights, **settings).converged
