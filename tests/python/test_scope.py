"""ScopeSolver without JAX: what any objective is promised, and what a bad one is told."""

import itertools
import signal

import hypothesis.strategies as st
import ksparse
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from ksparse import ScopeSolver
from reference import best_single_swap, least_squares, least_squares_functions, random_problem


def solve(functions, p, k, *names, **arguments):
    """Solve with the objective, its gradient and some of the other derivatives; returns the solver."""
    solver = ScopeSolver(p, k, **arguments)
    solver.solve(functions["objective"], gradient=functions["gradient"], **{name: functions[name] for name in names})
    return solver


def best_by_enumeration(X, y, k):
    """Least sum of squares over all supports of k columns."""
    return min(
        float(np.sum((y - X[:, s] @ np.linalg.lstsq(X[:, s], y, rcond=None)[0]) ** 2))
        for s in map(list, itertools.combinations(range(X.shape[1]), k))
    )


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(0, 4), rho=st.sampled_from([0.0, 0.5, 0.9]))
def test_between_enumeration_and_single_swaps(seed, k, rho):
    """The objective is never below the best of all supports, no swap of one column lowers it, and it is what it is said to be."""
    X, y = least_squares(seed, rho=rho)
    functions = least_squares_functions(X, y)
    solver = solve(functions, 9, k, "hessian")
    assert solver.objective_value >= best_by_enumeration(X, y, k) * (1 - 1e-9)
    for out, into in itertools.product(solver.support_set, range(9)):
        other = sorted({*solver.support_set.tolist(), into} - {out})
        coef = np.linalg.lstsq(X[:, other], y, rcond=None)[0]
        assert solver.objective_value <= float(np.sum((y - X[:, other] @ coef) ** 2)) * (1 + 1e-9)
    assert solver.objective_value == pytest.approx(functions["objective"](solver.params), rel=1e-12)
    assert (np.flatnonzero(solver.params) == solver.get_support()).all()
    assert solver.status == "converged"


@pytest.mark.parametrize("names", [(), ("hessian_product",), ("hessian",)], ids=["differences", "products", "hessian"])
def test_derivatives_may_be_given_or_not(names):
    """Differences of gradients serve as well as a Hessian, to a few digits fewer."""
    X, y = least_squares(3)
    whole = solve(least_squares_functions(X, y), 9, 3, "hessian")
    other = solve(least_squares_functions(X, y), 9, 3, *names)
    np.testing.assert_array_equal(other.support_set, whole.support_set)
    np.testing.assert_allclose(other.params, whole.params, atol=1e-7)


@pytest.mark.parametrize("loss", [ksparse.losses.Logistic(), ksparse.losses.Focal(alpha=0.25), ksparse.losses.Huber(1.0)])
def test_a_loss_of_ksparse_is_an_objective(loss):
    """Its average over the rows of the data, as ksparse.fit minimises it."""
    problem = random_problem(5, n=150, p=8, ridge=0.0)
    y = problem.y if loss.is_classification else problem.X[:, 2] + problem.y
    solver = ScopeSolver(8, 3)
    params = solver.solve(loss, data=(problem.X, y))
    built_in = ksparse.fit(problem.X, y, 3, loss=loss, fit_intercept=False)
    np.testing.assert_array_equal(solver.get_support(), built_in.support)
    np.testing.assert_allclose(params, built_in.coef, atol=1e-6)
    assert solver.objective_value == pytest.approx(built_in.objective, rel=1e-9)
    with pytest.raises(TypeError, match=r"it must be \(X, y\)"):
        ScopeSolver(8, 3).solve(loss)
    with pytest.raises(ValueError, match="7 columns"):
        ScopeSolver(8, 3).solve(loss, data=(problem.X[:, :7], y))
    holed = problem.X.copy()
    holed[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"X\[3, 2\] is nan"):
        ScopeSolver(8, 3).solve(loss, data=(holed, y))
    with pytest.raises(TypeError, match="sparse"):
        ScopeSolver(8, 3).solve(loss, data=(scipy.sparse.csr_array(problem.X), y))
    with pytest.raises(ValueError, match=r"y (has values|\[0\])" if loss.is_classification else "shape"):
        ScopeSolver(8, 3).solve(loss, data=(problem.X, problem.X[:, 0] if loss.is_classification else y[:5]))
    with pytest.raises(ValueError, match="its own derivatives"):
        ScopeSolver(8, 3).solve(loss, data=(problem.X, y), gradient=lambda x, data: x)


