"""Summary of a model: coefficients, standard errors and confidence intervals, and how often resamplings choose the same features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._checks import check_integer, check_real
from .._input.request import Request, Settings
from .._input.validation import names_of
from .._model import Model
from .._optional import require
from .._quiet import quiet
from ..losses import Loss
from .fit_data import FitData, Vector
from .resampling import solve_stability
from .stored import Array, Each, Rules, Stored, Value
from .table import Table, Tabular

__all__ = ["Summary", "summarise"]

COVARIANCES = ("information", "sandwich")

_SETTINGS_OF_THE_PROBLEM = (
    *("loss", "alpha", "gamma", "ridge", "fit_intercept", "tolerance", "max_newton"),
    *("always_in", "never_in", "bounds", "groups"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Summary(Stored, Tabular):
    """Result of :meth:`ksparse.FitResult.summary`: one row for each chosen feature, and a last row for the intercept if there is one.

    Attributes
    ----------
    names : ndarray of str, shape (n_rows,)
        Names of the features (``x0``, ``x1``, ... if they have none), and ``(intercept)``.
    coef : ndarray of shape (n_rows,)
        Coefficients in the units of the columns of X.
    coef_per_sd : ndarray of shape (n_rows,)
        Coefficients per standard deviation of the columns (weighted, with divisor n); NaN for the intercept.
    standard_error : ndarray of shape (n_rows,)
        Standard errors of ``coef``; NaN if there are none, for a reason that ``notes`` give.
    lower, upper : ndarray of shape (n_rows,)
        Limits of the confidence intervals, from the normal approximation.
    odds_ratio : ndarray of shape (n_rows,) or None
        Exponentials of ``coef``: an increase of the feature by one unit multiplies the odds by this factor. NaN for the
        intercept. None if the linear predictor is not the log-odds, e.g. for the focal loss with gamma > 0.
    share_chosen : ndarray of shape (n_rows,) or None
        Share of the bootstrap rounds in which the feature was chosen; NaN for the intercept. None without bootstrap.
    level : float
        Confidence level of the intervals.
    covariance : {"information", "sandwich"}
        The estimate of the covariance that was used.
    covariance_matrix : ndarray of shape (n_rows, n_rows)
        The estimated covariance matrix; ``standard_error`` is the square root of its diagonal.
    title : str
        The title above the table.
    notes : tuple of str
        Notes below the table, which are needed to interpret it.
    """

    names: NDArray[np.object_]
    coef: Vector
    coef_per_sd: Vector
    standard_error: Vector
    lower: Vector
    upper: Vector
    odds_ratio: Vector | None
    share_chosen: Vector | None
    level: float
    covariance: str
    covariance_matrix: Vector
    title: str
    notes: tuple[str, ...]

    _RULES: ClassVar[Rules] = {
        "names": Array("O", "r"),
        **dict.fromkeys(("coef", "coef_per_sd", "standard_error", "lower", "upper"), Array("f", "r")),
        **dict.fromkeys(("odds_ratio", "share_chosen"), Array("f", "r", optional=True)),
        "level": Value((float,), low=0.0),
        "covariance": Value((str,), among=COVARIANCES),
        "covariance_matrix": Array("f", "rr"),
        "title": Value((str,)),
        "notes": Each(Value((str,)), "n"),
    }

    def to_frame(self) -> Any:
        """Return a data frame with one row for each chosen feature and the intercept.

        Returns
        -------
        pandas.DataFrame
            A data frame indexed by name, with the columns ``coef``, ``standard_error``, ``lower``, ``upper``, ``coef_per_sd``,
            and ``odds_ratio`` and ``share_chosen`` if they are not None.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        pandas = require("pandas", "to_frame()", "pandas")
        columns = ("coef", "standard_error", "lower", "upper", "coef_per_sd", "odds_ratio", "share_chosen")
        values = {name: getattr(self, name) for name in columns if getattr(self, name) is not None}
        return pandas.DataFrame(values, index=pandas.Index(self.names, name="feature"))

    def _table(self) -> Table:
        part = f"{100 * self.level:g} %"
        columns = {
            "coefficient": _texts(self.coef, "+.4g"),
            "std. error": _texts(self.standard_error, ".3g"),
            f"{part} from": _texts(self.lower, "+.4g"),
            "to": _texts(self.upper, "+.4g"),
            "per std. dev.": _texts(self.coef_per_sd, "+.4g"),
        }
        if self.odds_ratio is not None:
            columns["odds ratio"] = _texts(self.odds_ratio, ".4g")
        if self.share_chosen is not None:
            columns["chosen in"] = [text and f"{text} %" for text in _texts(100 * self.share_chosen, ".0f")]
        rows = zip(self.names.tolist(), *columns.values(), strict=True)
        return Table(self.title, ("feature", *columns), list(rows), self.notes)


