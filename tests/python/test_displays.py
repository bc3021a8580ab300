"""Displays draw the arrays that they are of, with labels that say what they are."""

import itertools
import sys

import ksparse
import numpy as np
import pytest
from ksparse import KSparseClassifier, KSparseClassifierCV, KSparseMultiLabelClassifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
pandas = pytest.importorskip("pandas")


@pytest.fixture(autouse=True)
def _no_figure_is_left():
    yield
    plt.close("all")


def data(n=300, p=30, seed=3):
    """Four features of 30 make the labels."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, (X[:, [4, 9, 12, 20]] @ [2.0, -1.5, 1.0, -0.8] + rng.logistic(size=n) > 0).astype(int)


def texts(things):
    return [thing.get_text() for thing in things]


def test_a_path_is_drawn_as_it_is():
    """A line per feature that some fit chose, F, and every criterion with its smallest value starred."""
    path = ksparse.fit_path(*data(), [0, 1, 2, 4, 6], ridge=1e-3)
    assert isinstance(path.plot(), ksparse.PathDisplay)
    display = ksparse.PathDisplay.from_result(path, scale=None)
    _, objective, criteria = display.axes_
    assert display.figure_.axes == list(display.axes_)
    assert [ax.get_xlabel() for ax in display.axes_] == ["k", "k", "k"]
    assert [ax.get_ylabel() for ax in display.axes_] == ["coefficient", "objective F", "criterion (star: smallest)"]
    seen = np.unique(np.concatenate(path.supports))
    assert display.names == [f"x{j}" for j in seen]
    assert [line.get_label() for line in display.lines_] == display.names
    for line, j in zip(display.lines_, seen, strict=True):
        np.testing.assert_array_equal(line.get_xydata().T, [path.ks, path.coefs[:, j]])
    np.testing.assert_array_equal(objective.lines[0].get_xydata().T, [path.ks, path.objectives])
    assert texts(criteria.get_legend().get_texts()) == ["aic", "bic", "ebic", "gic"]
    for (name, values), curve, star in zip(path.criteria.items(), criteria.lines[::2], criteria.lines[1::2], strict=True):
        assert curve.get_label() == name
        np.testing.assert_array_equal(curve.get_ydata(), values)
        np.testing.assert_array_equal(star.get_xydata()[0], [path.best(name).k, values.min()])


ODD_NAMES = [
    *(
        "$a$b",
        "cost in $ and $$",
        r"\$one",
        r"a\$b\$c",
        "$\\alpha$",
        "{$x_{1$}",
        r"x^2_3\frac",
        "100 %",
        "a$",
        "$$",
        "#&~",
        r"\\",
    ),
    *("<b>$", "two\nlines", "größe €", "_hidden", "__x", "^", "}{", "$" * 7),
]


def test_names_are_shown_as_they_are():
    """Between two dollar signs matplotlib and notebooks read formulas, which a column's name is not."""
    rng = np.random.default_rng(0)
    p = len(ODD_NAMES)
    X = pandas.DataFrame(rng.standard_normal((200, p)), columns=ODD_NAMES)
    y = X.to_numpy() @ np.linspace(1, 2, p) + rng.logistic(size=200) > 0
    result, path = ksparse.fit(X, y, p, ridge=1e-2), ksparse.fit_path(X, y, [p - 1, p], ridge=1e-2)
    stability = ksparse.stability_selection(X, y, p, rounds=3, ridge=1e-2)
    ends = result.coef[:, None] + [-1, 1]
    margins = np.array([-1.0, 1.0])
    of_losses = ksparse.LossDisplay(margins=margins, values=[margins] * p, slopes=[], curvatures=[], names=ODD_NAMES)
    bars = ksparse.CoefficientDisplay.from_result(result, intervals=ends, interval_name="$x$ by $y$", n=p, scale=None)
    lines, shares = (
        ksparse.PathDisplay.from_result(path, n_labels=p, scale=None),
        ksparse.StabilityDisplay.from_result(stability, n=p),
    )
    of_losses.plot(panels="value")
    lines.axes_[0].legend()  # as a user may, of the lines of the features
    upwards = np.argsort(path.coefs[-1], kind="stable")
    shown = [(bars.ax_.get_yticklabels(), bars.names), (lines.labels_, [lines.names[j] for j in upwards])]
    shown += [(ax.get_yticklabels(), shares.names) for ax in shares.axes_[:2]]
    shown += [(shares.axes_[1].get_xticklabels(), shares.names)]
    shown += [([bars.ax_.xaxis.label], ["coefficient (bars: $x$ by $y$)"])]
    for display in (bars, lines, shares, of_losses):
        display.figure_.canvas.draw()
    plain = plt.figure()
    for labels, names in shown:
        for label, name in zip(labels, names, strict=True):
            style = {"fontproperties": label.get_fontproperties(), "rotation": label.get_rotation()}
            literal = plain.text(0, 0, name, parse_math=False, **style).get_window_extent()
            box = matplotlib.text.Text.get_window_extent(label)
            np.testing.assert_allclose([box.width, box.height], [literal.width, literal.height], atol=1e-6)
    assert "tex2jax_ignore" in result._repr_html_()


