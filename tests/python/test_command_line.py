"""The command line, run as users run it: as another process, on files."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import ksparse
import numpy as np
import pandas as pd
import pytest
from ksparse.__main__ import main


def run(*arguments, folder):
    """Run ``python -m ksparse`` in a folder; return exit code, standard output and standard error."""
    environment = {**os.environ, "PYTHONPATH": str(Path(ksparse.__file__).parents[1]), "MPLBACKEND": "agg"}
    command = [sys.executable, "-W", "error::DeprecationWarning:ksparse", "-m", "ksparse", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def call(capsys, monkeypatch):
    """Return what runs a command in this process, which is quicker, with the same answer."""

    def call(*arguments, folder):
        monkeypatch.chdir(folder)
        try:
            code = main(list(map(str, arguments)))
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a table of numbers, one with categories and gaps, and one of counts."""
    path, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((300, 6)), columns=["age", "body mass", "c", "d", "e", "f"])
    table["churn"] = np.where(table["age"] - table["body mass"] + rng.logistic(size=300) > 0, "left", "stayed")
    table.to_csv(path / "numbers.csv", index=False)
    table["job"] = rng.choice(["clerk", "nurse", "smith"], 300)
    table.loc[::7, "age"] = np.nan
    table.to_csv(path / "raw.csv", index=False)
    table.to_parquet(path / "raw.parquet")
    table["visits"] = rng.poisson(np.exp(0.5 * table["c"]))
    table[["c", "d", "e", "visits"]].to_csv(path / "counts.csv", index=False)
    return path


def test_fit_and_predict(folder):
    """The model on the command line is that of Python, and its SQL gives its predictions."""
    code, out, err = run(
        *("fit", "numbers.csv", "--target", "churn", "-k", 2, "--sql", "m.sql", "--plot", "m.png", "--model", "m.joblib"),
        folder=folder,
    )
    assert (code, err) == (0, "")
    table = pd.read_csv(folder / "numbers.csv")
    X, y = table.drop(columns="churn"), table["churn"]
    model = ksparse.KSparseClassifier(k=2, ridge=1e-4).fit(X, y)
    assert str(model.summary(X, y)) in out
    assert (folder / "m.png").read_bytes().startswith(b"\x89PNG")
    X[["body mass", "age"]].to_csv(folder / "few.csv", index=False)
    code, out, err = run("predict", "m.joblib", "few.csv", "--output", "p.csv", folder=folder)
    assert (code, out, err) == (0, "", "")
    predicted = pd.read_csv(folder / "p.csv")
    np.testing.assert_array_equal(predicted["prediction"], model.predict(X))
    np.testing.assert_allclose(predicted["probability of stayed"], model.predict_proba(X)[:, 1], rtol=1e-12)
    with sqlite3.connect(":memory:") as connection:
        X.to_sql("t", connection, index=False)
        found = connection.execute(f"select {(folder / 'm.sql').read_text()} from t").fetchall()
    np.testing.assert_allclose(np.ravel(found), model.predict_proba(X)[:, 1], atol=1e-12)


@pytest.mark.parametrize("name", ["raw.csv", "raw.parquet"])
def test_a_scorecard_of_a_raw_table(folder, name, call):
    code, out, err = call(
        *(
            "fit",
            name,
            "--target",
            "churn",
            "-k",
            2,
            "--scorecard",
            "--event",
            "left",
            "--max-points",
            5,
            "--model",
            "c.joblib",
        ),
        *("--plot", "c.png", "--drop", "f", "e"),
        folder=folder,
    )
    assert (code, err) == (0, "")
    assert "against class 'stayed'" in out
    assert "age missing" in out
    assert "Gini" in out
    code, out, _ = call("predict", "c.joblib", name, folder=folder)
    assert code == 0
    assert out.splitlines()[0] == "prediction,probability of left,probability of stayed"
    assert len(out.splitlines()) == 301


def test_cross_validation_and_regression(folder, call):
    code, out, _ = call("fit", "counts.csv", "--target", "visits", "-k", 3, "--loss", "poisson", "--cv", 4, folder=folder)
    assert code == 0
    assert "cross-validation with 4 folds chose k = " in out
    assert "poisson" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,y\n1,2,0\n\n3,x,1\n", "t.csv, line 4: the column 'b' has 'x', which is no number; use --scorecard"),
        ("a,b,y\n1,2,0\n3,,1\n", "t.csv, line 3: the column 'b' is empty; fill in missing values"),
        ('a,b,y\n1,2,0\n"3\n",4,1\n5,6,\n', "t.csv, line 5: the target 'y' is empty"),
        ("a,b,y\n1,2,0\n3,4\n", "t.csv, line 3: 2 fields, but the header has 3"),
        ("a,b,y\n1,2,0\n3,4,1,5\n", "t.csv, line 3: 4 fields, but the header has 3"),
        ("a,a,y\n1,2,0\n", "t.csv, line 1: two columns have the name 'a'"),
        ("", "t.csv, line 1: there is no header"),
        ("a,b,z\n1,2,0\n", "t.csv: there is no column 'y', which --target names; the columns are a, b, z"),
        ("a,b,y\n1,2,0\n3,4,0\n", "one class only"),
    ],
)
def test_errors_name_the_line(tmp_path, text, message, call):
    """On standard error, in one line, with the exit code 1 and no traceback."""
    (tmp_path / "t.csv").write_text(text)
    code, out, err = call("fit", "t.csv", "--target", "y", folder=tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("ksparse: error: ")
    assert message in err
    assert len(err.splitlines()) == 1


def test_exit_codes(folder, call):
    """0: well; 1: a file that cannot be used; 2: wrong arguments; 3: a fit that did not converge."""
    assert run("--version", folder=folder) == (0, f"ksparse {ksparse.__version__}\n", "")
    code, out, err = run("fit", "absent.csv", "--target", "y", folder=folder)
    assert (code, out, err) == (1, "", "ksparse: error: absent.csv: there is no such file\n")
    assert call("fit", "absent.csv", "--target", "y", folder=folder)[0] == 1
    (folder / "damaged.joblib").write_bytes(b"not a model")
    assert call("predict", "damaged.joblib", "numbers.csv", folder=folder)[0] == 1
    assert call("fit", "numbers.csv", folder=folder)[0] == 2
    separable = pd.DataFrame({"a": np.arange(40.0), "y": np.arange(40) > 20})
    separable.to_csv(folder / "separable.csv", index=False)
    code, out, err = call("fit", "separable.csv", "--target", "y", "--ridge", 0, folder=folder)
    assert code == 3
    assert "ksparse: warning: separable" in err
    assert "a" in out
