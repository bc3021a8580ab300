"""The commands ``ksparse fit`` and ``ksparse predict``."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ._command_table import CommandError, numbers_or_error, read_table, split_target

__all__ = ["add_commands"]

NOT_CONVERGED = 3


def add_commands(commands: Any) -> None:
    """Add both commands to a parser."""
    fit = commands.add_parser("fit", help="fit a sparse model, or a scorecard, to a table")
    fit.add_argument("table", type=Path, help="CSV file with a header, or Parquet file")
    fit.add_argument("--target", required=True, help="the column to predict")
    fit.add_argument("-k", type=int, default=10, help="most features; with --cv, the largest k that is compared (default: 10)")
    fit.add_argument("--loss", default="logistic", help="the loss, e.g. logistic, focal, squared, poisson (default: logistic)")
    fit.add_argument("--ridge", type=float, default=1e-4, help="weight of the ridge penalty (default: 1e-4)")
    fit.add_argument("--cv", type=int, metavar="FOLDS", help="choose k by cross-validation with so many folds")
    fit.add_argument(
        "--drop", nargs="+", default=[], metavar="COLUMN", help="columns that are not features, such as numbers of customers"
    )
    fit.add_argument(
        "--scorecard", action="store_true", help="make bins of all columns, and a scorecard of at most k variables"
    )
    fit.add_argument("--max-points", type=int, help="with --scorecard: small whole points up to this number")
    fit.add_argument("--event", help="with --scorecard: the label whose probability the card is for")
    fit.add_argument("--sql", type=Path, help="write the model to this file, as an expression of SQL")
    fit.add_argument("--plot", type=Path, help="draw the coefficients, or how good the card is, to this file")
    fit.add_argument("--model", type=Path, help="store the fitted model in this file, for ksparse predict")
    fit.set_defaults(run=run_fit)
    predict = commands.add_parser("predict", help="apply a model that ksparse fit has stored")
    predict.add_argument("model", type=Path, help="file written by ksparse fit --model; load only files that you trust")
    predict.add_argument("table", type=Path, help="CSV or Parquet file that has the columns of the model")
    predict.add_argument("--output", type=Path, help="CSV file for the predictions (default: standard output)")
    predict.set_defaults(run=run_predict)


def run_fit(options: argparse.Namespace) -> int:
    """Fit, print the model, write what was asked for; return the exit code."""
    table = read_table(options.table)
    for name in options.drop:
        if name not in table.columns:
            raise CommandError(f"{options.table}: there is no column {name!r}, which --drop names")
    X, y = split_target(table.drop(columns=options.drop), options.target, options.table)
    if X.shape[1] == 0:
        raise CommandError(f"{options.table}: there is no column but the target")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = _fit_scorecard(options, X, y) if options.scorecard else _fit_linear(options, X, y)
    for warning in caught:
        print(f"ksparse: warning: {warning.message}", file=sys.stderr)
    _write(options, model, X, y)
    return 0 if model.result_.converged else NOT_CONVERGED


def _fit_linear(options: argparse.Namespace, X: Any, y: Any) -> Any:
    from . import KSparseClassifier, KSparseClassifierCV, KSparseRegressor, KSparseRegressorCV
    from ._input.validation import check_loss

    for given, name in ((options.max_points, "--max-points"), (options.event, "--event")):
        if given is not None:
            raise CommandError(f"{name} needs --scorecard")
    X = numbers_or_error(X, options.table)
    of_labels = check_loss(options.loss, 0.5, 2.0).is_classification
    if of_labels and len(np.unique(y)) > 20 and y.dtype.kind in "fiu":
        raise CommandError(
            f"the target {options.target!r} has {len(np.unique(y))} values; for numbers use a loss of regression, e.g. --loss squared"
        )
    settings = {"loss": options.loss, "ridge": options.ridge}
    k = min(options.k, X.shape[1])
    if options.cv is None:
        model = (KSparseClassifier if of_labels else KSparseRegressor)(k=k, **settings).fit(X, y)
    else:
        search = (KSparseClassifierCV if of_labels else KSparseRegressorCV)(ks=range(k + 1), cv=options.cv, **settings).fit(
            X, y
        )
        print(f"cross-validation with {options.cv} folds chose k = {search.best_params_['k']}")
        model = search
    summary = model.summary(X, y)
    for name, part in summary.items() if isinstance(summary, dict) else [("", summary)]:
        print(f"{options.target} = {name}" if name != "" else "", part, sep="\n" if name != "" else "")
    return model


def _fit_scorecard(options: argparse.Namespace, X: Any, y: Any) -> Any:
    from . import KSparseScorecard

    event = options.event
    if event is not None and event not in np.unique(y).tolist():
        matches = [label for label in np.unique(y).tolist() if str(label) == event]
        if len(matches) != 1:
            raise CommandError(f"--event is {event!r}; it must be one of {', '.join(map(str, np.unique(y).tolist()))}")
        event = matches[0]
    card = KSparseScorecard(options.k, loss=options.loss, ridge=options.ridge, max_points=options.max_points, event=event)
    if options.cv is not None:
        from sklearn.model_selection import GridSearchCV

        search = GridSearchCV(card, {"k": list(range(1, options.k + 1))}, scoring="neg_log_loss", cv=options.cv).fit(X, y)
        print(f"cross-validation with {options.cv} folds chose k = {search.best_params_['k']}")
        card = search.best_estimator_
    else:
        card.fit(X, y)
    print(card)
    print(card.evaluate(X, y))
    return card


def _write(options: argparse.Namespace, model: Any, X: Any, y: Any) -> None:
    """Write the files that were asked for."""
    if options.sql is not None:
        text = model.to_sql()
        if isinstance(text, dict):
            text = "\n".join(f"-- {name}\n{part}" for name, part in text.items())
        options.sql.write_text(text + "\n", encoding="utf-8")
    if options.plot is not None:
        from . import CoefficientDisplay, ScorecardDisplay

        if options.scorecard:
            display: Any = ScorecardDisplay.from_evaluation(model.evaluate(X, y))
        else:
            display = CoefficientDisplay.from_estimator(model)
        display.figure_.savefig(options.plot)
    if options.model is not None:
        import joblib

        joblib.dump(model, options.model)


def run_predict(options: argparse.Namespace) -> int:
    """Write a prediction for each row; return the exit code."""
    import joblib

    if not options.model.is_file():
        raise CommandError(f"{options.model}: there is no such file")
    try:
        model = joblib.load(options.model)
    except Exception as error:  # a damaged file raises whatever the bytes happen to say
        raise CommandError(f"{options.model}: this is no stored model ({type(error).__name__})") from None
    if not hasattr(model, "feature_names_in_"):
        raise CommandError(f"{options.model}: this is no model of ksparse fit")
    table = read_table(options.table)
    needed = list(getattr(model, "variables_", model.get_feature_names_out().tolist() if hasattr(model, "support_") else []))
    for name in needed:
        if name not in table.columns:
            raise CommandError(
                f"{options.table}: there is no column {name!r}, which the model needs; it needs {', '.join(needed)}"
            )
    rows = table[needed]
    if not hasattr(model, "variables_"):
        rows = numbers_or_error(rows, options.table)
    pandas = sys.modules["pandas"]
    predicted = pandas.DataFrame({"prediction": model.predict(rows)})
    if hasattr(model, "predict_proba"):
        for label, column in zip(model.classes_.tolist(), model.predict_proba(rows).T, strict=True):
            predicted[f"probability of {label}"] = column
    predicted.to_csv(options.output if options.output is not None else sys.stdout, index=False)
    return 0