def test_panels_and_axes_of_a_path():
    """Some panels, one criterion, axes of one's own; a loss that is no likelihood has no panel of criteria."""
    X, y = data()
    path = ksparse.fit_path(X, y, [1, 2, 3], ridge=1e-3)
    assert texts(path.plot("bic").axes_[2].get_legend().get_texts()) == ["bic"]
    _, ax = plt.subplots()
    display = ksparse.PathDisplay.from_result(path, panels="objective", axes=ax)
    assert display.axes_.tolist() == [ax]
    assert display.figure_ is ax.figure
    assert (display.lines_, display.labels_) == ([], [])
    focal = ksparse.fit_path(X, y, [1, 2], loss="focal", ridge=1e-3)
    assert len(focal.plot().axes_) == 2
    with pytest.raises(ValueError, match="panels has 'criteria'; it may have 'coefficients', 'objective'"):
        ksparse.PathDisplay.from_result(focal, panels=["objective", "criteria"])
    with pytest.raises(ValueError, match="panels is empty"):
        ksparse.PathDisplay.from_result(focal, panels=[])
    with pytest.raises(ValueError, match="axes has 3 entries; it must have 2"):
        focal.plot(axes=plt.subplots(1, 3)[1])
    empty = ksparse.fit_path(X, y, [0])
    assert empty.plot().names == []


def test_few_features_of_a_path_are_named_where_their_lines_end():
    """The largest of the last fit, their lines told apart without colour, the others in grey."""
    path = ksparse.fit_path(*data(), range(13), ridge=1e-3)
    display = ksparse.PathDisplay.from_result(path, n_labels=5, panels="coefficients", scale=None)
    largest = np.argsort(-np.abs(path[12].coef))[:5]
    assert set(texts(display.labels_)) == {f"x{j}" for j in largest}
    for label in display.labels_:
        assert label.xy == (12, path[12].coef[int(label.get_text()[1:])])
    named = [line for line in display.lines_ if line.get_color() != "0.75"]
    assert {line.get_label() for line in named} == set(texts(display.labels_))
    assert len({(line.get_marker(), line.get_linestyle()) for line in named}) == 5
    assert ksparse.PathDisplay.from_result(path, n_labels=0).labels_ == []


