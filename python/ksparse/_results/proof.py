"""How far an answer can be from the best: what a proof says, and results that ask for one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import numpy as np

from .. import _core
from .._checks import check_integer, check_real
from .._input.progress import ProofReport, proof_progress_if
from .._input.request import Request
from .._input.threads import thread_count
from .stored import Rules, Stored, Value

__all__ = ["Certifiable", "Proof", "check_proof", "prove", "relative_gaps"]

Fit = TypeVar("Fit", bound="Certifiable")

STOPPED = {
    "optimal": "the gap is at most max_gap",
    "convex_loss": "the whole tree was searched, but the convex loss below the loss leaves this gap",
    "rounding": "the whole tree was searched, but rounding leaves this gap, because columns or bounds are of very different sizes",
    "max_seconds": "max_seconds was reached",
    "max_nodes": "max_nodes was reached",
}


def relative_gaps(objectives: Any, lower_bounds: Any) -> Any:
    """Return ``(objective - lower_bound) / |objective|``, at least 0; NaN without an objective or a bound."""
    left = np.maximum(np.subtract(objectives, lower_bounds), 0.0)
    return left / np.maximum(np.abs(objectives), np.finfo(np.float64).tiny)


@dataclass(frozen=True, repr=False)
class Proof(Stored):
    """What is proved of a fit: a lower bound on the objective of every model that was allowed.

    Attributes
    ----------
    objective : float
        F of the fit.
    lower_bound : float
        No model with at most ``k`` features that fulfils the constraints has a lower F than this.
    loss_gap : float
        The part of ``objective - lower_bound`` that is left because the loss is not convex, 0 for a convex loss.
    max_gap : float
        Relative gap at which the proof was to end.
    n_nodes : int
        Number of nodes of the branch-and-bound tree, each of which is a relaxed problem that was solved.
    n_open : int
        Number of nodes that were left when the proof ended.
    stopped : str
        What ended the proof: ``"optimal"``, ``"convex_loss"``, ``"rounding"``, ``"max_seconds"`` or ``"max_nodes"``.
    """

    objective: float
    lower_bound: float
    loss_gap: float
    max_gap: float
    n_nodes: int
    n_open: int
    stopped: str

    _RULES: ClassVar[Rules] = {
        **dict.fromkeys(("objective", "lower_bound", "loss_gap", "max_gap"), Value((float, np.floating))),
        **dict.fromkeys(("n_nodes", "n_open"), Value((int, np.integer), low=0)),
        "stopped": Value((str,), among=tuple(STOPPED)),
    }

    @property
    def gap(self) -> float:
        """``(objective - lower_bound) / objective``: the largest part of F by which a better model could lower it."""
        return float(relative_gaps(self.objective, self.lower_bound))

    @property
    def optimal(self) -> bool:
        """Whether no model is better by more than ``max_gap``."""
        return self.gap <= self.max_gap

    def _repr_html_(self) -> str:
        """Return the statement in a sentence, for notebooks."""
        return f"<p>{escape(str(self))}</p>"

    def __repr__(self) -> str:
        """Return the statement in a sentence."""
        nodes = f"{self.n_nodes} nodes"
        if self.optimal:
            return f"proved optimal: no model has an objective below {self.lower_bound:.8g} (gap {self.gap:.1e}, {nodes})"
        return (
            f"not proved optimal: a better model could lower the objective {self.objective:.8g} by {100 * self.gap:.3g} % at most, to "
            f"{self.lower_bound:.8g}; {STOPPED[self.stopped]} ({nodes}, {self.n_open} left)"
        )


def check_proof(max_gap: Any, max_seconds: Any, max_nodes: Any) -> _core.ProofOptions:
    """Check what ends a proof and return it as options of the core."""
    settings = _core.ProofOptions()
    settings.max_gap = check_real(max_gap, "max_gap", "finite and > 0", 0.0, open_low=True)
    if max_seconds is not None:
        settings.max_seconds = check_real(max_seconds, "max_seconds", "finite and > 0", 0.0, open_low=True)
    if max_nodes is not None:
        settings.max_nodes = check_integer(max_nodes, "max_nodes", 1, 2**62)
    return settings


def prove(
    request: Request,
    k: int,
    support: list[int],
    *,
    max_gap: Any = 1e-6,
    max_seconds: Any = None,
    max_nodes: Any = None,
    within: Any = None,
    max_models: Any = 1,
    n_jobs: int | None = None,
    report: ProofReport | None = None,
) -> _core.ProofAnswer:
    """Check the settings of a proof and run it; with ``within`` it lists near-optimal models."""
    settings = check_proof(max_gap, max_seconds, max_nodes)
    if within is not None:
        settings.within = check_real(within, "within", "finite and >= 0", 0.0)
    settings.max_models = check_integer(max_models, "max_models", 1, 2**62)
    threads = 1 if n_jobs is None else thread_count(n_jobs)
    options = request.settings.options(request.design.shape[1], request.names)  # the fits of a path share their request
    options.k = k
    answer = _core.prove(request.problem, options, support, settings, within is not None, threads, report)
    if answer.end == "not_possible":
        raise ValueError(answer.message)
    return answer


class Certifiable:
    """A fit that can be proved to be the best."""

    if TYPE_CHECKING:
        k: int
        support: Any
        objective: float
        lower_bound: float
        proof: Proof | None

        def _data(self) -> Request: ...

    @property
    def gap(self) -> float:
        """``(objective - lower_bound) / objective``, by which part of F a better model could be better at most; NaN without a bound."""
        return float(relative_gaps(self.objective, self.lower_bound))

    def certify(
        self: Fit,
        *,
        max_gap: float = 1e-6,
        max_seconds: float | None = None,
        max_nodes: int | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> Fit:
        """Prove how far this fit can be from the best one, by branch and bound.

        The proof needs a ridge penalty, which should not be too small: the smaller it is, the longer a proof takes. If a better
        model is found on the way, it is returned instead of this one, so the result is never worse.

        Parameters
        ----------
        max_gap : float, default=1e-6
            The proof ends once the gap, ``(objective - lower_bound) / objective``, is at most this, > 0.
        max_seconds : float, optional
            Time in seconds after which the proof ends with the gap that is left. By default there is no limit.
        max_nodes : int, optional
            Number of nodes after which the proof ends with the gap that is left. By default there is no limit.
        n_jobs : int or None, default=None
            Number of threads. The result does not depend on it.
        verbose : bool or int, default=0
            Whether to show the gap beside the time and the number of nodes, which needs tqdm (``pip install 'ksparse[progress]'``).

        Returns
        -------
        FitResult
            The fit with its ``proof``, ``lower_bound`` and ``gap``.

        Raises
        ------
        ValueError
            If no bound is possible; the message says why and what would make one possible. Also if the result no longer refers
            to its data.
        """
        request = self._data()
        request.refuse_changed()
        support = [int(j) for j in self.support]
        with proof_progress_if(verbose) as report:
            answer = prove(
                request,
                self.k,
                support,
                max_gap=max_gap,
                max_seconds=max_seconds,
                max_nodes=max_nodes,
                n_jobs=n_jobs,
                report=report,
            )
        objective = float(answer.fit.objective) if answer.improved else float(self.objective)
        proof = Proof(
            objective=objective,
            lower_bound=min(float(np.fmax(answer.lower_bound, self.lower_bound)), objective),
            loss_gap=float(answer.loss_gap),
            max_gap=float(max_gap),
            n_nodes=int(answer.nodes),
            n_open=int(answer.open),
            stopped=answer.end,
        )
        this = cast("Any", self)  # a dataclass
        if not answer.improved:
            return cast("Fit", replace(this, lower_bound=proof.lower_bound, proof=proof))
        found = answer.fit
        better = replace(
            this,
            coef=found.coef,
            intercept=found.intercept,
            support=found.support,
            objective=objective,
            status=found.status,
            advice=found.advice,
            times_found=1,
            groups=request.groups_of(found.support),
            lower_bound=proof.lower_bound,
            proof=proof,
        )
        return cast("Fit", better)