@pytest.mark.parametrize("loss", ["logistic", "focal"])
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 4))
def test_equals_the_built_in_loss(loss, seed, k):
    """The same search over an objective written in Python ends no worse than a single swap away, and mostly at the same support."""
    problem = random_problem(seed, loss=loss, fit_intercept=False, ridge=1e-2)
    X, sign, n = problem.X, 2 * problem.y - 1, len(problem.y)

    def terms(x):
        return ksparse.loss_terms(sign * (X @ x), loss=loss)

    solver = ScopeSolver(8, k)
    solver.solve(
        lambda x: terms(x)[0].mean() + 0.005 * x @ x,
        gradient=lambda x: X.T @ (sign * terms(x)[1]) / n + 0.01 * x,
        hessian=lambda x: (X.T * terms(x)[2]) @ X / n + 0.01 * np.eye(8),
    )
    built_in = ksparse.fit(X, problem.y, k, **problem.settings)
    assert solver.objective_value <= best_single_swap(problem, solver.support_set) + 1e-9
    if solver.support_set.tolist() == built_in.support.tolist():
        assert solver.objective_value == pytest.approx(built_in.objective, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), shift=st.sampled_from([-1e3, -1.0, 0.0, 50.0]), factor=st.sampled_from([1e-8, 1.0, 1e8]))
def test_neither_a_constant_nor_a_factor_matters(seed, shift, factor):
    """An objective may be negative, tiny or huge: added constants and positive factors change no minimiser."""
    X, y = least_squares(seed)
    plain = solve(least_squares_functions(X, y), 9, 3, "hessian")
    moved = solve(least_squares_functions(X, y, factor, shift * factor * float(y @ y)), 9, 3, "hessian")
    np.testing.assert_array_equal(moved.support_set, plain.support_set)
    np.testing.assert_allclose(moved.params, plain.params, rtol=1e-4, atol=1e-5)


@given(seed=st.integers(0, 2**32 - 1))
def test_units_of_parameters_do_not_matter(seed):
    """A column in other units has another coefficient, and is chosen all the same."""
    X, y = least_squares(seed)
    units = 10.0 ** np.random.default_rng(seed).integers(-6, 7, 9)
    plain, scaled = (solve(least_squares_functions(Z, y), 9, 3, "hessian") for Z in (X, X * units))
    np.testing.assert_array_equal(scaled.support_set, plain.support_set)
    np.testing.assert_allclose(scaled.params * units, plain.params, rtol=1e-6)


def test_a_perfect_fit_reaches_zero():
    """An objective whose infimum is 0 has no digits left there by which to compare."""
    X, _ = least_squares(1)
    y = X[:, [1, 5]] @ [1.0, -2.0]
    solver = solve(least_squares_functions(X, y), 9, 4)
    assert solver.objective_value < 1e-10
    assert {1, 5} <= set(solver.support_set.tolist())
    np.testing.assert_allclose(solver.params[[1, 5]], [1.0, -2.0], atol=1e-6)


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 3))
def test_groups_enter_as_a_whole(seed, k):
    """No swap of one group for another lowers the objective; members share one fate."""
    X, y = least_squares(seed)
    group = np.array([0, 0, 1, 1, 1, 2, 3, 3, 4])
    solver = solve(least_squares_functions(X, y), 9, k, "hessian", group=group)
    chosen = sorted(set(group[solver.support_set].tolist()))
    np.testing.assert_array_equal(solver.support_set, np.flatnonzero(np.isin(group, chosen)))
    assert len(chosen) <= k
    for out, into in itertools.product(chosen, range(5)):
        other = np.flatnonzero(np.isin(group, sorted({*chosen, into} - {out})))
        coef = np.linalg.lstsq(X[:, other], y, rcond=None)[0]
        assert solver.objective_value <= float(np.sum((y - X[:, other] @ coef) ** 2)) * (1 + 1e-9)


