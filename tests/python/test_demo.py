"""The main job as a newcomer runs it, and the data behind it."""

import importlib.util
import subprocess
import sys

import ksparse
import numpy as np
import pytest
from ksparse.__main__ import main


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
    assert picture.read_bytes()[:4] == b"\x89PNG"


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
