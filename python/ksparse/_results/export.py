"""Exports of a model for use without ksparse: as a formula, Python or SQL expressions, or a scikit-learn model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._checks import check_integer
from .._input.validation import names_of
from .._model import Model

__all__ = ["focal_probability", "formula", "to_logistic_regression", "to_python", "to_sql"]

# Exponentials overflow above the first value, and lose digits below the second, which is an error in some databases.
_LARGEST_EXPONENT = "709.782712893384"
_LEAST_EXPONENT = "-708.0"
_LARGEST = "1.7976931348623157e308"

OUTPUTS = ("probability", "mean", "linear_predictor")


def formula(result: Model, digits: Any, outcome: str = "1") -> str:
    """Write the linear predictor with rounded coefficients, for a reader; ``outcome`` is the name of class 1."""
    precision = check_integer(digits, "digits", 1, 17)
    names = names_of(result.support, result.feature_names)
    loss = result._loss
    left = f"{'log-odds' if loss.is_log_odds else 'linear predictor'} of class {outcome}"
    if not loss.is_classification:
        left = "log(mean)" if loss.has_log_link else "mean"
    text = f"{left} = {_sum(result, names, lambda value: f'{value:.{precision}g}')}"
    return f"{text}\n{result._caution}" if result._caution else text


def to_python(result: Model, output: Any) -> str:
    """Write an expression of ``row`` and ``math``. If the fit did not converge, a comment inside its parentheses says so."""
    expression = _python(result, output)
    return f"(  # {_comment(result)}\n{expression})" if result._caution else expression


def _python(result: Model, output: Any) -> str:
    kind = _check_output(output, result)
    names = _unique_names(result)
    columns = [f"row[{j if names is None else names[j]!r}]" for j in result.support.tolist()]
    eta = _sum(result, columns, repr)
    if kind == "mean" and result._loss.has_log_link:
        # Beyond the limit math.exp would raise an error, but the mean is infinite. NaN remains NaN.
        return f"(lambda t: math.exp(t) if t <= {_LARGEST_EXPONENT} else t * math.inf)({eta})"
    if kind != "probability":
        return eta
    # With this order of arguments NaN remains NaN: min and max return the first one unless the other is smaller or larger.
    limit = _limit(result.gamma)
    t = f"max(min({eta}, {limit}), -{limit})"
    if result.gamma == 0:
        return f"1 / (1 + math.exp(-{t}))"
    return f"(lambda t: {focal_probability(result.gamma, 't', 'math.exp({})', 'math.log1p({})')})({t})"


def to_sql(result: Model, output: Any, outcome: str = "1") -> str:
    """Write an expression in standard SQL, after a comment that says of which class it is, and whether the fit did not converge."""
    expression = _sql(result, output)
    comments = [_comment(result)] if result._caution else []
    if result._loss.is_classification:
        kind = _check_output(output, result)
        what = "probability" if kind == "probability" else "log-odds" if result._loss.is_log_odds else "linear predictor"
        comments.insert(0, _in_comment(f"{what} of class {outcome}"))
    return f"/* {'; '.join(comments)} */ {expression}" if comments else expression


def _sql(result: Model, output: Any) -> str:
    kind = _check_output(output, result)
    _unique_names(result)
    columns = ['"' + name.replace('"', '""') + '"' for name in names_of(result.support, result.feature_names)]
    eta = _sum(result, columns, repr)
    if kind == "mean" and result._loss.has_log_link:
        # Databases differ in how they write infinity. The product is infinite if the database supports it, else an error for this row.
        far = f"{_LARGEST} * ({eta})"
        return f"CASE WHEN {eta} > {_LARGEST_EXPONENT} THEN {far} WHEN {eta} < {_LEAST_EXPONENT} THEN 0.0 ELSE EXP({eta}) END"
    if kind != "probability":
        return eta
    if result.gamma == 0:
        inside = f"1 / (1 + EXP(-({eta})))"
    else:
        inside = focal_probability(result.gamma, f"({eta})", "EXP({})", "LN(1 + {})")
    # The branches of CASE are evaluated in order, so EXP never overflows.
    limit = _limit(result.gamma)
    return f"CASE WHEN {eta} > {limit} THEN 1.0 WHEN {eta} < -{limit} THEN 0.0 ELSE {inside} END"


def to_logistic_regression(result: Model, classes: Any = (0, 1)) -> Any:
    """Copy the coefficients to a scikit-learn model, with the attributes that its ``fit`` would set."""
    from sklearn.linear_model import LogisticRegression

    _check_answered(result)
    if not result._loss.is_log_odds:
        raise ValueError(
            f"the model was fitted with {result._loss._described}: LogisticRegression would make the same decisions but predict other "
            "probabilities; fit with loss='logistic', or export with to_python() or to_sql()"
        )
    model = LogisticRegression()
    model.classes_ = np.array(classes)
    model.coef_ = result.coef.reshape(1, -1).copy()
    model.intercept_ = np.array([result.intercept])
    model.n_iter_ = np.array([result.n_newton], dtype=np.int32)
    model.n_features_in_ = len(result.coef)
    if result.feature_names is not None:
        model.feature_names_in_ = result.feature_names
    return model


def _comment(result: Model) -> str:
    """Return the caution in a form that is safe inside a comment."""
    return _in_comment(result._caution)


def _in_comment(text: str) -> str:
    """Return a text in one line that neither ends a comment nor begins another."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")


