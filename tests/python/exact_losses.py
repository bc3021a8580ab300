"""Every loss in 60 digits and more, by its plain formula in mpmath; derivatives are differences in steps that take no digits away."""

import mpmath
from mpmath import mpf


def _margin(eta, y):
    return eta if y == 1 else -eta


def _focal(m, gamma):
    return (1 / (1 + mpmath.exp(m))) ** gamma * mpmath.log1p(mpmath.exp(-m))


def _probit(m):
    return -mpmath.log(mpmath.ncdf(m)) if m < 0 else -mpmath.log1p(-mpmath.ncdf(-m))


def _minus_log_of_rest(u):
    return -mpmath.log(-mpmath.expm1(-u)) if u < 1 else -mpmath.log1p(-mpmath.exp(-u))


def _huberised(m, width):
    u = 1 - m
    return mpf(0) if u <= 0 else u * u / (2 * width) if u < width else u - width / 2


def _huber(r, threshold):
    return r * r / 2 if abs(r) <= threshold else threshold * abs(r) - threshold * threshold / 2


def _poisson(eta, y):
    return (y * (mpmath.log(y) - eta) if y else 0) - (y - mpmath.exp(eta))


def _tweedie(eta, y, power):
    a, b = power - 1, 2 - power
    fixed = mpf(0) if y == 0 else -(y**b) / (a * b) + y * mpmath.exp(-a * eta) / a
    return fixed + mpmath.exp(b * eta) / b


def _negative_binomial(eta, y, a):
    mean = mpmath.exp(eta)
    fixed = mpf(0) if y == 0 else y * (mpmath.log(y) - eta)
    return fixed - (y + 1 / a) * mpmath.log((1 + a * y) / (1 + a * mean))


VALUES = {
    "logistic": lambda eta, y: mpmath.log1p(mpmath.exp(-_margin(eta, y))),
    "focal": lambda eta, y, alpha, gamma: (alpha if y == 1 else 1 - alpha) * _focal(_margin(eta, y), gamma),
    "asymmetric_focal": lambda eta, y, positive, negative: _focal(_margin(eta, y), positive if y == 1 else negative),
    "squared_hinge": lambda eta, y: max(1 - _margin(eta, y), mpf(0)) ** 2 / 2,
    "huberised_hinge": lambda eta, y, width: _huberised(_margin(eta, y), width),
    "probit": lambda eta, y: _probit(_margin(eta, y)),
    "cloglog": lambda eta, y: _minus_log_of_rest(mpmath.exp(eta)) if y == 1 else mpmath.exp(eta),
    "exponential": lambda eta, y: mpmath.exp(-_margin(eta, y)),
    "squared": lambda eta, y: (eta - y) ** 2 / 2,
    "huber": lambda eta, y, threshold: _huber(eta - y, threshold),
    "poisson": _poisson,
    "gamma": lambda eta, y: y * mpmath.exp(-eta) - 1 - mpmath.log(y) + eta,
    "tweedie": _tweedie,
    "negative_binomial": _negative_binomial,
}

PARAMETERS = {
    "focal": [(0.3, 2.0), (0.6, 0.7)],
    "asymmetric_focal": [(0.0, 4.0), (1.0, 2.5)],
    "huberised_hinge": [(0.5,), (2.0,)],
    "huber": [(1.35,), (0.01,)],
    "tweedie": [(1.5,), (1.05,), (1.95,)],
    "negative_binomial": [(1.0,), (1e-3,), (20.0,)],
}


def exact_terms(name, eta, y, parameters=(), digits=80):
    """Value and two derivatives by eta, with many digits: differences of the value in steps so small that they are exact."""
    with mpmath.workdps(digits + 2 * int(min(abs(eta), 2000))):
        exact = [mpf(p) for p in parameters]

        def value(at):
            return VALUES[name](at, mpf(y), *exact)

        at, h = mpf(eta), mpf(10) ** -(digits // 3 + int(min(abs(eta), 2000)) // 2)
        low, middle, high = value(at - h), value(at), value(at + h)
        return middle, (high - low) / (2 * h), (high - 2 * middle + low) / h**2
