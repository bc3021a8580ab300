r"""Losses, as objects with their parameters.

Every function and estimator takes a loss by its name or as an object of this module: ``loss="huber"`` is
``loss=ksparse.losses.Huber()``, and ``loss=ksparse.losses.Huber(threshold=2)`` has another threshold. The logistic and the focal loss
have names only in most uses: ``alpha`` and ``gamma`` of the focal loss are keywords of their own.

Objects follow scikit-learn's conventions for parameters, as its kernels of Gaussian processes do: ``get_params`` and ``set_params``, so that
``clone`` copies them and a search sets ``loss__threshold``. They are compared by value.

All losses are at least 0. Those of regression with a log link are half the unit deviance, which is 0 where the mean is the response.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._quiet import quiet

__all__ = [
    "AsymmetricFocal",
    "Cloglog",
    "Compiled",
    "Exponential",
    "Focal",
    "Gamma",
    "Huber",
    "HuberisedHinge",
    "Logistic",
    "Loss",
    "NegativeBinomial",
    "Poisson",
    "Probit",
    "Squared",
    "SquaredHinge",
    "Tweedie",
]

Vector = NDArray[np.float64]


@dataclass
class Loss:
    """What all losses share; not one itself.

    Attributes
    ----------
    name : str
        By which functions and estimators take it.
    responses : {"binary", "finite", "not_negative", "positive"}
        What y may be: labels of two classes, or numbers.
    """

    name: ClassVar[str] = ""
    responses: ClassVar[str] = "binary"
    # Whether sigma(eta) is a score that its probability differs from.
    focuses: ClassVar[bool] = False
    # Whether it is minus a log-likelihood, or half a deviance, with nothing left to estimate.
    is_likelihood: ClassVar[bool] = False

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Not used; there are no parameters within parameters.

        Returns
        -------
        dict
            Parameters by name.
        """
        return {parameter.name: getattr(self, parameter.name) for parameter in fields(self)}

    def set_params(self, **params: Any) -> Loss:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict
            New values.

        Returns
        -------
        Loss
            The loss itself.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                has = ", ".join(known) if known else "none"
                raise ValueError(f"{type(self).__name__} has no parameter {name!r}; it has {has}")
            setattr(self, name, value)
        return self

    @property
    def is_classification(self) -> bool:
        """Whether the loss is of labels of two classes."""
        return self.responses == "binary"

    @property
    def has_log_link(self) -> bool:
        """Whether the linear predictor is the logarithm of the mean."""
        return isinstance(self, _LogLink)

    @property
    def is_log_odds(self) -> bool:
        """Whether the linear predictor is the logarithm of the odds of class 1."""
        return False

    def log_odds(self, eta: Vector) -> Vector | None:
        """Return what a linear predictor says of log(P / (1 - P)), or None if it says nothing of probabilities."""
        return None

    def decision_threshold(self) -> float:
        """Return the linear predictor at which both classes are as likely."""
        return 0.0

    def mean(self, eta: Vector) -> Vector:
        """Return the mean response of a linear predictor."""
        return eta

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood of an average loss, but for a constant, or None if the loss is no likelihood."""
        return None

    def _kernel(self) -> _core.Loss:
        """Return the loss as the core takes it; raise for a parameter that is not what it must be."""
        parameters = self.get_params()
        if not parameters:  # made once: of a small fit it would be a hundredth
            return _PLAIN.get(self.name) or _PLAIN.setdefault(self.name, _core.loss_by_name(self.name, []))
        from ._checks import check_real

        low, high, open_low = _RANGES.get(self.name, (0.0, np.inf, True))
        rule = f"in ({low:g}, {high:g})" if np.isfinite(high) else f"finite and {'>' if open_low else '>='} {low:g}"
        values = [
            check_real(value, f"{self.name}: {name}", rule, low, high, open_low=open_low) for name, value in parameters.items()
        ]
        return _core.loss_by_name(self.name, values)


_PLAIN: dict[str, _core.Loss] = {}

# Of the parameters of each loss, where they are not > 0.
_RANGES: dict[str, tuple[float, float, bool]] = {
    "tweedie": (1.0, 2.0, True),
    "asymmetric_focal": (0.0, np.inf, False),
}


@dataclass
class Logistic(Loss):
    r"""Logistic loss, :math:`\log(1 + e^{-m})` of the margin :math:`m = (2y - 1)\eta`."""

    name: ClassVar[str] = "logistic"
    is_likelihood: ClassVar[bool] = True

    @property
    def is_log_odds(self) -> bool:
        """True."""
        return True

    def log_odds(self, eta: Vector) -> Vector:
        """Return the linear predictor."""
        return eta

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood."""
        return 2.0 * n_rows * mean_loss


