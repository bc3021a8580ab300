"""Methods of a result that describe or export the model: summary, formula, scorecard and other formats."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from .._input.request import Request
from .._model import Model
from .export import formula, to_logistic_regression, to_python, to_sql
from .fit_data import FitData
from .scorecard import Scorecard, make_scorecard
from .summary import Summary, summarise

__all__ = ["ReadableFit"]


class ReadableFit:
    """Methods that describe the model of a :class:`ksparse.FitResult`."""

    _request: Request | None

    def _data(self) -> Request:
        """Return the data of the fit, or raise an error if they are not available."""
        if self._request is None:
            raise ValueError(
                "this result does not refer to its data, because it was unpickled, comes from fit_each or from X in blocks, has a loss "
                "with a kink (absolute, quantile, hinge), or belongs to an estimator; use a result of ksparse.fit with X in memory, or the method with the same name of the estimator, which takes X and y"
            )
        return self._request

    def _unchanged_data(self) -> Request:
        """Return the data of the fit; raise ValueError if they have been changed in place since."""
        request = self._data()
        request.refuse_changed()
        result = self._result()
        if np.isfinite(result.objective):
            FitData.of(request, result).refuse_others(result)
        return request

    def summary(
        self,
        *,
        level: float = 0.95,
        covariance: str | None = None,
        bootstrap: int = 0,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> Summary:
        r"""Return a table of the chosen features with standard errors and confidence intervals.

        Standard errors treat the features as given. Since they were chosen because they looked strong on the same rows, the
        intervals are too narrow and the coefficients tend to be too large; a note below the table says so.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level of the intervals, in (0, 1).
        covariance : {"information", "sandwich"} or None, default=None
            How standard errors are estimated, see Notes. None means ``information`` if the loss is a likelihood, e.g. the
            logistic loss, and ``sandwich`` otherwise, e.g. for the focal loss.
        bootstrap : int, default=0
            Number of rounds of :func:`ksparse.stability_selection` with ``sampling="bootstrap"``, >= 0, in which the features
            are chosen anew. The table then contains the share of the rounds in which each feature was chosen. With 0 there are
            no such rounds.
        random_state : int, default=0
            Seed of the bootstrap rounds.
        n_jobs : int or None, default=None
            Number of threads for the bootstrap rounds, as in scikit-learn.

        Returns
        -------
        Summary
            The table, which can be printed, is shown in notebooks, and has ``to_frame()``.

        Raises
        ------
        ValueError
            If an argument is invalid, or if the result does not refer to its data, see :meth:`alternatives`.

        Notes
        -----
        With :math:`z_i` the chosen columns of row i and a 1 for the intercept, let :math:`c_i = w_i \ell''(m_i)`,
        :math:`u_i = w_i (\partial\ell/\partial\eta_i\, z_i + \rho\beta)` (without :math:`\rho\beta` for the intercept) and
        :math:`H = \sum_i c_i z_i z_i^\top + W\rho I` (without :math:`\rho` for the intercept), which is the Hessian of :math:`W F`. The covariance is

        - ``information``: :math:`H^{-1} (\sum_i c_i z_i z_i^\top) H^{-1}`. Without a ridge, this is the inverse of the observed
          information; with one, it is the variance of the penalised estimate [1]_. A weight of 2 counts as two rows.
        - ``sandwich``: :math:`H^{-1} (\sum_i u_i u_i^\top) H^{-1}`, which is valid for M-estimators even if the model is wrong
          [2]_ [3]_, without a correction for small samples. Each row is one observation, whatever its weight. This is correct if
          weights are importances, but the intervals are too wide if weights count rows.

        A ridge shrinks the coefficients towards 0. The intervals are for the shrunken coefficients and do not include this
        bias. With a strong ridge, the standard errors of ``information`` are too large, because it takes the variance of the
        labels from probabilities that are shrunk towards 1/2; use ``sandwich`` then. Coefficients at a bound are treated as
        fixed. There are no standard errors unless the fit converged. There are no p-values, because they would not be valid
        after the selection [4]_.

        References
        ----------
        .. [1] Le Cessie, van Houwelingen, "Ridge estimators in logistic regression", Applied Statistics 1992.
        .. [2] Huber, "The behavior of maximum likelihood estimates under nonstandard conditions", Berkeley Symposium 1967.
        .. [3] White, "Maximum likelihood estimation of misspecified models", Econometrica 1982.
        .. [4] Berk, Brown, Buja, Zhang, Zhao, "Valid post-selection inference", Annals of Statistics 2013.

        Examples
        --------
        >>> import numpy as np
        >>> import ksparse
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((300, 50))
        >>> y = X[:, 7] - X[:, 30] + rng.logistic(size=300) > 0
        >>> summary = ksparse.fit(X, y, k=2).summary(bootstrap=100)
        >>> summary.names.tolist()
        ['x7', 'x30', '(intercept)']
        >>> summary.to_frame().columns.tolist()
        ['coef', 'standard_error', 'lower', 'upper', 'coef_per_sd', 'odds_ratio', 'share_chosen']
        """
        request = self._unchanged_data()
        return summarise(
            self._result(),
            request,
            level=level,
            covariance=covariance,
            bootstrap=bootstrap,
            random_state=random_state,
            n_jobs=n_jobs,
            class_weighted=request.settings.class_weight is not None,
        )

    def formula(self, digits: int = 4) -> str:
        """Write the model as a formula for a reader.

        Parameters
        ----------
        digits : int, default=4
            Number of significant digits, in [1, 17].

        Returns
        -------
        str
            ``log-odds of class 1 = ...``, or ``linear predictor of class 1 = ...`` for classification losses whose linear predictor is not the
            log-odds, and ``mean = ...`` or ``log(mean) = ...`` for regression. Features without names are ``x0``, ``x1``, ...
            An offset must be added. If the fit did not converge, a second line says so.

        Raises
        ------
        ValueError
            If ``digits`` is invalid, or the result belongs to a problem that could not be fitted.

        Examples
        --------
        >>> import ksparse
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> print(ksparse.fit(X, y, k=2).formula(3))
        log-odds of class 1 = 14.8 - 0.0101 * worst area - 47.9 * worst concave points
        """
        return formula(self._result(), digits)

    def to_python(self, output: str | None = None) -> str:
        """Write the model as a Python expression, which needs neither ksparse nor NumPy.

        Parameters
        ----------
        output : {"probability", "mean", "linear_predictor"} or None, default=None
            What the expression computes: the probability of class 1 for the logistic and focal losses, the mean response for
            regression, or the linear predictor. None means the probability or the mean.

        Returns
        -------
        str
            An expression of ``row``, which is a mapping from column names to values (or a sequence if the columns have no
            names). For a probability or a mean it also uses the module ``math``. Numbers are written exactly, so results agree
            with the model up to rounding; NaN gives NaN. An offset must be added to the linear predictor. If the fit did not
            converge, a comment says so.

        Raises
        ------
        ValueError
            If ``output`` is invalid, a chosen feature shares its name with another column, or the result belongs to a problem
            that could not be fitted.

        Examples
        --------
        >>> import math
        >>> import ksparse
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> expression = ksparse.fit(X, y, k=2).to_python()
        >>> probability = eval(f"lambda row: {expression}")
        >>> print(round(probability({"worst area": 700, "worst concave points": 0.1}), 3))
        0.948
        """
        return to_python(self._result(), output)

    def to_sql(self, output: str | None = None) -> str:
        """Write the model as an SQL expression, to be selected from a table with the columns of X.

        Parameters
        ----------
        output : {"probability", "mean", "linear_predictor"} or None, default=None
            What the expression computes: the probability of class 1 for the logistic and focal losses, the mean response for
            regression, or the linear predictor. None means the probability or the mean.

        Returns
        -------
        str
            An expression in standard SQL with column names in double quotes, ``CASE``, ``EXP``, and ``LN`` for the focal loss.
            Some databases differ: MySQL accepts double quotes for names only in the mode ``ANSI_QUOTES``, and in SQL Server
            ``LN`` is called ``LOG``. Features without names are ``"x0"``, ``"x1"``, ... NULL gives NULL. If the fit did not
            converge, a comment says so.

        Raises
        ------
        ValueError
            For the same reasons as in :meth:`to_python`.

        Examples
        --------
        >>> import ksparse
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> print(ksparse.fit(X, y, k=1).to_sql("linear_predictor"))  # doctest: +ELLIPSIS
        /* log-odds of class 1 */ 19.33... - 0.175... * "worst perimeter"
        """
        return to_sql(self._result(), output)

    def to_logistic_regression(self) -> Any:
        """Copy the coefficients to a scikit-learn model, for tools that support its models, e.g. converters to ONNX.

        Returns
        -------
        sklearn.linear_model.LogisticRegression
            A fitted model of the classes 0 and 1 with the same linear predictor and probabilities. Its parameters are
            scikit-learn's defaults, which do not describe how the model was fitted, and it does not include an offset.

        Raises
        ------
        ValueError
            If the loss is focal with gamma > 0, so the probabilities are not those of a logistic regression, or the result
            belongs to a problem that could not be fitted.

        Examples
        --------
        >>> import ksparse
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> model = ksparse.fit(X, y, k=2).to_logistic_regression()
        >>> print(round(model.score(X, y), 3))
        0.956
        """
        return to_logistic_regression(self._result())

    def scorecard(
        self,
        *,
        points_to_double_odds: float = 20.0,
        base_points: float = 600.0,
        base_odds: float = 50.0,
        units: dict[Any, float] | None = None,
        decimals: int | None = 0,
    ) -> Scorecard:
        """Make a scorecard, whose points can be added by hand; more points mean that class 1 is more likely.

        Parameters
        ----------
        points_to_double_odds : float, default=20
            Number of points that double the odds of class 1, not 0. It is negative if points should decrease as the odds
            increase.
        base_points, base_odds : float, default=600, 50
            A score, and the odds of class 1 (``base_odds`` to 1) that it corresponds to.
        units : dict or None, default=None
            Steps of features, by name or index, for which points are given, > 0. By default the step is 1 for a feature that is
            0 or 1 in every row. Otherwise it is the largest of 1, 2 and 5 times a power of ten that does not exceed the
            standard deviation, and at least 1 for a feature with integer values.
        decimals : int or None, default=0
            Number of decimals of the points and the base, in [0, 15]. None means no rounding.

        Returns
        -------
        Scorecard
            The scorecard, which can be printed, is shown in notebooks, and has ``to_frame()``, ``score(X)`` and
            ``probability(score)``.

        Raises
        ------
        ValueError
            If an argument is invalid, if the linear predictor is not the log-odds, e.g. for the focal loss with gamma > 0, or
            if the result does not refer to its data, see :meth:`alternatives`.

        Notes
        -----
        Points are rounded separately, and the base is then chosen so that the average row keeps its score. ``loss_before``,
        ``loss_after`` and ``largest_change`` show the effect of rounding on the rows of the fit. It is smaller with larger
        ``points_to_double_odds`` or ``units``.

        References
        ----------
        .. [1] Siddiqi, "Credit risk scorecards", Wiley 2006.

        Examples
        --------
        >>> import ksparse
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        >>> card = ksparse.fit(X, y, k=2).scorecard(base_points=0, base_odds=1)
        >>> print(card)
        0 points are odds of 1 to 1 of class 1; +20 points double them
          feature               points   per
          (base)                   426
          worst area              -146   500
          worst concave points     -69  0.05
        Rounding takes the average loss on 569 rows from 0.119622 to 0.119622, and changes no probability by
        more than 0.0007.
        >>> print(card.score(X[193:194]), card.probability([-20, 0, 20]).round(3))
        [0.1392] [0.333 0.5   0.667]
        """
        request = self._unchanged_data()
        return make_scorecard(
            self._result(),
            request,
            points_to_double_odds=points_to_double_odds,
            base_points=base_points,
            base_odds=base_odds,
            units=units,
            decimals=decimals,
            class_weighted=request.settings.class_weight is not None,
        )

    def _result(self) -> Model:
        return cast("Model", self)
