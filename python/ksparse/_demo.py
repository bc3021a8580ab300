"""Demonstration on real data: the logistic and focal losses compared with models of scikit-learn, as a table and a plot."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score, precision_recall_curve
from sklearn.model_selection import StratifiedShuffleSplit
from threadpoolctl import threadpool_limits

from ._fit import fit
from ._loss import loss_terms
from .datasets import load_imbalanced_cancer

K = 8
GAMMAS = (0.0, 1.0, 2.0, 5.0, 10.0)
SPLITS = 100
RECALL = np.linspace(0.5, 1.0, 51)


@dataclass
class Entry:
    """A row of the table."""

    name: str
    coef: NDArray[np.float64]
    objective: float
    milliseconds: float
    scores: NDArray[np.float64]  # linear predictor on the test set
    f1: float
    balanced_accuracy: float
    pr_auc: float


def median_milliseconds(job: Callable[[], Any], repeats: int) -> float:
    """Return the median time of a function call in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def evaluate(name: str, data: Any, fitter: Callable[[], NDArray[np.float64]], loss: str, repeats: int) -> Entry:
    """Fit a model, measure its time and score it on the test set. The objective is that of ``loss`` on the training set."""
    coef = fitter()
    scores = data.X_test @ coef
    labels = (scores > 0).astype(int)
    margins = np.where(data.y_train == 1, 1.0, -1.0) * (data.X_train @ coef)
    # PR-AUC of the rare class, which is class 0, because precision and recall of the common class are not informative.
    return Entry(
        name,
        coef,
        float(loss_terms(margins, data.y_train == 1, loss=loss)[0].mean()),
        median_milliseconds(fitter, repeats),
        scores,
        f1_score(data.y_test, labels),
        balanced_accuracy_score(data.y_test, labels),
        average_precision_score(data.y_test == 0, -scores),
    )


def l1_at_most_k(data: Any) -> NDArray[np.float64]:
    """Fit an L1-penalised logistic regression with the weakest penalty on a grid that leaves at most K features."""
    best = np.zeros(data.X_train.shape[1])
    # scikit-learn 1.8 renamed the parameter; before, l1_ratio=1 alone did not give an L1 penalty.
    l1: dict[str, Any] = {"penalty": "l1"} if LogisticRegression().penalty == "l2" else {"l1_ratio": 1}
    settings = {"solver": "liblinear", "fit_intercept": False, "tol": 1e-6, "max_iter": 1000, "random_state": 0, **l1}
    for C in np.geomspace(1e-3, 1e1, 100):
        model = LogisticRegression(C=C, **settings)
        coef = model.fit(data.X_train, data.y_train).coef_[0]
        if np.count_nonzero(coef) > K:
            break
        best = coef
    return best


def all_features(data: Any) -> NDArray[np.float64]:
    """Fit scikit-learn's default logistic regression on all features."""
    return LogisticRegression(fit_intercept=False, max_iter=1000).fit(data.X_train, data.y_train).coef_[0]


def entries(data: Any) -> list[Entry]:
    """Return all rows of the table."""

    def subset(loss: str) -> NDArray[np.float64]:
        return fit(data.X_train, data.y_train, K, loss=loss, fit_intercept=False).coef

    return [
        evaluate("ksparse, logistic", data, lambda: subset("logistic"), "logistic", 15),
        evaluate("ksparse, focal", data, lambda: subset("focal"), "focal", 15),
        evaluate("scikit-learn, L1", data, lambda: l1_at_most_k(data), "logistic", 1),
        evaluate("scikit-learn, all", data, lambda: all_features(data), "logistic", 3),
    ]


@dataclass
class Splits:
    """Fits on random splits of the same data: precision at each recall by model, and how often noise was chosen."""

    precision: dict[str, NDArray[np.float64]]  # (n_splits, n_recalls)
    noise: NDArray[np.bool_]  # (n_splits, n_features), which noise columns the logistic loss chose


def repeat_splits(data: Any) -> Splits:
    """Fit the models that the picture shows on random splits."""
    X, y = np.vstack([data.X_train, data.X_test]), np.concatenate([data.y_train, data.y_test])
    splitter = StratifiedShuffleSplit(SPLITS, test_size=0.3, random_state=0)
    fitters = {
        "scikit-learn, all": all_features,
        "ksparse, logistic": lambda part: fit(part.X_train, part.y_train, K, fit_intercept=False).coef,
        "ksparse, focal": lambda part: fit(part.X_train, part.y_train, K, loss="focal", fit_intercept=False).coef,
    }
    precision: dict[str, list[NDArray[np.float64]]] = {name: [] for name in fitters}
    noise = []
    is_noise = np.char.startswith(np.asarray(data.feature_names, dtype=str), "noise")
    for train, test in splitter.split(X, y):
        part = SimpleNamespace(X_train=np.asfortranarray(X[train]), y_train=y[train])
        # One thread of the linear algebra is faster for such small matrices, above all where others compute as well.
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")  # some splits are separable, which does not matter for the ranking
            coefs = {name: fitter(part) for name, fitter in fitters.items()}
        for name, coef in coefs.items():
            at, recall, _ = precision_recall_curve(y[test] == 0, -(X[test] @ coef))
            precision[name].append(np.interp(RECALL, recall[::-1], at[::-1]))
        noise.append((coefs["ksparse, logistic"] != 0) & is_noise)
    return Splits({name: np.array(values) for name, values in precision.items()}, np.array(noise))


