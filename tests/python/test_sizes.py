"""Files, functions and classes stay small enough to be read at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_size import Sizes, sizes_of

ROOT = Path(__file__).parents[2]
FOLDERS = ("cpp/include/ksparse", "python/ksparse")

MOST_LINES = 400  # of code in a file: comments, docstrings and blank lines do not count
MOST_LINES_OF_A_FUNCTION = 60
MOST_MEMBERS = 20  # data members of a class

PARAMETERS = "scikit-learn's conventions: each parameter is an argument and an attribute"

# What may be larger, and why.
FILES = {}
FUNCTIONS = {}
CLASSES = {
    "python/ksparse/_cards/scorecard.py: KSparseScorecard": PARAMETERS,
    "python/ksparse/_estimators/classifier.py: KSparseClassifier": PARAMETERS,
    "python/ksparse/_estimators/classifier_cv.py: KSparseClassifierCV": PARAMETERS,
    "python/ksparse/_estimators/multi_label.py: KSparseMultiLabelClassifier": PARAMETERS,
    "python/ksparse/_estimators/regressor.py: KSparseRegressor": PARAMETERS,
    "python/ksparse/_estimators/regressor_cv.py: KSparseRegressorCV": PARAMETERS,
    "python/ksparse/_estimators/selector.py: KSparseSelector": PARAMETERS,
    "python/ksparse/_results/batch.py: BatchResult": "one public array for each field of FitResult, which users read by these names",
    "python/ksparse/_results/fit.py: FitResult": "what a fit says, each a public field",
    "python/ksparse/_scope/_scope_solver.py: ScopeSolver": "skscope's parameters, each an argument and an attribute",
}

pytestmark = pytest.mark.skipif(not (ROOT / "cpp").is_dir(), reason="the sources are not here")


def measured() -> dict[str, Sizes]:
    """Return the sizes of all files of the library by their path."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    return {path.relative_to(ROOT).as_posix(): sizes_of(path) for path in paths if path.suffix in (".py", ".hpp", ".h")}


def check(found: dict[str, int], limit: int, exceptions: dict[str, str]) -> None:
    """Compare sizes with the limit; an exception that is no longer needed must be removed."""
    large = {name: size for name, size in found.items() if size > limit}
    assert {name: size for name, size in large.items() if name not in exceptions} == {}
    assert sorted(set(exceptions) - set(large)) == [], "these are within the limit, and need no exception"


def test_files():
    """A file has one job; one that needs more lines often has two."""
    check({path: sizes.lines for path, sizes in measured().items()}, MOST_LINES, FILES)


def test_functions():
    """A function fits on a screen."""
    found = {f"{path}: {name}": lines for path, sizes in measured().items() for name, lines in sizes.functions.items()}
    check(found, MOST_LINES_OF_A_FUNCTION, FUNCTIONS)


def test_classes():
    """A class with many data members does several things that could be told apart."""
    found = {f"{path}: {name}": members for path, sizes in measured().items() for name, members in sizes.members.items()}
    check(found, MOST_MEMBERS, CLASSES)


def test_what_counts(tmp_path):
    """Comments, docstrings and blank lines do not count; decorators, signatures and bodies do."""
    path = tmp_path / "example.py"
    path.write_text(
        '"""Docstring."""\n\n# Comment\nclass A:\n    """Of two\n    lines."""\n\n    def f(self, x):\n        """Return x."""\n        self.x, self.y = x, 0  # twice\n        return """a\nb"""\n'
    )
    assert sizes_of(path) == Sizes(5, {"A.f": 4}, {"A": 2})
    path = tmp_path / "example.hpp"
    path.write_text(
        "// Comment\n#pragma once\nnamespace a {\n/* Of two\n   lines */\ntemplate <class T>\nclass B : public C<T> {\n public:\n"
        "  explicit B(int x) : x_(x), y_{1, 2} {}\n  int twice() const {\n    if (x_ > 0) {\n      return 2 * x_;  // }\n    }\n    return 0;\n  }\n"
        "  static constexpr int kMany = 3;\n\n private:\n  int x_, y_[2] = {1, 2};\n  std::function<void(int)> f_;\n};\n}  // namespace a\n"
    )
    found = sizes_of(path)
    assert (found.lines, found.functions["B::twice"], found.members) == (18, 6, {"B": 3})