@dataclass
class Focal(Loss):
    r"""Focal loss, :math:`a\,\sigma(-m)^\gamma\log(1 + e^{-m})` with :math:`a = \alpha` for y = 1, else :math:`1 - \alpha`.

    Parameters
    ----------
    alpha : float, default=0.5
        Weight of the positive class, in (0, 1).
    gamma : float, default=2.0
        Focusing exponent, >= 0.

    References
    ----------
    .. [1] Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", ICCV 2017, equation 5.
    """

    name: ClassVar[str] = "focal"
    focuses: ClassVar[bool] = True
    alpha: float = 0.5
    gamma: float = 2.0

    @property
    def is_log_odds(self) -> bool:
        """Whether gamma is 0."""
        return self.gamma == 0.0

    def log_odds(self, eta: Vector) -> Vector:
        """Return the log-odds of the classes as alpha weighs them, by stationarity."""
        from ._probability import log_odds

        return log_odds(eta, self.gamma)

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood with gamma = 0, where it is half of the logistic loss."""
        return 4.0 * n_rows * mean_loss if self.gamma == 0.0 else None

    def _kernel(self) -> _core.Loss:
        from ._checks import check_focal

        return _core.loss_by_name(self.name, list(check_focal(self.alpha, self.gamma)))


@dataclass
class AsymmetricFocal(Loss):
    r"""Focal loss with an exponent for each class, :math:`\sigma(-m)^{\gamma}\log(1 + e^{-m})` [1]_.

    Without the probability shift of [1]_, whose kink leaves a loss without a curvature there and rows beyond it without a
    say. Not convex.

    Parameters
    ----------
    gamma_positive : float, default=0.0
        Focusing exponent of rows with y = 1, >= 0.
    gamma_negative : float, default=4.0
        Of rows with y = 0, >= 0.

    References
    ----------
    .. [1] Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter, Zelnik-Manor, "Asymmetric loss for multi-label classification", ICCV 2021,
       equation 5.
    """

    name: ClassVar[str] = "asymmetric_focal"
    focuses: ClassVar[bool] = True
    gamma_positive: float = 0.0
    gamma_negative: float = 4.0

    @property
    def is_log_odds(self) -> bool:
        """Whether both exponents are 0."""
        return self.gamma_positive == 0.0 and self.gamma_negative == 0.0

    def log_odds(self, eta: Vector) -> Vector:
        """Return the log-odds that make the linear predictor stationary."""
        from ._probability import log_odds

        return log_odds(eta, self.gamma_positive, self.gamma_negative)

    @quiet
    def decision_threshold(self) -> float:
        """Return the zero of the log-odds, which rise with the linear predictor."""
        from scipy.optimize import brentq

        def log_odds(eta: float) -> float:
            # brentq multiplies values; of exponents near the largest double they are infinite far from the zero.
            return float(np.clip(self.log_odds(np.array([eta]))[0], -1e100, 1e100))

        # Beyond log(gamma) the focusing of a class has faded, and its loss is about as that without.
        low, high = (50.0 + np.log1p(gamma) for gamma in (self.gamma_positive, self.gamma_negative))
        return float(brentq(log_odds, -low, high, xtol=1e-14))


@dataclass
class SquaredHinge(Loss):
    r"""Squared hinge, :math:`\tfrac{1}{2}\max(1 - m, 0)^2`, of linear support vector machines. It says nothing of probabilities."""

    name: ClassVar[str] = "squared_hinge"


@dataclass
class HuberisedHinge(Loss):
    r"""Huberised hinge: with :math:`u = 1 - m`, 0 for u <= 0, :math:`u^2/(2d)` up to d, :math:`u - d/2` beyond [1]_.

    It says nothing of probabilities.

    Parameters
    ----------
    width : float, default=0.5
        The width d, > 0; towards 0 it is the hinge.

    References
    ----------
    .. [1] Rosset, Zhu, "Piecewise linear regularized solution paths", Annals of Statistics 2007, section 4.
    """

    name: ClassVar[str] = "huberised_hinge"
    width: float = 0.5


@dataclass
class Probit(Loss):
    r"""Probit loss, :math:`-\log\Phi(m)`: minus the log-likelihood of :math:`P(y = 1) = \Phi(\eta)`."""

    name: ClassVar[str] = "probit"
    is_likelihood: ClassVar[bool] = True

    @quiet
    def log_odds(self, eta: Vector) -> Vector:
        """Return log(Phi(eta) / Phi(-eta))."""
        from scipy.special import log_ndtr

        return np.asarray(log_ndtr(eta) - log_ndtr(-eta))

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood."""
        return 2.0 * n_rows * mean_loss


