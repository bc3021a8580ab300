"""Import: light, and in the variant that was asked for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import ksparse
import pytest


def run(code, *options, **environment):
    """Run code in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    return done.stdout + done.stderr


def test_scikit_learn_is_imported_only_for_an_estimator():
    """It takes longer to import than all the rest."""
    code = """
import sys, ksparse
print('sklearn' in sys.modules, 'scipy' in sys.modules)
ksparse.KSparseClassifier
print('sklearn' in sys.modules)
"""
    assert run(code).split() == ["False", "False", "True"]


def test_unknown_names_are_unknown():
    """The lazy import does not hide typing errors."""
    with pytest.raises(AttributeError, match="has no attribute 'KSparseGuesser'"):
        _ = ksparse.KSparseGuesser
    assert "KSparseClassifier" in dir(ksparse)


CODE = """
import numpy as np, ksparse
rng = np.random.default_rng(0)
X = rng.standard_normal((203, 70))
y = (X[:, 3] - X[:, 40] + rng.standard_normal(203) > 0).astype(float)
result = ksparse.fit(X, y, 3)
print(ksparse.build_info()["instruction_set"], *result.support, round(result.objective, 10))
"""


@pytest.mark.parametrize("options", [(), ("-O",)])
def test_every_variant_gives_the_same_answer(options):
    """Each instruction set that runs here, also under python -O."""
    info = ksparse.build_info()
    runnable = [name for name in info["available"] if name in info["supported"]]
    answers = {name: run(CODE, *options, KSPARSE_ISA=name).split() for name in runnable}
    for name, answer in answers.items():
        assert answer[0] == name
        assert answer[1:] == answers["baseline"][1:]


@pytest.mark.parametrize(
    ("forced", "built", "runnable", "outcome"),
    [
        ("", ["avx2", "baseline"], ["avx512", "avx2", "baseline"], "avx2"),
        ("", ["avx512", "avx2", "baseline"], ["baseline"], "baseline"),
        ("", [], ["baseline"], "no compiled core of ksparse can run here: built none, this processor runs baseline; reinstall"),
        ("", ["avx2"], ["baseline"], "no compiled core of ksparse can run here: built avx2, this processor runs baseline"),
        ("avx2", ["avx512", "avx2", "baseline"], ["avx512", "avx2", "baseline"], "avx2"),
        ("avx2", ["baseline"], ["avx2", "baseline"], "KSPARSE_ISA is 'avx2', but this build of ksparse has only baseline"),
        ("avx2", ["avx2", "baseline"], ["baseline"], "KSPARSE_ISA is 'avx2', but this processor runs only baseline"),
    ],
)
def test_the_variant_is_the_best_that_is_built_and_runs(monkeypatch, forced, built, runnable, outcome):
    """Or the one that is forced; what is lacking, the file or the processor, is said."""
    from ksparse import _core

    monkeypatch.setenv("KSPARSE_ISA", forced)
    monkeypatch.setattr(_core, "available", lambda: built)
    monkeypatch.setattr(_core, "supported", lambda: runnable)
    if outcome in _core._VARIANTS:
        assert _core._choose() == outcome
    else:
        with pytest.raises(ImportError, match=outcome):
            _core._choose()


def test_a_variant_that_is_not_there_is_named():
    """Forcing is forcing."""
    assert "KSPARSE_ISA is 'mmx'; it must be one of" in run("import ksparse", KSPARSE_ISA="mmx")


def test_the_version_is_written_once():
    """In pyproject.toml; CMake, the extension and the documentation read it there."""
    root = Path(__file__).parents[2]
    (version,) = re.findall(r'^version = "([^"]+)"$', (root / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert ksparse.__version__ == version
    code = [root / "CMakeLists.txt", *root.glob("cmake/*"), *root.glob("python/**/*.py"), *root.glob("python/bindings/*")]
    code += [*root.glob("cpp/include/**/*.h*"), root / "docs" / "conf.py"]
    number = re.compile(rf"(?<!e\.g\. \")\b{re.escape(version)}\b")  # but for an example in a comment
    written = [file for file in code if file.is_file() and number.search(file.read_text(encoding="utf-8"))]
    assert len(code) > 30
    assert written == []


INTERPRETERS = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = '''
import warnings
warnings.simplefilter("ignore")
try:
    import ksparse
except ImportError as error:
    print("refused:", error, flush=True)
'''
for _ in range(2):
    interpreters.run_string(interpreters.create(), code)
import ksparse
interpreters.run_string(interpreters.create(), code)
print(ksparse.fit([[0.0], [1.0], [0.5], [2.0]], [0, 1, 1, 0], 1).support)
"""


def test_a_subinterpreter_is_refused():
    """As under mod_wsgi: the import waited for ever. NumPy is not loaded there, or the main interpreter could not load it."""
    done = subprocess.run([sys.executable, "-c", INTERPRETERS], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    refusals = [line for line in done.stdout.splitlines() if line.startswith("refused:")]
    assert len(refusals) == 3
    assert all("ksparse cannot be imported in a subinterpreter" in line for line in refusals)
    assert "[0]" in done.stdout
