from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

class FitAnswer:
    @property
    def coef(self) -> NDArray[np.float64]: ...
    @property
    def intercept(self) -> float: ...
    @property
    def support(self) -> NDArray[np.int64]: ...
    @property
    def objective(self) -> float: ...
    @property
    def lower_bound(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def advice(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def n_newton(self) -> int: ...
    @property
    def n_scans(self) -> int: ...
    @property
    def n_refits(self) -> int: ...
    @property
    def n_rounds(self) -> int: ...
    @property
    def n_restarts(self) -> int: ...
    @property
    def times_found(self) -> int: ...
    @property
    def bad_row(self) -> int: ...
    @property
    def bad_column(self) -> int: ...

class CompactFit:
    @property
    def support(self) -> NDArray[np.int64]: ...
    @property
    def coef(self) -> NDArray[np.float64]: ...
    @property
    def intercept(self) -> float: ...
    @property
    def objective(self) -> float: ...
    @property
    def lower_bound(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def advice(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def n_newton(self) -> int: ...
    @property
    def n_scans(self) -> int: ...
    @property
    def n_refits(self) -> int: ...
    @property
    def n_rounds(self) -> int: ...
    @property
    def n_restarts(self) -> int: ...
    @property
    def times_found(self) -> int: ...
    @property
    def bad_row(self) -> int: ...
    @property
    def bad_column(self) -> int: ...

class Options:
    k: int
    fit_intercept: bool
    ridge: float
    tolerance: float
    max_newton: int
    search: str
    max_rounds: int
    max_refits: int
    walks: int
    start: list[int]
    max_seconds: float
    random_state: int
    always_in: list[int]
    never_in: list[int]
    groups: list[int]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    pairs_tried: int
    pairs_tried_last: int
    cold_starts: bool
    path_sweeps: int
    def __init__(self) -> None: ...

class Loss:
    @property
    def responses(self) -> str: ...
    def terms(
        self, eta: NDArray[np.float64], response: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]: ...

class Problem:
    def __init__(
        self,
        X: Any,
        y: NDArray[np.float64],
        sample_weight: NDArray[np.float64] | None,
        offset: NDArray[np.float64] | None,
        loss: Loss,
    ) -> None: ...

class ProofOptions:
    max_gap: float
    max_seconds: float
    max_nodes: int
    memory: float
    within: float
    max_models: int
    def __init__(self) -> None: ...

class ProofAnswer:
    @property
    def fit(self) -> FitAnswer: ...
    @property
    def improved(self) -> bool: ...
    @property
    def lower_bound(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def loss_gap(self) -> float: ...
    @property
    def nodes(self) -> int: ...
    @property
    def open(self) -> int: ...
    @property
    def end(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def models(self) -> list[tuple[list[int], float]]: ...

class BlockLoss:
    def __init__(self, loss: Loss, unit: float, total_weight: float, fit_intercept: bool) -> None: ...
    def to_user(self, F: float, /) -> float: ...
    def ridge(self, of_user: float, /) -> float: ...
    def start(self, mean: float, /) -> float: ...
    @property
    def scale(self) -> float: ...
    @property
    def shift(self) -> float: ...
    @property
    def falls_for_ever(self) -> bool: ...
    @property
    def convex_stands_in(self) -> bool: ...
    @property
    def model_accuracy(self) -> int: ...
    @property
    def has_units(self) -> bool: ...
    @property
    def predicts_logarithm(self) -> bool: ...

class Block:
    def __init__(
        self,
        X: Any,
        y: NDArray[np.float64],
        sample_weight: NDArray[np.float64] | None,
        offset: NDArray[np.float64] | None,
    ) -> None: ...
    def moments(self, loss: BlockLoss, coef: NDArray[np.float64]) -> tuple[Any, ...]: ...
    def sums(
        self,
        loss: BlockLoss,
        active: list[int],
        coef: NDArray[np.float64],
        centre: NDArray[np.float64],
        factor: NDArray[np.float64],
        convex: bool,
        asked: list[int] | None,
    ) -> tuple[Any, ...]: ...
    def slope_sizes(
        self,
        loss: BlockLoss,
        active: list[int],
        coef: NDArray[np.float64],
        centre: NDArray[np.float64],
        factor: NDArray[np.float64],
    ) -> NDArray[np.float64]: ...
    def slopes_survive(
        self,
        loss: BlockLoss,
        active: list[int],
        coef: NDArray[np.float64],
        centre: NDArray[np.float64],
        factor: NDArray[np.float64],
        step: NDArray[np.float64],
        error: float,
    ) -> bool: ...

class StopFlag:
    def __init__(self) -> None: ...
    def set(self) -> None: ...

def fit(
    problem: Problem,
    options: Options,
    stop: StopFlag | None = None,
    threads: int = 1,
) -> FitAnswer: ...
def fit_many(
    X: Any,
    responses: NDArray[Any],
    sample_weight: NDArray[Any] | None,
    offset: NDArray[Any] | None,
    losses: list[Loss],
    ks: NDArray[np.int64],
    ridges: NDArray[np.float64],
    options: Options,
    threads: int,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Any]: ...
def status_names() -> list[str]: ...
def advice_on(status: int) -> str: ...
def fit_path(
    problem: Problem,
    ks: list[int],
    options: Options,
    threads: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> list[FitAnswer]: ...
def fit_paths(
    problem: Problem,
    counts: NDArray[np.int64],
    tasks: list[tuple[int, Loss, Options, bool]],
    ks: list[int],
    threads: int,
    progress: Callable[[int, int], object] | None = None,
) -> list[list[CompactFit]]: ...

class NewtonLimits:
    max_iterations: int
    relative_tolerance: float
    tolerance: float
    bar: float
    separable: float
    perfect: float
    noise: float
    max_cut_short: int

def minimise(
    linearise: Callable[[NDArray[np.float64], float], tuple[float, NDArray[np.float64] | None, NDArray[np.float64] | None]],
    make_convex: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: NDArray[np.float64],
    limits: NewtonLimits,
    lower: NDArray[np.float64] | None = None,
    upper: NDArray[np.float64] | None = None,
    separates: Callable[[], bool] | None = None,
    convex_stands_in: bool = False,
) -> tuple[NDArray[np.float64], float, int, bool, int, bool]: ...
def fit_objective(answers: Any, columns: int, options: Options) -> FitAnswer: ...
def fit_objective_path(answers: Any, columns: int, ks: list[int], options: Options) -> list[FitAnswer]: ...
def alternatives(
    problem: Problem,
    options: Options,
    support: list[int],
    count: int,
) -> list[tuple[int, int, float, str]]: ...
def prove(
    problem: Problem,
    options: Options,
    start: list[int],
    settings: ProofOptions,
    list: bool,
    threads: int,
    progress: Callable[[int, int, float], object] | None = None,
) -> ProofAnswer: ...
def compiled_loss(functions: list[int], user_data: int, responses: str, falls_for_ever: bool) -> Loss: ...
def loss_by_name(name: str, parameters: list[float]) -> Loss: ...
def storage_problem(X: Any) -> str | None: ...
def instruction_set() -> str: ...
def eigen_version() -> str: ...
def version() -> str: ...
def available() -> list[str]: ...
def supported() -> list[str]: ...
