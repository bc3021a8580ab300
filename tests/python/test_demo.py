"""The main job as a newcomer runs it, and the data behind it."""

import importlib.util
import subprocess
import sys
import warnings

import ksparse
import numpy as np
import pytest
from ksparse.__main__ import main
from ksparse._demo import repeat_splits
from sklearn.model_selection import StratifiedShuffleSplit


def test_data_are_as_documented():
    """Sizes, classes and standardised columns."""
    data = ksparse.datasets.load_imbalanced_cancer()
    assert data.X_train.shape == (279, 100)
    assert data.X_test.shape == (120, 100)
    assert data.X_train.flags.f_contiguous
    y = np.concatenate([data.y_train, data.y_test])
    assert ((y == 0).sum(), (y == 1).sum()) == (42, 357)
    whole = np.vstack([data.X_train, data.X_test])[:, :30]
    np.testing.assert_allclose(whole.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(whole.std(axis=0), 1)
    assert len(data.feature_names) == 100
    assert data.feature_names[30] == "noise 1"


def test_demo_prints_a_table_and_writes_a_picture(capsys, tmp_path):
    """Every model has its row, every chosen feature its name, and the picture is one."""
    picture = tmp_path / "demo.png"
    assert main(["demo", "--output", str(picture)]) == 0
    text = capsys.readouterr().out
    for expected in ("ksparse, logistic", "ksparse, focal", "scikit-learn, L1", "scikit-learn, all", "0.108535", "0.014713"):
        assert expected in text
    assert "worst texture" in text
    assert "noise 54 is a column of random numbers" in text  # so that nobody takes it for a finding
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_the_splits_of_the_demo_are_those_of_its_words():
    """How often noise is chosen is counted, and precision at full recall is at least the share of the class."""
    data = ksparse.datasets.load_imbalanced_cancer()
    splits = repeat_splits(data)
    noise = [name.startswith("noise") for name in data.feature_names]
    assert not splits.noise[:, ~np.array(noise)].any()
    assert (splits.noise.sum(axis=1) <= 8).all()
    X, y = np.vstack([data.X_train, data.X_test]), np.concatenate([data.y_train, data.y_test])
    train, test = next(StratifiedShuffleSplit(100, test_size=0.3, random_state=0).split(X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        coef = ksparse.fit(X[train], y[train], 8, fit_intercept=False).coef
    np.testing.assert_array_equal(np.flatnonzero(splits.noise[0]), np.flatnonzero((coef != 0) & noise))
    rare = np.sum(y[test] == 0)
    order = np.sort((X[test] @ coef)[y[test] == 0])
    last = order[rare - 1]  # all of the class are found at the score of its last row
    expected = rare / np.sum(X[test] @ coef <= last)
    assert splits.precision["ksparse, logistic"][0, -1] <= expected + 1e-12
    assert all(
        values.shape == (100, 51) and (values >= 0).all() and (values <= 1).all() for values in splits.precision.values()
    )


def test_demo_without_matplotlib_says_how_to_get_the_picture(capsys, tmp_path, monkeypatch):
    """The table still comes."""
    real = importlib.util.find_spec
    monkeypatch.setattr("ksparse._demo.find_spec", lambda name: None if name == "matplotlib" else real(name))
    main(["demo", "--output", str(tmp_path / "demo.png")])
    text = capsys.readouterr().out
    assert "ksparse, focal" in text
    assert "pip install 'ksparse[plot]'" in text
    assert not (tmp_path / "demo.png").exists()


@pytest.mark.parametrize(("command", "expected"), [([], "usage"), (["info"], "instruction_set")])
def test_command_line(command, expected):
    """As a user types it."""
    done = subprocess.run([sys.executable, "-m", "ksparse", *command], capture_output=True, text=True, check=True)
    assert expected in done.stdout
