"""What the README and the user guide say outside their examples, run."""

import re
import types
from pathlib import Path

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse import losses
from scipy.special import expit
from scipy.stats import norm

ROOT = Path(__file__).parents[2]


def labelled(n=300, p=12):
    """Return a frame with the names of the README's example, and labels."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((n, p)), columns=["age", "postcode", *(f"f{j}" for j in range(p - 2))])
    return X, (X["age"] - X["f3"] + rng.logistic(size=n) > 0).to_numpy() * 1


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_the_code_of_the_readme_runs(capsys):
    """Every block of Python, one after the other, as a reader would type them."""
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    jax = pytest.importorskip("jax")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    X, y = labelled()
    scope = {
        "ksparse": ksparse,
        **{name: getattr(ksparse, name) for name in ("KSparseClassifier", "KSparseClassifierCV")},
        **{"make_pipeline": make_pipeline, "RandomForestClassifier": RandomForestClassifier, "np": np, "jnp": jax.numpy},
        **{"X": X, "y": y, "w": np.ones(300), "X_new": X[:5], "Y": np.column_stack([y, 1 - y])},
        **{"datasets": [(X, y), (X, y * 0)], "labels": np.r_[0, 1, np.arange(10) // 2 + 2]},
    }
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        for line in re.split(r"\n(?=\S)", block.replace("rounds=200", "rounds=5").replace("bootstrap=200", "bootstrap=5")):
            scope["X"] = X.to_numpy() if "params" in line else X  # an objective in JAX is written over an array
            exec(line, scope)
    plt.close("all")
    printed = capsys.readouterr().out
    assert "points" in printed


def sigma(x):
    return expit(x)


# The formulas of docs/user_guide/losses.rst, of m or of eta and y, and what predict_proba is of eta.
LABELS = {
    "logistic": (lambda m, y: np.log1p(np.exp(-m)), sigma),
    "focal": (lambda m, y: 0.5 * sigma(-m) ** 2 * np.log1p(np.exp(-m)), None),
    "asymmetric_focal": (lambda m, y: sigma(-m) ** np.where(y, 0.0, 4.0) * np.log1p(np.exp(-m)), None),
    "probit": (lambda m, y: -norm.logcdf(m), norm.cdf),
    "cloglog": (lambda m, y: np.where(y, -np.log(-np.expm1(-np.exp(m))), np.exp(-m)), lambda eta: -np.expm1(-np.exp(eta))),
    "exponential": (lambda m, y: np.exp(-m), lambda eta: sigma(2 * eta)),
    "squared_hinge": (lambda m, y: 0.5 * np.maximum(1 - m, 0) ** 2, None),
    "huberised_hinge": (lambda m, y: np.where(1 - m <= 0, 0, np.where(1 - m <= 0.5, (1 - m) ** 2, 1 - m - 0.25)), None),
}


@pytest.mark.parametrize("name", list(LABELS))
def test_the_table_of_losses_of_labels(name):
    """The formula in plain NumPy at moderate margins; the probability that the table names; the decision of the likelier class."""
    formula, probability = LABELS[name]
    m = np.linspace(-6, 6, 49)
    for positive in (True, False):
        value = ksparse.loss_terms(m, positive, loss=name)[0]
        np.testing.assert_allclose(value, formula(m, positive), rtol=1e-9, atol=1e-14)
    X, y = labelled()
    result = ksparse.fit(X, y, 2, loss=name, ridge=1e-3)
    model = ksparse.KSparseClassifier(2, loss=name, ridge=1e-3).fit(X, y)
    assert hasattr(model, "predict_proba") == ("hinge" not in name)
    if "hinge" not in name:
        p = result.predict_proba(X)
        np.testing.assert_array_equal(p > 0.5, model.decision_function(X) > 0)
        if probability is not None:
            np.testing.assert_allclose(p, probability(result.decision_function(X)), rtol=1e-9)
        # The definition: eta minimises the expected loss of a label that is 1 with this probability.
        eta, step = result.decision_function(X)[:20], 1e-4
        risk = [
            p[:20] * ksparse.loss_terms(e, True, loss=name)[0] + (1 - p[:20]) * ksparse.loss_terms(-e, False, loss=name)[0]
            for e in (eta - step, eta, eta + step)
        ]
        assert (risk[1] <= np.minimum(risk[0], risk[2]) + 1e-12).all()


NUMBERS = {
    "squared": lambda eta, y: 0.5 * (eta - y) ** 2,
    "huber": lambda eta, y: np.where(np.abs(eta - y) <= 1.35, 0.5 * (eta - y) ** 2, 1.35 * np.abs(eta - y) - 0.5 * 1.35**2),
    "poisson": lambda eta, y: y * np.log(y / np.exp(eta)) - (y - np.exp(eta)),
    "gamma": lambda eta, y: y / np.exp(eta) - 1 - np.log(y / np.exp(eta)),
    "tweedie": lambda eta, y: -(y**0.5) / 0.25 + y * np.exp(-0.5 * eta) / 0.5 + np.exp(0.5 * eta) / 0.5,
    "negative_binomial": lambda eta, y: y * np.log(y / np.exp(eta)) - (y + 1) * np.log((1 + y) / (1 + np.exp(eta))),
}


@pytest.mark.parametrize("name", list(NUMBERS))
def test_the_table_of_losses_of_numbers(name):
    """At least 0, and 0 where the mean is the response."""
    eta = np.linspace(-3, 3, 25)
    for y in (0.3, 1.0, 7.5):
        value = ksparse.loss_terms(eta, y, loss=name)[0]
        np.testing.assert_allclose(value, NUMBERS[name](eta, y), rtol=1e-8, atol=1e-13)
        assert (value >= 0).all()
        at = np.log(y) if losses.BY_NAME[name]().has_log_link else y
        assert ksparse.loss_terms(at, y, loss=name)[0] == pytest.approx(0, abs=1e-14)


def test_tables_name_every_loss():
    """Of the page on losses, and of these tests."""
    page = (ROOT / "docs/user_guide/losses.rst").read_text(encoding="utf-8")
    assert {*LABELS, *NUMBERS} == set(losses.BY_NAME)
    assert [name for name in losses.BY_NAME if f"* - ``{name}``" not in page] == []


def test_likelihoods_have_criteria_and_information():
    """Those that choosing_k.rst and reading_a_model.rst name, and no others."""
    X, y = labelled()
    counts = np.random.default_rng(0).poisson(2, 300) + 1.0
    with_criteria, with_information = set(), set()
    for name, loss in losses.BY_NAME.items():
        target = y if loss.responses == "binary" else counts
        path = ksparse.fit_path(X, target, [1], loss=name)
        with_criteria |= {name} if path.criteria else set()
        with_information |= {name} if path[0].summary().covariance == "information" else set()
        if not path.criteria:
            with pytest.raises(ValueError, match="choose k by cross-validation"):
                path.criterion("bic")
    assert with_information == {"logistic", "probit", "cloglog", "poisson", "negative_binomial"}
    assert with_criteria == {*with_information, "squared"}
    assert ksparse.fit_path(X, y, [1], loss="focal", gamma=0.0).criteria


def test_the_focal_loss_is_concave_where_the_page_says():
    """For gamma = 2 below a margin of about -2.8; with gamma = 0 and alpha = 1/2 it is half the logistic loss."""
    m = np.linspace(-8, 8, 1601)
    curvature = ksparse.loss_terms(m, loss="focal", gamma=2.0)[2]
    assert m[curvature < 0].max() == pytest.approx(-2.8, abs=0.06)
    half, whole = ksparse.loss_terms(m, loss="focal", gamma=0.0), ksparse.loss_terms(m)
    for a, b in zip(half, whole, strict=True):
        np.testing.assert_allclose(2 * np.asarray(a), b, rtol=1e-12)


def test_how_often_an_expression_holds_the_linear_predictor():
    """As reading_a_model.rst counts them: three times, seven for the focal loss, four for a mean."""
    X, y = labelled()
    for loss, times in (("logistic", 3), ("focal", 7)):
        result = ksparse.fit(X, y, 2, loss=loss, ridge=1e-3)
        assert result.to_sql().count('"age"') == times
    result = ksparse.fit(X, np.exp(X["age"]), 1, loss="gamma", ridge=1e-3)
    assert result.to_sql().count('"age"') == 4


@pytest.mark.parametrize(
    "page", ["reading_a_model", "numerical_promises", "choosing_k", "losses", "data", "constraints", "many_fits"]
)
def test_names_in_pages_exist(page):
    """Every ksparse name that a page refers to, with its attributes."""
    text = (ROOT / f"docs/user_guide/{page}.rst").read_text(encoding="utf-8")
    names = re.findall(r":(?:func|class|meth|mod):`~?(ksparse(?:\.\w+)+)`", text)
    for name in names:
        value = ksparse
        for part in name.split(".")[1:]:
            value = getattr(value, part)
        assert isinstance(value, (type, types.ModuleType)) or callable(value)