def test_names_at_the_ends_of_lines_do_not_overlap():
    """Twelve, of which several end at nearly the same height: apart, in the order of the lines, within the axes."""
    path = ksparse.fit_path(*data(), range(13), ridge=1e-3)
    display = ksparse.PathDisplay.from_result(path, n_labels=12, panels="coefficients")
    display.figure_.draw_without_rendering()
    assert len(display.labels_) == 12
    assert np.diff([label.xy[1] for label in display.labels_]).min() >= 0
    boxes = [matplotlib.text.Text.get_window_extent(label) for label in display.labels_]
    height = boxes[0].height
    assert all(upper.y0 - lower.y0 > 0.8 * height for lower, upper in itertools.pairwise(boxes))
    frame = display.axes_[0].get_window_extent()
    assert boxes[0].y0 > frame.y0 - height
    assert boxes[-1].y1 < frame.y1 + height
    assert min(box.x0 for box in boxes) > frame.x1
    assert max(box.x1 for box in boxes) <= display.figure_.bbox.x1


@pytest.mark.parametrize(
    ("ks", "scale"),
    [
        ([1, 2, 5, 10, 20], "log"),
        ([0, 1, 2, 5, 10, 20], "symlog"),
        (range(1, 25), "linear"),
        (range(25), "linear"),
        ([3], "linear"),
    ],
)
def test_the_axis_of_k_is_logarithmic_where_ks_are_spaced_so(ks, scale):
    """And shows these k as ticks."""
    display = ksparse.fit_path(*data(), ks, ridge=1e-2).plot()
    for ax in display.axes_:
        assert ax.get_xscale() == scale
        if scale != "linear":
            assert texts(ax.get_xticklabels()) == [str(k) for k in ks]


def test_the_path_of_an_estimator():
    """That among which a criterion chose; by class where there are several."""
    X, y = data()
    model = KSparseClassifier("ebic", k_max=6, ridge=1e-3).fit(X, y)
    display = ksparse.PathDisplay.from_estimator(model, criterion="ebic")
    np.testing.assert_array_equal(display.objectives, model.path_.objectives)
    assert list(display.criteria) == ["ebic"]
    three = np.where(X[:, 0] > 0.5, "c", np.where(y, "b", "a"))
    model = KSparseClassifier("bic", k_max=3, ridge=1e-2).fit(X, three)
    display = ksparse.PathDisplay.from_estimator(model, target="b")
    np.testing.assert_array_equal(display.objectives, model.path_[1].objectives)
    with pytest.raises(ValueError, match="target is None; it must be one of 'a', 'b', 'c'"):
        ksparse.PathDisplay.from_estimator(model)
    with pytest.raises(ValueError, match="has no path_; PathDisplay needs one that chose k by a criterion"):
        ksparse.PathDisplay.from_estimator(KSparseClassifier(2).fit(X, y))
    with pytest.raises(NotFittedError):
        ksparse.PathDisplay.from_estimator(KSparseClassifier("bic"))


def test_scores_by_cross_validation_are_drawn_as_they_are():
    """For each k the mean at the best ridge with its standard error over the folds; the choice and its bar."""
    model = KSparseClassifierCV(ks=range(5), ridge=[1e-3, 1e-1], one_standard_error=True).fit(*data())
    display = model.plot()
    assert isinstance(display, ksparse.CrossValidationDisplay)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("k", "minus the average loss")
    assert display.figure_ is display.ax_.figure
    curve, _, (bars,) = display.errorbar_.lines
    folds = np.array([model.cv_results_[f"split{i}_test_score"].reshape(2, 5) for i in range(5)])
    best = folds.mean(axis=0).argmax(axis=0)
    means = folds.mean(axis=0)[best, range(5)]
    errors = folds.std(axis=0, ddof=1)[best, range(5)] / np.sqrt(5)
    np.testing.assert_allclose(curve.get_xydata().T, [range(5), means], rtol=1e-12)
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, np.transpose([means - errors, means + errors]), rtol=1e-12)
    star = display.ax_.lines[-2]
    np.testing.assert_array_equal(star.get_xydata()[0], [model.best_params_["k"], model.best_score_])
    threshold = display.ax_.lines[-1].get_ydata()
    np.testing.assert_allclose(threshold, means.max() - errors[means.argmax()], rtol=1e-12)
    expected = [f"chosen: k = {model.best_params_['k']}", "best mean less its standard error"]
    assert texts(display.ax_.get_legend().get_texts()) == expected
    assert model.best_params_["k"] == np.flatnonzero(means >= threshold[0])[0]