@dataclass
class Cloglog(Loss):
    r"""Complementary log-log loss: minus the log-likelihood of :math:`P(y = 1) = 1 - \exp(-e^\eta)`. Not symmetric in the label."""

    name: ClassVar[str] = "cloglog"
    is_likelihood: ClassVar[bool] = True

    @quiet
    def log_odds(self, eta: Vector) -> Vector:
        """Return log(exp(exp(eta)) - 1)."""
        u = np.exp(np.minimum(eta, 700.0))
        # log(expm1(u)), which is eta + u/2 + ... for small u, where expm1 underflows in the end.
        return np.where(u < 1e-9, eta + u / 2, u + np.log(-np.expm1(-np.maximum(u, 1e-9))))

    def decision_threshold(self) -> float:
        """Return log(log 2)."""
        return float(np.log(np.log(2.0)))

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood."""
        return 2.0 * n_rows * mean_loss


@dataclass
class Exponential(Loss):
    r"""Exponential loss, :math:`e^{-m}`, that of AdaBoost; its minimiser is half the log-odds, so that P = :math:`\sigma(2\eta)`."""

    name: ClassVar[str] = "exponential"

    @quiet
    def log_odds(self, eta: Vector) -> Vector:
        """Return twice the linear predictor."""
        return 2.0 * eta


@dataclass
class Squared(Loss):
    r"""Half the squared error, :math:`\tfrac{1}{2}(\eta - y)^2`."""

    name: ClassVar[str] = "squared"
    responses: ClassVar[str] = "finite"

    @quiet
    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return -2 log-likelihood of normal errors, the variance estimated."""
        return n_rows * np.log(2.0 * np.asarray(mean_loss))


@dataclass
class Huber(Loss):
    r"""Huber's loss: with :math:`r = \eta - y`, :math:`\tfrac{1}{2} r^2` up to a threshold t, :math:`t|r| - \tfrac{1}{2} t^2` beyond [1]_.

    Parameters
    ----------
    threshold : float, default=1.35
        The threshold t, > 0, in the units of y.

    References
    ----------
    .. [1] Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 1964.
    """

    name: ClassVar[str] = "huber"
    responses: ClassVar[str] = "finite"
    threshold: float = 1.35


class _LogLink:
    @quiet
    def mean(self, eta: Vector) -> Vector:
        """Return exp(eta)."""
        return np.exp(eta)


