"""Arguments that are stored as attributes, as in skscope and in scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.base import BaseEstimator

from .._checks import check_flag
from ._arguments import check_whole, same

if TYPE_CHECKING:
    from typing_extensions import Self  # of Python 3.11

__all__ = ["SCOPE_SETTINGS", "Configured"]


def _at_least(low: int) -> Callable[[Any, str], object]:
    return lambda value, name: check_whole(value, name, low)


def _level(value: Any, name: str) -> None:
    if not isinstance(value, str) or value.lower() not in ("off", "error", "warning", "debug"):
        raise ValueError(
            f"console_log_level and file_log_level must be in 'off', 'error', 'warning', 'debug'. {name} is {value!r}"
        )


def _file_name(value: Any, name: str) -> None:
    if not isinstance(value, str):
        raise ValueError(f"log_file_name must be a string. log_file_name is {value!r}")


def _splicing_type(value: Any, name: str) -> None:
    if value not in ("halve", "taper"):
        raise ValueError(f"splicing_type should be 'halve' or 'taper'. splicing_type is {value!r}")


class Configured(BaseEstimator):
    """A solver whose arguments are attributes of the same names; the first is ``dimensionality``.

    It has the interface of scikit-learn for parameters: ``get_params``, ``set_params``, ``sklearn.base.clone``.
    """

    # Arguments of skscope's search that have no effect here, with the default of each and a check of others.
    _without_effect: ClassVar[dict[str, tuple[Any, Callable[[Any, str], object]]]] = {}

    dimensionality: Any

    def get_config(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the solver.

        Parameters
        ----------
        deep : bool, default=True
            Accepted as in scikit-learn, but without an effect because solvers are not nested.

        Returns
        -------
        dict
            Values by name.
        """
        return dict(self.get_params(deep))

    def set_config(self, **params: Any) -> Self:
        """Change arguments of the solver.

        Parameters
        ----------
        **params : dict
            Arguments by name.

        Returns
        -------
        Solver
            The solver itself.

        Raises
        ------
        ValueError
            If an argument does not exist.
        """
        self.set_params(**params)
        return self

    def _without_effect_now(self) -> list[str]:
        """Check settings that have no effect, and return which of them were made."""
        made = []
        for name, (default, check) in self._without_effect.items():
            if not same(getattr(self, name), default):
                check(getattr(self, name), name)
                made.append(name)
        return made

    def _note_without_effect(self, stacklevel: int) -> None:
        """Say once which settings have no effect."""
        made = self._without_effect_now()
        if made:
            warnings.warn(
                f"{', '.join(f'{name}={getattr(self, name)!r}' for name in made)} {'has' if len(made) == 1 else 'have'} no effect: "
                'the search of ksparse has no such settings (search="thorough" lets ScopeSolver search longer)',
                UserWarning,
                stacklevel=stacklevel + 1,
            )


# What skscope's ScopeSolver accepts for each of them.
SCOPE_SETTINGS: dict[str, tuple[Any, Callable[[Any, str], object]]] = {
    "max_iter": (20, _at_least(0)),
    "important_search": (128, _at_least(0)),
    "screening_size": (-1, _at_least(-1)),
    "max_exchange_num": (5, _at_least(1)),
    "is_dynamic_max_exchange_num": (True, check_flag),
    "greedy": (True, check_flag),
    "splicing_type": ("halve", _splicing_type),
    "thread": (1, _at_least(0)),
    "console_log_level": ("off", _level),
    "file_log_level": ("off", _level),
    "log_file_name": ("logs/skscope.log", _file_name),
}