def test_preselected_parameters_are_in_and_count():
    """One that explains nothing takes one of the places; with groups its number is that of a group."""
    X, y = least_squares(5)
    free = solve(least_squares_functions(X, y), 9, 3)
    outsider = next(j for j in range(9) if j not in free.support_set)
    forced = solve(least_squares_functions(X, y), 9, 3, preselect=[outsider])
    assert outsider in forced.support_set
    assert len(forced.support_set) == 3
    grouped = solve(least_squares_functions(X, y), 9, 2, group=[0, 0, 1, 1, 2, 2, 3, 3, 3], preselect=[3])
    assert {6, 7, 8} <= set(grouped.support_set.tolist())


class NonNegative:
    """Stands for skscope's layer of this name."""


class BoxConstraint:
    """Stands for skscope's layer of this name."""

    lower, upper = -0.5, 0.25


@pytest.mark.parametrize("layer", [NonNegative(), BoxConstraint()], ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("seed", range(5))
def test_layers_of_bounds_hold_and_are_optimal(layer, seed):
    """The coefficients keep to the bounds, and are those of a bounded solver on the chosen columns."""
    from scipy.optimize import lsq_linear

    X, y = least_squares(seed)
    functions = least_squares_functions(X, y)
    solver = ScopeSolver(9, 3)
    solver.solve(functions["objective"], gradient=functions["gradient"], layers=[layer])
    low, high = getattr(layer, "lower", 0.0), getattr(layer, "upper", np.inf)
    assert solver.params.min() >= low
    assert solver.params.max() <= high
    best = lsq_linear(X[:, solver.support_set], y, bounds=(low, high), tol=1e-14)
    assert solver.objective_value <= 2 * best.cost * (1 + 1e-8)


def test_several_sparsities_are_chosen_among():
    """By a criterion, by cross-validation, and by all sparsities in the place of golden sections."""
    X, y = least_squares(2, n=100, noise=0.5)
    functions = least_squares_functions(X, y, 1 / 100)

    def criterion(value, p, s, n):
        return n * np.log(value) + s * np.log(n)

    by_criterion = solve(functions, 9, range(7), sample_size=100, ic_method=criterion)
    each = {k: solve(functions, 9, k) for k in range(7)}
    scores = [criterion(each[k].objective_value, 9, len(each[k].support_set), 100) for k in range(7)]
    np.testing.assert_array_equal(by_criterion.support_set, each[int(np.argmin(scores))].support_set)
    assert by_criterion.information_criterion == pytest.approx(min(scores))
    golden = solve(functions, 9, None, sample_size=100, ic_method=criterion, path_type="gs", gs_lower_bound=1, gs_upper_bound=6)
    np.testing.assert_array_equal(golden.support_set, by_criterion.support_set)

    validated = ScopeSolver(
        9, range(1, 6), 100, cv=5, split_method=lambda data, index: (data[0][index], data[1][index]), random_state=1
    )
    validated.solve(
        lambda x, data: float(np.mean((data[1] - data[0] @ x) ** 2)),
        (X, y),
        gradient=lambda x, data: -2 * data[0].T @ (data[1] - data[0] @ x) / len(data[1]),
    )
    assert set(by_criterion.support_set.tolist()) <= set(validated.support_set.tolist())
    assert validated.cross_validation_loss == pytest.approx(0.25, rel=0.5)


def test_a_start_is_descended_from_too():
    """A start that is bad changes nothing, and coefficients to begin at matter only where there are several minima."""
    X, y = least_squares(4)
    functions = least_squares_functions(X, y)
    plain = solve(functions, 9, 3)
    started = ScopeSolver(9, 3)
    started.solve(functions["objective"], gradient=functions["gradient"], init_support_set=[0, 1, 2], init_params=np.ones(9))
    assert started.objective_value <= plain.objective_value * (1 + 1e-9)


def test_init_params_choose_between_minima():
    """On one parameter with two minima, the descent begins at the point that is given if it is the lower."""

    def objective(x):
        return float((x[0] ** 2 - 1) ** 2 - 0.3 * x[0] + x[1] ** 2)

    def gradient(x):
        return np.array([4 * x[0] * (x[0] ** 2 - 1) - 0.3, 2 * x[1]])

    solver = ScopeSolver(2, 1)
    assert solver.solve(objective, gradient=gradient)[0] > 0.9
    high = solver.objective_value
    # The other minimum is the higher; where a refit begins at the lower of 0 and this, it ends there.
    assert solver.solve(objective, gradient=gradient, init_params=[1.1, 0.0])[0] > 0.9
    assert solver.objective_value == pytest.approx(high)


def test_concave_directions_are_no_obstacle():
    """A saddle at the start, a double well in each parameter: the k that fall most are found, at a minimum of each."""
    depth = np.array([1.0, 3.0, 2.0, 0.5])

    def objective(x):
        return float(np.sum(depth * ((x - 0.1) ** 2 - 1) ** 2))

    def gradient(x):
        return 4 * depth * (x - 0.1) * ((x - 0.1) ** 2 - 1)

    solver = ScopeSolver(4, 2)
    solver.solve(objective, gradient=gradient)
    np.testing.assert_array_equal(solver.support_set, [1, 2])
    np.testing.assert_allclose(np.abs(solver.params[[1, 2]] - 0.1), 1.0, atol=1e-6)


def test_many_active_parameters_go_by_lbfgs():
    """Where a Hessian would be too large, refits are by L-BFGS-B, and the answer is the same."""
    from ksparse._scope._scaled import ScaledObjective

    X, y = least_squares(7, n=200, p=40)
    functions = least_squares_functions(X, y)
    exact = solve(functions, 40, 12, "hessian")
    original = ScaledObjective.__init__

    def small(self, *arguments, **settings):
        original(self, *arguments, **settings, largest_hessian=4)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScaledObjective, "__init__", small)
        other = solve(functions, 40, 12, "hessian")
    assert other.objective_value <= exact.objective_value * (1 + 1e-6)


