"""The documentation says what the package is: names, statuses and files exist, examples in pages run, docstrings are whole."""

import dataclasses
import doctest
import inspect
import re
from pathlib import Path

import ksparse
import pytest
from ksparse import _core
from numpydoc.validate import validate
from sklearn.utils._testing import assert_docstring_consistency

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.rst")) + sorted((DOCS / "user_guide").glob("*.rst"))

# Sections that not everything needs (ES01 extended summary, SA01 see also, EX01 examples), and a rule that takes every plural
# noun at the beginning for a verb (SS05).
NOT_ASKED = {"ES01", "SA01", "EX01", "SS05"}


def public_names():
    """Names of all public functions and classes, and of their own methods and properties."""
    for name in ksparse.__all__:
        value = getattr(ksparse, name)
        if inspect.ismodule(value):
            yield from (f"ksparse.{name}.{inner}" for inner in value.__all__)
        elif callable(value):
            yield f"ksparse.{name}"
        if inspect.isclass(value):
            for member in dir(value):
                raw = inspect.getattr_static(value, member)
                function = raw.fget if isinstance(raw, property) else raw
                if not member.startswith("_") and inspect.isfunction(function) and function.__module__.startswith("ksparse"):
                    yield f"ksparse.{name}.{member}"


def formulas():
    """Texts that hold formulas: the pages, and the docstrings of everything public."""
    yield from ((page.name, page.read_text(encoding="utf-8")) for page in PAGES)
    for name in public_names():
        value = ksparse
        for part in name.split(".")[1:]:
            value = getattr(value, part)
        yield name, inspect.getdoc(value) or ""


@pytest.mark.parametrize(("name", "text"), list(formulas()))
def test_fractions_have_braces(name, text):
    r"""The converter to MathML reads ``\tfrac12(x)`` as 12 over (x), and says nothing."""
    assert re.findall(r"\\[dt]?frac(?!\{)", text) == []


@pytest.mark.parametrize("name", list(public_names()))
def test_docstring_is_valid(name):
    """Every parameter in its order with its type, returns, sentences that end: by numpydoc's validator."""
    owner = getattr(ksparse, name.split(".")[1])
    # Results are made by ksparse, not by users; their fields are attributes.
    allowed = NOT_ASKED | ({"PR01"} if dataclasses.is_dataclass(owner) and name.count(".") == 1 else set())
    assert [error for error in validate(name)["errors"] if error[0] not in allowed] == []


def test_every_public_name_is_in_the_reference():
    """A name that is added to the package is added to docs/api.rst."""
    reference = (DOCS / "api.rst").read_text(encoding="utf-8")
    missing = [name for name in ksparse.__all__ if not re.search(rf"(^|[\s.]){name}($|[\s.])", reference, re.MULTILINE)]
    assert missing == []


def test_every_status_is_in_the_table():
    """The same words in C++, in Python and in the documentation."""
    table = (DOCS / "user_guide" / "numerical_promises.rst").read_text(encoding="utf-8")
    assert [status for status in _core.status_names() if f"* - ``{status}``" not in table] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_of_a_page_run(page):
    """What a page shows is what happens."""
    assert doctest.testfile(str(page), module_relative=False, encoding="utf-8").failed == 0


def test_files_named_by_contributing_exist():
    """Who looks for the place of a change finds a file there."""
    text = (DOCS / "contributing.rst").read_text(encoding="utf-8")
    paths = re.findall(r"``((?:cpp|python|tests|docs|benchmarks)/[\w./-]+)``", text)
    paths += [f"python/ksparse/{name}" for name in re.findall(r"``(_\w+\.py)``", text)]
    paths += [f"cpp/include/ksparse/{name}" for name in re.findall(r"``((?!cpp/|python/)[\w/]+\.hpp)``", text)]
    assert len(paths) > 10
    assert [path for path in paths if "NAME" not in path and not (DOCS.parent / path).exists()] == []


def test_included_sources_exist():
    """A page that shows a part of a source finds where the part begins and ends."""
    shown = 0
    for page in PAGES:
        directive = r"^\.\. literalinclude:: (\S+)\n((?:   :.*\n)*)"
        for path, options in re.findall(directive, page.read_text(encoding="utf-8"), re.MULTILINE):
            source = (page.parent / path).read_text(encoding="utf-8")
            places = [source.find(text) for text in re.findall(r":(?:start-at|end-before): (.*)\n", options)]
            assert places == sorted(places), f"{page.name}: {path}"
            assert -1 not in places, f"{page.name}: {path}"
            shown += 1
    assert shown > 10


CLASSIFIERS = [ksparse.KSparseClassifier, ksparse.KSparseClassifierCV, ksparse.KSparseSelector]
ESTIMATORS = [*CLASSIFIERS, ksparse.KSparseMultiLabelClassifier, ksparse.KSparseRegressor, ksparse.KSparseRegressorCV]
ENTRIES = [ksparse.fit, ksparse.fit_path, ksparse.fit_many]
SEARCH = ["max_rounds", "max_refits", "max_seconds"]


@pytest.mark.parametrize(
    ("owners", "parameters"),
    [
        pytest.param(
            ESTIMATORS,
            ["fit_intercept", "tolerance", "max_newton", "random_state", "bounds", "groups", "verbose"],
            id="all estimators",
        ),
        pytest.param([*CLASSIFIERS, ksparse.KSparseMultiLabelClassifier], ["loss"], id="all classifiers"),
        pytest.param(
            [ksparse.KSparseClassifier, ksparse.KSparseClassifierCV, ksparse.KSparseMultiLabelClassifier],
            ["probability"],
            id="probability",
        ),
        pytest.param(CLASSIFIERS, ["class_weight"], id="classifiers of one label"),
        pytest.param(
            [ksparse.KSparseClassifier, ksparse.KSparseSelector], ["alpha", "gamma", "ridge", "k_max", "n_jobs"], id="selector"
        ),
        pytest.param(
            [ksparse.KSparseClassifier, ksparse.KSparseRegressor, ksparse.KSparseSelector],
            ["ridge", "search", "walks", "warm_start", "k_max", *SEARCH],
            id="estimators of one k",
        ),
        pytest.param(
            [owner for owner in ESTIMATORS if owner is not ksparse.KSparseSelector], ["always_in", "never_in"], id="always_in"
        ),
        pytest.param(
            [ksparse.KSparseClassifierCV, ksparse.KSparseRegressorCV],
            ["ks", "one_standard_error", "n_jobs", "search"],
            id="cross-validation",
        ),
        pytest.param(ENTRIES, ["loss", "fit_intercept"], id="entries"),
        pytest.param(
            [ksparse.fit, ksparse.fit_path],
            [
                *("sample_weight", "offset", "alpha", "gamma", "ridge", "tolerance", "max_newton", "random_state"),
                *("bounds", "groups"),
            ],
            id="fit and fit_path",
        ),
    ],
)
def test_shared_parameters_have_the_same_description(owners, parameters):
    """The same parameter means the same, so a reader who knows one estimator knows the others."""
    assert_docstring_consistency(owners, include_params=parameters)


def test_shared_attributes_have_the_same_description():
    """Likewise for the attributes of the estimators."""
    alone = [ksparse.KSparseClassifier, ksparse.KSparseMultiLabelClassifier, ksparse.KSparseRegressor, ksparse.KSparseSelector]
    assert_docstring_consistency(alone, include_attrs=["n_features_in_", "feature_names_in_"])
    searches = [ksparse.KSparseClassifierCV, ksparse.KSparseRegressorCV]
    assert_docstring_consistency(searches, include_attrs=["best_index_", "best_score_", "n_splits_"])