def test_scores_against_another_parameter_and_of_another_search():
    """A ridge is drawn on a logarithmic axis; a search of scikit-learn has the same attributes."""
    X, y = data()
    model = KSparseClassifierCV(ks=[2, 3], ridge=[0, 1e-4, 1e-2, 1], scoring="average_precision", cv=3).fit(X, y)
    _, ax = plt.subplots()
    display = ksparse.CrossValidationDisplay.from_estimator(model, parameter="ridge", ax=ax, color="black", label="ours")
    assert display.ax_ is ax
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("ridge", "average_precision", "symlog")
    np.testing.assert_array_equal(display.values, [0, 1e-4, 1e-2, 1])
    assert display.chosen == model.best_params_["ridge"]
    assert display.errorbar_.lines[0].get_color() == "black"
    assert texts(ax.get_legend().get_texts()) == [f"chosen: ridge = {display.chosen:g}", "ours"]
    search = GridSearchCV(KSparseClassifier(ridge=1e-3), {"k": [1, 2, 3]}, cv=3, return_train_score=True).fit(X, y)
    display = ksparse.CrossValidationDisplay.from_estimator(search)
    np.testing.assert_allclose(display.mean_scores, search.cv_results_["mean_test_score"])
    np.testing.assert_allclose(display.standard_errors, search.cv_results_["std_test_score"] / np.sqrt(2))
    assert (display.chosen, display.threshold) == (search.best_params_["k"], None)
    assert display.ax_.get_ylabel() == "score"
    with pytest.raises(ValueError, match="parameter is 'alpha'; it must be one of 'k'"):
        ksparse.CrossValidationDisplay.from_estimator(search, parameter="alpha")
    several = GridSearchCV(KSparseClassifier(), {"k": [1]}, cv=3, scoring=["f1", "accuracy"], refit=False).fit(X, y)
    with pytest.raises(ValueError, match="the search has several scores"):
        ksparse.CrossValidationDisplay.from_estimator(several)
    with pytest.raises(NotFittedError):
        ksparse.CrossValidationDisplay.from_estimator(KSparseClassifierCV())


def test_folds_without_a_score_do_not_hide_the_others():
    """A mean that is NaN is no best."""
    X, y = data(n=60)
    search = GridSearchCV(KSparseClassifier(), {"k": [1, 2], "ridge": [-1.0, 1e-2]}, cv=3, error_score=np.nan)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, y)
    display = ksparse.CrossValidationDisplay.from_estimator(search)
    np.testing.assert_array_equal(display.mean_scores, search.cv_results_["mean_test_score"][1::2])


def test_stability_is_drawn_as_it_is():
    """Bars of the most frequent, and the same features' pairs, in rows as high."""
    pandas = pytest.importorskip("pandas")
    X, y = data(n=150)
    frame = pandas.DataFrame(X, columns=[f"gene{j}" for j in range(30)])
    result = ksparse.stability_selection(frame, y, 2, rounds=10, ridge=1e-2)
    display = result.plot(n=3)
    assert isinstance(display, ksparse.StabilityDisplay)
    bars, grid = display.axes_
    np.testing.assert_allclose([bar.get_width() for bar in display.bars_], result.frequency[result.features[:3]])
    np.testing.assert_array_equal(display.image_.get_array(), result.together[:3, :3])
    names = [f"gene{j}" for j in result.features[:3]]
    assert texts(bars.get_yticklabels()) == texts(grid.get_xticklabels()) == texts(grid.get_yticklabels()) == names
    assert bars.get_ylim() == grid.get_ylim() == (2.5, -0.5)
    assert bars.get_xlabel() == "share of 10 rounds"
    assert grid.get_title() == "chosen together, share of 10 rounds"
    assert display.image_.get_clim() == (0, 1)
    display = ksparse.StabilityDisplay.from_result(result, n=100, threshold=0.7, panels="frequency")
    (ax,) = display.axes_
    assert len(display.bars_) == len(result.features)
    assert display.image_ is None
    assert ax.get_xlabel() == "share of 10 rounds (line: 0.7)"
    assert list(ax.lines[0].get_xdata()) == [0.7, 0.7]
    with pytest.raises(ValueError, match="n is 0; it must be >= 1"):
        result.plot(n=0)