# ------------------------------------------------------------------------------------------------------------ bad objectives


class FailedError(Exception):
    """What a user's function raises."""


def _raise(error):
    raise error


def _after(count, function, then):
    """Return a function that is another one after some calls."""
    calls = itertools.count()
    return lambda x: then(x) if next(calls) >= count else function(x)


GOOD = least_squares_functions(*least_squares(0))

BAD = {
    "nan": (lambda x: float("nan"), GOOD["gradient"], ValueError, r"objective is nan where the search starts, at params = 0"),
    "infinity": (
        lambda x: float("inf"),
        GOOD["gradient"],
        ValueError,
        r"objective is inf where the search starts, at params = 0",
    ),
    "shape": (
        lambda x: x,
        GOOD["gradient"],
        ValueError,
        r"objective returned shape \(9,\); it must return a number \(params = 0",
    ),
    "complex": (lambda x: 1j, GOOD["gradient"], ValueError, r"objective returned complex numbers.*\(params = 0"),
    "text": (lambda x: "one", GOOD["gradient"], ValueError, r"objective returned text"),
    "none": (lambda x: None, GOOD["gradient"], ValueError, r"objective returned objects"),
    "raises": (lambda x: _raise(FailedError("on purpose")), GOOD["gradient"], FailedError, "on purpose"),
    "gradient nan": (
        GOOD["objective"],
        lambda x: np.full(9, np.nan),
        ValueError,
        r"derivative by params\[0\] is nan where the search starts, at params = 0",
    ),
    "gradient shape": (GOOD["objective"], lambda x: np.ones(3), ValueError, r"gradient returned shape \(3,\); .* shape \(9,\)"),
    "gradient complex": (GOOD["objective"], lambda x: 1j * x, ValueError, r"gradient returned complex numbers"),
    "gradient raises": (GOOD["objective"], lambda x: _raise(FailedError("too")), FailedError, "too"),
    "raises later": (
        _after(9, GOOD["objective"], lambda x: _raise(FailedError("later"))),
        GOOD["gradient"],
        FailedError,
        "later",
    ),
    "gradient raises later": (
        GOOD["objective"],
        _after(30, GOOD["gradient"], lambda x: _raise(FailedError("30"))),
        FailedError,
        "30",
    ),
    "shape later": (
        _after(9, GOOD["objective"], lambda x: x),
        GOOD["gradient"],
        ValueError,
        r"objective returned shape.*params\[",
    ),
    "interrupt": (
        _after(9, GOOD["objective"], lambda x: signal.raise_signal(signal.SIGINT)),
        GOOD["gradient"],
        KeyboardInterrupt,
        None,
    ),
}