@dataclass
class Poisson(_LogLink, Loss):
    r"""Half the Poisson deviance with the log link, :math:`y\log(y/\mu) - (y - \mu)`, :math:`\mu = e^\eta`. y >= 0."""

    name: ClassVar[str] = "poisson"
    is_likelihood: ClassVar[bool] = True
    responses: ClassVar[str] = "not_negative"

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return the deviance, which is -2 log-likelihood but for a constant."""
        return 2.0 * n_rows * mean_loss


@dataclass
class Gamma(_LogLink, Loss):
    r"""Half the gamma deviance with the log link, :math:`y/\mu - 1 - \log(y/\mu)`, :math:`\mu = e^\eta`. y > 0."""

    name: ClassVar[str] = "gamma"
    responses: ClassVar[str] = "positive"


@dataclass
class Tweedie(_LogLink, Loss):
    r"""Half the Tweedie deviance with the log link, of which the variance is :math:`\mu^{power}`. y >= 0.

    Parameters
    ----------
    power : float, default=1.5
        In (1, 2): between Poisson and gamma.
    """

    name: ClassVar[str] = "tweedie"
    responses: ClassVar[str] = "not_negative"
    power: float = 1.5


@dataclass
class NegativeBinomial(_LogLink, Loss):
    r"""Half the deviance of the negative binomial with the log link, of which the variance is :math:`\mu + a\mu^2`. y >= 0.

    Parameters
    ----------
    dispersion : float, default=1.0
        The dispersion a, given, > 0; towards 0 it is Poisson.
    """

    name: ClassVar[str] = "negative_binomial"
    is_likelihood: ClassVar[bool] = True
    responses: ClassVar[str] = "not_negative"
    dispersion: float = 1.0

    def deviance(self, mean_loss: Any, n_rows: float) -> Any:
        """Return the deviance, which is -2 log-likelihood but for a constant."""
        return 2.0 * n_rows * mean_loss


# What a function of blocks must be, as Numba writes it; pointers and integers of other kinds are told apart by it.
_BLOCK_SIGNATURE = "(int64, float64*, float64*, float64*, float64*, float64*, void*) -> none"
_SCALAR_SIGNATURE = "(float64, float64) -> float64"


@dataclass(repr=False)
class Compiled(Loss):
    r"""A loss of your own, compiled elsewhere: it runs inside the core at the speed of the built-in ones.

    Either one function of a block of rows (fast: compilers can vectorise it)::

        void f(int64_t n, const double *eta, const double *response,
               double *value, double *slope, double *curvature, void *user_data)

    which fills in value, slope and curvature by eta of n rows, or three of a single row, ``double f(double eta, double response)``. Labels
    come as -1 and +1, so that ``response * eta`` is the margin; other responses as they are. :func:`ksparse.check_loss` tells whether
    what they say can be true.

    Parameters
    ----------
    function : object, optional
        The function of blocks: a Numba ``cfunc``, a function pointer of ctypes, or a ``PyCapsule``.
    value, slope, curvature : object, optional
        The three of a single row, in its place.
    responses : {"binary", "finite", "not_negative", "positive"}, default="binary"
        What y may be: labels of two classes, or numbers.
    falls_for_ever : bool or None, default=None
        Of labels, whether the loss falls towards 0 for ever as the margin grows, as the logistic loss does and a hinge does not, so
        that data that can be separated have no minimum. None is True for labels.
    convex : bool or None, default=None
        Whether the curvature is never negative, for :func:`ksparse.check_loss`; None claims nothing. A fit works with either.
    user_data : int, default=0
        Address that the function of blocks gets as its last argument; what is there must outlive the loss.

    Notes
    -----
    The functions are called without Python's lock and from several threads at once: they must not use Python, and must not change
    what they share. (A Python function wrapped by ctypes takes the lock itself for each block: right, and slow.) They are called with
    any finite linear predictor: values that are not finite are refused by the line search, but the loss must be finite where the fit
    starts, and it must be >= 0.

    A compiled loss is addresses in this process. Pickled, it keeps all but its functions, so that models can be stored; it can then no longer be
    fitted. Probabilities are not known: a classifier has no ``predict_proba`` with it.

    Examples
    --------
    The squared error, as ctypes sees a Python function (right, and slow):

    >>> import ctypes
    >>> import numpy as np
    >>> import ksparse
    >>> scalar = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)
    >>> loss = ksparse.losses.Compiled(
    ...     value=scalar(lambda eta, y: (eta - y) ** 2 / 2),
    ...     slope=scalar(lambda eta, y: eta - y),
    ...     curvature=scalar(lambda eta, y: 1.0),
    ...     responses="finite",
    ... )
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 10))
    >>> ksparse.fit(X, X[:, 2] - X[:, 7], 2, loss=loss).support
    array([2, 7])
    """

    name: ClassVar[str] = "compiled"
    function: Any = None
    value: Any = None
    slope: Any = None
    curvature: Any = None
    # Not by position: it would keep that of the class variable of other losses, the first.
    responses: str = field(default="binary", kw_only=True)  # type: ignore[misc]
    falls_for_ever: bool | None = field(default=None, kw_only=True)
    convex: bool | None = field(default=None, kw_only=True)
    user_data: int = field(default=0, kw_only=True)

    def __repr__(self) -> str:
        """Return what it is of, without addresses."""
        form = "one function of blocks" if self.function is not None else "three functions of rows"
        return f"Compiled({form}, responses={self.responses!r})"

    def __sklearn_clone__(self) -> Compiled:
        """Return another with the same functions, which nothing can copy."""
        return Compiled(**self.get_params())

    def __deepcopy__(self, memory: dict[int, Any]) -> Compiled:
        """Return another with the same functions."""
        return Compiled(**self.get_params())

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the functions, which are addresses in this process."""
        return {**self.__dict__, "function": None, "value": None, "slope": None, "curvature": None, "user_data": 0}

    def _kernel(self) -> _core.Loss:
        from ._checks import check_choice, check_flag, check_integer

        responses = check_choice(self.responses, "compiled: responses", ("binary", "finite", "not_negative", "positive"))
        binary = responses == "binary"
        falls = binary if self.falls_for_ever is None else check_flag(self.falls_for_ever, "compiled: falls_for_ever")
        if falls and not binary:
            raise ValueError("compiled: falls_for_ever is True, which is for labels; responses are " + repr(responses))
        user_data = check_integer(self.user_data, "compiled: user_data", 0)
        rows = {"value": self.value, "slope": self.slope, "curvature": self.curvature}
        given = [name for name, function in rows.items() if function is not None]
        if (self.function is None) == (not given) or len(given) not in (0, 3):
            what = (
                ", ".join(["function"] * (self.function is not None) + given)
                or "none (were they lost when the loss was pickled?)"
            )
            raise ValueError(f"a compiled loss has either function, or value, slope and curvature; given: {what}")
        if self.function is not None:
            addresses = [_address(self.function, "function", _BLOCK_SIGNATURE)]
        else:
            addresses = [_address(function, name, _SCALAR_SIGNATURE) for name, function in rows.items()]
        return _core.compiled_loss(addresses, user_data, responses, falls)