def _texts(values: Vector, form: str) -> list[str]:
    return ["" if np.isnan(value) else format(value, form) for value in values]


def check_covariance(covariance: Any, loss: Loss, *, class_weighted: bool) -> str:
    """Return the estimate of the covariance to use; by default the first one that the fit allows."""
    why_not = "class_weight" if class_weighted else "" if loss.is_likelihood else loss._described
    if covariance is None:
        return "sandwich" if why_not else "information"
    if not isinstance(covariance, str) or covariance not in COVARIANCES:
        raise ValueError(f"covariance is {covariance!r}; it must be one of {', '.join(map(repr, COVARIANCES))}, or None")
    if covariance == "information" and why_not:
        raise ValueError(
            f"covariance is 'information', which needs a likelihood, but there is none with {why_not}; use 'sandwich'"
        )
    return covariance


@quiet
def summarise(
    result: Model,
    request: Request,
    *,
    level: Any,
    covariance: Any,
    bootstrap: Any,
    random_state: Any,
    n_jobs: int | None,
    outcome: str = "1",
    class_weighted: bool = False,
) -> Summary:
    """Make the summary; ``outcome`` is the name of class 1."""
    part = check_real(level, "level", "in (0, 1)", 0.0, 1.0, open_low=True)
    kind = check_covariance(covariance, result._loss, class_weighted=class_weighted)
    rounds = check_integer(bootstrap, "bootstrap", 0)
    intercept = request.options.fit_intercept
    rows, coef = FitData.of(request, result), result.coef[result.support]
    rows.refuse_others(result)
    sd = rows.moments()[1]
    free = ~_at_bound(result, request)
    matrix = np.full((len(coef) + intercept,) * 2, np.nan)
    inside = np.append(free, True) if intercept else free
    if result.converged:
        matrix[np.ix_(inside, inside)] = _covariance(rows, result, free, kind, intercept)
    notes = [
        _note_of_selection(result, request),
        _note_of_covariance(kind, weighted=request.weights is not None),
        *_notes_of_model(result, free, singular=bool(np.isnan(matrix[np.ix_(inside, inside)]).any())),
    ]
    log_odds = result._loss.is_log_odds
    share = None
    if rounds:
        share, note = _share_chosen(result, request, rounds, random_state, n_jobs)
        notes.append(note)
    values = np.append(coef, result.intercept) if intercept else coef
    missing = [np.nan] * intercept
    error = np.sqrt(np.diag(matrix))
    reach = _normal_quantile(part) * error
    return Summary(
        names=np.array([*names_of(result.support, result.feature_names), *["(intercept)"] * intercept], dtype=object),
        coef=values,
        coef_per_sd=np.append(coef * sd, missing),
        standard_error=error,
        lower=values - reach,
        upper=values + reach,
        odds_ratio=np.append(_exp(coef), missing) if log_odds else None,
        share_chosen=None if share is None else np.append(share, missing),
        level=part,
        covariance=kind,
        covariance_matrix=matrix,
        title=f"{result.loss} loss, {len(coef)} of {len(result.coef)} features, {len(rows.labels)} rows"
        + (f", {int(rows.labels.sum())} of class {outcome}" if result._loss.is_classification else "")
        + f": {result.status}",
        notes=tuple(note for note in notes if note),
    )


def _notes_of_model(result: Model, free: NDArray[np.bool_], *, singular: bool) -> list[str]:
    """Return notes on missing values, and on what the numbers do not include. ``free`` coefficients are not at a bound."""
    loss, held = result._loss, ", ".join(names_of(result.support[~free], result.feature_names))
    notes = {
        "There are no standard errors: the Hessian of F is singular because chosen columns of X are linearly dependent.": singular
        and result.converged,
        f"There are no standard errors. {result._caution}": not result.converged,
        f"These coefficients are at a bound and treated as fixed: {held}.": bool(held),
        "The ridge shrinks the coefficients towards 0; the intervals are for the shrunken coefficients and do not include this bias.": result.ridge
        > 0,
        f"With {loss._described} the linear predictor is not the log-odds, so there are no odds ratios.": (
            loss.is_classification and not loss.is_log_odds
        ),
    }
    return [note for note, applies in notes.items() if applies]


def _note_of_covariance(kind: str, *, weighted: bool) -> str:
    how = "from the observed information" if kind == "information" else "sandwich estimate"
    weights = (
        "a weight of 2 counts as two rows" if kind == "information" else "each row is one observation, whatever its weight"
    )
    return f"Standard errors: {how}" + (f"; {weights}." if weighted else ".")