@pytest.fixture
def interrupts_are_answered():
    """Answer them for the time of a test, since the background jobs of a shell ignore them."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("interrupts_are_answered")
@pytest.mark.parametrize("case", BAD)
def test_a_bad_objective_is_told_so_and_the_solver_stays_usable(case):
    """The error says what was wrong and where; what the user's function raised arrives as it was; the next call works."""
    objective, gradient, error, message = BAD[case]
    solver = ScopeSolver(9, 3)
    with pytest.raises(error, match=message):
        solver.solve(objective, gradient=gradient)
    solver.solve(GOOD["objective"], gradient=GOOD["gradient"])
    assert solver.objective_value == solve(GOOD, 9, 3).objective_value


def test_what_a_user_raises_arrives_unharmed():
    """The very object, with the line of the user's function in its traceback."""
    error = FailedError("mine")
    with pytest.raises(FailedError) as caught:
        ScopeSolver(9, 3).solve(_after(10, GOOD["objective"], lambda x: _raise(error)), gradient=GOOD["gradient"])
    assert caught.value is error
    assert caught.traceback[-1].name == "_raise"


@pytest.mark.parametrize(
    ("objective", "gradient"),
    [
        (lambda x: float(x.sum()), lambda x: np.ones(4)),
        (lambda x: float(x.sum() - x @ x), lambda x: 1 - 2 * x),
        (lambda x: float(-np.sum(x**4) + np.sum(x)), lambda x: 1 - 4 * x**3),
    ],
    ids=["linear", "concave", "quartic"],
)
def test_an_objective_without_a_bottom_is_told_so(objective, gradient):
    """It falls as long as one likes; the error says how far and where."""
    with pytest.raises(ValueError, match=r"objective has no minimum: it fell to -.*at params\["):
        ScopeSolver(4, 2).solve(objective, gradient=gradient)


def test_an_infimum_at_infinity_is_told_so():
    """A logistic loss of separable rows falls towards 0 along a ray: a warning, and coefficients that are finite."""
    X = np.random.default_rng(0).standard_normal((40, 6))
    sign = np.sign(X[:, 0])
    solver = ScopeSolver(6, 2)
    with pytest.warns(ksparse.ConvergenceWarning, match="separable: the objective decreases towards 0 forever"):
        solver.solve(
            lambda x: float(np.mean(np.logaddexp(0, -sign * (X @ x)))),
            gradient=lambda x: -X.T @ (sign * np.exp(-np.logaddexp(0, sign * (X @ x)))) / 40,
        )
    assert solver.status == "separable"
    assert 0 in solver.support_set
    assert np.isfinite(solver.params).all()


def test_budgets_at_the_ends_of_the_range():
    """None, all, more than there are rows: no error, and an empty support where nothing is to be gained."""
    for n, p in ((20, 1), (20, 5), (5, 9)):
        X, y = least_squares(0, n=n, p=9)
        functions = least_squares_functions(X[:, :p], y)
        assert len(solve(functions, p, 0).support_set) == 0
        assert solve(functions, p, p).status == "converged"
    solver = ScopeSolver(4, 2)
    assert not solver.solve(lambda x: 1.0, gradient=lambda x: np.zeros(4)).any()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["objective", "gradient"])
