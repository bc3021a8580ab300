"""Losses against mpmath, over the whole range."""

import pickle

import exact_losses
import ksparse
import mpmath
import numpy as np
import pytest
from ksparse import losses
from ksparse._loss import terms_by_eta
from ksparse._probability import probability
from scipy.special import expit
from sklearn.base import clone

GAMMAS = [0.0, 0.5, 1.0, 1.7, 2.0, 3.0, 4.0, 5.0, 7.3, 10.0]


def exact_terms(m, gamma, alpha):
    """Value, slope and curvature with 60 digits, rounded to double."""
    with mpmath.workdps(60 + int(abs(m))):
        m, g, a = mpmath.mpf(m), mpmath.mpf(gamma), mpmath.mpf(alpha)
        p, q = 1 / (1 + mpmath.exp(-m)), 1 / (1 + mpmath.exp(m))
        s = mpmath.log1p(mpmath.exp(-m))
        f = a * q**g
        terms = f * s, -f * (g * p * s + q), f * p * (g * s * (g * p - q) + (2 * g + 1) * q)
        # The curvature is a difference where it changes sign: its own scale there is that of its two terms.
        scale = f * p * (g * s * (g * p + q) + (2 * g + 1) * q)
        return [float(t) for t in terms], [abs(float(terms[0])), abs(float(terms[1])), float(scale)]


@pytest.mark.parametrize("gamma", GAMMAS)
def test_terms_agree_with_mpmath(gamma):
    """Relative error at most 1e-10 from -800 to 800, wherever the true value is a normal number."""
    margins = np.concatenate([np.linspace(-800, 800, 81), np.linspace(-40, 40, 81), [-1e-9, 0.0, 1e-9, 709.5, 745.2]])
    got = ksparse.loss_terms(margins, True, loss="focal", alpha=0.3, gamma=gamma)
    for i, m in enumerate(margins):
        exact, scales = exact_terms(m, gamma, 0.3)
        for which in range(3):
            error = abs(got[which][i] - exact[which])
            assert error <= 1e-10 * scales[which] + 1e-305, (m, which, got[which][i], exact[which])


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("loss", ["logistic", "focal"])
def test_terms_are_finite_for_every_finite_margin(loss, gamma):
    """Overflow of a term would stop a solver that any margin can reach."""
    sizes = np.array([0.0, 5e-324, 1.0, 36.0, 708.0, 710.0, 745.0, 746.0, 1e4, 1e100, 1e300])
    for terms in ksparse.loss_terms(np.concatenate([-sizes, sizes]), loss=loss, gamma=gamma):
        assert np.isfinite(terms).all()


def test_labels_choose_the_class_weight():
    """Alpha belongs to the positive class, 1 - alpha to the negative one, and logistic has neither."""
    m = np.array([-1.0, 0.5])
    positive = ksparse.loss_terms(m, True, loss="focal", alpha=0.2)[0]
    negative = ksparse.loss_terms(m, False, loss="focal", alpha=0.2)[0]
    np.testing.assert_allclose(positive * 4, negative, rtol=1e-14)
    np.testing.assert_array_equal(ksparse.loss_terms(m, True)[0], ksparse.loss_terms(m, [False, False])[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_margin_that_is_not_finite_is_refused(bad):
    """No silent NaN."""
    with pytest.raises(ValueError, match="margin"):
        ksparse.loss_terms([0.0, bad])


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_probability_inverts_the_pointwise_minimum(gamma):
    """At the eta that minimises pi l(eta) + (1 - pi) l(-eta), the probability is pi (found here by bisection)."""
    for pi in (1e-6, 0.01, 0.3, 0.5, 0.9, 1 - 1e-6):
        low, high = -60.0, 60.0
        for _ in range(200):
            eta = (low + high) / 2
            up = ksparse.loss_terms(eta, loss="focal", gamma=gamma)[1]
            down = ksparse.loss_terms(-eta, loss="focal", gamma=gamma)[1]
            low, high = (eta, high) if pi * up - (1 - pi) * down < 0 else (low, eta)
        assert probability(np.array([eta]), gamma)[0] == pytest.approx(pi, rel=1e-9)


def test_probability_is_monotone_and_symmetric_to_the_ends():
    """No NaN far out, where slopes underflow, and no jump where the series takes over."""
    eta = np.linspace(-1000, 1000, 20001)
    p = probability(eta, 2.0)
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p) >= 0).all()
    np.testing.assert_allclose(p + p[::-1], 1, atol=1e-14)


RESPONSES = {
    "binary": [0.0, 1.0],
    "finite": [-3.5, 0.0, 2.25],
    "not_negative": [0.0, 1e-6, 1.0, 7.0, 1e4],
    "positive": [1e-6, 1.0, 12.5, 1e4],
}
ALL = [(name, parameters) for name in losses.BY_NAME for parameters in exact_losses.PARAMETERS.get(name, [()])]
LINEAR_PREDICTORS = np.concatenate([np.linspace(-30, 30, 61) + 0.013, [-640, -200, -60, 60, 200, 640, -1e-9, 1e-9]])


def points_of(name, parameters):
    """Return the loss, and linear predictors against every response that it is tested with."""
    loss = losses.BY_NAME[name](*parameters)
    return loss, np.meshgrid(LINEAR_PREDICTORS, RESPONSES[loss.responses])