def _note_of_selection(result: Model, request: Request) -> str:
    """Return the warning about selection, or an empty text for a model in which nothing was chosen."""
    if len(result.support) == len(result.coef) or set(result.support.tolist()) <= set(request.options.always_in):
        return ""
    return (
        "The features were chosen on the same rows, but the standard errors and intervals treat them as given. Therefore the "
        "intervals are too narrow, and the coefficients tend to be too large."
    )


def _at_bound(result: Model, request: Request) -> NDArray[np.bool_]:
    coef = result.coef[result.support]
    held = np.zeros(len(coef), dtype=bool)
    for bound in (request.options.lower, request.options.upper):
        if len(bound):
            held |= coef == bound[result.support]
    return held


def _covariance(rows: FitData, result: Model, free: NDArray[np.bool_], kind: str, intercept: bool) -> Vector:
    r"""Estimate the covariance of the free coefficients and the intercept; NaN where the Hessian is singular.

    Let z_i be the free columns of row i followed by a one, u_i = w_i (dl_i/deta z_i + ridge beta) (without the ridge term for the
    intercept), whose sum is the gradient of W F, c_i = w_i l''_i, and H = sum c_i z_i z_i' + W ridge I the Hessian of W F. Then:

    - information: H^-1 (sum c_i z_i z_i') H^-1. Without a ridge, this is the inverse of the observed information; with one it is
      the variance of the penalised estimate [1]_.
    - sandwich: H^-1 (sum u_i u_i') H^-1, which is valid for M-estimators even if the model is wrong [2]_ [3]_, without a correction
      for small samples.

    References
    ----------
    .. [1] Le Cessie, van Houwelingen, "Ridge estimators in logistic regression", Applied Statistics 1992.
    .. [2] Huber, "The behavior of maximum likelihood estimates under nonstandard conditions", Berkeley Symposium 1967.
    .. [3] White, "Maximum likelihood estimation of misspecified models", Econometrica 1982.
    """
    coef = result.coef[result.support]
    _, slope, curvature = rows.terms(rows.eta(coef, result.intercept))
    mean, sd = (moment[free] for moment in rows.moments())
    # Columns are standardised, so that the condition number of H does not depend on their units and means.
    scale, shift = np.where(sd > 0, sd, 1.0), mean if intercept else np.zeros(len(mean))
    Z = np.column_stack([(rows.columns[:, free] - shift) / scale, *[np.ones(len(rows.labels))] * intercept])
    d, ones = Z.shape[1], [0.0] * intercept
    ridge = np.append(result.ridge / scale / scale, ones)
    scaled = np.append(coef[free] * scale, ones)
    information = (Z.T * (rows.weights * curvature)) @ Z
    values, vectors = np.linalg.eigh(information + rows.weights.sum() * np.diag(ridge))
    if d and not values[0] > d * np.finfo(np.float64).eps * values[-1]:
        return np.full((d, d), np.nan)
    if kind == "sandwich":
        scores = rows.weights[:, None] * (slope[:, None] * Z + ridge * scaled)
        information = scores.T @ scores
    inverse = (vectors / values) @ vectors.T
    # Back in the units of X, beta_j = scaled_j / scale_j, and the intercept is that of the shifted columns minus mean . beta.
    back = np.diag(np.append(1 / scale, [1.0] * intercept))
    if intercept:
        back[-1, :-1] = -shift / scale
    half = back @ inverse
    return np.asarray(half @ information @ half.T)


def _normal_quantile(level: float) -> float:
    """Return the number of standard errors between the estimate and either end of the interval."""
    from scipy.special import ndtri  # imported here because SciPy takes longer to import than ksparse

    return float(-ndtri((1 - level) / 2))


def _exp(values: Vector) -> Vector:
    with np.errstate(over="ignore"):  # an odds ratio that overflows is infinite
        return np.asarray(np.exp(values))


def _share_chosen(result: Model, request: Request, rounds: int, random_state: Any, n_jobs: int | None) -> tuple[Vector, str]:
    """Return the share of the bootstrap rounds in which each feature was chosen, and a note about the rounds."""
    # The objective and the constraints are those of the fit, but not the limits of its search, which may be long.
    same = {name: getattr(request.settings, name) for name in _SETTINGS_OF_THE_PROBLEM}
    settings = Settings(**same, search="fast", random_state=random_state)
    found = solve_stability(request.with_settings(settings), result.k, rounds, "bootstrap", 0.5, n_jobs)
    failed = sum(word != "converged" for word in found.status)
    return found.frequency[result.support], (
        f"Chosen in: share of {rounds} bootstrap rounds that chose the feature. Each round searched for at most {result.k} "
        f"{'features' if result.groups is None else 'groups'}."
        + (f" {failed} of the rounds did not converge." if failed else "")
    )