def test_points_that_are_not_finite_are_gone_around(bad, where):
    """Outside of a ball the objective is not finite, and a whole Newton step leads there: it is shortened."""
    X, y = least_squares(0)

    def inside(x):
        return np.abs(X @ x).max() < 1.5 * np.abs(y).max()

    def objective(x):
        return float(np.sum(np.cosh(y - X @ x))) if where == "gradient" or inside(x) else bad

    def gradient(x):
        return -X.T @ np.sinh(y - X @ x) if inside(x) else np.full(9, bad)

    solver = ScopeSolver(9, 3)
    solver.solve(objective, gradient=gradient)
    unbounded = ScopeSolver(9, 3)
    unbounded.solve(lambda x: float(np.sum(np.cosh(y - X @ x))), gradient=lambda x: -X.T @ np.sinh(y - X @ x))
    assert solver.objective_value == pytest.approx(unbounded.objective_value, rel=1e-6)
    if solver.n_refused:
        assert f"was not finite at {solver.n_refused} of the points tried" in solver.advice


def test_a_minimum_at_the_edge_of_what_is_finite_is_called_stalled():
    """Where the descent ends at points that are not finite, the last good one is the answer, with a warning."""

    def objective(x):
        return float((x[0] - 3) ** 2 + x[1] ** 2) if x[0] < 2 else float("nan")

    solver = ScopeSolver(2, 1)
    with pytest.warns(ksparse.ConvergenceWarning, match="not finite"):
        solver.solve(objective, gradient=lambda x: np.array([2 * (x[0] - 3), 2 * x[1]]))
    assert 1.0 < solver.params[0] < 2.0
    assert np.isfinite(solver.objective_value)


def test_a_start_elsewhere_serves_an_objective_that_zero_does_not():
    """A norm has no derivative at 0: the error says so, and init_params is where the first scan is made."""
    target = np.array([0.0, 3.0, 0.0, -1.0])

    def objective(x):
        return float(np.linalg.norm(x - target) + 0.5 * np.linalg.norm(x))

    def gradient(x):
        with np.errstate(invalid="ignore"):
            return (x - target) / np.linalg.norm(x - target) + 0.5 * x / np.linalg.norm(x)

    solver = ScopeSolver(4, 1)
    with pytest.raises(ValueError, match=r"derivative by params\[0\] is nan .* give init_params"):
        solver.solve(objective, gradient=gradient)
    solver.solve(objective, gradient=gradient, init_params=np.full(4, 0.1))
    np.testing.assert_array_equal(solver.support_set, [1])
    assert solver.objective_value < objective(np.zeros(4))


def test_an_objective_that_is_finite_at_no_sparse_point_is_told_so():
    """A logarithm of every parameter is finite where the first scan is made, and nowhere else that matters."""
    solver = ScopeSolver(3, 1)

    def solve_from(init_params):
        with np.errstate(divide="ignore", invalid="ignore"):
            solver.solve(lambda x: float(-np.log(x).sum() + x.sum()), gradient=lambda x: 1 - 1 / x, init_params=init_params)

    with pytest.raises(ValueError, match=r"not finite at any point tried with params \[0\] alone not zero"):
        solve_from([3.0, 2.0, 2.0])
    with pytest.raises(ValueError, match="no parameter alone lowers the objective"):
        solve_from([1.0, 1.0, 1.0])


# ------------------------------------------------------------------------------------------------------------------ arguments


WITHOUT_EFFECT = {
    "max_iter": 30,
    "max_exchange_num": 2,
    "is_dynamic_max_exchange_num": False,
    "greedy": False,
    "splicing_type": "taper",
    "important_search": 64,
    "screening_size": 5,
    "thread": 2,
    "console_log_level": "debug",
    "file_log_level": "Debug",
    "log_file_name": "other.log",
    "gs_lower_bound": 1,
    "gs_upper_bound": 4,
}


@pytest.mark.parametrize("names", [[name] for name in WITHOUT_EFFECT] + [list(WITHOUT_EFFECT)], ids=lambda names: names[-1])
def test_settings_without_effect_are_named_in_one_warning(names):
    """Settings of skscope's search are accepted, since a program may have them, but nobody is to believe that they do something."""
    with pytest.warns(UserWarning, match="no effect") as caught:
        solver = solve(GOOD, 9, 3, **{name: WITHOUT_EFFECT[name] for name in names})
    assert len(caught) == 1
    assert all(f"{name}=" in str(caught[0].message) for name in names)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(solver.params, solve(GOOD, 9, 3).params)


