"""Losses against mpmath, over the whole range."""

import ksparse
import mpmath
import numpy as np
import pytest
from ksparse._probability import probability

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