def test_the_losses_are_drawn_as_the_solver_has_them():
    """Value, slope and curvature of -q^gamma log p, by the plain formula and its differences."""
    display = ksparse.LossDisplay.from_gammas([0, 2.5])
    assert texts(display.axes_[0].get_legend().get_texts()) == ["γ = 0: logistic", "γ = 2.5"]
    assert [ax.get_ylabel() for ax in display.axes_] == ["loss", "slope of the loss", "curvature of the loss"]
    assert [ax.get_xlabel() for ax in display.axes_] == ["margin"] * 3
    for i, gamma in enumerate([0, 2.5]):
        value, slope, curvature = (lines[i].get_ydata() for lines in display.lines_)
        m = display.lines_[0][i].get_xdata()
        q = 1 / (1 + np.exp(m))
        np.testing.assert_allclose(value, -(q**gamma) * np.log1p(-q), rtol=1e-10)
        # Central differences over steps of 0.03: an error of a hundredth of the step squared or less.
        np.testing.assert_allclose(np.gradient(value, m)[1:-1], slope[1:-1], atol=1e-3)
        np.testing.assert_allclose(np.gradient(slope, m)[1:-1], curvature[1:-1], atol=1e-3)
    assert len({line.get_linestyle() for line in display.lines_[0]}) == 2


def test_losses_against_the_probability_and_by_panel():
    """sigma(m) for m; margins of one's own."""
    display = ksparse.LossDisplay.from_gammas(0, margins=[-1, 0, 2], panels=["slope"], against="probability")
    (ax,) = display.axes_
    np.testing.assert_allclose(display.lines_[0][0].get_xdata(), 1 / (1 + np.exp([1, 0, -2])))
    assert ax.get_xlabel() == "probability of the true class"
    np.testing.assert_allclose(display.lines_[0][0].get_ydata(), -1 / (1 + np.exp([-1, 0, 2])))
    with pytest.raises(ValueError, match="against is 'odds'; it must be 'margin' or 'probability'"):
        display.plot(against="odds")
    with pytest.raises(ValueError, match="gamma is -1"):
        ksparse.LossDisplay.from_gammas([-1])


def bars_of(display):
    """Lower and upper ends of the intervals as drawn."""
    (collection,) = display.intervals_.lines[2]
    return np.array([segment[:, 0] for segment in collection.get_segments()])