@pytest.mark.parametrize(
    ("arguments", "given", "error", "message"),
    [
        ({"dimensionality": 0}, {}, ValueError, "dimensionality is 0; it must be >= 1"),
        ({"sparsity": 10}, {}, ValueError, "sparsity is 10; it must be at most 9, dimensionality"),
        ({"sparsity": -1}, {}, ValueError, "sparsity is -1"),
        ({"sparsity": 2.5}, {}, TypeError, "sparsity is 2.5; it must be an integer"),
        ({"sparsity": []}, {}, ValueError, "sparsity is empty"),
        ({"sparsity": [1, 2]}, {}, ValueError, "sparsity has several values, but no method to choose one"),
        ({"sparsity": None}, {}, ValueError, "sparsity has several values"),
        ({"sparsity": 1, "preselect": [1, 2]}, {}, ValueError, "sparsity is 1, but preselect names 2"),
        ({"preselect": [9]}, {}, ValueError, r"preselect\[0\] is 9"),
        ({"group": [0, 1]}, {}, ValueError, r"group has shape \(2,\)"),
        ({"group": [1] * 9}, {}, ValueError, "Group should start from 0. group"),
        ({"ic_method": "bic"}, {}, TypeError, "ic_method is 'bic'"),
        ({"cv": 3}, {}, ValueError, "sample_size is 1; it must be >= 3"),
        ({"cv": 3, "sample_size": 60, "split_method": lambda data, index: data}, {}, ValueError, "cv > 1 needs data"),
        ({"path_type": "other"}, {}, ValueError, "path_type is 'other'"),
        ({"numeric_solver": "BFGS"}, {}, TypeError, "numeric_solver is 'BFGS'"),
        ({"splicing_type": "other"}, {}, ValueError, "splicing_type is 'other'"),
        ({"max_exchange_num": 0}, {}, ValueError, "max_exchange_num is 0"),
        ({"search": "slow"}, {}, ValueError, "search is 'slow'"),
        ({}, {"init_params": np.ones(3)}, ValueError, r"init_params has shape \(3,\)"),
        ({}, {"init_support_set": [12]}, ValueError, r"init_support_set\[0\] is 12"),
        ({}, {"layers": ["a"]}, ValueError, r"layers\[0\] is a str, which has no transform_params"),
        ({}, {"hessian": 3}, TypeError, "hessian is 3"),
    ],
)
def test_arguments_are_checked_by_name(arguments, given, error, message):
    """Each error names the argument, what it was and what it must be."""
    with pytest.raises(error, match=message):
        ScopeSolver(**{"dimensionality": 9, "sparsity": None if "path_type" in arguments else 3, **arguments}).solve(
            GOOD["objective"], gradient=GOOD["gradient"], **given
        )


def test_derivatives_without_a_gradient_are_refused():
    """They would not be used."""
    with pytest.raises(ValueError, match="hessian is given without gradient"):
        ScopeSolver(9, 3).solve(GOOD["objective"], hessian=GOOD["hessian"])


def test_config_is_read_and_changed_by_name():
    """As in scikit-learn, whose clone works."""
    from sklearn.base import clone

    solver = ScopeSolver(9, sparsity=2)
    assert solver.get_config()["sparsity"] == 2
    assert solver.set_config(sparsity=3, preselect=[1]) is solver
    assert repr(solver) == "ScopeSolver(dimensionality=9, preselect=[1], sparsity=3)"
    assert clone(solver).get_config() == solver.get_config()
    with pytest.raises(ValueError, match="Invalid parameter 'sparsities'"):
        solver.set_config(sparsities=3)
    with pytest.raises(AttributeError, match="call solve"):
        solver.get_support()


def test_results_are_as_in_skscope():
    """The keys and methods by which its users read an answer."""
    solver = solve(GOOD, 9, 3)
    result = solver.get_result()
    names = ["params", "support_set", "objective_value", "information_criterion", "cross_validation_loss", "eval_objective"]
    assert list(result) == names
    np.testing.assert_array_equal(result["params"], solver.get_estimated_params())
    np.testing.assert_array_equal(result["support_set"], solver.get_support())
    assert result["information_criterion"] == result["eval_objective"] == 2 * result["objective_value"] + 6  # that of Akaike
    assert result["cross_validation_loss"] is None
