"""A transformer that divides the columns of a raw table into bins and returns columns of 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import (
    _check_feature_names,
    _check_feature_names_in,
    _check_n_features,
    check_array,
    check_is_fitted,
)

from .._checks import check_choice, check_flag, check_integer, check_real
from .._estimators.doc_link import DocumentationLink
from .._estimators.input import weights_of_rows
from .._input.frames import column_names, is_frame
from .._input.numbers import first_missing, refuse_missing
from .._input.sparse import is_sparse
from .bins import Bins, LevelBins, NumberBins
from .columns import Column, columns_of
from .cutting import cut_levels, cut_numbers, merge_monotone, optimal_bins

if TYPE_CHECKING:
    from typing_extensions import Self  # of Python 3.11

__all__ = ["Binner"]

STRATEGIES = ("quantile", "uniform", "kmeans", "optimal")
ENCODINGS = ("onehot", "cumulative")
TRENDS = ("auto", "increasing", "decreasing")


class Binner(DocumentationLink, TransformerMixin, BaseEstimator):
    """Divide the columns of a table into bins, and return a column of 0 and 1 for each bin.

    Numbers are divided at cuts, and categories by level. Missing values and rare levels have bins of their own. X may be a data
    frame of pandas, polars or pyarrow with numbers, text and categories, or an array. The names of the output columns show
    their range, such as ``age > 41``, ``job = clerk`` or ``income missing``.

    Parameters
    ----------
    n_bins : int, default=10
        Maximum number of intervals of a column of numbers, >= 2. Columns with many equal values may get fewer.
    strategy : {"quantile", "uniform", "kmeans", "optimal"}, default="quantile"
        How to choose the cuts of numbers: at quantiles, so that bins have about the same number of rows (``"quantile"``); at
        equal distances (``"uniform"``) or between clusters (``"kmeans"``), as in
        :class:`sklearn.preprocessing.KBinsDiscretizer`; or by the package optbinning, which maximises the information value
        (``"optimal"``). The last one also bins categories, and needs y and ``pip install 'ksparse[optbinning]'``.
    cuts : dict or None, default=None
        Bins of your own, by the name or number of the column. For numbers, an entry is a list of cuts, and a bin includes its
        upper end. For categories, it is a list of levels, or of lists of levels that share a bin.
    categories : array-like of str or int or None, default=None
        Names or numbers of the columns of numbers that are categories. Columns of text and categorical columns are recognised.
    encoding : {"onehot", "cumulative"}, default="onehot"
        The output columns of numbers: one for each interval (``"onehot"``), or one for each cut, which is 1 above it, such as
        ``age > 41`` (``"cumulative"``). Categories always have one for each bin.
    min_share : float, default=0.01
        Levels with less than this share of the rows are put into one bin, ``job other``. Levels that are new in ``transform``
        then belong to this bin, too. In [0, 1).
    max_levels : int or None, default=None
        Maximum number of levels of a category with a bin of their own, which are the most frequent ones. The others share a
        bin.
    monotone : {"auto", "increasing", "decreasing"}, dict or None, default=None
        Merges neighbouring intervals of numbers until the share of the second class of y (or the mean of y, if it has numbers)
        only increases, or only decreases, along the column. ``"auto"`` takes the direction that fits better. A dict has an
        entry for each column that must be monotone, by its name or number. It needs y.
    handle_unknown : {"ignore", "error"}, default="ignore"
        What ``transform`` does with values that belong to no bin. These are new levels, if the column has no bin for other
        levels, and missing values, if the column had none in ``fit``. ``"ignore"`` sets all columns of the variable to 0, and
        ``"error"`` raises a ValueError.
    sparse_output : bool, default=False
        Whether ``transform`` returns a SciPy CSC array, which takes much less memory if there are many bins.

    Attributes
    ----------
    bins_ : list
        The bins of each column of X: objects with ``name``, ``cuts`` or ``levels``, ``has_missing`` and ``labels()``. A column
        with only one bin has no output columns.
    groups_ : ndarray of str, shape (n_features_out,)
        The column of X of each output column. Pass it as ``groups`` to :func:`ksparse.fit`, so that k counts variables.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Their names, when X was a data frame with string names.

    See Also
    --------
    ksparse.KSparseScorecard : Makes bins, chooses variables and assigns points in one step.
    sklearn.preprocessing.KBinsDiscretizer : Bins of numbers without missing values.
    sklearn.preprocessing.OneHotEncoder : Columns for the levels of categories.

    Notes
    -----
    A cut is rounded to the fewest digits, at least three, that divide the rows of the fit in the same way. Rows of
    weight 0 are ignored, and quantiles are weighted. Infinite numbers belong to the first or last interval.

    Examples
    --------
    >>> import pandas
    >>> from ksparse import Binner
    >>> table = pandas.DataFrame({"age": [23, 35, 41, 52, 60, None], "job": ["clerk", "clerk", "nurse", "nurse", None, "clerk"]})
    >>> binner = Binner(n_bins=2)
    >>> binner.fit(table).get_feature_names_out().tolist()
    ['age <= 41', 'age > 41', 'age missing', 'job = clerk', 'job = nurse', 'job missing']
    >>> binner.set_params(encoding="cumulative").fit(table).get_feature_names_out().tolist()[:2]
    ['age > 41', 'age missing']
    """

    def __init__(
        self,
        n_bins: int = 10,
        *,
        strategy: str = "quantile",
        cuts: Mapping[Any, Any] | None = None,
        categories: ArrayLike | None = None,
        encoding: str = "onehot",
        min_share: float = 0.01,
        max_levels: int | None = None,
        monotone: Any = None,
        handle_unknown: str = "ignore",
        sparse_output: bool = False,
    ) -> None:
        self.n_bins = n_bins
        self.strategy = strategy
        self.cuts = cuts
        self.categories = categories
        self.encoding = encoding
        self.min_share = min_share
        self.max_levels = max_levels
        self.monotone = monotone
        self.handle_unknown = handle_unknown
        self.sparse_output = sparse_output

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the bins.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            The table.
        y : array-like of shape (n_samples,), optional
            Labels of two classes, or numbers. It is only needed for ``monotone`` and for ``strategy="optimal"``.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, >= 0.

        Returns
        -------
        Binner
            The fitted transformer itself.

        Raises
        ------
        TypeError, ValueError
            If an argument is invalid. The message names the column.
        """
        self._check_parameters()
        columns = self._read(X, reset=True)
        weights = weights_of_rows(sample_weight, columns[0].values[:, None])
        weights = np.ones(len(columns[0].values)) if weights is None else weights
        for i in np.flatnonzero(~(weights >= 0))[:1]:
            raise ValueError(f"sample_weight[{i}] is {weights[i]}; weights must be finite and >= 0")
        counted = weights > 0
        target = self._target(y, len(weights))
        if not counted.all():
            columns = [column.take(counted) for column in columns]
            weights, target = weights[counted], None if target is None else target[counted]
        cuts, trends = self._by_column(self.cuts, "cuts"), self._trends(len(columns))
        self.bins_ = [self._bins_of(column, weights, target, cuts.get(j), trends.get(j)) for j, column in enumerate(columns)]
        self.groups_ = np.array(
            [bins.name for bins in self.bins_ for _ in range(len(self._labels_of(bins)))], dtype=np.dtype(object)
        )
        return self

    def transform(self, X: Any) -> Any:
        """Return a column of 0 and 1 for each bin, or for each cut.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            A table with the columns of the fit.

        Returns
        -------
        ndarray or csc_array of shape (n_samples, n_features_out)
            The columns, or a data frame after ``set_output``.

        Raises
        ------
        TypeError, ValueError
            If X has other columns than in ``fit``, or, with ``handle_unknown="error"``, if a value belongs to no bin.
        """
        check_is_fitted(self)
        columns = self._read(X, reset=False)
        codes = [bins.codes(column) for bins, column in zip(self.bins_, columns, strict=True)]
        if check_choice(self.handle_unknown, "handle_unknown", ("ignore", "error")) == "error":
            self._refuse_unknown(columns, codes)
        return self._encoded(codes, sparse=check_flag(self.sparse_output, "sparse_output"))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the output columns, which show their range.

        Parameters
        ----------
        input_features : array-like of str, optional
            Names of the columns of X. By default, these are the names seen during ``fit``, or ``x0``, ``x1``, ...

        Returns
        -------
        ndarray of str
            Names such as ``age > 41``.
        """
        from dataclasses import replace

        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        named = (replace(bins, name=name) for bins, name in zip(self.bins_, names.tolist(), strict=True))
        return np.array([label for bins in named for label in self._labels_of(bins)], dtype=object)

    def _check_parameters(self) -> None:
        check_integer(self.n_bins, "n_bins", 2)
        check_choice(self.strategy, "strategy", STRATEGIES)
        check_choice(self.encoding, "encoding", ENCODINGS)
        check_choice(self.handle_unknown, "handle_unknown", ("ignore", "error"))
        check_real(self.min_share, "min_share", "in [0, 1)", 0.0, 1.0)
        check_flag(self.sparse_output, "sparse_output")
        if self.max_levels is not None:
            check_integer(self.max_levels, "max_levels", 1)

    def _read(self, X: Any, *, reset: bool) -> list[Column]:
        """Return the columns of X as numbers or levels, and store (``reset``) or check their names and number."""
        if is_sparse(X):
            columns_of(X, [])  # raises an error with a message
        if not is_frame(X):
            X = _array_of(X, self)
        _check_feature_names(self, X, reset=reset)
        n_columns = len(column_names(X)) if is_frame(X) else X.shape[1]
        _check_n_features(self, np.empty((1, n_columns)) if is_frame(X) else X, reset=reset)
        names = list(getattr(self, "feature_names_in_", [f"x{j}" for j in range(n_columns)]))
        columns = columns_of(X, names)
        if not columns or not len(columns[0].values):
            raise ValueError(
                f"Found array with 0 sample(s) or 0 feature(s) (X has {len(columns)} columns); a minimum of 1 is required."
            )
        return self._as_categories(columns)

    def _as_categories(self, columns: list[Column], places: list[int] | None = None) -> list[Column]:
        """Turn the columns of numbers that ``categories`` names into levels; ``places`` are the numbers of the columns."""
        named = self._by_column(None if self.categories is None else dict.fromkeys(list(self.categories)), "categories")  # type: ignore[arg-type]
        return [
            _levels_of(column) if j in named and column.is_number else column
            for j, column in zip(range(len(columns)) if places is None else places, columns, strict=True)
        ]

    def _by_column(self, given: Any, argument: str) -> dict[int, Any]:
        """Convert a dict by names or numbers of columns to one by numbers."""
        from .._input.validation import check_features

        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise TypeError(f"{argument} is {given!r}; it must be a dict by the names or numbers of columns, or None")
        names = getattr(self, "feature_names_in_", None)
        places = check_features(list(given), argument, self.n_features_in_, names)
        return dict(zip(places, given.values(), strict=True))

    def _trends(self, n_columns: int) -> dict[int, str]:
        if self.monotone is None:
            return {}
        if isinstance(self.monotone, str):
            return dict.fromkeys(range(n_columns), check_choice(self.monotone, "monotone", TRENDS))
        trends = self._by_column(self.monotone, "monotone")
        return {j: check_choice(trend, "an entry of monotone", TRENDS) for j, trend in trends.items()}

    def _target(self, y: Any, n: int) -> NDArray[np.float64] | None:
        """Return y as 0 and 1, or as numbers if it has more than two values, or None if the bins do not depend on it."""
        if self.monotone is None and self.strategy != "optimal":
            if y is not None and len(np.asarray(y)) != n:  # y is not used, but belongs to another table
                raise ValueError(f"X has {n} rows but y has {len(np.asarray(y))}; y must have a label for each row of X")
            return None
        what = "monotone" if self.monotone is not None else "strategy='optimal'"
        if y is None:
            raise ValueError(f"{what} needs y, the labels: requires y to be passed, but the target y is None")
        if (place := first_missing(y)) is not None:
            refuse_missing(place, "y")
        labels = np.asarray(y)
        if labels.shape != (n,):
            raise ValueError(f"y has shape {labels.shape}; it must be ({n},), a label for each row of X")
        type_of_target(labels, input_name="y", raise_unknown=True)
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) == 2:
            return numbers.astype(np.float64)
        if labels.dtype.kind not in "fiu" or self.strategy == "optimal":
            raise ValueError(f"y has {len(classes)} classes; {what} needs two")
        return labels.astype(np.float64)

    def _bins_of(
        self, column: Column, weights: NDArray[np.float64], target: NDArray[np.float64] | None, cuts: Any, trend: str | None
    ) -> Bins:
        """Find the bins of one column."""
        if cuts is not None:
            bins = _given_bins(column, cuts)
        elif self.strategy == "optimal" and target is not None:
            bins = optimal_bins(column, target, self.n_bins, trend)
        elif column.is_number:
            bins = cut_numbers(column, weights, self.n_bins, self.strategy)
        else:
            return cut_levels(column, self.min_share * len(weights), self.max_levels)
        if trend is None or target is None or not isinstance(bins, NumberBins) or not bins.cuts:
            return bins
        known = ~column.missing
        return merge_monotone(bins, bins.codes(column)[known], target[known], weights[known], trend)

    def _labels_of(self, bins: Bins) -> list[str]:
        """Return the names of the output columns of a variable."""
        if bins.n_bins < 2:
            return []
        labels = bins.labels()
        if self.encoding == "onehot" or isinstance(bins, LevelBins):
            return labels
        above = [f"{bins.name} > {label.rpartition(' <= ')[2]}" for label in labels[: len(bins.cuts)]]
        return above + labels[bins.n_ordered :]

    def _encoded(self, codes: list[NDArray[np.int32]], *, sparse: bool) -> Any:
        """Return the output columns for the bin numbers of the rows."""
        parts = []
        for bins, code in zip(self.bins_, codes, strict=True):
            if bins.n_bins < 2:
                continue
            if self.encoding == "onehot" or isinstance(bins, LevelBins):
                parts += [np.flatnonzero(code == b) for b in range(bins.n_bins)]
            else:
                parts += [np.flatnonzero((code > b) & (code < bins.n_ordered)) for b in range(len(bins.cuts))]
                parts += [np.flatnonzero(code == bins.n_ordered)] * bins.has_missing
        n = len(codes[0])
        if not sparse:
            dense = np.zeros((n, len(parts)), order="F")
            for j, rows in enumerate(parts):
                dense[rows, j] = 1.0
            return dense
        from scipy.sparse import csc_array

        starts = np.cumsum([0, *map(len, parts)])
        rows = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
        whole = np.int32 if max(n, starts[-1]) < 2**31 else np.int64
        return csc_array((np.ones(len(rows)), rows.astype(whole), starts.astype(whole)), shape=(n, len(parts)))

    def _refuse_unknown(self, columns: list[Column], codes: list[NDArray[np.int32]]) -> None:
        for column, code in zip(columns, codes, strict=True):
            for i in np.flatnonzero(code < 0)[:1]:
                value = column.values[i]
                what = "is missing, which it was in no row" if column.missing[i] else f"is {value!r}, which it was in no row"
                raise ValueError(
                    f"row {i} of the column {column.name!r} {what} of the fit; use handle_unknown='ignore', or fit again"
                )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        tags.target_tags.required = self.monotone is not None or self.strategy == "optimal"
        return tags


def _levels_of(column: Column) -> Column:
    """Convert a column of numbers to levels, with whole numbers as int."""
    levels = np.empty(len(column.values), dtype=object)
    levels[:] = [None if v != v else int(v) if v.is_integer() else v for v in column.values.tolist()]
    return Column(column.name, levels, False)


def _array_of(X: Any, estimator: Any) -> NDArray[Any]:
    """Convert X, which is no data frame, to an array of two dimensions, or raise scikit-learn's errors."""
    array = X if isinstance(X, np.ndarray) else np.asarray(X, dtype=None if _is_regular(X) else object)
    numeric = array.dtype.kind in "fiub"
    return np.asarray(
        check_array(
            array,
            dtype=None if numeric or array.dtype.kind == "c" else object,
            ensure_all_finite=False,
            estimator=estimator,
        )
    )


def _is_regular(X: Any) -> bool:
    """Whether nested lists have only numbers, so that NumPy does not convert them to text."""
    try:
        return np.asarray(X).dtype.kind in "fiubc"
    except ValueError:  # lists of unequal lengths
        return True


def _given_bins(column: Column, cuts: Any) -> Bins:
    """Return the bins of a column from the user's cuts."""
    has_missing = bool(column.missing.any())
    if column.is_number:
        ends = [check_real(cut, f"a cut of {column.name!r}", "finite", -np.inf) for cut in cuts]
        return NumberBins(column.name, tuple(sorted(set(ends))), has_missing)
    groups = tuple((group,) if isinstance(group, str) or not np.iterable(group) else tuple(group) for group in cuts)
    named = [level for group in groups for level in group]
    for level in named:
        if named.count(level) > 1:
            raise ValueError(f"cuts has the level {level!r} of {column.name!r} twice")
    others = {level for level in column.values.tolist() if level is not None} - set(named)
    return LevelBins(column.name, groups, bool(others), has_missing)