def test_coefficients_are_drawn_with_the_intervals_given():
    """The largest on top, each with its interval, whether or not that holds it; scales multiply both."""
    X, y = data()
    result = ksparse.fit(X, y, 4)
    order = np.argsort(-np.abs(result.coef[result.support]))
    given = np.array([[-1.0, 0.5], [0.0, 0.0], [2.0, 9.0], [-3.0, -2.0]])
    display = ksparse.CoefficientDisplay.from_result(result, intervals=given, scale=None)
    assert texts(display.ax_.get_yticklabels()) == [f"x{j}" for j in result.support[order]]
    np.testing.assert_array_equal(display.line_.get_xydata().T, [result.coef[result.support][order], range(4)])
    np.testing.assert_allclose(bars_of(display), given[order])
    assert display.ax_.get_xlabel() == "coefficient"
    assert display.ax_.get_ylim() == (3.5, -0.5)
    scale = np.linspace(-1, 2, 30)
    _, ax = plt.subplots()
    display = ksparse.CoefficientDisplay.from_result(
        result, intervals=given, interval_name="mine", scale=scale, n=2, ax=ax, color="red"
    )
    values = result.coef[result.support] * scale[result.support]
    order = np.argsort(-np.abs(values))[:2]
    assert display.ax_ is ax
    np.testing.assert_allclose(display.line_.get_xdata(), values[order])
    np.testing.assert_allclose(bars_of(display), np.sort(given * scale[result.support, None], axis=1)[order])
    assert ax.get_xlabel() == "coefficient times scale (bars: mine)"
    assert display.line_.get_color() == "red"
    assert ksparse.CoefficientDisplay.from_result(result).intervals_ is None
    with pytest.raises(ValueError, match=r"intervals has shape \(4,\); it must have shape \(4, 2\)"):
        ksparse.CoefficientDisplay.from_result(result, intervals=given[:, 0])
    with pytest.raises(ValueError, match=r"scale has shape \(4,\); it must have shape \(30,\)"):
        ksparse.CoefficientDisplay.from_result(result, scale=np.ones(4))


def test_a_feature_without_an_interval_is_drawn_without_one():
    """A coefficient at a bound has no standard error, and so NaN in a summary; ends of which one is missing are a mistake."""
    X, y = data()
    result = ksparse.fit(X, y, 3, bounds=(-0.8, None))
    summary = result.summary()
    ends = np.column_stack([summary.lower, summary.upper])[:-1]  # the last is the intercept's
    assert 0 < np.isnan(ends[:, 0]).sum() < 3
    display = ksparse.CoefficientDisplay.from_result(result, intervals=ends, interval_name="95 %", scale=None)
    order = np.argsort(-np.abs(result.coef[result.support]), kind="stable")
    assert len(display.line_.get_xdata()) == 3
    np.testing.assert_allclose(bars_of(display), [pair for pair in ends[order] if not np.isnan(pair[0])])
    assert display.ax_.get_xlabel() == "coefficient (bars: 95 %)"
    none = ksparse.CoefficientDisplay.from_result(result, intervals=np.full((3, 2), np.nan), interval_name="95 %", scale=None)
    assert (none.intervals_, none.ax_.get_xlabel()) == (None, "coefficient")
    for wrong, shown in (([np.nan, 1.0], r"\[nan, 1\.0\]"), ([2.0, 1.0], r"\[2\.0, 1\.0\]"), ([0.0, np.inf], r"\[0\.0, inf\]")):
        ends[1] = wrong
        with pytest.raises(
            ValueError, match=rf"intervals\[1\] is {shown}; it must contain finite lower and upper limits, or NaN twice"
        ):
            ksparse.CoefficientDisplay.from_result(result, intervals=ends)


def test_intervals_from_bootstrap_rounds_are_percentiles():
    """Over the rounds that have an answer, with 0 where a feature was not chosen."""
    X, y = data(n=120)
    rng = np.random.default_rng(1)
    counts = rng.multinomial(120, np.full(120, 1 / 120), size=40).T
    counts[:, 7] = y  # one class only: no answer
    result = ksparse.fit(X, y, 3, ridge=1e-3)
    with pytest.warns(ksparse.ConvergenceWarning, match="1 of 40 problems"):
        rounds = ksparse.fit_many(X, y, 3, ridge=1e-3, sample_weight=counts)
    display = ksparse.CoefficientDisplay.from_result(result, intervals=rounds, level=0.8, scale=None)
    alone = [ksparse.fit(X, y, 3, ridge=1e-3, sample_weight=column).coef for i, column in enumerate(counts.T) if i != 7]
    order = result.support[np.argsort(-np.abs(result.coef[result.support]))]
    expected = np.quantile(np.array(alone)[:, order], [0.1, 0.9], axis=0).T
    np.testing.assert_allclose(bars_of(display), expected, rtol=1e-6, atol=1e-12)
    assert (expected == 0).any()  # a feature that too few rounds chose
    assert display.ax_.get_xlabel() == "coefficient (bars: 80 % of 39 rounds)"
    with pytest.raises(ValueError, match=r"level is 1.0; it must be in \(0, 1\)"):
        ksparse.CoefficientDisplay.from_result(result, intervals=rounds, level=1.0)
    with pytest.raises(ValueError, match="intervals has 30 features but the fit has 10"):
        ksparse.CoefficientDisplay.from_result(ksparse.fit(X[:, :10], y, 2), intervals=rounds)
    with pytest.raises(ValueError, match="intervals has no round that could be fitted"):
        ksparse.CoefficientDisplay.from_result(result, intervals=rounds[[7]])


