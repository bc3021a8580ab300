"""Proofs that the fits of an estimator are the best ones, which its parameter ``certify`` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._checks import check_flag
from .._results.fit import FitResult
from .._results.proof import check_proof

__all__ = ["CertifySettings"]


@dataclass(frozen=True)
class CertifySettings:
    """The parameters of an estimator that say how long its fits are proved; see :meth:`ksparse.FitResult.certify`."""

    max_gap: Any
    max_seconds: Any
    max_nodes: Any
    n_jobs: Any
    verbose: Any

    @classmethod
    def of(cls, estimator: Any) -> CertifySettings | None:
        """Return the settings of the proofs if the estimator asks for them, checked before any fit begins."""
        if not check_flag(getattr(estimator, "certify", False), "certify"):
            return None
        own = cls(*(getattr(estimator, name) for name in cls.__dataclass_fields__))
        check_proof(own.max_gap, own.max_seconds, own.max_nodes)
        return own

    def prove(self, fit: FitResult) -> FitResult:
        """Return the fit with its proof, or a better one; a fit that failed stays as it is."""
        if not np.isfinite(fit.objective):
            return fit
        if fit._request is None:  # a large file that is mapped into memory
            raise ValueError("certify is True, but X is read in blocks; a proof needs X in memory")
        return fit.certify(
            max_gap=self.max_gap,
            max_seconds=self.max_seconds,
            max_nodes=self.max_nodes,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
