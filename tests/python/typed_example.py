"""A program as a user types it; ``test_typing.py`` has it checked by ``mypy --strict``, and run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import ksparse
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, kind: object) -> object:
        """Of the checker alone."""
        return value


def datasets(X: NDArray[np.float64], y: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Halves of the data."""
    yield X[::2], y[::2]
    yield X[1::2], y[1::2]


def main() -> dict[str, float]:
    """Use every entry once."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    y: NDArray[np.bool_] = X[:, 3] + rng.standard_normal(200) > 0

    result = assert_type(ksparse.fit(X, y, 2, loss="focal", ridge=1e-3, bounds=(0, None)), ksparse.FitResult)
    assert_type(result.coef, NDArray[np.float64])
    assert_type(result.support, NDArray[np.int64])
    assert_type(result.objective, float)
    assert_type(result.converged, bool)
    assert_type(result.decision_function(X), NDArray[np.float64])
    assert_type(result.predict_proba(X), NDArray[np.float64])
    assert_type(result.predict(X), NDArray[Any])
    assert_type(ksparse.fit(X, y, 2).alternatives(3), ksparse.Alternatives)

    path = assert_type(ksparse.fit_path(X, y, range(4), ridge=1e-3), ksparse.PathResult)
    assert_type(path.best("ebic"), ksparse.FitResult)
    for entry in path:
        assert_type(entry.k, int)

    batch = assert_type(ksparse.fit_many(X, X[:, :3] > 0.5, [1, 2, 3], ridge=0.1), ksparse.BatchResult)
    assert_type(batch[0], ksparse.FitResult)
    assert_type(batch[1:], ksparse.BatchResult)
    assert_type(batch.predict_proba(X), NDArray[np.float64])

    for answer in ksparse.fit_each(datasets(X, y), 1, ridge=1e-3):
        if isinstance(answer, ksparse.FitFailure):
            raise RuntimeError(answer) from answer.error
        assert_type(answer, ksparse.FitResult)

    stability = assert_type(ksparse.stability_selection(X, y, 2, rounds=5, ridge=1e-3), ksparse.StabilityResult)
    model = ksparse.KSparseClassifier(k=2, ridge=1e-3).fit(X, y)
    information: dict[str, Any] = ksparse.build_info()
    assert_type(ksparse.__version__, str)
    return {
        "objective": result.objective,
        "of the path": path[2].objective,
        "stable": float(stability.frequency[3]),
        "accuracy": float((model.predict(X) == y).mean()),
        "threads": float(information["threads"]),
    }


if __name__ == "__main__":
    print(main())