def test_coefficients_of_estimators():
    """Names of a data frame; the class, or the number of the label, where there are several."""
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(X, columns=[f"gene{j}" for j in range(30)])
    model = KSparseClassifier(3, ridge=1e-2).fit(frame, y)
    display = ksparse.CoefficientDisplay.from_estimator(model, scale=None)
    assert set(display.names) == set(model.get_feature_names_out())
    np.testing.assert_array_equal(np.sort(display.coefs), np.sort(model.coef_[0, model.support_]))
    three = np.where(X[:, 0] > 0.5, 7, y)
    model = KSparseClassifier(3, ridge=1e-2).fit(frame, three)
    display = ksparse.CoefficientDisplay.from_estimator(model, target=7)
    np.testing.assert_array_equal(np.sort(display.coefs), np.sort(model.coef_[2, model.supports_[2]]))
    with pytest.raises(ValueError, match="target is 2; it must be one of 0, 1, 7"):
        ksparse.CoefficientDisplay.from_estimator(model, target=2)
    labels = KSparseMultiLabelClassifier(2, ridge=1e-2).fit(X, np.column_stack([y, X[:, 1] > 0, X[:, 0] > 0.5]))
    display = ksparse.CoefficientDisplay.from_estimator(labels, target=1)
    np.testing.assert_array_equal(np.sort(display.coefs), np.sort(labels.coef_[1, labels.supports_[1]]))
    with pytest.raises(ValueError, match="target is None; it must be one of 0, 1, 2"):
        ksparse.CoefficientDisplay.from_estimator(labels)
    with pytest.raises(NotFittedError):
        ksparse.CoefficientDisplay.from_estimator(KSparseClassifier())


def test_without_matplotlib_a_display_says_how_to_get_it(monkeypatch):
    """Every one, by its plot()."""
    X, y = data()
    path, result = ksparse.fit_path(X, y, [1]), ksparse.fit(X, y, 1)
    stability = ksparse.stability_selection(X, y, 1, rounds=2)
    model = KSparseClassifierCV(ks=[1, 2]).fit(X, y)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    draws = [
        path.plot,
        stability.plot,
        model.plot,
        ksparse.LossDisplay.from_gammas,
        lambda: ksparse.CoefficientDisplay.from_result(result),
    ]
    for draw in draws:
        with pytest.raises(
            ModuleNotFoundError, match=r"plot\(\) needs matplotlib, which is not installed: pip install 'ksparse\[plot\]'"
        ):
            draw()


def test_data_are_not_changed_and_a_display_can_be_drawn_again():
    """Two drawings of one display show the same."""
    path = ksparse.fit_path(*data(), [1, 2, 3], ridge=1e-3)
    before = path.coefs
    display = path.plot()
    first = [line.get_ydata() for line in display.lines_]
    display.plot(panels="coefficients")
    for one, other in zip(first, display.lines_, strict=True):
        np.testing.assert_array_equal(one, other.get_ydata())
    np.testing.assert_array_equal(path.coefs, before)