def _check_answered(result: Model) -> None:
    if not np.isfinite(result.intercept):
        raise ValueError(f"there is no model to export: {result.status}: {result.advice}")


def _check_output(output: Any, result: Model) -> str:
    classification = result._loss.is_classification
    if output is None:
        output = "probability" if classification else "mean"
    if not isinstance(output, str) or output not in OUTPUTS:
        raise ValueError(f"output is {output!r}; it must be one of {', '.join(map(repr, OUTPUTS))}")
    if (output == "mean") == classification and output != "linear_predictor":
        other = "probability" if classification else "mean"
        raise ValueError(f"output is {output!r}, but the loss is {result.loss!r}; use {other!r} or 'linear_predictor'")
    if output == "probability" and result._loss._focusing is None:
        raise ValueError(
            f"output is 'probability', which is available for the logistic and the focal loss, but the model was fitted with {result._loss._described}: "
            "use output='linear_predictor'"
        )
    return output


def _unique_names(result: Model) -> Any:
    """Return the names of the columns; raise an error if a chosen feature shares its name with another column."""
    names = result.feature_names
    if names is not None:
        for j in result.support:
            if np.count_nonzero(names == names[j]) > 1:
                raise ValueError(
                    f"X has more than one column named {names[j]!r}, which an expression cannot distinguish; rename the columns"
                )
    return names


def _sum(result: Model, columns: list[str], number: Callable[[float], str]) -> str:
    """Write the intercept plus the products of coefficients and columns, without terms that are 0."""
    _check_answered(result)
    terms = [(result.intercept, "")] if result.intercept != 0 or not columns else []
    terms += [(coef, f" * {column}") for coef, column in zip(result.coef[result.support], columns, strict=True)]
    text = ""
    for value, factor in terms:
        sign = (" - " if value < 0 else " + ") if text else ("-" if value < 0 else "")
        text += sign + number(abs(float(value))) + factor
    return text


def _limit(gamma: float) -> str:
    """Return the absolute value beyond which the linear predictor does not matter.

    Beyond it, the probability differs from 0 or 1 by less than 1e-303, and exp could overflow or underflow, which is an error
    in Python or in some databases.
    """
    return repr(float(f"{700 / (gamma + 1):.6g}"))


def focal_probability(gamma: float, t: str, exp: str, log1p: str) -> str:
    """Write the closed form that is in ``_probability.py``.

    With p and q the sigmoids of t and -t, the odds are p^gamma (gamma q softplus(t) + p) / (q^gamma (gamma p softplus(-t) + q)), where
    q / p = exp(-t). After division of numerator and denominator by p, no term overflows or cancels for either sign of t.
    """
    g, up, down = repr(float(gamma)), exp.format(t), exp.format(f"-{t}")
    fading = exp.format(f"-{g} * {t}")
    return f"1 / (1 + {fading} * ({g} * {log1p.format(down)} + {down}) / ({g} * {down} * {log1p.format(up)} + 1))"