@pytest.mark.parametrize(("name", "parameters"), ALL)
def test_every_loss_agrees_with_mpmath(name, parameters):
    """Relative error at most 1e-10, far tails and the neighbourhood of a perfect fit included, where numbers are normal."""
    loss, (eta, y) = points_of(name, parameters)
    near = np.log(np.maximum(y, 1e-9)) + np.linspace(-0.7, 0.7, eta.shape[1])  # of a mean, by the log link, or of y = 1
    eta = np.hstack([eta, near])
    y = np.hstack([y, y])
    got = terms_by_eta(loss, eta, y)
    for i in np.ndindex(eta.shape):
        for which, exact in enumerate(exact_losses.exact_terms(name, float(eta[i]), float(y[i]), parameters)):
            true = float(exact)
            if abs(true) > 1e278:
                continue  # held from there on
            # Next to a perfect fit, where slope and value vanish, what is left is a rounding of eta, or of log y.
            rounding = 4e-16 * (1 + abs(eta[i]))
            of_rounding = (abs(got[1][i]) + got[2][i] * rounding) * rounding if which == 0 else got[2][i] * rounding
            allowed = 1e-10 * abs(true) + 1e-290 + (of_rounding if which < 2 else 0.0)
            assert abs(got[which][i] - true) <= allowed, (eta[i], y[i], which, got[which][i], true)


@pytest.mark.parametrize(("name", "parameters"), ALL)
def test_every_loss_is_finite_and_not_negative(name, parameters):
    """Tolerances are relative to F, and no linear predictor that a search comes upon may end in NaN."""
    sizes = np.array([0.0, 5e-324, 1.0, 36.0, 708.0, 710.0, 745.0, 746.0, 1e4, 1e100])
    loss = losses.BY_NAME[name](*parameters)
    eta, y = np.meshgrid(np.concatenate([-sizes, sizes]), RESPONSES[loss.responses])
    value, slope, curvature = terms_by_eta(loss, eta, y)
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    assert np.isfinite(curvature).all()
    assert (value >= 0).all()
    assert "focal" in name or (curvature >= 0).all()


@pytest.mark.parametrize(("name", "parameters"), [case for case in ALL if losses.BY_NAME[case[0]].responses != "binary"])
def test_a_perfect_fit_costs_nothing(name, parameters):
    """Half deviances are 0 where the mean is the response, not minus its log-likelihood."""
    loss, (_, y) = points_of(name, parameters)
    positive = y[y > 0]
    eta = positive if loss.mean(np.zeros(1))[0] == 0 else np.log(positive)
    value, slope, _ = terms_by_eta(loss, eta, positive)
    assert (value <= 1e-28 * (1 + positive)).all()
    assert (np.abs(slope) <= 1e-14 * (1 + positive)).all()


@pytest.mark.parametrize(("name", "parameters"), [case for case in ALL if losses.BY_NAME[case[0]].responses == "binary"])
def test_probabilities_are_where_the_expected_loss_is_stationary(name, parameters):
    """With P(y = 1) = P(eta), the expected slope at eta is 0: what a loss says of probabilities is true of its minimiser."""
    loss = losses.BY_NAME[name](*parameters)
    eta = np.linspace(-5, 2.5, 31)
    log_odds = loss.log_odds(eta)
    if log_odds is None:
        assert "hinge" in name
        return
    _, positive, _ = terms_by_eta(loss, eta, np.ones(31))
    _, negative, _ = terms_by_eta(loss, eta, np.zeros(31))
    if name == "focal":  # its posterior is that of the classes as alpha weighs them
        positive, negative = positive / parameters[0], negative / (1 - parameters[0])
    p, q = expit(log_odds), expit(-log_odds)
    np.testing.assert_allclose(p * positive, -q * negative, rtol=1e-10)
    assert (np.diff(log_odds) > 0).all()
    at = loss.decision_threshold()
    assert float(loss.log_odds(np.array([at]))[0]) == pytest.approx(0, abs=1e-12)


def test_equal_exponents_make_the_asymmetric_focal_loss_twice_the_focal_loss():
    """With alpha = 1/2, which weighs each class by a half."""
    loss = losses.AsymmetricFocal(2.0, 2.0)
    eta = np.linspace(-40, 40, 161)
    for y in (np.zeros(161), np.ones(161)):
        for a, b in zip(terms_by_eta(loss, eta, y), terms_by_eta(losses.Focal(0.5, 2.0), eta, y), strict=True):
            np.testing.assert_allclose(a, 2 * b, rtol=1e-14)


@pytest.mark.parametrize("loss", [losses.BY_NAME[name](*parameters) for name, parameters in ALL], ids=str)
def test_a_loss_has_parameters_as_scikit_learn_knows_them(loss):
    """clone, get_params, set_params; by value the same, and its kernel takes the responses that it says."""
    same = clone(loss, safe=False)
    assert same is not loss
    assert same == loss
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert loss._kernel().responses == loss.responses
    for name, value in loss.get_params().items():
        other = clone(loss, safe=False).set_params(**{name: 0.01 + value * 0.97})
        assert other != loss
        with pytest.raises(ValueError, match=name):
            clone(loss, safe=False).set_params(**{name: -1.0})._kernel()
        with pytest.raises(TypeError, match=name):
            clone(loss, safe=False).set_params(**{name: "1"})._kernel()
    with pytest.raises(ValueError, match="nothing"):
        same.set_params(nothing=1.0)


@pytest.mark.parametrize(("name", "y"), [("poisson", -1.0), ("gamma", 0.0), ("tweedie", -0.5), ("squared", np.nan)])
def test_a_response_that_a_loss_does_not_allow_is_named(name, y):
    """By its place and the rule."""
    responses = np.ones(30)
    responses[7] = y
    with pytest.raises(ValueError, match=r"y\[7\] is"):
        ksparse.fit(np.random.default_rng(0).standard_normal((30, 4)), responses, 2, loss=name)