def _address(function: Any, name: str, signature: str) -> int:
    """Return the address of a compiled function, whose signature is checked as far as it is known."""
    import ctypes

    if isinstance(getattr(function, "address", None), int):  # a cfunc of Numba
        has = str(getattr(function, "_sig", signature)).replace(" * ", "*")
        if _plain(has) != _plain(signature):
            raise TypeError(f"compiled: {name} has the signature {has}; it must be {signature}")
        return int(function.address)
    if isinstance(function, ctypes._CFuncPtr):  # type: ignore[attr-defined]
        known = function.argtypes
        if known is not None and len(known) != signature.count(",") + 1:
            raise TypeError(f"compiled: {name} takes {len(known)} arguments; its signature must be {signature}")
        return ctypes.cast(function, ctypes.c_void_p).value or 0
    if type(function).__name__ == "PyCapsule":
        get_name, get_pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
        get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
        get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        return int(get_pointer(function, get_name(function)))
    raise TypeError(
        f"compiled: {name} is a {type(function).__name__}; it must be a cfunc of Numba, a function pointer of ctypes or a PyCapsule"
    )


def _plain(signature: str) -> str:
    return signature.replace(" ", "").replace("voidptr", "void*").replace("none*", "void*").replace("void->", "none->")


BY_NAME: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        Logistic,
        Focal,
        AsymmetricFocal,
        SquaredHinge,
        HuberisedHinge,
        Probit,
        Cloglog,
        Exponential,
        Squared,
        Huber,
        Poisson,
        Gamma,
        Tweedie,
        NegativeBinomial,
    )
}
CLASSIFICATION = tuple(name for name, loss in BY_NAME.items() if loss.responses == "binary")
REGRESSION = tuple(name for name, loss in BY_NAME.items() if loss.responses != "binary")
