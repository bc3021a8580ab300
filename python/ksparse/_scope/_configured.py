"""Arguments that are stored as attributes, as in skscope and in scikit-learn."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from ._arguments import same

if TYPE_CHECKING:
    from typing_extensions import Self  # of Python 3.11

__all__ = ["Configured"]


class Configured:
    """A solver whose arguments are attributes of the same names; the first is ``dimensionality``."""

    # Arguments of skscope that have no effect here, with the only value that is accepted.
    _fixed: ClassVar[dict[str, Any]] = {}

    dimensionality: Any

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

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
        return {name: getattr(self, name) for name in self._names()}

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
        for name, value in params.items():
            if name not in self._names():
                raise ValueError(f"{type(self).__name__} has no argument {name!r}; it has {', '.join(self._names())}")
            setattr(self, name, value)
        return self

    get_params = get_config
    set_params = set_config

    def __repr__(self) -> str:
        """Return the call that makes the solver, without arguments that are as they are by default."""
        defaults = inspect.signature(type(self).__init__).parameters
        words = [str(self.dimensionality)]
        for name in self._names()[1:]:
            value = getattr(self, name)
            if not same(value, defaults[name].default):
                words.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(words)})"

    def _refuse_unsupported(self) -> None:
        for name, only in self._fixed.items():
            value = getattr(self, name)
            if not same(value, only):
                raise ValueError(
                    f"{name} is {value!r}; it has no effect in ksparse's search, so only {only!r} is accepted: leave it out"
                )