def print_noise(data: Any, rows: list[Entry], splits: Splits) -> None:
    """Say what it means that a column of noise was chosen."""
    for j in np.flatnonzero((rows[0].coef != 0) & np.any(splits.noise, axis=0)).tolist():
        times, any_noise = int(splits.noise[:, j].sum()), int(splits.noise.any(axis=1).sum())
        print(
            f"\n{data.feature_names[j]} is a column of random numbers: of 70 such columns, one fits the labels by chance. Over"
        )
        print(
            f"{SPLITS} random splits it was chosen {times} times, and some column of noise {any_noise} times, so k = {K} is more than these"
        )
        print(
            "data support. KSparseClassifierCV chooses k, and ksparse.stability_selection shows what is chosen again and again."
        )


def print_table(data: Any, rows: list[Entry]) -> None:
    """Print scores, then the chosen features by name."""
    p, rare = len(data.feature_names), np.mean(data.y_train == 0)
    print(f"Imbalanced breast cancer: {len(data.y_train)} rows to train, {len(data.y_test)} to test, {p} features")
    print(f"(70 of them noise), {rare:.0%} of class 0. Budget k = {K}, no intercept, ridge 0.\n")
    print(f"{'model':18s} {'features':>8s} {'F1':>7s} {'bal.acc':>8s} {'PR-AUC':>7s} {'objective':>10s} {'ms':>8s}")
    for row in rows:
        print(
            f"{row.name:18s} {np.count_nonzero(row.coef):8d} {row.f1:7.4f} {row.balanced_accuracy:8.4f} "
            f"{row.pr_auc:7.4f} {row.objective:10.6f} {row.milliseconds:8.2f}"
        )
    print("\nF1 of class 1 and PR-AUC of the rare class 0, on the test part; objective: the average loss that the model was")
    print("fitted to (focal: alpha 0.5, gamma 2), on the training part; ms: one fit, for L1 the search for its penalty too.\n")
    for row in rows:
        chosen = np.flatnonzero(row.coef)
        if len(chosen) <= K:
            print(f"{row.name}: {', '.join(str(name) for name in data.feature_names[chosen])}")
    print("\nA single split is not enough to compare the losses: over 200 random splits, their mean F1 differs by about 0.002.")


def draw(splits: Splits, data: Any, output: Path) -> None:
    """Save the plot: the focal loss against the probability, and precision against recall over random splits."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colours = [
        "#000000",
        "#0072B2",
        "#009E73",
        "#D55E00",
        "#CC79A7",
    ]  # colours of Okabe and Ito, which colour-blind readers can distinguish
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    p = np.linspace(1e-3, 1 - 1e-3, 500)
    for gamma, colour in zip(GAMMAS, colours, strict=True):
        value = 2 * loss_terms(np.log(p / (1 - p)), True, loss="focal", alpha=0.5, gamma=gamma)[0]
        label = "γ = 0 (cross entropy)" if gamma == 0 else f"γ = {gamma:g}"
        left.plot(p, value, color=colour, label=label)
    left.set(xlabel="probability of the true class", ylabel="focal loss", ylim=(0, 5), xlim=(0, 1))
    left.set_title("The focal loss forgets what is already right")
    left.legend(frameon=False)
    styles = {"scikit-learn, all": ("0.5", "-"), "ksparse, logistic": ("#0072B2", "-"), "ksparse, focal": ("#D55E00", "--")}
    for name, (colour, style) in styles.items():
        low, middle, high = np.percentile(splits.precision[name], [25, 50, 75], axis=0)
        right.fill_between(RECALL, low, high, color=colour, alpha=0.15, linewidth=0)
        right.plot(RECALL, middle, color=colour, linestyle=style, label=name)
    right.axhline(np.mean(data.y_test == 0), color="0.6", linewidth=0.8, linestyle=":")
    right.annotate("chance", (0.51, float(np.mean(data.y_test == 0))), xytext=(0, 3), textcoords="offset points", color="0.4")
    right.set(xlabel="recall of the rare class", ylabel="precision", xlim=(0.5, 1), ylim=(0, 1.03))
    right.set_title(f"{K} of {len(data.feature_names)} features: median and quartiles of {SPLITS} splits")
    right.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 0.15))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(output, dpi=150)


def run_demo(output: Path) -> None:
    """Print the table, and save the plot to ``output`` if matplotlib is installed."""
    data = load_imbalanced_cancer()
    rows, splits = entries(data), repeat_splits(data)
    print_table(data, rows)
    print_noise(data, rows, splits)
    if find_spec("matplotlib") is None:
        print("\nFor the picture, install matplotlib: pip install 'ksparse[plot]'")
        return
    draw(splits, data, output)
    print(f"\nThe picture is in {output}.")
