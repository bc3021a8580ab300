"""The estimator that makes a scorecard from a raw table: it makes bins, chooses variables or bins, and assigns points."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from .._checks import check_choice, check_integer, check_real
from .._estimators.doc_link import DocumentationLink
from .._estimators.input import targets_of, weights_of_rows
from .._fit import solve
from .._input.request import Inputs, Request, Settings
from .._input.validation import check_features, check_kind_of_loss, check_loss, check_weights
from .._loss import terms_by_eta
from .._results.fit import FitResult
from ..losses import Loss
from .binner import Binner
from .card import Card, CardVariable
from .columns import Column
from .points import search_small_points
from .scale import Layout, Scale, doubling_scale, weight_of_evidence, whole_scale
from .use import UsesCard

if TYPE_CHECKING:
    from typing_extensions import Self  # of Python 3.11

__all__ = ["KSparseScorecard"]

Vector = NDArray[np.float64]


class KSparseScorecard(DocumentationLink, UsesCard, ClassifierMixin, TransformerMixin, BaseEstimator):
    r"""Make a scorecard from a raw table, with at most k variables or bins and points that add up.

    The table may be a data frame with numbers, text, categories and missing values. :class:`ksparse.Binner` divides its columns
    into bins. ksparse chooses the k variables, or the k bins, that minimise the loss, and coefficients are converted to points.
    ``predict_proba``, :meth:`to_sql` and :meth:`to_python` use the rounded points of the printed card. The last two work on the
    columns of the raw table.

    Parameters
    ----------
    k : int or None, default=None
        Maximum number of variables or bins of the card, >= 0. None means 10, or all if there are fewer.
    choose : {"variables", "bins"}, default="variables"
        What k counts. With ``"variables"``, a chosen variable has points for each of its bins. With ``"bins"``, single output
        columns of the binner are chosen, so that a variable may be on the card with only one of its bins.
    binner : Binner or None, default=None
        How columns are divided into bins. None means ``Binner()``. With ``Binner(encoding="cumulative", monotone=...)``, points
        only rise, or only fall, with the values of each monotone variable.
    loss : {"logistic", "focal"} or object of :mod:`ksparse.losses`, default="logistic"
        The loss. With the focal loss, the linear predictor is not the log odds, and ``max_points`` must be given.
    alpha, gamma : float, default=0.5, 2.0
        Parameters of the focal loss, see :func:`ksparse.fit`.
    ridge : float, default=1e-4
        Weight :math:`\rho` of the ridge penalty of :func:`ksparse.fit`, >= 0. It must be positive if all rows of a bin have the
        same class.
    max_points : int or None, default=None
        If given, the points of each bin (with cumulative columns, of each column) are integers in [-max_points, max_points].
        The integers, the columns, a scale and an intercept are searched together, to minimise the loss. >= 1. If None, points
        have the scale that the next parameters describe.
    points_to_double_odds : float, default=20.0
        Number of points that double the odds, > 0.
    base_points, base_odds : float, default=600.0, 50.0
        A card with ``base_points`` points has odds of ``base_odds`` to 1.
    convention : {"event", "credit"}, default="event"
        The meaning of the odds. With ``"event"``, they are for the event against the other class, so that the event is more
        likely with more points. With ``"credit"``, as in credit scoring, they are for the other class ("good") against the
        event ("bad"), so that more points mean less risk.
    decimals : int or None, default=0
        Number of decimals of points, in [0, 15]. None means that points are not rounded. It is ignored with ``max_points``.
    event : object, default=None
        The label whose probability the card predicts, such as ``"fraud"``. None means ``classes_[1]``, the last of the sorted
        labels.
    always_in, never_in : array-like of str or int or None, default=None
        Columns of X, by name or number, that must be on the card, or must not be. ``always_in`` needs ``choose="variables"``.
    search : {"auto", "fast", "thorough"}, default="fast"
        How long to search, see :func:`ksparse.fit`. If variables are chosen, ``"fast"`` represents each of them by one column,
        the log odds of the event in its bins (weight of evidence), and then fits all bins of the chosen ones. The other two
        choose groups of bins, which is more accurate but takes many times longer on large tables.
    max_seconds : float or None, default=None
        The search starts no new perturbation after this number of seconds. None means no limit.
    random_state : int, default=0
        Seed of the search.

    Attributes
    ----------
    card_ : Card
        The card. Print it, show it in a notebook, or call ``to_frame()``, ``to_sql()`` or ``to_python()``.
    binner_ : Binner
        The fitted binner.
    result_ : FitResult
        The fit with real coefficients, on the output columns of the binner.
    variables_ : list of str
        Names of the chosen variables.
    classes_ : ndarray of shape (2,)
        The labels, sorted.
    event_ : object
        The label whose probability the card predicts.
    loss_before_, loss_after_ : float
        Average loss on the rows of the fit, with real coefficients and with the points of the card.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Their names, when X was a data frame with string names.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If the fit did not converge; the message says what to change.

    See Also
    --------
    ksparse.FitResult.scorecard : Points per unit of each column, without bins.

    Notes
    -----
    A missing value belongs to the bin of missing values of its variable, if there is one. Otherwise it has the
    points of the most frequent bin. The same holds for a level that the fit did not see, if the variable has no bin for other
    levels. ``predict_proba``, SQL and Python agree in this.

    ``predict``, ``predict_proba`` and ``transform`` also accept a data frame that has only the columns of the card.

    References
    ----------
    .. [1] Siddiqi, "Credit risk scorecards", Wiley 2006.
    .. [2] Ustun, Rudin, "Learning optimized risk scores", JMLR 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas
    >>> from ksparse import Binner, KSparseScorecard
    >>> rng = np.random.default_rng(0)
    >>> table = pandas.DataFrame({"age": rng.integers(20, 70, 2000), "job": rng.choice(["clerk", "nurse", "smith"], 2000)})
    >>> risk = 0.05 * (table["age"] - 45) + (table["job"] == "smith")
    >>> bad = np.where(risk + rng.logistic(size=2000) > 1, "bad", "good")
    >>> model = KSparseScorecard(binner=Binner(n_bins=3), event="bad", max_points=3).fit(table, bad)
    >>> print(model)
    Points for the log odds of class 'bad' against class 'good': log odds = -1.078 + 0.3648 * points
      variable  bin             points    rows  event rate
      (base)                         0
      age       age <= 37           -2  33.7 %      21.5 %
                37 < age <= 53      +0  33.1 %        32 %
                age > 53            +2  33.1 %      50.5 %
      job       job = clerk         +0  34.2 %      28.2 %
                job = nurse         +0  32.8 %        25 %
                job = smith         +3  33.0 %      50.8 %
    With real coefficients instead of points the average loss on the 2000 rows of the fit is 0.582462;
    with the points of the card it is 0.583171.
    """

    def __init__(
        self,
        k: int | None = None,
        *,
        choose: str = "variables",
        binner: Binner | None = None,
        loss: str | Loss = "logistic",
        alpha: float = 0.5,
        gamma: float = 2.0,
        ridge: float = 1e-4,
        max_points: int | None = None,
        points_to_double_odds: float = 20.0,
        base_points: float = 600.0,
        base_odds: float = 50.0,
        convention: str = "event",
        decimals: int | None = 0,
        event: Any = None,
        always_in: ArrayLike | None = None,
        never_in: ArrayLike | None = None,
        search: str = "fast",
        max_seconds: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.k = k
        self.choose = choose
        self.binner = binner
        self.loss = loss
        self.alpha = alpha
        self.gamma = gamma
        self.ridge = ridge
        self.max_points = max_points
        self.points_to_double_odds = points_to_double_odds
        self.base_points = base_points
        self.base_odds = base_odds
        self.convention = convention
        self.decimals = decimals
        self.event = event
        self.always_in = always_in
        self.never_in = never_in
        self.search = search
        self.max_seconds = max_seconds
        self.random_state = random_state

    # --- fit ---

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Make the card from a table and labels.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The raw table.
        y : array-like of shape (n_samples,)
            Labels of two classes.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        KSparseScorecard
            The fitted estimator itself.

        Raises
        ------
        TypeError, ValueError
            If an argument is invalid.
        """
        loss = self._loss = self._check_parameters()
        labels = self._labels_of_fit(y)
        self.binner_ = Binner() if self.binner is None else clone(self.binner)
        columns, weights = self._table_of_fit(X, labels, sample_weight)
        layout = Layout(self.binner_.bins_, self.binner_.encoding)
        codes = [bins.codes(column) for bins, column in zip(self.binner_.bins_, columns, strict=True)]
        weight_of_bins, events_of_bins = _counts(codes, layout, labels, weights)
        self._refuse_constant(layout, weight_of_bins)
        design = self.binner_._encoded(codes, sparse=True)
        free = layout.without_reference(weight_of_bins) if self.choose == "variables" else np.arange(design.shape[1])
        settings, k = self._settings(layout, loss, free)
        budget = k
        if self.choose == "variables" and self.search == "fast":
            evidence = weight_of_evidence(codes, weight_of_bins, events_of_bins, np.unique(layout.variable[free]))
            chosen = self._best_variables(evidence, labels, k, weights, settings, layout.variable[free])
            budget = 0
            if len(chosen):
                free = free[np.isin(layout.variable[free], chosen)]
                settings, budget = self._settings(layout, loss, free, all_in=True)[0], len(free)
        fit = self.result_ = self._real_fit(design[:, free], labels, budget, weights, settings)
        coef = np.zeros(design.shape[1])
        coef[free] = fit.coef
        self.loss_before_ = self._mean_loss(design @ coef + fit.intercept, labels, weights)
        if self.max_points is None:
            scale = doubling_scale(
                layout,
                coef,
                fit.intercept,
                weight_of_bins,
                doubling=float(self.points_to_double_odds),
                base_points=float(self.base_points),
                base_odds=float(self.base_odds),
                sign=1 if self.convention == "event" else -1,
                decimals=self.decimals,
            )
        else:
            scale = self._whole_points(layout, design, labels, weights, coef, k)
        self._make_card(scale, weight_of_bins, events_of_bins)
        on_card = [columns[v] for v in self._places]
        self.loss_after_ = self._mean_loss(self.card_.linear_predictor(self._total(on_card, len(labels))), labels, weights)
        self.card_ = replace(self.card_, notes=self._notes(len(labels)))
        return self

    def _real_fit(self, design: Any, labels: Vector, k: int, weights: Vector | None, settings: Settings) -> FitResult:
        """Fit real coefficients, and warn if the fit did not converge."""
        fit = solve(Request.of(Inputs(design, weights, None, settings), labels), k, keep_data=False)
        if not fit.converged:
            warnings.warn(f"{fit.status}: {fit.advice}", ConvergenceWarning, stacklevel=3)
        return fit

    def _refuse_constant(self, layout: Layout, weight_of_bins: list[Vector]) -> None:
        """Raise ValueError if no column of X has more than one bin, so that there is nothing to choose."""
        if not any(np.count_nonzero(weight) > 1 for weight in weight_of_bins):
            names = [str(bins.name) for bins in layout.bins]
            shown = ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")
            raise ValueError(
                f"no column of X has more than one bin ({shown}): each has one value in all rows that count, or its other values are rarer than "
                "min_share; pass columns that vary, or give a Binner with cuts or a smaller min_share"
            )

    def _check_parameters(self) -> Loss:
        """Check the parameters that do not depend on the data, and return the loss."""
        check_choice(self.choose, "choose", ("variables", "bins"))
        check_choice(self.convention, "convention", ("event", "credit"))
        if self.binner is not None and not isinstance(self.binner, Binner):
            raise TypeError(f"binner is {self.binner!r}; it must be a ksparse.Binner or None")
        loss = check_loss(self.loss, self.alpha, self.gamma)
        check_kind_of_loss(loss, "labels", type(self).__name__, "KSparseRegressor")
        if loss.name not in ("logistic", "focal"):
            raise ValueError(f"loss is {loss.name!r}; a scorecard has probabilities, so it must be 'logistic' or 'focal'")
        if self.max_points is not None:
            check_integer(self.max_points, "max_points", 1, 1000)
        elif not loss.is_log_odds:
            raise ValueError(
                f"the linear predictor of the focal loss with gamma={getattr(loss, 'gamma', 0):g} is not the log odds, so no number of points doubles the "
                "odds; set max_points, whose scale is free, or use loss='logistic'"
            )
        check_real(self.points_to_double_odds, "points_to_double_odds", "finite and > 0", 0.0, open_low=True)
        check_real(self.base_points, "base_points", "finite", -math.inf)
        check_real(self.base_odds, "base_odds", "finite and > 0", 0.0, open_low=True)
        if self.decimals is not None:
            check_integer(self.decimals, "decimals", 0, 15)
        return loss

    def _labels_of_fit(self, y: Any) -> Vector:
        """Find the two classes and the event; return y with 1 for the event and 0 for the other class."""
        y = targets_of(y)
        if y is None:
            raise ValueError(f"requires y to be passed, but the target y is None: {type(self).__name__} needs labels")
        if not np.size(y):
            raise ValueError("Found array with 0 sample(s): y has no labels; a minimum of 1 is required.")
        if getattr(y, "dtype", np.dtype(object)).kind == "f":
            assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        kind = type_of_target(y, input_name="y")
        if kind != "binary":
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}. For more classes make a card for each of them "
                "against the rest, e.g. by scikit-learn's OneVsRestClassifier"
            )
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only ({self.classes_.tolist()[0]!r}); {type(self).__name__} needs two")
        places = np.flatnonzero(self.classes_ == self.event) if self.event is not None else np.array([1])
        if len(places) != 1:
            raise ValueError(f"event is {self.event!r}; it must be one of the classes, {self.classes_.tolist()}")
        self._event_place = int(places[0])
        self.event_ = self.classes_[self._event_place : self._event_place + 1].tolist()[0]
        return (numbers == self._event_place).astype(np.float64)

    def _table_of_fit(self, X: Any, labels: Vector, sample_weight: Any) -> tuple[list[Column], Vector | None]:
        """Fit the binner; return the columns of X and the weights of the rows."""
        weights = weights_of_rows(sample_weight, labels[:, None])
        if weights is not None:
            weights = check_weights(weights, labels)
        self.binner_.fit(X, labels, weights)
        self.n_features_in_ = self.binner_.n_features_in_
        if hasattr(self.binner_, "feature_names_in_"):
            self.feature_names_in_ = self.binner_.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        columns = self.binner_._read(X, reset=False)
        if len(columns[0].values) != len(labels):
            raise ValueError(
                f"y has {len(labels)} labels; X has {len(columns[0].values)} rows (inconsistent numbers of samples)"
            )
        return columns, weights

    def _best_variables(
        self, evidence: Vector, labels: Vector, k: int, weights: Vector | None, settings: Settings, place: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Choose k variables, each of which is represented by its weight of evidence instead of a group of columns."""
        variables = np.unique(place)
        number = np.searchsorted(variables, place)  # of the variable of each column
        inside = [int(number[c]) for c in settings.always_in or ()]
        outside = sorted({int(number[c]) for c in settings.never_in or ()})
        one_each = replace(settings, always_in=inside or None, never_in=outside or None, bounds=None, groups=None)
        fit = solve(Request.of(Inputs(evidence, weights, None, one_each), labels), k, keep_data=False)
        return variables[np.union1d(fit.support, np.array(inside, dtype=np.int64))]

    def _settings(self, layout: Layout, loss: Loss, free: NDArray[np.int64], *, all_in: bool = False) -> tuple[Settings, int]:
        """Return the settings of the fit, and k; with ``all_in``, all columns stay in the model."""
        place = layout.variable[free]
        by_variable = self.choose == "variables"
        n_units = len(np.unique(place)) if by_variable else len(free)
        k = min(10, n_units) if self.k is None else min(check_integer(self.k, "k", 0), n_units)
        names = getattr(self, "feature_names_in_", None)

        def columns_of(given: Any, name: str) -> list[int]:
            wanted = check_features(given, name, self.n_features_in_, names)
            return [int(c) for v in wanted for c in np.flatnonzero(place == v)[: 1 if by_variable else None]]

        always = columns_of(self.always_in, "always_in")
        if always and not by_variable:
            raise ValueError("always_in names variables, so it needs choose='variables'")
        bounds = layout.bounds()
        settings = Settings(
            loss=loss,
            ridge=self.ridge,
            search=self.search,
            max_seconds=self.max_seconds,
            random_state=self.random_state,
            always_in=None if all_in else always or None,
            never_in=None if all_in else columns_of(self.never_in, "never_in") or None,
            bounds=None if bounds is None else (bounds[0][free], bounds[1][free]),
            groups=place if by_variable and not all_in else None,
        )
        return settings, k

    def _whole_points(self, layout: Layout, design: Any, labels: Vector, weights: Vector | None, coef: Vector, k: int) -> Scale:
        """Search for small whole points of all columns, or of those of the chosen variables."""
        columns = np.arange(len(coef))
        if self.choose == "variables":
            chosen = np.unique(layout.variable[np.flatnonzero(coef)])
            columns = np.flatnonzero(np.isin(layout.variable, chosen))
            k = len(columns)
        found = search_small_points(
            design[:, columns],
            labels,
            weights,
            self._loss,
            k,
            int(self.max_points or 1),
            ridge=float(self.ridge),
            starts=[coef[columns]],
            random_state=self.random_state,
        )
        return whole_scale(layout, columns[found.support], found.points, found.slope, found.intercept)

    def _make_card(self, scale: Scale, weight_of_bins: list[Vector], events_of_bins: list[Vector]) -> None:
        """Make the card with these points."""
        variables, self._places = [], []
        for v, points in enumerate(scale.points):
            if points is None:
                continue
            weight = weight_of_bins[v]
            variables.append(
                CardVariable(
                    self.binner_.bins_[v],
                    tuple(points.tolist()),
                    float(points[int(np.argmax(weight))]),
                    tuple(weight.tolist()),
                    tuple(events_of_bins[v].tolist()),
                )
            )
            self._places.append(v)
        event, other = self.event_, self.classes_.tolist()[1 - self._event_place]
        self.variables_ = [variable.bins.name for variable in variables]
        self.card_ = Card(
            variables, scale.base, scale.intercept, scale.slope, event, other, self._loss, self._title(scale, event, other), ()
        )

    def _title(self, scale: Scale, event: Any, other: Any) -> str:
        if self.max_points is not None:
            what = "log odds" if self._loss.is_log_odds else "linear predictor (focal loss)"
            return (
                f"Points for the {what} of class {event!r} against class {other!r}: {what.split(' (')[0]} = {scale.intercept:.4g} + "
                f"{scale.slope:.4g} * points"
            )
        of, against = (event, other) if self.convention == "event" else (other, event)
        return (
            f"{self.base_points:g} points are odds of {self.base_odds:g} to 1 of class {of!r} against class {against!r}; "
            f"{self.points_to_double_odds:+g} points double them"
        )

    def _notes(self, n: int) -> tuple[str, ...]:
        notes = [self.result_._caution] if self.result_._caution else []
        how = "With real coefficients instead of points"
        notes.append(
            f"{how} the average loss on the {n} rows of the fit is {self.loss_before_:.6g}; with the points of the card it is "
            f"{self.loss_after_:.6g}."
        )
        return tuple(notes)

    def _mean_loss(self, eta: Vector, labels: Vector, weights: Vector | None) -> float:
        return float(np.average(terms_by_eta(self._loss, eta, labels)[0], weights=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.classifier_tags.multi_class = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _counts(
    codes: list[NDArray[np.int32]], layout: Layout, labels: Vector, weights: Vector | None
) -> tuple[list[Vector], list[Vector]]:
    """Return the weight of all rows, and of the rows of the event, in each bin of each variable."""
    each = np.ones(len(labels)) if weights is None else weights
    weight, events = [], []
    for code, bins in zip(codes, layout.bins, strict=True):
        place = code + 1  # rows of weight 0 may fall in no bin
        weight.append(np.asarray(np.bincount(place, each, minlength=bins.n_bins + 1)[1:], dtype=np.float64))
        events.append(np.asarray(np.bincount(place, each * labels, minlength=bins.n_bins + 1)[1:], dtype=np.float64))
    return weight, events
